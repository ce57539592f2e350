/* The run of a job as a whole; job_host.c has what one host does in it. */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "amtd/fleet/engine.h"
#include "amtd/jobs/job_run_internal.h"
#include "base/log.h"
#include "base/xalloc.h"

#define WINDOW_LOOK_MS 15000 /* the clock may be set meanwhile */

static void run_tick(uv_timer_t *timer);
static void look_at_window(struct job_run *run);
static void look_at_stage(struct job_run *run, int64_t now_ms);

void job_run_wake(struct job_run *run)
{
    uv_timer_start(&run->tick, run_tick, 0, 0);
}

void job_run_ready(struct job_host *h, void (*then)(struct job_host *h))
{
    h->then = then;
    if (!h->listed)
        DL_APPEND(h->run->ready, h);
    h->listed = true;
    job_run_wake(h->run);
}

/* --- looking --- */

bool job_run_is_ready(const struct job_run *run)
{
    return run->phase != JOB_PREPARING;
}

bool job_run_is_over(const struct job_run *run)
{
    return run->phase == JOB_ENDED;
}

const struct job_record *job_run_record(const struct job_run *run)
{
    return &run->record;
}

const struct job *job_run_job(const struct job_run *run)
{
    return run->job;
}

const struct job_order *job_run_order(const struct job_run *run)
{
    return &run->order;
}

const struct hosts *job_run_hosts(const struct job_run *run)
{
    return &run->hosts;
}

void job_run_stage(const struct job_run *run, size_t *stage, size_t *stages, int64_t *wait_ms)
{
    int64_t begins_ms;

    rollout_stage(run->rollout, stage, stages, &begins_ms);
    *wait_ms = begins_ms > 0 ? begins_ms - clock_mono(run->parts->run->clock) : 0;
}

size_t job_run_news(const struct job_run *run)
{
    return run->news_count;
}

struct job_news job_run_news_at(const struct job_run *run, size_t i)
{
    return run->news[i];
}

const struct job_result *job_run_result(const struct job_run *run, size_t host, uint32_t task)
{
    const struct job_host *h = &run->members[host];
    const struct job_result *results = task < JOB_UNDO_BASE ? h->results : h->undone;
    const struct job_result *result = results ? &results[task % JOB_UNDO_BASE] : NULL;

    return result && result->label ? result : NULL;
}

const struct operation *job_run_host(const struct job_run *run, size_t host)
{
    return &run->records[host];
}

/* --- watchers --- */

struct job_viewer *job_run_watch(struct job_run *run, const struct job_watch *watch)
{
    struct job_viewer *viewer = xcalloc(1, sizeof(*viewer));

    viewer->run = run;
    viewer->watch = *watch;
    DL_APPEND(run->viewers, viewer);
    job_run_wake(run);
    return viewer;
}

void job_run_unwatch(struct job_viewer *viewer)
{
    struct job_run *run = viewer->run;

    DL_DELETE(run->viewers, viewer);
    free(viewer);
    job_run_wake(run);
}

static void tell_news(struct job_run *run)
{
    struct job_viewer *viewer, *next;

    DL_FOREACH_SAFE(run->viewers, viewer, next)
    viewer->watch.news(viewer->watch.arg, run);
}

void job_run_add_news(struct job_run *run, const struct job_host *h, uint32_t task)
{
    if (run->news_count == run->news_cap) {
        run->news_cap = run->news_cap > 0 ? run->news_cap * 2 : 64;
        run->news = xreallocarray(run->news, run->news_cap, sizeof(*run->news));
    }
    run->news[run->news_count++] = (struct job_news){(uint32_t)(h - run->members), task};
    job_run_wake(run);
}

void job_run_tell_refusal(struct job_run *run, const struct err *err)
{
    struct job_viewer *viewer, *next;

    DL_FOREACH_SAFE(run->viewers, viewer, next)
    {
        viewer->watch.refused(viewer->watch.arg, err);
        DL_DELETE(run->viewers, viewer);
        free(viewer);
    }
}

/* --- life --- */

void job_order_clear(struct job_order *order)
{
    job_free(order->job);
    free(order->text);
    json_decref(order->files);
    free(order->target);
    free(order->who);
    free(order->profile);
    user_free(order->user);
    free(order->schedule);
    free(order->reaction);
    free(order->window);
    free(order->zone);
    json_decref(order->event);
    memset(order, 0, sizeof(*order));
}

