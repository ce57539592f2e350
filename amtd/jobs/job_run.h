/* Runs of jobs: each host of a target goes through the tasks by itself, in their order.
 *
 * Who begins when is a rollout's business (fleet/rollout.h), and what is done to a device that of operations
 * (fleet/host_op.h), as for runs of one task. What a run was made from is in the store, and so is the result
 * of every task on every host, written before the next one changes anything: when amtd dies, the next one
 * takes the run up where each host was. Loop's thread only. */
#ifndef AMTD_JOBS_JOB_RUN_H
#define AMTD_JOBS_JOB_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "amtd/console/settings.h"
#include "amtd/fleet/run.h"
#include "amtd/jobs/job.h"
#include "amtd/store/jobs.h"

struct events;
struct discovery;
struct hub;
struct redirect;
struct console_settings;

struct job_deed {
    const char *who;
    const char *by;   /* "schedule nightly" */
    const char *what; /* the call that it stands for, and the job */
    const char *target;
    const struct hosts *hosts; /* NULL: none */
    int64_t run;               /* 0: none */
    const char *detail;        /* or NULL */
    const struct err *err;     /* why it was not begun, or NULL */
    const char *result;        /* without err: what came of it; NULL: it has begun */
};

/* What runs of jobs work with; borrowed, outlives them. */
struct job_parts {
    const struct run_parts *run;
    struct engine *engine;
    struct events *events;
    struct hub *hub; /* NULL: there are no consoles */
    struct redirect *redirect;
    const char *image_dir; /* images for drives */
    struct discovery *discovery;
    /* What somebody with that role there may do at a console. */
    enum console_right (*console_right)(const char *who, enum api_role role,
                                        const struct console_settings *settings);
    void *arg; /* of those below */
    /* Somebody who began something once, as he is now: known is called from the loop, maybe from inside. user
     * (borrowed) is NULL when nobody knows him any more. */
    void (*look_up)(void *arg, int64_t uid, const char *who,
                    void (*known)(void *known_arg, const struct user *user), void *known_arg);
    /* For the activity log: what was begun, or denied, by itself. */
    void (*note)(void *arg, const struct job_deed *deed);
};

/* What was ordered; all of it is owned. */
struct job_order {
    struct job *job;
    char *text; /* that it was read from */
    json_t *files;
    char *target;
    char *who;
    int64_t uid;                /* his account; -1: none */
    struct user *user;          /* whose rights on the target count; NULL: it is amtd's own */
    bool as_amtd;               /* of one that is taken up: it is amtd's own */
    enum api_role everywhere;   /* his role on every host, once the target is known */
    char *profile;              /* use this one alone, or NULL */
    struct job_rollout rollout; /* what is -1 here is as the job says */
    char *schedule;             /* that began it, or NULL */
    char *reaction;             /* the same */
    char *window, *zone;        /* hosts begin tasks only within (cron.h); window NULL: always */
    json_t *event;              /* on which the reaction began it (docs/jobs.md), or NULL */
    int64_t retry_of;           /* 0: none */
    bool dry_run, confirmed;
};
void job_order_clear(struct job_order *order);

struct job_run;

/* As run_watch. */
struct job_watch {
    void *arg;
    void (*ready)(void *arg, struct job_run *run);
    void (*refused)(void *arg, const struct err *err);
    void (*news)(void *arg, struct job_run *run);
};

/* Both take over what they get. over(over_arg) is called when all is written down (or, after job_run_drop,
 * when nothing is waited for any more); the run frees itself after. */
struct job_run *job_run_begin(const struct job_parts *parts, struct job_order *order,
                              void (*over)(void *arg, struct job_run *run), void *over_arg);
/* Takes up one that an earlier amtd began. */
struct job_run *job_run_resume(const struct job_parts *parts, struct job_record *record,
                               void (*over)(void *arg, struct job_run *run), void *over_arg);
/* From now on it is told: of one that is not ready yet, ready or refused first. */
struct job_viewer;
struct job_viewer *job_run_watch(struct job_run *run, const struct job_watch *watch);
void job_run_unwatch(struct job_viewer *viewer);

/* Nothing begins, and hosts under way stay before their next task; as they do by themselves outside of the
 * order's window, which goes on when both allow it. */
void job_run_pause(struct job_run *run, bool on);
/* Nothing begins any more, hosts under way end before their next task. how many had not begun. */
size_t job_run_cancel(struct job_run *run, const char *why);
/* The daemon ends: everything is left as it is, for the next one. */
void job_run_drop(struct job_run *run);

/* --- looking; after ready --- */
bool job_run_is_ready(const struct job_run *run);
bool job_run_is_over(const struct job_run *run);
const struct job_record *job_run_record(const struct job_run *run);
const struct job *job_run_job(const struct job_run *run);
const struct job_order *job_run_order(const struct job_run *run);
const struct hosts *job_run_hosts(const struct job_run *run);
void job_run_stage(const struct job_run *run, size_t *stage, size_t *stages, int64_t *wait_ms);

/* What happened, in the order in which it did: the end of a task on a host, or of the host. */
struct job_news {
    uint32_t host; /* of job_run_hosts */
    uint32_t task; /* as job_result's; JOB_HOST_ENDED: all of them */
};
#define JOB_HOST_ENDED UINT32_MAX
size_t job_run_news(const struct job_run *run);
struct job_news job_run_news_at(const struct job_run *run, size_t i);
/* Borrowed; NULL: it has none. detail is not kept. */
const struct job_result *job_run_result(const struct job_run *run, size_t host, uint32_t task);
/* The host from begin to end. */
const struct operation *job_run_host(const struct job_run *run, size_t host);

#endif
