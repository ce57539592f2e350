#include "amtd/api/channel_console.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/api/activity.h"
#include "amtd/api/calls.h"
#include "amtd/api/console_json.h"
#include "amtd/console/hub.h"
#include "amtd/daemon.h"
#include "base/xalloc.h"

#define BACKLOG      (128 * 1024) /* bytes on their way to the client before the rest is left in the files */
#define REPLAY_MAX   10000
#define SIGNAL_BREAK 1

struct terminal {
    struct channel *channel; /* NULL: the client is gone while its host was looked up */
    struct daemon *daemon;
    struct attachment *attachment;
    struct api_request *events;
    struct buf typed; /* not taken by the console yet; its credit is owed */
    char *name;
    char *ended; /* why, when it was ended from here */
    struct attach_request request;
    struct err failure; /* of the look-up */
    bool denied;        /* what he may not do here is written down */
};

static void terminal_free(struct terminal *t)
{
    if (t->events) {
        api_on_gone(t->events, NULL, NULL);
        if (t->ended)
            api_event(t->events,
                      json_pack("{s:s, s:s, s:s}", "event", "closed", "console", t->name, "text", t->ended));
        api_reply(t->events, json_object());
    }
    buf_free(&t->typed);
    free(t->name);
    free(t->ended);
    free(t);
}

/* --- from the console --- */

static size_t on_room(void *arg)
{
    const struct terminal *t = arg;
    size_t backlog = channel_backlog(t->channel);

    return backlog < BACKLOG ? BACKLOG - backlog : 0;
}

static void on_bytes(void *arg, uint64_t offset, const uint8_t *p, size_t n)
{
    const struct terminal *t = arg;

    (void)offset;
    channel_write(t->channel, p, n);
}

static void on_event(void *arg, const struct console_event *event)
{
    const struct terminal *t = arg;

    if (t->events && t->attachment)
        api_event(t->events,
                  console_event_json(attachment_console(t->attachment), event, attachment_id(t->attachment)));
}

static void push(struct terminal *t)
{
    size_t taken;

    if (t->typed.len == 0)
        return;
    taken = attachment_write(t->attachment, t->typed.p, t->typed.len);
    buf_consume(&t->typed, taken);
    channel_consumed(t->channel, taken);
}

static void on_writable(void *arg)
{
    push(arg);
}

static void on_ended(void *arg, const char *reason)
{
    struct terminal *t = arg;
    struct channel *channel = t->channel;

    t->attachment = NULL;
    t->ended = xstrdup(reason);
    terminal_free(t);
    channel_close(channel);
}

/* --- opening --- */

static int attach(struct terminal *t, struct console *console, struct err *err)
{
    const struct attach_sink sink = {t, on_room, on_bytes, on_event, on_writable, on_ended};

    t->request.right =
        console_right_of(channel_user(t->channel), channel_reach(t->channel), console_info(console).settings);
    if (t->request.right < RIGHT_WATCH)
        return err_set(err, CAUSE_NOT_FOUND, "there is neither a console nor a host '%s'", t->name);
    t->attachment = console_attach(console, &t->request, &sink, err);
    if (!t->attachment)
        return -1;
    channel_accept(t->channel);
    return 0;
}

/* Where no console has that name, it may be a host's: its Serial-over-LAN is the console then. */
static int find_host(struct tx *tx, void *data, struct err *err)
{
    struct terminal *t = data;
    struct host host = {0};

    (void)err;
    if (tx_host_get(tx, t->name, &host, &t->failure) == 0)
        host_clear(&host);
    else if (t->failure.cause == CAUSE_NOT_FOUND)
        err_set(&t->failure, CAUSE_NOT_FOUND, "there is neither a console nor a host '%s'", t->name);
    return 0;
}

/* To make one is more than to watch. */
static void may_make(const struct terminal *t, struct err *err)
{
    enum api_role role = reach_on(channel_reach(t->channel), t->name);

    if (role < ROLE_WATCH)
        err_set(err, CAUSE_NOT_FOUND, "there is neither a console nor a host '%s'", t->name);
    else if (role < ROLE_OPERATE)
        err_set(err, CAUSE_DENIED, "the console of %s is not open, and %s may not open it", t->name,
                t->request.who);
}

