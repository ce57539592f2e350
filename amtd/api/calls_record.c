/* daemon.status and stop, target.resolve and words, run.list and show. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtd/api/calls.h"
#include "amtd/api/console_json.h"
#include "amtd/api/listing.h"
#include "amtd/api/operation_json.h"
#include "amtd/console/hub.h"
#include "amtd/daemon.h"
#include "base/clock.h"
#include "base/xalloc.h"

/* --- the daemon --- */

struct status {
    struct api_request *rq;
    size_t hosts;
};

static int count_hosts(struct tx *tx, void *data, struct err *err)
{
    struct status *s = data;
    const struct actor actor = api_actor(s->rq);
    struct hosts hosts;
    int status;

    tx_as(tx, &actor);
    status = tx_target_bare(tx, "all", &hosts, err);
    tx_as(tx, NULL);
    if (status != 0)
        return -1;
    s->hosts = hosts.count;
    hosts_clear(&hosts);
    return 0;
}

static void hosts_counted(void *data, const struct err *failure)
{
    struct status *s = data;
    struct daemon *d = api_daemon(s->rq);

    if (failure)
        api_fail(s->rq, failure);
    else
        api_reply(s->rq, json_pack("{s:s, s:i, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "version",
                                   AMTD_VERSION, "pid", (int)getpid(), "state_dir",
                                   daemon_config(d)->state_dir, "socket", daemon_config(d)->socket, "hosts",
                                   (json_int_t)s->hosts, "consoles", (json_int_t)hub_count(daemon_hub(d)),
                                   "console_rate", (json_int_t)hub_rate(daemon_hub(d)), "runs_active",
                                   (json_int_t)engine_active(daemon_engine(d)) +
                                       (json_int_t)jobs_active(daemon_jobs(d)),
                                   "transactions", (json_int_t)store_commits(daemon_store(d)), "started",
                                   json_time(daemon_started_ms(d))));
    free(s);
}

void call_daemon_status(struct api_request *rq)
{
    struct status *s = xcalloc(1, sizeof(*s));

    s->rq = rq;
    store_submit(daemon_store(api_daemon(rq)), count_hosts, hosts_counted, s);
}

void call_daemon_stop(struct api_request *rq)
{
    struct daemon *d = api_daemon(rq);

    api_reply(rq, json_object());
    daemon_stop(d);
}

/* The failure has the first mistake in words, and how many there are. */
void call_daemon_reload(struct api_request *rq)
{
    struct daemon *d = api_daemon(rq);
    struct buf mistakes = buf_init(1 << 20), later = buf_init(4096);
    struct err err = ERR_INIT;
    size_t count = 0;

    if (daemon_reload(d, &mistakes, &later) == 0) {
        api_reply(rq, json_pack("{s:I, s:s, s:s}", "consoles", (json_int_t)hub_count(daemon_hub(d)), "later",
                                buf_str(&later), "sha256", daemon_config(d)->sum));
    } else {
        for (const char *p = buf_str(&mistakes); (p = strchr(p, '\n')); p++)
            count++;
        err_set(&err, CAUSE_INVALID_ARGUMENT, "%.*s%s", (int)strcspn(buf_str(&mistakes), "\n"),
                buf_str(&mistakes), count > 1 ? "; and more: see 'amtd --check'" : "");
        api_fail(rq, &err);
    }
    buf_free(&mistakes);
    buf_free(&later);
}

/* --- targets --- */

int call_target_resolve(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct hosts hosts;
    json_t *names = json_array();

    if (tx_target_bare(tx, param_text(params, "target"), &hosts, err) != 0) {
        json_decref(names);
        return -1;
    }
    for (size_t i = 0; i < hosts.count; i++)
        json_array_append_new(names, json_string(hosts.items[i].name));
    *reply = json_pack("{s:o, s:o}", "hosts", names, "folded", json_folded(&hosts));
    hosts_clear(&hosts);
    return 0;
}

static int add_collections(struct tx *tx, json_t *out, struct err *err)
{
    struct collection *all;
    size_t count;
    int status = tx_collections(tx, &all, &count, err);

    for (size_t i = 0; i < count; i++) {
        json_array_append_new(out, json_string(all[i].name));
        collection_clear(&all[i]);
    }
    free(all);
    return status;
}

