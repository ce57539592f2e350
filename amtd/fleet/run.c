#include "amtd/fleet/run.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "amtd/fleet/host_op.h"
#include "amtd/fleet/store_passwords.h"
#include "amtd/fleet/subnets.h"
#include "base/cause.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/xalloc.h"

/* How many hosts may be connected or connecting ahead of their turn, for each that is worked on: few enough
 * that connections do not grow old while they wait. Hosts that are slow to connect, or known to be dead, do
 * not count: the dead must not stand in the way of the living. */
#define AHEAD_FACTOR  4
#define SLOW_AFTER_MS 50
#define SAVE_AGAIN_MS 5000
#define REPLACED_MOST 10 /* of those that were to go ahead and could not be reached */

/* preparing -> running <-> pausing (between stages) -> over. Whatever happens only changes lists and calls
 * run_wake; run_tick, from the loop, draws the consequences. */
enum run_phase { RUN_PREPARING, RUN_RUNNING, RUN_PAUSING, RUN_OVER };

struct active_run {
    const struct run_parts *parts;
    struct run_order order;
    struct run_watch watch;
    void (*over)(void *arg, struct active_run *run);
    void *over_arg;
    enum run_phase phase;
    bool watched;
    bool changes;
    bool recorded; /* in the store; reading goes on without when the disk is full */
    bool last_try; /* the daemon ends: what cannot be written down now is lost */
    struct run record;
    struct hosts hosts;
    struct profiles profiles;
    struct operation *records; /* one per host, same order */
    struct host_op *ops;       /* the same */
    uint32_t *line;            /* ops in the order in which they begin */
    uint32_t *places;          /* of each op in the line as it was planned, without regard to `urgent` */
    uint32_t *results;         /* ops in the order in which they ended */
    size_t result_count;

    size_t at;        /* next of `line` to begin */
    size_t stage;     /* from 1; 0 before the first */
    size_t stage_end; /* where in `line` the stage under way ends */
    size_t replaced;  /* of those that were to go ahead, could not be reached, and had their place taken */
    int64_t pause_until;
    size_t working;
    size_t ahead;
    size_t kept; /* ends that are in the store */
    bool end_kept;
    struct host_op *dialing; /* in the order in which they began */
    struct host_op *reached;
    struct host_op *held_back; /* their subnet is full */
    struct host_op *unsaved;   /* the store could not take their end */
    int64_t save_at;
    struct subnets *subnets;
    enum cause stop_cause; /* why nothing more begins */
    char *stop_text;
    uv_timer_t tick;
};

/* --- looking --- */

const struct run_parts *run_parts(const struct active_run *run)
{
    return run->parts;
}

const struct profiles *run_profiles(const struct active_run *run)
{
    return &run->profiles;
}

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
    return run->places[i];
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
    *stage = run->stage;
    *stages = stages_count(&run->order.stages, run->hosts.count);
    *wait_ms = run->phase == RUN_PAUSING ? run->pause_until - now_ms(run) : 0;
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
    free(order->target);
    free(order->who);
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
    free(run->line);
    free(run->places);
    free(run->results);
    free(run->stop_text);
    subnets_free(run->subnets);
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
    struct host_op *op = data;
    const struct run_order *order = &op->run->order;
    const struct task_keeping *keeping = order->task->keeping;
    bool has_new;

    if (tx_operation_end(tx, op->record, err) != 0)
        return -1;
    if (op->record->state == OPERATION_OK && host_op_settles(op, &has_new) &&
        tx_password_settle(tx, op->host->id, op->login.own->user, has_new, op->record->ended_ms, err) != 0)
        return -1;
    if (op->facts.count > 0 && tx_host_facts(tx, op->record->host_id, &op->facts, err) != 0)
        return -1;
    return keeping && keeping->settle
               ? keeping->settle(tx, order->args, &op->run->record, op->record, op->kept, err)
               : 0;
}

/* Of those that go ahead one that is switched off tells nothing, neither good nor bad: the next one in the
 * line goes ahead in its place, a few times. */
static bool replace(struct host_op *op)
{
    struct active_run *run = op->run;
    const char *cause = op->record->cause;

    if (run->replaced == REPLACED_MOST || run->stage_end == run->hosts.count || !cause ||
        strcmp(cause, cause_name(CAUSE_UNREACHABLE)) != 0)
        return false;
    run->replaced++;
    run->stage_end++;
    return true;
}

static void publish(struct host_op *op)
{
    struct active_run *run = op->run;

    op->phase = OP_OVER;
    run->results[run->result_count++] = (uint32_t)(op - run->ops);
    if (op->record->state == OPERATION_OK)
        run->record.ok++;
    else
        run->record.failed++;
    if (op->record->state == OPERATION_FAILED && run->order.stages.canary > 0 && run->stage == 1 &&
        !run->stop_text && !replace(op)) {
        run->stop_cause = CAUSE_CANCELLED;
        run->stop_text =
            xasprintf("not begun, because %s failed, one of those that went ahead", op->host->name);
    }
    if (run->order.stages.max_failures > 0 && run->record.failed >= run->order.stages.max_failures &&
        !run->stop_text) {
        run->stop_cause = CAUSE_CANCELLED;
        run->stop_text = xasprintf("not begun, because %u hosts had failed", run->record.failed);
    }
}

