/* discover.start, cancel, list, show, diff. */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/api/listing.h"
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

static int whole_begin(struct tx *tx, int64_t id, struct whole *w, struct err *err)
{
    json_t *words;

    memset(w, 0, sizeof(*w));
    if (tx_sweep_get(tx, id, &w->record, err) != 0)
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

/* --- discover.show: subnet by subnet --- */

#define WINDOW 256 /* slots */

struct walk {
    struct whole whole; /* without what was found */
    bool each;          /* also where nothing is */
    size_t slot;        /* the next one */
    size_t end;         /* of the window under way */
    struct rows *rows;
};

static void walk_free(void *state)
{
    whole_clear(&((struct walk *)state)->whole);
    free(state);
}

static int open_sweep(struct tx *tx, struct listing *l, struct err *err)
{
    struct walk *w = xcalloc(1, sizeof(*w));

    l->state = w;
    w->each = json_is_true(json_object_get(l->params, "each"));
    if (whole_begin(tx, json_integer_value(json_object_get(l->params, "sweep")), &w->whole, err) != 0)
        return -1;
    l->member = "found";
    l->head = sweep_record_json(&w->whole.record);
    json_object_set_new(l->head, "counts",
                        sweep_counts_json(w->whole.record.kinds, w->whole.record.kinds_size));
    if (!w->each)
        json_object_set_new(l->head, "ranges", sweep_runs_json(w->whole.ranges, w->whole.record.kinds));
    return 0;
}

static void write_bare(struct rows *rows, uint32_t address, enum found_kind kind)
{
    char text[ADDRSET_TEXT_MAX];

    rows_begin(rows);
    rows_text(rows, "address", addrset_text(address, text));
    rows_text(rows, "finding", found_kind_name(kind));
    rows_boolean(rows, "amt", false);
    rows_text(rows, "message", found_kind_text(kind));
    rows_text(rows, "why", found_kind_text(kind));
    rows_end(rows);
}

/* Goes on in the window, to that address. */
static void pass_bare(struct walk *w, uint64_t before)
{
    uint32_t address;

    for (; w->slot < w->end; w->slot++) {
        enum found_kind kind = (enum found_kind)w->whole.record.kinds[w->slot];

        if (!addrset_slot_address(w->whole.ranges, w->slot, &address))
            continue;
        if (address >= before)
            break;
        if (w->each && found_is_bare(kind))
            write_bare(w->rows, address, kind);
    }
}

static void write_found(void *arg, uint32_t address, const char *json)
{
    struct walk *w = arg;

    pass_bare(w, address);
    rows_written_row(w->rows, json);
}

/* The first and the last address of the window; false: there is none in it. */
static bool window_addresses(const struct walk *w, uint32_t *from, uint32_t *to)
{
    bool any = false;
    uint32_t address;

    for (size_t slot = w->slot; slot < w->end; slot++) {
        if (!addrset_slot_address(w->whole.ranges, slot, &address))
            continue;
        *from = any ? *from : address;
        *to = address;
        any = true;
    }
    return any;
}

static int more_found(struct tx *tx, struct listing *l, struct err *err)
{
    struct walk *w = l->state;
    size_t slots = addrset_slots(w->whole.ranges);
    uint32_t from, to;
    int status = 0;

    w->rows = l->rows;
    w->end = slots - w->slot > WINDOW ? w->slot + WINDOW : slots;
    if (window_addresses(w, &from, &to))
        status = tx_sweep_tell(tx, w->whole.record.id, from, to, write_found, w, err);
    pass_bare(w, UINT64_MAX);
    l->over = w->slot == slots;
    return status;
}

const struct api_list list_sweep = {open_sweep, more_found, walk_free};

static int whole_get(struct tx *tx, int64_t id, struct whole *w, struct err *err)
{
    int status = whole_begin(tx, id, w, err);

    return status == 0 ? tx_sweep_founds(tx, w->record.id, &w->founds, err) : -1;
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
