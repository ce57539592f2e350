/* host.add, import, list, set, remove. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/api/listing.h"
#include "base/text.h"
#include "base/xalloc.h"

#define ASK_ABOVE 10 /* hosts: removing more wants confirmation */

/* --- addresses that count up --- */

struct counter {
    int family; /* AF_INET, AF_INET6, or 0: a name, which fits one host only */
    uint8_t bytes[16];
    size_t size;
    const char *text;
    size_t given;
};

static int counter_start(struct counter *c, const char *text, struct err *err)
{
    memset(c, 0, sizeof(*c));
    c->text = text;
    if (!text || !text[0])
        return 0;
    if (inet_pton(AF_INET, text, c->bytes) == 1) {
        c->family = AF_INET;
        c->size = 4;
    } else if (inet_pton(AF_INET6, text, c->bytes) == 1) {
        c->family = AF_INET6;
        c->size = 16;
    } else if (!hostlist_is_address(text)) {
        return err_set(err, CAUSE_INVALID_ARGUMENT, "expected an IP address or a name, not '%s'", text);
    }
    return 0;
}

static bool count_up(struct counter *c)
{
    for (size_t i = c->size; i > 0; i--)
        if (++c->bytes[i - 1] != 0)
            return true;
    return false;
}

/* The next address into *out (owned), NULL when none was given. */
static int counter_next(struct counter *c, char **out, struct err *err)
{
    char text[INET6_ADDRSTRLEN];

    *out = NULL;
    if (!c->text || !c->text[0])
        return 0;
    if (c->given++ > 0) {
        if (c->family == 0)
            return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' is a name: only a numeric address can count up",
                           c->text);
        if (!count_up(c))
            return err_set(err, CAUSE_INVALID_ARGUMENT, "addresses from %s on: there are not so many",
                           c->text);
    }
    *out = xstrdup(c->family == 0 ? c->text : inet_ntop(c->family, c->bytes, text, sizeof(text)));
    return 0;
}

/* --- tags --- */

static int check_tag(const char *name, const json_t *value, struct err *err)
{
    if (name[0] == '\0' || strlen(name) > 64 ||
        name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                          "0123456789._-")])
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'%s' is no tag name: letters, digits, '.', '_' and '-', at most 64", name);
    if (!json_is_null(value) && (!json_is_string(value) || json_string_length(value) > 1024))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "tag '%s': expected text of at most 1024 bytes", name);
    return 0;
}

int check_tags(const json_t *tags, struct err *err)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)tags, name, value)
    {
        if (check_tag(name, value, err) != 0)
            return -1;
    }
    return 0;
}

static int set_tags(struct pairs *tags, const json_t *json, struct err *err)
{
    const char *name;
    json_t *value;

    if (check_tags(json, err) != 0)
        return -1;
    json_object_foreach((json_t *)json, name, value)
    {
        pairs_set(tags, name,
                  json_is_null(value) || json_string_length(value) == 0 ? NULL : json_string_value(value));
    }
    return 0;
}

/* --- the calls --- */

static int add_one(struct tx *tx, const char *name, const char *profile, const struct pairs *tags,
                   struct counter *c, struct hostlist *there, struct err *err)
{
    struct host host = {.name = (char *)name, .profile = (char *)profile, .tags = *tags};
    int64_t id;
    int status;

    if (counter_next(c, &host.address, err) != 0)
        return -1;
    status = tx_host_add(tx, &host, &id, err);
    free(host.address);
    if (status != 0 && err->cause == CAUSE_EXISTS) /* all of them are named, at the end */
        status = hostlist_add(there, name, err);
    return status;
}

static int complain_there(const struct hostlist *there, struct err *err)
{
    struct buf names = buf_init(1 << 20);

    if (hostlist_count(there) == 0)
        return 0;
    hostlist_fold(there, &names);
    err_set(err, CAUSE_EXISTS, "already there: %s; nothing was added", buf_str(&names));
    buf_free(&names);
    return -1;
}

int call_host_add(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct hostlist *names = hostlist_parse(param_text(params, "hosts"), err), *there = hostlist_new();
    struct pairs tags = {0};
    struct counter c;
    int status = -1;

    if (names && hostlist_count(names) == 0)
        err_set(err, CAUSE_INVALID_ARGUMENT, "the host list names no host");
    else if (names && counter_start(&c, param_text(params, "address"), err) == 0)
        status = set_tags(&tags, json_object_get(params, "tags"), err);
    for (size_t i = 0; status == 0 && i < hostlist_count(names); i++)
        status = add_one(tx, hostlist_name(names, i), param_text(params, "profile"), &tags, &c, there, err);
    if (status == 0)
        status = complain_there(there, err);
    if (status == 0)
        *reply = json_pack("{s:I}", "added", (json_int_t)hostlist_count(names));
    pairs_clear(&tags);
    hostlist_free(names);
    hostlist_free(there);
    return status;
}

