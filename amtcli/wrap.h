/* Text in so many columns: how wide it is, where a line of it ends, and how many columns there are. */
#ifndef AMTCLI_WRAP_H
#define AMTCLI_WRAP_H

#include <stddef.h>
#include <stdio.h>

#define WRAP_PAGE     80 /* columns of text that is made for reading, where nothing says how many there are */
#define WRAP_ANY      SIZE_MAX /* as many as a line needs */
#define WRAP_LINE_MIN 20       /* narrower than this nothing is made */

/* Columns a terminal needs for a text of UTF-8. */
size_t text_width(const char *text);

/* The bytes of `text` that stand on the next line of `columns`: whole words, which end at a blank or behind a
 * comma; a part of a word that has no room, which ends behind a mark such as '.' or between date and time; at
 * least one character. *skip gets how many blanks after them are not shown. */
size_t wrap_next(const char *text, size_t columns, size_t *skip);

/* The columns of a text's widest word, and of its widest part. */
size_t wrap_word(const char *text);
size_t wrap_part(const char *text);

/* Prints a text from column `at` on, where the cursor is already, each further line indented that far; ends
 * the last line. */
void wrap_print(FILE *out, const char *text, size_t at, size_t columns);

/* The columns of a terminal, or what COLUMNS in the environment says, at least WRAP_LINE_MIN; `other` where
 * neither is known. */
size_t wrap_columns(FILE *out, size_t other);

#endif
