/* One operation under way: a task on one host, from reaching the host to what was found. Its owner, a run of
 * one task or of a job, gives it its turn. */
#ifndef AMTD_FLEET_HOST_OP_H
#define AMTD_FLEET_HOST_OP_H

#include "amtd/fleet/login.h"
#include "amtd/fleet/proof.h"
#include "amtd/fleet/run.h"
#include "amtd/fleet/walk.h"
#include "wsman/provisioning.h"
#include "wsman/runner.h"

/* waiting -> dialing -> reached -> working -> (pausing -> dialing, with the next login) -> saving -> over
 */
enum host_op_phase {
    OP_WAITING, /* nothing done yet */
    OP_DIALING, /* opening the connection; no place taken */
    OP_REACHED, /* connected (or warm): wants a place among those worked on */
    OP_WORKING, /* has a place */
    OP_PAUSING, /* lets time pass between two passwords; no place taken */
    OP_SAVING,  /* ended, being written down */
    OP_OVER,
};

struct host_op;

/* What the operations of a run share, and who hears of them. Borrowed, outlives them. */
struct op_owner {
    void *arg;
    const struct run_parts *parts;
    const struct profiles *profiles;
    void (*reached)(void *arg, struct host_op *op); /* wants a place: host_op_go follows when there is one */
    void (*yields)(void *arg, struct host_op *op);  /* gives its place back and is reached anew */
    /* phase is OP_SAVING, the record complete, its place given back */
    void (*over)(void *arg, struct host_op *op);
    /* On the store's thread: from now on the device may be changed. A failure ends the operation. */
    int (*note_start)(struct tx *tx, const struct host_op *op, int64_t at_ms, struct err *err);
    /* The device has accepted a power request; by_os: to ask the operating system. NULL: of no interest. */
    void (*accepted)(void *arg, struct host_op *op, bool by_os);
    bool patient; /* notes wait for others to share a transaction with */
};

struct host_op {
    const struct op_owner *owner;
    const struct run_order *order;
    const struct host *host;
    struct operation *record; /* the owner's */
    struct login login;       /* the one being tried */
    enum host_op_phase phase;
    bool urgent;         /* known to be dead: is dialed before the others */
    size_t trial;        /* logins tried so far */
    bool own_settled;    /* it is written down whether the device has the password that was unproven */
    struct proof *proof; /* of a password that was changed, while it is looked for */
    int64_t began_mono;  /* 0: not begun */
    int64_t reached_mono;
    int64_t deadline_mono; /* 0: its turn has not come yet */
    struct walk *walk;     /* of a task that walks, until it has arrived */
    json_t *walked;        /* what it found */
    struct dial *dial;
    int fd; /* connected, not yet given away; -1 none */
    struct link *link;
    enum interface interface; /* the device has answered over it */
    struct runner *runner;
    void *work;
    bool setting_aside;                   /* amtd's console of this host is being closed for it */
    bool was_aside;                       /* it was; to be opened again */
    bool is_taken;                        /* it failed: another operation of amtd talks to the host */
    struct err *refusal;                  /* the task's, before anything began; NULL: none */
    char *known;                          /* what the store knows of the host, for the task */
    char *kept;                           /* what the task wants to be kept with the end */
    struct provisioning_seq provisioning; /* asked when the task was denied access */
    struct identity_seq *which;           /* the machine is asked which one it is; NULL: it is not */
    bool asked;                           /* it was, and may be the host */
    uv_timer_t *timer;                    /* made when first needed */
    json_t *steps;                        /* of tasks that change something */
    struct err *denied;                   /* what provisioning is asked for; NULL: nothing was denied */
    struct err *failure;                  /* the most telling one of the logins tried before; NULL: none */
    struct pairs facts;                   /* learned, to be stored with the end */
    struct host_op *prev, *next;          /* in a list of its owner's */
};

/* record is zeroed, borrowed and filled as the operation goes on; the others outlive it, too. */
void host_op_init(struct host_op *op, const struct op_owner *owner, const struct run_order *order,
                  const struct host *host, struct operation *record);
void host_op_dial(struct host_op *op);
void host_op_go(struct host_op *op);
/* Ends one that has sent nothing. */
void host_op_spare(struct host_op *op, enum cause cause, const char *text);
/* Ends it now, whatever it is doing: amtd ends. */
void host_op_interrupt(struct host_op *op);
/* The same for another reason. */
void host_op_abort(struct host_op *op, const struct err *why);
/* True when it was let in with an account of which a password was unproven: *has_new says which one. */
bool host_op_settles(const struct host_op *op, bool *has_new);
/* On the store's thread, in the transaction that writes the end of the operation down: what is remembered of
 * it besides. It may be called again when the store failed. */
int tx_host_op_end(struct tx *tx, const struct host_op *op, const struct run *run, struct err *err);
/* Frees what it holds; its timer's memory is freed from the loop. */
void host_op_clear(struct host_op *op);

#endif
