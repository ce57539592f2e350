#include "amtd/api/operation_json.h"

#include "base/cause.h"

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

json_t *operation_json(const struct operation *operation)
{
    json_t *json = json_object();
    json_t *detail = operation->detail ? json_loads(operation->detail, 0, NULL) : NULL;

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
    lift_filter(json, detail);
    if (detail)
        json_object_set_new(json, "detail", detail);
    return json;
}
