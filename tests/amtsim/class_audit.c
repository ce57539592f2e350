/* The audit log: remote control, System Defense and changes of accounts, from the device's record. (reference
 * wsman.md, 3.6)
 */
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "tests/amtsim/class_tables.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/record.h"
#include "tests/amtsim/users.h"

#define RETURNED_MAX 10

enum { APP_SECURITY = 16, APP_REMOTE_CONTROL = 17, APP_SYSTEM_DEFENSE = 25 };

/* RequestPowerStateChange value -> event of application 17. */
static const struct {
    uint16_t value, event;
} power_events[] = {
    {2, 0}, {8, 1}, {6, 1}, {5, 2}, {9, 2}, {10, 3}, {12, 5}, {14, 6}, {4, 7}, {7, 8}, {11, 9},
};

static bool audited(const struct record_event *e, uint16_t *app, uint16_t *event)
{
    if (e->kind == RECORD_LOGIN && e->result == 1) {
        *app = APP_SECURITY;
        *event = 5; /* invalid credentials */
        return true;
    }
    if (e->kind == RECORD_DEFENSE && e->value <= RECORD_DEFAULT_SET) {
        *app = APP_SYSTEM_DEFENSE;
        *event = (uint16_t)e->value;
        return true;
    }
    for (size_t i = 0;
         e->kind == RECORD_POWER && e->result == 0 && i < sizeof(power_events) / sizeof(power_events[0]);
         i++) {
        if (power_events[i].value == e->value) {
            *app = APP_REMOTE_CONTROL;
            *event = power_events[i].event;
            return true;
        }
    }
    return false;
}

static size_t count(const struct device *d)
{
    uint16_t app, event;
    const struct record_event *e;
    size_t n = 1; /* provisioning completed */
    for (size_t i = 0; (e = record_newest(d, i)) != NULL; i++)
        n += audited(e, &app, &event);
    return n;
}

static void text8(struct buf *b, const char *text)
{
    wr_str8(b, text, strlen(text));
}

/* What an event of System Defense tells: numbers the other way round than elsewhere in the log. (reference
 * system-defense.md, 1.8) */
static void write_defense(struct buf *b, const struct record_event *e)
{
    wr_u8(b, e->value == RECORD_DEFAULT_SET ? 8 : 4);
    if (e->value == RECORD_DEFAULT_SET)
        wr_le32(b, e->flags);
    wr_le32(b, e->result);
}

/* e is NULL for the first. */
static void write_record(struct device *d, struct buf *b, uint16_t app, uint16_t event, int64_t at_ms,
                         const struct record_event *e)
{
    wr_be16(b, app);
    wr_be16(b, event);
    wr_u8(b, 0); /* HTTP digest */
    text8(b, users_admin_name(d));
    wr_be32(b, (uint32_t)((at_ms + d->clock_offset_ms) / 1000));
    wr_u8(b, 0); /* IPv4 */
    text8(b, "127.0.0.1");
    if (app == APP_SYSTEM_DEFENSE) {
        write_defense(b, e);
        return;
    }
    wr_u8(b, app == APP_SECURITY ? 1 : 0);
    if (app == APP_SECURITY)
        wr_u8(b, event == 1 ? 5 : 0); /* completed: host-based admin; invalid credentials: AMT */
}

/* The i-th record, oldest first; the first is the set-up of the device. */
static void read_record(struct device *d, size_t i, struct buf *b)
{
    uint16_t app, event;
    if (i == 0) {
        write_record(d, b, APP_SECURITY, 1, d->fleet->began_ms - 30 * 86400000LL, NULL);
        return;
    }
    for (size_t k = record_event_count(d); k-- > 0;) {
        const struct record_event *e = record_newest(d, k);
        if (audited(e, &app, &event) && --i == 0) {
            write_record(d, b, app, event, e->at_ms, e);
            return;
        }
    }
}

static void audit_log(struct device *d, unsigned i, struct out *o)
{
    (void)i;
    const struct record_event *e = record_newest(d, 0);
    out_num(o, "AuditState", 16);
    out_num(o, "CurrentNumberOfRecords", count(d));
    out_str(o, "ElementName", "Intel(r) AMT Audit Log");
    out_num(o, "EnabledState", 2);
    out_num(o, "MaxAllowedAuditors", 1);
    out_num(o, "MaxNumberOfRecords", 0);
    out_str(o, "Name", "Intel(r) AMT:Audit Log");
    out_num(o, "OverwritePolicy", 2);
    out_num(o, "PercentageFree", 92);
    out_num(o, "RequestedState", 2);
    out_num(o, "StoragePolicy", 1);
    out_time(o, "TimeOfLastRecord", e != NULL ? e->at_ms + d->clock_offset_ms : device_wall_ms(d));
}

static uint32_t read_records(struct call *c)
{
    struct device *d = c->device;
    uint64_t start;
    size_t n = count(d), returned = 0;
    if (!call_num(c, "StartIndex", UINT32_MAX, &start) || start == 0 || start > n)
        return 35;
    for (size_t i = start - 1; i < n && returned < RETURNED_MAX; i++, returned++) {
        struct buf b = buf_init(512);
        read_record(d, i, &b);
        out_bytes(c->out, "EventRecords", b.p, b.len);
        buf_free(&b);
    }
    out_num(c->out, "RecordsReturned", returned);
    out_num(c->out, "TotalRecordCount", n);
    return RET_OK;
}

static const struct class_method methods[] = {{"ReadRecords", read_records}, {0}};

const struct class_row class_audit_rows[] = {
    {.name = "AMT_AuditLog", .datetime = true, .instance = audit_log, .methods = methods},
    {0},
};
