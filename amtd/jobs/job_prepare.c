/* Runs of jobs begin, or are taken up where an earlier amtd left them. */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "amtd/jobs/job_run_internal.h"
#include "base/log.h"
#include "base/xalloc.h"

#define UNREADABLE "its job file cannot be read by this amtd"

/* --- preparing --- */

static int too_many_unconfirmed(const struct job_run *run, struct err *err)
{
    if (run->order.confirmed || run->order.dry_run || run->hosts.count <= RUN_ASK_ABOVE ||
        !job_changes(run->job))
        return 0;
    return err_set(err, CAUSE_REFUSED_UNCONFIRMED, "the job '%s' would change %zu hosts", run->job->name,
                   run->hosts.count);
}

static int check_profile(const struct job_run *run, struct err *err)
{
    for (size_t i = 0; run->order.profile && i < run->profiles.count; i++)
        if (strcmp(run->profiles.items[i].name, run->order.profile) == 0)
            return 0;
    return run->order.profile ? err_set(err, CAUSE_NOT_FOUND, "there is no profile '%s'", run->order.profile)
                              : 0;
}

static int admit_run(struct tx *tx, const struct job_run *run, struct err *err)
{
    for (size_t i = 0; i < run->job->count; i++) {
        const struct run_order *order = &run->orders[i];

        if (order->task && order->task->keeping && order->task->keeping->admit_run &&
            order->task->keeping->admit_run(tx, order->args, &run->hosts, err) != 0)
            return -1;
    }
    return 0;
}

static uint32_t chosen(int64_t ordered, int64_t of_job, uint32_t standard)
{
    return ordered >= 0 ? (uint32_t)ordered : of_job >= 0 ? (uint32_t)of_job : standard;
}

static struct rollout_settings settings_of(const struct job_run *run)
{
    const struct job_rollout *o = &run->order.rollout, *j = &run->job->rollout;
    int64_t pause = o->pause_ms >= 0 ? o->pause_ms : j->pause_ms;
    struct rollout_settings settings = {
        .parallel = chosen(o->parallel, j->parallel, RUN_PARALLEL_DEFAULT),
        .per_subnet = chosen(o->per_subnet, j->per_subnet, 0),
        .stages = {chosen(o->canary, j->canary, STAGES_CHOOSE), chosen(o->batch, j->batch, STAGES_CHOOSE),
                   chosen(o->max_failures, j->max_failures, STAGES_CHOOSE)},
        .pause_ms = pause >= 0 ? pause : 0,
    };
    bool careful = false;

    for (size_t i = 0; i < run->job->count; i++)
        careful = careful || (run->orders[i].task && run->orders[i].task->careful &&
                              run->orders[i].task->careful(run->orders[i].args));
    stages_settle(&settings.stages, run->hosts.count, careful);
    return settings;
}

static json_t *settings_json(const struct rollout_settings *s, const struct job_order *order)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:i, s:b, s:s*, s:s*, s:s*}", "parallel",
                     (json_int_t)s->parallel, "per_subnet", (json_int_t)s->per_subnet, "canary",
                     (json_int_t)s->stages.canary, "batch", (json_int_t)s->stages.batch, "max_failures",
                     (json_int_t)s->stages.max_failures, "pause_ms", (json_int_t)s->pause_ms, "everywhere",
                     (int)order->everywhere, "as_amtd", order->user == NULL, "profile", order->profile,
                     "window", order->window, "zone", order->zone);
}

static bool is_urgent(const struct host *host)
{
    const char *reach = pairs_get(&host->facts, "reach");

    return reach && strcmp(reach, cause_name(CAUSE_UNREACHABLE)) == 0;
}

static void make_rollout(struct job_run *run)
{
    const struct rollout_settings settings = settings_of(run);
    struct rollout_owner owner = job_run_turns;
    struct rollout_host *hosts = xcalloc(run->hosts.count + 1, sizeof(*hosts));

    for (size_t i = 0; i < run->hosts.count; i++) {
        const struct host *host = &run->hosts.items[i];

        hosts[i].address = host->address ? host->address : host->name;
        hosts[i].urgent = is_urgent(host);
    }
    owner.arg = run;
    run->rollout = rollout_new(&settings, &owner, hosts, run->hosts.count);
    free(hosts);
}

