/* The first serial port of a device's machine: what it has said lately.
 *
 * Memory is taken when it first says something. */
#ifndef AMTSIM_CONSOLE_H
#define AMTSIM_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define CONSOLE_KEPT ((size_t)65536)

struct console; /* opaque */

/* n bytes from the machine into *console, which is made when it is NULL. */
void console_take(struct console **console, const void *p, size_t n);
void console_free(struct console *console); /* NULL is fine */

/* Appends the last CONSOLE_KEPT bytes to out, or fewer if there were not so many. NULL: nothing. */
void console_tail(const struct console *console, struct buf *out);
/* How many bytes there were since the beginning. NULL: 0. */
uint64_t console_total(const struct console *console);

#endif
