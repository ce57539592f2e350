/* What the files of a run share: job_run.c (whose turn it is), job_prepare.c (its beginnings), job_save.c
 * (what is written down), job_host.c and job_undo.c (one host of it). For them only. */
#ifndef AMTD_JOBS_JOB_RUN_INTERNAL_H
#define AMTD_JOBS_JOB_RUN_INTERNAL_H

#include "amtd/fleet/host_op.h"
#include "amtd/fleet/rollout.h"
#include "amtd/jobs/cron.h"
#include "amtd/jobs/job_run.h"

/* One try of a task on a device, or a look at its power state. It stays until the store has done with it. */
struct attempt {
    struct host_op op; /* first */
    struct job_host *host;
    struct operation record;
    uint32_t task; /* as job_result's */
    uint32_t tries;
    const char *label, *kind; /* the job's */
    struct run_order *own;    /* of what takes something back; NULL: it is the job's */
    _Atomic bool started;     /* the device may have been changed; set on the store's thread */
    bool accepted;            /* it has said yes to a power request */
};

/* The message of a result that was begun, and to which the device said yes. */
#define JOB_ACCEPTED "accepted"

/* What a task of a host left going on. */
struct kept {
    void *work;
    void (*release)(void *work);
    size_t task; /* which one */
    const struct err *(*lost)(const void *work);
    struct kept *next;
};

/* The power state of a machine that may be on its way to another one. */
struct look {
    int64_t end_mono;   /* it is judged by what is known then; 0: not looked at yet */
    int64_t still_mono; /* until then it may move because of what it was asked */
    int64_t seen_mono;  /* when it was first seen in this state, and stayed there */
    char state[16];     /* "": not read yet */
    bool was_off;       /* at one of the looks */
};

struct job_host {
    struct job_run *run;
    struct host *host;
    struct operation *record;   /* from begin to end */
    struct job_result *results; /* one per task; NULL: not begun. label NULL: none yet */
    struct job_result *undone;  /* the same, of what was taken back */
    size_t at;                  /* task under way */
    uint32_t tries;             /* of it */
    int64_t began_ms;           /* wall clock: of its first try */
    int64_t began_mono;         /* the same; of this life */
    int64_t deadline_mono;      /* of the host; 0: none */
    struct attempt *attempt;    /* on the device */
    struct job_call call;       /* by amtd itself */
    void *work;                 /* NULL: none */
    struct kept *kept;          /* to the end of the host */
    struct finding *finding;    /* of its end; owned */
    struct err failure;         /* of its end, or that is being undone */
    struct err asked;           /* the store's answer */
    bool matches;               /* the same, to a condition */
    struct err doubt;           /* not knowing whether it was done: what is reported if it stays so */
    int64_t doubt_mono;         /* since when */
    bool in_doubt, taken_up;    /* the latter: since another life of amtd */
    bool accepted;              /* and in that, the device said yes */
    struct look look;           /* until it is known */
    bool undoing, parked, asking, over;
    bool barred;                  /* who began the run may not do it there any more */
    bool op_go;                   /* the operation has been reached */
    bool probing;                 /* it is one that only looks */
    size_t undo_at;               /* what is being taken back */
    uint32_t undo_tries;          /* of that */
    struct run_order *undo_order; /* how; NULL: not yet, or it is under way */
    char *known;                  /* by the store, for the task */
    struct own_passwords *former; /* that the host had before, of this run */
    size_t former_count;
    struct attempt *lost; /* it failed, and may be made once more; NULL: none */
    bool moved;           /* the host is elsewhere now */
    bool renewed;         /* it has another password, or certificate */
    int64_t turn_mono;    /* since when another operation of amtd is waited for; 0: it is not */
    char **addresses;     /* that the host had before, of this run */
    size_t address_count;
    uv_timer_t *timer;                /* made when first needed */
    void (*then)(struct job_host *h); /* what comes next, from the tick; NULL: something is waited for */
    struct job_host *prev, *next;     /* among those that have something to do */
    bool listed;
};

/* What is on its way into the store. */
struct saving {
    struct job_host *h;
    struct job_result *result; /* the host's; NULL: the host's end */
    struct attempt *attempt;   /* owned; NULL: none */
    struct finding *finding;   /* of what amtd did by itself; owned; NULL: none */
    struct saving *prev, *next;
};

struct job_viewer {
    struct job_run *run;
    struct job_watch watch;
    struct job_viewer *prev, *next;
};

enum job_run_phase { JOB_PREPARING, JOB_RUNNING, JOB_ENDED };

