/* The last lines of a console, as text: what was printed around something that was found in it. */
#ifndef AMTD_REACTIONS_CAPTURE_H
#define AMTD_REACTIONS_CAPTURE_H

#include <stddef.h>
#include <stdint.h>

#include "amtd/console/hub.h"

#define CAPTURE_BYTES_MAX (128 * 1024)

struct capture;

/* Waits, then reads so many lines from the end of the console's log. done is called once, from the loop, with
 * lines without escape sequences (borrowed), or NULL when they cannot be had. */
struct capture *capture_start(uv_loop_t *loop, struct hub *hub, const char *console, size_t lines,
                              int64_t wait_ms, void (*done)(void *arg, const char *text), void *arg);
/* The end of amtd: it does not wait any longer. To be called before the hub ends. */
void capture_hurry(struct capture *capture);

#endif
