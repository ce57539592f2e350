/* Printing rows: an aligned table for people, JSON and CSV for programs. Everything from outside is made
 * printable. */
#ifndef AMTCLI_OUTPUT_H
#define AMTCLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>

#include "amtcli/args.h"
#include "amtcli/cmd.h"

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV };

/* -o: 0, or -1 after a message. */
int output_format(const struct args *args, enum format *out);

struct column {
    const char *title; /* NULL ends the list */
    const char *field; /* of the object; "tags.*" and "facts.*" show all pairs of an object; "facts.power" one
                          of it */
};

/* rows: an array of objects. JSON prints the rows themselves, not the columns. */
void output_rows(enum format format, const json_t *rows, const struct column *columns);
/* An object as "name  value" lines, or as JSON. */
void output_object(enum format format, const json_t *object, const struct column *fields);
void output_json(const json_t *json);
/* A value as text for a cell; appended. */
void cell_text(const json_t *row, const char *field, struct buf *out);

#endif
