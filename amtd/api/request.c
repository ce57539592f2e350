/* Calls: reading the request, checking it against the table, carrying it out, answering. */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/activity.h"
#include "amtd/api/call_deed.h"
#include "amtd/api/scope.h"
#include "amtd/api/server_internal.h"
#include "amtd/daemon.h"
#include "amtd/store/reach.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/xalloc.h"

#define USUAL_LINE 250 /* bytes of many lines sent */
#define JSON_FLAGS (JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK)

/* --- answering --- */

/* usual: bytes of such a value; it learns. */
static void put_value(const json_t *value, size_t *usual, struct buf *line)
{
    size_t room = *usual > USUAL_LINE ? *usual : USUAL_LINE, n;

    while ((n = json_dumpb(value, (char *)buf_room(line, room), room, JSON_COMPACT | JSON_ENCODE_ANY)) > room)
        room = *usual = n + n / 4;
    buf_added(line, n);
}

static void send_line(struct api_request *rq, const char *kind, json_t *value)
{
    struct buf line = buf_init(SIZE_MAX / 4); /* what is sent is ours */

    if (rq->client) {
        buf_puts(&line, "{\"");
        buf_puts(&line, kind);
        buf_puts(&line, "\":");
        put_value(value, &rq->usual, &line);
        buf_puts(&line, "}\n");
        client_write(rq->client, rq->channel, line.p, line.len);
    }
    buf_free(&line);
    json_decref(value);
}

void request_write(struct api_request *rq, const void *lines, size_t n)
{
    if (rq->client)
        client_write(rq->client, rq->channel, lines, n);
}

static void wipe_secrets(const struct api_request *rq)
{
    for (const struct api_param *p = rq->call ? rq->call->params : NULL; p && p->name; p++) {
        const json_t *value = json_object_get(rq->params, p->name);

        if (p->told == API_SECRET && json_is_string(value))
            secret_wipe((char *)json_string_value(value), json_string_length(value));
    }
}

/* The line has been read, or is given up. */
static void drop_line(struct api_request *rq)
{
    if (rq->client)
        client_add_unfinished(rq->client, -(ptrdiff_t)rq->line.len);
    buf_free(&rq->line);
}

void request_free(struct api_request *rq)
{
    wipe_secrets(rq);
    drop_line(rq);
    if (rq->client)
        client_close_channel(rq->client, rq);
    json_decref(rq->params);
    json_decref(rq->reply);
    if (rq->listing)
        listing_free(rq->listing, rq->call->list);
    rows_free(rq->rows);
    buf_free(&rq->sent);
    buf_free(&rq->line);
    free(rq->from);
    account_unref(rq->account);
    reach_free(rq->reach);
    hostlist_free(rq->touched);
    free(rq);
}

/* --- the activity log --- */

/* What is quiet is written down only when it was denied; so is what is begun, before its end is known. */
static void write_activity(struct api_request *rq, const json_t *reply, const struct err *err, bool begun)
{
    struct deed deed = {.who = api_who(rq), .by = rq->from, .hosts = rq->touched, .err = err};
    bool failed = json_integer_value(json_object_get(reply, "failed")) > 0;
    char *what, *detail;

    if (!rq->call || (rq->call->quiet && !(err && err->cause == CAUSE_DENIED)))
        return;
    what = call_deed_text(rq->call, rq->params);
    detail = call_deed_detail(reply, begun);
    deed.run = json_integer_value(json_object_get(json_object_get(reply, "run") ? reply : rq->params, "run"));
    deed.result = begun ? "begun" : failed ? "failed" : NULL;
    deed.what = what;
    deed.target = call_deed_target(rq->params);
    deed.detail = detail;
    activity_write(rq->daemon, &deed);
    free(what);
    free(detail);
}

void api_begun(struct api_request *rq, const json_t *state, const struct hosts *hosts)
{
    if (rq->touched)
        for (size_t i = 0; i < hosts->count; i++)
            hostlist_add(rq->touched, hosts->items[i].name, NULL);
    write_activity(rq, state, NULL, true);
}

void api_event(struct api_request *rq, json_t *event)
{
    send_line(rq, "event", event);
}

struct rows *api_row_begin(struct api_request *rq)
{
    if (!rq->rows) {
        rq->rows = rows_new(NULL);
        rq->sent = buf_init(SIZE_MAX / 4); /* of what is ours */
    }
    rows_begin(rq->rows);
    return rq->rows;
}

void api_row_end(struct api_request *rq)
{
    rows_end(rq->rows);
    rows_take(rq->rows, &rq->sent);
    request_write(rq, rq->sent.p, rq->sent.len);
}

void api_reply(struct api_request *rq, json_t *reply)
{
    write_activity(rq, reply, NULL, false);
    send_line(rq, "reply", reply);
    request_free(rq);
}

void request_done(struct api_request *rq)
{
    write_activity(rq, NULL, NULL, false);
    request_free(rq);
}

