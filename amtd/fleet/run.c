#include "amtd/fleet/run.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "amtd/fleet/host_op.h"
#include "amtd/fleet/rollout.h"
#include "base/cause.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/xalloc.h"

#define STOPPED       "amtd was stopped before anything was sent"
#define SAVE_AGAIN_MS 5000

/* preparing -> running -> over. Whatever happens only changes lists and calls run_wake; run_tick, from the
 * loop, draws the consequences. */
enum run_phase { RUN_PREPARING, RUN_RUNNING, RUN_OVER };

struct active_run {
    const struct run_parts *parts;
    struct run_order order;
    struct run_watch watch;
    void (*over)(void *arg, struct active_run *run);
    void *over_arg;
    enum run_phase phase;
    bool watched;
    bool changes;
    bool soft;        /* it only reads: its record need not survive a power failure */
    bool recorded;    /* in the store; reading goes on without when the disk is full */
    bool interrupted; /* the daemon ends */
    bool last_try;    /* the daemon ends: what cannot be written down now is lost */
    struct run record;
    struct hosts hosts;
    struct profiles profiles;
    struct operation *records; /* one per host, same order */
    struct host_op *ops;       /* the same */
    struct op_owner owner;     /* of all ops */
    struct rollout *rollout;   /* NULL before they are known */
    uint32_t *results;         /* ops in the order in which they ended */
    size_t result_count;

    size_t kept; /* ends that are in the store */
    bool end_kept;
    struct host_op *unsaved; /* the store could not take their end */
    int64_t save_at;
    int64_t due; /* of the rollout, by itself */
    uv_timer_t tick;
};

/* --- looking --- */

const struct run *run_record(const struct active_run *run)
{
    return &run->record;
}

const struct run_order *run_order(const struct active_run *run)
{
    return &run->order;
}

const struct hosts *run_hosts(const struct active_run *run)
{
    return &run->hosts;
}

size_t run_place(const struct active_run *run, size_t i)
{
    return rollout_place(run->rollout, i);
}

size_t run_results(const struct active_run *run)
{
    return run->result_count;
}

const struct operation *run_result(const struct active_run *run, size_t i)
{
    return &run->records[run->results[i]];
}

bool run_is_ready(const struct active_run *run)
{
    return run->phase != RUN_PREPARING;
}

bool run_is_over(const struct active_run *run)
{
    return run->phase == RUN_OVER;
}

static int64_t now_ms(const struct active_run *run)
{
    return clock_mono(run->parts->clock);
}

void run_stage(const struct active_run *run, size_t *stage, size_t *stages, int64_t *wait_ms)
{
    int64_t begins_ms;

    rollout_stage(run->rollout, stage, stages, &begins_ms);
    *wait_ms = begins_ms > 0 ? begins_ms - now_ms(run) : 0;
}

/* --- life --- */

void run_order_clear(struct run_order *order)
{
    if (order->task && order->task->forget && order->args)
        order->task->forget(order->args);
    if (order->args)
        secret_wipe(order->args, order->task->args_size);
    free(order->args);
    free(order->args_text);
    user_free(order->user);
    free(order->target);
    free(order->who);
    free(order->by);
    free(order->profile);
    memset(order, 0, sizeof(*order));
}

static void run_tick(uv_timer_t *timer);

static void run_wake(struct active_run *run)
{
    uv_timer_start(&run->tick, run_tick, 0, 0);
}

static void run_closed(uv_handle_t *handle)
{
    struct active_run *run = handle->data;

    for (size_t i = 0; run->ops && i < run->hosts.count; i++) {
        host_op_clear(&run->ops[i]);
        operation_clear(&run->records[i]);
    }
    free(run->ops);
    free(run->records);
    free(run->results);
    rollout_free(run->rollout);
    hosts_clear(&run->hosts);
    profiles_clear(&run->profiles);
    run_clear(&run->record);
    run_order_clear(&run->order);
    free(run);
}

static bool run_may_go(const struct active_run *run)
{
    return run->phase == RUN_OVER && !run->watched && run->end_kept && run->kept == run->result_count;
}

static void run_go(struct active_run *run)
{
    run->over(run->over_arg, run);
    uv_close((uv_handle_t *)&run->tick, run_closed);
}

void run_unwatch(struct active_run *run)
{
    run->watched = false;
    run_wake(run);
}

/* --- writing down --- */

static int save_op(struct tx *tx, void *data, struct err *err)
{
    const struct host_op *op = data;
    const struct active_run *run = op->owner->arg;

    return tx_operation_end(tx, op->record, err) == 0 ? tx_host_op_end(tx, op, &run->record, err) : -1;
}

