#include "amtd/jobs/schedules.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "amtd/discover/discovery.h"
#include "amtd/store/event.h"
#include "base/log.h"
#include "base/xalloc.h"

#define LOOK_MOST_MS 30000    /* between two looks: the clock may be set meanwhile */
#define LATE_MS      90000    /* later than this, amtd was not there when it was due */
#define APART_MS     15000    /* between schedules that are caught up on */
#define REPEAT_MS    10800000 /* a clock that is put back by less does not bring again what was done */

struct schedules {
    uv_timer_t timer; /* first: freed in its close callback */
    const struct job_parts *parts;
    struct jobs *jobs;
    struct schedule *items; /* as the store has them */
    size_t count;
    bool looking, again, closing;
    int64_t not_before_ms; /* wall clock: the next that is caught up on */
    size_t pending;        /* works with the store, and runs that are not ready */
    struct sweeping *sweeps;
    bool looked; /* once, at least */
};

struct cron *schedule_cron(const struct schedule *s, struct err *err)
{
    struct cron *cron =
        s->cron ? cron_parse(s->cron, s->zone, err) : cron_every(s->every_ms, s->created_ms, s->zone, err);

    if (cron && s->window && cron_set_window(cron, s->window, err) != 0) {
        cron_free(cron);
        return NULL;
    }
    if (cron && cron_next(cron, s->created_ms) == 0) {
        cron_free(cron);
        err_set(err, CAUSE_INVALID_ARGUMENT, "none of its times is within %s", s->window);
        return NULL;
    }
    return cron;
}

static void closed(uv_handle_t *handle)
{
    struct schedules *s = (struct schedules *)handle;

    for (size_t i = 0; i < s->count; i++)
        schedule_clear(&s->items[i]);
    free(s->items);
    free(s);
}

static void maybe_close(struct schedules *s)
{
    if (s->closing && !s->looking && s->pending == 0 && !s->sweeps &&
        !uv_is_closing((uv_handle_t *)&s->timer))
        uv_close((uv_handle_t *)&s->timer, closed);
}

/* --- what became of one --- */

struct outcome {
    struct schedules *schedules;
    struct job_viewer *viewer;
    int64_t id, at_ms, run, sweep;
    char *name, *who, *target, *job;
    char *note;                          /* why it was not begun */
    struct job_order order;              /* until it is known who that is */
    struct discovery_order *sweep_order; /* instead; the same */
    bool adds, resumes;                  /* that sweep adds hosts; is one that was left */
    struct user *user;
};

static void outcome_free(struct outcome *o)
{
    job_order_clear(&o->order);
    if (o->sweep_order)
        discovery_order_clear(o->sweep_order);
    free(o->sweep_order);
    user_free(o->user);
    free(o->name);
    free(o->who);
    free(o->target);
    free(o->job);
    free(o->note);
    free(o);
}

static int outcome_work(struct tx *tx, void *data, struct err *err)
{
    const struct outcome *o = data;

    return tx_schedule_done(tx, o->id, o->at_ms, o->run, o->sweep, o->note, err);
}

static void outcome_kept(void *data, const struct err *failure)
{
    struct outcome *o = data;
    struct schedules *s = o->schedules;

    if (failure)
        log_err(NULL, "schedule=%s could not be written down: %s", o->name, failure->text);
    s->pending--;
    outcome_free(o);
    if (!s->closing)
        schedules_look(s);
    maybe_close(s);
}

static void keep(struct outcome *o)
{
    store_submit(o->schedules->parts->run->store, outcome_work, outcome_kept, o);
}

static void leave_out(struct outcome *o, const char *why)
{
    char *text = xasprintf("schedule %s: not begun: %s", o->name, why);

    event_raise(o->schedules->parts->events,
                &(struct event_report){.kind = EVENT_JOB, .severity = SEVERITY_WARNING, .text = text});
    free(text);
    o->note = xstrdup(why);
    keep(o);
}

