/* The event log. (reference wsman.md, 3.6) */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "tests/amtsim/class_tables.h"
#include "tests/amtsim/event_log.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/record.h"
#include "tests/amtsim/traps.h"

#define NAME "Intel(r) AMT:MessageLog 1"

/* What a recorded event looks like in the log; events without a row are not logged. */
static const struct {
    enum record_kind kind;
    int result; /* of the event; -1 any */
    uint8_t sensor, type, offset, severity, entity;
    uint8_t data[3]; /* d0 .. d2 */
} shapes[] = {
    {RECORD_BOOT, -1, 15, 0x6F, 2, 1, 34, {0x40, 19, 0}}, /* OS boot started */
    {RECORD_LOCK, -1, 6, 0x6F, 1, 8, 38, {0xAA, 5, 0}},   /* authentication failed 5 times */
    {RECORD_LOGIN, 1, 6, 0x6F, 1, 8, 38, {0xAA, 1, 0}},   /* ... once */
};

/* What was in the log before amtsim began: from three days before, so that there is always something to read.
 */
static const struct {
    uint32_t age_s;
    uint8_t sensor, offset, severity, entity, data[3];
} old[] = {
    {3600, 15, 2, 1, 34, {0x40, 7, 0}},
    {86400, 15, 0, 16, 4, {0x40, 3, 0}},
    {259200, 37, 0, 1, 38, {0xAA, 0, 0}},
};

#define OLD_COUNT (sizeof(old) / sizeof(old[0]))

static int shape_of(const struct record_event *e)
{
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (shapes[i].kind == e->kind && (shapes[i].result < 0 || (uint32_t)shapes[i].result == e->result))
            return (int)i;
    }
    return -1;
}

static bool is_listed(const struct device *d, const struct record_event *e)
{
    return e->at_ms >= d->log_cleared_ms && shape_of(e) >= 0;
}

/* The i-th listed event from the newest, or NULL; *count gets how many there are. */
static const struct record_event *listed(const struct device *d, size_t i, size_t *count)
{
    const struct record_event *e, *found = NULL;
    size_t n = 0;
    for (size_t k = 0; (e = record_newest(d, k)) != NULL && n < EVENT_LOG_MAX; k++) {
        if (!is_listed(d, e))
            continue;
        if (n++ == i)
            found = e;
    }
    *count = n;
    return found;
}

static size_t old_count(const struct device *d)
{
    return d->log_cleared_ms == 0 ? OLD_COUNT : 0;
}

size_t event_log_count(const struct device *d)
{
    size_t n;
    listed(d, SIZE_MAX, &n);
    n += old_count(d);
    return n < EVENT_LOG_MAX ? n : EVENT_LOG_MAX;
}

static void encode(struct buf *b, uint32_t time, const uint8_t head[8], const uint8_t data[3])
{
    wr_le32(b, time);
    wr_bytes(b, head, 8);
    wr_u8(b, 0); /* entity instance */
    wr_bytes(b, data, 3);
    wr_bytes(b, "\0\0\0\0\0", 5);
}

static void encode_event(const struct device *d, const struct record_event *e, struct buf *b)
{
    int s = shape_of(e);
    uint8_t head[8] = {0xFF, shapes[s].sensor,   shapes[s].type, shapes[s].offset,
                       0x68, shapes[s].severity, 0xFF,           shapes[s].entity};
    encode(b, (uint32_t)((e->at_ms + d->clock_offset_ms) / 1000), head, shapes[s].data);
}

void event_log_tell(struct device *d, const struct record_event *e)
{
    struct buf b = buf_init(EVENT_LOG_RECORD);
    if (d->traps != NULL && shape_of(e) >= 0) {
        encode_event(d, e, &b);
        trap_send(d, b.p);
    }
    buf_free(&b);
}

void event_log_record(const struct device *d, size_t i, struct buf *b)
{
    size_t n;
    const struct record_event *e = listed(d, i, &n);
    if (e != NULL) {
        encode_event(d, e, b);
        return;
    }
    size_t k = i - n;
    uint8_t head[8] = {0xFF, old[k].sensor, 0x6F, old[k].offset, 0x68, old[k].severity, 0xFF, old[k].entity};
    encode(b, (uint32_t)((d->fleet->began_ms + d->clock_offset_ms) / 1000) - old[k].age_s, head, old[k].data);
}

