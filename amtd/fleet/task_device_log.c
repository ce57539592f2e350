/* eventlog, auditlog: what came to the logs of a device since they were read last, kept as sentences. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "amtd/store/device_log.h"
#include "base/text.h"
#include "wsman/audit_record.h"
#include "wsman/device_log.h"
#include "wsman/event_record.h"

#define LOG_BUDGET_MS 120000
#define SENTENCE_MAX  4096

static const struct task_arg no_args[] = {{NULL}};

static int log_parse(void *args, const json_t *json, struct err *err)
{
    return task_args_read(no_args, json, args, err);
}

static bool log_changes(const void *args)
{
    (void)args;
    return false;
}

static int64_t log_budget(const void *args)
{
    (void)args;
    return LOG_BUDGET_MS;
}

static void event_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    (void)args;
    (void)host;
    (void)quirks;
    device_log_seq_init(work, DEVICE_LOG_EVENT);
}

static void audit_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    (void)args;
    (void)host;
    (void)quirks;
    device_log_seq_init(work, DEVICE_LOG_AUDIT);
}

static void log_drop(void *work)
{
    device_log_seq_clear(work);
}

static void log_would(const void *args, const struct host *host, struct buf *out)
{
    (void)args;
    buf_printf(out, "would log in at %s and read what is new in its log",
               host->address ? host->address : host->name);
}

/* --- what was found --- */

static json_t *raw_json(const struct device_log_record *record)
{
    struct buf text = buf_init(2 * DEVICE_LOG_RECORD_MAX);
    json_t *json;

    text_base64(&text, record->p, record->n);
    json = json_string(buf_str(&text));
    buf_free(&text);
    return json;
}

static void log_find(const void *work, const struct err *failure, struct finding *finding)
{
    const struct device_log_seq *ls = work;
    json_t *kept, *records;

    if (failure)
        return;
    records = json_array();
    for (size_t i = 0; i < ls->count; i++)
        json_array_append_new(records, raw_json(&ls->records[i]));
    kept = json_pack("{s:I, s:o}", "place", (json_int_t)ls->total, "records", records);
    finding->kept = json_dumps(kept, JSON_COMPACT);
    json_decref(kept);
    finding->detail = json_pack("{s:I, s:I, s:b}", "new", (json_int_t)ls->count, "unreadable",
                                (json_int_t)ls->bad, "gap", (int)ls->lost_track);
    if (ls->lost_track)
        finding->remark = "what was read last is not in the log any more: some may be missing";
}

/* --- what the store keeps --- */

static int put_event(struct tx *tx, const struct device_log_row *record, struct err *err)
{
    struct device_log_row row = *record;
    struct buf text = buf_init(SENTENCE_MAX);
    struct event_record e;
    int status;

    if (event_record_read(row.raw, row.raw_size, &e) != DECODE_DONE) {
        buf_puts(&text, "a record that cannot be read: ");
        text_hex(&text, row.raw, row.raw_size, false);
        row.severity = (char *)"unspecified";
    } else {
        event_record_text(&e, &text);
        row.severity = (char *)event_record_severity(&e);
        row.source = (char *)event_record_entity(&e);
        row.at_ms = event_record_has_time(&e) ? (int64_t)e.time * 1000 : 0;
    }
    row.text = buf_ok(&text) ? (char *)buf_str(&text) : (char *)"";
    status = tx_device_log_add(tx, &row, err);
    buf_free(&text);
    return status;
}

static int put_audit(struct tx *tx, const struct device_log_row *record, struct err *err)
{
    struct device_log_row row = *record;
    struct buf text = buf_init(SENTENCE_MAX);
    struct audit_record a;
    int status;

    if (audit_record_read(row.raw, row.raw_size, &a) != DECODE_DONE) {
        buf_puts(&text, "a record that cannot be read: ");
        text_hex(&text, row.raw, row.raw_size, false);
    } else {
        audit_record_text(&a, &text);
        row.source = (char *)audit_record_app(&a);
        row.who = a.user;
        row.address = a.address[0] ? a.address : NULL;
        row.at_ms = (int64_t)a.time * 1000;
    }
    row.text = buf_ok(&text) ? (char *)buf_str(&text) : (char *)"";
    status = tx_device_log_add(tx, &row, err);
    buf_free(&text);
    return status;
}

static int put_records(struct tx *tx, int64_t host_id, enum device_log_kind kind, const json_t *records,
                       struct err *err)
{
    json_t *record;
    size_t i;
    int status = 0;

