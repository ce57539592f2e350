/* What an operation does on the device once its turn has come: the task's sequence, and what has to be asked
 * around it. */
#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/host_op_internal.h"
#include "base/xalloc.h"
#include "wsman/power.h"

#define EXPLAIN_MS 5000  /* for asking why access was denied */
#define PROOF_MS   30000 /* for finding out which password a device has */

/* --- for the runner --- */

static void runner_timer_fired(uv_timer_t *timer)
{
    struct host_op *op = timer->data;

    runner_timer(op->runner);
}

static void want_timer(void *arg, struct runner *runner, int64_t ms)
{
    struct host_op *op = arg;

    (void)runner;
    if (ms >= 0)
        uv_timer_start(host_op_timer(op), runner_timer_fired, (uint64_t)ms, 0);
    else if (op->timer)
        uv_timer_stop(op->timer);
}

/* For jitter and message numbers, which need no secrecy: one seed, then SplitMix64. */
static uint32_t want_random(void *arg)
{
    static uint64_t state;
    uint64_t z;

    (void)arg;
    if (state == 0)
        uv_random(NULL, NULL, &state, sizeof(state), 0, NULL);
    state += 0x9e3779b97f4a7c15;
    z = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return (uint32_t)(z >> 32);
}
static void step(void *arg, const char *name, uint32_t repeat, const char *note, const struct err *failure)
{
    struct host_op *op = arg;
    json_t *line;

    if (op->was_aside && !failure && strcmp(name, POWER_REQUEST_STEP) == 0)
        host_op_bring_back(op); /* so that the boot is seen */
    if (op->owner->accepted && !failure && strcmp(name, POWER_REQUEST_STEP) == 0)
        op->owner->accepted(op->owner->arg, op, note && strcmp(note, POWER_ASKED_OS) == 0);
    if (!op->steps)
        return;
    line = json_pack("{s:s, s:I}", "step", name, "at_ms", (json_int_t)(host_op_mono(op) - op->began_mono));
    if (repeat > 0)
        json_object_set_new(line, "repeat", json_integer(repeat));
    if (note)
        json_object_set_new(line, "note", json_string(note));
    if (failure && failure->cause != CAUSE_NONE)
        json_object_set_new(line, "failure", json_string(cause_name(failure->cause)));
    json_array_append_new(op->steps, line);
}

/* What it answered over now, or last, or what its version is sure to speak. */
static enum interface known_interface(const struct host_op *op)
{
    const struct pairs *facts = &op->host->facts;
    enum interface known =
        op->interface != INTERFACE_UNKNOWN ? op->interface : interface_by_name(pairs_get(facts, "interface"));

    return known != INTERFACE_UNKNOWN ? known : interface_of_version(pairs_get(facts, "amt.version"));
}

static struct runner_owner owner_of(struct host_op *op,
                                    void (*done)(void *arg, struct runner *runner, const struct err *failure))
{
    return (struct runner_owner){
        .arg = op,
        .interface = known_interface(op),
        .clock = op->owner->parts->clock,
        .timer = want_timer,
        .reader = op->owner->parts->reader,
        .random = want_random,
        .step = step,
        .done = done,
    };
}

/* --- what stands in the way --- */

/* The device's word on its provisioning, after it denied access; where it has none, the denial stands. */
static void denial_explained(void *arg, struct runner *runner, const struct err *failure)
{
    struct host_op *op = arg;
    struct err denied = *op->denied;

    (void)runner;
    host_op_next_login(op, failure && failure->cause == CAUSE_NOT_PROVISIONED ? failure : &denied);
}

/* A device that is not provisioned denies what it does not say otherwise: it is asked before that is
 * reported. */
static void explain_denial(struct host_op *op, const struct err *denied)
{
    struct runner_owner owner = owner_of(op, denial_explained);

    host_op_keep_failure(&op->denied, denied);
    runner_free(op->runner);
    provisioning_seq_init(&op->provisioning);
    op->runner = runner_start(link_session(op->link), &op->provisioning.seq, EXPLAIN_MS, &owner);
}

