/* The lines that somebody saw who sat before the terminal: what was written over is gone, colours are known.
 *
 * One line is kept, with the cursor in it: carriage return, backspace, tabulator and the functions that move
 * and erase within a line do what they do on a screen. What moves to another line ends it, so a full screen
 * of firmware comes out line by line in the order in which it was drawn. A core without I/O. */
#ifndef AMTD_CONSOLE_TEXT_TERM_LINE_H
#define AMTD_CONSOLE_TEXT_TERM_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/console/text/ansi.h"

#define TERM_LINE_MAX 4096 /* characters of a line; a longer one is given in pieces */

struct term_cell {
    uint8_t n;        /* bytes, 1 to 4 */
    uint8_t bytes[4]; /* one character in UTF-8; what is not UTF-8 has become U+FFFD */
    struct ansi_style style;
};

struct term_line;

struct term_line_events {
    void *arg;
    /* tag: that of the bytes in which the line began. whole: false when it is only a piece of a longer one.
     */
    void (*line)(void *arg, int64_t tag, const struct term_cell *cells, size_t count, bool whole);
};

struct term_line *term_line_new(const struct term_line_events *events);
void term_line_free(struct term_line *line); /* NULL is fine */
/* tag: anything that the owner wants to know of a line, such as the time of its bytes. */
void term_line_feed(struct term_line *line, int64_t tag, const void *p, size_t n);
/* What has no line end yet comes as a line, when there is anything. */
void term_line_end(struct term_line *line);

#endif