static void make_members(struct job_run *run)
{
    run->members = xcalloc(run->hosts.count + 1, sizeof(*run->members));
    for (size_t i = 0; i < run->hosts.count; i++) {
        struct job_host *h = &run->members[i];

        h->run = run;
        h->host = &run->hosts.items[i];
        h->record = &run->records[i];
        xreplace(&h->record->host, h->host->name);
        h->record->host_id = h->host->id;
        h->record->run_id = run->record.run.id;
    }
}

static char *order_text(const struct job_run *run)
{
    json_t **at = xcalloc(run->hosts.count + 1, sizeof(json_t *)), *list = json_array();
    char *text;

    for (size_t i = 0; i < run->hosts.count; i++)
        at[rollout_place(run->rollout, i)] = json_integer(run->hosts.items[i].id);
    for (size_t i = 0; i < run->hosts.count; i++)
        json_array_append_new(list, at[i]);
    text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    free(at);
    return text;
}

static void fill_record(struct job_run *run)
{
    struct rollout_settings settings = settings_of(run);
    json_t *json = settings_json(&settings, &run->order);
    struct job_record *r = &run->record;

    r->run.task = xstrdup("job");
    r->run.target = xstrdup(run->order.target);
    r->run.who = xstrdup(run->order.who);
    r->run.began_ms = clock_wall(run->parts->run->clock);
    r->run.hosts = (uint32_t)run->hosts.count;
    r->name = xstrdup(run->job->name);
    r->hash = xstrdup(run->job->hash);
    r->text = xstrdup(run->order.text);
    r->files = run->order.files ? json_dumps(run->order.files, JSON_COMPACT) : xstrdup("{}");
    r->settings = json_dumps(json, JSON_COMPACT);
    r->order = order_text(run);
    r->schedule = xstrdup(run->order.schedule);
    r->reaction = xstrdup(run->order.reaction);
    r->event = run->order.event ? json_dumps(run->order.event, JSON_COMPACT) : NULL;
    r->uid = run->order.uid;
    r->retry_of = run->order.retry_of;
    json_decref(json);
    json = json_pack("{s:s}", "job", run->job->name);
    r->run.args = json_dumps(json, JSON_COMPACT);
    json_decref(json);
}

/* On the store's thread: everything the run needs, in one transaction. */
static int prepare(struct tx *tx, void *data, struct err *err)
{
    struct job_run *run = data;

    if (tx_target_of(tx, run->order.target, run->order.who, run->order.user, job_role(run->job), &run->hosts,
                     &run->order.everywhere, err) != 0 ||
        tx_profiles(tx, &run->profiles, err) != 0 || check_profile(run, err) != 0 ||
        admit_run(tx, run, err) != 0 || too_many_unconfirmed(run, err) != 0)
        return -1;
    run->records = xcalloc(run->hosts.count + 1, sizeof(*run->records));
    make_rollout(run);
    fill_record(run);
    make_members(run);
    return run->order.dry_run ? 0 : tx_job_add(tx, &run->record, run->records, run->hosts.count, err);
}

static void refuse(struct job_run *run, const struct err *err)
{
    job_run_tell_refusal(run, err);
    run->phase = JOB_ENDED;
    run->ended_saved = true;
}

static void prepared(void *data, const struct err *failure)
{
    struct job_run *run = data;
    struct job_viewer *viewer, *next;

    run->pending--;
    if (failure) {
        refuse(run, failure);
    } else {
        for (size_t i = 0; i < run->hosts.count; i++)
            run->records[i].run_id = run->record.run.id;
        run->phase = run->order.dry_run ? JOB_ENDED : JOB_RUNNING;
        run->ended_saved = run->order.dry_run;
        job_run_hold_at_first(run, false);
        DL_FOREACH_SAFE(run->viewers, viewer, next)
        viewer->watch.ready(viewer->watch.arg, run);
    }
    job_run_wake(run);
}

