/* schedule.add, list, show, remove, enable, disable: jobs that begin by themselves. Times are counted on the
 * loop's thread (jobs/cron.h). */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/api/job_params.h"
#include "amtd/daemon.h"
#include "amtd/discover/discovery.h"
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
    bool enable, replace;
    enum api_role need; /* add: of the job */
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
    const char *job = s->discover ? NULL : s->job, *target = s->discover ? NULL : s->target;
    json_t *json = json_pack("{s:s, s:s*, s:s, s:s*, s:b, s:b, s:s*, s:s*, s:o*, s:s, s:o, s:s*}", "name",
                             s->name, "cron", s->cron, "zone", s->zone, "window", s->window, "catch_up",
                             s->catch_up, "enabled", s->enabled, "job", job, "target", target, "discover",
                             s->discover ? json_loads(s->discover, 0, NULL) : NULL, "who", s->who, "created",
                             json_time(s->created_ms), "last_note", s->last_note);
    json_t *times = times_json(s, s->enabled ? most : 0), *first = json_array_get(times, 0);

    if (s->every_ms > 0)
        json_object_set_new(json, "every_ms", json_integer(s->every_ms));
    json_object_set_new(json, "last_run", s->last_run > 0 ? json_integer(s->last_run) : json_null());
    if (s->discover)
        json_object_set_new(json, "last_sweep",
                            s->last_sweep > 0 ? json_integer(s->last_sweep) : json_null());
    json_object_set_new(json, "next", first ? json_incref(first) : json_null());
    if (most > 1)
        json_object_set(json, "times", times);
    json_decref(times);
    return json;
}

/* --- who may --- */

/* Of those of others nobody hears who does not watch every host. */
static bool sees(const struct errand *e, const struct schedule *s)
{
    return reach_everywhere(api_reach(e->rq)) >= ROLE_WATCH || strcmp(s->who, api_who(e->rq)) == 0;
}

static enum api_role role_of_job(const struct schedule *s)
{
    json_t *files = json_loads(s->files, 0, NULL);
    struct job_reading reading;
    struct job *job = job_read(s->job, s->text, strlen(s->text), files, &reading);
    enum api_role role = job ? job_role(job) : ROLE_OPERATE;

    job_free(job);
    job_reading_clear(&reading);
    json_decref(files);
    return role;
}

static enum api_role role_of(const struct schedule *s)
{
    if (s->discover) {
        json_t *discover = json_loads(s->discover, 0, NULL);
        bool adds = json_is_true(json_object_get(discover, "add"));

        json_decref(discover);
        return adds ? ROLE_ADMINISTER : ROLE_OPERATE;
    }
    return role_of_job(s);
}

/* One's own; those of others with a role on every host: to operate, and to enable one what its job needs. */
static int may_change(const struct errand *e, const struct schedule *s, struct err *err)
{
    enum api_role need = ROLE_OPERATE;

    if (!sees(e, s))
        return err_set(err, CAUSE_NOT_FOUND, "there is no schedule '%s'", s->name);
    if (strcmp(s->who, api_who(e->rq)) == 0)
        return 0;
    if (e->enable && role_of(s) > need)
        need = role_of(s);
    return api_require(e->rq, need, err);
}

/* --- add --- */

/* Whoever has the role everywhere may name what is not there yet; the rights count again at each start. */
static int may_add(struct tx *tx, const struct errand *e, struct err *err)
{
    struct hosts hosts;
    int status;

    if (reach_everywhere(api_reach(e->rq)) >= e->need)
        return 0;
    if (e->schedule.discover) /* addresses are nobody's hosts */
        return api_require(e->rq, e->need, err);
    status =
        tx_target_of(tx, e->schedule.target, e->schedule.who, api_user(e->rq), e->need, &hosts, NULL, err);
    hosts_clear(&hosts);
    return status;
}

