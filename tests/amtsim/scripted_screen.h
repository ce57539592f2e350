/* A list on a serial terminal, moved through with arrow keys: boot menu and firmware setup. No I/O. */
#ifndef AMTSIM_SCRIPTED_SCREEN_H
#define AMTSIM_SCRIPTED_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define SCREEN_KEY_MAX 8

struct scripted_screen {
    const char *title;
    const char *const *entries; /* NULL at the end */
    const char *hint;
    unsigned selected;
    char key[SCREEN_KEY_MAX]; /* of a key that comes in pieces */
    size_t key_len;
};

void scripted_screen_show(struct scripted_screen *screen, const char *title, const char *const *entries,
                          const char *hint, struct buf *out);

enum screen_event { SCREEN_STAYS, SCREEN_CHOSEN, SCREEN_SAVED /* F10 */ };
/* One byte of a key; redraws into out what changes. */
enum screen_event scripted_screen_key(struct scripted_screen *screen, char byte, struct buf *out);

#endif
