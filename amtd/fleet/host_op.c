#include "amtd/fleet/host_op_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtd/store/passwords.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "wsman/power.h"

/* Between two passwords for one device: firmware counts failures and locks the account (wsman.md 1.3). */
#define PASSWORD_PAUSE_MS 20000

#define WALK_TIMEOUT_MS 5000
#define EXPLAIN_MS      5000  /* for asking why access was denied */
#define PROOF_MS        30000 /* for finding out which password a device has */

static void drop_work(struct host_op *op);
static void end(struct host_op *op, const struct err *failure);

static const struct session_guard *guard_of(const struct host_op *op)
{
    return op->owner->parts->guard;
}

/* Lets go of everything on the way to the device. */
static void leave(struct host_op *op, bool keep)
{
    if (op->timer)
        uv_timer_stop(op->timer);
    if (op->setting_aside)
        guard_of(op)->forget(guard_of(op)->arg, op);
    op->setting_aside = false;
    walk_cancel(op->walk);
    op->walk = NULL;
    dial_cancel(op->dial);
    op->dial = NULL;
    runner_free(op->runner);
    op->runner = NULL;
    link_release(op->link, keep);
    op->link = NULL;
    if (op->fd >= 0)
        close(op->fd);
    op->fd = -1;
}

static const struct run_order *order_of(const struct host_op *op)
{
    return op->order;
}

static int64_t mono(const struct host_op *op)
{
    return clock_mono(op->owner->parts->clock);
}

/* --- logins --- */

/* The k-th one: of those that a password under way leaves, or of the host's. */
static bool login_to_try(const struct host_op *op, size_t k, struct login *out)
{
    if (op->proof)
        return proof_login(op->proof, k, out);
    return login_at(op->owner->profiles, op->host, order_of(op)->profile, k, out);
}

static void pause_over(uv_timer_t *timer)
{
    struct host_op *op = timer->data;

    host_op_dial(op);
}

static uv_timer_t *op_timer(struct host_op *op)
{
    if (!op->timer) {
        op->timer = xcalloc(1, sizeof(*op->timer));
        uv_timer_init(op->owner->parts->loop, op->timer);
        op->timer->data = op;
    }
    return op->timer;
}

static void keep_failure(struct err **kept, const struct err *failure)
{
    if (!*kept)
        *kept = xmalloc(sizeof(**kept));
    **kept = *failure;
}

/* After a failure: goes on with the next login, or ends. */
static void next_login(struct host_op *op, const struct err *failure)
{
    bool password_spent = failure->cause == CAUSE_AUTH_FAILED;
    struct err worst = op->failure ? *login_telling(op->failure, failure) : *failure;
    struct login next = {NULL};

    if (login_another_may_fit(failure->cause))
        while (login_to_try(op, ++op->trial, &next) &&
               login_would_downgrade(&next, op->host, order_of(op)->profile))
            continue;
    if (!next.profile) {
        end(op, &worst);
        return;
    }
    keep_failure(&op->failure, &worst);
    leave(op, false);
    if (op->phase == OP_WORKING)
        op->owner->yields(op->owner->arg, op);
    if (password_spent && next.profile->auth == PROFILE_AUTH_DIGEST) {
        op->phase = OP_PAUSING;
        op->deadline_mono += PASSWORD_PAUSE_MS;
        uv_timer_start(op_timer(op), pause_over, PASSWORD_PAUSE_MS, 0);
        return;
    }
    host_op_dial(op);
}

/* --- reaching --- */

static void reached(struct host_op *op)
{
    op->phase = OP_REACHED;
    op->reached_mono = mono(op);
    op->owner->reached(op->owner->arg, op);
}

static void dialed(void *arg, int fd, const struct err *failure)
{
    struct host_op *op = arg;

    op->dial = NULL;
    if (failure) {
        next_login(op, failure);
        return;
    }
    op->fd = fd;
    link_note_ends(op->link, fd);
    reached(op);
}

static void fail_without_profile(struct host_op *op)
{
    const char *only = order_of(op)->profile ? order_of(op)->profile : op->host->profile;
    struct err err = ERR_INIT;

    if (only)
        err_set(&err, CAUSE_NO_PROFILE, "there is no profile '%s'", only);
    else
        err_set(&err, CAUSE_NO_PROFILE, "there is no profile to log in with");
    end(op, &err);
}

static void walk_over(void *arg, json_t *checks, const struct err *failure)
{
    struct host_op *op = arg;

    op->walk = NULL;
    op->walked = checks;
    if (failure)
        end(op, failure);
    else
        host_op_dial(op);
}

