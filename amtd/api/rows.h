/* The rows of a list as JSON, a line a row, written as they are found: no tree of them is made. A row is an
 * object. What is to be written is named with the member that it becomes; in a list, the name is NULL.
 *
 * Fields say what the caller has use for: names of members, "facts.power" for one of an object's or of the
 * objects in a list, "tags.*" or "tags" for all of it. Other members are left out. */
#ifndef AMTD_API_ROWS_H
#define AMTD_API_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct rows;

/* fields: an array of texts, borrowed until rows_free; NULL: all. */
struct rows *rows_new(const json_t *fields);
void rows_free(struct rows *rows); /* NULL is fine */

void rows_begin(struct rows *rows);
void rows_end(struct rows *rows);
/* Whether a member of the row itself, or of the object under way in it, is wanted. */
bool rows_want(const struct rows *rows, const char *name);
/* False: it is not wanted, and was not begun. */
bool rows_object(struct rows *rows, const char *name);
void rows_object_end(struct rows *rows);
bool rows_list(struct rows *rows, const char *name);
void rows_list_end(struct rows *rows);

void rows_text(struct rows *rows, const char *name, const char *text);    /* NULL: null */
void rows_text_if(struct rows *rows, const char *name, const char *text); /* NULL: nothing */
void rows_integer(struct rows *rows, const char *name, int64_t value);
void rows_boolean(struct rows *rows, const char *name, bool value);
void rows_seconds(struct rows *rows, const char *name, int64_t ms);
void rows_time(struct rows *rows, const char *name, int64_t wall_ms);     /* RFC 3339; 0: null */
void rows_json(struct rows *rows, const char *name, const json_t *value); /* borrowed */
/* An object or a list as amtd itself has written it (the store's): as it is, but for line breaks. What has no
 * such beginning and end, and NULL, is nothing. */
void rows_written(struct rows *rows, const char *name, const char *json);
/* A whole row that is such an object. */
void rows_written_row(struct rows *rows, const char *json);

/* What was written since the last rows_take, in bytes; and how many rows in all. */
size_t rows_size(const struct rows *rows);
int64_t rows_count(const struct rows *rows);
/* Moves the lines into a buffer of the caller's; what that held is dropped, and its memory written to next.
 */
void rows_take(struct rows *rows, struct buf *lines);

#endif
