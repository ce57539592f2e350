#include "amtd/api/operation_json.h"

#include <string.h>

#include "base/cause.h"

#define FILTER_FIRST "{\"filter\":"

static void set_text(json_t *json, const char *name, const char *value)
{
    if (value)
        json_object_set_new(json, name, json_string(value));
}

/* Two decimals are all that is meant; more would be noise in scripts and eyes. */
static json_t *seconds(const struct operation *operation)
{
    int64_t ms = operation->began_ms > 0 && operation->ended_ms > operation->began_ms
                     ? operation->ended_ms - operation->began_ms
                     : 0;

    return json_real((double)ms / 1000.0);
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
    json_object_set_new(json, "seconds", seconds(operation));
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
