#include "amtcli/reply.h"

#include <stdlib.h>
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
    r->value = r->list = NULL;
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

static void not_understood(struct reply *r, const char *why)
{
    r->failed = r->over = true;
    err_set(&r->failure, CAUSE_PROTOCOL, "amtd answered with a line that is not understood: %s", why);
}

/* --- rows --- */

void reply_rows_to(struct reply *r, const struct reply_rows *rows)
{
    r->rows = *rows;
}

/* Makes the list that rows are gathered in, where it is not there yet. */
static json_t *list_of(struct reply *r)
{
    if (!r->list) {
        json_decref(r->value);
        r->value = r->list = json_array();
    }
    return r->list;
}

static void take_head(struct reply *r, json_t *head, const json_t *member)
{
    json_decref(r->value);
    r->value = json_incref(head);
    if (r->rows.row)
        return;
    r->list = json_array();
    json_object_set_new(head, json_is_string(member) ? json_string_value(member) : "", r->list);
}

static void take_row(struct reply *r, const char *text, size_t n)
{
    json_error_t where;
    json_t *row;

    r->count++;
    if (r->rows.row) {
        r->rows.row(r->rows.arg, text, n);
        return;
    }
    row = json_loadb(text, n, 0, &where);
    if (row)
        json_array_append_new(list_of(r), row);
    else
        not_understood(r, where.text);
}

static void end_rows(struct reply *r, json_int_t count)
{
    if (count != r->count) {
        not_understood(r, "rows are missing");
        return;
    }
    if (!r->rows.row)
        list_of(r);
    r->over = true;
}

/* A list that came as one. */
static void give_rows(struct reply *r, const json_t *list)
{
    const json_t *row;
    size_t i;

    json_array_foreach((json_t *)list, i, row)
    {
        char *text = json_dumps(row, JSON_COMPACT | JSON_ENCODE_ANY);

        r->rows.row(r->rows.arg, text, strlen(text));
        free(text);
    }
}

static void take_reply(struct reply *r, json_t *value)
{
    json_decref(r->value);
    r->value = json_incref(value);
    r->over = true;
    if (r->rows.row && json_is_array(value))
        give_rows(r, value);
}

/* --- lines --- */

static void take_json(struct reply *r, const char *text, size_t n)
{
    json_error_t where = {.text = ""};
    json_t *line = json_loadb(text, n, 0, &where);
    json_t *event = json_object_get(line, "event"), *value = json_object_get(line, "reply");
    json_t *failure = json_object_get(line, "failure"), *head = json_object_get(line, "head");
    json_t *rows = json_object_get(line, "rows");

    if (event && r->on_event)
        r->on_event(r->arg, event);
    if (json_is_object(head))
        take_head(r, head, json_object_get(line, "list"));
    if (value)
        take_reply(r, value);
    if (failure) {
        copy_failure(r, failure);
        r->over = true;
    }
    if (json_is_integer(rows))
        end_rows(r, json_integer_value(rows));
    if (!event && !value && !failure && !json_is_object(head) && !json_is_integer(rows))
        not_understood(r, where.text);
    json_decref(line);
}

static void take_line(struct reply *r, const char *text, size_t n)
{
    static const char row[] = "{\"row\":";
    const size_t begin = sizeof(row) - 1;

    if (n > begin + 1 && memcmp(text, row, begin) == 0 && text[n - 1] == '}')
        take_row(r, text + begin, n - begin - 1);
    else
        take_json(r, text, n);
}

void reply_feed(struct reply *r, const uint8_t *p, size_t n)
{
    const uint8_t *end;

    while (!r->over && (end = memchr(p, '\n', n))) {
        size_t part = (size_t)(end - p);

        if (r->line.len == 0) { /* all of it is here */
            take_line(r, (const char *)p, part);
        } else {
            buf_add(&r->line, p, part);
            take_line(r, buf_str(&r->line), r->line.len);
            buf_reset(&r->line);
        }
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
