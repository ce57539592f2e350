/* The live line of a run: what it says, when it is drawn, and that it goes away. Written to a terminal. */
#ifndef AMTCLI_PROGRESS_H
#define AMTCLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"

#define PROGRESS_REDRAW_MS 100

struct progress {
    const struct clock *clock;
    FILE *out; /* NULL: nothing is drawn */
    size_t hosts, ok, failed;
    size_t steps;         /* tasks of a job that are done, of all hosts; 0: it is none */
    size_t stage, stages; /* 0 and 0: all at once */
    int64_t pause_until;  /* when the next stage begins */
    bool stopping;
    const char *note; /* instead of how many failed; NULL none */
    /* its own */
    int64_t began, drawn;
    bool on_screen;
};

void progress_init(struct progress *p, const struct clock *clock, FILE *out);
/* "120 of 1000 done, 3 failed, 880 left, 45/s, about 20s": appends, in ASCII. */
void progress_text(const struct progress *p, int64_t now, struct buf *out);
/* Draws the line, cut to the width of the terminal, but no oftener than every PROGRESS_REDRAW_MS. */
void progress_draw(struct progress *p);
/* Takes the line away, so that something else can be printed. */
void progress_erase(struct progress *p);

#endif