static void publish(struct host_op *op)
{
    struct active_run *run = op->owner->arg;

    op->phase = OP_OVER;
    run->results[run->result_count++] = (uint32_t)(op - run->ops);
    if (op->record->state == OPERATION_OK)
        run->record.ok++;
    else
        run->record.failed++;
    rollout_result(run->rollout);
}

/* The result of a change is shown when it is in the store. If the store cannot take it, it is shown all the
 * same and the store is tried again until it can. */
static void op_saved(void *data, const struct err *failure)
{
    struct host_op *op = data;
    struct active_run *run = op->owner->arg;

    if (op->phase == OP_SAVING)
        publish(op);
    if (failure && failure->cause == CAUSE_STORE_FAILED && !run->last_try) {
        DL_APPEND(run->unsaved, op);
        if (run->save_at == 0)
            log_err(NULL, "run=%lld results cannot be written down, trying again: %s",
                    (long long)run->record.id, failure->text);
        run->save_at = now_ms(run) + SAVE_AGAIN_MS;
    } else {
        if (failure) /* for one, the host was removed meanwhile */
            log_warn(NULL, "host=%s result not kept: %s", op->record->host, failure->text);
        run->kept++;
    }
    run_wake(run);
}

static void save_again(struct active_run *run)
{
    struct host_op *op, *next, *list = run->unsaved;

    run->unsaved = NULL;
    run->save_at = 0;
    DL_FOREACH_SAFE(list, op, next)
    store_submit_so(run->parts->store, STORE_AGAIN, save_op, op_saved, op);
}

static int save_end(struct tx *tx, void *data, struct err *err)
{
    const struct active_run *run = data;

    return tx_run_end(tx, run->record.id, run->record.ended_ms, err);
}

static void end_saved(void *data, const struct err *failure)
{
    struct active_run *run = data;

    /* Without it the run shows as unfinished until amtd starts again and closes it; its results are all
     * there. */
    if (failure)
        log_err(NULL, "run=%lld its end could not be written down: %s", (long long)run->record.id,
                failure->text);
    run->end_kept = true;
    run_wake(run);
}

/* --- what operations report --- */

static size_t index_of(const struct active_run *run, const struct host_op *op)
{
    return (size_t)(op - run->ops);
}

static void op_reached(void *arg, struct host_op *op)
{
    struct active_run *run = arg;

    rollout_reached(run->rollout, index_of(run, op));
    run_wake(run);
}

static void op_yields(void *arg, struct host_op *op)
{
    struct active_run *run = arg;

    rollout_yield(run->rollout, index_of(run, op));
    run_wake(run);
}

static unsigned how_to_save(const struct active_run *run, const struct host_op *op)
{
    if (run->changes)
        return 0;
    /* what was learned, a pin for one, is not to be forgotten */
    return run->soft && op->facts.count == 0 ? STORE_LATER | STORE_SOFT : STORE_LATER;
}

static void op_over(void *arg, struct host_op *op)
{
    struct active_run *run = arg;

    rollout_over(run->rollout, index_of(run, op), op->record->state == OPERATION_OK,
                 op->record->cause ? cause_by_name(op->record->cause) : CAUSE_NONE, op->host->name);
    if (!run->changes)
        publish(op);
    if (!run->recorded)
        run->kept++;
    else
        store_submit_so(run->parts->store, how_to_save(run, op) | STORE_AGAIN, save_op, op_saved, op);
    run_wake(run);
}

static int note_start(struct tx *tx, const struct host_op *op, int64_t at_ms, struct err *err)
{
    return tx_operation_start(tx, op->record->id, at_ms, err);
}

/* --- limits and stages --- */

static void begin(void *arg, size_t host)
{
    struct active_run *run = arg;
    struct host_op *op = &run->ops[host];

    if (op->refusal)
        host_op_spare(op, op->refusal->cause, op->refusal->text);
    else
        host_op_dial(op);
}

static void go(void *arg, size_t host)
{
    struct active_run *run = arg;

    host_op_go(&run->ops[host]);
}

static void spare(void *arg, size_t host, enum cause cause, const char *text)
{
    struct active_run *run = arg;

    if (run->ops[host].trial == 0) /* with a password tried, something was sent */
        host_op_spare(&run->ops[host], cause, text);
}

static void end_run(struct active_run *run)
{
    run->phase = RUN_OVER;
    run->record.ended_ms = clock_wall(run->parts->clock);
    if (run->recorded)
        store_submit_so(run->parts->store, run->soft ? STORE_SOFT : 0, save_end, end_saved, run);
    else
        run->end_kept = true;
    run_wake(run);
}

