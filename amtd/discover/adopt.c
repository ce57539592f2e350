#include "amtd/discover/adopt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/discover/adopt_plan.h"
#include "amtd/discover/sweep_json.h"
#include "amtd/fleet/tasks.h"
#include "base/xalloc.h"

#define TARGET_MAX (16u << 20)
#define WHO_MS     20000 /* for one host to say who it is */
#define BUSY_MS    2000  /* until one that another operation of amtd is talking to is asked again */
#define BUSY_TRIES 60

/* plan (store) -> who is it? (run of info) -> judge (store) -> are the others there? (run) -> judge again
 * (store), those that did not answer having moved.
 *
 * A host that its realm names gets the new address at once, so that amtd logs in with the password that it
 * has of its own; when it is not let in, or is another machine after all, the host gets its old address back.
 */
struct adoption {
    const struct discovery_parts *parts;
    struct adopt_order order;
    adopt_done *done;
    void *arg;
    struct sweep_founds rows;
    struct addrset *ranges;
    int64_t *newcomer; /* per row: id of the host that was added for it; 0 none */
    struct mover {
        int64_t host;         /* 0: none */
        char *address, *uuid; /* as they were */
    } * movers;               /* per row */
    size_t row_count;         /* also when rows were taken over */
    struct hostlist *names;   /* of the hosts of the next run */
    struct hostlist *alive;   /* hosts that let amtd in where they are */
    struct hostlist *busy;    /* hosts that could not be asked because amtd is at work there */
    unsigned busy_tries;
    bool asked;
};

static void over(struct adoption *a, const struct err *failure)
{
    a->done(a->arg, &a->rows, failure);
    sweep_founds_clear(&a->rows);
    addrset_free(a->ranges);
    hostlist_free(a->names);
    hostlist_free(a->alive);
    hostlist_free(a->busy);
    for (size_t i = 0; i < a->row_count; i++) {
        free(a->movers[i].address);
        free(a->movers[i].uuid);
    }
    free(a->movers);
    free(a->newcomer);
    free(a);
}

static void say(struct sweep_found *row, const char *host, const char *outcome)
{
    xreplace(&row->host, host);
    xreplace(&row->outcome, outcome);
}

/* --- plan --- */

static int read_sweep(struct tx *tx, struct adoption *a, struct err *err)
{
    struct sweep_record record;
    json_t *words;

    if (tx_sweep_get(tx, a->order.sweep, &record, err) != 0)
        return -1;
    words = json_loads(record.words, 0, NULL);
    a->ranges = sweep_ranges(words, err);
    json_decref(words);
    sweep_record_clear(&record);
    return a->ranges && tx_sweep_founds(tx, a->order.sweep, &a->rows, err) == 0 ? 0 : -1;
}

/* Its address is its name until the device has said its own. */
static int add_host(struct tx *tx, struct adoption *a, size_t i, const struct hosts *hosts, struct err *err)
{
    char address[ADDRSET_TEXT_MAX], name[ADDRSET_TEXT_MAX + 8];
    struct host host = {.name = name, .address = address, .profile = (char *)a->order.profile};
    const char *tag;
    json_t *value;
    int status;

    addrset_text(a->rows.items[i].address, address);
    snprintf(name, sizeof(name), "%s", address);
    for (size_t k = 0, n = 1; k < hosts->count; k++)
        if (strcmp(hosts->items[k].name, name) == 0) {
            snprintf(name, sizeof(name), "%s-%zu", address, ++n);
            k = (size_t)-1;
        }
    json_object_foreach((json_t *)a->order.tags, tag, value)
        pairs_set(&host.tags, tag, json_string_value(value));
    status = tx_host_add(tx, &host, &a->newcomer[i], err);
    pairs_clear(&host.tags);
    if (status == 0) {
        hostlist_add(a->names, name, NULL);
        say(&a->rows.items[i], name, "added");
    }
    return status;
}