/* --- taking up --- */

/* Who began one before there were roles on collections had his everywhere. */
static enum api_role everywhere_of(const json_t *settings)
{
    const json_t *role = json_object_get(settings, "everywhere");
    json_int_t value = json_integer_value(role);

    if (!role)
        return ROLE_OPERATE;
    return value >= ROLE_NONE && value <= ROLE_ADMINISTER ? (enum api_role)value : ROLE_NONE;
}

static void fill_order(struct job_run *run)
{
    json_t *settings = json_loads(run->record.settings, 0, NULL), *as_amtd;
    struct job_rollout *r = &run->order.rollout;

    r->parallel = json_integer_value(json_object_get(settings, "parallel"));
    r->per_subnet = json_integer_value(json_object_get(settings, "per_subnet"));
    r->canary = json_integer_value(json_object_get(settings, "canary"));
    r->batch = json_integer_value(json_object_get(settings, "batch"));
    r->max_failures = json_integer_value(json_object_get(settings, "max_failures"));
    r->pause_ms = json_integer_value(json_object_get(settings, "pause_ms"));
    if (r->parallel < 1)
        r->parallel = RUN_PARALLEL_DEFAULT;
    run->order.everywhere = everywhere_of(settings);
    run->order.window = xstrdup(json_string_value(json_object_get(settings, "window")));
    run->order.zone = xstrdup(json_string_value(json_object_get(settings, "zone")));
    run->order.profile = xstrdup(json_string_value(json_object_get(settings, "profile")));
    run->order.target = xstrdup(run->record.run.target);
    run->order.who = xstrdup(run->record.run.who);
    run->order.uid = run->record.uid;
    run->order.schedule = xstrdup(run->record.schedule);
    run->order.reaction = xstrdup(run->record.reaction);
    as_amtd = json_object_get(settings, "as_amtd"); /* earlier ones: those of reactions */
    run->order.as_amtd = as_amtd ? json_is_true(as_amtd) : run->record.reaction != NULL;
    if (run->record.event)
        run->order.event = json_loads(run->record.event, 0, NULL);
    run->order.confirmed = true;
    json_decref(settings);
}

/* The hosts as the run has them, some of which may have been removed since. */
static void match_hosts(struct job_run *run, struct hosts *there, size_t count)
{
    run->hosts.items = xcalloc(count + 1, sizeof(*run->hosts.items));
    run->hosts.count = count;
    for (size_t i = 0, k = 0; i < count; i++) {
        struct host *host = &run->hosts.items[i];

        for (k = 0; k < there->count && there->items[k].id != run->records[i].host_id;)
            k++;
        if (k < there->count) {
            *host = there->items[k];
            there->items[k] = there->items[--there->count];
        } else {
            host->id = run->records[i].host_id;
            host->name = xstrdup(run->records[i].host);
        }
    }
    hosts_clear(there);
}

static int load(struct tx *tx, void *data, struct err *err)
{
    struct job_run *run = data;
    struct hosts there = {0};
    struct run again = {0};
    size_t count = 0;

    if (tx_run_get(tx, run->record.run.id, &again, &run->records, &count, err) != 0 ||
        tx_job_hosts(tx, run->record.run.id, &there, err) != 0 || tx_profiles(tx, &run->profiles, err) != 0 ||
        tx_job_results(tx, run->record.run.id, 0, &run->past, &run->past_count, err) != 0) {
        for (size_t i = 0; i < count; i++)
            operation_clear(&run->records[i]);
        free(run->records);
        run->records = NULL;
        run_clear(&again);
        hosts_clear(&there);
        return -1;
    }
    run_clear(&again);
    match_hosts(run, &there, count);
    make_rollout(run);
    make_members(run);
    return tx_job_bar(tx, run, err);
}

