/* inventory.show, history, list, diff. */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/fleet/inventory_json.h"
#include "amtd/store/inventory.h"
#include "base/clock.h"
#include "base/xalloc.h"

#define PREFIX "inventory."

static int none_yet(const char *host, struct err *err)
{
    return err_set(err, CAUSE_NOT_FOUND,
                   "there is no inventory of %s; read it with: amtcli inventory update %s", host, host);
}

/* The inventory of a named host; what: which of them, "at that time" or NULL for the newest. */
static int get(struct tx *tx, const char *name, int64_t at_ms, int64_t version, struct inventory_row *row,
               struct err *err)
{
    struct host host;
    int status;

    memset(row, 0, sizeof(*row));
    if (tx_host_get(tx, name, &host, err) != 0)
        return -1;
    status = tx_inventory_get(tx, host.id, at_ms, version, row, err);
    if (status != 0 && err->cause == CAUSE_NOT_FOUND && at_ms == 0 && version == 0)
        none_yet(name, err);
    else if (status != 0 && err->cause == CAUSE_NOT_FOUND)
        err_set(err, CAUSE_NOT_FOUND, "there is no such inventory of %s: amtcli inventory history %s", name,
                name);
    host_clear(&host);
    return status;
}

static json_t *row_json(const struct inventory_row *row)
{
    return json_pack("{s:s, s:I, s:o, s:o}", "host", row->host, "version", (json_int_t)row->version, "since",
                     json_time(row->since_ms), "seen", json_time(row->seen_ms));
}

static json_t *data_json(const struct inventory_row *row)
{
    json_t *json = row->data ? json_loads(row->data, 0, NULL) : NULL;

    return json ? json : json_object();
}

/* "since": so long ago, or a time. 0: not said. */
static int64_t read_at(const json_t *params)
{
    json_int_t ago = json_integer_value(json_object_get(params, "ago_ms"));

    return ago > 0 ? clock_wall(clock_system()) - ago : 0;
}

static json_t *flat_json(const json_t *data)
{
    struct pairs pairs = {0};
    json_t *json = json_object();

    inventory_flatten(data, "", &pairs);
    for (size_t i = 0; i < pairs.count; i++)
        json_object_set_new(json, pairs.items[i].name, json_string(pairs.items[i].value));
    pairs_clear(&pairs);
    return json;
}

int call_inventory_show(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct inventory_row row;
    json_t *data;

    if (get(tx, param_text(params, "host"), read_at(params),
            json_integer_value(json_object_get(params, "version")), &row, err) != 0)
        return -1;
    data = data_json(&row);
    *reply = row_json(&row);
    if (json_is_true(json_object_get(params, "flat")))
        json_object_set_new(*reply, "facts", flat_json(data));
    json_object_set_new(*reply, "inventory", data);
    inventory_row_clear(&row);
    return 0;
}

int call_inventory_history(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    const char *name = param_text(params, "host");
    struct inventory_row *rows;
    struct host host;
    size_t count;
    int status;

    if (tx_host_get(tx, name, &host, err) != 0)
        return -1;
    status = tx_inventory_versions(tx, host.id, &rows, &count, err);
    *reply = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(*reply, row_json(&rows[i]));
        inventory_row_clear(&rows[i]);
    }
    free(rows);
    host_clear(&host);
    return status == 0 && count == 0 ? none_yet(name, err) : status;
}

/* --- inventory.list --- */

static char *full_name(const char *column)
{
    return strncmp(column, PREFIX, sizeof(PREFIX) - 1) == 0 ? xstrdup(column)
                                                            : xasprintf(PREFIX "%s", column);
}

/* Chosen facts, under the names by which they were asked for. */
static json_t *facts_json(const struct inventory_row *row, const json_t *columns, const json_t *names)
{
    json_t *facts = json_object(), *name;
    size_t i;

    json_array_foreach((json_t *)names, i, name)
    {
        const char *value = pairs_get(&row->facts, json_string_value(name));

        if (value)
            json_object_set_new(facts, json_string_value(json_array_get(columns, i)), json_string(value));
    }
    return facts;
}

static int list_chosen(struct tx *tx, const char *target, const json_t *columns, json_t *list,
                       struct err *err)
{
    json_t *names = json_array(), *column;
    struct inventory_row *rows;
    size_t count, i;
    char *text;
    int status;

    json_array_foreach((json_t *)columns, i, column)
    {
        char *name = full_name(json_is_string(column) ? json_string_value(column) : "");

        json_array_append_new(names, json_string(name));
        free(name);
    }
    text = json_dumps(names, JSON_COMPACT);
    status = tx_inventory_newest(tx, target, text, &rows, &count, err);
    for (i = 0; i < count; i++) {
        json_t *json = row_json(&rows[i]);

        json_object_set_new(json, "facts", facts_json(&rows[i], columns, names));
        json_array_append_new(list, json);
        inventory_row_clear(&rows[i]);
    }
    free(rows);
    free(text);
    json_decref(names);
    return status;
}

static int list_whole(struct tx *tx, const char *target, json_t *list, struct err *err)
{
    struct hosts hosts;
    int status = 0;

    if (tx_target_bare(tx, target, &hosts, err) != 0)
        return -1;
    for (size_t i = 0; status == 0 && i < hosts.count; i++) {
        struct inventory_row row;

        status = tx_inventory_get(tx, hosts.items[i].id, 0, 0, &row, err);
        if (status == 0) {
            json_t *json = row_json(&row);

            json_object_set_new(json, "inventory", data_json(&row));
            json_array_append_new(list, json);
            inventory_row_clear(&row);
        } else if (err->cause == CAUSE_NOT_FOUND) { /* nothing was read yet: it is not in the list */
            err_clear(err);
            status = 0;
        }
    }
    hosts_clear(&hosts);
    return status;
}

int call_inventory_list(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    const char *target = param_text(params, "target");
    const json_t *columns = json_object_get(params, "columns");

    *reply = json_array();
    return columns ? list_chosen(tx, target ? target : "all", columns, *reply, err)
                   : list_whole(tx, target ? target : "all", *reply, err);
}

/* --- inventory.diff --- */

/* Without another host: from the version before, or from what held at a time. */
static int get_was(struct tx *tx, const json_t *params, const struct inventory_row *is,
                   struct inventory_row *was, struct err *err)
{
    int64_t at_ms = read_at(params);
    int status;

    if (param_text(params, "other"))
        return get(tx, param_text(params, "other"), 0, 0, was, err);
    if (at_ms == 0 && is->version > 1)
        return tx_inventory_get(tx, is->host_id, 0, is->version - 1, was, err);
    if (at_ms == 0)
        return tx_inventory_get(tx, is->host_id, 0, 1, was, err);
    status = tx_inventory_get(tx, is->host_id, at_ms, 0, was, err);
    if (status == 0 || err->cause != CAUSE_NOT_FOUND)
        return status;
    err_clear(err); /* older than all that is known: from the first one */
    return tx_inventory_get(tx, is->host_id, 0, 1, was, err);
}

int call_inventory_diff(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct inventory_row was = {0}, is;
    json_t *a, *b;
    int status = get(tx, param_text(params, "host"), 0, 0, &is, err);

    if (status == 0)
        status = get_was(tx, params, &is, &was, err);
    if (status == 0) {
        a = data_json(&was);
        b = data_json(&is);
        *reply = json_pack("{s:o, s:o, s:o}", "was", row_json(&was), "is", row_json(&is), "changes",
                           inventory_diff(a, b));
        json_decref(a);
        json_decref(b);
    }
    inventory_row_clear(&was);
    inventory_row_clear(&is);
    return status;
}