void api_fail_with(struct api_request *rq, const struct err *err, json_t *details)
{
    json_t *failure = json_pack("{s:s, s:s, s:s, s:s}", "cause", cause_name(err->cause), "code", err->code,
                                "message", err->text, "hint", err_hint(err));

    if (details)
        json_object_set_new(failure, "details", details);
    write_activity(rq, NULL, err, false);
    send_line(rq, "failure", failure);
    request_free(rq);
}

void api_denied(struct api_request *rq, const struct err *err)
{
    write_activity(rq, NULL, err, false);
}

void api_fail(struct api_request *rq, const struct err *err)
{
    api_fail_with(rq, err, NULL);
}

/* --- what handlers ask --- */

struct daemon *api_daemon(const struct api_request *rq)
{
    return rq->daemon;
}

const json_t *api_params(const struct api_request *rq)
{
    return rq->params;
}

const char *api_who(const struct api_request *rq)
{
    return account_who(rq->account);
}

const struct user *api_user(const struct api_request *rq)
{
    return account_user(rq->account);
}

const struct reach *api_reach(const struct api_request *rq)
{
    return rq->reach;
}

int64_t api_uid(const struct api_request *rq)
{
    return account_uid(rq->account);
}

size_t api_backlog(const struct api_request *rq)
{
    return rq->client ? client_backlog(rq->client, rq->channel) : 0;
}

void api_on_drained(struct api_request *rq, void (*drained)(struct api_request *rq, void *arg), void *arg)
{
    rq->drained = drained;
    rq->drained_arg = arg;
}

void api_on_gone(struct api_request *rq, void (*gone)(struct api_request *rq, void *arg), void *arg)
{
    rq->gone = gone;
    rq->gone_arg = arg;
}

struct actor api_actor(const struct api_request *rq)
{
    return (struct actor){
        .who = api_who(rq), .reach = rq->reach, .need = rq->call->role, .touched = rq->touched};
}

int api_require(const struct api_request *rq, enum api_role role, struct err *err)
{
    if (reach_everywhere(rq->reach) >= role)
        return 0;
    return err_set(err, CAUSE_DENIED, "%s needs the role '%s' on every host, which %s does not have",
                   rq->call->name, role_name(role), api_who(rq));
}

int api_require_on(const struct api_request *rq, const char *host, enum api_role role, struct err *err)
{
    enum api_role has = reach_on(rq->reach, host);

    if (has >= role)
        return 0;
    if (has < ROLE_WATCH)
        return err_set(err, CAUSE_NOT_FOUND, "there is no host '%s'", host);
    return err_set(err, CAUSE_DENIED, "%s needs the role '%s', which %s does not have on %s", rq->call->name,
                   role_name(role), api_who(rq), host);
}

/* --- checking --- */

static bool has_type(const json_t *value, enum api_type type)
{
    switch (type) {
    case API_STRING:
        return json_is_string(value);
    case API_INTEGER:
        return json_is_integer(value);
    case API_BOOLEAN:
        return json_is_boolean(value);
    case API_OBJECT:
        return json_is_object(value);
    case API_ARRAY:
        return json_is_array(value);
    }
    return false;
}

static const struct api_param *find_param(const struct api_param *params, const char *name)
{
    for (const struct api_param *p = params; p && p->name; p++)
        if (strcmp(p->name, name) == 0)
            return p;
    return NULL;
}

int api_check(const struct api_param *table, json_t *params, struct err *err)
{
    static const char *const types[] = {"a string", "an integer", "true or false", "an object", "an array"};
    struct buf mistakes = buf_init(ERR_TEXT_MAX);
    const char *name;
    json_t *value;
    void *next;
    int status = 0;

    json_object_foreach_safe(params, next, name, value)
    {
        const struct api_param *p = find_param(table, name);

        if (json_is_null(value))
            json_object_del(params, name); /* the same as not given */
        else if (!p)
            buf_printf(&mistakes, "%s'%s' is not a parameter", mistakes.len > 0 ? "; " : "", name);
        else if (!has_type(value, p->type))
            buf_printf(&mistakes, "%s'%s' must be %s", mistakes.len > 0 ? "; " : "", name, types[p->type]);
    }
    for (const struct api_param *p = table; p && p->name; p++)
        if (p->required && !json_object_get(params, p->name))
            buf_printf(&mistakes, "%s'%s' is missing (%s)", mistakes.len > 0 ? "; " : "", p->name, p->text);
    if (mistakes.len > 0 || !buf_ok(&mistakes))
        status = err_set(err, CAUSE_INVALID_ARGUMENT, "%s", buf_str(&mistakes));
    buf_free(&mistakes);
    return status;
}

static const struct api_call *find_call(const char *name)
{
    for (const struct api_call *call = api_calls; call->name; call++)
        if (strcmp(call->name, name) == 0)
            return call;
    return NULL;
}