static void console_is_aside(void *arg)
{
    struct host_op *op = arg;

    op->setting_aside = false;
    op->was_aside = true;
    op->reached_mono = host_op_mono(op);
    host_op_go(op);
}

/* Some firmware refuses power actions while a console is open (reference redirection.md, section 7.2). Ours
 * steps aside, and the task is tried once more; one of somebody else is the cause. True: it goes on. */
static bool console_steps_aside(struct host_op *op)
{
    const struct session_guard *guard = host_op_guard(op);

    if (!op->order->task->adapt || !guard || op->was_aside ||
        !guard->console_is_open(guard->arg, op->host->id))
        return false;
    runner_free(op->runner);
    op->runner = NULL;
    host_op_drop_work(op);
    op->setting_aside = true;
    if (guard->set_aside(guard->arg, op->host->id, console_is_aside, op))
        return true;
    op->setting_aside = false;
    return false;
}

static void fail_in_use(struct host_op *op, const struct err *failure)
{
    struct err err = *failure;

    if (console_steps_aside(op))
        return;
    if (op->order->task->adapt)
        err_set(&err, CAUSE_IN_USE,
                "the device refuses while a redirection session is open, and that is none of amtd's");
    host_op_next_login(op, &err);
}

/* --- a new password --- */

/* The password that the work logged in with may be another one now: which, a new login shows. */
static bool begin_proof(struct host_op *op, const struct err *failure)
{
    const struct task *task = op->order->task;
    bool likely = false;
    const struct secret *fresh = task->new_password ? task->new_password(op->work, &likely) : NULL;

    if (!fresh || op->proof)
        return false;
    op->proof = proof_new(&op->login, fresh, likely, failure);
    op->trial = 0;
    free(op->failure);
    op->failure = NULL;
    host_op_leave(op, false);
    op->owner->yields(op->owner->arg, op);
    op->deadline_mono += PROOF_MS;
    host_op_dial(op);
    return true;
}

static void proof_over(void *arg, struct runner *runner, const struct err *failure)
{
    struct host_op *op = arg;
    struct err kept = ERR_INIT;

    (void)runner;
    if (failure && failure->cause != CAUSE_ACCESS_DENIED) { /* an account may log in and see little */
        host_op_next_login(op, failure);
        return;
    }
    op->order->task->proved(op->work, op->login.unproven);
    if (op->login.unproven) {
        host_op_end(op, NULL);
    } else {
        err_set(&kept, CAUSE_FAULT, "the device kept its old password");
        host_op_end(op, op->proof->failed ? &op->proof->failure : &kept);
    }
}

static void worked(void *arg, struct runner *runner, const struct err *failure)
{
    struct host_op *op = arg;

    struct err err = ERR_INIT;

    op->interface = runner_interface(runner);
    if (begin_proof(op, failure))
        return;
    if (!failure)
        host_op_end(op, host_op_found_machine(op, &err) == 0 ? NULL : &err);
    else if (failure->cause == CAUSE_SEAL_BROKEN) /* of what the task needs; the login was good */
        host_op_end(op, failure);
    else if (failure->cause == CAUSE_IN_USE)
        fail_in_use(op, failure);
    else if (failure->cause == CAUSE_ACCESS_DENIED)
        explain_denial(op, failure);
    else
        host_op_next_login(op, failure);
}

/* --- the work --- */

/* The time a host has counts from its turn; waiting for the turn is not its fault. */
static int64_t time_left(struct host_op *op)
{
    const struct run_order *order = op->order;
    int64_t now = host_op_mono(op);
    int64_t waited = now - op->reached_mono;

    op->began_mono += waited;
    op->record->began_ms += waited;
    if (op->deadline_mono == 0)
        op->deadline_mono =
            now + (order->timeout_ms > 0 ? order->timeout_ms : order->task->budget_ms(order->args));
    return op->deadline_mono > now ? op->deadline_mono - now : 1;
}

static void adapt(struct host_op *op)
{
    const struct session_guard *guard = host_op_guard(op);
    bool open = guard && guard->console_is_open(guard->arg, op->host->id);

    if (open && op->order->task->adapt)
        op->order->task->adapt(op->work, op->order->args, HOST_CONSOLE_OPEN);
}