struct job_run {
    const struct job_parts *parts;
    struct job_order order;
    struct job *job; /* the order's */
    struct job_viewer *viewers;
    void (*over)(void *arg, struct job_run *run);
    void *over_arg;
    enum job_run_phase phase;
    bool resumed, dropped, ended_saved, paused, cancelled, told;
    struct cron *window; /* NULL: always */
    bool held;           /* it is not within */
    bool checking;       /* it waits to know what whoever began it may do now */
    int64_t held_since;  /* one of these; monotonic */
    bool was_held;       /* the same, once */
    size_t checked_stage;
    char *cancel_text;
    struct job_record record;
    struct hosts hosts;
    struct profiles profiles;
    struct operation *records;
    struct job_host *members; /* one per host */
    struct run_order *orders; /* one per task of the engine */
    struct run_order probe;   /* reads the power state */
    char **undo_labels;       /* of each task */
    struct query **queries;   /* of each task; NULL: always */
    struct op_owner owner;
    struct rollout *rollout;
    struct job_news *news;
    size_t news_count, news_cap;
    size_t pending;         /* works with the store */
    struct saving *unsaved; /* the store could not take them */
    int64_t save_at;
    int64_t due;
    bool kept_changed; /* a task with a keeping of its own was written down */
    struct job_host *ready;
    struct err refusal;
    struct job_result *past; /* what an earlier amtd wrote down */
    size_t past_count;
    uv_timer_t tick;
};

/* --- job_run.c --- */
/* Nothing begins now: it is paused, outside of its window, or it is looked up who may go on. */
bool job_run_is_held(const struct job_run *run);
/* Before anything begins: what the record and the window say. */
void job_run_hold_at_first(struct job_run *run, bool paused);
extern const struct rollout_owner job_run_turns; /* arg is to be set to the run */
void job_run_add_news(struct job_run *run, const struct job_host *h, uint32_t task);
/* It never began, or is given up: whoever watches hears it and is forgotten. */
void job_run_tell_refusal(struct job_run *run, const struct err *err);

/* --- job_prepare.c, for job_barred.c --- */
/* What the store knows of a run that is taken up; its hosts go on. */
void job_run_load(struct job_run *run);

/* --- job_barred.c --- */
/* Who began a run that is taken up, as he is today: job_run_load follows. */
void job_run_ask_rights(struct job_run *run);
/* The same of a run that goes on after a pause: then follows, once its hosts are barred, or not any more. */
void job_run_ask_rights_again(struct job_run *run, void (*then)(struct job_run *run));
/* On the store's thread, once there are members: those on which he lacks the role are barred. */
int tx_job_bar(struct tx *tx, struct job_run *run, struct err *err);
/* Why a host is barred. */
void job_host_say_barred(const struct job_host *h, struct err *err);
/* Writes down which hosts are left out: activity log and event. how: "taken up". */
void job_run_tell_barred(const struct job_run *run, const char *how);

/* --- job_save.c --- */
void job_run_save_again(struct job_run *run);
void job_run_saving_free(struct saving *s);
void job_run_end(struct job_run *run);
void job_run_wake(struct job_run *run);
/* h does `then` from the tick. */
void job_run_ready(struct job_host *h, void (*then)(struct job_host *h));
/* Writes a result down (task as of job_result) and tells; attempt is then freed, may be NULL. */
void job_run_save(struct job_host *h, uint32_t task, struct attempt *attempt);
/* The host ends; failure NULL: it went well. */
void job_host_end(struct job_host *h, const struct err *failure);
/* The host is over: written down, told, and its turn given back. */
void job_run_save_host(struct job_host *h);
/* Frees it when the store has done with it. */
void job_run_forget(struct attempt *attempt, struct job_run *run);
/* The same of a try that another one follows: what its task keeps of a host is as after any end. */
void job_run_settle(struct attempt *attempt, struct job_run *run);
/* Work of the store for a host that waits for it: done comes in any case, before the run is freed. */
void job_run_ask(struct job_run *run, store_work *work, store_done *done, void *data);

/* --- job_host.c, for job_run.c --- */
void job_host_go(struct job_host *h);
/* What an earlier amtd left of it: results (count) of this host. True: it had begun. */
bool job_host_restore(struct job_host *h, struct job_result *results, size_t count);
/* The run's pause is over, or it was cancelled. */
void job_host_wake(struct job_host *h);
void job_host_release(struct job_host *h); /* what was kept; job_kept.c */
/* The same of one task; false: there was nothing. */
bool job_host_release_task(struct job_host *h, size_t task);
void job_host_drop(struct job_host *h); /* leaves everything as it is */
void job_host_clear(struct job_host *h);
/* Callbacks of operations. */
void job_host_reached(void *arg, struct host_op *op);
void job_host_yields(void *arg, struct host_op *op);
void job_host_over(void *arg, struct host_op *op);
void job_host_accepted(void *arg, struct host_op *op, bool by_os);
int job_host_note_start(struct tx *tx, const struct host_op *op, int64_t at_ms, struct err *err);

#endif
