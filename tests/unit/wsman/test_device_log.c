/* Logs of a scripted device: what is new is read, in order, also after the log wrapped or was cleared; and
 * what records say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "wsman/audit_record.h"
#include "wsman/device_log.h"
#include "wsman/event_record.h"

/* --- a device whose records are one byte each, oldest first --- */

struct device {
    uint8_t log[1000];
    size_t count;
    unsigned requests;
    bool never_ends; /* says neither that it is the end nor anything more */
};

static void put_record(struct buf *out, const char *name, uint8_t byte)
{
    buf_printf(out, "<g:%s>", name);
    text_base64(out, &byte, 1);
    buf_printf(out, "</g:%s>", name);
}

static uint32_t parameter(const char *body, const char *name)
{
    char tag[64];
    const char *at;

    snprintf(tag, sizeof(tag), "%s>", name);
    at = strstr(body, tag);
    return at ? (uint32_t)strtoul(at + strlen(tag), NULL, 10) : 0;
}

static void answer_event(struct device *d, const char *method, const char *body, struct buf *out)
{
    uint32_t at = parameter(body, "IterationIdentifier"), most = parameter(body, "MaxReadRecords"), n = 0;

    if (strcmp(method, "PositionToFirstRecord") == 0) {
        buf_printf(out, "<g:IterationIdentifier>1</g:IterationIdentifier><g:ReturnValue>%d</g:ReturnValue>",
                   d->count > 0 ? 0 : 2);
        return;
    }
    buf_puts(out, "<g:IterationIdentifier>");
    buf_printf(out, "%u</g:IterationIdentifier>", at + most);
    buf_printf(out, "<g:NoMoreRecords>%s</g:NoMoreRecords>",
               !d->never_ends && at - 1 + most >= d->count ? "true" : "false");
    for (size_t i = at - 1; i < d->count && n < most; i++, n++)
        put_record(out, "RecordArray", d->log[d->count - 1 - i]);
    buf_puts(out, "<g:ReturnValue>0</g:ReturnValue>");
}

static void answer_audit(struct device *d, const char *body, struct buf *out)
{
    uint32_t start = parameter(body, "StartIndex"), n = 0;

    if (start == 0 || start > d->count) {
        buf_puts(out, "<g:ReturnValue>35</g:ReturnValue>");
        return;
    }
    for (size_t i = start - 1; i < d->count && n < 10; i++, n++)
        put_record(out, "EventRecords", d->log[i]);
    buf_printf(out,
               "<g:RecordsReturned>%u</g:RecordsReturned><g:TotalRecordCount>%zu</g:TotalRecordCount>"
               "<g:ReturnValue>0</g:ReturnValue>",
               n, d->count);
}

static void answer(struct device *d, struct wsman_call *call)
{
    const struct wsman_request *rq = wsman_call_request(call);
    struct buf body = buf_init(60000), out = buf_init(60000), ns = buf_init(300);
    struct err err = ERR_INIT;

    d->requests++;
    assert_int_equal(wsman_call_body(call, 1, &body, &err), 0);
    wsman_class_ns(wsman_request_class(rq), &ns);
    buf_printf(&out,
               "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:g=\"%s\"><a:Header/>"
               "<a:Body><g:%s_OUTPUT>",
               buf_str(&ns), wsman_request_method(rq));
    if (strcmp(wsman_request_class(rq), "AMT_AuditLog") == 0)
        answer_audit(d, buf_str(&body), &out);
    else
        answer_event(d, wsman_request_method(rq), buf_str(&body), &out);
    buf_printf(&out, "</g:%s_OUTPUT></a:Body></a:Envelope>", wsman_request_method(rq));
    assert_int_equal(wsman_call_answer(call, 200, out.p, out.len, &err), WSMAN_FINISHED);
    buf_free(&body);
    buf_free(&out);
    buf_free(&ns);
}

static void play(struct device *d, struct device_log_seq *ls)
{
    struct err err = ERR_INIT;
    struct wsman_call *call;
    int64_t wait;

    ls->seq.budget_ms = 60000;
    d->requests = 0;
    while (seq_next(&ls->seq, &call, &wait, &err) == SEQ_WANT_SEND) {
        assert_true(d->requests < 200);
        answer(d, call);
        assert_int_equal(seq_heard(&ls->seq, call, NULL, &err), 0);
        wsman_call_free(call);
    }
    assert_int_equal(err.cause, CAUSE_NONE);
}

static void put(struct device *d, const char *records)
{
    for (; *records; records++)
        d->log[d->count++] = (uint8_t)*records;
}

/* Reads with what the last reading knew, and keeps for the next one what a store would. */
struct reader {
    enum device_log_kind kind;
    char newest[DEVICE_LOG_KNOWN_MAX + 1]; /* newest first */
    uint32_t place;
    char fresh[1000];
    bool gap;
};

