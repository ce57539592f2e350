/* One line typed on a terminal in raw mode: for the questions of an attached console. A core without I/O. */
#ifndef AMTCLI_PROMPT_H
#define AMTCLI_PROMPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define PROMPT_MAX 1024

enum prompt_state { PROMPT_MORE, PROMPT_DONE, PROMPT_CANCELLED };

struct prompt {
    struct buf text; /* UTF-8 */
    int skipping;    /* of a key's sequence */
};

void prompt_begin(struct prompt *prompt);
void prompt_clear(struct prompt *prompt);
/* Takes typed bytes until the line ends: Enter, or Ctrl-C, Escape Escape and Ctrl-G give it up; Backspace and
 * Ctrl-U work. *taken gets how many; what the terminal is to show is appended to echo. */
enum prompt_state prompt_feed(struct prompt *prompt, const void *p, size_t n, size_t *taken,
                              struct buf *echo);

#endif