static int add_profiles(struct tx *tx, json_t *out, struct err *err)
{
    struct profiles all;

    if (tx_profiles(tx, &all, err) != 0)
        return -1;
    for (size_t i = 0; i < all.count; i++)
        json_array_append_new(out, json_string(all.items[i].name));
    profiles_clear(&all);
    return 0;
}

/* Names for completion: consoles are the hub's, the others the store's. */
struct naming {
    struct api_request *rq;
    json_t *consoles, *reply;
};

static void add_console(void *arg, struct console *console)
{
    const struct naming *n = arg;

    if (console_require(n->rq, console, RIGHT_WATCH, NULL) == 0)
        json_array_append_new(n->consoles, json_string(console_info(console).name));
}

static int add_names(struct tx *tx, void *data, struct err *err)
{
    struct naming *n = data;
    json_t *collections = json_array(), *profiles = json_array();
    struct hosts hosts;

    const struct actor actor = api_actor(n->rq);
    int status = 0;

    n->reply = json_pack("{s:o, s:o, s:O}", "collections", collections, "profiles", profiles, "consoles",
                         n->consoles);
    if (reach_everywhere(actor.reach) >= ROLE_WATCH)
        status = add_profiles(tx, profiles, err);
    tx_as(tx, &actor);
    if (status == 0)
        status = add_collections(tx, collections, err);
    if (status == 0)
        status = tx_target_bare(tx, "all", &hosts, err);
    tx_as(tx, NULL);
    if (status != 0)
        return -1;
    json_object_set_new(n->reply, "hosts", json_folded(&hosts));
    hosts_clear(&hosts);
    return 0;
}

static void names_added(void *data, const struct err *failure)
{
    struct naming *n = data;

    if (failure) {
        json_decref(n->reply);
        api_fail(n->rq, failure);
    } else {
        api_reply(n->rq, n->reply);
    }
    json_decref(n->consoles);
    free(n);
}

void call_target_words(struct api_request *rq)
{
    struct naming *n = xcalloc(1, sizeof(*n));

    n->rq = rq;
    n->consoles = json_array();
    hub_each(daemon_hub(api_daemon(rq)), add_console, n);
    store_submit(daemon_store(api_daemon(rq)), add_names, names_added, n);
}

/* --- runs --- */

static json_t *describe_run(const struct run *run)
{
    json_t *args = json_loads(run->args, 0, NULL);

    return json_pack("{s:I, s:s, s:o, s:s, s:s, s:o, s:o, s:I, s:I, s:I}", "run", (json_int_t)run->id, "task",
                     run->task, "args", args ? args : json_object(), "target", run->target, "who", run->who,
                     "began", json_time(run->began_ms), "ended", json_time(run->ended_ms), "hosts",
                     (json_int_t)run->hosts, "ok", (json_int_t)run->ok, "failed", (json_int_t)run->failed);
}

int call_run_list(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct run *runs;
    size_t count, limit;
    int status;

    if (param_limit(params, &limit, err) != 0)
        return -1;
    status = tx_runs(tx, limit, &runs, &count, err);
    *reply = json_array();
    for (size_t i = 0; i < count; i++) {
        if (tx_is_his(tx, runs[i].who))
            json_array_append_new(*reply, describe_run(&runs[i]));
        run_clear(&runs[i]);
    }
    free(runs);
    return status;
}

/* --- run.show --- */

static void write_result(void *rows, const struct operation *operation)
{
    rows_begin(rows);
    operation_write(rows, operation, NULL);
    rows_end(rows);
}

static int write_one(struct tx *tx, void *state, int64_t id, struct rows *rows, struct err *err)
{
    (void)state;
    return tx_operation_tell(tx, id, write_result, rows, err);
}

static int open_run(struct tx *tx, struct listing *l, struct err *err)
{
    struct listing_ids *ids = xcalloc(1, sizeof(*ids));
    struct run run;
    int status = tx_run_find(tx, json_integer_value(json_object_get(l->params, "run")), &run, err);

    l->state = ids;
    if (status == 0 && !tx_is_his(tx, run.who))
        status = err_set(err, CAUSE_NOT_FOUND, "there is no run %lld", (long long)run.id);
    if (status == 0) {
        l->head = describe_run(&run);
        l->member = "results";
        status = tx_operation_ids(tx, run.id, &ids->ids, &ids->count, err);
    }
    run_clear(&run);
    return status;
}

static int more_results(struct tx *tx, struct listing *l, struct err *err)
{
    return listing_some(tx, l, write_one, err);
}

const struct api_list list_run = {open_run, more_results, listing_ids_free};
