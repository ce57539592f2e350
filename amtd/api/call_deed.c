#include "amtd/api/call_deed.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/task.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/xalloc.h"

#define VALUE_MAX  1000 /* bytes of a value in JSON that are told */
#define DETAIL_MAX 1000

static const char *target_name(const json_t *params)
{
    static const char *const names[] = {"target", "hosts", "host", "name"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (json_is_string(json_object_get(params, names[i])))
            return names[i];
    return NULL;
}

const char *call_deed_target(const json_t *params)
{
    const char *name = target_name(params);

    return name ? json_string_value(json_object_get(params, name)) : NULL;
}

/* A file is told by its name: {"name": ..., "text": ...}. */
static bool is_file(const json_t *value)
{
    return json_is_string(json_object_get(value, "name")) && json_object_get(value, "text");
}

/* New reference. */
static json_t *told_value(json_t *value)
{
    size_t n;
    char *text;
    json_t *told;

    if (is_file(value))
        return json_incref(json_object_get(value, "name"));
    n = json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
    if (n <= VALUE_MAX)
        return json_incref(value);
    text = xasprintf("(%zu bytes)", n);
    told = json_string(text);
    free(text);
    return told;
}

/* Without task and args, which are told otherwise. */
static void tell_params(const struct api_call *call, const json_t *params, const char *bare, json_t *out)
{
    const char *target = target_name(params);

    for (const struct api_param *p = call->params; p && p->name; p++) {
        json_t *value = json_object_get(params, p->name);

        if (!value || json_is_null(value) || (json_is_false(value) && !p->required) ||
            p->told == API_CONTENT || (target && strcmp(p->name, target) == 0) ||
            (bare && strcmp(p->name, bare) == 0) || strcmp(p->name, "args") == 0)
            continue;
        json_object_set_new(out, p->name,
                            p->told == API_SECRET ? json_string("(hidden)") : told_value(value));
    }
}

/* The arguments of a run's task, as its record has them. New reference. */
static json_t *task_args(const char *task, const json_t *params)
{
    json_t *given = json_copy(json_object_get(params, "args")), *args;
    json_t *file = json_object_get(given, "file");
    char *text;

    if (json_is_object(file)) /* its name says enough */
        json_object_set(given, "file", json_object_get(file, "name"));
    text = task_args_text(task_by_name(task), given);
    args = json_loads(text, 0, NULL);
    free(text);
    json_decref(given);
    return args ? args : json_object();
}

char *call_deed_text(const struct api_call *call, const json_t *params)
{
    const char *task = json_string_value(json_object_get(params, "task"));
    const char *name = json_string_value(json_object_get(params, "name"));
    bool on_target = json_is_string(json_object_get(params, "target"));
    const char *bare = task ? "task" : name && on_target ? "name" : NULL;
    json_t *told = json_object(), *args = task ? task_args(task, params) : NULL;
    char *text, *what;

    tell_params(call, params, bare, told);
    json_object_update(told, args);
    text = json_dumps(told, JSON_COMPACT | JSON_SORT_KEYS);
    what = xasprintf("%s%s%s%s%s", call->name, bare ? " " : "",
                     task   ? task
                     : bare ? name
                            : "",
                     task || json_object_size(told) > 0 ? " " : "",
                     task || json_object_size(told) > 0 ? text : "");
    free(text);
    json_decref(args);
    json_decref(told);
    return what;
}

static json_int_t number(const json_t *reply, const char *name)
{
    return json_integer_value(json_object_get(reply, name));
}

/* "hosts added 3" */
static void nested(struct buf *out, const char *outer, const json_t *object)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)object, name, value)
    {
        if (json_integer_value(value) != 0)
            buf_printf(out, "%s%s %s %lld", out->len > 0 ? ", " : "", outer, name,
                       (long long)json_integer_value(value));
    }
}

static char *numbers(const json_t *reply)
{
    struct buf out = buf_init(DETAIL_MAX);
    const char *name;
    json_t *value;
    char *text;

    json_object_foreach((json_t *)reply, name, value)
    {
        if (strcmp(name, "sha256") == 0 && json_is_string(value))
            buf_printf(&out, "%s%s %s", out.len > 0 ? ", " : "", name, json_string_value(value));
        else if (json_is_object(value))
            nested(&out, name, value);
        else if (json_is_integer(value))
            buf_printf(&out, "%s%s %lld", out.len > 0 ? ", " : "", name,
                       (long long)json_integer_value(value));
    }
    text = out.len > 0 ? xstrdup(buf_str(&out)) : NULL;
    buf_free(&out);
    return text;
}

char *call_deed_detail(const json_t *reply, bool begun)
{
    json_int_t run = number(reply, "run"), hosts = number(reply, "hosts");
    const char *word = text_plural((uint64_t)hosts, "host", "hosts");

    if (run <= 0)
        return numbers(reply);
    if (begun)
        return xasprintf("run %lld: %lld %s", (long long)run, (long long)hosts, word);
    return xasprintf("run %lld: %lld %s, %lld ok, %lld failed", (long long)run, (long long)hosts, word,
                     (long long)number(reply, "ok"), (long long)number(reply, "failed"));
}