static void message_log(struct device *d, unsigned i, struct out *o)
{
    static const uint16_t capabilities[] = {5, 6, 8, 7};
    size_t n = event_log_count(d);
    (void)i;
    out_nums(o, "Capabilities", capabilities, 4);
    out_num(o, "CharacterSet", 10);
    out_str(o, "CreationClassName", "AMT_MessageLog");
    out_num(o, "CurrentNumberOfRecords", n);
    out_str(o, "ElementName", NAME);
    out_num(o, "EnabledDefault", 2);
    out_num(o, "EnabledState", 2);
    out_num(o, "HealthState", 5);
    out_bool(o, "IsFrozen", d->log_frozen);
    static const char *const middle[] = {
        "LastChange",         "0",   "LogState",        "4",  "MaxLogSize", "0",
        "MaxNumberOfRecords", "390", "MaxRecordSize",   "21", "Name",       NAME,
        "OperationalStatus",  "2",   "OverwritePolicy", "2",  NULL};
    out_fixed(o, middle);
    out_num(o, "PercentageNearFull", n * 100 / EVENT_LOG_MAX);
    static const char *const rest[] = {
        "RequestedState", "12", "SizeOfHeader", "0", "SizeOfRecordHeader", "0", "Status", "OK", NULL};
    out_fixed(o, rest);
}

static uint32_t position_to_first(struct call *c)
{
    if (event_log_count(c->device) == 0)
        return 2;
    out_num(c->out, "IterationIdentifier", 1);
    return RET_OK;
}

/* The identifier is the number of the next record, from 1. */
static uint32_t get_records(struct call *c)
{
    struct device *d = c->device;
    uint64_t at, want;
    size_t n = event_log_count(d);
    if (!call_num(c, "IterationIdentifier", UINT32_MAX, &at) ||
        !call_num(c, "MaxReadRecords", UINT32_MAX, &want))
        return RET_CANNOT_NOW;
    if (n == 0)
        return 3;
    if (at == 0 || at > n || want == 0)
        return 2;
    uint64_t end = want < n - at + 1 ? at + want : n + 1;
    out_num(c->out, "IterationIdentifier", end);
    out_bool(c->out, "NoMoreRecords", end == n + 1);
    for (; at < end; at++) {
        struct buf b = buf_init(EVENT_LOG_RECORD);
        event_log_record(d, at - 1, &b);
        out_bytes(c->out, "RecordArray", b.p, b.len);
        buf_free(&b);
    }
    return RET_OK;
}

void event_log_clear(struct device *d)
{
    d->log_cleared_ms = clock_wall(&d->fleet->clock) + 1;
}

static uint32_t clear_log(struct call *c)
{
    if (c->device->log_frozen)
        return RET_CANNOT_NOW;
    event_log_clear(c->device);
    return RET_OK;
}

static uint32_t freeze_log(struct call *c)
{
    return call_bool(c, "Freeze", &c->device->log_frozen) ? RET_OK : RET_BAD_PARAMETER;
}

static uint32_t cancel_iteration(struct call *c)
{
    return call_has(c, "IterationIdentifier") ? RET_OK : RET_BAD_PARAMETER;
}

static const struct class_method methods[] = {
    {"PositionToFirstRecord", position_to_first},
    {"GetRecords", get_records},
    {"ClearLog", clear_log},
    {"FreezeLog", freeze_log},
    {"CancelIteration", cancel_iteration},
    {0},
};

static const char *const manager[] = {
    SERVICE_KEYS("AMT_EventManagerService", "Intel(r) AMT Event Manager Service"), NULL};

const struct class_row class_event_rows[] = {
    {.name = "AMT_EventManagerService", .until = 17, .fixed = manager},
    {.name = "AMT_MessageLog", .datetime = true, .instance = message_log, .methods = methods},
    {0},
};
