/* Tasks: what can be done to a host, one row of a table each.
 *
 * A task is an operation template. Its row says how to read its arguments, how to run it on one host and what
 * it found. Most tasks are one sequence of calls (wsman/seq.h) on one session; the engine does the rest:
 * reaching the host, profiles, limits, deadlines, writing down. */
#ifndef AMTD_FLEET_TASK_H
#define AMTD_FLEET_TASK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "amtd/fleet/login.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "wsman/quirks.h"
#include "wsman/seq.h"

/* What a task found on a host. */
struct finding {
    const char *from; /* power states by name (static), or NULL */
    const char *to;
    const char *remark; /* static or kept by the work; NULL none */
    uint32_t tries;
    struct pairs facts; /* to be remembered; owned */
    json_t *detail;     /* owned; NULL none */
    char *kept;         /* for task_keeping.settle; owned, NULL none */
};
void finding_clear(struct finding *finding);

struct dialer;
struct http;
struct http_session;
struct store;

/* The way to the host, as seen from this end; for tasks that want to know. Borrowed for the time of the call.
 */
struct task_way {
    const char *here;  /* this server's address on it, numeric; "" not known */
    const char *there; /* the host's */
    const char
        *management; /* where hosts reach this server, as configured: addresses parted by blanks; or NULL */
};

/* What a task may use while its sequence holds on (seq_hold). */
struct task_pause {
    uv_loop_t *loop;
    struct dialer *dialer;
    struct http *http;
    struct store *store;
    struct http_session *session; /* that of the sequence */
    const struct host *host;
    const struct login *login;
    const struct operation *operation; /* as far as it came: its numbers */
    void (*go_on)(void *arg);          /* once, also from inside */
    void *arg;
};

struct tx;

/* For tasks that keep something of their own about each host. What gets a tx runs on the store's thread, in
 * the transaction that notes the run, the start or the end of an operation; the rest on the loop's. Texts are
 * owned by whoever gets them. Any may be NULL. */
struct task_keeping {
    /* The run as a whole: -1 with err refuses it. */
    int (*admit_run)(struct tx *tx, const void *args, const struct hosts *hosts, struct err *err);
    /* One host of it, the run having its number: -1 with err ends the host's operation with it before
     * anything is sent. *known: what the store knows, for `know`. */
    int (*admit)(struct tx *tx, const void *args, const struct run *run, const struct host *host,
                 char **known, struct err *err);
    void (*know)(void *work, const char *known);
    /* Before the first change: what is needed to finish or undo it. A failure of note ends the operation. */
    void *(*journal)(const void *work);
    int (*note)(struct tx *tx, const struct operation *operation, const void *journal, struct err *err);
    void (*forget)(void *journal); /* frees it; NULL is fine */
    /* The end; kept is the finding's, NULL when the work did not begin. May be called again when the store
     * failed. */
    int (*settle)(struct tx *tx, const void *args, const struct run *run, const struct operation *operation,
                  const char *kept, struct err *err);
};

/* What is so at a host at the moment. */
enum host_condition {
    HOST_CONSOLE_OPEN = 1 << 0, /* amtd has a Serial-over-LAN session with it */
};

struct task {
    const char *name;
    size_t args_size;   /* of the task's own argument struct */
    size_t work_size;   /* of the state on one host, which begins with struct seq */
    const char *secret; /* the argument that is written down nowhere; NULL: none */
    /* Reads args (zeroed before) from JSON; every mistake in one message. Names are checked, unknown ones
     * refused. */
    int (*parse)(void *args, const json_t *json, struct err *err);
    /* It changes the device with these arguments: needs the operator's role, is asked for confirmation and
     * written down before it is sent. */
    bool (*changes)(const void *args);
    /* It may cut hosts off: many are done in stages unless the order says otherwise (stages.h). NULL: no. */
    bool (*careful)(const void *args);
    /* Time for one host when the order does not say, milliseconds. */
    int64_t (*budget_ms)(const void *args);
    /* Readies work (zeroed before). host and quirks are borrowed and outlive it. */
    void (*init)(void *work, const void *args, const struct host *host, const struct quirks *quirks);
    /* Called before the sequence starts, with the login that it starts with; again when that one did not work
     * and another is tried. -1 with err: not with this one. NULL: it does not matter. */
    int (*login)(void *work, const struct login *login, struct err *err);
    /* Called after init when conditions (enum host_condition, bits) hold; NULL: they do not matter. A task
     * that has it is tried once more when a console of amtd was in its way. */
    void (*adapt)(void *work, const void *args, unsigned conditions);
    /* With adapt: what is done, for those who watch the machine, appended: "power cycle". */
    void (*announce)(const void *args, struct buf *out);
    /* Called after init; NULL: the way does not matter. */
    void (*way)(void *work, const struct task_way *way);
    /* The sequence holds on: does what it waits for, then go_on; drop ends it. NULL: it never does. */
    void (*pause)(void *work, const struct task_pause *pause);
    /* Looks at what the sequence found; called when it is done and when it failed (failure then set). */
    void (*find)(const void *work, const struct err *failure, struct finding *finding);
    /* Frees what init and the sequence allocated within work; NULL: nothing. */
    void (*drop)(void *work);
    /* One sentence for --dry-run, appended: "would cycle the power (now on)". */
    void (*would)(const void *args, const struct host *host, struct buf *out);
    /* The way to the device is examined first (walk.h), and what was found put in front of detail.checks. */
    bool walks;
    bool quarantines; /* what it changes needs the role for that */
    bool administers; /* ... the administrator's */
    /* Frees what parse allocated within args; NULL: nothing. */
    void (*forget)(void *args);
    /* The arguments as JSON for the record of the run, without what is large or secret; NULL: as they were
     * given. */
    char *(*describe)(const void *args);
    const struct task_keeping *keeping; /* or NULL */
    /* Of a task that changes the password it logs in with: the new one (borrowed from work), NULL while
     * nothing was sent. *likely: the device probably took it. Before the operation ends, the device is logged
     * in to anew, and `proved` told which password it has. NULL: no such task. */
    const struct secret *(*new_password)(const void *work, bool *likely);
    void (*proved)(void *work, bool has_new);
    json_t *(*unbegun)(void); /* the detail of a host whose work did not begin; NULL: none. Caller's */
};

/* NULL when there is none of that name. */
const struct task *task_by_name(const char *name);
/* Arguments as they are written down and shown, as JSON: without what is secret, and without what belongs to
 * no task (NULL). args may be NULL. Owned by the caller. */
char *task_args_text(const struct task *task, const json_t *args);
/* The i-th task, NULL behind the last. */
const struct task *task_at(size_t i);

#endif
