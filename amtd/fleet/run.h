/* Runs: one task on many hosts, with limits and stages, results in the order in which they came.
 *
 * The results of a run are a log: whoever watches it reads from a cursor of its own, as fast as it likes. A
 * run goes on when its watchers go away. Loop's thread only. */
#ifndef AMTD_FLEET_RUN_H
#define AMTD_FLEET_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/fleet/link.h"
#include "amtd/fleet/stages.h"
#include "amtd/fleet/task.h"
#include "amtd/net/dial.h"
#include "amtd/store/model.h"
#include "amtd/store/rights.h"
#include "amtd/store/store.h"
#include "wsman/runner.h"

#define RUN_PARALLEL_DEFAULT 256
#define RUN_PARALLEL_MAX     4096
#define RUN_ASK_ABOVE        10 /* hosts: a task that changes more of them wants confirmation */

/* What was ordered. Strings and args are owned. */
struct run_order {
    const struct task *task;
    void *args;      /* parsed, task->args_size bytes */
    char *args_text; /* as JSON, for the record */
    char *target;
    char *who;
    char *by; /* what began it by itself: "reaction again"; NULL: whoever ordered it writes it down */
    struct user *user;    /* whose rights on the target count; NULL: it is amtd's own. Owned */
    enum api_role need;   /* that user's role on each host */
    char *profile;        /* use this one alone, or NULL */
    uint32_t parallel;    /* hosts worked on at a time */
    uint32_t per_subnet;  /* of these, in one subnet; 0: no limit */
    struct stages stages; /* settled when the target is known */
    int64_t pause_ms;     /* between stages */
    int64_t timeout_ms;   /* per host; 0: the task's */
    bool dry_run;
    bool confirmed;
};
void run_order_clear(struct run_order *order);

/* Redirection sessions of this amtd, as far as those must know of them who do something to a host. */
struct session_guard {
    void *arg;
    bool (*console_is_open)(void *arg, int64_t host_id);
    /* Firmware may refuse power actions while a console is open. Closes that of amtd for a while and calls
     * done, maybe from inside. False: amtd has none, and done is not called. */
    bool (*set_aside)(void *arg, int64_t host_id, void (*done)(void *done_arg), void *done_arg);
    /* Nobody waits for that done any more. */
    void (*forget)(void *arg, void *done_arg);
    /* Opens it again. */
    void (*bring_back)(void *arg, int64_t host_id);
};

/* Hears of power actions just before they are sent: on which host, by whom, which ("power cycle"). */
struct power_watch {
    void *arg;
    void (*begins)(void *arg, const char *host, const char *who, const char *text);
};

/* Hears of runs that began by themselves (order.by) and changed something, when they have ended: for the
 * activity log. */
struct run_log {
    void *arg;
    void (*over)(void *arg, const struct run_order *order, const struct hosts *hosts,
                 const struct run *record);
};

/* What a run works with; borrowed, outlives all runs. */
struct run_parts {
    uv_loop_t *loop;
    struct store *store;
    struct dialer *dialer;
    struct links *links;
    struct http *http;
    const struct runner_reader *reader; /* of devices' answers */
    const struct clock *clock;
    const struct session_guard *guard; /* NULL: there are no sessions */
    struct power_watch power_watch;    /* begins NULL: nobody wants to know */
    const char *management; /* where hosts reach this server, blank-separated; NULL: as it reaches them */
};

struct active_run;

/* What the creator of a run hears. Either may be called several times for one thing. */
struct run_watch {
    void *arg;
    void (*ready)(void *arg, struct active_run *run);  /* the target is known and the run begins */
    void (*refused)(void *arg, const struct err *err); /* it never began; nothing more is called */
    void (*news)(void *arg, struct active_run *run);   /* results, a stage, or the end */
};

/* Takes the order over. The watch is told from the loop, never from inside this call. over(over_arg) is
 * called when the run has ended and everything is written down; the run is then freed when unwatched. */
struct active_run *run_begin(const struct run_parts *parts, struct run_order *order,
                             const struct run_watch *watch, void (*over)(void *arg, struct active_run *run),
                             void *over_arg);
void run_unwatch(struct active_run *run);

/* Begins nothing more; what has begun goes on. Returns how many hosts that spares. why: "by uid 0 (root)". */
size_t run_cancel(struct active_run *run, const char *why);
/* The daemon ends: what has begun is written down as interrupted, the rest as not started. */
void run_interrupt(struct active_run *run);

/* --- looking; after ready --- */
const struct run *run_record(const struct active_run *run);
const struct run_order *run_order(const struct active_run *run);
size_t run_results(const struct active_run *run); /* so far */
/* The i-th result in order of its end; borrowed. Its operation, the remark and detail are complete. */
const struct operation *run_result(const struct active_run *run, size_t i);
bool run_is_ready(const struct active_run *run); /* the target is known: the rest may be looked at */
bool run_is_over(const struct active_run *run);
/* Which stage is under way (from 1), of how many; how long until the next one begins (0: it has begun). */
void run_stage(const struct active_run *run, size_t *stage, size_t *stages, int64_t *wait_ms);
/* For dry runs: the hosts and what would be done. The order in which they begin is that of their places; the
 * i-th host's is run_place(run, i), from 0. */
const struct hosts *run_hosts(const struct active_run *run);
size_t run_place(const struct active_run *run, size_t i);

#endif