static int add_work(struct tx *tx, void *data, struct err *err)
{
    struct errand *e = data;
    struct schedule old = {0};
    int status;

    if (may_add(tx, e, err) != 0)
        return -1;
    if (!e->replace)
        return tx_schedule_add(tx, &e->schedule, err);
    status = tx_schedule_get(tx, e->schedule.name, &old, err) == 0 ? may_change(e, &old, err) : -1;
    e->schedule.enabled = old.enabled;
    schedule_clear(&old);
    return status == 0 ? tx_schedule_replace(tx, &e->schedule, err) : -1;
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

/* The sweep as it is kept: read to the end, so that no mistake waits for the night. */
static int read_sweep(struct errand *e, const json_t *params, struct err *err)
{
    struct schedule *s = &e->schedule;
    struct discovery_order order = {0};
    int status;

    if (param_text(params, "target") || param_text(params, "profile"))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'target' and 'profile' go with 'job'");
    status = api_check(discover_params, json_object_get(params, "discover"), err) == 0 &&
                     discovery_order_read(json_object_get(params, "discover"), &order, err) == 0
                 ? check_tags(order.tags, err)
                 : -1;
    e->need = order.add ? ROLE_ADMINISTER : ROLE_OPERATE;
    discovery_order_clear(&order);
    s->discover = json_dumps(json_object_get(params, "discover"), JSON_COMPACT | JSON_SORT_KEYS);
    s->job = xstrdup("");
    s->text = xstrdup("");
    s->files = xstrdup("{}");
    s->target = xstrdup("");
    s->settings = xstrdup("{}");
    return status;
}

static int read_job(struct errand *e, json_t **mistakes, struct err *err);

static int read_schedule(struct errand *e, json_t **mistakes, struct err *err)
{
    struct api_request *rq = e->rq;
    const json_t *params = api_params(rq);
    struct schedule *s = &e->schedule;
    bool sweep = json_object_get(params, "discover") != NULL;

    if (!is_name(param_text(params, "name")))
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'name': expected letters, digits, '-', '_' and '.', at most %d", NAME_BYTES);
    if (sweep == (json_object_get(params, "job") != NULL))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "either 'job' and 'target', or 'discover'");
    if ((sweep ? read_sweep(e, params, err) : read_job(e, mistakes, err)) != 0 ||
        read_times(params, s, err) != 0)
        return -1;
    s->name = xstrdup(param_text(params, "name"));
    s->who = xstrdup(api_who(rq));
    s->uid = api_uid(rq);
    s->catch_up = json_is_true(json_object_get(params, "catch_up"));
    s->enabled = true;
    e->replace = json_is_true(json_object_get(params, "replace"));
    return 0;
}

static int read_job(struct errand *e, json_t **mistakes, struct err *err)
{
    const struct api_request *rq = e->rq;
    struct schedule *s = &e->schedule;
    const json_t *params = api_params(rq), *job_params = json_object_get(params, "job");
    const json_t *text = json_object_get(job_params, "text"), *files = json_object_get(job_params, "files");
    struct job_rollout rollout;
    struct job *job;
    int status;

    if (!json_is_string(text) || !json_is_string(json_object_get(job_params, "name")) ||
        (files && !json_is_object(files)))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'job' must be an object of 'name', 'text' and 'files'");
    job = job_from_params(job_params, mistakes, err);
    if (!job)
        return -1;
    e->need = job_role(job);
    status = job_rollout_read(params, &rollout, err);
    if (status == 0 && !param_text(params, "target"))
        status = err_set(err, CAUSE_INVALID_ARGUMENT, "'target' is missing (which hosts)");
    if (status == 0) {
        s->job = xstrdup(job->name);
        s->text = xstrdup(json_string_value(text));
        s->files = files ? json_dumps(files, JSON_COMPACT) : xstrdup("{}");
        s->target = xstrdup(param_text(params, "target"));
        s->settings = settings_text(params, &rollout);
    }
    job_free(job);
    return status;
}

void call_schedule_add(struct api_request *rq)
{
    struct errand *e = errand_new(rq);
    json_t *mistakes = NULL;
    struct err err = ERR_INIT;

    if (read_schedule(e, &mistakes, &err) == 0) {
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
        if (sees(e, &e->list[i]))
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

/* What else schedule.add takes: the text of the job, the files that it names, how hosts take their turns. */
static json_t *kept(const struct schedule *s)
{
    json_t *json = json_loads(s->settings, 0, NULL), *files = json_loads(s->files, 0, NULL);

    if (!json)
        json = json_object();
    json_object_set_new(json, "text", json_string(s->text));
    if (!s->discover && files)
        json_object_set(json, "files", files);
    json_decref(files);
    return json;
}

static int show_work(struct tx *tx, void *data, struct err *err)
{
    struct errand *e = data;
    const char *name = param_text(api_params(e->rq), "name");

    schedule_clear(&e->schedule);
    if (tx_schedule_get(tx, name, &e->schedule, err) != 0)
        return -1;
    return sees(e, &e->schedule) ? 0 : err_set(err, CAUSE_NOT_FOUND, "there is no schedule '%s'", name);
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
        json_object_update_new(json, kept(&e->schedule));
        api_reply(e->rq, json);
    }
    errand_free(e);
}

void call_schedule_show(struct api_request *rq)
{
    store_submit(daemon_store(api_daemon(rq)), show_work, shown, errand_new(rq));
}

/* --- remove, enable, disable --- */

static int may_change_named(struct tx *tx, const struct errand *e, struct err *err)
{
    struct schedule s = {0};
    int status = tx_schedule_get(tx, param_text(api_params(e->rq), "name"), &s, err);

    if (status == 0)
        status = may_change(e, &s, err);
    schedule_clear(&s);
    return status;
}

static int remove_work(struct tx *tx, void *data, struct err *err)
{
    struct errand *e = data;

    if (may_change_named(tx, e, err) != 0)
        return -1;
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

    if (may_change_named(tx, e, err) != 0)
        return -1;
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
