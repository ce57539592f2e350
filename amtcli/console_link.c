/* The line of an attached console to amtd: its calls, its attachment, and how both come back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "amtcli/console_session.h"
#include "amtcli/terminal.h"
#include "base/clock.h"
#include "base/xalloc.h"

#define RETRY_MS   1000
#define GIVE_UP_MS 60000 /* without anybody who could leave */

static int64_t now_ms(void)
{
    return clock_mono(clock_system());
}

/* --- calls --- */

struct console_call {
    struct console_call *next;
    struct console_session *s;
    void (*event)(struct console_session *s, const json_t *event);
    void (*done)(struct console_session *s, const json_t *reply);
};

static void on_call_event(void *arg, const json_t *event)
{
    const struct console_call *call = arg;

    if (call->event)
        call->event(call->s, event);
}

/* What became of a host is told as well. */
static void on_call_row(void *arg, const char *text, size_t n)
{
    json_t *row = json_loadb(text, n, 0, NULL);

    if (row)
        on_call_event(arg, row);
    json_decref(row);
}

static void on_call_over(void *arg, const json_t *reply, const struct err *failure)
{
    struct console_call *call = arg;

    if (failure)
        console_say(call->s, "%s (%s)", failure->text, cause_name(failure->cause));
    else if (call->done)
        call->done(call->s, reply);
    LL_DELETE(call->s->calls, call);
    free(call);
}

void console_call(struct console_session *s, const char *name, json_t *params,
                  void (*event)(struct console_session *s, const json_t *event),
                  void (*done)(struct console_session *s, const json_t *reply))
{
    struct console_call *call;
    struct client_call_events events = {.event = on_call_event, .over = on_call_over};

    if (!s->ctx->client || s->retry_at != 0) {
        console_say(s, "no connection to amtd");
        json_decref(params);
        return;
    }
    call = xcalloc(1, sizeof(*call));
    *call = (struct console_call){.s = s, .event = event, .done = done};
    events.arg = call;
    if (event)
        events.row = on_call_row;
    if (client_start(s->ctx->client, name, params, &events) == 0) {
        console_say(s, "too much at a time");
        free(call);
        return;
    }
    LL_PREPEND(s->calls, call);
}

/* Their connection is gone: nobody will answer them. */
void console_link_end(struct console_session *s)
{
    struct console_call *call, *next;

    LL_FOREACH_SAFE(s->calls, call, next) free(call);
    s->calls = NULL;
}

/* --- the attachment --- */

/* What is known of it, from any event that says so. */
static void take_event(struct console_session *s, const json_t *event)
{
    const char *kind = json_string_value(json_object_get(event, "event"));
    const char *state = json_string_value(json_object_get(event, "state"));
    const json_t *begin = json_object_get(event, "begin"), *holds = json_object_get(event, "holds");
    json_t *user;
    size_t i;

    if (json_is_integer(begin)) { /* what came before this event counts as well */
        s->offset = (uint64_t)json_integer_value(begin) + s->got;
        s->offset_known = true;
    }
    if (state)
        s->up = strcmp(state, "up") == 0;
    if (s->up)
        s->why[0] = '\0';
    else if (kind && (strcmp(kind, "down") == 0 || strcmp(kind, "state") == 0) &&
             json_is_string(json_object_get(event, "text")))
        snprintf(s->why, sizeof(s->why), "%s", json_string_value(json_object_get(event, "text")));
    if (json_is_boolean(holds))
        s->holds = json_is_true(holds);
    json_array_foreach(json_object_get(event, "users"), i,
                       user) if (json_is_true(json_object_get(user, "you"))) s->holds =
        json_is_true(json_object_get(user, "holds"));
    if (kind && strcmp(kind, "lease") == 0)
        s->holds = json_is_true(json_object_get(event, "you"));
}

static void on_event(void *arg, const json_t *event)
{
    struct console_session *s = arg;

    take_event(s, event);
    console_say_event(s, event);
    if (s->up && s->run) {
        json_t *run = s->run;

        s->run = NULL;
        console_call(s, "run.start", run, console_say_result, NULL);
    }
}

/* Why the channel ends is said by its own end. */
static void on_events_over(void *arg, const json_t *reply, const struct err *failure)
{
    struct console_session *s = arg;

    (void)reply;
    (void)failure;
    s->events = 0;
}

static void on_accepted(void *arg)
{
    struct console_session *s = arg;
    const struct client_call_events events = {.arg = s, .event = on_event, .over = on_events_over};

    s->attached = true;
    s->lost_said = false;
    free(s->back);
    s->back = NULL;
    s->events = client_start(s->ctx->client, "console.events",
                             json_pack("{s:I}", "channel", (json_int_t)s->channel), &events);
}

