/* filter.status, names and confirm: what amtd keeps of filters. What is done to devices goes by run.start. */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/fleet/filter_names.h"
#include "amtd/fleet/filter_set.h"
#include "amtd/store/filters.h"
#include "base/xalloc.h"

static json_t *parse(const char *text)
{
    return text ? json_loads(text, 0, NULL) : NULL;
}

static void set_from(json_t *out, const char *name, const json_t *from, const char *field)
{
    json_t *value = json_object_get(from, field);

    json_object_set(out, name, value ? value : json_null());
}

/* --- what is active --- */

/* When it will be by the clock as it is now; null: never. */
static json_t *moment_time(const struct moment *moment, const struct moment *now)
{
    int64_t left = moment_left_ms(moment, now);

    return json_time(left > 0 ? now->wall_ms + left : moment->wall_ms);
}

static void add_row(json_t *out, const struct filter_row *row, const struct moment *now)
{
    json_t *set = parse(row->set), *before = parse(row->before);

    set_from(out, "policy", set, "name");
    set_from(out, "file", set, "file");
    set_from(out, "version", set, "version");
    set_from(out, "hash", set, "hash");
    json_object_set_new(out, "filters",
                        json_integer((json_int_t)json_array_size(json_object_get(set, "filters"))));
    json_object_set_new(out, "since", json_time(row->since_ms));
    json_object_set_new(out, "who", json_string(row->who));
    json_object_set_new(out, "run", json_integer(row->run));
    json_object_set_new(out, "confirm_by", moment_time(&row->confirm, now));
    json_object_set_new(out, "until", moment_time(&row->until, now));
    if (row->confirm.wall_ms > 0 || row->until.wall_ms > 0)
        set_from(out, "then", json_object_get(before, "set"), "name");
    json_decref(set);
    json_decref(before);
}

/* What waits for its time is in a list of its own. */
static void add_waiting(json_t *out, const struct filter_row *row, const struct moment *now)
{
    const char *when = filter_when_name(row->owner);
    json_t *waiting = json_object_get(out, "waiting"), *item = json_pack("{s:s?}", "when", when);

    if (!waiting) {
        waiting = json_array();
        json_object_set_new(out, "waiting", waiting);
    }
    add_row(item, row, now);
    json_array_append_new(waiting, item);
}

static void add_claim(json_t *out, const struct filter_claim *claim)
{
    bool half_done = claim->journal && claim->next.wall_ms > 0;
    json_t *at = json_pack("{s:s, s:s, s:s, s:o, s:I, s:I}", "state", half_done ? "half-done" : "working",
                           "who", claim->who, "what", claim->what, "since", json_time(claim->since_ms), "run",
                           (json_int_t)claim->run, "tries", (json_int_t)claim->tries);

    if (half_done && claim->next.wall_ms > 1)
        json_object_set_new(at, "next", json_time(claim->next.wall_ms));
    json_object_set_new(out, "at_it", at);
}

struct kept {
    struct filter_row *rows;
    struct filter_claim *claims;
    size_t row_count, claim_count;
    struct moment now;
};

static int read_kept(struct tx *tx, struct kept *kept, struct err *err)
{
    memset(kept, 0, sizeof(*kept));
    kept->now = moment_now();
    if (tx_filters(tx, &kept->rows, &kept->row_count, err) != 0)
        return -1;
    return tx_filter_claims(tx, &kept->claims, &kept->claim_count, err);
}

static void kept_clear(struct kept *kept)
{
    for (size_t i = 0; i < kept->row_count; i++)
        filter_row_clear(&kept->rows[i]);
    for (size_t i = 0; i < kept->claim_count; i++)
        filter_claim_clear(&kept->claims[i]);
    free(kept->rows);
    free(kept->claims);
}

/* Both lists are in the order of the hosts: *row and *claim go along with them. */
static json_t *host_status(const struct host *host, const struct kept *kept, size_t *row, size_t *claim)
{
    json_t *out = json_pack("{s:s, s:n}", "host", host->name, "policy");

    while (*row < kept->row_count && hostlist_compare_names(kept->rows[*row].host, host->name) < 0)
        (*row)++;
    while (*claim < kept->claim_count && hostlist_compare_names(kept->claims[*claim].host, host->name) < 0)
        (*claim)++;
    for (; *row < kept->row_count && kept->rows[*row].host_id == host->id; (*row)++)
        if (kept->rows[*row].owner == SD_CONSOLE)
            add_row(out, &kept->rows[*row], &kept->now);
        else
            add_waiting(out, &kept->rows[*row], &kept->now);
    if (*claim < kept->claim_count && kept->claims[*claim].host_id == host->id)
        add_claim(out, &kept->claims[*claim]);
    return out;
}

int call_filter_status(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    const char *target = param_text(params, "target");
    struct hosts hosts;
    struct kept kept = {0};
    size_t row = 0, claim = 0;
    int status = tx_target_bare(tx, target ? target : "all", &hosts, err);

    if (status == 0)
        status = read_kept(tx, &kept, err);
    *reply = json_array();
    for (size_t i = 0; status == 0 && i < hosts.count; i++)
        json_array_append_new(*reply, host_status(&hosts.items[i], &kept, &row, &claim));
    kept_clear(&kept);
    hosts_clear(&hosts);
    return status;
}

/* --- what names stand for --- */

int call_filter_names(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct hosts hosts;
    int status = tx_target(tx, param_text(params, "target"), &hosts, err);

    *reply = json_array();
    for (size_t i = 0; status == 0 && i < hosts.count; i++) {
        json_t *item = NULL;

        status = filter_names_of(tx, &hosts.items[i], &item, err);
        json_object_set_new(item, "host", json_string(hosts.items[i].name));
        json_array_append_new(*reply, item);
    }
    hosts_clear(&hosts);
    return status;
}

/* --- confirming --- */

static int confirm_host(struct tx *tx, const struct host *host, enum sd_owner owner, json_int_t *confirmed,
                        struct err *err)
{
    struct filter_row row;
    bool found;
    int status = tx_filter_get(tx, host->id, owner, &row, &found, err);

    if (status == 0 && found && row.confirm.wall_ms > 0) {
        row.confirm = (struct moment){0};
        status = tx_filter_put(tx, &row, err);
        (*confirmed)++;
    }
    filter_row_clear(&row);
    return status;
}

/* "agent": what waits for it; without: what is active. */
static int read_when(const json_t *params, enum sd_owner *owner, struct err *err)
{
    const char *when = param_text(params, "when");

    for (size_t i = 0; i < FILTER_WHENS; i++) {
        *owner = filter_when_owners[i];
        if (strcmp(when ? when : filter_when_names[0], filter_when_names[i]) == 0)
            return 0;
    }
    return err_set(err, CAUSE_INVALID_ARGUMENT, "'when': expected now, agent or worm, not '%s'", when);
}

int call_filter_confirm(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct hosts hosts;
    json_int_t confirmed = 0;
    enum sd_owner owner;
    int status = tx_target_bare(tx, param_text(params, "target"), &hosts, err);

    if (status == 0)
        status = read_when(params, &owner, err);
    for (size_t i = 0; status == 0 && i < hosts.count; i++)
        status = confirm_host(tx, &hosts.items[i], owner, &confirmed, err);
    if (status == 0)
        *reply = json_pack("{s:I}", "confirmed", confirmed);
    hosts_clear(&hosts);
    return status;
}