struct import_counts {
    json_int_t added, updated, unchanged;
};

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_pairs(const struct pairs *a, const struct pairs *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i].name, b->items[i].name) != 0 ||
            strcmp(a->items[i].value, b->items[i].value) != 0)
            return false;
    return true;
}

/* A host that is there: changed as the row says, where the row says something. */
static int import_update(struct tx *tx, const json_t *row, bool update, struct import_counts *counts,
                         struct err *err)
{
    const char *name = param_text(row, "name");
    struct host old, changed;
    int status = 0;

    if (!update)
        return err_set(err, CAUSE_EXISTS, "host '%s' is already there", name);
    if (tx_host_get(tx, name, &old, err) != 0 || tx_host_get(tx, name, &changed, err) != 0)
        return -1;
    if (param_text(row, "address"))
        xreplace(&changed.address, param_text(row, "address"));
    if (param_text(row, "profile"))
        xreplace(&changed.profile, param_text(row, "profile"));
    status = set_tags(&changed.tags, json_object_get(row, "tags"), err);
    if (status == 0 && same_text(old.address, changed.address) && same_text(old.profile, changed.profile) &&
        same_pairs(&old.tags, &changed.tags)) {
        counts->unchanged++;
    } else if (status == 0) {
        status = tx_host_update(tx, &changed, err);
        counts->updated++;
    }
    host_clear(&old);
    host_clear(&changed);
    return status;
}

static int import_row(struct tx *tx, const json_t *row, bool update, struct import_counts *counts,
                      struct err *err)
{
    const char *name = param_text(row, "name");
    struct hostlist *checked = hostlist_new();
    struct host host = {0};
    struct counter c;
    int64_t id;
    int status = -1;

    if (!name)
        err_set(err, CAUSE_INVALID_ARGUMENT, "a row without a name");
    else if (hostlist_add(checked, name, err) == 0 &&
             counter_start(&c, param_text(row, "address"), err) == 0 &&
             set_tags(&host.tags, json_object_get(row, "tags"), err) == 0)
        status = 0;
    if (status == 0) {
        host.name = (char *)name;
        host.address = (char *)param_text(row, "address");
        host.profile = (char *)param_text(row, "profile");
        status = tx_host_add(tx, &host, &id, err);
        if (status == 0)
            counts->added++;
        else if (err->cause == CAUSE_EXISTS)
            status = import_update(tx, row, update, counts, err);
    }
    pairs_clear(&host.tags);
    hostlist_free(checked);
    return status;
}

int call_host_import(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    const json_t *rows = json_object_get(params, "rows");
    bool update = json_is_true(json_object_get(params, "update"));
    struct import_counts counts = {0};
    json_t *mistakes = json_array();
    size_t i, wrong = 0;
    json_t *row;

    json_array_foreach((json_t *)rows, i, row)
    {
        struct err one = ERR_INIT;

        if (import_row(tx, row, update, &counts, &one) == 0)
            continue;
        if (one.cause == CAUSE_STORE_FAILED) {
            *err = one;
            json_decref(mistakes);
            return -1;
        }
        wrong++;
        err->cause = one.cause;
        json_array_append_new(mistakes,
                              json_pack("{s:I, s:s}", "row", (json_int_t)i + 1, "message", one.text));
    }
    if (wrong > 0) {
        err_set(err, err->cause, "%zu of %zu rows %s wrong, nothing was imported; the first, row %d: %s",
                wrong, json_array_size(rows), text_plural(wrong, "is", "are"),
                (int)json_integer_value(json_object_get(json_array_get(mistakes, 0), "row")),
                json_string_value(json_object_get(json_array_get(mistakes, 0), "message")));
        *reply = mistakes;
        return -1;
    }
    json_decref(mistakes);
    *reply = json_pack("{s:I, s:I, s:I}", "added", counts.added, "updated", counts.updated, "unchanged",
                       counts.unchanged);
    return 0;
}

/* --- host.list --- */

static void write_host(void *rows, const char *name, const char *address, const char *profile)
{
    rows_begin(rows);
    rows_text(rows, "name", name);
    rows_text(rows, "address", address);
    rows_text(rows, "profile", profile);
}

static void write_pair(void *rows, const char *name, const char *value)
{
    rows_text(rows, name, value);
}

