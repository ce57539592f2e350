#include "amtd/discover/changes.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/discover/sweep_json.h"
#include "base/xalloc.h"

/* The set of addresses and what was found. */
static int load(struct tx *tx, int64_t id, struct sweep_record *record, struct addrset **set,
                struct sweep_founds *founds, struct err *err)
{
    json_t *words;

    if (tx_sweep_get(tx, id, record, err) != 0 || tx_sweep_founds(tx, id, founds, err) != 0)
        return -1;
    words = json_loads(record->words, 0, NULL);
    *set = sweep_ranges(words, err);
    json_decref(words);
    return *set ? 0 : -1;
}

int changes_find(struct tx *tx, int64_t sweep, json_t **changes, struct err *err)
{
    struct sweep_record was_record = {0}, is_record = {0};
    struct sweep_founds was = {0}, is = {0};
    struct addrset *was_set = NULL, *is_set = NULL;
    int64_t before = 0;
    int status = load(tx, sweep, &is_record, &is_set, &is, err);

    *changes = NULL;
    if (status == 0)
        status = tx_sweep_before(tx, &is_record, &before, err);
    if (status == 0 && before != 0)
        status = load(tx, before, &was_record, &was_set, &was, err);
    if (status == 0 && before != 0)
        *changes = sweep_diff_json(was_set, &was, is_set, &is);
    sweep_record_clear(&was_record);
    sweep_record_clear(&is_record);
    sweep_founds_clear(&was);
    sweep_founds_clear(&is);
    addrset_free(was_set);
    addrset_free(is_set);
    return status;
}

static const char *text_of(const json_t *json, const char *field)
{
    const char *text = json_string_value(json_object_get(json, field));

    return text ? text : "";
}

/* "10.0.0.7: gone (was amt 11.8.50)" */
static char *sentence(const json_t *change)
{
    const json_t *was = json_object_get(change, "was"), *is = json_object_get(change, "is");
    const char *what = text_of(change, "what");
    struct buf text = buf_init(EVENT_TEXT_MAX);

    buf_printf(&text, "%s: %s%s%s", text_of(change, "address"), text_of(change, "change"), what[0] ? " " : "",
               what);
    if (is)
        buf_printf(&text, ", now %s %s", text_of(is, "finding"), text_of(is, "version"));
    if (was)
        buf_printf(&text, ", was %s %s", text_of(was, "finding"), text_of(was, "version"));
    return buf_take(&text);
}

static void raise_one(struct events *events, int64_t sweep, const json_t *change)
{
    const json_t *known = json_object_get(change, json_object_get(change, "is") ? "is" : "was");
    char *text = sentence(change);
    json_t *data = json_copy((json_t *)change);
    const struct event_report report = {
        .kind = EVENT_SWEEP,
        .severity = strcmp(text_of(change, "change"), "new") == 0 ? SEVERITY_INFO : SEVERITY_WARNING,
        .host = json_string_value(json_object_get(known, "host")),
        .text = text ? text : "",
        .data = data,
    };

    json_object_set_new(data, "sweep", json_integer(sweep));
    event_raise(events, &report);
    free(text);
}

void changes_raise(struct events *events, int64_t sweep, const json_t *changes)
{
    size_t n = json_array_size(changes), i;
    json_t *change;
    char *text;

    json_array_foreach((json_t *)changes, i, change)
    {
        if (i < CHANGES_EVENTS_MAX)
            raise_one(events, sweep, change);
    }
    if (n <= CHANGES_EVENTS_MAX)
        return;
    text = xasprintf("sweep %lld found %zu changes; the others: amtcli discover diff", (long long)sweep, n);
    event_raise(events,
                &(struct event_report){.kind = EVENT_SWEEP, .severity = SEVERITY_WARNING, .text = text});
    free(text);
}