static void show_way(const struct host_op *op)
{
    const struct task *task = op->order->task;

    if (!task->way)
        return;
    struct link_ends ends = link_ends(op->link);
    struct task_way way = {ends.here, ends.there, op->owner->parts->management};
    task->way(op->work, &way);
}

static void go_on(void *arg)
{
    const struct host_op *op = arg;

    runner_resume(op->runner);
}

static void hold(void *arg, struct runner *runner)
{
    struct host_op *op = arg;
    const struct run_parts *parts = op->owner->parts;
    const struct task *task = op->order->task;
    const struct task_pause pause = {.loop = parts->loop,
                                     .dialer = parts->dialer,
                                     .http = parts->http,
                                     .store = parts->store,
                                     .session = link_session(op->link),
                                     .host = op->host,
                                     .login = &op->login,
                                     .operation = op->record,
                                     .go_on = go_on,
                                     .arg = op};

    if (task->pause)
        task->pause(op->work, &pause);
    else
        runner_resume(runner);
}

/* The sequence and its owner do the task's work. */
static void begin_work(struct host_op *op, int64_t left)
{
    const struct run_order *order = op->order;
    struct runner_owner owner = owner_of(op, worked);
    struct err err = ERR_INIT;

    if (!op->work) {
        op->work = xcalloc(1, order->task->work_size);
        order->task->init(op->work, order->args, op->host,
                          quirks_for(pairs_get(&op->host->facts, "amt.version")));
        if (order->task->keeping && order->task->keeping->know)
            order->task->keeping->know(op->work, op->known);
        adapt(op);
        show_way(op);
    }
    if (order->task->login && order->task->login(op->work, &op->login, &err) != 0) {
        host_op_next_login(op, &err);
        return;
    }
    if (order->task->changes(order->args)) {
        owner.before_change = host_op_before_change;
        if (!op->steps)
            op->steps = json_array();
    }
    owner.hold = hold;
    op->runner = runner_start(link_session(op->link), (struct seq *)op->work, left, &owner);
}

/* What the device does not tell is no proof that it is another one, unless something is known to compare. */
static void which_told(void *arg, struct runner *runner, const struct err *failure)
{
    struct host_op *op = arg;
    struct err why = failure ? *failure : (struct err)ERR_INIT, err = ERR_INIT;
    bool told = !failure || failure->cause == CAUSE_ACCESS_DENIED || failure->cause == CAUSE_UNSUPPORTED ||
                failure->cause == CAUSE_FAULT || wsman_fault_is_absent(failure);

    op->interface = runner_interface(runner);
    if (!told) {
        host_op_next_login(op, &why);
    } else if (host_op_hear_machine(op, op->which->identity.uuid, failure ? &why : NULL, &err) == 0) {
        runner_free(op->runner);
        op->runner = NULL;
        begin_work(op, op->deadline_mono > host_op_mono(op) ? op->deadline_mono - host_op_mono(op) : 1);
    } else if (why.cause == CAUSE_ACCESS_DENIED) {
        explain_denial(op, &err);
    } else {
        host_op_next_login(op, &err);
    }
}

void host_op_go(struct host_op *op)
{
    int64_t left = time_left(op);
    struct runner_owner owner;

    op->phase = OP_WORKING;
    if (op->fd >= 0) {
        http_session_give_socket(link_session(op->link), op->fd);
        op->fd = -1;
    }
    runner_free(op->runner);
    op->runner = NULL;
    if (op->proof) {
        owner = owner_of(op, proof_over);
        identity_seq_init(&op->proof->seq, IDENTITY_BRIEF);
        op->runner = runner_start(link_session(op->link), &op->proof->seq.seq, left, &owner);
    } else if (host_op_must_ask(op)) {
        owner = owner_of(op, which_told);
        if (!op->which)
            op->which = xcalloc(1, sizeof(*op->which));
        identity_seq_init(op->which, IDENTITY_UUID);
        op->runner = runner_start(link_session(op->link), &op->which->seq, left, &owner);
    } else {
        begin_work(op, left);
    }
}
