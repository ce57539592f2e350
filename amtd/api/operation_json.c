#include "amtd/api/operation_json.h"

#include <string.h>

#include "base/buf.h"
#include "base/cause.h"

#define FILTER_MEMBER "\"filter\":"
#define FILTER_FIRST  "{" FILTER_MEMBER

static int64_t took_ms(const struct operation *operation)
{
    return operation->began_ms > 0 && operation->ended_ms > operation->began_ms
               ? operation->ended_ms - operation->began_ms
               : 0;
}

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

static void write_members(struct rows *rows, json_t *object)
{
    const char *name;
    json_t *value;

    json_object_foreach(object, name, value) rows_json(rows, name, value);
}

/* The detail is large, and as jansson writes objects without spaces: what stands behind its first member is
 * found by reading that one alone. False: it is no object, and nothing was written. */
static bool lift_first(struct rows *rows, const char *text)
{
    const char *value = text + strlen(FILTER_FIRST), *rest;
    struct buf detail = buf_init(SIZE_MAX / 4);
    json_error_t where;
    json_t *filter = json_loads(value, JSON_DISABLE_EOF_CHECK, &where);

    if (!json_is_object(filter)) {
        json_decref(filter);
        return false;
    }
    rest = value + where.position;
    buf_puts(&detail, "{");
    buf_puts(&detail, rest + (*rest == ','));
    write_members(rows, filter);
    rows_written(rows, "detail", buf_str(&detail));
    buf_free(&detail);
    json_decref(filter);
    return true;
}

static void lift_any(struct rows *rows, const char *text)
{
    json_t *detail = json_loads(text, 0, NULL), *filter = json_object_get(detail, "filter");

    if (json_is_object(filter)) {
        write_members(rows, filter);
        json_object_del(detail, "filter");
    }
    rows_json(rows, "detail", detail);
    json_decref(detail);
}

/* What became of filters stands beside the result: policy, filters, state, and what belongs to them. Where
 * nothing is to be lifted out of it, the detail is written as it is. */
static void write_detail(struct rows *rows, const char *text)
{
    if (!text || !strstr(text, FILTER_MEMBER))
        rows_written(rows, "detail", text);
    else if (strncmp(text, FILTER_FIRST, strlen(FILTER_FIRST)) != 0 || !lift_first(rows, text))
        lift_any(rows, text);
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