static void restore_places(struct job_run *run)
{
    uint32_t *places = xcalloc(run->hosts.count + 1, sizeof(*places));
    json_t *list = json_loads(run->record.order, 0, NULL);
    size_t known = 0;

    if (json_array_size(list) == run->hosts.count) {
        json_t *id;
        size_t place;

        json_array_foreach(list, place, id)
        {
            for (size_t i = 0; i < run->hosts.count; i++) {
                if (run->hosts.items[i].id == json_integer_value(id)) {
                    places[i] = (uint32_t)place;
                    known++;
                    break;
                }
            }
        }
    }
    if (known == run->hosts.count)
        rollout_set_places(run->rollout, places);
    json_decref(list);
    free(places);
}

static size_t results_of(const struct job_run *run, int64_t host_id, size_t *count)
{
    size_t low = 0, high = run->past_count, end;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (run->past[middle].operation.host_id < host_id)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < run->past_count && run->past[end].operation.host_id == host_id;)
        end++;
    *count = end - low;
    return low;
}

static void restore_host(struct job_run *run, size_t i)
{
    struct job_host *h = &run->members[i];
    const struct operation *record = h->record;
    size_t count, first = results_of(run, record->host_id, &count);
    bool begun = job_host_restore(h, run->past + first, count);

    for (size_t k = 0; k < run->job->count; k++)
        if (job_run_result(run, i, (uint32_t)k))
            job_run_add_news(run, h, (uint32_t)k);
    for (size_t k = 0; k < run->job->count; k++)
        if (job_run_result(run, i, (uint32_t)(JOB_UNDO_BASE + k)))
            job_run_add_news(run, h, (uint32_t)(JOB_UNDO_BASE + k));
    if (record->state == OPERATION_OK || record->state == OPERATION_FAILED) {
        h->over = true;
        rollout_was(run->rollout, i, record->state == OPERATION_OK,
                    record->cause ? cause_by_name(record->cause) : CAUSE_NONE, h->host->name);
        job_run_add_news(run, h, JOB_HOST_ENDED);
    } else if (begun) {
        rollout_resume(run->rollout, i);
    }
}

/* This amtd does not understand what another one did: the run ends here. */
static int abandon(struct tx *tx, void *data, struct err *err)
{
    const struct job_run *run = data;

    return tx_job_abandon(tx, run->record.run.id, clock_wall(run->parts->run->clock), &run->refusal, err);
}

static void abandoned(void *data, const struct err *failure)
{
    struct job_run *run = data;

    run->pending--;
    log_err(NULL, "run=%lld of job %s is ended: %s", (long long)run->record.run.id, run->record.name,
            failure ? failure->text : run->refusal.text);
    refuse(run, &run->refusal);
    job_run_wake(run);
}

static void loaded(void *data, const struct err *failure)
{
    struct job_run *run = data;
    struct job_viewer *viewer, *next;

    run->pending--;
    if (failure) {
        log_err(NULL, "run=%lld of job %s cannot be taken up: %s", (long long)run->record.run.id,
                run->record.name, failure->text);
        refuse(run, failure);
        job_run_wake(run);
        return;
    }
    restore_places(run);
    for (size_t i = 0; i < run->hosts.count; i++)
        restore_host(run, i);
    run->phase = JOB_RUNNING;
    job_run_hold_at_first(run, run->record.state == JOB_RUN_PAUSED && !run->record.held);
    if (run->record.state == JOB_RUN_CANCELLED) {
        run->cancelled = true;
        run->cancel_text = xstrdup("the run was cancelled");
        rollout_stop(run->rollout, CAUSE_CANCELLED, run->cancel_text);
    }
    job_run_tell_barred(run, "taken up");
    log_info(NULL, "run=%lld of job %s is taken up: %u of %zu hosts were over", (long long)run->record.run.id,
             run->record.name, run->record.run.ok + run->record.run.failed, run->hosts.count);
    DL_FOREACH_SAFE(run->viewers, viewer, next)
    viewer->watch.ready(viewer->watch.arg, run);
    job_run_wake(run);
}

void job_run_load(struct job_run *run)
{
    store_submit(run->parts->run->store, load, loaded, run);
}

/* --- beginning --- */

