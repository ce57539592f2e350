/* The event log. (reference eoi.md, 3.5; a record's bytes: wsman.md, 3.6) */
#include <eoiH.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "wsman/eoi/eoi_internal.h"

#define RECORD_LEN 21
#define DATA_LEN   8
#define NO_RECORD  2 /* of PositionToFirstRecord */

static int take_position(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _emi__GetEventLogStatusResponse *answer = out;

    if (!answer->RecordCount)
        return eoi_missing(eoi, "RecordCount", err);
    if (*answer->RecordCount == 0) {
        eoi->result = NO_RECORD;
        return EOI_NEXT;
    }
    eoi_show(eoi, "PositionToFirstRecord_OUTPUT");
    eoi_show_number(eoi, "IterationIdentifier", 1);
    eoi_shown(eoi, "PositionToFirstRecord_OUTPUT");
    return EOI_NEXT;
}

/* The identifier is the number of the next record, from 1. */
static int fill_records(struct eoi *eoi, void *out, struct err *err)
{
    struct _emi__ReadEventLogRecords *in = out;
    uint32_t next = 0;

    if (!wsman_request_u32(eoi_request(eoi), "IterationIdentifier", &next) || next == 0) {
        err_set(err, CAUSE_BAD_ANSWER, "the device lost its place in its event log");
        return EOI_FAIL;
    }
    eoi->noted[0] = next;
    in->StartIndex = eoi_number(eoi, next - 1);
    return EOI_ASK;
}

static void put_u8(struct buf *b, const unsigned *value)
{
    wr_u8(b, value ? (uint8_t)*value : 0);
}

static void show_record(struct eoi *eoi, const struct emi__EventLogRecord *r)
{
    struct buf bytes = buf_init(RECORD_LEN), text = buf_init(RECORD_LEN * 2);
    const struct xsd__base64Binary *data = r->EventData;

    wr_le32(&bytes, r->TimeStamp ? *r->TimeStamp : 0);
    put_u8(&bytes, r->DeviceAddress);
    put_u8(&bytes, r->EventSensorType);
    put_u8(&bytes, r->EventType);
    put_u8(&bytes, r->EventOffset);
    put_u8(&bytes, r->EventSourceType);
    put_u8(&bytes, r->EventSeverity);
    put_u8(&bytes, r->SensorNumber);
    put_u8(&bytes, r->Entity);
    put_u8(&bytes, r->EntityInstance);
    for (int i = 0; i < DATA_LEN; i++)
        wr_u8(&bytes, data && i < data->__size ? data->__ptr[i] : 0);
    text_base64(&text, bytes.p, bytes.len);
    eoi_show_text(eoi, "RecordArray", buf_str(&text));
    buf_free(&bytes);
    buf_free(&text);
}

static int take_records(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _emi__ReadEventLogRecordsResponse *answer = out;
    uint32_t next = eoi->noted[0] + (uint32_t)answer->__sizeRecord;

    if (!answer->TotalRecords)
        return eoi_missing(eoi, "TotalRecords", err);
    eoi_show(eoi, "GetRecords_OUTPUT");
    eoi_show_number(eoi, "IterationIdentifier", next);
    eoi_show_flag(eoi, "NoMoreRecords", next > *answer->TotalRecords || answer->__sizeRecord == 0);
    for (int i = 0; i < answer->__sizeRecord; i++)
        show_record(eoi, &answer->Record[i]);
    eoi_shown(eoi, "GetRecords_OUTPUT");
    return EOI_NEXT;
}

static int fill_freeze(struct eoi *eoi, void *out, struct err *err)
{
    struct _emi__FreezeEventLog *in = out;
    bool freeze = false;

    (void)err;
    wsman_request_bool(eoi_request(eoi), "Freeze", &freeze);
    in->Freeze = eoi_flag(eoi, freeze);
    return EOI_ASK;
}

static const struct eoi_step position_steps[] = {{EOI_GetEventLogStatus, .take = take_position}};
static const struct eoi_step record_steps[] = {
    {EOI_ReadEventLogRecords, .fill = fill_records, .take = take_records}};
static const struct eoi_step clear_steps[] = {{EOI_ClearEventLog}};
static const struct eoi_step freeze_steps[] = {{EOI_FreezeEventLog, .fill = fill_freeze}};

const struct eoi_row eoi_event_rows[] = {
    {WSMAN_INVOKE, "AMT_MessageLog", "PositionToFirstRecord", EOI_STEPS(position_steps)},
    {WSMAN_INVOKE, "AMT_MessageLog", "GetRecords", EOI_STEPS(record_steps)},
    {WSMAN_INVOKE, "AMT_MessageLog", "ClearLog", EOI_STEPS(clear_steps)},
    {WSMAN_INVOKE, "AMT_MessageLog", "FreezeLog", EOI_STEPS(freeze_steps)},
    {0},
};
