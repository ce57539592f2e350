/* Checks a YAML document against a libcyaml schema and reports every mistake with its place.
 *
 * libcyaml itself stops at the first mistake and names no place; so the schema it loads by is walked here
 * once before, over libyaml's document. */
#ifndef AMTSIM_YAML_CHECK_H
#define AMTSIM_YAML_CHECK_H

#include <cyaml/cyaml.h>
#include <stddef.h>

#include "base/buf.h"

/* What the schema cannot say about scalars of a mapping's field. */
struct yaml_rule {
    const char *key;
    /* NULL when the value is right, else what was expected (static, or in `text` of at least 160 bytes). */
    const char *(*check)(void *arg, const char *value, char *text);
};

/* Appends a line per mistake to report; returns how many there are. rules end with a NULL key. */
unsigned yaml_check(const void *p, size_t n, const char *name, const cyaml_schema_value_t *schema,
                    const struct yaml_rule *rules, void *arg, struct buf *report);

#endif