/* The result of a change is shown when it is in the store. If the store cannot take it, it is shown all the
 * same and the store is tried again until it can. */
static void op_saved(void *data, const struct err *failure)
{
    struct host_op *op = data;
    struct active_run *run = op->run;

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
    store_submit(run->parts->store, save_op, op_saved, op);
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

static void set_ahead(struct host_op *op, bool ahead)
{
    if (op->ahead == ahead)
        return;
    op->ahead = ahead;
    if (ahead)
        op->run->ahead++;
    else
        op->run->ahead--;
}

static void move_to(struct host_op *op, struct host_op **list)
{
    if (op->listed)
        DL_DELETE(*op->listed, op);
    op->listed = list;
    if (list)
        DL_APPEND(*list, op);
}

void run_op_reached(struct host_op *op)
{
    set_ahead(op, true);
    move_to(op, &op->run->reached);
    run_wake(op->run);
}

void run_op_yields(struct host_op *op)
{
    op->run->working--;
    move_to(op, &op->run->dialing);
    run_wake(op->run);
}

void run_op_over(struct host_op *op)
{
    struct active_run *run = op->run;

    set_ahead(op, false);
    move_to(op, NULL);
    if (op->in_subnet)
        subnets_leave(run->subnets, op->host->address ? op->host->address : op->host->name);
    op->in_subnet = false;
    if (!run->changes)
        publish(op);
    if (!run->recorded)
        run->kept++;
    else if (run->changes)
        store_submit(run->parts->store, save_op, op_saved, op);
    else
        store_submit_later(run->parts->store, save_op, op_saved, op);
    run_wake(run);
}

/* --- limits and stages --- */

/* Those that have been connecting for long stop counting. */
static void forgive_slow(struct active_run *run)
{
    int64_t now = now_ms(run);
    struct host_op *op;

    DL_FOREACH(run->dialing, op)
    {
        if (now - op->began_mono < SLOW_AFTER_MS)
            break;
        set_ahead(op, false);
    }
}

static bool begin(struct host_op *op)
{
    struct active_run *run = op->run;

    if (op->refusal) {
        host_op_spare(op, op->refusal->cause, op->refusal->text);
        return true;
    }
    if (!subnets_enter(run->subnets, op->host->address ? op->host->address : op->host->name)) {
        if (op->listed != &run->held_back)
            move_to(op, &run->held_back);
        return false;
    }
    op->in_subnet = true;
    set_ahead(op, !op->urgent);
    move_to(op, &run->dialing);
    host_op_dial(op);
    return true;
}

static void begin_more(struct active_run *run)
{
    size_t most = (size_t)run->order.parallel * AHEAD_FACTOR;
    struct host_op *op, *next;

    if (run->ahead >= most)
        forgive_slow(run);
    DL_FOREACH_SAFE(run->held_back, op, next)
    {
        if (run->ahead >= most)
            return;
        begin(op);
    }
    while (run->at < run->stage_end && run->ahead < most)
        begin(&run->ops[run->line[run->at++]]);
}

static void give_places(struct active_run *run)
{
    struct host_op *op;

    while ((op = run->reached) && run->working < run->order.parallel) {
        set_ahead(op, false);
        move_to(op, NULL);
        run->working++;
        host_op_go(op);
    }
}

static void spare_list(struct active_run *run, struct host_op *list)
{
    struct host_op *op, *next;

    DL_FOREACH_SAFE(list, op, next)
    if (op->trial == 0) /* with a password tried, something was sent */
        host_op_spare(op, run->stop_cause, run->stop_text);
}

/* Nothing more begins: what has sent nothing yet ends here. */
static void spare_rest(struct active_run *run)
{
    size_t first = run->at;

    spare_list(run, run->held_back);
    spare_list(run, run->dialing);
    spare_list(run, run->reached);
    run->at = run->stage_end = run->hosts.count;
    for (size_t i = first; i < run->hosts.count; i++)
        host_op_spare(&run->ops[run->line[i]], run->stop_cause, run->stop_text);
}

static void next_stage(struct active_run *run)
{
    size_t size = stages_size(&run->order.stages, run->hosts.count, run->at);

    run->phase = RUN_RUNNING;
    run->stage++;
    run->stage_end = run->hosts.count - run->at > size ? run->at + size : run->hosts.count;
}

static void end_run(struct active_run *run)
{
    run->phase = RUN_OVER;
    run->record.ended_ms = clock_wall(run->parts->clock);
    if (run->recorded)
        store_submit(run->parts->store, save_end, end_saved, run);
    else
        run->end_kept = true;
    run_wake(run);
}

static void advance(struct active_run *run)
{
    if (run->phase == RUN_PAUSING && (run->stop_text || now_ms(run) >= run->pause_until))
        next_stage(run);
    if (run->phase != RUN_RUNNING)
        return;
    if (run->stop_text)
        spare_rest(run);
    begin_more(run);
    give_places(run);
    if (run->result_count < run->stage_end)
        return;
    if (run->result_count == run->hosts.count) {
        end_run(run);
    } else if (run->order.pause_ms > 0) {
        run->phase = RUN_PAUSING;
        run->pause_until = now_ms(run) + run->order.pause_ms;
    } else {
        next_stage(run);
        run_wake(run);
    }
}

/* The next time by which something is due without anybody waking us. */
static void schedule(struct active_run *run)
{
    int64_t due = INT64_MAX;

    if (run->phase == RUN_PAUSING)
        due = run->pause_until;
    if (run->phase == RUN_RUNNING && run->at < run->stage_end && run->dialing)
        due = now_ms(run) + SLOW_AFTER_MS;
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
    if (run->stop_text || run->phase == RUN_OVER || run->phase == RUN_PREPARING)
        return 0;
    run->stop_cause = CAUSE_CANCELLED;
    run->stop_text = xasprintf("not begun, because the run was cancelled %s", why);
    run_wake(run);
    return run->hosts.count - run->at;
}

void run_interrupt(struct active_run *run)
{
    run->last_try = true;
    if (run->unsaved)
        save_again(run);
    if (run->phase == RUN_OVER)
        return;
    free(run->stop_text);
    run->stop_cause = CAUSE_NOT_STARTED;
    run->stop_text = xstrdup("amtd was stopped before anything was sent");
    for (size_t i = 0; run->phase != RUN_PREPARING && i < run->at; i++)
        host_op_interrupt(&run->ops[run->line[i]]);
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

    if (tx_target(tx, run->order.target, &run->hosts, err) != 0 ||
        tx_profiles(tx, &run->profiles, err) != 0 || check_profile(run, err) != 0 ||
        admit_run(tx, run, err) != 0 || too_many_unconfirmed(run, err) != 0)
        return -1;
    stages_settle(&run->order.stages, run->hosts.count,
                  run->order.task->careful && run->order.task->careful(run->order.args));
    run->records = xcalloc(run->hosts.count + 1, sizeof(*run->records));
    run->ops = xcalloc(run->hosts.count + 1, sizeof(*run->ops));
    for (size_t i = 0; i < run->hosts.count; i++)
        host_op_init(&run->ops[i], run, &run->hosts.items[i], &run->records[i]);
    run->record.task = xstrdup(run->order.task->name);
    run->record.args = xstrdup(run->order.args_text);
    run->record.target = xstrdup(run->order.target);
    run->record.who = xstrdup(run->order.who);
    run->record.began_ms = clock_wall(run->parts->clock);
    run->record.hosts = (uint32_t)run->hosts.count;
    if (run->order.dry_run)
        return 0;
    if (tx_run_add(tx, &run->record, run->records, run->hosts.count, err) != 0)
        return -1;
    admit_hosts(tx, run);
    return 0;
}

/* Who goes ahead is of those that answered last time; the others stand in natural order. */
static void plan_places(struct active_run *run)
{
    size_t n = run->hosts.count, ahead = 0, next = 0;

    for (size_t i = 0; i < n; i++) {
        bool chosen = ahead < run->order.stages.canary && !run->ops[i].urgent;

        run->places[i] = chosen ? (uint32_t)ahead++ : UINT32_MAX;
    }
    for (size_t i = 0; i < n; i++)
        if (run->places[i] == UINT32_MAX)
            run->places[i] = (uint32_t)(ahead + next++);
}

/* The order in which hosts begin: by their places, but within a stage those known to be dead first. */
static void line_up(struct active_run *run)
{
    const struct stages *stages = &run->order.stages;
    size_t n = run->hosts.count;
    uint32_t *at = xcalloc(n + 1, sizeof(*at)); /* by place */

    run->line = xcalloc(n + 1, sizeof(*run->line));
    run->places = xcalloc(n + 1, sizeof(*run->places));
    run->results = xcalloc(n + 1, sizeof(*run->results));
    plan_places(run);
    for (size_t i = 0; i < n; i++)
        at[run->places[i]] = (uint32_t)i;
    for (size_t begin_at = 0, k = 0; begin_at < n; begin_at += stages_size(stages, n, begin_at))
        for (int urgent = 1; urgent >= 0; urgent--)
            for (size_t i = begin_at; i < n && i - begin_at < stages_size(stages, n, begin_at); i++)
                if (run->ops[at[i]].urgent == urgent)
                    run->line[k++] = at[i];
    free(at);
}

static void prepared(void *data, const struct err *failure)
{
    struct active_run *run = data;

    run->recorded = failure == NULL;
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
        next_stage(run);
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
    run->subnets = subnets_new(run->order.per_subnet);
    uv_timer_init(parts->loop, &run->tick);
    run->tick.data = run;
    store_submit(parts->store, prepare, prepared, run);
    return run;
}
