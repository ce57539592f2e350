#include "amtd/api/operation_json.h"

#include <string.h>

#include "base/buf.h"
#include "base/cause.h"

#define FILTER_MEMBER "\"filter\":"
#define FILTER_FIRST  "{" FILTER_MEMBER

static void set_text(json_t *json, const char *name, const char *value)
{
    if (value)
        json_object_set_new(json, name, json_string(value));
}

static int64_t took_ms(const struct operation *operation)
{
    return operation->began_ms > 0 && operation->ended_ms > operation->began_ms
               ? operation->ended_ms - operation->began_ms
               : 0;
}

static void set_failure(json_t *json, const struct operation *operation)
{
    enum cause cause = cause_by_name(operation->cause);

    set_text(json, "cause", operation->cause ? operation->cause : "");
    set_text(json, "code", operation->code ? operation->code : "");
    json_object_set_new(json, "message",
                        json_sprintf("%s%s%s", cause_sentence(cause), operation->message ? ": " : "",
                                     operation->message ? operation->message : ""));
    set_text(json, "hint", cause_hint(cause));
}

/* What became of filters stands beside the result: policy, filters, state, and what belongs to them. */
static void lift_filter(json_t *json, json_t *detail)
{
    json_t *filter = json_object_get(detail, "filter");

    if (!json_is_object(filter))
        return;
    json_object_update(json, filter);
    json_object_del(detail, "filter");
}

static json_t *all_but_detail(const struct operation *operation)
{
    json_t *json = json_object();

    set_text(json, "host", operation->host);
    switch (operation->state) {
    case OPERATION_WAITING:
    case OPERATION_STARTED:
        set_text(json, "state", operation->state == OPERATION_WAITING ? "waiting" : "started");
        break;
    case OPERATION_OK:
    case OPERATION_FAILED:
        set_text(json, "result", operation->state == OPERATION_OK ? "ok" : "failed");
        break;
    }
    json_object_set_new(json, "from", operation->from ? json_string(operation->from) : json_null());
    json_object_set_new(json, "to", operation->to ? json_string(operation->to) : json_null());
    json_object_set_new(json, "seconds", json_real((double)took_ms(operation) / 1000.0));
    json_object_set_new(json, "tries", json_integer(operation->tries));
    if (operation->state == OPERATION_FAILED)
        set_failure(json, operation);
    else
        set_text(json, "remark", operation->message);
    return json;
}

json_t *operation_json(const struct operation *operation)
{
    json_t *json = all_but_detail(operation);
    json_t *detail = operation->detail ? json_loads(operation->detail, 0, NULL) : NULL;

    lift_filter(json, detail);
    if (detail)
        json_object_set_new(json, "detail", detail);
    return json;
}

/* --- into rows --- */

static void write_state(struct rows *rows, const struct operation *operation, const char *result)
{
    static const char *const states[] = {[OPERATION_WAITING] = "waiting",
                                         [OPERATION_STARTED] = "started",
                                         [OPERATION_OK] = "ok",
                                         [OPERATION_FAILED] = "failed"};
    bool over = operation->state == OPERATION_OK || operation->state == OPERATION_FAILED;

    if (!over)
        rows_text(rows, "state", states[operation->state]);
    if (over || result)
        rows_text(rows, "result", result ? result : states[operation->state]);
}

static void write_failure(struct rows *rows, const struct operation *operation)
{
    enum cause cause = cause_by_name(operation->cause);
    struct buf message = buf_init(SIZE_MAX / 4);

    rows_text(rows, "cause", operation->cause ? operation->cause : "");
    rows_text(rows, "code", operation->code ? operation->code : "");
    if (rows_want(rows, "message")) {
        buf_printf(&message, "%s%s%s", cause_sentence(cause), operation->message ? ": " : "",
                   operation->message ? operation->message : "");
        rows_text(rows, "message", buf_str(&message));
    }
    rows_text(rows, "hint", cause_hint(cause));
    buf_free(&message);
}

/* Where nothing is to be lifted out of it, it is written as it is. */
static void write_detail(struct rows *rows, const char *text)
{
    json_t *detail, *lifted, *value;
    const char *name;

    if (!text || !strstr(text, FILTER_MEMBER)) {
        rows_written(rows, "detail", text);
        return;
    }
    detail = json_loads(text, 0, NULL);
    lifted = json_object();
    lift_filter(lifted, detail);
    json_object_foreach(lifted, name, value) rows_json(rows, name, value);
    rows_json(rows, "detail", detail);
    json_decref(lifted);
    json_decref(detail);
}

void operation_write(struct rows *rows, const struct operation *operation, const char *result)
{
    rows_text_if(rows, "host", operation->host);
    write_state(rows, operation, result);
    rows_text(rows, "from", operation->from);
    rows_text(rows, "to", operation->to);
    rows_seconds(rows, "seconds", took_ms(operation));
    rows_integer(rows, "tries", operation->tries);
    if (operation->state == OPERATION_FAILED)
        write_failure(rows, operation);
    else
        rows_text_if(rows, "remark", operation->message);
    write_detail(rows, operation->detail);
}

/* --- but for the detail --- */

/* `detail` is as jansson writes objects without spaces: what stands behind its first member is found by
 * reading that one alone. */
json_t *operation_json_but_detail(const struct operation *operation, struct view *members)
{
    const char *text = operation->detail;
    size_t n = text ? strlen(text) : 0, skip = 1;
    json_t *json, *filter;
    json_error_t where;

    *members = (struct view){NULL, 0};
    if (n < 2 || text[0] != '{' || text[n - 1] != '}')
        return operation_json(operation);
    json = all_but_detail(operation);
    if (strncmp(text, FILTER_FIRST, strlen(FILTER_FIRST)) == 0) {
        filter = json_loads(text + strlen(FILTER_FIRST), JSON_DISABLE_EOF_CHECK, &where);
        skip = strlen(FILTER_FIRST) + (filter ? (size_t)where.position : 0);
        if (!json_is_object(filter) || skip >= n) {
            json_decref(filter);
            json_decref(json);
            return operation_json(operation);
        }
        json_object_update(json, filter);
        json_decref(filter);
        skip += text[skip] == ',';
    }
    *members = (struct view){(const uint8_t *)text + skip, n - 1 - skip};
    return json;
}
