#include "wsman/device_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "wsman/answer.h"

#define EVENT_CLASS "AMT_MessageLog"
#define AUDIT_CLASS "AMT_AuditLog"
#define BATCH_ALL   390 /* what the event log holds at most */
#define BATCH_NEW   40  /* when most of it is known */
#define NO_RECORD   2   /* of PositionToFirstRecord */
#define EMPTY       3   /* of GetRecords */
#define BEYOND_END  35  /* of ReadRecords: invalid index */

static struct device_log_seq *log_of(struct seq *seq)
{
    return (struct device_log_seq *)seq;
}

/* --- records --- */

static void drop_records(struct device_log_seq *ls, size_t from)
{
    for (size_t i = from; i < ls->count; i++)
        free(ls->records[i].p);
    ls->count = from;
}

static void drop_first(struct device_log_seq *ls, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(ls->records[i].p);
    memmove(ls->records, ls->records + n, (ls->count - n) * sizeof(*ls->records));
    ls->count -= n;
}

static void add_record(struct device_log_seq *ls, const struct buf *bytes)
{
    struct device_log_record *record;

    if (bytes->len == 0 || ls->count == DEVICE_LOG_RECORDS_MAX) {
        ls->bad += bytes->len == 0;
        return;
    }
    if (ls->count == ls->room) {
        ls->room = ls->room > 0 ? 2 * ls->room : 64;
        ls->records = xreallocarray(ls->records, ls->room, sizeof(*ls->records));
    }
    record = &ls->records[ls->count++];
    record->n = bytes->len;
    record->p = xmalloc(bytes->len);
    memcpy(record->p, bytes->p, bytes->len);
}

/* The elements of an array of base64; how many there were. */
static size_t add_records(struct device_log_seq *ls, struct wsman_obj obj, const char *name)
{
    const char *text;
    size_t i;

    for (i = 0; (text = wsman_str_at(obj, name, i)); i++) {
        struct buf bytes = buf_init(DEVICE_LOG_RECORD_MAX);

        if (!text_base64_decode(&bytes, text, strlen(text)))
            buf_reset(&bytes);
        add_record(ls, &bytes);
        buf_free(&bytes);
    }
    return i;
}

static bool same(const struct device_log_record *a, const struct device_log_record *b)
{
    return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

static void turn_round(struct device_log_seq *ls)
{
    for (size_t i = 0, k = ls->count; i + 1 < k; i++) {
        struct device_log_record record = ls->records[i];

        ls->records[i] = ls->records[--k];
        ls->records[k] = record;
    }
}

/* --- the event log: newest first, until what is known --- */

/* Two events of one second may look the same, so as many as are known have to be there one after the other.
 */
static bool meets_known(const struct device_log_seq *ls, size_t at)
{
    for (size_t k = 0; k < ls->known_count && at + k < ls->count; k++)
        if (!same(&ls->records[at + k], &ls->known[k]))
            return false;
    return ls->known_count > 0;
}

static bool cut_at_known(struct device_log_seq *ls)
{
    for (size_t i = 0; i < ls->count; i++) {
        if (meets_known(ls, i)) {
            drop_records(ls, i);
            return true;
        }
    }
    return false;
}

static int event_over(struct device_log_seq *ls, bool met)
{
    ls->lost_track = ls->known_count > 0 && !met;
    turn_round(ls);
    return SEQ_DONE;
}

static struct wsman_request *ask_first(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_INVOKE, EVENT_CLASS, "PositionToFirstRecord");
}

static int hear_first(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct device_log_seq *ls = log_of(seq);
    const char *iteration = wsman_str(wsman_call_obj(call, 0), "IterationIdentifier");
    uint32_t value = wsman_call_return_value(call);

    if (value == NO_RECORD)
        return event_over(ls, false);
    if (wsman_return_value_to_err(EVENT_CLASS, "PositionToFirstRecord", value, err) != 0)
        return SEQ_FAIL;
    snprintf(ls->iteration, sizeof(ls->iteration), "%s", iteration ? iteration : "1");
    return SEQ_NEXT;
}

static struct wsman_request *ask_records(struct seq *seq, struct err *err)
{
    struct device_log_seq *ls = log_of(seq);
    struct wsman_request *rq = wsman_request_new(WSMAN_INVOKE, EVENT_CLASS, "GetRecords");

    (void)err;
    wsman_add_str(rq, "IterationIdentifier", ls->iteration);
    wsman_add_u32(rq, "MaxReadRecords", ls->known_count > 0 ? BATCH_NEW : BATCH_ALL);
    return rq;
}

