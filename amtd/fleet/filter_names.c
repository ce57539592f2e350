#include "amtd/fleet/filter_names.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/store/collection_names.h"
#include "base/xalloc.h"

/* One name of a collection that the host is in. *by: {name: collection} so far. */
static void inherit(const struct collection_name *row, json_t *names, json_t *differ, json_t *by)
{
    const char *value = json_string_value(json_object_get(names, row->name));
    const char *others = json_string_value(json_object_get(by, row->name));
    char *all = others ? xasprintf("%s, @%s", others, row->collection) : xasprintf("@%s", row->collection);

    json_object_set_new(by, row->name, json_string(all));
    if (!others)
        json_object_set_new(names, row->name, json_string(row->value));
    else if (!value || strcmp(value, row->value) != 0) {
        json_object_del(names, row->name);
        json_object_set_new(differ, row->name, json_string(all));
    }
    free(all);
}

static int inherit_all(struct tx *tx, const struct host *host, json_t *names, json_t *differ, struct err *err)
{
    struct collection_names rows;
    json_t *by = json_object();
    const char *last = "";
    bool in = false;
    int status = tx_collection_names(tx, NULL, &rows, err);

    for (size_t i = 0; status == 0 && i < rows.count; i++) {
        if (strcmp(rows.items[i].collection, last) != 0)
            status = tx_in_collection(tx, rows.items[i].collection, host, &in, err);
        last = rows.items[i].collection;
        if (status == 0 && in)
            inherit(&rows.items[i], names, differ, by);
    }
    collection_names_clear(&rows);
    json_decref(by);
    return status;
}

int filter_names_of(struct tx *tx, const struct host *host, json_t **out, struct err *err)
{
    const size_t prefix = strlen(FILTER_TAG_PREFIX);
    json_t *names = json_object(), *differ = json_object();

    *out = json_pack("{s:o, s:o}", "names", names, "differ", differ);
    if (inherit_all(tx, host, names, differ, err) != 0)
        return -1;
    for (size_t i = 0; i < host->tags.count; i++) {
        const struct pair *tag = &host->tags.items[i];

        if (strncmp(tag->name, FILTER_TAG_PREFIX, prefix) == 0) {
            json_object_set_new(names, tag->name + prefix, json_string(tag->value));
            json_object_del(differ, tag->name + prefix);
        }
    }
    return 0;
}
