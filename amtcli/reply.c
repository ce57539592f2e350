#include "amtcli/reply.h"

#include <string.h>

#define LINE_MAX (256 * 1024 * 1024) /* one event or reply */

void reply_begin(struct reply *r, void (*on_event)(void *arg, const json_t *event), void *arg)
{
    memset(r, 0, sizeof(*r));
    r->line = buf_init(LINE_MAX);
    r->on_event = on_event;
    r->arg = arg;
}

void reply_clear(struct reply *r)
{
    buf_free(&r->line);
    json_decref(r->value);
    r->value = NULL;
}

static void copy_failure(struct reply *r, const json_t *failure)
{
    const char *name = json_string_value(json_object_get(failure, "cause"));
    const char *code = json_string_value(json_object_get(failure, "code"));
    const char *text = json_string_value(json_object_get(failure, "message"));
    enum cause cause = cause_by_name(name);

    r->failed = true;
    err_set(&r->failure, cause != CAUSE_NONE ? cause : CAUSE_PROTOCOL, "%s", text ? text : name ? name : "?");
    err_code(&r->failure, "%s", code ? code : "");
    json_decref(r->value);
    r->value = json_incref(json_object_get(failure, "details"));
}

static void take_line(struct reply *r, const char *text, size_t n)
{
    json_error_t where;
    json_t *line = json_loadb(text, n, 0, &where);
    json_t *event = json_object_get(line, "event"), *value = json_object_get(line, "reply");
    json_t *failure = json_object_get(line, "failure");

    if (event && r->on_event)
        r->on_event(r->arg, event);
    if (value) {
        json_decref(r->value);
        r->value = json_incref(value);
        r->over = true;
    }
    if (failure) {
        copy_failure(r, failure);
        r->over = true;
    }
    if (!event && !value && !failure) {
        r->failed = r->over = true;
        err_set(&r->failure, CAUSE_PROTOCOL, "amtd answered with a line that is not understood: %s",
                where.text);
    }
    json_decref(line);
}

void reply_feed(struct reply *r, const uint8_t *p, size_t n)
{
    const uint8_t *end;

    while (!r->over && (end = memchr(p, '\n', n))) {
        size_t part = (size_t)(end - p);

        buf_add(&r->line, p, part);
        take_line(r, buf_str(&r->line), r->line.len);
        buf_reset(&r->line);
        p += part + 1;
        n -= part + 1;
    }
    if (r->over)
        return;
    buf_add(&r->line, p, n);
    if (!buf_ok(&r->line)) {
        r->failed = r->over = true;
        err_set(&r->failure, CAUSE_TOO_LARGE, "an answer of amtd is longer than %d bytes", LINE_MAX);
    }
}

void reply_broken(struct reply *r, const char *why)
{
    if (r->over)
        return;
    r->failed = r->over = true;
    err_set(&r->failure, CAUSE_PROTOCOL, "%s", why);
}
