/* Plans for System Defense: from what a device holds and what is wanted to the smallest ordered set of
 * changes. Pure: no I/O, no memory of its own. (reference system-defense.md, 3.4 - 3.7, chapter 6)
 *
 * A plan comes in batches: the steps of one depend on what the device answered to those before (handles). So
 * the owner asks again with the state after each batch, until there are no more steps. Objects of ours are
 * those whose names begin with FILTER_OURS; those of others are left alone.
 *
 * The order that loses nothing: filters, policy, time-out, then on every port the new policy as default, the
 * old one off, the new one on; then, when the device was read again and shows the new policy active, the
 * default and everything of ours that is not needed any more. Until then what was there before can come back.
 */
#ifndef AMTD_FLEET_FILTER_PLAN_H
#define AMTD_FLEET_FILTER_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "wsman/system_defense.h"

#define FILTER_OURS "amt:"

struct filter_goal {
    /* Who is to have it: SD_CONSOLE, to be active now; SD_AGENT (every port) and SD_HEURISTICS (the wired
     * one), for when what they watch asks for it. */
    enum sd_owner owner;
    bool nothing;            /* nothing of ours is to be there; the rest is ignored */
    bool everything;         /* with nothing: and nothing of others */
    bool unknown;            /* with nothing: nobody knows of anything there; fine where there can be none */
    struct sd_policy policy; /* without id and handles */
    struct sd_filter *filters; /* borrowed; no two mean the same */
    size_t count;
    uint32_t minutes; /* time-out in hardware, 0: none */
    bool again;       /* enable anew also where it is enabled: its time begins now */
    bool made;        /* the policy was made for this goal: it has no time-out of old */
};

struct filter_steps {
    struct sd_change *items; /* owned */
    size_t count;
};
void filter_steps_clear(struct filter_steps *steps);

bool filter_is_ours(const char *name);
/* The policy of ours that means what is wanted, or NULL. Borrowed. */
const struct sd_policy *filter_present(const struct sd_state *state, const struct filter_goal *goal);
/* The policy of ours that a console enabled on the port, or NULL. */
const struct sd_policy *filter_enabled(const struct sd_state *state, unsigned port);

/* The next batch of steps until what is wanted is enabled on every port; none: it is. -1 with err when it
 * cannot be, before anything was changed for it: in-use (another product's policy is enabled in our place, or
 * stands above ours), limit-exceeded (no room), unsupported (no System Defense, no port). */
int filter_plan_switch(const struct sd_state *state, const struct filter_goal *goal,
                       struct filter_steps *steps, struct err *err);
/* 0 when a device that was read again shows what is wanted: active on every port, or nothing of ours enabled.
 * Else not-reached, or in-use, says what is different. */
int filter_plan_check(const struct sd_state *state, const struct filter_goal *goal, struct err *err);
/* What of ours is not needed (any more). Its steps are optional: what others hold on to stays. */
void filter_plan_clean(const struct sd_state *state, const struct filter_goal *goal,
                       struct filter_steps *steps);

/* The steps back to what of ours was there before; none: it is. */
void filter_plan_undo(const struct sd_state *state, const struct sd_state *before,
                      struct filter_steps *steps);
/* True when ours is what it was: the same objects, enabled where they were. */
bool filter_plan_undone(const struct sd_state *state, const struct sd_state *before);

#endif