static int try_move(struct tx *tx, struct adoption *a, size_t i, const struct host *host, struct err *err)
{
    struct mover *m = &a->movers[i];
    char address[ADDRSET_TEXT_MAX];
    struct host moved = *host; /* its strings are borrowed */

    m->host = host->id;
    m->address = xstrdup(host->address);
    m->uuid = xstrdup(pairs_get(&host->facts, "amt.uuid"));
    moved.address = (char *)addrset_text(a->rows.items[i].address, address);
    hostlist_add(a->names, host->name, NULL);
    say(&a->rows.items[i], host->name, "moved");
    return tx_host_update(tx, &moved, err);
}

/* A host whose UUID is not known. One that still has its address for a name was added by an earlier sweep
 * that could not read it, or did not come so far: it is judged as if it were new. */
static void read_again(struct adoption *a, size_t i, const struct host *host)
{
    char address[ADDRSET_TEXT_MAX];

    addrset_text(a->rows.items[i].address, address);
    hostlist_add(a->names, host->name, NULL);
    if (strncmp(host->name, address, strlen(address)) != 0)
        return;
    a->newcomer[i] = host->id;
    say(&a->rows.items[i], host->name, "added");
}

static int plan_row(struct tx *tx, struct adoption *a, size_t i, const struct hosts *hosts,
                    const struct adopt_index *index, struct err *err)
{
    struct sweep_found *row = &a->rows.items[i];
    const struct host *known = adopt_host_at(index, row->address);

    if (known && adopt_is_it(known, row)) {
        say(row, known->name, "known");
        if (a->order.add && row->kind == FOUND_AMT && !pairs_get(&known->facts, "amt.uuid"))
            read_again(a, i, known);
        return 0;
    }
    if (a->order.add && row->kind == FOUND_AMT) {
        const struct host *moved = adopt_moved_by_realm(index, &a->rows, row);

        return moved ? try_move(tx, a, i, moved, err) : add_host(tx, a, i, hosts, err);
    }
    if (known)
        say(row, known->name, "another-device");
    return 0;
}

static int plan_work(struct tx *tx, void *data, struct err *err)
{
    struct adoption *a = data;
    struct adopt_index *index;
    struct hosts hosts;
    int status = 0;

    if (read_sweep(tx, a, err) != 0 || tx_target(tx, "all", &hosts, err) != 0)
        return -1;
    index = adopt_index_new(&hosts);
    a->newcomer = xcalloc(a->rows.count + 1, sizeof(*a->newcomer));
    a->movers = xcalloc(a->rows.count + 1, sizeof(*a->movers));
    a->row_count = a->rows.count;
    for (size_t i = 0; status == 0 && i < a->rows.count; i++)
        if (found_is_amt((enum found_kind)a->rows.items[i].kind))
            status = plan_row(tx, a, i, &hosts, index, err);
    adopt_index_free(index);
    hosts_clear(&hosts);
    return status == 0 ? tx_sweep_outcomes(tx, a->order.sweep, &a->rows, err) : -1;
}

/* --- logging in --- */

static void judge(struct adoption *a);
static void ask_who(struct adoption *a);

static void run_ready(void *arg, struct active_run *run)
{
    (void)arg;
    (void)run;
}

static void run_refused(void *arg, const struct err *failure)
{
    over(arg, failure);
}

static void timer_closed(uv_handle_t *handle)
{
    free(handle);
}

static void busy_over(uv_timer_t *timer)
{
    struct adoption *a = timer->data;

    uv_close((uv_handle_t *)timer, timer_closed);
    if (*a->order.stopping)
        judge(a);
    else
        ask_who(a);
}

