/* console.*: what is there, who is there, and what is done to it besides typing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/api/channel_console.h"
#include "amtd/api/console_json.h"
#include "amtd/console/hub.h"
#include "amtd/daemon.h"
#include "base/text.h"
#include "base/xalloc.h"

#define BREAK_LENGTH_MAX 10000

static struct hub *hub_of(const struct api_request *rq)
{
    return daemon_hub(api_daemon(rq));
}

static uint64_t id_param(const struct api_request *rq, const char *name)
{
    json_int_t id = json_integer_value(json_object_get(api_params(rq), name));

    return id > 0 ? (uint64_t)id : 0;
}

/* --- over several --- */

struct listing {
    const struct api_request *rq;
    const json_t *names;
    json_t *out;
    void (*add)(struct listing *listing, struct console *console);
    struct err denied; /* of the last one with which the caller may not do that */
    bool found;
};

static void list_one(void *arg, struct console *console)
{
    struct listing *l = arg;

    if (console_is_named(l->names, console_info(console).name) &&
        console_require(l->rq, console, RIGHT_WATCH, NULL) == 0) {
        l->found = true;
        l->add(l, console);
    }
}

/* What is to be done to consoles of which there is none was not done. */
static int check_found(const struct listing *l, struct err *err)
{
    const char *name = json_string_value(json_array_get(l->names, 0));

    if (l->found || !name)
        return 0;
    return err_set(err, CAUSE_NOT_FOUND, "there is no console '%s'%s", name,
                   json_array_size(l->names) > 1 ? ", nor any of the others" : "");
}

static void reply_with(struct api_request *rq, void (*add)(struct listing *listing, struct console *console),
                       bool wants_one)
{
    struct listing l = {rq, json_object_get(api_params(rq), "names"), json_array(), add, ERR_INIT};
    struct err err = ERR_INIT;

    if (console_check_names(l.names, &err) != 0) {
        json_decref(l.out);
        api_fail(rq, &err);
        return;
    }
    hub_each(hub_of(rq), list_one, &l);
    if (wants_one)
        check_found(&l, &l.denied);
    if (json_array_size(l.out) == 0 && l.denied.cause != CAUSE_NONE) {
        json_decref(l.out);
        api_fail(rq, &l.denied);
        return;
    }
    if (l.denied.cause == CAUSE_DENIED)
        api_denied(rq, &l.denied);
    api_reply(rq, l.out);
}

/* Replies with what `add` made of each console that is named and may be watched. */
static void reply_listing(struct api_request *rq,
                          void (*add)(struct listing *listing, struct console *console))
{
    reply_with(rq, add, false);
}

/* The same where something is done: not-found when there is none of those that are named. */
static void reply_done(struct api_request *rq, void (*add)(struct listing *listing, struct console *console))
{
    reply_with(rq, add, true);
}

static void add_console(struct listing *l, struct console *console)
{
    json_t *json = console_json(console);

    json_object_set_new(json, "size", json_integer((json_int_t)clog_size(console_log(console))));
    json_array_append_new(l->out, json);
}

void call_console_list(struct api_request *rq)
{
    reply_listing(rq, add_console);
}

static void add_who(struct listing *l, struct console *console)
{
    json_t *who = console_who_json(console, 0);

    json_array_extend(l->out, who);
    json_decref(who);
}

void call_console_who(struct api_request *rq)
{
    reply_listing(rq, add_who);
}

static json_t *json_breaks(const struct console_settings *s)
{
    json_t *json = json_object();

    json_object_set_new(json, "0", json_string(s->break_text ? s->break_text : "\\z"));
    for (size_t i = 0; i < s->break_count; i++) {
        const char key[] = {s->breaks[i].key, '\0'};

        json_object_set_new(json, key, json_string(s->breaks[i].text));
    }
    return json;
}

void call_console_show(struct api_request *rq)
{
    struct console *console;
    struct console_info info;
    struct err err = ERR_INIT;
    uint64_t first, end;
    json_t *json;

    if (console_param(rq, RIGHT_WATCH, &console, &err) != 0 ||
        clog_range(console_log(console), &first, &end, &err) != 0) {
        api_fail(rq, &err);
        return;
    }
    info = console_info(console);
    json = console_json(console);
    json_object_set_new(json, "first", json_integer((json_int_t)first));
    json_object_set_new(json, "end", json_integer((json_int_t)end));
    json_object_set_new(json, "size", json_integer((json_int_t)clog_size(console_log(console))));
    json_object_set_new(json, "next_try", json_time_ms(info.next_ms));
    json_object_set_new(json, "attempts", json_integer(info.attempts));
    json_object_set_new(json, "on_demand", json_boolean(info.settings->on_demand));
    json_object_set_new(json, "directory", json_string(clog_path(console_log(console))));
    json_object_set_new(json, "breaks", json_breaks(info.settings));
    json_object_set_new(json, "users", console_who_json(console, 0));
    api_reply(rq, json);
}

/* --- events --- */

struct watch {
    struct api_request *rq;
    struct hub_listener listener;
};

