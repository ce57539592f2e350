/* log.events and log.verify. */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/api/console_json.h"
#include "amtd/api/log_range.h"
#include "amtd/console/hub.h"
#include "amtd/console/log_origin.h"
#include "amtd/console/log_verify.h"
#include "amtd/daemon.h"
#include "base/xalloc.h"

#define EVENTS_MAX 1000000

/* What another thread collects for one console, and the loop's thread then tells. */
struct reading {
    struct api_request *rq;
    char *name, *path;
    const struct node_key *key;
    struct log_range range;
    json_t *events; /* an array; of this thread alone until it is done */
    json_t *reply;
    int status;
    struct err err;
};

static void reading_done(void *arg)
{
    struct reading *r = arg;
    size_t i;
    json_t *event;

    json_array_foreach(r->events, i, event) api_event(r->rq, json_incref(event));
    if (r->status != 0)
        api_fail(r->rq, &r->err);
    else
        api_reply(r->rq, r->reply ? json_incref(r->reply) : json_object());
    json_decref(r->events);
    json_decref(r->reply);
    free(r->name);
    free(r->path);
    free(r);
}

static void start(struct api_request *rq, void (*run)(void *job))
{
    struct reading *r = xcalloc(1, sizeof(*r));
    struct console *console;

    r->rq = rq;
    r->events = json_array();
    if (console_param(rq, RIGHT_WATCH, &console, &r->err) != 0 ||
        log_range_read(api_params(rq), &r->range, &r->err) != 0) {
        r->status = -1;
        reading_done(r);
        return;
    }
    log_range_settle(&r->range, console_log(console));
    r->name = xstrdup(console_info(console).name);
    r->path = xstrdup(clog_path(console_log(console)));
    r->key = hub_key(daemon_hub(api_daemon(rq)));
    hub_work(daemon_hub(api_daemon(rq)), run, reading_done, r);
}

/* --- events --- */

static bool add_event(void *arg, const struct journal_entry *entry)
{
    struct reading *r = arg;
    json_t *json;

    if (entry->offset < r->range.from || entry->offset > r->range.to)
        return true;
    json = json_pack("{s:I, s:o, s:s}", "offset", (json_int_t)entry->offset, "at", json_time_ms(entry->at_ms),
                     "event", journal_kind_name(entry->kind));
    if (entry->who[0])
        json_object_set_new(json, "who", json_string(entry->who));
    if (entry->text[0])
        json_object_set_new(json, "text", json_string(entry->text));
    json_array_append_new(r->events, json);
    return json_array_size(r->events) < EVENTS_MAX;
}

static void events_run(void *arg)
{
    struct reading *r = arg;
    struct log_times *times = log_times_new(r->path, &r->err);

    r->status = times ? log_range_resolve(&r->range, times, &r->err) : -1;
    if (r->status == 0)
        log_times_events(times, add_event, r);
    log_times_free(times);
}

void call_log_events(struct api_request *rq)
{
    start(rq, events_run);
}

/* --- verify --- */

static void add_finding(void *arg, const struct verify_finding *finding)
{
    struct reading *r = arg;
    json_t *json =
        json_pack("{s:s, s:I, s:I, s:s}", "segment", finding->file, "first", (json_int_t)finding->first,
                  "end", (json_int_t)finding->end, "state", verify_state_name(finding->state));

    if (finding->text[0])
        json_object_set_new(json, "text", json_string(finding->text));
    json_array_append_new(r->events, json);
}

/* What the node signed of which this is a replica: the damages count together. */
static int verify_origin(struct reading *r, size_t *damages, json_t **json)
{
    struct verify_result result;
    struct origin origin;
    char id[NODE_ID_LEN + 1];
    int status = log_origin_verify(r->path, &origin, add_finding, r, &result, &r->err);

    if (status <= 0)
        return status;
    origin_id(&origin, id);
    *damages += result.damages;
    *json = json_pack("{s:s, s:s, s:I, s:I}", "console", origin.console, "key", id, "damages",
                      (json_int_t)result.damages, "signed_to", (json_int_t)result.signed_to);
    return 0;
}

static void verify_run(void *arg)
{
    struct reading *r = arg;
    struct verify_result result;
    json_t *origin = NULL;

    r->status = log_verify(r->path, r->name, r->key, add_finding, r, &result, &r->err);
    if (r->status == 0)
        r->status = verify_origin(r, &result.damages, &origin);
    if (r->status == 0)
        r->reply = json_pack("{s:b, s:I, s:I, s:I, s:s}", "intact", (int)(result.damages == 0), "damages",
                             (json_int_t)result.damages, "signed_to", (json_int_t)result.signed_to, "end",
                             (json_int_t)result.end, "key", node_key_id(r->key));
    if (r->reply && origin)
        json_object_set_new(r->reply, "origin", origin);
    else
        json_decref(origin);
}

void call_log_verify(struct api_request *rq)
{
    start(rq, verify_run);
}