/* For the activity log. */
static void note(const struct outcome *o, const struct hosts *hosts, const struct err *err)
{
    const struct job_parts *parts = o->schedules->parts;
    char *by = xasprintf("schedule %s", o->name);
    char *what = o->sweep_order ? xstrdup("discover.start") : xasprintf("job.run %s", o->job);
    char *detail = o->sweep > 0 ? xasprintf("sweep %lld", (long long)o->sweep) : NULL;

    parts->note(parts->arg,
                &(struct job_deed){o->who, by, what, o->target, hosts, o->run, detail, err, NULL});
    free(detail);
    free(what);
    free(by);
}

/* amtd ends before it could begin. */
static void give_up(struct outcome *o)
{
    struct schedules *s = o->schedules;

    s->pending--;
    outcome_free(o);
    maybe_close(s);
}

static void run_ready(void *arg, struct job_run *run)
{
    struct outcome *o = arg;

    o->run = job_run_record(run)->run.id;
    log_info(NULL, "schedule=%s began run %lld", o->name, (long long)o->run);
    note(o, job_run_hosts(run), NULL);
    job_run_unwatch(o->viewer);
    keep(o);
}

static void run_refused(void *arg, const struct err *err)
{
    struct outcome *o = arg;

    note(o, NULL, err);
    leave_out(o, err->text);
}

static void run_news(void *arg, struct job_run *run)
{
    (void)arg;
    (void)run;
}

/* --- one that is due --- */

static int64_t setting(const json_t *settings, const char *name)
{
    const json_t *value = json_object_get(settings, name);

    return value ? json_integer_value(value) : -1;
}

/* --- a sweep --- */

/* One under way; it goes on when amtd is started anew. */
struct sweeping {
    struct schedules *schedules;
    char *name, *who;
    struct outcome *outcome; /* until it has begun; NULL: it has */
    struct sweeping *prev, *next;
};

static bool sweeps_now(const struct schedules *s, const char *name)
{
    const struct sweeping *w;

    DL_FOREACH(s->sweeps, w)
    if (strcmp(w->name, name) == 0)
        return true;
    return false;
}

static void sweep_event(void *arg, json_t *event)
{
    struct sweeping *w = arg;
    struct outcome *o = w->outcome;

    if (!o || !json_is_integer(json_object_get(event, "sweep")))
        return;
    w->outcome = NULL;
    o->sweep = json_integer_value(json_object_get(event, "sweep"));
    log_info(NULL, "schedule=%s began sweep %lld", o->name, (long long)o->sweep);
    note(o, NULL, NULL);
    keep(o);
}

/* What came of one that had begun. */
static void note_sweep(const struct sweeping *w, const json_t *reply, const struct err *failure)
{
    const struct job_parts *parts = w->schedules->parts;
    const json_t *hosts = json_object_get(reply, "hosts");
    char *by = xasprintf("schedule %s", w->name), *known = json_dumps(hosts ? hosts : reply, JSON_COMPACT);
    char *detail =
        xasprintf("sweep %lld: hosts %s", (long long)json_integer_value(json_object_get(reply, "sweep")),
                  known ? known : "{}");

    parts->note(parts->arg, &(struct job_deed){.who = w->who,
                                               .by = by,
                                               .what = "discover.start",
                                               .detail = detail,
                                               .err = failure,
                                               .result = "ok"});
    free(detail);
    free(known);
    free(by);
}

/* What was found is told by the sweep itself. That amtd ends is no failure. */
static void sweep_over(void *arg, json_t *reply, const struct err *failure)
{
    struct sweeping *w = arg;
    struct schedules *s = w->schedules;
    struct outcome *o = w->outcome;
    bool stopped = failure && failure->cause == CAUSE_INTERRUPTED;

    if (!stopped && !o)
        note_sweep(w, reply, failure);
    DL_DELETE(s->sweeps, w);
    if (failure && !stopped && o) {
        run_refused(o, failure);
    } else if (failure && !stopped) {
        char *text = xasprintf("schedule %s: its sweep failed: %s", w->name, failure->text);

        event_raise(s->parts->events,
                    &(struct event_report){.kind = EVENT_JOB, .severity = SEVERITY_WARNING, .text = text});
        free(text);
    } else if (o) {
        give_up(o);
        o = NULL;
    }
    free(w->name);
    free(w->who);
    free(w);
    maybe_close(s);
}