void host_op_dial(struct host_op *op)
{
    const struct run_parts *parts = op->owner->parts;
    const struct run_order *order = order_of(op);
    const char *where = op->host->address ? op->host->address : op->host->name;
    struct http_settings settings;
    struct err err = ERR_INIT;

    if (op->began_mono == 0) {
        op->began_mono = mono(op);
        op->record->began_ms = clock_wall(parts->clock);
    }
    op->phase = OP_DIALING;
    login_to_try(op, op->trial, &op->login);
    if (order->task->walks && !op->walked) {
        op->walk =
            walk_start(parts, parts->http, op->host, op->login.profile, WALK_TIMEOUT_MS, walk_over, op);
        return;
    }
    if (!op->login.profile) {
        fail_without_profile(op);
        return;
    }
    if (login_check(&op->login, op->host, &err) != 0) {
        next_login(op, &err);
        return;
    }
    settings = link_settings(op->host, &op->login);
    op->link = link_hold(parts->links, op->host->id, &settings, &err);
    op->is_taken = !op->link && err.cause == CAUSE_BUSY;
    if (!op->link) {
        next_login(op, &err);
        return;
    }
    if (link_is_warm(op->link)) {
        reached(op);
        return;
    }
    op->dial = dialer_connect(parts->dialer, where, settings.port, settings.connect_ms,
                              DIAL_SPEAKS | (op->urgent ? DIAL_AHEAD : 0), dialed, op);
}

/* --- working --- */

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
        uv_timer_start(op_timer(op), runner_timer_fired, (uint64_t)ms, 0);
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

struct start_note {
    struct host_op *op;
    const struct task_keeping *keeping;
    void *journal;         /* the task's, made while nobody else looks at the work */
    struct pairs identity; /* host_op_identity */
    bool settles, has_new; /* host_op_settles */
    int64_t at_ms;
};

static int note_start(struct tx *tx, void *data, struct err *err)
{
    const struct start_note *note = data;

    const struct host_op *op = note->op;

    if (tx_host_expect(tx, op->host->id, err) != 0 || op->owner->note_start(tx, op, note->at_ms, err) != 0)
        return -1;
    if (note->identity.count > 0 && tx_host_facts(tx, op->host->id, &note->identity, err) != 0)
        return -1;
    if (note->settles &&
        tx_password_settle(tx, op->host->id, op->login.unsettled->user, note->has_new, note->at_ms, err) != 0)
        return -1;
    return note->journal ? note->keeping->note(tx, note->op->record, note->journal, err) : 0;
}

static void start_noted(void *data, const struct err *failure)
{
    struct start_note *note = data;
    struct host_op *op = note->op;

    if (note->keeping && note->keeping->forget)
        note->keeping->forget(note->journal);
    pairs_clear(&note->identity);
    free(note);
    if (op->phase != OP_WORKING || !op->runner)
        return;
    if (failure) /* what cannot be written down is not done */
        next_login(op, failure);
    else
        runner_resume(op->runner);
}

/* Those at its console are told before the machine's last words come. */
static void announce(const struct host_op *op)
{
    const struct power_watch *watch = &op->owner->parts->power_watch;
    const struct run_order *order = order_of(op);
    struct buf text = buf_init(128);

    if (!watch->begins || !order->task->announce)
        return;
    order->task->announce(order->args, &text);
    if (text.len > 0)
        watch->begins(watch->arg, op->host->name, order->who, buf_str(&text));
    buf_free(&text);
}

/* Written down before it is sent: an operation that may have changed the device is never forgotten. */
static void before_change(void *arg, struct runner *runner)
{
    struct host_op *op = arg;
    struct start_note *note = xcalloc(1, sizeof(*note));

    (void)runner;
    announce(op);
    note->op = op;
    note->at_ms = clock_wall(op->owner->parts->clock);
    note->identity = host_op_identity(op);
    note->settles = host_op_settles(op, &note->has_new);
    op->own_settled |= note->settles;
    note->keeping = order_of(op)->task->keeping;
    if (note->keeping && note->keeping->journal)
        note->journal = note->keeping->journal(op->work);
    if (op->owner->patient)
        store_submit_later(op->owner->parts->store, note_start, start_noted, note);
    else
        store_submit(op->owner->parts->store, note_start, start_noted, note);
}

static void bring_back(struct host_op *op)
{
    op->was_aside = false;
    guard_of(op)->bring_back(guard_of(op)->arg, op->host->id);
}

