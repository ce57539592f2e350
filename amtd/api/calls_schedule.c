/* schedule.add, list, show, remove, enable, disable: jobs that begin by themselves. Times are counted on the
 * loop's thread (jobs/cron.h). */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/api/job_params.h"
#include "amtd/daemon.h"
#include "amtd/jobs/schedules.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"

#define NEXT_DEFAULT 5
#define NEXT_MOST    1000
#define NAME_BYTES   64
#define EVERY_LEAST  60000
#define EVERY_MOST   ((int64_t)366 * 86400000)

struct errand {
    struct api_request *rq;
    struct schedule schedule; /* add, show */
    struct schedule *list;    /* list */
    size_t count;
    bool enable;
};

static void errand_free(struct errand *e)
{
    for (size_t i = 0; i < e->count; i++)
        schedule_clear(&e->list[i]);
    free(e->list);
    schedule_clear(&e->schedule);
    free(e);
}

static struct errand *errand_new(struct api_request *rq)
{
    struct errand *e = xcalloc(1, sizeof(*e));

    e->rq = rq;
    return e;
}

/* --- as JSON --- */

/* The next `most` times, as texts. */
static json_t *times_json(const struct schedule *s, size_t most)
{
    struct err err = ERR_INIT;
    struct cron *cron = schedule_cron(s, &err);
    int64_t at = clock_wall(clock_system());
    json_t *times = json_array();

    while (cron && json_array_size(times) < most && (at = cron_next(cron, at)) > 0)
        json_array_append_new(times, json_time(at));
    cron_free(cron);
    return times;
}

static json_t *describe(const struct schedule *s, size_t most)
{
    json_t *json = json_pack("{s:s, s:s*, s:s, s:s*, s:b, s:b, s:s, s:s, s:s, s:o, s:s*}", "name", s->name,
                             "cron", s->cron, "zone", s->zone, "window", s->window, "catch_up", s->catch_up,
                             "enabled", s->enabled, "job", s->job, "target", s->target, "who", s->who,
                             "created", json_time(s->created_ms), "last_note", s->last_note);
    json_t *times = times_json(s, s->enabled ? most : 0), *first = json_array_get(times, 0);

    if (s->every_ms > 0)
        json_object_set_new(json, "every_ms", json_integer(s->every_ms));
    json_object_set_new(json, "last_run", s->last_run > 0 ? json_integer(s->last_run) : json_null());
    json_object_set_new(json, "next", first ? json_incref(first) : json_null());
    if (most > 1)
        json_object_set(json, "times", times);
    json_decref(times);
    return json;
}

/* --- add --- */

static int add_work(struct tx *tx, void *data, struct err *err)
{
    struct errand *e = data;

    return tx_schedule_add(tx, &e->schedule, err);
}

static void changed(void *data, const struct err *failure)
{
    struct errand *e = data;
    struct daemon *d = api_daemon(e->rq);

    if (failure) {
        api_fail(e->rq, failure);
    } else {
        if (daemon_schedules(d))
            schedules_look(daemon_schedules(d));
        api_reply(e->rq, e->schedule.created_ms > 0 ? describe(&e->schedule, NEXT_DEFAULT) : json_object());
    }
    errand_free(e);
}

static bool is_name(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= NAME_BYTES &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == n;
}

static int read_times(const json_t *params, struct schedule *s, struct err *err)
{
    const json_t *every = json_object_get(params, "every_ms");
    const char *cron = param_text(params, "cron"), *zone = param_text(params, "zone");
    char local[128];
    struct cron *times;

    if (!cron == !every)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "either 'cron' or 'every_ms'");
    if (every && (json_integer_value(every) < EVERY_LEAST || json_integer_value(every) > EVERY_MOST))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'every_ms' must be from a minute to a year");
    s->cron = xstrdup(cron);
    s->every_ms = json_integer_value(every);
    s->zone = xstrdup(zone ? zone : cron_local_zone(local, sizeof(local)));
    s->window = xstrdup(param_text(params, "window"));
    s->created_ms = clock_wall(clock_system());
    times = schedule_cron(s, err);
    cron_free(times);
    return times ? 0 : -1;
}

static char *settings_text(const json_t *params, const struct job_rollout *r)
{
    const struct {
        const char *name;
        int64_t value;
    } all[] = {{"parallel", r->parallel}, {"per_subnet", r->per_subnet}, {"canary", r->canary},
               {"batch", r->batch},       {"pause_ms", r->pause_ms},     {"max_failures", r->max_failures}};
    json_t *json = json_object(), *profile = json_object_get(params, "profile");
    char *text;

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i].value >= 0)
            json_object_set_new(json, all[i].name, json_integer(all[i].value));
    if (profile)
        json_object_set(json, "profile", profile);
    text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text;
}