static void host_found(void *data, const struct err *failure)
{
    struct terminal *t = data;
    struct channel *channel = t->channel;
    struct console *console;
    struct err err = ERR_INIT;

    if (channel) {
        if (failure)
            err = *failure;
        else if (t->failure.cause != CAUSE_NONE)
            err = t->failure;
        if (err.cause == CAUSE_NONE)
            may_make(t, &err);
        console = err.cause == CAUSE_NONE && daemon_hub(t->daemon)
                      ? hub_host_console(daemon_hub(t->daemon), t->name, &err)
                      : NULL;
        if (console && attach(t, console, &err) == 0)
            return;
        channel_set(channel, NULL);
        channel_reject(channel, &err);
    }
    terminal_free(t);
}

static int read_mode(const json_t *params, struct attach_request *request, struct err *err)
{
    static const char *const modes[] = {
        [ATTACH_WATCH] = "watch", [ATTACH_WRITE] = "write", [ATTACH_FORCE] = "force"};
    const json_t *mode = json_object_get(params, "mode");

    request->mode = ATTACH_WRITE;
    for (int i = 0; mode && i < 3; i++) {
        if (json_is_string(mode) && strcmp(json_string_value(mode), modes[i]) == 0) {
            request->mode = (enum attach_mode)i;
            return 0;
        }
    }
    return mode ? err_set(err, CAUSE_INVALID_ARGUMENT, "'mode' must be \"watch\", \"write\" or \"force\"")
                : 0;
}

static int read_params(const json_t *params, struct attach_request *request, struct err *err)
{
    const json_t *replay = json_object_get(params, "replay"), *offset = json_object_get(params, "offset");

    if (!json_is_string(json_object_get(params, "console")))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'console' is missing: which one");
    if (replay && (!json_is_integer(replay) || json_integer_value(replay) < 0 ||
                   json_integer_value(replay) > REPLAY_MAX))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'replay' must be from 0 to %d lines", REPLAY_MAX);
    if (offset && (!json_is_integer(offset) || json_integer_value(offset) < 0))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'offset' must be an offset");
    request->replay_lines = (size_t)json_integer_value(replay);
    request->offset = (uint64_t)json_integer_value(offset);
    request->from_offset = offset != NULL;
    return read_mode(params, request, err);
}

static int on_open(struct channel *channel, struct view params, struct err *err)
{
    json_t *json = json_loadb((const char *)params.p, params.n, JSON_REJECT_DUPLICATES, NULL);
    struct terminal *t = xcalloc(1, sizeof(*t));
    struct hub *hub = daemon_hub(channel_daemon(channel));
    struct console *console;
    int status;

    t->channel = channel;
    t->daemon = channel_daemon(channel);
    t->typed = buf_init(1 << 20);
    t->request.who = channel_who(channel);
    t->request.from = channel_caller(channel)->from;
    if (!json_is_object(json))
        status = err_set(err, CAUSE_PROTOCOL, "the parameters are no JSON object");
    else
        status = read_params(json, &t->request, err);
    if (status == 0)
        t->name = xstrdup(json_string_value(json_object_get(json, "console")));
    json_decref(json);
    channel_set(channel, t);
    console = status == 0 ? hub_find(hub, t->name) : NULL;
    if (console)
        status = attach(t, console, err);
    else if (status == 0 && !console_name_ok(t->name))
        status = err_set(err, CAUSE_NOT_FOUND, "there is no console '%s'", t->name);
    else if (status == 0)
        store_submit(daemon_store(t->daemon), find_host, host_found, t);
    if (status != 0)
        terminal_free(t);
    return status;
}

/* --- from the client --- */