static void step(void *arg, const char *name, uint32_t repeat, const char *note, const struct err *failure)
{
    struct host_op *op = arg;
    json_t *line;

    if (op->was_aside && !failure && strcmp(name, POWER_REQUEST_STEP) == 0)
        bring_back(op); /* so that the boot is seen */
    if (op->owner->accepted && !failure && strcmp(name, POWER_REQUEST_STEP) == 0)
        op->owner->accepted(op->owner->arg, op, note && strcmp(note, POWER_ASKED_OS) == 0);
    if (!op->steps)
        return;
    line = json_pack("{s:s, s:I}", "step", name, "at_ms", (json_int_t)(mono(op) - op->began_mono));
    if (repeat > 0)
        json_object_set_new(line, "repeat", json_integer(repeat));
    if (note)
        json_object_set_new(line, "note", json_string(note));
    if (failure && failure->cause != CAUSE_NONE)
        json_object_set_new(line, "failure", json_string(cause_name(failure->cause)));
    json_array_append_new(op->steps, line);
}

/* The device's word on its provisioning, after it denied access; where it has none, the denial stands. */
static void denial_explained(void *arg, struct runner *runner, const struct err *failure)
{
    struct host_op *op = arg;
    struct err denied = *op->denied;

    (void)runner;
    next_login(op, failure && failure->cause == CAUSE_NOT_PROVISIONED ? failure : &denied);
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

/* A device that is not provisioned denies what it does not say otherwise: it is asked before that is
 * reported. */
static void explain_denial(struct host_op *op, const struct err *denied)
{
    struct runner_owner owner = owner_of(op, denial_explained);

    keep_failure(&op->denied, denied);
    runner_free(op->runner);
    provisioning_seq_init(&op->provisioning);
    op->runner = runner_start(link_session(op->link), &op->provisioning.seq, EXPLAIN_MS, &owner);
}

static void console_is_aside(void *arg)
{
    struct host_op *op = arg;

    op->setting_aside = false;
    op->was_aside = true;
    op->reached_mono = mono(op);
    host_op_go(op);
}

/* Some firmware refuses power actions while a console is open (reference redirection.md, section 7.2). Ours
 * steps aside, and the task is tried once more; one of somebody else is the cause. True: it goes on. */
static bool console_steps_aside(struct host_op *op)
{
    const struct session_guard *guard = guard_of(op);

    if (!order_of(op)->task->adapt || !guard || op->was_aside ||
        !guard->console_is_open(guard->arg, op->host->id))
        return false;
    runner_free(op->runner);
    op->runner = NULL;
    drop_work(op);
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
    if (order_of(op)->task->adapt)
        err_set(&err, CAUSE_IN_USE,
                "the device refuses while a redirection session is open, and that is none of amtd's");
    next_login(op, &err);
}

/* --- a new password --- */

bool host_op_settles(const struct host_op *op, bool *has_new)
{
    *has_new = op->login.unproven;
    return !op->proof && !op->own_settled && op->login.unsettled;
}

/* The password that the work logged in with may be another one now: which, a new login shows. */
static bool begin_proof(struct host_op *op, const struct err *failure)
{
    const struct task *task = order_of(op)->task;
    bool likely = false;
    const struct secret *fresh = task->new_password ? task->new_password(op->work, &likely) : NULL;

    if (!fresh || op->proof)
        return false;
    op->proof = proof_new(&op->login, fresh, likely, failure);
    op->trial = 0;
    free(op->failure);
    op->failure = NULL;
    leave(op, false);
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
        next_login(op, failure);
        return;
    }
    order_of(op)->task->proved(op->work, op->login.unproven);
    if (op->login.unproven) {
        end(op, NULL);
    } else {
        err_set(&kept, CAUSE_FAULT, "the device kept its old password");
        end(op, op->proof->failed ? &op->proof->failure : &kept);
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
        end(op, host_op_found_machine(op, &err) == 0 ? NULL : &err);
    else if (failure->cause == CAUSE_SEAL_BROKEN) /* of what the task needs; the login was good */
        end(op, failure);
    else if (failure->cause == CAUSE_IN_USE)
        fail_in_use(op, failure);
    else if (failure->cause == CAUSE_ACCESS_DENIED)
        explain_denial(op, failure);
    else
        next_login(op, failure);
}

/* The time a host has counts from its turn; waiting for the turn is not its fault. */
static int64_t time_left(struct host_op *op)
{
    const struct run_order *order = order_of(op);
    int64_t now = mono(op);
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
    const struct session_guard *guard = guard_of(op);
    bool open = guard && guard->console_is_open(guard->arg, op->host->id);

    if (open && order_of(op)->task->adapt)
        order_of(op)->task->adapt(op->work, order_of(op)->args, HOST_CONSOLE_OPEN);
}

static void show_way(const struct host_op *op)
{
    const struct task *task = order_of(op)->task;

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
    const struct task *task = order_of(op)->task;
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
    const struct run_order *order = order_of(op);
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
        next_login(op, &err);
        return;
    }
    if (order->task->changes(order->args)) {
        owner.before_change = before_change;
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
        next_login(op, &why);
    } else if (host_op_hear_machine(op, op->which->identity.uuid, failure ? &why : NULL, &err) == 0) {
        runner_free(op->runner);
        op->runner = NULL;
        begin_work(op, op->deadline_mono > mono(op) ? op->deadline_mono - mono(op) : 1);
    } else if (why.cause == CAUSE_ACCESS_DENIED) {
        explain_denial(op, &err);
    } else {
        next_login(op, &err);
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

/* --- the end --- */

static void drop_work(struct host_op *op)
{
    const struct task *task = order_of(op)->task;

    if (op->work && task->drop)
        task->drop(op->work);
    free(op->work);
    op->work = NULL;
}

static void end(struct host_op *op, const struct err *failure)
{
    int64_t wall = clock_wall(op->owner->parts->clock);

    host_op_learn(op, failure);
    host_op_take_finding(op, failure);
    op->record->state = failure ? OPERATION_FAILED : OPERATION_OK;
    op->record->ended_ms = op->began_mono ? op->record->began_ms + (mono(op) - op->began_mono) : wall;
    if (failure) {
        xreplace(&op->record->cause, cause_name(failure->cause));
        xreplace(&op->record->code, failure->code[0] ? failure->code : NULL);
        xreplace(&op->record->message, failure->text);
    }
    leave(op, failure == NULL);
    drop_work(op);
    if (op->was_aside)
        bring_back(op);
    if (op->phase == OP_WORKING)
        op->owner->yields(op->owner->arg, op);
    op->phase = OP_SAVING;
    op->owner->over(op->owner->arg, op);
}

void host_op_spare(struct host_op *op, enum cause cause, const char *text)
{
    struct err err = ERR_INIT;

    err_set(&err, cause, "%s", text);
    op->record->state = OPERATION_FAILED;
    op->record->ended_ms = clock_wall(op->owner->parts->clock);
    xreplace(&op->record->cause, cause_name(cause));
    xreplace(&op->record->message, err.text);
    host_op_take_finding(op, &err);
    leave(op, false);
    op->phase = OP_SAVING;
    op->owner->over(op->owner->arg, op);
}

void host_op_interrupt(struct host_op *op)
{
    struct err err = ERR_INIT;

    if (op->phase >= OP_SAVING)
        return;
    if (op->phase < OP_WORKING && op->trial == 0) {
        host_op_spare(op, CAUSE_NOT_STARTED, "amtd was stopped before anything was sent");
        return;
    }
    err_set(&err, CAUSE_INTERRUPTED, "amtd was stopped while the operation was under way");
    end(op, &err);
}

void host_op_abort(struct host_op *op, const struct err *why)
{
    if (op->phase < OP_SAVING)
        end(op, why);
}

int tx_host_op_end(struct tx *tx, const struct host_op *op, const struct run *run, struct err *err)
{
    const struct task_keeping *keeping = op->order->task->keeping;
    const struct operation *record = op->record;
    bool has_new;

    if (record->state == OPERATION_OK && host_op_settles(op, &has_new) &&
        tx_password_settle(tx, op->host->id, op->login.unsettled->user, has_new, record->ended_ms, err) != 0)
        return -1;
    if (op->facts.count > 0 && tx_host_facts(tx, record->host_id, &op->facts, err) != 0)
        return -1;
    return keeping && keeping->settle ? keeping->settle(tx, op->order->args, run, record, op->kept, err) : 0;
}

/* --- life --- */

void host_op_init(struct host_op *op, const struct op_owner *owner, const struct run_order *order,
                  const struct host *host, struct operation *record)
{
    const char *reach = pairs_get(&host->facts, "reach");

    op->owner = owner;
    op->order = order;
    op->host = host;
    op->record = record;
    op->fd = -1;
    op->urgent = reach && strcmp(reach, cause_name(CAUSE_UNREACHABLE)) == 0;
    op->record->host_id = host->id;
    op->record->host = xstrdup(host->name);
}

static void timer_closed(uv_handle_t *handle)
{
    free(handle);
}

void host_op_clear(struct host_op *op)
{
    leave(op, false);
    proof_free(op->proof);
    if (op->timer)
        uv_close((uv_handle_t *)op->timer, timer_closed);
    op->timer = NULL;
    json_decref(op->steps);
    json_decref(op->walked);
    drop_work(op);
    free(op->which);
    free(op->denied);
    free(op->failure);
    free(op->refusal);
    free(op->known);
    free(op->kept);
    pairs_clear(&op->facts);
}
