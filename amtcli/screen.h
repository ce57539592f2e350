/* Whether a program on the machine has put the terminal on its alternate screen: on leaving, it is put back.
 * A core without I/O. */
#ifndef AMTCLI_SCREEN_H
#define AMTCLI_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct screen {
    bool alternate;
    /* private */
    int place;
    unsigned number;
    bool switches; /* one of the numbers of this sequence is that of the alternate screen */
};

/* What is shown. Zero the struct before. */
void screen_feed(struct screen *screen, const void *p, size_t n);

#endif
