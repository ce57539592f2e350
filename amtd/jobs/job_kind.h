/* Kinds of tasks of a job, one row of a table each: how such a task is written in a job file, what it does to
 * a host, and what must be known of it when amtd dies in the middle.
 *
 * Most kinds are a task of the engine (fleet/task.h) with arguments out of the file: `task` names it, and
 * reaching the host, logging in, writing down and cancelling are the engine's. The others (waiting, a command
 * of this machine, a console) are carried out by amtd itself: `action`. A few do both, by their arguments.
 *
 * A new kind: one file kind_NAME.c with a const struct job_kind, its row in kinds.h and job_kind.c. */
#ifndef AMTD_JOBS_JOB_KIND_H
#define AMTD_JOBS_JOB_KIND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/fleet/task.h"
#include "amtd/store/rights.h"
#include "base/err.h"

enum job_param_type {
    JOB_PARAM_TEXT,     /* JSON: text; max: bytes */
    JOB_PARAM_CHOICE,   /* text, one of choices */
    JOB_PARAM_NUMBER,   /* integer, from min to max */
    JOB_PARAM_DURATION, /* "90s": integer, milliseconds from min to max */
    JOB_PARAM_BOOL,     /* true or false */
    JOB_PARAM_WORDS,    /* array of texts, at least one, at most max; a single text is one */
    JOB_PARAM_PAIRS,    /* object of texts, at most max */
    JOB_PARAM_STEPS,    /* array of objects, at most max, each with the parameters `steps` */
    JOB_PARAM_FILE,     /* the name of a file that is sent along with the job: {"name", "text"} */
};

struct job_param {
    const char *name; /* in the file; NULL ends the table */
    enum job_param_type type;
    const char *field; /* in the arguments; NULL: the same */
    bool required;
    bool main; /* `power: on` is short for `power: {action: on}` */
    int64_t min, max;
    const char *const *choices; /* ended by NULL */
    const char *standard;       /* what holds without it, for people; NULL: nothing */
    const struct job_param *steps;
    const char *text; /* one line for people */
};

/* What is to be done with a task that amtd had begun on a host when it died, as nobody knows whether it was
 * done. */
enum job_again {
    JOB_AGAIN_SAFE,  /* done anew: twice is as good as once */
    JOB_AGAIN_ASK,   /* the power state is read; of a machine that is off `finish` does what is left, else it
                        ends as interrupted */
    JOB_AGAIN_NEVER, /* it ends as interrupted */
};

#define JOB_MOVES_MS 10000 /* so long firmware shows the state before (reference wsman.md, section 3.2) */

/* A way through the network that the machine's own system needs for this task to come to a good end. AMT's
 * own ways (ports 16992 to 16995, 623, 664) are exempt from filters and not named. */
struct job_need {
    const char *name;     /* "dhcp" */
    const char *protocol; /* "udp", "tcp" */
    const char *remote;   /* a name of a filter file ("@dns"), an address, or NULL: any */
    uint16_t port;        /* the remote one */
    uint16_t local;       /* the machine's own; 0: any */
    uint8_t ip;           /* 4 or 6; 0: both */
};
#define JOB_NEEDS_MAX 8

enum job_role { JOB_OPERATES, JOB_READS, JOB_QUARANTINES, JOB_ADMINISTERS };

/* One task on one host that amtd carries out by itself. Loop's thread only. */
struct job_parts;
struct job_call {
    const struct job_parts *parts;
    const struct host *host; /* with what is known of it now */
    const json_t *args;
    const char *who;          /* began the run */
    int64_t uid;              /* his account on this machine; -1: none */
    enum api_role everywhere; /* his role on every host */
    int64_t run;              /* its number */
    const json_t *event;      /* that began it, or NULL */
    const char *job;          /* its name */
    const char *task;         /* the task's name */
    int64_t timeout_ms;       /* for this try */
    /* Ends it, never from inside start; finding (taken over, cleared) may be NULL; failure NULL: it went
     * well. */
    void (*done)(struct job_call *call, struct finding *finding, const struct err *failure);
    /* Before done: what goes on after it. release(work) is called when the host's job is over, or the task is
     * taken back; until then lost(work) says why it does not go on any more, NULL: it does. */
    void (*keep)(struct job_call *call, void *work, void (*release)(void *work),
                 const struct err *(*lost)(const void *work));
    /* Of a failure, before done: */
    bool in_doubt; /* it may have been done all the same */
    bool is_taken; /* nothing was done: another operation of amtd talks to the host */
    void *owner;   /* the caller's own */
};

struct job_action {
    /* Begins; the work is given back to cancel. call is the caller's, and there until done or cancel. Ends by
     * itself with cause timeout after call->timeout_ms. */
    void *(*start)(struct job_call *call);
    /* Ends it now; done is not called any more. */
    void (*cancel)(void *work);
};

struct job_kind {
    const char *name;               /* "power" */
    const char *text;               /* one line for people */
    const struct job_param *params; /* ended by name NULL */
    const char *task;               /* of the engine; NULL: by action */
    const struct job_action *action;
    enum job_role role; /* what whoever starts such a job needs; of tasks only when they change something */
    int64_t timeout_ms; /* for one try, when the file does not say; 0: the task's own */
    /* Turns what the file says into the arguments of task or action, in place: *args is owned. NULL: as they
     * are. -1 with err: what no parameter can tell alone. */
    int (*shape)(json_t **args, struct err *err);
    /* With both task and action: by action with these arguments. NULL: there is only one of them. */
    bool (*acts)(const json_t *args);
    /* The task's arguments, a new reference. NULL: what the file says, in the shape that it was given. */
    json_t *(*task_args)(const json_t *args);
    /* The task is done again and again until this holds of its end, within timeout_ms; else missing
     * (appended) says what does not. NULL: once is enough. */
    bool (*met)(const json_t *args, const struct operation *op, struct buf *missing);
    /* NULL: JOB_AGAIN_SAFE. */
    enum job_again (*again)(const json_t *args);
    /* With JOB_AGAIN_ASK: the arguments of the task of the same kind that does what is left, of a machine
     * that is off, and never what may have been done. NULL: it ends as interrupted. */
    json_t *(*finish)(const json_t *args);
    /* With JOB_AGAIN_ASK: how long after its request the machine may still move because of it, milliseconds.
     * NULL: JOB_MOVES_MS. */
    int64_t (*moves_ms)(const json_t *args);
    /* With JOB_AGAIN_ASK: that the operating system was asked, and a machine that is on after, are no proof.
     * NULL: they are. */
    bool (*wants_proof)(const json_t *args);
    /* The arguments of the task that takes back what this one did; was: its end. *task is the kind's own, and
     * may be made another one of the engine. NULL, or returns NULL: there is nothing to take back. What goes
     * on after a task (job_call.keep) ends before. */
    json_t *(*undo)(const json_t *args, const struct operation *was, const char **task);
    bool recalls; /* undo looks at the detail of that end, which is kept for it */
    /* Fills at most JOB_NEEDS_MAX; how many. NULL: none. */
    size_t (*needs)(const json_t *args, struct job_need *needs);
};

/* NULL: there is none of that name. */
const struct job_kind *job_kind_by_name(const char *name);
const struct job_kind *job_kind_at(size_t i); /* NULL behind the last */
/* The parameter of that name, or (name NULL) the main one. NULL: none. */
const struct job_param *job_param_find(const struct job_param *params, const char *name);
enum job_again job_kind_again(const struct job_kind *kind, const json_t *args);

#endif
