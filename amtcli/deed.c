#include "amtcli/deed.h"

#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/xalloc.h"

#define RUN      "run.start "
#define TEXT_MAX ((size_t)1 << 16)

/* Said without their names, in this order: with them the deed reads like its command. */
static const char *const bare[] = {"action", "file", "job", NULL};

/* Of no use to people. */
static bool is_bookkeeping(const char *name)
{
    return strcmp(name, "hash") == 0;
}

static bool is_bare(const char *name)
{
    for (size_t i = 0; bare[i]; i++)
        if (strcmp(name, bare[i]) == 0)
            return true;
    return false;
}

static void add_value(struct buf *out, const json_t *value)
{
    char *text;

    if (json_is_string(value)) {
        buf_puts(out, json_string_value(value));
        return;
    }
    text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    buf_puts(out, text);
    free(text);
}

static void add_argument(struct buf *out, const char *prefix, const char *name, const json_t *value)
{
    size_t n = strlen(name);
    bool is_time =
        n > 3 && strcmp(name + n - 3, "_ms") == 0 && json_is_integer(value) && json_integer_value(value) >= 0;
    const char *key;
    json_t *inner;

    if (is_bookkeeping(name) || (json_is_array(value) && json_array_size(value) == 0))
        return;
    if (json_is_object(value)) {
        json_object_foreach((json_t *)value, key, inner) add_argument(out, name, key, inner);
        return;
    }
    buf_printf(out, " %s%s", prefix, *prefix ? "." : "");
    for (size_t i = 0; i < (is_time ? n - 3 : n); i++)
        buf_printf(out, "%c", name[i] == '_' ? '-' : name[i]);
    if (json_is_true(value))
        return;
    buf_puts(out, "=");
    if (is_time)
        text_duration(out, json_integer_value(value));
    else
        add_value(out, value);
}

char *deed_of_run(const char *task, const json_t *args)
{
    struct buf out = buf_init(TEXT_MAX);
    const char *name;
    json_t *value;

    buf_puts(&out, task ? task : "");
    for (size_t i = 0; bare[i]; i++) {
        if ((value = json_object_get(args, bare[i]))) {
            buf_puts(&out, " ");
            add_value(&out, value);
        }
    }
    json_object_foreach((json_t *)args, name, value) if (!is_bare(name)) add_argument(&out, "", name, value);
    return buf_take(&out);
}

char *deed_text(const char *what)
{
    size_t skip = strncmp(what, RUN, strlen(RUN)) == 0 ? strlen(RUN) : 0;
    const char *object = strchr(what, '{');
    json_t *args = object ? json_loads(object, 0, NULL) : NULL;
    char *task, *text;

    if (!json_is_object(args) || object - 1 <= what + skip || object[-1] != ' ') {
        json_decref(args);
        return xstrdup(what);
    }
    task = xstrndup(what + skip, (size_t)(object - 1 - what) - skip);
    text = deed_of_run(task, args);
    free(task);
    json_decref(args);
    return text;
}