/* --- carrying out --- */

/* What the caller may is looked up in the transaction that does what he wants. */
static int do_work(struct tx *tx, void *data, struct err *err)
{
    struct api_request *rq = data;
    struct actor actor;
    int status;

    if (!rq->reach && api_user(rq)->role >= ROLE_ADMINISTER) /* no grant adds to that */
        rq->reach = reach_new(ROLE_ADMINISTER);
    if ((!rq->reach && tx_reach(tx, api_user(rq), &rq->reach, err) != 0) ||
        scope_check(rq, rq->call, err) != 0)
        return -1;
    actor = api_actor(rq);
    tx_as(tx, &actor);
    status = rq->call->list ? listing_work(tx, rq, err) : rq->call->work(tx, rq->params, &rq->reply, err);
    tx_as(tx, NULL);
    return status;
}

static void work_done(void *data, const struct err *failure)
{
    struct api_request *rq = data;
    json_t *reply = rq->reply;

    rq->reply = NULL;
    if (!failure && !rq->call->quiet)
        daemon_rights_moved(rq->daemon);
    if (failure)
        api_fail_with(rq, failure, reply);
    else if (rq->listing)
        listing_worked(rq);
    else
        api_reply(rq, reply ? reply : json_object());
}

void request_work(struct api_request *rq)
{
    store_submit(daemon_store(rq->daemon), do_work, work_done, rq);
}

static int read_request(struct api_request *rq, struct err *err)
{
    json_error_t where;
    json_t *request = json_loadb(buf_str(&rq->line), rq->line.len, JSON_FLAGS, &where);
    const char *name = json_string_value(json_object_get(request, "call"));
    json_t *params = json_object_get(request, "params");
    int status = -1;

    if (!request)
        err_set(err, CAUSE_PROTOCOL, "the request is not JSON: %s", where.text);
    else if (!name || (params && !json_is_object(params)))
        err_set(err, CAUSE_PROTOCOL, "expected {\"call\": NAME, \"params\": {...}}");
    else if (!(rq->call = find_call(name)))
        err_set(err, CAUSE_NOT_FOUND, "there is no call '%s'", name);
    else
        status = 0;
    rq->params = params ? json_incref(params) : json_object();
    json_decref(request);
    return status;
}

static int find_reach(struct tx *tx, void *data, struct err *err)
{
    struct api_request *rq = data;

    return tx_reach(tx, api_user(rq), &rq->reach, err);
}

static void reach_found(void *data, const struct err *failure)
{
    struct api_request *rq = data;
    struct err err = ERR_INIT;

    if (failure)
        api_fail(rq, failure);
    else if (!rq->client) /* left before anything began */
        request_free(rq);
    else if (scope_check(rq, rq->call, &err) != 0)
        api_fail(rq, &err);
    else
        rq->call->start(rq);
}

/* It is known who calls. */
static void caller_known(void *arg)
{
    struct api_request *rq = arg;
    struct err err = ERR_INIT;

    if (!rq->client)
        request_free(rq);
    else if (api_check(rq->call->params, rq->params, &err) != 0) {
        err_context(&err, "%s", rq->call->name);
        api_fail(rq, &err);
    } else if (rq->call->work || rq->call->list)
        request_work(rq);
    else if (api_user(rq)->role >= ROLE_ADMINISTER) { /* no grant adds to that */
        rq->reach = reach_new(ROLE_ADMINISTER);
        reach_found(rq, NULL);
    } else {
        store_submit(daemon_store(rq->daemon), find_reach, reach_found, rq);
    }
}

static void dispatch(struct api_request *rq)
{
    struct err err = ERR_INIT;

    if (read_request(rq, &err) != 0) {
        api_fail(rq, &err);
        return;
    }
    drop_line(rq);
    if (!rq->call->quiet)
        rq->touched = hostlist_new();
    account_wait(rq->account, caller_known, rq);
}

void request_data(struct api_request *rq, const void *p, size_t n)
{
    const uint8_t *end = memchr(p, '\n', n);
    size_t had = rq->line.len, all;
    struct err err = ERR_INIT;

    if (rq->call || rq->params) /* nothing more is expected */
        return;
    buf_add(&rq->line, p, end ? (size_t)(end - (const uint8_t *)p) : n);
    all = client_add_unfinished(rq->client, (ptrdiff_t)rq->line.len - (ptrdiff_t)had);
    if (!buf_ok(&rq->line) || all > REQUEST_MAX) {
        err_set(&err, CAUSE_PROTOCOL, "requests that are not whole yet have at most %d bytes, all together",
                REQUEST_MAX);
        api_fail(rq, &err);
    } else if (end) {
        dispatch(rq);
    }
}

void request_gone(struct api_request *rq)
{
    if (!rq->call) /* not even asked yet */
        request_free(rq);
    else if (rq->gone)
        rq->gone(rq, rq->gone_arg);
}
