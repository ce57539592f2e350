/* discover.start, cancel, list, show, diff. */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/daemon.h"
#include "amtd/discover/discovery.h"
#include "amtd/discover/sweep_json.h"
#include "base/xalloc.h"

#define LIMIT_DEFAULT 50

/* --- discover.start --- */

static int read_order(const struct api_request *rq, struct discovery_order *order, struct err *err)
{
    const json_t *params = api_params(rq), *resume = json_object_get(params, "resume");

    order->resume = json_integer_value(resume);
    order->who = xstrdup(api_who(rq));
    if (resume)
        return json_object_size(params) > 1
                   ? err_set(err, CAUSE_INVALID_ARGUMENT, "'resume' stands alone: what was ordered holds")
                   : 0;
    return discovery_order_read(params, order, err) == 0 ? check_tags(order->tags, err) : -1;
}

static void on_event(void *arg, json_t *event)
{
    api_event(arg, json_incref(event));
}

static void on_over(void *arg, json_t *reply, const struct err *failure)
{
    if (failure)
        api_fail(arg, failure);
    else
        api_reply(arg, json_incref(reply));
}

/* A sweep that was ordered with `add` adds also when somebody else goes on with it. */
void call_discover_start(struct api_request *rq)
{
    const struct discovery_watch watch = {rq, on_event, on_over};
    struct discovery_order order = {0};
    struct err err = ERR_INIT;

    if (read_order(rq, &order, &err) != 0 ||
        ((order.add || order.resume != 0) && api_require(rq, ROLE_ADMINISTER, &err) != 0)) {
        discovery_order_clear(&order);
        api_fail(rq, &err);
        return;
    }
    discovery_start(daemon_discovery(api_daemon(rq)), &order, &watch);
}

void call_discover_cancel(struct api_request *rq)
{
    json_int_t id = json_integer_value(json_object_get(api_params(rq), "sweep"));
    struct err err = ERR_INIT;

    if (discovery_cancel(daemon_discovery(api_daemon(rq)), id)) {
        api_reply(rq, json_object());
        return;
    }
    err_set(&err, CAUSE_NOT_FOUND, "sweep %lld is not under way", (long long)id);
    api_fail(rq, &err);
}

/* --- what is kept --- */

int call_discover_list(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    json_int_t limit = json_integer_value(json_object_get(params, "limit"));
    struct sweep_record *records;
    size_t count;
    int status = tx_sweeps(tx, limit > 0 ? (size_t)limit : LIMIT_DEFAULT, &records, &count, err);

    *reply = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(*reply, sweep_record_json(&records[i]));
        sweep_record_clear(&records[i]);
    }
    free(records);
    return status;
}

/* A sweep with its set of addresses and what was found. */
struct whole {
    struct sweep_record record;
    struct sweep_founds founds;
    struct addrset *ranges;
};

static void whole_clear(struct whole *w)
{
    sweep_record_clear(&w->record);
    sweep_founds_clear(&w->founds);
    addrset_free(w->ranges);
}

static int whole_get(struct tx *tx, int64_t id, struct whole *w, struct err *err)
{
    json_t *words;

    memset(w, 0, sizeof(*w));
    if (tx_sweep_get(tx, id, &w->record, err) != 0 || tx_sweep_founds(tx, w->record.id, &w->founds, err) != 0)
        return -1;
    words = json_loads(w->record.words, 0, NULL);
    w->ranges = sweep_ranges(words, err);
    json_decref(words);
    if (!w->ranges)
        return -1;
    if (w->record.kinds_size != addrset_slots(w->ranges)) { /* nothing was saved yet */
        w->record.kinds_size = addrset_slots(w->ranges);
        free(w->record.kinds);
        w->record.kinds = xcalloc(1, w->record.kinds_size);
    }
    return 0;
}

static json_t *founds_json(const struct sweep_founds *founds)
{
    json_t *json = json_array();

    for (size_t i = 0; i < founds->count; i++)
        json_array_append_new(json, sweep_found_json(&founds->items[i]));
    return json;
}

int call_discover_show(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct whole w;
    int status = whole_get(tx, json_integer_value(json_object_get(params, "sweep")), &w, err);

    if (status == 0) {
        *reply = sweep_record_json(&w.record);
        json_object_set_new(*reply, "counts", sweep_counts_json(w.record.kinds, w.record.kinds_size));
        json_object_set_new(*reply, "found", founds_json(&w.founds));
        json_object_set_new(*reply, "ranges", sweep_runs_json(w.ranges, w.record.kinds));
    }
    whole_clear(&w);
    return status;
}

static int before(struct tx *tx, const struct whole *w, int64_t *id, struct err *err)
{
    int status = tx_sweep_before(tx, &w->record, id, err);

    if (status == 0 && *id == 0)
        return err_set(err, CAUSE_NOT_FOUND, "sweep %lld is the first one through its addresses",
                       (long long)w->record.id);
    return status;
}

int call_discover_diff(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    int64_t id = json_integer_value(json_object_get(params, "from"));
    struct whole old = {0}, new;
    int status = whole_get(tx, json_integer_value(json_object_get(params, "to")), &new, err);

    if (status == 0 && id == 0)
        status = before(tx, &new, &id, err);
    if (status == 0)
        status = whole_get(tx, id, &old, err);
    if (status == 0)
        *reply =
            json_pack("{s:I, s:I, s:o}", "from", (json_int_t)old.record.id, "to", (json_int_t) new.record.id,
                      "changes", sweep_diff_json(old.ranges, &old.founds, new.ranges, &new.founds));
    whole_clear(&old);
    whole_clear(&new);
    return status;
}