static void read_on(struct reader *r, struct device *d)
{
    struct device_log_seq ls;
    char kept[1100];

    device_log_seq_init(&ls, r->kind);
    ls.known_total = r->place;
    for (const char *p = r->newest; *p; p++)
        device_log_seq_know(&ls, p, 1);
    play(d, &ls);
    for (size_t i = 0; i < ls.count; i++)
        r->fresh[i] = (char)ls.records[i].p[0];
    r->fresh[ls.count] = '\0';
    r->gap = ls.lost_track;
    r->place = ls.total;
    for (size_t i = 0; i < ls.count; i++)
        kept[i] = r->fresh[ls.count - 1 - i];
    snprintf(kept + ls.count, sizeof(kept) - ls.count, "%s", r->newest);
    snprintf(r->newest, sizeof(r->newest), "%.*s", DEVICE_LOG_KNOWN_MAX, kept);
    device_log_seq_clear(&ls);
}

static void reads_event_logs_on(void **state)
{
    struct device d = {.count = 0};
    struct reader r = {.kind = DEVICE_LOG_EVENT};

    (void)state;
    read_on(&r, &d);
    assert_string_equal(r.fresh, "");
    put(&d, "abc");
    read_on(&r, &d);
    assert_string_equal(r.fresh, "abc");
    read_on(&r, &d);
    assert_string_equal(r.fresh, "");
    assert_false(r.gap);
    put(&d, "ccde"); /* as the last one that is known, but new */
    read_on(&r, &d);
    assert_string_equal(r.fresh, "ccde");
    for (int i = 0; i < 100; i++)
        put(&d, "x");
    read_on(&r, &d);
    assert_int_equal(strlen(r.fresh), 100);
    assert_true(d.requests <= 4);
    d.count = 0; /* cleared */
    put(&d, "yz");
    read_on(&r, &d);
    assert_string_equal(r.fresh, "yz");
    assert_true(r.gap);
    d.never_ends = true;
    read_on(&r, &d);
    assert_string_equal(r.fresh, "");
}

static void reads_audit_logs_on(void **state)
{
    struct device d = {.count = 0};
    struct reader r = {.kind = DEVICE_LOG_AUDIT};

    (void)state;
    read_on(&r, &d);
    assert_string_equal(r.fresh, "");
    put(&d, "abcdefghijklm");
    read_on(&r, &d);
    assert_string_equal(r.fresh, "abcdefghijklm");
    put(&d, "no");
    read_on(&r, &d);
    assert_string_equal(r.fresh, "no");
    assert_int_equal(d.requests, 1);
    read_on(&r, &d);
    assert_string_equal(r.fresh, "");
    memmove(d.log, d.log + 5, d.count); /* wrapped: the oldest five are gone, the indexes have moved */
    d.count -= 5;
    put(&d, "pq");
    read_on(&r, &d);
    assert_string_equal(r.fresh, "pq");
    assert_false(r.gap);
    d.count = 0; /* cleared */
    put(&d, "R");
    read_on(&r, &d);
    assert_string_equal(r.fresh, "R");
    assert_true(r.gap);
    put(&d, "S");
    read_on(&r, &d);
    assert_string_equal(r.fresh, "S");
    assert_false(r.gap);
}

/* --- what records say --- */

static void event_says(const uint8_t record[EVENT_RECORD_LEN], const char *text)
{
    struct buf out = buf_init(1000);
    struct event_record e;

    assert_int_equal(event_record_read(record, EVENT_RECORD_LEN, &e), DECODE_DONE);
    event_record_text(&e, &out);
    assert_string_equal(buf_str(&out), text);
    buf_free(&out);
}

/* One of each kind: sensor, offset, and the data. */
static void events_are_sentences(void **state)
{
    /* the reference's example */
    static const uint8_t recorded[EVENT_RECORD_LEN] = {0x63, 0xC8, 0x98, 0x65, 0xFF, 0x06, 0x6F,
                                                       0x05, 0x68, 0x10, 0xFF, 0x26, 0x61, 0xAA,
                                                       0x0A, 0,    0,    0,    0,    0,    0};
    static const struct {
        uint8_t sensor, offset, data[8];
        const char *text;
    } rows[] = {
        {5, 0, {0}, "case intrusion"},
        {6, 1, {0xAA, 1}, "authentication failed 1 time"},
        {6, 1, {0xAA, 1, 1}, "authentication failed 257 times"},
        {15, 2, {0x40, 19}, "OS boot started"},
        {15, 2, {0x40, 7}, "firmware progress: PCI initialisation"},
        {15, 2, {0x40, 99}, "firmware progress: 99"},
        {15, 0, {0x40, 3}, "firmware error: disk failure"},
        {15, 0, {0xEB}, "firmware sent invalid data"},
        {15, 3, {0xAA, 0x30, 5}, "one-click recovery failed: TLS failed"},
        {15, 5, {0xAA, 0x40, 1, 3}, "platform erase: started for a part"},
        {18, 0, {0xAA, 1, 2, 3, 4, 5, 6, 8}, "agent watchdog 04030201-0605-... changed to expired"},
        {36,
         0,
         {0xAA, 0xFF, 0xFF, 0xFF, 0xFA},
         "System Defense: the rule for a sender's address that is not its own matched"},
        {36, 0, {0xAA, 0, 0, 1, 2}, "System Defense: filter 258 matched"},
        {37, 0, {0}, "firmware started: a processor runs"},
        {192, 0, {0xAA, 0x30, 1}, "Serial-over-LAN session closed"},
        {193, 0, {0xAA, 0x30, 0, 0}, "the user asked for a remote connection"},
        {200, 3, {1, 2}, "event of sensor type 200, offset 3, data 01 02 00 00 00 00 00 00"},
    };
    struct event_record e;

    (void)state;
    event_says(recorded, "authentication failed 10 times");
    assert_int_equal(event_record_read(recorded, sizeof(recorded), &e), DECODE_DONE);
    assert_int_equal(e.time, 0x6598C863);
    assert_string_equal(event_record_severity(&e), "critical");
    assert_string_equal(event_record_entity(&e), "ME network interface");
    assert_int_equal(event_record_read(recorded, 20, &e), DECODE_BAD);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t record[EVENT_RECORD_LEN] = {0};

        record[5] = rows[i].sensor;
        record[7] = rows[i].offset;
        memcpy(record + 13, rows[i].data, 8);
        event_says(record, rows[i].text);
    }
}

