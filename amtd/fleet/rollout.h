/* The order in which hosts have their turn: so many at a time, so many in a subnet, in stages with pauses
 * between, and nothing more after too many failures. Runs of one task and runs of jobs go by it alike.
 *
 * A host begins (it is being reached, and needs no place for that), is reached, has a place as soon as there
 * is one, and is over; later, when it was written down, it has a result. No I/O and no clock. */
#ifndef AMTD_FLEET_ROLLOUT_H
#define AMTD_FLEET_ROLLOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/fleet/stages.h"
#include "base/cause.h"

struct rollout;

struct rollout_settings {
    uint32_t parallel;    /* hosts that have a place at a time; at least 1 */
    uint32_t per_subnet;  /* hosts begun and not over, in one subnet; 0: no limit */
    struct stages stages; /* settled */
    int64_t pause_ms;     /* between stages */
};

struct rollout_host {
    const char *address; /* or name; borrowed */
    bool urgent;         /* known to be dead: begins before the others of its stage, and is not waited for */
};

/* Callbacks come from rollout_advance only. */
struct rollout_owner {
    void *arg;
    /* It begins. rollout_over may come from inside. */
    void (*begin)(void *arg, size_t host);
    /* It has a place now. */
    void (*go)(void *arg, size_t host);
    /* Nothing more begins, and this one has no place yet. One that has sent nothing is ended (rollout_over,
     * from inside); one that has goes on. */
    void (*spare)(void *arg, size_t host, enum cause cause, const char *text);
};

struct rollout *rollout_new(const struct rollout_settings *settings, const struct rollout_owner *owner,
                            const struct rollout_host *hosts, size_t count);
void rollout_free(struct rollout *rollout); /* NULL is fine */

/* --- what its hosts do --- */
void rollout_reached(struct rollout *rollout, size_t host); /* wants a place: go follows */
void rollout_yield(struct rollout *rollout, size_t host);   /* gives its place back and is reached anew */
/* Gives back all it has. A failure counts at once, so that nothing begins that its limits do not allow. name:
 * the host's, for those that do not begin because of it. */
void rollout_over(struct rollout *rollout, size_t host, bool ok, enum cause cause, const char *name);
/* One that is over has its result: a stage is done when all of its hosts have theirs. */
void rollout_result(struct rollout *rollout);

/* --- what is done with all of them --- */

/* Does what is due. Returns when it is due again by itself; INT64_MAX: not before something else happens. */
int64_t rollout_advance(struct rollout *rollout, int64_t now_ms);
/* Begins nothing more. False: it was so already. */
bool rollout_stop(struct rollout *rollout, enum cause cause, const char *text);
/* While on, nothing begins; what has begun goes on. */
void rollout_hold(struct rollout *rollout, bool on);
/* Those that were over before (in an earlier life of amtd): they count as results and do not begin. Before
 * the first rollout_advance. */
void rollout_was(struct rollout *rollout, size_t host, bool ok, enum cause cause, const char *name);
/* One that had begun in an earlier life, and is not over: it does not begin, and is reached at once. Before
 * the first rollout_advance. */
void rollout_resume(struct rollout *rollout, size_t host);
/* The order of an earlier life, as rollout_place told it. Before all of these. */
void rollout_set_places(struct rollout *rollout, const uint32_t *places);

/* Every host has its result. */
bool rollout_is_done(const struct rollout *rollout);
/* All hosts of the stage under way are over: nothing goes on before their results are there. */
bool rollout_wants_results(const struct rollout *rollout);
bool rollout_is_stopped(const struct rollout *rollout);
size_t rollout_begun(const struct rollout *rollout);
/* The host's place in the order as it was planned, from 0, without regard to `urgent`. */
size_t rollout_place(const struct rollout *rollout, size_t host);
/* Which stage is under way (from 1; 0 before the first), of how many, and when it began or begins if there is
 * a pause before it (ms; 0: it has begun). */
void rollout_stage(const struct rollout *rollout, size_t *stage, size_t *stages, int64_t *begins_ms);

#endif
