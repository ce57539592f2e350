#include "amtd/discover/discovery.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "amtd/discover/adopt.h"
#include "amtd/discover/changes.h"
#include "amtd/discover/sweep_json.h"
#include "base/log.h"
#include "base/xalloc.h"

#define SAVE_MS     2000
#define PROGRESS_MS 500
#define WORD_MAX    (1u << 20)

/* loading (store; words are looked up on another thread, the record is made or read) -> sweeping -> saving ->
 * adopting -> over */
struct active_sweep {
    struct discovery *discovery;
    struct discovery_order order;
    struct discovery_watch watch; /* over NULL: nobody watches */
    struct sweep_record record;
    struct err failure;
    struct addrset *ranges;
    struct sweep *sweep;
    struct sweep_founds unsaved;
    struct sweep_founds rows; /* all that was found, at the end */
    json_t *changes;          /* from the sweep before; NULL: there is none */
    uv_timer_t timer;
    int64_t saved_at;
    size_t done; /* addresses */
    bool loaded; /* the record may be looked at */
    bool saving, swept, ended, cancelled, stopping;
    struct active_sweep *prev, *next;
};

struct discovery {
    struct discovery_parts parts;
    struct dialer *dialer;
    struct active_sweep *active;
    bool closing;
};

void discovery_order_clear(struct discovery_order *order)
{
    json_decref(order->words);
    json_decref(order->tags);
    free(order->profile);
    free(order->who);
    memset(order, 0, sizeof(*order));
}

struct sweep_settings discovery_settings(void)
{
    return (struct sweep_settings){.port = 16992,
                                   .rmcp_port = RMCP_PORT,
                                   .rate = 2000,
                                   .per_subnet = 250,
                                   .sockets = 1024,
                                   .timeout_ms = 2000};
}

static int64_t mono(const struct active_sweep *s)
{
    return clock_mono(s->discovery->parts.clock);
}

/* --- the end --- */

static void maybe_close(struct discovery *d)
{
    if (!d->closing || d->active)
        return;
    dialer_free(d->dialer);
    free(d);
}

static void timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void drop(struct active_sweep *s)
{
    struct discovery *d = s->discovery;

    DL_DELETE(d->active, s);
    discovery_order_clear(&s->order);
    sweep_record_clear(&s->record);
    sweep_founds_clear(&s->unsaved);
    sweep_founds_clear(&s->rows);
    json_decref(s->changes);
    addrset_free(s->ranges);
    uv_close((uv_handle_t *)&s->timer, timer_closed);
    maybe_close(d);
}

static void tell(struct active_sweep *s, json_t *event)
{
    if (s->watch.over)
        s->watch.event(s->watch.arg, event);
    json_decref(event);
}

static void fail(struct active_sweep *s, const struct err *failure)
{
    struct err copy = *failure;

    if (s->loaded)
        log_warn(NULL, "sweep %lld: %s", (long long)s->record.id, copy.text);
    if (s->watch.over)
        s->watch.over(s->watch.arg, NULL, &copy);
    drop(s);
}

static json_t *outcomes_json(const struct sweep_founds *rows)
{
    json_t *counts = json_object();

    for (size_t i = 0; i < rows->count; i++) {
        const char *outcome = rows->items[i].outcome;

        if (outcome)
            json_object_set_new(counts, outcome,
                                json_integer(json_integer_value(json_object_get(counts, outcome)) + 1));
    }
    return counts;
}

static void succeed(struct active_sweep *s, const struct sweep_founds *rows)
{
    json_t *runs = sweep_runs_json(s->ranges, s->record.kinds), *run, *reply;
    size_t i;

    json_array_foreach(runs, i, run) tell(s, json_pack("{s:O}", "range", run));
    json_decref(runs);
    changes_raise(s->discovery->parts.events, s->record.id, s->changes);
    reply =
        json_pack("{s:I, s:s, s:I, s:o, s:o}", "sweep", (json_int_t)s->record.id, "state",
                  s->cancelled ? "stopped" : "over", "addresses", (json_int_t)s->record.addresses, "counts",
                  sweep_counts_json(s->record.kinds, s->record.kinds_size), "hosts", outcomes_json(rows));
    if (s->changes)
        json_object_set_new(reply, "changes", json_integer((json_int_t)json_array_size(s->changes)));
    if (s->watch.over)
        s->watch.over(s->watch.arg, reply, NULL);
    json_decref(reply);
    drop(s);
}

/* --- what becomes of it --- */

static int compare_work(struct tx *tx, void *data, struct err *err)
{
    struct active_sweep *s = data;

    return changes_find(tx, s->record.id, &s->changes, err);
}

static void compared(void *data, const struct err *failure)
{
    struct active_sweep *s = data;

    if (failure)
        fail(s, failure);
    else
        succeed(s, &s->rows);
}

