/* Rows as CSV (RFC 4180). A column of all pairs of an object ("tags.*") becomes one for each name that any
 * row has ("tag.site", as host import reads it): until they are known, what goes into the cells is kept, and
 * nothing else. Without such columns a row is printed as it comes. */
#ifndef AMTCLI_CSV_ROWS_H
#define AMTCLI_CSV_ROWS_H

#include <jansson.h>
#include <stdio.h>

#include "amtcli/output.h"

struct csv_rows;

/* columns: borrowed. To a terminal text is made printable; else bytes are as they are, so that a program (and
 * host import) reads what amtd has. */
struct csv_rows *csv_rows_new(FILE *to, const struct column *columns);
void csv_rows_add(struct csv_rows *csv, const json_t *row);
void csv_rows_end(struct csv_rows *csv);  /* prints what is left; without any row the titles alone */
void csv_rows_free(struct csv_rows *csv); /* NULL is fine */

#endif
