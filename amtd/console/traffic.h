/* How much a console prints: bytes a second over a sliding window, and whether that is between its marks.
 *
 * The window slides in two halves: what came in the whole one before counts as far as it still lies in the
 * window. So it takes a few words a console, however long the window is. A core without I/O. */
#ifndef AMTD_CONSOLE_TRAFFIC_H
#define AMTD_CONSOLE_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRAFFIC_WINDOW_MS 10000 /* when nobody says otherwise */

struct traffic_marks {
    int64_t window_ms; /* at least 1000 */
    int64_t high, low; /* bytes a second: more than high is a flood, less than low is silence; 0: no mark */
};

enum traffic_state { TRAFFIC_STEADY, TRAFFIC_FLOOD, TRAFFIC_SILENCE };
const char *traffic_state_name(enum traffic_state state); /* "steady", "flood", "silence" */

struct traffic {
    int64_t begin_ms;     /* monotonic: of the window that goes on */
    int64_t since_ms;     /* monotonic: of the first one */
    uint64_t now, before; /* bytes */
    enum traffic_state state;
};

/* Nothing is known yet; the state stays. */
void traffic_begin(struct traffic *traffic, int64_t now_ms);
void traffic_add(struct traffic *traffic, const struct traffic_marks *marks, int64_t now_ms, size_t n);
/* Bytes a second in the last window; before one has gone by, since the beginning. */
int64_t traffic_rate(const struct traffic *traffic, const struct traffic_marks *marks, int64_t now_ms);
/* Looks at the marks. True: the state is another one now. A flood is over when the rate is an eighth below
 * its mark, so that one at the mark is told once; nothing is silent before a whole window has gone by. */
bool traffic_judge(struct traffic *traffic, const struct traffic_marks *marks, int64_t now_ms);
/* When to judge again without bytes coming; INT64_MAX: there are no marks. */
int64_t traffic_next(const struct traffic_marks *marks, int64_t now_ms);

#endif
