#include "amtd/api/console_json.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/console/hub.h"
#include "amtd/daemon.h"
#include "base/clock.h"
#include "base/text.h"

#define WHO_MAX 1000

/* --- rights --- */

enum console_right console_right_with(const struct user *user, enum api_role role,
                                      const struct console_settings *s)
{
    enum console_right right = RIGHT_NONE;

    if (role >= ROLE_ADMINISTER || s->access_count == 0)
        return role >= ROLE_OPERATE ? RIGHT_CONTROL : role >= ROLE_WATCH ? RIGHT_WATCH : RIGHT_NONE;
    for (size_t i = 0; i < s->access_count; i++) {
        const struct console_access *a = &s->access[i];

        if ((a->user ? strcmp(a->user, user->name) == 0 : user_is_in(user, a->group)) &&
            (enum console_right)a->right > right)
            right = (enum console_right)a->right;
    }
    return right;
}

enum console_right console_right_of(const struct user *user, const struct reach *reach,
                                    const struct console_settings *s)
{
    bool of_host = s->source.type == SOURCE_AMT && s->source.host;

    return console_right_with(user, of_host ? reach_on(reach, s->source.host) : reach_everywhere(reach), s);
}

int console_require(const struct api_request *rq, struct console *console, enum console_right right,
                    struct err *err)
{
    static const char *const verbs[] = {"see", "watch", "write to", "control"};
    const struct console_settings *s = console_info(console).settings;

    if (console_right_of(api_user(rq), api_reach(rq), s) >= right)
        return 0;
    return err_set(err, CAUSE_DENIED, "%s may not %s console %s", api_who(rq), verbs[right], s->name);
}

int console_param(const struct api_request *rq, enum console_right right, struct console **out,
                  struct err *err)
{
    const char *name = param_text(api_params(rq), "name");

    *out = hub_find(daemon_hub(api_daemon(rq)), name);
    if (*out && console_require(rq, *out, RIGHT_WATCH, NULL) == 0)
        return console_require(rq, *out, right, err);
    return err_set(err, CAUSE_NOT_FOUND, "there is no console '%s'", name);
}

int console_check_names(const json_t *names, struct err *err)
{
    size_t i;
    json_t *name;

    json_array_foreach(names, i, name) if (!json_is_string(name)) return err_set(
        err, CAUSE_INVALID_ARGUMENT, "'names' must be an array of strings");
    return 0;
}

bool console_is_named(const json_t *names, const char *name)
{
    size_t i;
    json_t *pattern;

    if (!names)
        return true;
    json_array_foreach(names, i, pattern) if (fnmatch(json_string_value(pattern), name, 0) == 0) return true;
    return false;
}

/* --- JSON --- */

json_t *json_time_ms(int64_t wall_ms)
{
    char text[CLOCK_TEXT_MAX];

    return wall_ms > 0 ? json_string(clock_text_ms(wall_ms, text)) : json_null();
}

void json_put_bytes(json_t *object, const void *p, size_t n)
{
    struct buf out;

    if (text_is_utf8(p, n)) {
        json_object_set_new(object, "text", json_stringn(p, n));
        return;
    }
    out = buf_init(n * 2 + 16);
    text_base64(&out, p, n);
    json_object_set_new(object, "data", json_string(buf_str(&out)));
    buf_free(&out);
}

static json_t *json_signals(const struct console_info *info)
{
    static const char *const names[] = {"DCD", "DSR", "CTS", "RI"};
    json_t *json = json_object();

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (info->signals_known & (1u << i))
            json_object_set_new(json, names[i], json_boolean(info->signals_on & (1u << i)));
    return json;
}

json_t *console_json(struct console *console)
{
    const struct console_info info = console_info(console);
    char *source = source_settings_text(&info.settings->source);
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:I, s:I, s:o, s:o, s:I, s:s, s:s}", "name", info.name,
                  "source", source, "state", console_state_name(info.state), "reason", info.reason, "device",
                  info.device, "since", json_time_ms(info.since_ms), "writer", info.writer, "readers",
                  (json_int_t)info.readers, "rate", (json_int_t)info.rate, "signals", json_signals(&info),
                  "last", json_time_ms(info.last_ms), "received", (json_int_t)info.received, "logging",
                  !info.logging     ? "off"
                  : info.log_paused ? "paused"
                                    : "on",
                  "activity", traffic_state_name(info.activity));

    free(source);
    return json;
}

static const char *event_name(const struct console_event *event)
{
    static const char *const names[] = {
        [CONSOLE_IS] = "state", [CONSOLE_WANTED] = "wanted", [CONSOLE_DROPPED] = "dropped"};

    return event->what == CONSOLE_DID ? journal_kind_name(event->kind) : names[event->what];
}

json_t *console_event_json(struct console *console, const struct console_event *event, uint64_t me)
{
    json_t *json = json_pack("{s:s, s:s, s:I, s:o, s:s}", "event", event_name(event), "console",
                             console_info(console).name, "offset", (json_int_t)event->offset, "at",
                             json_time_ms(event->at_ms), "state", console_state_name(event->state));

    if (event->who[0])
        json_object_set_new(json, "who", json_string(event->who));
    if (event->text[0])
        json_object_set_new(json, "text", json_string(event->text));
    if (event->id != 0)
        json_object_set_new(json, "id", json_integer((json_int_t)event->id));
    if (event->what == CONSOLE_DID && event->kind == JOURNAL_LEASE && me != 0)
        json_object_set_new(json, "you", json_boolean(event->id == me));
    return json;
}

json_t *console_state_json(struct console *console)
{
    const struct console_info info = console_info(console);
    json_t *json =
        json_pack("{s:s, s:s, s:I, s:o, s:s, s:s}", "event", "state", "console", info.name, "offset",
                  (json_int_t)clog_end(console_log(console)), "at", json_time_ms(info.since_ms), "state",
                  console_state_name(info.state), "writer", info.writer);

    if (info.reason[0] && (info.awaits || info.state != CONSOLE_CONNECTING))
        json_object_set_new(json, "text", json_string(info.reason));
    return json;
}

json_t *console_who_json(struct console *console, uint64_t me)
{
    struct attached *all = calloc(WHO_MAX, sizeof(*all));
    size_t count = all ? console_attached(console, all, WHO_MAX) : 0;
    int64_t now = clock_wall(clock_system());
    json_t *json = json_array();

    for (size_t i = 0; i < count && i < WHO_MAX; i++) {
        const struct attached *a = &all[i];
        int64_t since = a->typed_ms > 0 ? a->typed_ms : a->since_ms;

        json_array_append_new(json,
                              json_pack("{s:s, s:I, s:s, s:s, s:b, s:b, s:b, s:o, s:I, s:I, s:b}", "console",
                                        console_info(console).name, "id", (json_int_t)a->id, "who", a->who,
                                        "from", a->from, "holds", (int)a->holds, "waits", (int)a->waits,
                                        "watches", (int)a->watches, "since", json_time_ms(a->since_ms),
                                        "idle_ms", (json_int_t)(now > since ? now - since : 0), "behind",
                                        (json_int_t)a->behind, "you", (int)(a->id == me)));
    }
    free(all);
    return json;
}