/* Only what went through all of its addresses is compared with what did before. */
static void adopted(void *arg, struct sweep_founds *rows, const struct err *failure)
{
    struct active_sweep *s = arg;

    if (failure) {
        fail(s, failure);
        return;
    }
    s->rows = *rows;
    memset(rows, 0, sizeof(*rows));
    for (size_t i = 0; i < s->rows.count; i++)
        tell(s, json_pack("{s:o}", "found", sweep_found_json(&s->rows.items[i])));
    if (s->cancelled || s->discovery->closing)
        succeed(s, &s->rows);
    else
        store_submit(s->discovery->parts.store, compare_work, compared, s);
}

static void adopt(struct active_sweep *s)
{
    const struct adopt_order order = {.sweep = s->record.id,
                                      .add = s->order.add && !s->cancelled,
                                      .profile = s->order.profile,
                                      .tags = s->order.tags,
                                      .who = s->order.who,
                                      .stopping = &s->discovery->closing};

    adopt_start(&s->discovery->parts, &order, adopted, s);
}

/* --- saving --- */

struct save {
    struct active_sweep *sweep; /* NULL: it is not waited for */
    struct sweep_record record;
    struct sweep_founds founds;
};

static int save_work(struct tx *tx, void *data, struct err *err)
{
    const struct save *save = data;

    return tx_sweep_save(tx, &save->record, &save->founds, err);
}

static void saved(void *data, const struct err *failure)
{
    struct save *save = data;
    struct active_sweep *s = save->sweep;
    struct err copy = failure ? *failure : (struct err)ERR_INIT;

    sweep_founds_clear(&save->founds);
    free(save->record.kinds);
    free(save);
    s->saving = false;
    if (s->stopping || s->discovery->closing) {
        drop(s);
    } else if (failure) {
        sweep_free(s->sweep);
        s->sweep = NULL;
        fail(s, &copy);
    } else if (s->ended) {
        adopt(s);
    }
}

static void save(struct active_sweep *s)
{
    struct save *save = xcalloc(1, sizeof(*save));

    s->saving = true;
    s->saved_at = mono(s);
    if (s->sweep)
        s->record.cursor = sweep_cursor(s->sweep);
    save->sweep = s;
    save->record = s->record;
    save->record.kinds = xmalloc(s->record.kinds_size);
    memcpy(save->record.kinds, s->record.kinds, s->record.kinds_size);
    save->founds = s->unsaved;
    memset(&s->unsaved, 0, sizeof(s->unsaved));
    store_submit(s->discovery->parts.store, save_work, saved, save);
}

/* --- sweeping --- */

static void tell_progress(struct active_sweep *s)
{
    tell(s, json_pack("{s:{s:I, s:I, s:I, s:o}}", "progress", "done", (json_int_t)s->done, "addresses",
                      (json_int_t)s->record.addresses, "packets",
                      (json_int_t)(s->sweep ? sweep_packets(s->sweep) : 0), "counts",
                      sweep_counts_json(s->record.kinds, s->record.kinds_size)));
}

static void end_sweep(struct active_sweep *s)
{
    s->ended = true;
    uv_timer_stop(&s->timer);
    tell_progress(s);
    s->record.cursor = sweep_cursor(s->sweep);
    sweep_free(s->sweep);
    s->sweep = NULL;
    s->record.state = s->cancelled ? SWEEP_STOPPED : SWEEP_OVER;
    s->record.ended_ms = clock_wall(s->discovery->parts.clock);
    save(s);
}

static void on_timer(uv_timer_t *timer)
{
    struct active_sweep *s = timer->data;

    if ((s->cancelled || s->swept) && !s->saving) {
        end_sweep(s);
        return;
    }
    tell_progress(s);
    if (!s->saving && mono(s) - s->saved_at >= SAVE_MS)
        save(s);
}

static void on_found(void *arg, const struct found *found)
{
    struct active_sweep *s = arg;
    struct sweep_found row = {.address = found->address, .kind = (int)found->kind};
    json_t *json;

    s->done++;
    s->record.kinds[addrset_slot(s->ranges, found->address)] = (uint8_t)found->kind;
    if (found_is_bare(found->kind))
        return;
    json = found_json(found);
    row.realm = xstrdup(found->realm);
    row.detail = json_dumps(json, JSON_COMPACT);
    sweep_founds_add(&s->unsaved, &row);
    json_decref(json);
}

/* A save under way must be over first. */
static void on_over(void *arg)
{
    struct active_sweep *s = arg;

    s->swept = true;
    if (s->saving) {
        uv_timer_start(&s->timer, on_timer, 1, 20);
    } else {
        end_sweep(s);
    }
}

