/* devicelog.show: what was read of devices' event and audit logs. */
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/store/device_log.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "wsman/device_log.h"

#define LIMIT_DEFAULT 1000
#define RAW_TEXT_MAX  4096

static void set(json_t *json, const char *name, const char *value)
{
    if (value)
        json_object_set_new(json, name, json_string(value));
}

static json_t *row_json(const struct device_log_row *row)
{
    struct buf raw = buf_init(RAW_TEXT_MAX);
    json_t *json = json_pack("{s:s, s:o}", "host", row->host, "at", json_time(row->at_ms));

    set(json, "severity", row->severity);
    set(json, "source", row->source);
    set(json, "who", row->who);
    set(json, "address", row->address);
    set(json, "text", row->text);
    text_base64(&raw, row->raw, row->raw_size);
    json_object_set_new(json, "raw", json_string(buf_str(&raw)));
    buf_free(&raw);
    return json;
}

static int read_query(const json_t *params, struct device_log_query *query, struct err *err)
{
    static const char *const logs[DEVICE_LOG_KINDS] = {"event", "audit"};
    const char *log = param_text(params, "log");
    json_int_t ago = json_integer_value(json_object_get(params, "since_ms")),
               limit = json_integer_value(json_object_get(params, "limit"));

    query->kind = -1;
    for (int i = 0; i < DEVICE_LOG_KINDS; i++)
        if (strcmp(log, logs[i]) == 0)
            query->kind = i;
    if (query->kind < 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'log': expected event or audit");
    query->target = param_text(params, "target");
    query->words = param_text(params, "words");
    query->severity = param_text(params, "severity");
    query->since_ms = ago > 0 ? clock_wall(clock_system()) - ago : 0;
    query->limit = limit > 0 ? (size_t)limit : LIMIT_DEFAULT;
    return 0;
}

int call_devicelog_show(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct device_log_query query = {0};
    struct device_log_rows rows;

    if (read_query(params, &query, err) != 0 || tx_device_log_find(tx, &query, &rows, err) != 0)
        return -1;
    *reply = json_array();
    for (size_t i = 0; i < rows.count; i++)
        json_array_append_new(*reply, row_json(&rows.items[i]));
    device_log_rows_clear(&rows);
    return 0;
}