static int read_schedule(struct api_request *rq, struct schedule *s, json_t **mistakes, struct err *err)
{
    const json_t *params = api_params(rq), *job_params = json_object_get(params, "job");
    const json_t *text = json_object_get(job_params, "text"), *files = json_object_get(job_params, "files");
    struct job_rollout rollout;
    struct job *job;
    int status;

    if (!is_name(param_text(params, "name")))
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'name': expected letters, digits, '-', '_' and '.', at most %d", NAME_BYTES);
    if (!json_is_string(text) || !json_is_string(json_object_get(job_params, "name")) ||
        (files && !json_is_object(files)))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'job' must be an object of 'name', 'text' and 'files'");
    job = job_from_params(job_params, mistakes, err);
    if (!job)
        return -1;
    status = job_require(rq, job, err) == 0 && job_rollout_read(params, &rollout, err) == 0 ? 0 : -1;
    if (status == 0)
        status = read_times(params, s, err);
    if (status == 0) {
        s->name = xstrdup(param_text(params, "name"));
        s->job = xstrdup(job->name);
        s->text = xstrdup(json_string_value(text));
        s->files = files ? json_dumps(files, JSON_COMPACT) : xstrdup("{}");
        s->target = xstrdup(param_text(params, "target"));
        s->settings = settings_text(params, &rollout);
        s->who = xstrdup(api_who(rq));
        s->uid = api_uid(rq);
        s->catch_up = json_is_true(json_object_get(params, "catch_up"));
        s->enabled = true;
    }
    job_free(job);
    return status;
}

void call_schedule_add(struct api_request *rq)
{
    struct errand *e = errand_new(rq);
    json_t *mistakes = NULL;
    struct err err = ERR_INIT;

    if (read_schedule(rq, &e->schedule, &mistakes, &err) == 0) {
        store_submit(daemon_store(api_daemon(rq)), add_work, changed, e);
        return;
    }
    api_fail_with(rq, &err, mistakes);
    errand_free(e);
}

/* --- list, show --- */

static int list_work(struct tx *tx, void *data, struct err *err)
{
    struct errand *e = data;

    for (size_t i = 0; i < e->count; i++)
        schedule_clear(&e->list[i]);
    free(e->list);
    return tx_schedules(tx, &e->list, &e->count, err);
}

static void listed(void *data, const struct err *failure)
{
    struct errand *e = data;
    json_t *rows = json_array();

    for (size_t i = 0; !failure && i < e->count; i++)
        json_array_append_new(rows, describe(&e->list[i], 1));
    if (failure) {
        json_decref(rows);
        api_fail(e->rq, failure);
    } else {
        api_reply(e->rq, rows);
    }
    errand_free(e);
}

void call_schedule_list(struct api_request *rq)
{
    store_submit(daemon_store(api_daemon(rq)), list_work, listed, errand_new(rq));
}

static int show_work(struct tx *tx, void *data, struct err *err)
{
    struct errand *e = data;

    schedule_clear(&e->schedule);
    return tx_schedule_get(tx, param_text(api_params(e->rq), "name"), &e->schedule, err);
}

static void shown(void *data, const struct err *failure)
{
    struct errand *e = data;
    json_int_t most = json_integer_value(json_object_get(api_params(e->rq), "times"));
    json_t *json;

    if (failure) {
        api_fail(e->rq, failure);
    } else {
        json = describe(&e->schedule, most > 1 && most <= NEXT_MOST ? (size_t)most : NEXT_DEFAULT);
        json_object_set_new(json, "text", json_string(e->schedule.text));
        api_reply(e->rq, json);
    }
    errand_free(e);
}

void call_schedule_show(struct api_request *rq)
{
    store_submit(daemon_store(api_daemon(rq)), show_work, shown, errand_new(rq));
}

/* --- remove, enable, disable --- */

static int remove_work(struct tx *tx, void *data, struct err *err)
{
    struct errand *e = data;

    return tx_schedule_remove(tx, param_text(api_params(e->rq), "name"), err);
}

void call_schedule_remove(struct api_request *rq)
{
    store_submit(daemon_store(api_daemon(rq)), remove_work, changed, errand_new(rq));
}

/* What it was due for while it was disabled does not count. */
static int enable_work(struct tx *tx, void *data, struct err *err)
{
    struct errand *e = data;

    return tx_schedule_enable(tx, param_text(api_params(e->rq), "name"), e->enable,
                              clock_wall(clock_system()), err);
}

static void enable(struct api_request *rq, bool on)
{
    struct errand *e = errand_new(rq);

    e->enable = on;
    store_submit(daemon_store(api_daemon(rq)), enable_work, changed, e);
}

void call_schedule_enable(struct api_request *rq)
{
    enable(rq, true);
}

void call_schedule_disable(struct api_request *rq)
{
    enable(rq, false);
}
