/* inventory.show, history, list, diff. */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/api/listing.h"
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

#define COLUMNS_MAX 1000 /* facts that are asked for */

struct column {
    char *name;     /* in full */
    const char *as; /* as it was asked for */
};

struct columns {
    struct listing_ids hosts; /* first: listing_some knows it alone */
    struct column *items;     /* NULL: everything is wanted */
    size_t count;
    bool flat; /* facts are members of the row itself */
};

static char *full_name(const char *column)
{
    return strncmp(column, PREFIX, sizeof(PREFIX) - 1) == 0 ? xstrdup(column)
                                                            : xasprintf(PREFIX "%s", column);
}

static bool has_column(const struct columns *c, const char *as)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->items[i].as, as) == 0)
            return true;
    return false;
}

static int columns_take(struct columns *c, const json_t *given, struct err *err)
{
    const json_t *name;
    size_t i;

    if (json_array_size(given) > COLUMNS_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'columns' has more than %d names", COLUMNS_MAX);
    c->items = xcalloc(json_array_size(given) + 1, sizeof(*c->items));
    json_array_foreach((json_t *)given, i, name)
    {
        const char *as = json_string_value(name);

        if (as && !has_column(c, as))
            c->items[c->count++] = (struct column){full_name(as), as};
    }
    return 0;
}

static void columns_free(void *state)
{
    struct columns *c = state;

    for (size_t i = 0; i < c->count; i++)
        free(c->items[i].name);
    free(c->items);
    listing_ids_free(&c->hosts); /* and so c */
}

static int open_inventory(struct tx *tx, struct listing *l, struct err *err)
{
    const json_t *given = json_object_get(l->params, "columns");
    struct columns *c = xcalloc(1, sizeof(*c));

    l->state = c;
    c->flat = json_is_true(json_object_get(l->params, "flat"));
    if (given && columns_take(c, given, err) != 0)
        return -1;
    return listing_ids_find(tx, l->params, &c->hosts, err);
}

/* --- chosen facts, under the names by which they were asked for --- */

static void begin_row(void *rows, const struct inventory_row *row)
{
    rows_begin(rows);
    rows_text(rows, "host", row->host);
    rows_integer(rows, "version", row->version);
    rows_time(rows, "since", row->since_ms);
    rows_time(rows, "seen", row->seen_ms);
}

static void begin_flat(void *rows, const struct inventory_row *row)
{
    rows_begin(rows);
    rows_text(rows, "host", row->host);
    rows_time(rows, "seen", row->seen_ms);
}

struct fact {
    struct rows *rows;
    const char *as;
};

static void write_fact(void *arg, const char *name, const char *value)
{
    const struct fact *fact = arg;

    (void)name;
    rows_text(fact->rows, fact->as, value);
}

static int write_facts(struct tx *tx, const struct columns *c, int64_t id, struct rows *rows, struct err *err)
{
    int status = 0;

    for (size_t i = 0; status == 0 && i < c->count; i++) {
        struct fact fact = {rows, c->items[i].as};

        if (rows_want(rows, fact.as))
            status = tx_inventory_fact(tx, id, c->items[i].name, write_fact, &fact, err);
    }
    return status;
}

static int write_chosen(struct tx *tx, void *state, int64_t id, struct rows *rows, struct err *err)
{
    const struct columns *c = state;
    int status = tx_inventory_tell(tx, id, c->flat ? begin_flat : begin_row, rows, err);

    if (status <= 0)
        return status;
    status = 0;
    if (c->flat) {
        status = write_facts(tx, c, id, rows, err);
    } else if (rows_object(rows, "facts")) {
        status = write_facts(tx, c, id, rows, err);
        rows_object_end(rows);
    }
    rows_end(rows);
    return status;
}

/* --- all of it --- */

static int write_whole(struct tx *tx, int64_t id, struct rows *rows, struct err *err)
{
    struct inventory_row row;

    if (tx_inventory_get(tx, id, 0, 0, &row, err) != 0) {
        if (err->cause != CAUSE_NOT_FOUND)
            return -1;
        err_clear(err); /* nothing was read yet: it is not in the list */
        return 0;
    }
    begin_row(rows, &row);
    rows_written(rows, "inventory", row.data);
    rows_end(rows);
    inventory_row_clear(&row);
    return 0;
}

static int write_one(struct tx *tx, void *state, int64_t id, struct rows *rows, struct err *err)
{
    const struct columns *c = state;

    return c->items ? write_chosen(tx, state, id, rows, err) : write_whole(tx, id, rows, err);
}

static int more_inventory(struct tx *tx, struct listing *l, struct err *err)
{
    return listing_some(tx, l, write_one, err);
}

const struct api_list list_inventory = {open_inventory, more_inventory, columns_free};

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