/* Only somebody who may not write is attached and types all the same: one line for each attachment. */
static void look_for_denial(struct terminal *t, const char *what)
{
    struct err err = ERR_INIT;

    if (t->denied || t->request.right >= RIGHT_WRITE)
        return;
    t->denied = true;
    err_set(&err, CAUSE_DENIED, "%s may not write to console %s", channel_who(t->channel), t->name);
    activity_write(t->daemon, &(struct deed){.who = channel_who(t->channel),
                                             .by = t->request.from,
                                             .what = what,
                                             .target = t->name,
                                             .err = &err});
}

static void on_data(struct channel *channel, const uint8_t *p, size_t n)
{
    struct terminal *t = channel_arg(channel);

    look_for_denial(t, "console.type");
    buf_add(&t->typed, p, n);
    if (t->attachment)
        push(t);
}

static void on_signal(struct channel *channel, uint32_t number)
{
    struct terminal *t = channel_arg(channel);
    struct err err = ERR_INIT;

    if (!t->attachment || number != SIGNAL_BREAK)
        return;
    look_for_denial(t, "console.break");
    if (attachment_break(t->attachment, &err) != 0 && t->events)
        api_event(t->events,
                  json_pack("{s:s, s:s, s:s}", "event", "dropped", "console", t->name, "text", err.text));
}

static void on_drained(struct channel *channel)
{
    const struct terminal *t = channel_arg(channel);

    if (t->attachment)
        attachment_ready(t->attachment);
}

/* Its host may be in another collection now, or in none. */
static bool still_may(struct channel *channel, const struct reach *now)
{
    const struct terminal *t = channel_arg(channel);

    return !t->attachment ||
           console_right_of(channel_user(channel), now,
                            console_info(attachment_console(t->attachment)).settings) >= t->request.right;
}

static void on_closed(struct channel *channel)
{
    struct terminal *t = channel_arg(channel);

    t->channel = NULL;
    if (!t->attachment)
        return; /* host_found frees it */
    attachment_close(t->attachment);
    terminal_free(t);
}

const struct channel_kind channel_console = {.name = "console",
                                             .role = ROLE_NONE,
                                             .open = on_open,
                                             .data = on_data,
                                             .signal = on_signal,
                                             .drained = on_drained,
                                             .still_may = still_may,
                                             .closed = on_closed};

/* --- calls that name it --- */

static struct terminal *terminal_of(const struct api_request *rq, struct err *err)
{
    json_int_t number = json_integer_value(json_object_get(api_params(rq), "channel"));
    struct channel *channel = number > 0 && number <= UINT32_MAX
                                  ? channel_of_request(rq, &channel_console, (uint32_t)number)
                                  : NULL;
    struct terminal *t = channel ? channel_arg(channel) : NULL;

    if (t && t->attachment)
        return t;
    err_set(err, CAUSE_NOT_FOUND, "there is no console open in channel %lld of this connection",
            (long long)number);
    return NULL;
}

struct attachment *channel_attachment(const struct api_request *rq, struct err *err)
{
    const struct terminal *t = terminal_of(rq, err);

    return t ? t->attachment : NULL;
}

static void events_gone(struct api_request *rq, void *arg)
{
    struct terminal *t = arg;

    t->events = NULL;
    api_reply(rq, json_object());
}

void channel_console_events(struct api_request *rq)
{
    struct err err = ERR_INIT;
    struct terminal *t = terminal_of(rq, &err);
    json_t *state;

    if (!t) {
        api_fail(rq, &err);
        return;
    }
    if (t->events) {
        api_on_gone(t->events, NULL, NULL);
        api_reply(t->events, json_object());
    }
    t->events = rq;
    api_on_gone(rq, events_gone, t);
    state = console_state_json(attachment_console(t->attachment));
    json_object_set_new(state, "users",
                        console_who_json(attachment_console(t->attachment), attachment_id(t->attachment)));
    json_object_set_new(state, "id", json_integer((json_int_t)attachment_id(t->attachment)));
    json_object_set_new(state, "begin", json_integer((json_int_t)attachment_begin(t->attachment)));
    json_object_set_new(state, "holds", json_boolean(attachment_lease(t->attachment).holds));
    api_event(rq, state);
}