static void run_closed(uv_handle_t *handle)
{
    struct job_run *run = handle->data;

    for (size_t i = 0; i < run->hosts.count; i++) {
        if (run->members)
            job_host_clear(&run->members[i]);
        if (run->records)
            operation_clear(&run->records[i]);
    }
    for (size_t i = 0; run->orders && i < run->job->count; i++) {
        run_order_clear(&run->orders[i]);
        query_free(run->queries[i]);
        free(run->undo_labels[i]);
    }
    for (size_t i = 0; i < run->past_count; i++)
        job_result_clear(&run->past[i]);
    free(run->past);
    free(run->orders);
    free(run->queries);
    free(run->undo_labels);
    run_order_clear(&run->probe);
    free(run->members);
    free(run->records);
    free(run->news);
    free(run->cancel_text);
    cron_free(run->window);
    rollout_free(run->rollout);
    hosts_clear(&run->hosts);
    profiles_clear(&run->profiles);
    job_record_clear(&run->record);
    job_order_clear(&run->order);
    free(run);
}

static bool run_may_go(const struct job_run *run)
{
    if (run->pending > 0 || run->told)
        return false;
    return run->dropped || (run->phase == JOB_ENDED && run->ended_saved && !run->viewers && !run->unsaved);
}

static void run_go(struct job_run *run)
{
    run->told = true;
    run->over(run->over_arg, run);
    uv_close((uv_handle_t *)&run->tick, run_closed);
}

/* --- turns --- */

static void host_begins(void *arg, size_t host)
{
    struct job_run *run = arg;

    rollout_reached(run->rollout, host); /* a host is under way from its first task to its last */
}

static void host_goes(void *arg, size_t host)
{
    struct job_run *run = arg;

    job_run_ready(&run->members[host], job_host_go);
}

static void host_is_spared(void *arg, size_t host, enum cause cause, const char *text)
{
    struct job_run *run = arg;
    struct err err = ERR_INIT;

    if (run->members[host].results) /* begun in another life */
        return;
    err_set(&err, cause, "%s", text);
    job_host_end(&run->members[host], &err);
}

const struct rollout_owner job_run_turns = {NULL, host_begins, host_goes, host_is_spared};

static void work_ready(struct job_run *run)
{
    struct job_host *h;

    while ((h = run->ready) && !run->dropped) {
        void (*then)(struct job_host * h) = h->then;

        DL_DELETE(run->ready, h);
        h->listed = false;
        h->then = NULL;
        then(h);
    }
}

static void schedule(struct job_run *run)
{
    int64_t due = run->phase == JOB_RUNNING ? run->due : INT64_MAX;

    if (run->save_at > 0 && run->save_at < due)
        due = run->save_at;
    if (due == INT64_MAX || run->dropped || uv_is_active((uv_handle_t *)&run->tick))
        return;
    due -= clock_mono(run->parts->run->clock);
    uv_timer_start(&run->tick, run_tick, due > 0 ? (uint64_t)due : 0, 0);
}

static void advance(struct job_run *run)
{
    int64_t now = clock_mono(run->parts->run->clock);

    if (run->save_at > 0 && now >= run->save_at)
        job_run_save_again(run);
    if (run->phase != JOB_RUNNING)
        return;
    look_at_window(run);
    look_at_stage(run, now);
    run->due = rollout_advance(run->rollout, now);
    if (run->window && run->due > now + WINDOW_LOOK_MS)
        run->due = now + WINDOW_LOOK_MS;
    work_ready(run);
    if (run->kept_changed) {
        run->kept_changed = false;
        for (size_t i = 0; i < run->job->count; i++)
            if (run->orders[i].task && run->orders[i].task->keeping)
                engine_tell_over(run->parts->engine, &run->orders[i]);
    }
    if (rollout_is_done(run->rollout))
        job_run_end(run);
}

static void run_tick(uv_timer_t *timer)
{
    struct job_run *run = timer->data;

    if (!run->dropped) {
        advance(run);
        if (run->phase != JOB_PREPARING)
            tell_news(run);
    }
    if (run_may_go(run))
        run_go(run);
    else
        schedule(run);
}

/* --- what is done to all of it --- */

static int save_state(struct tx *tx, void *data, struct err *err)
{
    const struct job_run *run = data;

    return tx_job_state(tx, run->record.run.id, run->record.state, run->record.held, err);
}

static void state_saved(void *data, const struct err *failure)
{
    struct job_run *run = data;

    run->pending--;
    if (failure)
        log_err(NULL, "run=%lld that it is paused or cancelled could not be written down: %s",
                (long long)run->record.run.id, failure->text);
    job_run_wake(run);
}