static int write_one(struct tx *tx, void *state, int64_t id, struct rows *rows, struct err *err)
{
    int status = tx_host_tell(tx, id, write_host, rows, err);

    (void)state;
    if (status <= 0)
        return status;
    status = 0;
    if (rows_object(rows, "tags")) {
        status = tx_tags_tell(tx, id, write_pair, rows, err);
        rows_object_end(rows);
    }
    if (status == 0 && rows_object(rows, "facts")) {
        status = tx_facts_tell(tx, id, write_pair, rows, err);
        rows_object_end(rows);
    }
    rows_end(rows);
    return status;
}

static int more_hosts(struct tx *tx, struct listing *l, struct err *err)
{
    return listing_some(tx, l, write_one, err);
}

const struct api_list list_hosts = {listing_open_target, more_hosts, listing_ids_free};

/* --- host.set --- */

static int read_forget(const json_t *list, const struct host *host, struct pairs *gone, struct err *err)
{
    size_t i;
    json_t *item;

    json_array_foreach((json_t *)list, i, item)
    {
        const char *what = json_string_value(item);

        if (what && strcmp(what, "pin") == 0)
            pairs_set(gone, "tls.pin", "");
        else if (what && strcmp(what, "realm") == 0)
            pairs_set(gone, "amt.realm", "");
        else if (what && strcmp(what, "facts") == 0)
            for (size_t k = 0; k < host->facts.count; k++)
                pairs_set(gone, host->facts.items[k].name, "");
        else
            return err_set(err, CAUSE_INVALID_ARGUMENT, "'forget': expected pin, realm or facts");
    }
    return 0;
}

static int read_pin(const json_t *params, struct pairs *facts, struct err *err)
{
    const char *pin = param_text(params, "pin");
    char lower[65];

    if (!pin)
        return 0;
    if (strlen(pin) != 64 || strspn(pin, "0123456789abcdefABCDEF") != 64)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'pin': expected the 64 hex digits of a certificate's SHA-256");
    for (size_t i = 0; i < 65; i++)
        lower[i] = (char)(pin[i] >= 'A' && pin[i] <= 'F' ? pin[i] - 'A' + 'a' : pin[i]);
    pairs_set(facts, "tls.pin", lower);
    return 0;
}

static int set_one(struct tx *tx, struct host *host, const json_t *params, struct counter *c, struct err *err)
{
    const char *profile = param_text(params, "profile");
    struct pairs facts = {0};
    int status;

    if (c->text) {
        free(host->address);
        if (counter_next(c, &host->address, err) != 0)
            return -1;
    }
    if (profile)
        xreplace(&host->profile, profile[0] ? profile : NULL);
    if (set_tags(&host->tags, json_object_get(params, "tags"), err) != 0 ||
        tx_host_update(tx, host, err) != 0 ||
        read_forget(json_object_get(params, "forget"), host, &facts, err) != 0 ||
        read_pin(params, &facts, err) != 0)
        return -1;
    status = tx_host_facts(tx, host->id, &facts, err);
    pairs_clear(&facts);
    return status;
}

/* An address says which machine a host is. Whoever has his role on some hosts only would reach any other
 * machine by it, with what he may do on his own. */
static int may_point(const struct tx *tx, struct err *err)
{
    const struct actor *actor = tx_actor(tx);

    if (!actor || reach_everywhere(actor->reach) >= ROLE_ADMINISTER)
        return 0;
    return err_set(
        err, CAUSE_DENIED,
        "an address says which machine a host is: this needs the role 'administer' on every host, which %s "
        "does not have",
        actor->who);
}

int call_host_set(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct hosts hosts;
    struct counter c;
    int status;

    if (counter_start(&c, param_text(params, "address"), err) != 0 || (c.text && may_point(tx, err) != 0) ||
        tx_target(tx, param_text(params, "target"), &hosts, err) != 0)
        return -1;
    status = 0;
    for (size_t i = 0; status == 0 && i < hosts.count; i++)
        status = set_one(tx, &hosts.items[i], params, &c, err);
    if (status == 0)
        *reply = json_pack("{s:I}", "changed", (json_int_t)hosts.count);
    hosts_clear(&hosts);
    return status;
}

int call_host_remove(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct hosts hosts;
    int status = 0;

    if (tx_target_bare(tx, param_text(params, "target"), &hosts, err) != 0)
        return -1;
    if (hosts.count > ASK_ABOVE && !json_is_true(json_object_get(params, "confirmed")))
        status = err_set(err, CAUSE_REFUSED_UNCONFIRMED, "this would remove %zu hosts", hosts.count);
    for (size_t i = 0; status == 0 && i < hosts.count; i++)
        status = tx_host_remove(tx, hosts.items[i].id, err);
    if (status == 0)
        *reply = json_pack("{s:I}", "removed", (json_int_t)hosts.count);
    hosts_clear(&hosts);
    return status;
}