/* o NULL: one that was left is gone on with. */
static void start_sweep(struct schedules *s, const char *name, struct outcome *o,
                        struct discovery_order *order)
{
    struct sweeping *w = xcalloc(1, sizeof(*w));
    const struct discovery_watch watch = {w, sweep_event, sweep_over};

    w->schedules = s;
    w->name = xstrdup(name);
    w->who = xstrdup(order->who);
    w->outcome = o;
    DL_APPEND(s->sweeps, w);
    discovery_start(s->parts->discovery, order, &watch);
}

static int may_sweep(struct tx *tx, void *data, struct err *err)
{
    struct outcome *o = data;
    enum api_role need = o->adds ? ROLE_ADMINISTER : ROLE_OPERATE;
    struct reach *reach;
    bool may;

    if (tx_reach(tx, o->user, &reach, err) != 0)
        return -1;
    may = reach_everywhere(reach) >= need;
    reach_free(reach);
    return may ? 0
               : err_set(err, CAUSE_DENIED, "this needs the role '%s' on every host, which %s does not have",
                         role_name(need), o->who);
}

/* Whose sweep was left may it no more: it stays as it is. */
static void refuse_to_resume(struct outcome *o, const struct err *err)
{
    char *text = xasprintf("schedule %s: its sweep %lld does not go on: %s", o->name,
                           (long long)o->sweep_order->resume, err->text);

    note(o, NULL, err);
    event_raise(o->schedules->parts->events,
                &(struct event_report){.kind = EVENT_JOB, .severity = SEVERITY_WARNING, .text = text});
    free(text);
    give_up(o);
}

static void resume(struct outcome *o)
{
    struct schedules *s = o->schedules;

    log_info(NULL, "schedule=%s goes on with sweep %lld", o->name, (long long)o->sweep_order->resume);
    start_sweep(s, o->name, NULL, o->sweep_order);
    give_up(o);
}

static void sweep_allowed(void *data, const struct err *failure)
{
    struct outcome *o = data;

    if (failure && o->resumes)
        refuse_to_resume(o, failure);
    else if (failure)
        run_refused(o, failure);
    else if (o->schedules->closing)
        give_up(o);
    else if (o->resumes)
        resume(o);
    else
        start_sweep(o->schedules, o->name, o, o->sweep_order);
}

/* It is begun with the rights that whoever added it has now. */
static void known(void *arg, const struct user *user)
{
    struct outcome *o = arg;
    struct schedules *s = o->schedules;
    const struct job_watch watch = {o, run_ready, run_refused, run_news};
    struct err err = ERR_INIT;

    if (s->closing) {
        give_up(o);
    } else if (!user) {
        err_set(&err, CAUSE_DENIED, "nobody knows %s any more, who added it", o->who);
        if (o->resumes)
            refuse_to_resume(o, &err);
        else
            run_refused(o, &err);
    } else if (o->sweep_order) {
        o->user = user_copy(user);
        store_submit(s->parts->run->store, may_sweep, sweep_allowed, o);
    } else {
        o->order.user = user_copy(user);
        jobs_run(s->jobs, &o->order, &watch, &o->viewer);
    }
}

static void begin_sweep(struct outcome *o, const struct schedule *schedule)
{
    const struct job_parts *parts = o->schedules->parts;
    json_t *discover = json_loads(schedule->discover, 0, NULL);
    struct err err = ERR_INIT;
    int status;

    o->sweep_order = xcalloc(1, sizeof(*o->sweep_order));
    o->sweep_order->who = xstrdup(schedule->who);
    status = discovery_order_read(discover, o->sweep_order, &err);
    o->adds = o->sweep_order->add;
    json_decref(discover);
    if (status == 0)
        parts->look_up(parts->arg, schedule->uid, schedule->who, known, o);
    else
        leave_out(o, err.text);
}