static void watch_event(void *arg, struct console *console, const struct console_event *event)
{
    const struct watch *w = arg;

    if (console_is_named(json_object_get(api_params(w->rq), "names"), console_info(console).name) &&
        console_require(w->rq, console, RIGHT_WATCH, NULL) == 0 && api_backlog(w->rq) < 4 * API_HIGH_WATER)
        api_event(w->rq, console_event_json(console, event, 0));
}

static void watch_gone(struct api_request *rq, void *arg)
{
    struct watch *w = arg;

    hub_unlisten(hub_of(rq), &w->listener);
    free(w);
    api_reply(rq, json_object());
}

static void watch_state(void *arg, struct console *console)
{
    const struct watch *w = arg;

    if (console_is_named(json_object_get(api_params(w->rq), "names"), console_info(console).name) &&
        console_require(w->rq, console, RIGHT_WATCH, NULL) == 0)
        api_event(w->rq, console_state_json(console));
}

void call_console_events(struct api_request *rq)
{
    struct err err = ERR_INIT;
    struct watch *w;

    if (json_object_get(api_params(rq), "channel")) {
        channel_console_events(rq);
        return;
    }
    if (console_check_names(json_object_get(api_params(rq), "names"), &err) != 0) {
        api_fail(rq, &err);
        return;
    }
    w = xcalloc(1, sizeof(*w));
    w->rq = rq;
    w->listener.event = watch_event;
    w->listener.arg = w;
    hub_each(hub_of(rq), watch_state, w);
    hub_listen(hub_of(rq), &w->listener);
    api_on_gone(rq, watch_gone, w);
}

/* --- the lease --- */

static int lease_request_(struct attachment *a, uint64_t to, struct err *err)
{
    (void)to;
    if (attachment_request(a, err) == 0 || err->cause == CAUSE_IN_USE) /* it waits in line */
        return 0;
    return -1;
}

static int lease_force_(struct attachment *a, uint64_t to, struct err *err)
{
    (void)to;
    return attachment_force(a, err);
}

static int lease_release_(struct attachment *a, uint64_t to, struct err *err)
{
    (void)to;
    return attachment_release(a, err);
}

static const struct {
    const char *name;
    int (*act)(struct attachment *a, uint64_t to, struct err *err);
} lease_actions[] = {{"request", lease_request_},
                     {"force", lease_force_},
                     {"grant", attachment_grant},
                     {"release", lease_release_}};

void call_console_lease(struct api_request *rq)
{
    const char *action = param_text(api_params(rq), "action");
    struct err err = ERR_INIT;
    struct attachment *a = channel_attachment(rq, &err);
    struct lease_state state;

    for (size_t i = 0; a && i < sizeof(lease_actions) / sizeof(lease_actions[0]); i++) {
        if (strcmp(action, lease_actions[i].name) != 0)
            continue;
        if (lease_actions[i].act(a, id_param(rq, "to"), &err) != 0) {
            api_fail(rq, &err);
            return;
        }
        state = attachment_lease(a);
        api_reply(rq, json_pack("{s:b, s:b}", "holds", (int)state.holds, "waits", (int)state.waits));
        return;
    }
    if (a)
        err_set(&err, CAUSE_INVALID_ARGUMENT, "'action': '%s' is not one of request, force, grant, release",
                action);
    api_fail(rq, &err);
}

/* --- what is done to one --- */

/* 0, or -1 and err. */
typedef int act_on_console(struct api_request *rq, struct console *console, struct err *err);

static void act(struct api_request *rq, enum console_right right, act_on_console *action)
{
    struct console *console;
    struct err err = ERR_INIT;

    if (console_param(rq, right, &console, &err) != 0 || action(rq, console, &err) != 0)
        api_fail(rq, &err);
    else
        api_reply(rq, json_object());
}

static int check_text(const struct api_request *rq, struct err *err)
{
    const char *text = param_text(api_params(rq), "text");

    if (text[0] && strlen(text) <= 1000)
        return 0;
    return err_set(err, CAUSE_INVALID_ARGUMENT, "'text' must have from 1 to 1000 bytes");
}

static int do_message(struct api_request *rq, struct console *console, struct err *err)
{
    if (check_text(rq, err) != 0)
        return -1;
    return console_message(console, api_who(rq), param_text(api_params(rq), "text"), id_param(rq, "to"), err);
}

static int do_note(struct api_request *rq, struct console *console, struct err *err)
{
    if (check_text(rq, err) != 0)
        return -1;
    console_note(console, api_who(rq), param_text(api_params(rq), "text"));
    return 0;
}

