/* Filters on one device, from reading what is there to what is wanted and back again if it fails: a sequence.
 * (plans: filter_plan.h; calls: wsman/system_defense.h)
 *
 * Reading, preparing (the owner makes the goal, now that the device's limits are known), switching, reading
 * again and comparing, trying ways from this end, cleaning. Whatever goes wrong after the first change puts
 * back what was there before. A lost answer is no failure: the device is read, and the plan goes on from what
 * is there. */
#ifndef AMTD_FLEET_FILTER_WORK_H
#define AMTD_FLEET_FILTER_WORK_H

#include <jansson.h>
#include <stdbool.h>

#include "amtd/fleet/filter_plan.h"
#include "wsman/system_defense.h"

enum filter_mode {
    FILTER_APPLY,  /* reach the goal, or put back what was there */
    FILTER_REMOVE, /* the goal is nothing: go on as far as it goes */
    FILTER_REPAIR, /* somebody did not come to an end: finish when the goal is active, else put back `before`
                    */
    FILTER_CLEAN,  /* the goal was reached and the device lost before the rest was taken away: only that */
    FILTER_LOOK,   /* read, compare with the goal, change nothing */
    FILTER_COUNT,  /* read, with statistics */
};

/* Where a device stands at the end. */
enum filter_outcome {
    FILTER_UNCHANGED,   /* as it was; when well: it was as wanted */
    FILTER_ACTIVE,      /* the goal is reached, and was seen to be */
    FILTER_REMOVED,     /* nothing of ours is left, and something was */
    FILTER_ROLLED_BACK, /* what was there before is there again */
    FILTER_UNFINISHED,  /* something was changed, and the device cannot be asked any more */
};
/* "unchanged", "active", "removed", "rolled-back", "unfinished". Static. */
const char *filter_outcome_name(enum filter_outcome outcome);

struct filter_work {
    struct sd_seq sd; /* first */
    enum filter_mode mode;
    struct filter_goal goal; /* filters are owned by whoever made it */
    struct sd_state before;  /* as first read; FILTER_REPAIR: as noted by whoever did not come to an end */
    enum filter_outcome outcome;
    const char *remark; /* static, or NULL */
    bool differs;       /* FILTER_LOOK: the device does not show the goal, or one of the others */
    const struct filter_goal *others; /* FILTER_LOOK: what must be there besides; borrowed */
    size_t other_count;
    bool unclean;   /* what the goal does not need is still there, and the device is lost */
    struct err why; /* what made it go back, or differ */
    /* Makes the goal from what the device shows: -1 with err ends it before anything is changed; SD_HOLD: the
     * sequence holds on (seq_hold), then it is asked again. NULL: it is made. */
    int (*prepare)(struct filter_work *work, struct err *err);
    void *arg; /* of prepare */
    /* Set by prepare: before the first change, and again when what was wanted is active, the sequence holds
     * on (seq_hold) while its owner tries the ways that must stay open. */
    bool tries_ways;
    struct err cut; /* set by the owner the second time: a way is lost, so that it goes back */
    unsigned holds; /* so far; 1 for a repair when the ways were tried before the first change */
    /* private */
    int phase;
    unsigned batches, lost, looks;
    size_t left; /* steps that were to be done when an answer was lost */
};

void filter_work_init(struct filter_work *work, enum filter_mode mode);
void filter_work_clear(struct filter_work *work);
/* `outcome`, also of a work whose device went away in the middle, before it came to decide how it stands. */
enum filter_outcome filter_work_outcome(const struct filter_work *work, bool failed);

/* What of ours a device held, as far as undoing needs it. Caller's. */
json_t *filter_before_json(const struct sd_state *before);
/* The reverse; what cannot be read is left out. `before` is cleared first. */
void filter_before_read(const json_t *json, struct sd_state *before);

#endif