/* With the rights that whoever added the schedule has now, as one that begins. */
static void resume_sweep(struct schedules *s, const struct schedule *schedule)
{
    json_t *discover = json_loads(schedule->discover, 0, NULL);
    struct outcome *o = xcalloc(1, sizeof(*o));

    o->schedules = s;
    o->name = xstrdup(schedule->name);
    o->who = xstrdup(schedule->who);
    o->resumes = true;
    o->adds = json_is_true(json_object_get(discover, "add"));
    o->sweep_order = xcalloc(1, sizeof(*o->sweep_order));
    o->sweep_order->resume = schedule->last_sweep;
    o->sweep_order->words = json_array();
    o->sweep_order->who = xstrdup(schedule->who);
    s->pending++;
    json_decref(discover);
    s->parts->look_up(s->parts->arg, schedule->uid, schedule->who, known, o);
}

static void resume_sweeps(struct schedules *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i].discover && s->items[i].sweep_left)
            resume_sweep(s, &s->items[i]);
}

static void begin_job(struct outcome *o, const struct schedule *schedule)
{
    const struct job_parts *parts = o->schedules->parts;
    json_t *settings = json_loads(schedule->settings, 0, NULL);
    struct job_reading reading;

    o->target = xstrdup(schedule->target);
    o->job = xstrdup(schedule->job);
    o->order = (struct job_order){
        .files = json_loads(schedule->files, 0, NULL),
        .text = xstrdup(schedule->text),
        .target = xstrdup(schedule->target),
        .who = xstrdup(schedule->who),
        .uid = schedule->uid,
        .profile = xstrdup(json_string_value(json_object_get(settings, "profile"))),
        .schedule = xstrdup(schedule->name),
        .window = xstrdup(schedule->window),
        .zone = xstrdup(schedule->zone),
        .rollout = {setting(settings, "parallel"), setting(settings, "per_subnet"),
                    setting(settings, "canary"), setting(settings, "batch"), setting(settings, "pause_ms"),
                    setting(settings, "max_failures")},
        .confirmed = true,
    };

    json_decref(settings);
    o->order.job = job_read(schedule->job, schedule->text, strlen(schedule->text), o->order.files, &reading);
    job_reading_clear(&reading);
    if (o->order.job)
        parts->look_up(parts->arg, schedule->uid, schedule->who, known, o);
    else
        leave_out(o, "its job file cannot be read by this amtd");
}

/* due_ms: the last of its times that has come. False: it waits for a while, because others are caught up on.
 */
static bool take(struct schedules *s, const struct schedule *schedule, int64_t due_ms, int64_t now_ms)
{
    bool late = now_ms - due_ms > LATE_MS;
    struct outcome *o;

    if (late && schedule->catch_up && now_ms < s->not_before_ms && s->not_before_ms <= now_ms + APART_MS)
        return false;
    o = xcalloc(1, sizeof(*o));
    o->schedules = s;
    o->id = schedule->id;
    o->at_ms = due_ms;
    o->name = xstrdup(schedule->name);
    o->who = xstrdup(schedule->who);
    s->pending++;
    if (late && !schedule->catch_up) {
        leave_out(o, "amtd was not running when it was due");
    } else if (jobs_runs_schedule(s->jobs, schedule->name) || sweeps_now(s, schedule->name)) {
        leave_out(o, "the one before is still under way");
    } else {
        if (late)
            s->not_before_ms = now_ms + APART_MS;
        (schedule->discover ? begin_sweep : begin_job)(o, schedule);
    }
    return true;
}

/* The last time of the schedule that has come since it was looked at; 0: none has. *next: the first to come.
 */
static int64_t last_due(const struct cron *cron, int64_t since_ms, int64_t now_ms, int64_t *next)
{
    int64_t due = 0, at = cron_next(cron, since_ms);
    int64_t week = (int64_t)7 * 86400000;

    if (at > 0 && at < now_ms - week) { /* long ago: nobody counts all of them */
        due = at;
        at = cron_next(cron, now_ms - week);
    }
    while (at > 0 && at <= now_ms) {
        due = at;
        at = cron_next(cron, at);
    }
    *next = at;
    return due;
}

