/* What the feeder writes and the checker expects: numbered lines, and a mark at the beginning of every
 * connection. */
#ifndef AMTD_SOAK_LINE_H
#define AMTD_SOAK_LINE_H

#include <stddef.h>
#include <stdint.h>

#define SOAK_LINE 80 /* bytes of every line */
#define SOAK_MARK 47 /* bytes of every mark */

/* Line `line` of a console; ends with CR LF. Every byte of it follows from the two numbers. */
void soak_line(char out[SOAK_LINE + 1], unsigned console, uint64_t line);
/* The mark of the connection `link` (from 1) of a console: its first line is `line`. Begins with LF, because
 * the one before may have been cut anywhere. */
void soak_mark(char out[SOAK_MARK + 1], unsigned console, unsigned link, uint64_t line);

#endif