    json_array_foreach((json_t *)records, i, record)
    {
        struct device_log_row row = {.host_id = host_id, .kind = (int)kind};
        struct buf raw = buf_init(DEVICE_LOG_RECORD_MAX);
        const char *text = json_string_value(record);

        if (status == 0 && text && text_base64_decode(&raw, text, strlen(text)) && raw.len > 0) {
            row.raw = raw.p;
            row.raw_size = raw.len;
            status = kind == DEVICE_LOG_EVENT ? put_event(tx, &row, err) : put_audit(tx, &row, err);
        }
        buf_free(&raw);
    }
    return status;
}

static int settle(struct tx *tx, enum device_log_kind kind, const struct operation *operation,
                  const char *kept, struct err *err)
{
    json_t *json = kept && operation->state == OPERATION_OK ? json_loads(kept, 0, NULL) : NULL;
    int status = 0;

    if (json) {
        status = put_records(tx, operation->host_id, kind, json_object_get(json, "records"), err);
        if (status == 0)
            status = tx_device_log_set_place(tx, operation->host_id, (int)kind,
                                             (uint32_t)json_integer_value(json_object_get(json, "place")),
                                             operation->ended_ms, err);
    }
    json_decref(json);
    return status;
}

static int admit(struct tx *tx, enum device_log_kind kind, const struct host *host, char **known,
                 struct err *err)
{
    struct device_log_rows rows;
    json_t *records, *json;
    uint32_t place;
    int64_t read_ms;

    *known = NULL;
    if (tx_device_log_place(tx, host->id, (int)kind, &place, &read_ms, err) != 0 ||
        tx_device_log_newest(tx, host->id, (int)kind, DEVICE_LOG_KNOWN_MAX, &rows, err) != 0)
        return -1;
    records = json_array();
    for (size_t i = 0; i < rows.count; i++) {
        const struct device_log_record record = {rows.items[i].raw, rows.items[i].raw_size};

        json_array_append_new(records, raw_json(&record));
    }
    json = json_pack("{s:I, s:o}", "place", (json_int_t)place, "records", records);
    *known = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    device_log_rows_clear(&rows);
    return 0;
}

static void log_know(void *work, const char *known)
{
    struct device_log_seq *ls = work;
    json_t *json = known ? json_loads(known, 0, NULL) : NULL, *record;
    size_t i;

    ls->known_total = (uint32_t)json_integer_value(json_object_get(json, "place"));
    json_array_foreach(json_object_get(json, "records"), i, record)
    {
        struct buf raw = buf_init(DEVICE_LOG_RECORD_MAX);
        const char *text = json_string_value(record);

        if (text && text_base64_decode(&raw, text, strlen(text)))
            device_log_seq_know(ls, raw.p, raw.len);
        buf_free(&raw);
    }
    json_decref(json);
}

static int admit_event(struct tx *tx, const void *args, const struct run *run, const struct host *host,
                       char **known, struct err *err)
{
    (void)args;
    (void)run;
    return admit(tx, DEVICE_LOG_EVENT, host, known, err);
}

static int admit_audit(struct tx *tx, const void *args, const struct run *run, const struct host *host,
                       char **known, struct err *err)
{
    (void)args;
    (void)run;
    return admit(tx, DEVICE_LOG_AUDIT, host, known, err);
}

static int settle_event(struct tx *tx, const void *args, const struct run *run,
                        const struct operation *operation, const char *kept, struct err *err)
{
    (void)args;
    (void)run;
    return settle(tx, DEVICE_LOG_EVENT, operation, kept, err);
}

static int settle_audit(struct tx *tx, const void *args, const struct run *run,
                        const struct operation *operation, const char *kept, struct err *err)
{
    (void)args;
    (void)run;
    return settle(tx, DEVICE_LOG_AUDIT, operation, kept, err);
}

static const struct task_keeping event_keeping = {
    .admit = admit_event, .know = log_know, .settle = settle_event};
static const struct task_keeping audit_keeping = {
    .admit = admit_audit, .know = log_know, .settle = settle_audit};

const struct task task_eventlog = {
    .name = "eventlog",
    .args_size = 1,
    .work_size = sizeof(struct device_log_seq),
    .parse = log_parse,
    .changes = log_changes,
    .budget_ms = log_budget,
    .init = event_init,
    .find = log_find,
    .drop = log_drop,
    .would = log_would,
    .keeping = &event_keeping,
};

const struct task task_auditlog = {
    .name = "auditlog",
    .args_size = 1,
    .work_size = sizeof(struct device_log_seq),
    .parse = log_parse,
    .changes = log_changes,
    .budget_ms = log_budget,
    .init = audit_init,
    .find = log_find,
    .drop = log_drop,
    .would = log_would,
    .keeping = &audit_keeping,
};
