/* The single-user shell of a scripted machine: line editing and a few commands. */
#ifndef AMTSIM_SCRIPTED_SHELL_H
#define AMTSIM_SCRIPTED_SHELL_H

#include <stddef.h>

#include "tests/amtsim/scripted_console.h"

struct scripted_shell; /* opaque */

/* The console is borrowed. Says nothing yet. */
struct scripted_shell *scripted_shell_new(struct scripted_console *console);
/* Ends whatever runs in it. NULL is fine. */
void scripted_shell_free(struct scripted_shell *shell);

void scripted_shell_prompt(struct scripted_shell *shell);
void scripted_shell_type(struct scripted_shell *shell, const char *p, size_t n);

#endif
