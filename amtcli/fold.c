#include "amtcli/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/cause.h"
#include "base/hostlist.h"
#include "base/xalloc.h"

#define KEY_MAX  65536
#define LIST_MAX (64 << 20)

void fold_names(const json_t *names, struct buf *out)
{
    struct hostlist *list = hostlist_new();
    json_t *name;
    size_t i;

    json_array_foreach((json_t *)names, i, name) if (json_is_string(name))
        hostlist_add(list, json_string_value(name), NULL);
    hostlist_fold(list, out);
    hostlist_free(list);
}

static json_t *folded(const json_t *names)
{
    struct buf text = buf_init(LIST_MAX);
    json_t *json;

    fold_names(names, &text);
    json = json_string(buf_str(&text));
    buf_free(&text);
    return json;
}

/* What makes two results equal for people. */
static char *key_of(const json_t *row, const struct column *also)
{
    static const char *const fields[] = {"result", "state", "from", "to", "cause", "code", "remark", "would"};
    struct buf key = buf_init(KEY_MAX);

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        cell_text(row, fields[i], &key);
        buf_putc(&key, '\x1f');
    }
    for (; also && also->title; also++) {
        cell_text(row, also->field, &key);
        buf_putc(&key, '\x1f');
    }
    return buf_take(&key);
}

/* Adds row to its group in `groups`, by key; new groups are also appended to `order`. */
static json_t *group_of(json_t *groups, json_t *order, const char *key, json_t *row)
{
    json_t *group = json_object_get(groups, key);

    if (!group) {
        group = json_copy(row);
        json_object_set_new(group, "members", json_array());
        json_object_set(groups, key, group);
        json_array_append_new(order, group);
    }
    json_array_append(json_object_get(group, "members"), json_object_get(row, "host"));
    return group;
}

json_t *fold_results(const json_t *rows, const struct column *also)
{
    json_t *order = json_array(), *groups = json_object(), *row, *group;
    size_t i;

    json_array_foreach((json_t *)rows, i, row)
    {
        char *key = key_of(row, also);
        json_t *seconds = json_object_get(row, "seconds");

        group = group_of(groups, order, key, row);
        if (json_number_value(seconds) > json_number_value(json_object_get(group, "seconds")))
            json_object_set(group, "seconds", seconds);
        free(key);
    }
    json_array_foreach(order, i, group)
    {
        json_t *members = json_object_get(group, "members");

        json_object_set_new(group, "host", folded(members));
        json_object_set_new(group, "count", json_integer((json_int_t)json_array_size(members)));
        json_object_del(group, "members");
    }
    json_decref(groups);
    return order;
}

static int by_count(const void *a, const void *b)
{
    const json_t *const *x = a, *const *y = b;
    json_int_t m = json_integer_value(json_object_get(*x, "count"));
    json_int_t n = json_integer_value(json_object_get(*y, "count"));

    return m != n ? (m < n) - (m > n)
                  : strcmp(json_string_value(json_object_get(*x, "cause")),
                           json_string_value(json_object_get(*y, "cause")));
}

static json_t *sorted_by_count(json_t *rows)
{
    size_t n = json_array_size(rows), i;
    json_t **items = xcalloc(n + 1, sizeof(*items)), *out = json_array(), *row;

    json_array_foreach(rows, i, row) items[i] = row;
    qsort(items, n, sizeof(*items), by_count);
    for (i = 0; i < n; i++)
        json_array_append(out, items[i]);
    free(items);
    json_decref(rows);
    return out;
}

json_t *fold_causes(const json_t *rows)
{
    json_t *order = json_array(), *groups = json_object(), *out = json_array(), *row, *group;
    size_t i;

    json_array_foreach((json_t *)rows, i, row) if (json_string_value(json_object_get(row, "cause")))
        group_of(groups, order, json_string_value(json_object_get(row, "cause")), row);
    json_array_foreach(order, i, group)
    {
        json_t *members = json_object_get(group, "members"), *cause = json_object_get(group, "cause");
        const char *hint = json_string_value(json_object_get(group, "hint"));

        if (!hint)
            hint = cause_hint(cause_by_name(json_string_value(cause)));
        json_array_append_new(out, json_pack("{s:O, s:s, s:I, s:o}", "cause", cause, "hint", hint, "count",
                                             (json_int_t)json_array_size(members), "hosts", folded(members)));
    }
    json_decref(groups);
    json_decref(order);
    return sorted_by_count(out);
}
