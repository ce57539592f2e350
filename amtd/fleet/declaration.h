/* Declared configurations: what the settings of devices are to be, as a YAML file says it
 * (docs/configuration.md). The file is checked whole, and every mistake told by its place. */
#ifndef AMTD_FLEET_DECLARATION_H
#define AMTD_FLEET_DECLARATION_H

#include <jansson.h>
#include <stddef.h>

#include "base/err.h"
#include "wsman/settings.h"

#define DECLARATION_BYTES_MAX 65536
#define DECLARATION_NAME_MAX  64

struct declaration {
    char *name;             /* the file's own, or the fallback */
    char *text;             /* one line for people, or NULL */
    char *values[SETTINGS]; /* as settings spell them; NULL: not declared */
    char hash[65];          /* SHA-256 of the file, hex */
};

/* *mistakes: [{line, column, text}], the caller's; places count from 1, 0: the whole file. NULL when there is
 * any. */
struct declaration *declaration_read(const char *fallback, const void *text, size_t n, json_t **mistakes);
void declaration_free(struct declaration *declaration); /* NULL is fine */
/* All mistakes in one message of err (invalid-argument). */
void declaration_complain(const char *name, const json_t *mistakes, struct err *err);
/* {name, text?, hash, settings: {"network.host-name": "own", ...}}; the caller's. */
json_t *declaration_json(const struct declaration *declaration);
/* What such a file may hold, as JSON Schema; the caller's. */
json_t *declaration_schema(void);

#endif
