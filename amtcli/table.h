/* Tables that fit their terminal. What is wider is wrapped within its columns, the widest first, and nothing
 * is cut; where no terminal is (a pipe, a file), each row stays one line, for grep. */
#ifndef AMTCLI_TABLE_H
#define AMTCLI_TABLE_H

#include "amtcli/output.h"

struct table;
struct table *table_new(const struct column *columns);  /* borrowed */
void table_add(struct table *table, const json_t *row); /* of which it keeps the cells */
void table_end(struct table *table);                    /* to stdout; of no rows nothing */
void table_free(struct table *table);                   /* NULL is fine */
/* An object, a line for each field that it has. */
void table_print_object(const json_t *object, const struct column *fields);

/* Takes from the widest of `count` columns until the sum of all is at most `room`, but from none below its
 * `least`. */
void table_fit(size_t *widths, const size_t *least, size_t count, size_t room);

#endif