static int begin(struct active_sweep *s, struct err *err)
{
    const struct discovery *d = s->discovery;
    const struct sweep_owner owner = {s, on_found, on_over};

    if (!s->record.kinds || s->record.kinds_size != addrset_slots(s->ranges)) {
        free(s->record.kinds);
        s->record.kinds_size = addrset_slots(s->ranges);
        s->record.kinds = xcalloc(1, s->record.kinds_size);
        s->record.cursor = 0;
    }
    for (size_t i = 0; i < s->record.kinds_size; i++)
        s->done += s->record.kinds[i] != FOUND_NOTHING_YET;
    s->record.state = SWEEP_RUNNING;
    s->record.ended_ms = 0;
    s->sweep = sweep_start(d->parts.loop, d->dialer, d->parts.http, s->ranges, s->record.cursor,
                           &s->order.settings, &owner, err);
    if (!s->sweep)
        return -1;
    s->saved_at = mono(s);
    uv_timer_start(&s->timer, on_timer, PROGRESS_MS, PROGRESS_MS);
    return 0;
}

static void loaded(void *data, const struct err *failure)
{
    struct active_sweep *s = data;
    struct err err = ERR_INIT;

    if (s->stopping) {
        drop(s);
        return;
    }
    if (!failure && discovery_runs(s->discovery, s->record.id)) {
        err_set(&err, CAUSE_IN_USE, "sweep %lld is under way", (long long)s->record.id);
        failure = &err;
    }
    if (failure) {
        fail(s, failure);
        return;
    }
    s->loaded = true;
    tell(s, json_pack("{s:I, s:I}", "sweep", (json_int_t)s->record.id, "addresses",
                      (json_int_t)s->record.addresses));
    if (begin(s, &err) != 0)
        fail(s, &err);
}

/* --- loading --- */

static json_t *order_json(const struct discovery_order *o)
{
    const struct sweep_settings *w = &o->settings;
    json_t *json =
        json_pack("{s:i, s:i, s:I, s:I, s:I, s:I, s:b}", "port", (int)w->port, "rmcp_port", (int)w->rmcp_port,
                  "rate", (json_int_t)w->rate, "per_subnet", (json_int_t)w->per_subnet, "sockets",
                  (json_int_t)w->sockets, "timeout_ms", (json_int_t)w->timeout_ms, "add", (int)o->add);

    if (o->profile)
        json_object_set_new(json, "profile", json_string(o->profile));
    if (o->tags)
        json_object_set(json, "tags", o->tags);
    return json;
}

/* What was written down comes from this program; what is out of place falls back to what is usual. */
static void order_from_json(struct discovery_order *o, const json_t *json)
{
    const struct sweep_settings usual = discovery_settings();
    const json_t *tags = json_object_get(json, "tags");
    json_int_t port = json_integer_value(json_object_get(json, "port")),
               rmcp = json_integer_value(json_object_get(json, "rmcp_port")),
               rate = json_integer_value(json_object_get(json, "rate")),
               per_subnet = json_integer_value(json_object_get(json, "per_subnet")),
               sockets = json_integer_value(json_object_get(json, "sockets")),
               timeout = json_integer_value(json_object_get(json, "timeout_ms"));

    o->settings = usual;
    if (port > 0 && port < 65535)
        o->settings.port = (uint16_t)port;
    if (rmcp > 0 && rmcp <= 65535)
        o->settings.rmcp_port = (uint16_t)rmcp;
    if (rate > 0)
        o->settings.rate = (uint32_t)rate;
    if (per_subnet > 0)
        o->settings.per_subnet = (uint32_t)per_subnet;
    if (sockets > 1 && sockets <= SWEEP_SOCKETS_MAX)
        o->settings.sockets = (uint32_t)sockets;
    if (timeout > 0)
        o->settings.timeout_ms = timeout;
    o->add = json_is_true(json_object_get(json, "add"));
    xreplace(&o->profile, json_string_value(json_object_get(json, "profile")));
    json_decref(o->tags);
    o->tags = json_is_object(tags) ? json_incref((json_t *)tags) : NULL;
}

static int load_old(struct tx *tx, struct active_sweep *s, struct err *err)
{
    json_t *words, *order;

    if (tx_sweep_get(tx, s->order.resume > 0 ? s->order.resume : 0, &s->record, err) != 0)
        return -1;
    if (s->record.state == SWEEP_OVER)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "sweep %lld is over; there is nothing to go on with",
                       (long long)s->record.id);
    order = json_loads(s->record.order, 0, NULL);
    order_from_json(&s->order, order);
    json_decref(order);
    words = json_loads(s->record.words, 0, NULL);
    s->ranges = sweep_ranges(words, err);
    json_decref(words);
    return s->ranges ? 0 : -1;
}

