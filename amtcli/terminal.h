/* The terminal of this process in raw mode, and back: on every way out.
 *
 * It is restored by terminal_end, by signals that end or stop the process (an abort and a crash among them),
 * and, should it be killed outright, by a small process that waits for just that. After a stop it is made raw
 * again. One terminal a process; one thread. */
#ifndef AMTCLI_TERMINAL_H
#define AMTCLI_TERMINAL_H

#include <stdbool.h>

#include "base/err.h"

/* in and out: descriptors of the terminal; they stay open until terminal_end. title: the window's, where
 * windows have one; made printable. The terminal is raw after. -1 and err (system): nothing was changed. */
int terminal_begin(int in, int out, const char *title, struct err *err);
void terminal_title(const char *title);
/* A program on the machine uses the alternate screen, or no longer. */
void terminal_alternate(bool on);
/* As it was found; everything that a program on the console may have left behind is undone. */
void terminal_end(void);
/* Stops this process as Ctrl-Z does, and is back in raw mode when it goes on; the title is to be set again.
 */
void terminal_suspend(void);

#endif
