#include "amtd/fleet/task_args.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"

static void complain(struct buf *out, const char *name, const char *what)
{
    buf_printf(out, "%s'%s' %s", out->len > 0 ? "; " : "", name, what);
}

static void expect_name(const struct task_arg *arg, struct buf *out)
{
    buf_printf(out, "%s'%s' must be one of", out->len > 0 ? "; " : "", arg->name);
    for (size_t i = 0; arg->names[i]; i++)
        buf_printf(out, "%s %s", i > 0 ? "," : "", arg->names[i]);
}

static void read_name(const struct task_arg *arg, const json_t *value, void *field, struct buf *mistakes)
{
    const char *text = json_string_value(value);

    for (int i = 0; text && arg->names[i]; i++) {
        if (strcmp(arg->names[i], text) == 0) {
            memcpy(field, &i, sizeof(i));
            return;
        }
    }
    expect_name(arg, mistakes);
}

static void read_text(const struct task_arg *arg, const json_t *value, char *field, struct buf *mistakes)
{
    size_t n = json_string_length(value);

    if (!json_is_string(value) || n >= arg->size || !text_is_utf8(json_string_value(value), n))
        buf_printf(mistakes, "%s'%s' must be text of at most %zu bytes", mistakes->len > 0 ? "; " : "",
                   arg->name, arg->size - 1);
    else
        memcpy(field, json_string_value(value), n + 1);
}

static void read_number(const struct task_arg *arg, const json_t *value, void *field, struct buf *mistakes)
{
    json_int_t number = json_integer_value(value);
    int64_t wide = number;
    uint32_t narrow = (uint32_t)number;

    if (!json_is_integer(value) || number < arg->min || number > arg->max)
        buf_printf(mistakes, "%s'%s' must be a whole number from %lld to %lld", mistakes->len > 0 ? "; " : "",
                   arg->name, (long long)arg->min, (long long)arg->max);
    else if (arg->type == TASK_ARG_MS)
        memcpy(field, &wide, sizeof(wide));
    else
        memcpy(field, &narrow, sizeof(narrow));
}

static void read_one(const struct task_arg *arg, const json_t *value, void *args, struct buf *mistakes)
{
    void *field = (char *)args + arg->offset;
    bool flag = json_is_true(value);

    switch (arg->type) {
    case TASK_ARG_BOOL:
        if (json_is_boolean(value))
            memcpy(field, &flag, sizeof(flag));
        else
            complain(mistakes, arg->name, "must be true or false");
        break;
    case TASK_ARG_NAME:
        read_name(arg, value, field, mistakes);
        break;
    case TASK_ARG_TEXT:
        read_text(arg, value, field, mistakes);
        break;
    case TASK_ARG_MS:
    case TASK_ARG_U32:
        read_number(arg, value, field, mistakes);
        break;
    }
}

static const struct task_arg *find(const struct task_arg *table, const char *name)
{
    for (; table->name; table++)
        if (strcmp(table->name, name) == 0)
            return table;
    return NULL;
}

int task_args_read(const struct task_arg *table, const json_t *json, void *args, struct err *err)
{
    struct buf mistakes = buf_init(ERR_TEXT_MAX);
    const char *name;
    json_t *value;
    int status = 0;

    if (json && !json_is_object(json))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "the task's arguments must be an object");
    json_object_foreach((json_t *)json, name, value)
    {
        const struct task_arg *arg = find(table, name);

        if (arg)
            read_one(arg, value, args, &mistakes);
        else
            complain(&mistakes, name, "is not an argument of this task");
    }
    for (; table->name; table++)
        if (table->required && !json_object_get(json, table->name))
            complain(&mistakes, table->name, "is missing");
    if (mistakes.len > 0 || !buf_ok(&mistakes))
        status = err_set(err, CAUSE_INVALID_ARGUMENT, "%s", buf_str(&mistakes));
    buf_free(&mistakes);
    return status;
}
