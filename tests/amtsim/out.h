/* Writes the properties of one instance, or the results of one method, as the firmware does.
 *
 * A class describes its instance by calling these functions in ASCII order of the property names (reference
 * wsman.md, 2.2). The same description serves two purposes: as XML in an answer, and as values that the
 * selectors of a request are compared with; so an instance is never stored. */
#ifndef AMTSIM_OUT_H
#define AMTSIM_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "tests/amtsim/epr.h"

struct out {
    struct buf *b; /* where XML goes; NULL: compare with `want` instead */
    char prefix;   /* of the class's namespace */
    char common;   /* of the CIM common namespace (datetime, interval) */
    const struct selector *want;
    size_t want_count;
    uint32_t known; /* bit per selector: the instance has a property of that name */
    bool differs;   /* some selector's value is another one */
};

struct out out_xml(struct buf *b, char prefix);
struct out out_match(const struct selector *want, size_t count); /* count at most 32 */

void out_str(struct out *o, const char *name, const char *value); /* value NULL: no such property */
void out_fmt(struct out *o, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void out_num(struct out *o, const char *name, uint64_t value);
void out_bool(struct out *o, const char *name, bool value);
void out_nums(struct out *o, const char *name, const uint16_t *values, size_t count);
void out_bytes(struct out *o, const char *name, const void *p, size_t n); /* base64 */
void out_time(struct out *o, const char *name, int64_t wall_ms);
void out_interval(struct out *o, const char *name, uint32_t minutes);
void out_epr(struct out *o, const char *name, const struct epr *epr);
/* Name, value, name, value, ..., NULL. */
void out_fixed(struct out *o, const char *const *pairs);

/* Appends text as element content. */
void out_text(struct buf *b, const char *text);

#endif