static void advance(struct active_run *run)
{
    if (run->phase != RUN_RUNNING)
        return;
    run->due = rollout_advance(run->rollout, now_ms(run));
    if (rollout_is_done(run->rollout))
        end_run(run);
}

/* The next time by which something is due without anybody waking us. */
static void schedule(struct active_run *run)
{
    int64_t due = run->phase == RUN_RUNNING ? run->due : INT64_MAX;

    if (run->save_at > 0 && run->save_at < due)
        due = run->save_at;
    if (due == INT64_MAX || uv_is_active((uv_handle_t *)&run->tick))
        return;
    due -= now_ms(run);
    uv_timer_start(&run->tick, run_tick, due > 0 ? (uint64_t)due : 0, 0);
}

static void run_tick(uv_timer_t *timer)
{
    struct active_run *run = timer->data;

    if (run->save_at > 0 && now_ms(run) >= run->save_at)
        save_again(run);
    advance(run);
    if (run->watched)
        run->watch.news(run->watch.arg, run);
    if (run_may_go(run))
        run_go(run);
    else
        schedule(run);
}

/* --- stopping --- */

size_t run_cancel(struct active_run *run, const char *why)
{
    size_t begun;
    char *text;

    if (run->phase != RUN_RUNNING || rollout_is_stopped(run->rollout))
        return 0;
    begun = rollout_begun(run->rollout);
    text = xasprintf("not begun, because the run was cancelled %s", why);
    rollout_stop(run->rollout, CAUSE_CANCELLED, text);
    free(text);
    run_wake(run);
    return run->hosts.count - begun;
}

void run_interrupt(struct active_run *run)
{
    run->last_try = true;
    run->interrupted = true;
    if (run->unsaved)
        save_again(run);
    if (run->phase == RUN_OVER)
        return;
    if (run->rollout)
        rollout_stop(run->rollout, CAUSE_NOT_STARTED, STOPPED);
    for (size_t i = 0; run->rollout && i < run->hosts.count; i++)
        if (run->ops[i].phase != OP_WAITING)
            host_op_interrupt(&run->ops[i]);
    run_wake(run);
}

/* --- preparing --- */

static int too_many_unconfirmed(const struct active_run *run, struct err *err)
{
    struct hostlist *names;
    struct buf folded = buf_init(200);

    if (!run->changes || run->order.confirmed || run->order.dry_run || run->hosts.count <= RUN_ASK_ABOVE)
        return 0;
    names = hostlist_new();
    for (size_t i = 0; i < run->hosts.count; i++)
        hostlist_add(names, run->hosts.items[i].name, NULL);
    hostlist_fold(names, &folded);
    err_set(err, CAUSE_REFUSED_UNCONFIRMED, "%s would change %zu hosts: %s%s", run->order.task->name,
            run->hosts.count, buf_str(&folded), buf_ok(&folded) ? "" : "...");
    buf_free(&folded);
    hostlist_free(names);
    return -1;
}

static int check_profile(const struct active_run *run, struct err *err)
{
    for (size_t i = 0; run->order.profile && i < run->profiles.count; i++)
        if (strcmp(run->profiles.items[i].name, run->order.profile) == 0)
            return 0;
    return run->order.profile ? err_set(err, CAUSE_NOT_FOUND, "there is no profile '%s'", run->order.profile)
                              : 0;
}

/* What the task itself has to say about its hosts, now that the run has a number. */
static void admit_hosts(struct tx *tx, struct active_run *run)
{
    const struct task_keeping *keeping = run->order.task->keeping;

    for (size_t i = 0; keeping && keeping->admit && i < run->hosts.count; i++) {
        struct host_op *op = &run->ops[i];
        struct err refusal = ERR_INIT;

        if (keeping->admit(tx, run->order.args, &run->record, op->host, &op->known, &refusal) == 0)
            continue;
        op->refusal = xcalloc(1, sizeof(*op->refusal));
        *op->refusal = refusal;
    }
}

static int admit_run(struct tx *tx, const struct active_run *run, struct err *err)
{
    const struct task_keeping *keeping = run->order.task->keeping;

    return keeping && keeping->admit_run ? keeping->admit_run(tx, run->order.args, &run->hosts, err) : 0;
}

