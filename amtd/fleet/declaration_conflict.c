#include "amtd/fleet/declaration_conflict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/store/declarations.h"
#include "base/hostlist.h"
#include "base/xalloc.h"

static int by_id(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int64_t *ids_of(const struct hosts *hosts)
{
    int64_t *ids = xcalloc(hosts->count + 1, sizeof(*ids));

    for (size_t i = 0; i < hosts->count; i++)
        ids[i] = hosts->items[i].id;
    qsort(ids, hosts->count, sizeof(*ids), by_id);
    return ids;
}

static int hosts_of(struct tx *tx, const char *collection, struct hosts *out, struct err *err)
{
    char *target = xasprintf("@%s", collection);
    int status = tx_target_bare(tx, target, out, err);

    free(target);
    return status;
}

static bool differs(const struct declaration *a, const struct declaration *b, size_t setting)
{
    return a->values[setting] && b->values[setting] && strcmp(a->values[setting], b->values[setting]) != 0;
}

static bool differ(const struct declaration *a, const struct declaration *b)
{
    for (size_t i = 0; i < SETTINGS; i++)
        if (differs(a, b, i))
            return true;
    return false;
}

/* Those of `hosts` that are among these; how many. */
static size_t fold_shared(const struct hosts *hosts, const int64_t *ids, size_t count, struct buf *out)
{
    struct hostlist *list = hostlist_new();
    size_t shared = 0;

    for (size_t i = 0; i < hosts->count; i++) {
        if (!bsearch(&hosts->items[i].id, ids, count, sizeof(*ids), by_id))
            continue;
        hostlist_add(list, hosts->items[i].name, NULL);
        shared++;
    }
    hostlist_fold(list, out);
    hostlist_free(list);
    return shared;
}

static void add_rows(json_t *out, const char *collection, const struct declaration *here,
                     const struct declaration *there, size_t count, const char *hosts)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        char name[64];

        if (!differs(here, there, i))
            continue;
        snprintf(name, sizeof(name), "%s.%s", settings[i].section, settings[i].name);
        json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:s, s:I, s:s}", "collection", collection,
                                             "setting", name, "here", here->values[i], "there",
                                             there->values[i], "count", (json_int_t)count, "hosts", hosts));
    }
}

/* ids: of those that are declared to be d, sorted. */
static int look(struct tx *tx, const struct declared *other, const struct declaration *d, const int64_t *ids,
                size_t count, json_t *out, struct err *err)
{
    json_t *mistakes;
    struct declaration *there = declaration_read(other->name, other->text, strlen(other->text), &mistakes);
    struct buf names = buf_init(64 << 20);
    struct hosts hosts = {0};
    size_t shared;
    int status = 0;

    if (there && differ(d, there) && (status = hosts_of(tx, other->collection, &hosts, err)) == 0) {
        shared = fold_shared(&hosts, ids, count, &names);
        if (shared > 0)
            add_rows(out, other->collection, d, there, shared, buf_str(&names));
    }
    hosts_clear(&hosts);
    buf_free(&names);
    declaration_free(there);
    json_decref(mistakes);
    return status;
}

int tx_declaration_conflicts(struct tx *tx, const char *collection, const struct declaration *d,
                             const struct hosts *hosts, json_t **out, struct err *err)
{
    struct hosts all = {0};
    struct declared *others = NULL;
    size_t count = 0;
    int64_t *ids;
    int status = hosts ? 0 : hosts_of(tx, collection, &all, err);

    *out = json_array();
    if (status == 0)
        status = tx_declared_list(tx, &others, &count, err);
    hosts = hosts ? hosts : &all;
    ids = ids_of(hosts);
    for (size_t i = 0; i < count; i++) {
        if (status == 0 && strcmp(others[i].collection, collection) != 0)
            status = look(tx, &others[i], d, ids, hosts->count, *out, err);
        declared_clear(&others[i]);
    }
    free(others);
    free(ids);
    hosts_clear(&all);
    return status;
}

int declaration_conflict_refuse(const char *collection, const json_t *conflicts, struct err *err)
{
    const json_t *first = json_array_get(conflicts, 0);

    if (!first)
        return 0;
    return err_set(
        err, CAUSE_INVALID_ARGUMENT,
        "nothing was changed: '@%s' is declared with '%s: %s', '@%s' with '%s', and both have %.200s: "
        "declare the same for both, or take the hosts out of one",
        collection, json_string_value(json_object_get(first, "setting")),
        json_string_value(json_object_get(first, "here")),
        json_string_value(json_object_get(first, "collection")),
        json_string_value(json_object_get(first, "there")),
        json_string_value(json_object_get(first, "hosts")));
}