static int64_t do_due(struct schedules *s, int64_t now_ms)
{
    int64_t first = 0;

    for (size_t i = 0; i < s->count; i++) {
        struct schedule *schedule = &s->items[i];
        struct err err = ERR_INIT;
        struct cron *cron = schedule->enabled ? schedule_cron(schedule, &err) : NULL;
        int64_t next = 0, due = cron ? last_due(cron, schedule->last_ms, now_ms, &next) : 0;

        if (due > 0 && take(s, schedule, due, now_ms))
            schedule->last_ms = due;
        else if (due > 0)
            next = s->not_before_ms;
        if (next > 0 && (first == 0 || next < first))
            first = next;
        if (schedule->enabled && !cron)
            log_err(NULL, "schedule=%s: %s", schedule->name, err.text);
        cron_free(cron);
    }
    return first;
}

/* --- looking --- */

struct look {
    struct schedules *schedules;
    int64_t now_ms;
    struct schedule *items;
    size_t count;
};

static void on_timer(uv_timer_t *timer);

/* The clock was ahead when one of them was looked at last. */
static bool was_ahead(const struct schedules *s, int64_t now_ms)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i].last_ms > now_ms + REPEAT_MS)
            return true;
    return false;
}

static void work(struct schedules *s)
{
    int64_t now_ms = clock_wall(s->parts->run->clock);
    int64_t next, wait;

    if (was_ahead(s, now_ms)) {
        schedules_look(s);
        return;
    }
    next = do_due(s, now_ms);
    wait = next > now_ms ? next - now_ms : 0;
    if (next > 0)
        uv_timer_start(&s->timer, on_timer, wait < LOOK_MOST_MS ? (uint64_t)wait : LOOK_MOST_MS, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct schedules *s = (struct schedules *)timer;

    if (s->pending == 0 && !s->looking) /* else a look follows */
        work(s);
}

static int look_work(struct tx *tx, void *data, struct err *err)
{
    struct look *l = data;

    for (size_t i = 0; i < l->count; i++) /* the transaction is tried again when others in it fail */
        schedule_clear(&l->items[i]);
    free(l->items);
    l->items = NULL;
    l->count = 0;
    if (tx_schedules_rewind(tx, l->now_ms, REPEAT_MS, err) != 0)
        return -1;
    return tx_schedules(tx, &l->items, &l->count, err);
}

static void looked(void *data, const struct err *failure)
{
    struct look *l = data;
    struct schedules *s = l->schedules;

    s->looking = false;
    if (failure) {
        log_err(NULL, "schedules cannot be read: %s", failure->text);
        uv_timer_start(&s->timer, on_timer, LOOK_MOST_MS, 0);
    } else {
        struct schedule *items = s->items;
        size_t count = s->count;

        s->items = l->items;
        s->count = l->count;
        l->items = items;
        l->count = count;
        if (!s->looked && !s->closing)
            resume_sweeps(s);
        s->looked = true;
    }
    for (size_t i = 0; i < l->count; i++)
        schedule_clear(&l->items[i]);
    free(l->items);
    free(l);
    if (s->again && !s->closing) {
        s->again = false;
        schedules_look(s);
    } else if (!failure && !s->closing && s->pending == 0) { /* else what is due now is not written yet */
        work(s);
    }
    maybe_close(s);
}

void schedules_look(struct schedules *s)
{
    struct look *l;

    if (s->looking) {
        s->again = true;
        return;
    }
    l = xcalloc(1, sizeof(*l));
    l->schedules = s;
    l->now_ms = clock_wall(s->parts->run->clock);
    s->looking = true;
    store_submit(s->parts->run->store, look_work, looked, l);
}

struct schedules *schedules_new(const struct job_parts *parts, struct jobs *jobs)
{
    struct schedules *s = xcalloc(1, sizeof(*s));

    s->parts = parts;
    s->jobs = jobs;
    uv_timer_init(parts->run->loop, &s->timer);
    schedules_look(s);
    return s;
}

void schedules_free(struct schedules *s)
{
    if (!s)
        return;
    s->closing = true;
    uv_timer_stop(&s->timer);
    maybe_close(s);
}

bool schedules_pending(const struct schedules *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->items[i].enabled)
            return true;
    return false;
}