/* A run that waited for its host to be found goes on there at once, and would be in the way. */
static bool ask_busy_again(struct adoption *a)
{
    uv_timer_t *timer;

    if (hostlist_count(a->busy) == 0 || *a->order.stopping || a->busy_tries++ == BUSY_TRIES)
        return false;
    hostlist_free(a->names);
    a->names = a->busy;
    a->busy = hostlist_new();
    timer = xcalloc(1, sizeof(*timer));
    uv_timer_init(a->parts->loop, timer);
    timer->data = a;
    uv_timer_start(timer, busy_over, BUSY_MS, 0);
    return true;
}

static void run_news(void *arg, struct active_run *run)
{
    struct adoption *a = arg;

    if (!run_is_over(run))
        return;
    for (size_t i = 0; i < run_results(run); i++) {
        const struct operation *op = run_result(run, i);

        if (op->state == OPERATION_OK)
            hostlist_add(a->alive, op->host, NULL);
        else if (cause_by_name(op->cause) == CAUSE_BUSY)
            hostlist_add(a->busy, op->host, NULL);
    }
    run_unwatch(run);
    if (!ask_busy_again(a))
        judge(a);
}

/* Reads who the named hosts are. */
static void ask_who(struct adoption *a)
{
    struct buf target = buf_init(TARGET_MAX);
    const struct run_watch watch = {a, run_ready, run_refused, run_news};
    struct run_order order = {
        .task = &task_info,
        .args = xcalloc(1, task_info.args_size + 1),
        .args_text = xstrdup("{}"),
        .who = xstrdup(a->order.who),
        .profile = xstrdup(a->asked ? NULL : a->order.profile),
        .parallel = RUN_PARALLEL_DEFAULT,
        .timeout_ms = WHO_MS,
    };

    hostlist_fold(a->names, &target);
    order.target = buf_take(&target);
    hostlist_free(a->names);
    a->names = hostlist_new();
    engine_run(a->parts->engine, &order, &watch);
}

static void planned(void *data, const struct err *failure)
{
    struct adoption *a = data;

    if (failure)
        over(a, failure);
    else if (hostlist_count(a->names) > 0 && !*a->order.stopping)
        ask_who(a);
    else
        over(a, NULL);
}

/* --- judging --- */

static bool inside(const void *arg, uint32_t address)
{
    return addrset_contain(arg, address);
}

static struct host *by_id(const struct hosts *hosts, int64_t id)
{
    for (size_t i = 0; i < hosts->count; i++)
        if (hosts->items[i].id == id)
            return &hosts->items[i];
    return NULL;
}

/* The old host takes the new one's place, with all that was learned there. */
static int merge(struct tx *tx, struct host *newcomer, struct host *old, bool move, struct err *err)
{
    struct pairs none = {0};

    if (tx_host_remove(tx, newcomer->id, err) != 0)
        return -1;
    if (move) {
        xreplace(&old->address, newcomer->address);
        if (tx_host_update(tx, old, err) != 0 || tx_host_facts(tx, old->id, &newcomer->facts, err) != 0)
            return -1;
    }
    pairs_clear(&newcomer->facts); /* it is nobody's twin any more */
    newcomer->facts = none;
    return 0;
}

static int keep_duplicate(struct tx *tx, struct host *newcomer, const struct host *other, struct err *err)
{
    struct pairs facts = {0};
    int status;

    pairs_set(&facts, "amt.uuid.shared", "yes");
    status = tx_host_facts(tx, newcomer->id, &facts, err);
    if (status == 0)
        status = tx_host_facts(tx, other->id, &facts, err);
    pairs_clear(&facts);
    return status;
}

static int give_name(struct tx *tx, struct adoption *a, size_t i, struct host *newcomer,
                     const struct hosts *hosts, struct err *err)
{
    const char *name = adopt_free_name(hosts, newcomer);

    if (!name)
        return 0;
    xreplace(&newcomer->name, name);
    xreplace(&a->rows.items[i].host, name);
    return tx_host_update(tx, newcomer, err);
}