static int hear_records(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct device_log_seq *ls = log_of(seq);
    struct wsman_obj obj = wsman_call_obj(call, 0);
    const char *iteration = wsman_str(obj, "IterationIdentifier");
    uint32_t value = wsman_call_return_value(call);
    size_t before = ls->count;
    bool last = false;

    if (value == EMPTY)
        return event_over(ls, false);
    if (wsman_return_value_to_err(EVENT_CLASS, "GetRecords", value, err) != 0)
        return SEQ_FAIL;
    add_records(ls, obj, "RecordArray");
    wsman_bool(obj, "NoMoreRecords", &last);
    if (cut_at_known(ls))
        return event_over(ls, true);
    /* A device that says neither that it is the end nor anything more would be asked for ever. */
    if (last || ls->count == before || ls->count >= 4 * BATCH_ALL || !iteration)
        return event_over(ls, false);
    snprintf(ls->iteration, sizeof(ls->iteration), "%s", iteration);
    return seq->at;
}

/* --- the audit log: oldest first, from where it was left --- */

static struct wsman_request *ask_audit(struct seq *seq, struct err *err)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_INVOKE, AUDIT_CLASS, "ReadRecords");

    (void)err;
    wsman_add_u32(rq, "StartIndex", log_of(seq)->next);
    return rq;
}

static int begin_anew(struct seq *seq)
{
    struct device_log_seq *ls = log_of(seq);

    drop_records(ls, 0);
    ls->verifying = false;
    ls->lost_track = true;
    ls->next = 1;
    return seq->at;
}

/* All of the log was read again: what is behind the newest that is known is new, if it is still there. */
static int audit_over(struct device_log_seq *ls)
{
    if (!ls->lost_track || ls->known_count == 0)
        return SEQ_DONE;
    for (size_t i = ls->count; i-- > 0;) {
        if (same(&ls->records[i], &ls->known[0])) {
            drop_first(ls, i + 1);
            ls->lost_track = false;
            break;
        }
    }
    return SEQ_DONE;
}

static int hear_audit(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct device_log_seq *ls = log_of(seq);
    struct wsman_obj obj = wsman_call_obj(call, 0);
    uint32_t value = wsman_call_return_value(call), all = 0;
    size_t came;

    if (value == BEYOND_END && ls->verifying)
        return begin_anew(seq);
    if (value == BEYOND_END) { /* also of an empty one */
        ls->total = ls->next - 1;
        return audit_over(ls);
    }
    if (wsman_return_value_to_err(AUDIT_CLASS, "ReadRecords", value, err) != 0)
        return SEQ_FAIL;
    came = add_records(ls, obj, "EventRecords");
    ls->next += (uint32_t)came;
    ls->total = ls->next - 1;
    wsman_u32(obj, "TotalRecordCount", &all);
    if (ls->verifying && (ls->count == 0 || !same(&ls->records[0], &ls->known[0])))
        return begin_anew(seq);
    if (ls->verifying)
        drop_first(ls, 1);
    ls->verifying = false;
    if (came == 0 || ls->next > all || ls->count == DEVICE_LOG_RECORDS_MAX)
        return audit_over(ls);
    return seq->at;
}

/* --- life --- */

static const struct seq_step event_steps[] = {
    {"go to the newest record", SEQ_READ, ask_first, hear_first},
    {"read records", SEQ_READ, ask_records, hear_records},
};
static const struct seq_step audit_steps[] = {
    {"read records", SEQ_READ, ask_audit, hear_audit},
};

void device_log_seq_init(struct device_log_seq *ls, enum device_log_kind kind)
{
    memset(ls, 0, sizeof(*ls));
    ls->kind = kind;
    ls->next = 1;
    if (kind == DEVICE_LOG_EVENT)
        seq_init(&ls->seq, SEQ_TABLE(event_steps));
    else
        seq_init(&ls->seq, SEQ_TABLE(audit_steps));
}

void device_log_seq_know(struct device_log_seq *ls, const void *p, size_t n)
{
    struct device_log_record *record;

    if (ls->known_count == DEVICE_LOG_KNOWN_MAX || n == 0)
        return;
    record = &ls->known[ls->known_count++];
    record->n = n;
    record->p = xmalloc(n);
    memcpy(record->p, p, n);
    if (ls->kind == DEVICE_LOG_AUDIT && ls->known_total > 0) {
        ls->verifying = true;
        ls->next = ls->known_total;
    }
}

void device_log_seq_clear(struct device_log_seq *ls)
{
    drop_records(ls, 0);
    free(ls->records);
    for (size_t i = 0; i < ls->known_count; i++)
        free(ls->known[i].p);
    ls->records = NULL;
    ls->known_count = 0;
}
