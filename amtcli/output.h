/* Printing rows: an aligned table for people, JSON and CSV for programs. What goes to a terminal is made
 * printable. */
#ifndef AMTCLI_OUTPUT_H
#define AMTCLI_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "amtcli/args.h"
#include "base/buf.h"

#define OUTPUT_BLOCK 65536 /* bytes written at a time where nobody looks on */

enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV };

/* What -o says. */
enum format output_format(const struct args *args);

/* How people read a value: a form of forms.h. Appends. */
typedef void value_form(const json_t *value, struct buf *out);

/* A column of a table, and of CSV: there the field is its name. */
struct column {
    const char *title; /* NULL ends the list */
    const char *field; /* of the object; "tags.*" all pairs of an object (in CSV a column for each),
                          "facts.power" one of it */
    value_form *form;  /* in tables, where it is not shown as it is; NULL */
};

/* Rows on their way out, one at a time. JSON prints the rows themselves, not the columns, each as it comes
 * and on a line; CSV as they come, too, unless a column is all pairs of an object; a table, which fits its
 * terminal (table.h), when all are there: it keeps no more than the cells. Nothing is printed before the
 * first row or the end. */
struct output;
struct output *output_begin(enum format format, const struct column *columns); /* columns: borrowed */
void output_row(struct output *output, const json_t *row);
/* The same of its text as JSON, an object without line breaks. */
void output_row_text(struct output *output, const char *json, size_t n);
void output_end(struct output *output);   /* prints what is left; frees */
void output_break(struct output *output); /* not all have come: what is printed has no end; frees */
/* Whoever looks at a terminal is told when there was no row; none: what he is told instead, wherever he
 * looks. */
void output_none(enum format format, size_t count, const char *none);
/* rows: an array of objects; and output_none. */
void output_rows(enum format format, const json_t *rows, const struct column *columns);
/* As CSV to a stream; to a terminal made printable. */
void output_csv(FILE *to, const json_t *rows, const struct column *columns);
/* An object as "name  value" lines, or as JSON or CSV. */
void output_object(enum format format, const json_t *object, const struct column *fields);
void output_json(const json_t *json);
/* How it looks, for jansson. On a terminal only what is ASCII: JSON itself escapes no controls beyond it
 * (U+009B begins a sequence). */
size_t output_json_flags(void);
/* The same for one object a line. */
size_t output_line_flags(void);

/* A value as printable text; appended. */
void cell_text(const json_t *row, const char *field, struct buf *out);
/* The value a field names, borrowed; NULL: there is none. */
const json_t *cell_value(const json_t *row, const char *field);
/* A value as text; appended. */
void cell_put(const json_t *value, bool printable, struct buf *out);

#endif
