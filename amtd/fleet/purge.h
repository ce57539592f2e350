/* The purge: removes once a day what is older, or more, than is to be kept (docs/amtd.yaml.5, "keep"). What
 * it may remove and what stays: amtd/store/purge.h. In small transactions, so that nobody waits for it.
 * Loop's thread only. */
#ifndef AMTD_FLEET_PURGE_H
#define AMTD_FLEET_PURGE_H

#include <jansson.h>
#include <uv.h>

#include "amtd/store/event.h"
#include "amtd/store/purge.h"
#include "base/clock.h"

struct purge_limit {
    int64_t age_ms; /* older ones go; 0: never */
    int64_t bytes;  /* the oldest go when all are larger; 0: any size */
};
struct purge_settings {
    struct purge_limit limits[PURGE_KINDS];
    int64_t wait_ms; /* the daily one leaves amtd alone for so long after it began */
};
/* What holds without a configuration. */
struct purge_settings purge_settings_standard(void);

/* Whether it is time for the daily one, up_ms after amtd began: after a day, when amtd is up for wait_ms; and
 * where the clock says that it was long away, or is behind, only when it is up for a day, so that a clock
 * that is wrong in the morning does not cost the history. last_ms 0: there was none yet. */
bool purge_is_due(int64_t last_ms, int64_t now_ms, int64_t up_ms, int64_t wait_ms);

struct purges;

struct purge_parts { /* borrowed, outlive it */
    uv_loop_t *loop;
    struct store *store;
    struct events *events;
    const struct clock *clock;
    /* One that nobody ordered has removed something: for the activity log. */
    void (*done)(void *arg, const char *text, const struct err *failure);
    /* Logs of consoles have limits of their own: that they give up what is over them, and what they gave up
     * since that was asked last. */
    void (*expire_logs)(void *arg);
    struct purge_gone (*logs_gone)(void *arg);
    void *arg;
};

struct purges *purges_new(const struct purge_parts *parts, const struct purge_settings *settings);
void purges_configure(struct purges *purges, const struct purge_settings *settings);
/* Stops where it is, and frees itself from the loop. NULL is fine. */
void purges_free(struct purges *purges);

/* Begins one now. dry: only says what would go. over, from the loop, once: the report (borrowed), or NULL and
 * the failure. -1 and err (in-use): one is under way. */
int purges_run(struct purges *purges, bool dry,
               void (*over)(void *arg, const json_t *report, const struct err *failure), void *arg,
               struct err *err);
/* {limits: [{what, age_ms, bytes}], last: report or null, next: time}. New reference. */
json_t *purges_json(const struct purges *purges);

#endif
