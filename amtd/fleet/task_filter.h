/* What the two halves of the task `filter` share: its arguments, and its work on one host. (task_filter.c: on
 * the device; task_filter_keep.c: in the store) */
#ifndef AMTD_FLEET_TASK_FILTER_H
#define AMTD_FLEET_TASK_FILTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "amtd/fleet/filter_set.h"
#include "amtd/fleet/filter_source.h"
#include "amtd/fleet/filter_work.h"
#include "amtd/fleet/reach_try.h"
#include "amtd/fleet/task.h"

#define FILTER_UNTESTED_ABOVE                                                                                \
    5 /* hosts: a file never tried on their generation wants to be called untested */

enum filter_action {
    FILTER_DO_APPLY,
    FILTER_DO_REMOVE,
    FILTER_DO_UNDO,   /* back to what was before, because the time is over or nobody confirmed */
    FILTER_DO_REPAIR, /* what a run that did not come to an end left behind */
    FILTER_DO_DRIFT,  /* compare with what is kept */
    FILTER_DO_STATS,
};
extern const char *const filter_action_names[]; /* "apply", ..., NULL */

struct filter_args {
    int action; /* enum filter_action */
    int when;   /* position in filter_when_names: whose policy it is */
    bool anti_spoof, widen, force, untested, all;
    bool now;                     /* FILTER_DO_UNDO: also before its time */
    int64_t for_ms, confirm_ms;   /* 0: not */
    struct filter_source *source; /* FILTER_DO_APPLY */
    json_t *set, *addresses;      /* objects of texts, or NULL */
};

struct filter_host_work {
    struct filter_work work; /* first */
    const struct filter_args *args;
    const struct host *host;
    struct filter_set *set; /* what is wanted or compared with; NULL: nothing */
    /* FILTER_DO_DRIFT, FILTER_DO_STATS: what is kept for whom, in the order of filter_when_owners, `set`
     * being the first; and as goals to compare with */
    struct filter_set *kept[FILTER_WHENS];
    struct filter_goal goals[FILTER_WHENS];
    json_t *known;    /* the store's, see below; NULL: none */
    char *management; /* this server's addresses as the host sees it; NULL: not known */
    char there[INET6_ADDRSTRLEN];
    struct reach_try reach; /* what is tried from here before and after */
    struct host_names_wait wait;
    struct task_pause pause;
};

/* In a journal in place of an action: what was wanted is reached, only the rest is to be taken away. */
#define FILTER_ACTION_CLEAN "clean"

/* `known`, `journal` and `kept` are JSON objects; behind the latter two, in a line of its own, the set that
 * belongs into their row may stand, which is large and the same for many hosts.
 *
 * known: {"names": of an apply, what names stand for at the host, "rows": what is kept of the host, by
 * filter_when_names, "journal": of the run that was interrupted or null, "who", "run", "since"}
 *
 * journal: {"action", "row": what the owner's row becomes when it is finished or null, "before": of the
 * device, "for_ms", "confirm_ms", "owner": whose policy, "all": everything is taken away, "hash": of a set
 * behind it}
 *
 * kept: the same without "before", with "state" (filter_outcome_name) and "unclean" */
extern const struct task_keeping filter_keeping;

/* set: JSON in one line, or NULL. Caller's. */
char *filter_note_text(const json_t *note, const char *set);
/* The object alone, and the set as text behind it (borrowed; NULL: none). NULL: there is none. Caller's. */
json_t *filter_note_read(const char *text, const char **set);
/* The object with the set in its row. */
json_t *filter_note_whole(const char *text);

void filter_know(void *work, const char *known);
void *filter_journal(const void *work);
bool filter_changes(const void *args);
/* {"action", "file", "policy", ...}. Caller's. */
char *filter_describe(const void *args);
/* "filter apply quarantine". Caller's. */
char *filter_what(const struct filter_args *args);

#endif
