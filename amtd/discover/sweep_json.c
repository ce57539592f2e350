#include "amtd/discover/sweep_json.h"

#include <string.h>

#include "base/clock.h"

struct addrset *sweep_ranges(const json_t *words, struct err *err)
{
    struct addrset *ranges = addrset_new();
    int status = json_array_size(words) > 0
                     ? 0
                     : err_set(err, CAUSE_INVALID_ARGUMENT, "no addresses were given to go through");
    json_t *word;
    size_t i;

    json_array_foreach((json_t *)words, i, word)
    {
        if (status == 0)
            status = json_is_string(word)
                         ? addrset_add(ranges, json_string_value(word), err)
                         : err_set(err, CAUSE_INVALID_ARGUMENT, "addresses are given as text");
    }
    if (status == 0)
        status = addrset_finish(ranges, err);
    if (status == 0)
        return ranges;
    addrset_free(ranges);
    return NULL;
}

json_t *sweep_counts_json(const uint8_t *kinds, size_t size)
{
    size_t counts[FOUND_KINDS] = {0};
    json_t *json = json_object();

    for (size_t i = 0; i < size; i++)
        counts[kinds[i] < FOUND_KINDS ? kinds[i] : FOUND_NOTHING_YET]++;
    for (int k = FOUND_AMT; k < FOUND_KINDS; k++)
        json_object_set_new(json, found_kind_name((enum found_kind)k), json_integer((json_int_t)counts[k]));
    return json;
}

static void end_run(json_t *runs, enum found_kind kind, uint32_t from, uint32_t to)
{
    char a[ADDRSET_TEXT_MAX], b[ADDRSET_TEXT_MAX];

    if (found_is_bare(kind))
        json_array_append_new(runs,
                              json_pack("{s:s, s:s, s:s, s:s, s:I}", "finding", found_kind_name(kind),
                                        "message", found_kind_text(kind), "from", addrset_text(from, a), "to",
                                        addrset_text(to, b), "count", (json_int_t)(to - from) + 1));
}

json_t *sweep_runs_json(const struct addrset *ranges, const uint8_t *kinds)
{
    enum found_kind kind = FOUND_NOTHING_YET;
    json_t *runs = json_array();
    uint32_t from = 0, to = 0, address;

    for (size_t slot = 0; slot < addrset_slots(ranges); slot++) {
        if (!addrset_slot_address(ranges, slot, &address))
            continue;
        if (kinds[slot] != (uint8_t)kind || address != to + 1) {
            end_run(runs, kind, from, to);
            kind = (enum found_kind)kinds[slot];
            from = address;
        }
        to = address;
    }
    end_run(runs, kind, from, to);
    return runs;
}

static void set(json_t *json, const char *name, const char *value)
{
    if (value)
        json_object_set_new(json, name, json_string(value));
}

json_t *sweep_found_json(const struct sweep_found *row)
{
    json_t *json = json_loads(row->detail, 0, NULL);

    if (!json)
        json = json_object();
    set(json, "host", row->host);
    set(json, "outcome", row->outcome);
    return json;
}

static json_t *when(int64_t ms)
{
    char text[CLOCK_TEXT_MAX];

    return ms > 0 ? json_string(clock_text(ms, text)) : json_null();
}

json_t *sweep_record_json(const struct sweep_record *r)
{
    json_t *words = json_loads(r->words, 0, NULL), *order = json_loads(r->order, 0, NULL);
    static const char *const states[] = {"unfinished", "over", "stopped"};

    return json_pack("{s:I, s:o, s:o, s:s, s:s, s:o, s:o, s:I}", "sweep", (json_int_t)r->id,
                     "addresses_given", words ? words : json_array(), "order", order ? order : json_object(),
                     "who", r->who, "state", states[r->state <= SWEEP_STOPPED ? r->state : 0], "began",
                     when(r->began_ms), "ended", when(r->ended_ms), "addresses", (json_int_t)r->addresses);
}

/* --- what is different --- */

static const struct sweep_found none;

static bool same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Which of the things that tell something about a device differ; NULL: none. */
static const char *difference(const struct sweep_found *was, const struct sweep_found *is)
{
    static const char *const fields[] = {"version", "provisioning", "why"};
    const char *what = NULL;
    json_t *a, *b;

    if (was->kind == is->kind && same(was->realm, is->realm) && same(was->detail, is->detail))
        return NULL;
    a = json_loads(was->detail, 0, NULL);
    b = json_loads(is->detail, 0, NULL);
    if (was->kind != is->kind)
        what = "finding";
    else if (was->realm && is->realm && !same(was->realm, is->realm))
        what = "device";
    for (size_t i = 0; !what && i < sizeof(fields) / sizeof(fields[0]); i++)
        if (!same(json_string_value(json_object_get(a, fields[i])),
                  json_string_value(json_object_get(b, fields[i]))))
            what = fields[i];
    if (!what && !same(json_string_value(json_object_get(json_object_get(a, "tls"), "pin")),
                       json_string_value(json_object_get(json_object_get(b, "tls"), "pin"))))
        what = "certificate";
    json_decref(a);
    json_decref(b);
    return what;
}

static void add_change(json_t *changes, const char *change, const struct sweep_found *was,
                       const struct sweep_found *is, const char *what)
{
    char address[ADDRSET_TEXT_MAX];
    json_t *json =
        json_pack("{s:s, s:s}", "address", addrset_text(was != &none ? was->address : is->address, address),
                  "change", change);

    if (was != &none)
        json_object_set_new(json, "was", sweep_found_json(was));
    if (is != &none)
        json_object_set_new(json, "is", sweep_found_json(is));
    set(json, "what", what);
    json_array_append_new(changes, json);
}

/* Both lists are in the order of addresses. */
json_t *sweep_diff_json(const struct addrset *before_ranges, const struct sweep_founds *before,
                        const struct addrset *after_ranges, const struct sweep_founds *after)
{
    json_t *changes = json_array();
    size_t i = 0, k = 0;

    while (i < before->count || k < after->count) {
        const struct sweep_found *was = i < before->count ? &before->items[i] : &none;
        const struct sweep_found *is = k < after->count ? &after->items[k] : &none;

        if (was != &none && is != &none && was->address == is->address) {
            const char *what = difference(was, is);

            if (what)
                add_change(changes, "changed", was, is, what);
            i++;
            k++;
        } else if (is == &none || (was != &none && was->address < is->address)) {
            if (addrset_contain(after_ranges, was->address))
                add_change(changes, "gone", was, &none, NULL);
            i++;
        } else {
            if (addrset_contain(before_ranges, is->address))
                add_change(changes, "new", &none, is, NULL);
            k++;
        }
    }
    return changes;
}