static void on_data(void *arg, const uint8_t *p, size_t n)
{
    struct console_session *s = arg;

    s->got += n;
    s->offset += n;
    console_show(s, p, n);
}

/* Another console was asked for and is not to be had: back to where it was left. */
static void go_back(struct console_session *s, const char *why)
{
    console_say(s, "%s", why);
    free(s->name);
    s->name = s->back;
    s->back = NULL;
    s->offset = s->back_offset;
    s->offset_known = s->back_known;
    terminal_title(s->name);
    if (!console_link_attach(s))
        console_leave(s, EXIT_SOME_FAILED);
}

/* reason: "not-found: there is no console x". */
static void refused(struct console_session *s, const char *reason)
{
    char name[32] = "";
    struct err err = ERR_INIT;
    size_t n = strcspn(reason, ":");
    enum cause cause;

    snprintf(name, sizeof(name), "%.*s", (int)n, reason);
    cause = cause_by_name(name);
    if (cause != CAUSE_NONE)
        reason += n + strspn(reason + n, ": ");
    err_set(&err, cause != CAUSE_NONE ? cause : CAUSE_PROTOCOL, "%s", reason);
    if (s->back) {
        go_back(s, err.text);
        return;
    }
    terminal_end();
    console_leave(s, print_failure(&err));
}

/* Not taken at all, or ended while it was on. */
static void on_ended(void *arg, const char *reason)
{
    struct console_session *s = arg;
    bool attached = s->attached;

    s->channel = 0;
    s->attached = s->holds = false;
    if (!attached) {
        refused(s, reason);
        return;
    }
    if (!s->over)
        console_say(s, "%s", reason[0] ? reason : "ended by amtd");
    console_leave(s, EXIT_SOME_FAILED);
}

bool console_link_attach(struct console_session *s)
{
    const struct client_channel_events events = {s, on_data, on_ended, on_accepted};
    json_t *params = json_pack("{s:s, s:s}", "console", s->name, "mode", s->mode);

    if (s->offset_known)
        json_object_set_new(params, "offset", json_integer((json_int_t)s->offset));
    else if (s->replay > 0)
        json_object_set_new(params, "replay", json_integer(s->replay));
    s->got = 0;
    s->channel = client_channel_open(s->ctx->client, "console", params, &events);
    return s->channel != 0;
}

void console_link_detach(struct console_session *s)
{
    if (s->ctx->client && s->events != 0)
        client_channel_close(s->ctx->client, s->events);
    if (s->ctx->client && s->channel != 0)
        client_channel_close(s->ctx->client, s->channel);
    s->events = s->channel = 0;
    s->attached = s->holds = s->up = false;
}

void console_go(struct console_session *s, const char *name)
{
    console_link_detach(s);
    free(s->back);
    s->back = s->name;
    s->back_offset = s->offset;
    s->back_known = s->offset_known;
    s->name = xstrdup(name);
    s->offset = 0;
    s->offset_known = false;
    s->mode = strcmp(s->mode, "force") == 0 ? "write" : s->mode;
    terminal_title(s->name);
    if (!console_link_attach(s))
        console_leave(s, EXIT_SOME_FAILED);
}

/* --- the connection --- */

void console_link_lost(struct console_session *s, const struct err *err)
{
    if (!s->lost_said) {
        console_say(s, "%s; trying again", err->text);
        s->lost_at = now_ms();
    }
    s->lost_said = true;
    if (!s->interactive && now_ms() - s->lost_at > GIVE_UP_MS)
        console_leave(s, print_failure(err));
    client_close(s->ctx->client);
    s->ctx->client = NULL;
    console_link_end(s);
    s->channel = s->events = 0;
    s->attached = s->holds = s->up = false;
    s->retry_at = now_ms() + RETRY_MS;
}

/* Whoever held the right to write before does not take it by force a second time. */
void console_link_again(struct console_session *s)
{
    struct err err = ERR_INIT;

    if (now_ms() < s->retry_at)
        return;
    s->ctx->client =
        client_open(s->ctx->server, false, &err); /* whoever keeps amtd going starts it, not we */
    if (!s->ctx->client) {
        console_link_lost(s, &err);
        return;
    }
    s->retry_at = 0;
    s->mode = strcmp(s->mode, "force") == 0 ? "write" : s->mode;
    console_link_attach(s);
}