static int judge_row(struct tx *tx, struct adoption *a, size_t i, struct hosts *hosts,
                     const struct adopt_index *index, struct err *err)
{
    struct host *newcomer = by_id(hosts, a->newcomer[i]);
    enum adopt_verdict verdict;
    const struct host *found;
    struct host *other;

    if (!newcomer) /* somebody removed it meanwhile */
        return 0;
    verdict = adopt_judge(index, newcomer, &a->rows, inside, a->ranges, &found);
    other = found ? by_id(hosts, found->id) : NULL;
    if (verdict == ADOPT_ASK && a->asked)
        verdict = hostlist_contains(a->alive, other->name) ? ADOPT_DUPLICATE : ADOPT_MOVED;
    switch (verdict) {
    case ADOPT_ASK:
        hostlist_add(a->names, other->name, NULL);
        return 0;
    case ADOPT_MOVED:
    case ADOPT_SAME:
        say(&a->rows.items[i], other->name, verdict == ADOPT_MOVED ? "moved" : "same-device");
        a->newcomer[i] = 0;
        return merge(tx, newcomer, other, verdict == ADOPT_MOVED, err);
    case ADOPT_DUPLICATE:
        say(&a->rows.items[i], newcomer->name, "duplicate-uuid");
        if (keep_duplicate(tx, newcomer, other, err) != 0)
            return -1;
        break;
    case ADOPT_NEW:
        if (!pairs_get(&newcomer->facts, "amt.uuid"))
            say(&a->rows.items[i], newcomer->name, "added-unread");
        break;
    }
    a->newcomer[i] = 0;
    return give_name(tx, a, i, newcomer, hosts, err);
}

/* Was amtd let in, and is it the machine that it was? */
static int judge_mover(struct tx *tx, struct adoption *a, size_t i, struct hosts *hosts, struct err *err)
{
    struct mover *m = &a->movers[i];
    struct host *host = by_id(hosts, m->host);
    const char *uuid = host ? pairs_get(&host->facts, "amt.uuid") : NULL;

    m->host = 0;
    if (!host ||
        (hostlist_contains(a->alive, host->name) && (!m->uuid || (uuid && strcmp(uuid, m->uuid) == 0))))
        return 0;
    say(&a->rows.items[i], host->name, "moved-unread");
    xreplace(&host->address, m->address);
    return tx_host_update(tx, host, err);
}

static int judge_work(struct tx *tx, void *data, struct err *err)
{
    struct adoption *a = data;
    struct adopt_index *index;
    struct hosts hosts;
    int status = 0;

    if (tx_target(tx, "all", &hosts, err) != 0)
        return -1;
    index = adopt_index_new(&hosts);
    for (size_t i = 0; status == 0 && i < a->rows.count; i++)
        if (a->movers[i].host != 0)
            status = judge_mover(tx, a, i, &hosts, err);
        else if (a->newcomer[i] != 0)
            status = judge_row(tx, a, i, &hosts, index, err);
    adopt_index_free(index);
    hosts_clear(&hosts);
    return status == 0 ? tx_sweep_outcomes(tx, a->order.sweep, &a->rows, err) : -1;
}

static void judged(void *data, const struct err *failure)
{
    struct adoption *a = data;

    if (failure || a->asked || hostlist_count(a->names) == 0 || *a->order.stopping) {
        over(a, failure);
        return;
    }
    a->asked = true;
    ask_who(a);
}

static void judge(struct adoption *a)
{
    store_submit(a->parts->store, judge_work, judged, a);
}

struct adoption *adopt_start(const struct discovery_parts *parts, const struct adopt_order *order,
                             adopt_done *done, void *arg)
{
    struct adoption *a = xcalloc(1, sizeof(*a));

    a->parts = parts;
    a->order = *order;
    a->done = done;
    a->arg = arg;
    a->names = hostlist_new();
    a->alive = hostlist_new();
    a->busy = hostlist_new();
    store_submit(parts->store, plan_work, planned, a);
    return a;
}
