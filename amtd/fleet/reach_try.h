/* Tries ways to a host from this server's end: connections that are answered, if only by a refusal, and
 * pings. Before filters are put there, to know which ways answer at all; and after, to see that these still
 * do. Loop's thread only. */
#ifndef AMTD_FLEET_REACH_TRY_H
#define AMTD_FLEET_REACH_TRY_H

#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>

#include "amtd/net/dial.h"
#include "filters/reach.h"

struct reach_try {
    /* what is to be tried; set by the owner before the first look */
    char address[INET6_ADDRSTRLEN]; /* of the host; numeric */
    struct reach_way ways[REACH_WAYS_MAX];
    size_t count;
    /* what was seen */
    bool before[REACH_WAYS_MAX], after[REACH_WAYS_MAX];
    size_t looks; /* 1: before; more: after */
    /* private */
    struct reach_look *look;
};

/* Looks at all ways (the first time), or at those that answered then (later). done(arg) once, maybe from
 * inside. One look at a time. */
void reach_try_look(struct reach_try *reach, uv_loop_t *loop, struct dialer *dialer, void (*done)(void *arg),
                    void *arg);
/* Ends what is under way without calling back. */
void reach_try_cancel(struct reach_try *reach);
/* The first way that answered before and does not any more, or NULL. */
const struct reach_way *reach_try_lost(const struct reach_try *reach);
/* What was seen before, for whoever looks later; caller's. */
json_t *reach_try_note(const struct reach_try *reach);
/* The reverse, into a zeroed one; what is not readable is left out. The next look is one after. */
void reach_try_read(const json_t *note, struct reach_try *reach);
/* [{need, way: "tcp 445", before, after}]; caller's. */
json_t *reach_try_json(const struct reach_try *reach);

#endif
