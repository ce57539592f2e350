/* collection.put, set, list, show, remove. */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/store/collection_names.h"
#include "base/xalloc.h"
#include "filters/names.h"

static int members(struct tx *tx, const struct collection *c, struct hosts *out, struct err *err)
{
    char *target = xasprintf("@%s", c->name);
    int status = tx_target_bare(tx, target, out, err);

    free(target);
    return status;
}

static int check_name(const char *name, struct err *err)
{
    if (name[0] && strlen(name) <= 64 &&
        name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0')
        return 0;
    return err_set(err, CAUSE_INVALID_ARGUMENT,
                   "'%s' is no name: letters, digits, '.', '_' and '-', at most 64", name);
}

static int check_content(const struct collection *c, struct err *err)
{
    struct hostlist *list;
    struct query *query;

    if (!c->list == !c->where)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "a collection is either a list or a query: give one of them");
    if (c->list) {
        list = hostlist_parse(c->list, err);
        hostlist_free(list);
        return list ? 0 : -1;
    }
    query = query_parse(c->where, err);
    query_free(query);
    return query ? 0 : -1;
}

int call_collection_put(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct collection c = {.name = (char *)param_text(params, "name"),
                           .list = (char *)param_text(params, "list"),
                           .where = (char *)param_text(params, "where")};
    struct hosts hosts;

    /* A list is of hosts that are there: a typing error would otherwise be found in the night it is needed.
     */
    if (check_name(c.name, err) != 0 || check_content(&c, err) != 0)
        return -1;
    if (c.list) {
        if (tx_target_bare(tx, c.list, &hosts, err) != 0)
            return -1;
        hosts_clear(&hosts);
    }
    if (tx_collection_put(tx, &c, json_is_true(json_object_get(params, "replace")), err) != 0 ||
        members(tx, &c, &hosts, err) != 0)
        return -1;
    *reply = json_pack("{s:I}", "hosts", (json_int_t)hosts.count);
    hosts_clear(&hosts);
    return 0;
}

/* --- what names in filter files stand for on its hosts --- */

static int check_value(const char *name, const json_t *value, struct err *err)
{
    struct names *names = names_new();
    int status = json_is_string(value) || json_is_null(value)
                     ? 0
                     : err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' must be a text, or null", name);

    if (status == 0 && json_is_string(value))
        status = names_set(names, name, json_string_value(value), err);
    names_free(names);
    return status;
}

int call_collection_set(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    const char *collection = param_text(params, "name"), *name;
    json_t *value;
    int status = 0;

    json_object_foreach(json_object_get(params, "set"), name, value)
    {
        if (status == 0)
            status = check_value(name, value, err);
        if (status == 0)
            status = tx_collection_name_set(tx, collection, name, json_string_value(value), err);
    }
    *reply = json_object();
    return status;
}

static int add_names(struct tx *tx, json_t *json, const char *collection, struct err *err)
{
    struct collection_names rows;
    json_t *names = json_object();
    int status = tx_collection_names(tx, collection, &rows, err);

    for (size_t i = 0; i < rows.count; i++)
        json_object_set_new(names, rows.items[i].name, json_string(rows.items[i].value));
    if (rows.count > 0)
        json_object_set(json, "names", names);
    json_decref(names);
    collection_names_clear(&rows);
    return status;
}

static json_t *describe(const struct collection *c, const struct hosts *hosts)
{
    json_t *json = json_pack("{s:s, s:I}", "name", c->name, "hosts", (json_int_t)hosts->count);

    json_object_set_new(json, c->list ? "list" : "where", json_string(c->list ? c->list : c->where));
    return json;
}

int call_collection_list(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct collection *all;
    size_t count;
    int status = tx_collections(tx, &all, &count, err);

    (void)params;
    *reply = json_array();
    for (size_t i = 0; i < count; i++) {
        struct hosts hosts;

        if (status == 0 && (status = members(tx, &all[i], &hosts, err)) == 0) {
            json_array_append_new(*reply, describe(&all[i], &hosts));
            hosts_clear(&hosts);
        }
        collection_clear(&all[i]);
    }
    free(all);
    return status;
}

int call_collection_show(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct collection c;
    struct hosts hosts;
    int status;

    if (tx_collection_get(tx, param_text(params, "name"), &c, err) != 0)
        return -1;
    status = members(tx, &c, &hosts, err);
    if (status == 0) {
        *reply = describe(&c, &hosts);
        json_object_set_new(*reply, "members", json_folded(&hosts));
        status = add_names(tx, *reply, c.name, err);
        hosts_clear(&hosts);
    }
    collection_clear(&c);
    return status;
}

int call_collection_remove(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    *reply = json_object();
    return tx_collection_remove(tx, param_text(params, "name"), err);
}