static void set_state(struct job_run *run)
{
    run->record.state = run->cancelled             ? JOB_RUN_CANCELLED
                        : run->paused || run->held ? JOB_RUN_PAUSED
                                                   : JOB_RUN_GOING;
    run->record.held = run->record.state == JOB_RUN_PAUSED && !run->paused;
    run->pending++;
    store_submit(run->parts->run->store, save_state, state_saved, run);
}

static void wake_hosts(struct job_run *run)
{
    for (size_t i = 0; i < run->hosts.count; i++)
        job_host_wake(&run->members[i]);
    job_run_wake(run);
}

bool job_run_is_held(const struct job_run *run)
{
    return run->paused || run->held || run->checking;
}

/* It is held now, or not any more. What was held does not count for the time that hosts have. */
static void apply_hold(struct job_run *run, bool was)
{
    int64_t now = clock_mono(run->parts->run->clock);
    bool is = job_run_is_held(run);

    rollout_hold(run->rollout, is);
    if (is && !was)
        run->held_since = now;
    run->was_held = true;
    for (size_t i = 0; was && !is && i < run->hosts.count; i++)
        if (run->members[i].deadline_mono > 0)
            run->members[i].deadline_mono += now - run->held_since;
    if (was && !is)
        wake_hosts(run);
}

static void checked(struct job_run *run)
{
    run->checking = false;
    if (!run->cancelled)
        apply_hold(run, true);
}

static void check_rights(struct job_run *run)
{
    run->checking = true;
    job_run_ask_rights_again(run, checked);
}

static void hold(struct job_run *run, bool paused, bool held)
{
    bool was = job_run_is_held(run);

    run->paused = paused;
    run->held = held;
    if (was && !job_run_is_held(run) && !run->order.as_amtd)
        check_rights(run);
    apply_hold(run, was);
    set_state(run);
}

/* A stage is about to begin after a pause: as one who may do it still. */
static void look_at_stage(struct job_run *run, int64_t now_ms)
{
    size_t stage, stages;
    int64_t begins_ms;

    rollout_stage(run->rollout, &stage, &stages, &begins_ms);
    if (begins_ms == 0 || now_ms < begins_ms || run->checked_stage == stage || job_run_is_held(run) ||
        run->cancelled || run->order.as_amtd)
        return;
    run->checked_stage = stage;
    check_rights(run);
    apply_hold(run, false);
}

static bool is_outside(const struct job_run *run)
{
    return run->window && !cron_is_within(run->window, clock_wall(run->parts->run->clock));
}

void job_run_hold_at_first(struct job_run *run, bool paused)
{
    run->paused = paused;
    run->held = is_outside(run);
    run->held_since = clock_mono(run->parts->run->clock);
    if (run->rollout)
        rollout_hold(run->rollout, job_run_is_held(run));
    if (run->held != run->record.held)
        set_state(run);
}

static void look_at_window(struct job_run *run)
{
    bool outside = is_outside(run);

    if (run->cancelled || run->held == outside)
        return;
    log_info(NULL, "run=%lld of job %s %s", (long long)run->record.run.id, run->job->name,
             outside ? "waits for its window" : "goes on, within its window");
    hold(run, run->paused, outside);
}

void job_run_pause(struct job_run *run, bool on)
{
    if (run->phase == JOB_RUNNING && !run->cancelled && run->paused != on)
        hold(run, on, run->held);
}

size_t job_run_cancel(struct job_run *run, const char *why)
{
    size_t begun;

    if (run->phase != JOB_RUNNING || run->cancelled)
        return 0;
    begun = rollout_begun(run->rollout);
    run->cancelled = true;
    run->paused = run->held = false;
    run->cancel_text = xasprintf("the run was cancelled %s", why);
    rollout_hold(run->rollout, false);
    rollout_stop(run->rollout, CAUSE_CANCELLED, run->cancel_text);
    set_state(run);
    wake_hosts(run);
    return run->hosts.count - begun;
}

void job_run_drop(struct job_run *run)
{
    struct err err = ERR_INIT;
    struct saving *s, *next;

    run->dropped = true;
    err_set(&err, CAUSE_NOT_STARTED, "amtd ends; the run goes on with the next one");
    job_run_tell_refusal(run, &err);
    DL_FOREACH_SAFE(run->unsaved, s, next)
    job_run_saving_free(s);
    run->unsaved = NULL;
    for (size_t i = 0; run->members && i < run->hosts.count; i++)
        job_host_drop(&run->members[i]);
    job_run_wake(run);
}
