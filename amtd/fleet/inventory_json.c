#include "amtd/fleet/inventory_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/xalloc.h"

#define NAME_MAX_BYTES 512

static json_t *value_of(const struct inventory_fact *fact)
{
    int64_t number;

    switch (fact->kind) {
    case INVENTORY_BOOL:
        return json_boolean(strcmp(fact->value, "true") == 0);
    case INVENTORY_NUMBER:
        if (text_i64(fact->value, INT64_MIN, INT64_MAX, &number))
            return json_integer(number);
        break; /* beyond what JSON programs can hold: as text */
    case INVENTORY_TEXT:
        break;
    }
    return json_string(fact->value);
}

static void put(json_t *object, const char *name, json_t *value)
{
    const char *dot = strchr(name, '.');
    char *word = dot ? xstrndup(name, (size_t)(dot - name)) : xstrdup(name);
    json_t *inner = json_object_get(object, word);

    if (!dot) {
        json_object_set_new(object, word, value);
    } else {
        if (!json_is_object(inner)) {
            inner = json_object();
            json_object_set_new(object, word, inner);
        }
        put(inner, dot + 1, value);
    }
    free(word);
}

/* {"0": a, "1": b} -> [a, b], within everything. Takes json. */
static json_t *with_lists(json_t *json)
{
    json_t *out, *value, *list = json_array();
    const char *name;
    size_t n = json_object_size(json);

    if (!json_is_object(json)) {
        json_decref(list);
        return json;
    }
    out = json_object();
    json_object_foreach(json, name, value) json_object_set_new(out, name, with_lists(json_incref(value)));
    json_decref(json);
    for (size_t i = 0; i < n; i++) {
        char word[24];

        snprintf(word, sizeof(word), "%zu", i);
        value = json_object_get(out, word);
        if (!value) {
            json_decref(list);
            return out;
        }
        json_array_append(list, value);
    }
    if (n == 0) {
        json_decref(list);
        return out;
    }
    json_decref(out);
    return list;
}

json_t *inventory_json(const struct inventory *inventory)
{
    json_t *json = json_object();

    for (size_t i = 0; i < inventory->count; i++)
        put(json, inventory->items[i].name, value_of(&inventory->items[i]));
    return with_lists(json);
}

/* --- and back --- */

static void add(struct pairs *pairs, const char *name, const json_t *value)
{
    char *text;

    if (json_is_string(value)) {
        pairs_set(pairs, name, json_string_value(value));
        return;
    }
    text = json_dumps(value, JSON_ENCODE_ANY);
    if (text)
        pairs_set(pairs, name, text);
    free(text);
}

/* name: what stands before, with its dot; it is left as it was. */
static void flatten(const json_t *json, struct buf *name, struct pairs *pairs)
{
    size_t length = name->len, i;
    const char *word;
    json_t *value;

    if (json_is_object(json)) {
        json_object_foreach((json_t *)json, word, value)
        {
            buf_printf(name, "%s%s", word, json_is_object(value) || json_is_array(value) ? "." : "");
            flatten(value, name, pairs);
            name->len = length;
        }
    } else if (json_is_array(json)) {
        json_array_foreach((json_t *)json, i, value)
        {
            buf_printf(name, "%zu%s", i, json_is_object(value) || json_is_array(value) ? "." : "");
            flatten(value, name, pairs);
            name->len = length;
        }
        buf_puts(name, "count");
        if (buf_ok(name)) {
            json_t *count = json_integer((json_int_t)json_array_size(json));

            add(pairs, buf_str(name), count);
            json_decref(count);
        }
        name->len = length;
    } else if (buf_ok(name)) {
        name->p[name->len] = '\0';
        add(pairs, buf_str(name), json);
    }
}

void inventory_flatten(const json_t *json, const char *prefix, struct pairs *pairs)
{
    struct buf name = buf_init(NAME_MAX_BYTES);

    buf_puts(&name, prefix);
    flatten(json, &name, pairs);
    buf_free(&name);
}

static void add_change(json_t *changes, const char *name, const char *was, const char *is)
{
    json_t *change = json_pack("{s:s}", "name", name);

    if (was)
        json_object_set_new(change, "was", json_string(was));
    if (is)
        json_object_set_new(change, "is", json_string(is));
    json_array_append_new(changes, change);
}

json_t *inventory_diff(const json_t *was, const json_t *is)
{
    struct pairs a = {0}, b = {0};
    json_t *changes = json_array();
    size_t i = 0, k = 0;

    inventory_flatten(was, "", &a);
    inventory_flatten(is, "", &b);
    while (i < a.count || k < b.count) {
        int order = i == a.count ? 1 : k == b.count ? -1 : strcmp(a.items[i].name, b.items[k].name);

        if (order < 0) {
            add_change(changes, a.items[i].name, a.items[i].value, NULL);
        } else if (order > 0) {
            add_change(changes, b.items[k].name, NULL, b.items[k].value);
        } else if (strcmp(a.items[i].value, b.items[k].value) != 0) {
            add_change(changes, a.items[i].name, a.items[i].value, b.items[k].value);
        }
        i += order <= 0;
        k += order >= 0;
    }
    pairs_clear(&a);
    pairs_clear(&b);
    return changes;
}
