#include "amtd/fleet/host_op_internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtd/store/passwords.h"
#include "base/log.h"
#include "base/xalloc.h"

/* Between two passwords for one device: firmware counts failures and locks the account (wsman.md 1.3). */
#define PASSWORD_PAUSE_MS 20000

#define WALK_TIMEOUT_MS 5000

const struct session_guard *host_op_guard(const struct host_op *op)
{
    return op->owner->parts->guard;
}

/* Lets go of everything on the way to the device. */
void host_op_leave(struct host_op *op, bool keep)
{
    if (op->timer)
        uv_timer_stop(op->timer);
    if (op->setting_aside)
        host_op_guard(op)->forget(host_op_guard(op)->arg, op);
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

int64_t host_op_mono(const struct host_op *op)
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

uv_timer_t *host_op_timer(struct host_op *op)
{
    if (!op->timer) {
        op->timer = xcalloc(1, sizeof(*op->timer));
        uv_timer_init(op->owner->parts->loop, op->timer);
        op->timer->data = op;
    }
    return op->timer;
}

void host_op_keep_failure(struct err **kept, const struct err *failure)
{
    if (!*kept)
        *kept = xmalloc(sizeof(**kept));
    **kept = *failure;
}

/* After a failure: goes on with the next login, or ends. */
void host_op_next_login(struct host_op *op, const struct err *failure)
{
    bool password_spent = failure->cause == CAUSE_AUTH_FAILED;
    struct err worst = op->failure ? *login_telling(op->failure, failure) : *failure;
    struct login next = {NULL};

    if (login_another_may_fit(failure->cause))
        while (login_to_try(op, ++op->trial, &next) &&
               login_would_downgrade(&next, op->host, order_of(op)->profile))
            continue;
    if (!next.profile) {
        host_op_end(op, &worst);
        return;
    }
    host_op_keep_failure(&op->failure, &worst);
    host_op_leave(op, false);
    if (op->phase == OP_WORKING)
        op->owner->yields(op->owner->arg, op);
    if (password_spent && next.profile->auth == PROFILE_AUTH_DIGEST) {
        op->phase = OP_PAUSING;
        op->deadline_mono += PASSWORD_PAUSE_MS;
        uv_timer_start(host_op_timer(op), pause_over, PASSWORD_PAUSE_MS, 0);
        return;
    }
    host_op_dial(op);
}

/* --- reaching --- */

static void reached(struct host_op *op)
{
    op->phase = OP_REACHED;
    op->reached_mono = host_op_mono(op);
    op->owner->reached(op->owner->arg, op);
}

static void dialed(void *arg, int fd, const struct err *failure)
{
    struct host_op *op = arg;

    op->dial = NULL;
    if (failure) {
        host_op_next_login(op, failure);
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
    host_op_end(op, &err);
}

static void walk_over(void *arg, json_t *checks, const struct err *failure)
{
    struct host_op *op = arg;

    op->walk = NULL;
    op->walked = checks;
    if (failure)
        host_op_end(op, failure);
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
        op->began_mono = host_op_mono(op);
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
        host_op_next_login(op, &err);
        return;
    }
    settings = link_settings(op->host, &op->login);
    op->link = link_hold(parts->links, op->host->id, &settings, &err);
    op->is_taken = !op->link && err.cause == CAUSE_BUSY;
    if (!op->link) {
        host_op_next_login(op, &err);
        return;
    }
    if (link_is_warm(op->link)) {
        reached(op);
        return;
    }
    op->dial = dialer_connect(parts->dialer, where, settings.port, settings.connect_ms,
                              DIAL_SPEAKS | (op->urgent ? DIAL_AHEAD : 0), dialed, op);
}

/* --- before a change --- */

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
        host_op_next_login(op, failure);
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
void host_op_before_change(void *arg, struct runner *runner)
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

void host_op_bring_back(struct host_op *op)
{
    op->was_aside = false;
    host_op_guard(op)->bring_back(host_op_guard(op)->arg, op->host->id);
}

/* --- the end --- */

bool host_op_settles(const struct host_op *op, bool *has_new)
{
    *has_new = op->login.unproven;
    return !op->proof && !op->own_settled && op->login.unsettled;
}

void host_op_drop_work(struct host_op *op)
{
    const struct task *task = order_of(op)->task;

    if (op->work && task->drop)
        task->drop(op->work);
    free(op->work);
    op->work = NULL;
}

void host_op_end(struct host_op *op, const struct err *failure)
{
    int64_t wall = clock_wall(op->owner->parts->clock);

    host_op_learn(op, failure);
    host_op_take_finding(op, failure);
    op->record->state = failure ? OPERATION_FAILED : OPERATION_OK;
    op->record->ended_ms = op->began_mono ? op->record->began_ms + (host_op_mono(op) - op->began_mono) : wall;
    if (failure) {
        xreplace(&op->record->cause, cause_name(failure->cause));
        xreplace(&op->record->code, failure->code[0] ? failure->code : NULL);
        xreplace(&op->record->message, failure->text);
    }
    host_op_leave(op, failure == NULL);
    host_op_drop_work(op);
    if (op->was_aside)
        host_op_bring_back(op);
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
    host_op_leave(op, false);
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
    host_op_end(op, &err);
}

void host_op_abort(struct host_op *op, const struct err *why)
{
    if (op->phase < OP_SAVING)
        host_op_end(op, why);
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
    host_op_leave(op, false);
    proof_free(op->proof);
    if (op->timer)
        uv_close((uv_handle_t *)op->timer, timer_closed);
    op->timer = NULL;
    json_decref(op->steps);
    json_decref(op->walked);
    host_op_drop_work(op);
    free(op->which);
    free(op->denied);
    free(op->failure);
    free(op->refusal);
    free(op->known);
    free(op->kept);
    pairs_clear(&op->facts);
}
