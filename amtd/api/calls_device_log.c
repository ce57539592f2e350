/* devicelog.show: what was read of devices' event and audit logs. */
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/api/listing.h"
#include "amtd/store/device_log.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "wsman/device_log.h"

#define LIMIT_DEFAULT 1000
#define RAW_TEXT_MAX  4096

static void write_record(void *arg, const struct device_log_row *row)
{
    struct rows *rows = arg;
    struct buf raw = buf_init(RAW_TEXT_MAX);

    rows_begin(rows);
    rows_text(rows, "host", row->host);
    rows_time(rows, "at", row->at_ms);
    rows_text_if(rows, "severity", row->severity);
    rows_text_if(rows, "source", row->source);
    rows_text_if(rows, "who", row->who);
    rows_text_if(rows, "address", row->address);
    rows_text_if(rows, "text", row->text);
    if (rows_want(rows, "raw")) {
        text_base64(&raw, row->raw, row->raw_size);
        rows_text(rows, "raw", buf_str(&raw));
    }
    rows_end(rows);
    buf_free(&raw);
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

static int open_records(struct tx *tx, struct listing *l, struct err *err)
{
    struct listing_ids *ids = xcalloc(1, sizeof(*ids));
    struct device_log_query query = {0};

    l->state = ids;
    if (read_query(l->params, &query, err) != 0)
        return -1;
    return tx_device_log_find(tx, &query, &ids->ids, &ids->count, err);
}

static int write_one(struct tx *tx, void *state, int64_t id, struct rows *rows, struct err *err)
{
    (void)state;
    return tx_device_log_tell(tx, id, write_record, rows, err);
}

static int more_records(struct tx *tx, struct listing *l, struct err *err)
{
    return listing_some(tx, l, write_one, err);
}

const struct api_list list_device_log = {open_records, more_records, listing_ids_free};