/* On the store's thread: everything the run needs, in one transaction. */
static int prepare(struct tx *tx, void *data, struct err *err)
{
    struct active_run *run = data;

    if (tx_target_of(tx, run->order.target, run->order.who, run->order.user, run->order.need, &run->hosts,
                     NULL, err) != 0 ||
        tx_profiles(tx, &run->profiles, err) != 0 || check_profile(run, err) != 0 ||
        admit_run(tx, run, err) != 0 || too_many_unconfirmed(run, err) != 0)
        return -1;
    stages_settle(&run->order.stages, run->hosts.count,
                  run->order.task->careful && run->order.task->careful(run->order.args));
    run->records = xcalloc(run->hosts.count + 1, sizeof(*run->records));
    run->ops = xcalloc(run->hosts.count + 1, sizeof(*run->ops));
    for (size_t i = 0; i < run->hosts.count; i++)
        host_op_init(&run->ops[i], &run->owner, &run->order, &run->hosts.items[i], &run->records[i]);
    run->record.task = xstrdup(run->order.task->name);
    run->record.args = xstrdup(run->order.args_text);
    run->record.target = xstrdup(run->order.target);
    run->record.who = xstrdup(run->order.who);
    run->record.began_ms = clock_wall(run->parts->clock);
    run->record.hosts = (uint32_t)run->hosts.count;
    if (run->order.dry_run)
        return 0;
    if (tx_run_add(tx, &run->record, run->records, run->soft ? 0 : run->hosts.count, err) != 0)
        return -1;
    admit_hosts(tx, run);
    return 0;
}

/* --- the hosts of one that only reads: written down while it begins with them, before any result --- */

static int add_operations(struct tx *tx, void *data, struct err *err)
{
    struct active_run *run = data;

    return tx_operations_add(tx, &run->record, run->records, run->hosts.count, err);
}

static void operations_added(void *data, const struct err *failure)
{
    const struct active_run *run = data;

    if (failure)
        log_err(NULL, "run=%lld its hosts cannot be written down: %s", (long long)run->record.id,
                failure->text);
}

/* --- begin --- */

static void line_up(struct active_run *run)
{
    const struct run_order *order = &run->order;
    const struct rollout_settings settings = {order->parallel, order->per_subnet, order->stages,
                                              order->pause_ms};
    const struct rollout_owner owner = {run, begin, go, spare};
    struct rollout_host *hosts = xcalloc(run->hosts.count + 1, sizeof(*hosts));

    for (size_t i = 0; i < run->hosts.count; i++) {
        const struct host *host = &run->hosts.items[i];

        hosts[i].address = host->address ? host->address : host->name;
        hosts[i].urgent = run->ops[i].urgent;
    }
    run->rollout = rollout_new(&settings, &owner, hosts, run->hosts.count);
    run->results = xcalloc(run->hosts.count + 1, sizeof(*run->results));
    free(hosts);
}

static void prepared(void *data, const struct err *failure)
{
    struct active_run *run = data;

    run->recorded = failure == NULL;
    if (run->recorded && run->soft && !run->order.dry_run)
        store_submit_so(run->parts->store, STORE_SOFT, add_operations, operations_added, run);
    if (run->ops)
        line_up(run);
    if (failure && failure->cause == CAUSE_STORE_FAILED && !run->changes && run->ops) {
        log_err(NULL, "a run that only reads goes on without being written down: %s", failure->text);
        run->record.id = 0; /* it was undone with the rest */
        failure = NULL;
    }
    if (failure) {
        if (run->watched)
            run->watch.refused(run->watch.arg, failure);
        run->watched = false;
    } else if (run->watched) {
        run->watch.ready(run->watch.arg, run);
    }
    if (failure || run->order.dry_run) {
        run->phase = RUN_OVER;
        run->end_kept = true;
    } else {
        run->phase = RUN_RUNNING;
        if (run->interrupted)
            rollout_stop(run->rollout, CAUSE_NOT_STARTED, STOPPED);
    }
    run_wake(run);
}

struct active_run *run_begin(const struct run_parts *parts, struct run_order *order,
                             const struct run_watch *watch, void (*over)(void *arg, struct active_run *run),
                             void *over_arg)
{
    struct active_run *run = xcalloc(1, sizeof(*run));

    run->parts = parts;
    run->order = *order;
    memset(order, 0, sizeof(*order));
    run->watch = *watch;
    run->watched = true;
    run->over = over;
    run->over_arg = over_arg;
    run->changes = run->order.task->changes(run->order.args);
    run->owner = (struct op_owner){.arg = run,
                                   .parts = parts,
                                   .profiles = &run->profiles,
                                   .reached = op_reached,
                                   .yields = op_yields,
                                   .over = op_over,
                                   .note_start = note_start};
    uv_timer_init(parts->loop, &run->tick);
    run->tick.data = run;
    run->soft = !run->changes && !run->order.task->keeping;
    store_submit_so(parts->store, run->soft ? STORE_SOFT : 0, prepare, prepared, run);
    return run;
}