static void make_order(struct job_run *run, struct run_order *order, const char *task, const json_t *args,
                       int64_t timeout_ms)
{
    struct err err = ERR_INIT;

    order->task = task_by_name(task);
    order->args = xcalloc(1, order->task->args_size + 1);
    if (order->task->parse(order->args, args, &err) != 0) /* job_read tried it */
        log_err(NULL, "job %s: %s", run->job->name, err.text);
    order->who = xstrdup(run->order.who);
    order->profile = xstrdup(run->order.profile);
    order->timeout_ms = timeout_ms;
    order->confirmed = true;
}

static struct cron *window_of(const struct job_order *order)
{
    struct err err = ERR_INIT;
    struct cron *window = order->window ? cron_every(3600000, 0, order->zone, &err) : NULL;

    if (window && cron_set_window(window, order->window, &err) == 0)
        return window;
    if (order->window) /* it was read when the schedule was added */
        log_err(NULL, "schedule=%s: %s", order->schedule, err.text);
    cron_free(window);
    return NULL;
}

static void make_orders(struct job_run *run)
{
    json_t *status = json_pack("{s:s}", "action", "status");
    struct err err = ERR_INIT;

    run->window = window_of(&run->order);
    run->orders = xcalloc(run->job->count + 1, sizeof(*run->orders));
    run->queries = xcalloc(run->job->count + 1, sizeof(struct query *));
    run->undo_labels = xcalloc(run->job->count + 1, sizeof(char *));
    for (size_t i = 0; i < run->job->count; i++) {
        const struct job_task *task = &run->job->tasks[i];

        if (task->engine) /* what is done again and again has its time for all of it */
            make_order(run, &run->orders[i], task->engine->name, task->task_args,
                       task->kind->met ? 0 : job_task_timeout(task));
        run->undo_labels[i] = xasprintf("undo-%s", task->name);
        if (task->when)
            run->queries[i] = query_parse(task->when, &err);
    }
    make_order(run, &run->probe, "power", status, 0);
    json_decref(status);
}

static struct job_run *run_new(const struct job_parts *parts, void (*over)(void *arg, struct job_run *run),
                               void *over_arg)
{
    struct job_run *run = xcalloc(1, sizeof(*run));

    run->parts = parts;
    run->over = over;
    run->over_arg = over_arg;
    run->owner = (struct op_owner){.arg = run,
                                   .parts = parts->run,
                                   .profiles = &run->profiles,
                                   .reached = job_host_reached,
                                   .yields = job_host_yields,
                                   .over = job_host_over,
                                   .note_start = job_host_note_start,
                                   .accepted = job_host_accepted,
                                   .patient = true};
    uv_timer_init(parts->run->loop, &run->tick);
    run->tick.data = run;
    run->pending = 1;
    return run;
}

struct job_run *job_run_begin(const struct job_parts *parts, struct job_order *order,
                              void (*over)(void *arg, struct job_run *run), void *over_arg)
{
    struct job_run *run = run_new(parts, over, over_arg);

    run->order = *order;
    run->job = order->job;
    run->order.as_amtd = order->user == NULL;
    memset(order, 0, sizeof(*order));
    make_orders(run);
    store_submit(parts->run->store, prepare, prepared, run);
    return run;
}

struct job_run *job_run_resume(const struct job_parts *parts, struct job_record *record,
                               void (*over)(void *arg, struct job_run *run), void *over_arg)
{
    struct job_run *run = run_new(parts, over, over_arg);
    json_t *files = json_loads(record->files, 0, NULL);
    struct job_reading reading;

    run->resumed = true;
    run->record = *record;
    memset(record, 0, sizeof(*record));
    run->job = run->order.job =
        job_read(run->record.name, run->record.text, strlen(run->record.text), files, &reading);
    json_decref(files);
    job_reading_clear(&reading);
    if (run->job) {
        fill_order(run);
        make_orders(run);
        job_run_ask_rights(run);
    } else {
        err_set(&run->refusal, CAUSE_INVALID_ARGUMENT, UNREADABLE);
        store_submit(parts->run->store, abandon, abandoned, run);
    }
    return run;
}
