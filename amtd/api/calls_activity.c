/* activity.list, activity.export, activity.verify. */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/console/hub.h"
#include "amtd/daemon.h"
#include "amtd/store/activity_chain.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"

#define PORTION      2000 /* rows read at a time: others wait for the store meanwhile */
#define FINDINGS_MAX 1000

/* --- the newest --- */

/* Whoever does not see everything sees what he did himself. */
int call_activity_list(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    json_int_t ago = json_integer_value(json_object_get(params, "since_ms"));
    struct activity_filter filter = {.since_ms = ago > 0 ? clock_wall(clock_system()) - ago : 0,
                                     .host = param_text(params, "host"),
                                     .who = param_text(params, "who"),
                                     .what = param_text(params, "what"),
                                     .result = param_text(params, "result")};
    struct activity *list;
    size_t count;
    int status;

    if (param_limit(params, &filter.limit, err) != 0)
        return -1;
    status = tx_activities(tx, &filter, &list, &count, err);
    *reply = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(*reply, activity_json(&list[i]));
        activity_clear(&list[i]);
    }
    free(list);
    return status;
}

/* --- all of it, in portions --- */

struct walk {
    struct api_request *rq;
    struct activity *rows;
    size_t count;
    int64_t after; /* the row before the next portion */
    struct activity_head head;
    struct activity_anchor anchor; /* read with the first portion */
    bool begun;
    struct activity_walk chain;
    int64_t since_ms;
    json_t *findings; /* of another thread while it judges */
    json_int_t wrong;
    bool exports;
    bool waiting; /* for the caller to read */
    bool gone;
};

static void walk_free(struct walk *w)
{
    json_decref(w->findings);
    free(w);
}

static void clear_rows(struct walk *w)
{
    for (size_t i = 0; i < w->count; i++)
        activity_clear(&w->rows[i]);
    free(w->rows);
    w->rows = NULL;
}

/* The end is read together with the last rows, so that nothing comes between. */
static int read_portion(struct tx *tx, void *data, struct err *err)
{
    struct walk *w = data;

    if (!w->begun && tx_activity_anchor(tx, &w->anchor, err) != 0)
        return -1;
    if (tx_activities_after(tx, w->after, PORTION, &w->rows, &w->count, err) != 0)
        return -1;
    return tx_activity_head(tx, &w->head, err);
}

static void portion_read(void *data, const struct err *failure);

static void read_on(struct walk *w)
{
    store_submit(daemon_store(api_daemon(w->rq)), read_portion, portion_read, w);
}

/* What the rules of keeping took away; null: nothing. */
static json_t *cut_json(const struct activity_anchor *anchor)
{
    struct buf hash = buf_init(2 * ACTIVITY_HASH), signature = buf_init(2 * ACTIVITY_SIGNATURE);
    json_t *json = NULL;

    text_hex(&hash, anchor->hash, ACTIVITY_HASH, false);
    text_hex(&signature, anchor->signature, ACTIVITY_SIGNATURE, false);
    if (anchor->id > 0)
        json = json_pack("{s:I, s:I, s:o, s:o, s:s, s:s}", "rows", (json_int_t)anchor->count, "last",
                         (json_int_t)anchor->id, "from", json_time(anchor->from_ms), "to",
                         json_time(anchor->to_ms), "hash", buf_str(&hash), "signature", buf_str(&signature));
    buf_free(&hash);
    buf_free(&signature);
    return json ? json : json_null();
}

/* --- verifying --- */

static void find(struct walk *w, const struct activity *a, const char *text)
{
    json_t *json;

    if (!text || w->wrong++ >= FINDINGS_MAX)
        return;
    json = a ? activity_json(a) : json_object();
    json_object_set_new(json, "text", json_string(text));
    json_array_append_new(w->findings, json);
}

static void judge(void *job)
{
    struct walk *w = job;

    if (!w->begun)
        find(w, NULL, activity_walk_begin(&w->chain, &w->anchor));
    w->begun = true;
    if (!activity_walk_rows(&w->chain, w->rows, w->count))
        for (size_t i = 0; i < w->count; i++)
            find(w, &w->rows[i], activity_walk_row(&w->chain, &w->rows[i]));
    if (w->count < PORTION)
        find(w, NULL, activity_walk_end(&w->chain, w->head.id > 0 ? &w->head : NULL));
}

static void judged(void *job)
{
    struct walk *w = job;
    bool last = w->count < PORTION;

    clear_rows(w);
    if (last || w->gone) {
        api_reply(w->rq, json_pack("{s:b, s:I, s:I, s:I, s:O, s:s, s:o}", "intact", (int)(w->wrong == 0),
                                   "rows", (json_int_t)w->chain.rows, "last", (json_int_t)w->chain.last_id,
                                   "wrong", w->wrong, "findings", w->findings, "key",
                                   node_key_id(w->chain.key), "cut", cut_json(&w->anchor)));
        walk_free(w);
        return;
    }
    read_on(w);
}

/* --- exporting --- */

static void give(struct walk *w)
{
    bool last = w->count < PORTION;

    w->begun = true;
    for (size_t i = 0; i < w->count; i++)
        if (w->rows[i].at_ms >= w->since_ms)
            api_event(w->rq, activity_json(&w->rows[i]));
    clear_rows(w);
    if (last || w->gone) {
        api_reply(w->rq, json_pack("{s:o}", "cut", cut_json(&w->anchor)));
        walk_free(w);
    } else if (api_backlog(w->rq) > API_HIGH_WATER) {
        w->waiting = true;
    } else {
        read_on(w);
    }
}

static void portion_read(void *data, const struct err *failure)
{
    struct walk *w = data;

    if (failure) {
        api_fail(w->rq, failure);
        walk_free(w);
        return;
    }
    if (w->count > 0)
        w->after = w->rows[w->count - 1].id;
    if (w->exports)
        give(w);
    else
        hub_work(daemon_hub(api_daemon(w->rq)), judge, judged, w);
}

static void drained(struct api_request *rq, void *arg)
{
    struct walk *w = arg;

    (void)rq;
    if (w->waiting)
        read_on(w);
    w->waiting = false;
}

static void gone(struct api_request *rq, void *arg)
{
    struct walk *w = arg;

    w->gone = true;
    drained(rq, w);
}

static void start(struct api_request *rq, bool exports)
{
    struct walk *w = xcalloc(1, sizeof(*w));
    json_int_t ago = json_integer_value(json_object_get(api_params(rq), "since_ms"));

    w->rq = rq;
    w->exports = exports;
    w->findings = json_array();
    w->since_ms = ago > 0 ? clock_wall(clock_system()) - ago : 0;
    w->chain.key = hub_key(daemon_hub(api_daemon(rq)));
    api_on_drained(rq, drained, w);
    api_on_gone(rq, gone, w);
    read_on(w);
}

void call_activity_export(struct api_request *rq)
{
    start(rq, true);
}

void call_activity_verify(struct api_request *rq)
{
    start(rq, false);
}