static void audit_says(uint16_t app, uint16_t event, const void *data, uint8_t size, const char *text)
{
    struct buf record = buf_init(1000), out = buf_init(4096);
    struct audit_record a;

    wr_be16(&record, app);
    wr_be16(&record, event);
    wr_u8(&record, 0);
    wr_str8(&record, "admin", 5);
    wr_be32(&record, 1700000000);
    wr_u8(&record, 0);
    wr_str8(&record, "10.0.0.7", 9); /* AMT 4 counts the NUL */
    wr_str8(&record, data, size);
    assert_int_equal(audit_record_read(record.p, record.len, &a), DECODE_DONE);
    assert_string_equal(a.user, "admin");
    assert_string_equal(a.address, "10.0.0.7");
    assert_int_equal(a.time, 1700000000);
    audit_record_text(&a, &out);
    assert_string_equal(buf_str(&out), text);
    for (size_t n = 0; n < record.len; n++)
        assert_int_equal(audit_record_read(record.p, n, &a), DECODE_BAD);
    wr_u8(&record, 0);
    assert_int_equal(audit_record_read(record.p, record.len, &a), DECODE_BAD);
    buf_free(&record);
    buf_free(&out);
}

static void audits_are_sentences(void **state)
{
    static const uint8_t versions[] = {0, 11, 0, 8, 0, 50, 13, 122, 0, 11, 0, 8, 0, 93, 16, 227};

    (void)state;
    audit_says(16, 1, "\5", 1, "provisioning completed: by host-based, admin");
    audit_says(16, 5, "\0", 1, "wrong credentials: for AMT");
    audit_says(16, 2, "\0\4anna", 6, "account added: anna");
    audit_says(16, 7, "\1\0", 2, "TLS changed: remote server, local none");
    audit_says(16, 7, "\1", 1, "TLS changed: 01"); /* too short for what it should be */
    audit_says(17, 1, "", 0, "power down");
    audit_says(19, 0, versions, sizeof(versions), "firmware updated: from 11.8.50.3450, to 11.8.93.4323");
    audit_says(21, 0, "\x65\x98\xC8\x63", 4, "clock set: 2024-01-06T03:26:27Z");
    audit_says(22, 1, "\3pc7", 4, "host name changed: pc7");
    audit_says(25, 0, "\7\0\0\0", 4, "filter added: handle 7");
    audit_says(30, 0, "\0\xFF", 2, "consent policy changed: from none, to all");
    audit_says(99, 1, "\1\2", 2, "event 1 of application 99: 0102");
}

static void knows_other_initiators(void **state)
{
    static const uint8_t sid[] = {1, 4, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0};
    struct buf record = buf_init(1000);
    struct audit_record a;

    (void)state;
    wr_be32(&record, 17 << 16);
    wr_u8(&record, 1);
    wr_be32(&record, 1104);
    wr_str8(&record, sid, sizeof(sid));
    wr_be32(&record, 1);
    wr_u8(&record, 2);
    wr_str8(&record, "", 0);
    wr_str8(&record, "", 0);
    assert_int_equal(audit_record_read(record.p, record.len, &a), DECODE_DONE);
    assert_string_equal(a.user, "SID S-1-5-21-1-2-3-1104");
    assert_string_equal(audit_record_app(&a), "remote control");
    record.p[4] = 2; /* local: no name, so what follows is too long */
    assert_int_equal(audit_record_read(record.p, record.len, &a), DECODE_BAD);
    record.p[4] = 9;
    assert_int_equal(audit_record_read(record.p, record.len, &a), DECODE_BAD);
    buf_free(&record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_event_logs_on),    cmocka_unit_test(reads_audit_logs_on),
        cmocka_unit_test(events_are_sentences),   cmocka_unit_test(audits_are_sentences),
        cmocka_unit_test(knows_other_initiators),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