static int do_break(struct api_request *rq, struct console *console, struct err *err)
{
    const char *which = param_text(api_params(rq), "which");
    int64_t length = 0;

    if (which && strlen(which) != 1)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'which' must be one character");
    if (param_number(api_params(rq), "length_ms", &length, err) != 0)
        return -1;
    if (length > BREAK_LENGTH_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'length_ms' must be at most %d", BREAK_LENGTH_MAX);
    return console_break(console, api_who(rq), which ? which[0] : '0', length, err);
}

static int do_up(struct api_request *rq, struct console *console, struct err *err)
{
    (void)err;
    console_up(console, api_who(rq));
    return 0;
}

static int do_down(struct api_request *rq, struct console *console, struct err *err)
{
    (void)err;
    console_down(console, api_who(rq));
    return 0;
}

static int do_logging(struct api_request *rq, struct console *console, struct err *err)
{
    bool by_channel = json_object_get(api_params(rq), "channel") != NULL;
    const struct attachment *a = by_channel ? channel_attachment(rq, err) : NULL;

    if (by_channel && !a)
        return -1;
    console_logging(console, api_who(rq), json_is_true(json_object_get(api_params(rq), "on")), a);
    return 0;
}

static int do_disconnect(struct api_request *rq, struct console *console, struct err *err)
{
    return console_disconnect(console, id_param(rq, "id"), api_who(rq), err);
}

void call_console_message(struct api_request *rq)
{
    act(rq, RIGHT_WATCH, do_message);
}

void call_console_note(struct api_request *rq)
{
    act(rq, RIGHT_WRITE, do_note);
}

void call_console_break(struct api_request *rq)
{
    act(rq, RIGHT_WRITE, do_break);
}

void call_console_up(struct api_request *rq)
{
    act(rq, RIGHT_CONTROL, do_up);
}

void call_console_down(struct api_request *rq)
{
    act(rq, RIGHT_CONTROL, do_down);
}

void call_console_logging(struct api_request *rq)
{
    act(rq, RIGHT_CONTROL, do_logging);
}

void call_console_disconnect(struct api_request *rq)
{
    act(rq, RIGHT_CONTROL, do_disconnect);
}

/* --- what is done to many --- */

static void add_rolled(struct listing *l, struct console *console)
{
    if (console_require(l->rq, console, RIGHT_CONTROL, &l->denied) != 0)
        return;
    console_roll(console);
    json_array_append_new(l->out, json_string(console_info(console).name));
}

void call_console_roll(struct api_request *rq)
{
    reply_done(rq, add_rolled);
}

static void add_told(struct listing *l, struct console *console)
{
    const struct console_info info = console_info(console);

    if (info.readers == 0)
        return;
    console_message(console, api_who(l->rq), param_text(api_params(l->rq), "text"), 0, NULL);
    json_array_append_new(l->out, json_string(info.name));
}

void call_console_broadcast(struct api_request *rq)
{
    struct err err = ERR_INIT;

    if (check_text(rq, &err) != 0)
        api_fail(rq, &err);
    else
        reply_done(rq, add_told);
}

struct sending {
    struct listing listing;
    struct buf bytes;
    bool force;
    json_t *refused;
};

static void add_sent(struct listing *l, struct console *console)
{
    struct sending *s = (struct sending *)l;
    const char *name = console_info(console).name;
    struct err err = ERR_INIT;

    if (console_require(l->rq, console, s->force ? RIGHT_CONTROL : RIGHT_WRITE, &err) != 0)
        l->denied = err;
    if (err.cause == CAUSE_NONE &&
        console_send(console, api_who(l->rq), s->bytes.p, s->bytes.len, s->force, &err) == 0)
        json_array_append_new(l->out, json_string(name));
    else
        json_array_append_new(s->refused, json_pack("{s:s, s:s, s:s}", "console", name, "cause",
                                                    cause_name(err.cause), "message", err.text));
}

/* text or data, one of them. */
static int read_bytes(const struct api_request *rq, struct buf *out, struct err *err)
{
    const char *text = param_text(api_params(rq), "text"), *data = param_text(api_params(rq), "data");

    if (!text == !data)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "expected either 'text' or 'data'");
    if (text)
        buf_puts(out, text);
    else if (!text_base64_decode(out, data, strlen(data)))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'data' is not base64");
    return buf_ok(out) && out->len > 0
               ? 0
               : err_set(err, CAUSE_INVALID_ARGUMENT, "what is sent must have from 1 to 65536 bytes");
}

void call_console_send(struct api_request *rq)
{
    const json_t *params = api_params(rq);
    struct sending s = {
        {rq, json_object_get(params, "names"), NULL, add_sent, ERR_INIT}, buf_init(65536), false, NULL};
    struct err err = ERR_INIT;

    s.force = json_is_true(json_object_get(params, "force"));
    if (console_check_names(s.listing.names, &err) != 0 || read_bytes(rq, &s.bytes, &err) != 0) {
        api_fail(rq, &err);
    } else {
        s.listing.out = json_array();
        s.refused = json_array();
        hub_each(hub_of(rq), list_one, &s.listing);
        check_found(&s.listing, &s.listing.denied);
        if (json_array_size(s.listing.out) == 0 && s.listing.denied.cause != CAUSE_NONE) {
            json_decref(s.listing.out);
            json_decref(s.refused);
            api_fail(rq, &s.listing.denied);
        } else {
            if (s.listing.denied.cause == CAUSE_DENIED)
                api_denied(rq, &s.listing.denied);
            api_reply(rq, json_pack("{s:o, s:o}", "sent", s.listing.out, "refused", s.refused));
        }
    }
    buf_free(&s.bytes);
}