static int load_new(struct tx *tx, struct active_sweep *s, struct err *err)
{
    json_t *order = order_json(&s->order);

    s->record.words = json_dumps(s->order.words, JSON_COMPACT);
    s->record.order = json_dumps(order, JSON_COMPACT);
    s->record.who = xstrdup(s->order.who);
    s->record.began_ms = clock_wall(s->discovery->parts.clock);
    s->record.addresses = (int64_t)addrset_count(s->ranges);
    json_decref(order);
    return tx_sweep_add(tx, &s->record, err);
}

static int check_profile(struct tx *tx, const struct active_sweep *s, struct err *err)
{
    struct profile profile;
    int status;

    if (!s->order.add || !s->order.profile)
        return 0;
    status = tx_profile_get(tx, s->order.profile, &profile, err);
    if (status == 0)
        profile_clear(&profile);
    return status;
}

static int load_work(struct tx *tx, void *data, struct err *err)
{
    struct active_sweep *s = data;

    if (check_profile(tx, s, err) != 0)
        return -1;
    return s->order.resume != 0 ? load_old(tx, s, err) : load_new(tx, s, err);
}

static void look_up_work(uv_work_t *req)
{
    struct active_sweep *s = req->data;
    json_t *found = json_array(), *word;
    size_t i;

    json_array_foreach(s->order.words, i, word)
    {
        struct buf text = buf_init(WORD_MAX);

        if (s->failure.cause == CAUSE_NONE && json_is_string(word))
            addrset_look_up(json_string_value(word), &text, &s->failure);
        json_array_append_new(found, json_string(buf_str(&text)));
        buf_free(&text);
    }
    json_decref(s->order.words);
    s->order.words = found;
    if (s->failure.cause == CAUSE_NONE)
        s->ranges = sweep_ranges(s->order.words, &s->failure);
}

static void looked_up(uv_work_t *req, int status)
{
    struct active_sweep *s = req->data;

    (void)status;
    free(req);
    if (s->stopping)
        drop(s);
    else if (s->failure.cause != CAUSE_NONE)
        fail(s, &s->failure);
    else
        store_submit(s->discovery->parts.store, load_work, loaded, s);
}

/* --- for others --- */

struct active_sweep *discovery_start(struct discovery *d, struct discovery_order *order,
                                     const struct discovery_watch *watch)
{
    struct active_sweep *s = xcalloc(1, sizeof(*s));
    uv_work_t *req;

    s->discovery = d;
    s->order = *order;
    memset(order, 0, sizeof(*order));
    s->watch = *watch;
    uv_timer_init(d->parts.loop, &s->timer);
    s->timer.data = s;
    DL_APPEND(d->active, s);
    if (s->order.resume != 0) {
        store_submit(d->parts.store, load_work, loaded, s);
        return s;
    }
    req = xcalloc(1, sizeof(*req));
    req->data = s;
    uv_queue_work(d->parts.loop, req, look_up_work, looked_up);
    return s;
}

void discovery_unwatch(struct active_sweep *s)
{
    memset(&s->watch, 0, sizeof(s->watch));
}

static struct active_sweep *find(const struct discovery *d, int64_t id)
{
    struct active_sweep *s;

    DL_FOREACH(d->active, s)
    if (s->loaded && s->record.id == id)
        return s;
    return NULL;
}

bool discovery_cancel(struct discovery *d, int64_t id)
{
    struct active_sweep *s = find(d, id);

    if (!s || !s->sweep)
        return false;
    s->cancelled = true;
    uv_timer_start(&s->timer, on_timer, 1, 20);
    return true;
}

bool discovery_runs(const struct discovery *d, int64_t id)
{
    return find(d, id) != NULL;
}

size_t discovery_active(const struct discovery *d)
{
    const struct active_sweep *s;
    size_t n = 0;

    DL_COUNT(d->active, s, n);
    return n;
}

struct discovery *discovery_new(const struct discovery_parts *parts, struct err *err)
{
    struct discovery *d = xcalloc(1, sizeof(*d));

    d->parts = *parts;
    d->dialer = dialer_new(parts->loop, SWEEP_SOCKETS_MAX, err);
    if (d->dialer)
        return d;
    free(d);
    return NULL;
}

/* Sweeps end where they are; what the store or a run of the engine still holds comes back first. */
void discovery_free(struct discovery *d)
{
    struct active_sweep *s, *next;

    if (!d)
        return;
    d->closing = true;
    DL_FOREACH_SAFE(d->active, s, next)
    {
        bool sweeping = s->sweep != NULL;
        struct err err = ERR_INIT;

        err_set(&err, CAUSE_INTERRUPTED, "amtd was stopped; go on with: amtcli discover --resume");
        s->stopping = sweeping || !s->loaded;
        if (s->watch.over)
            s->watch.over(s->watch.arg, NULL, &err);
        discovery_unwatch(s);
        uv_timer_stop(&s->timer);
        if (sweeping && !s->saving)
            save(s);
        sweep_free(s->sweep);
        s->sweep = NULL;
    }
    maybe_close(d);
}
