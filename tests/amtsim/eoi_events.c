/* The event log over the SOAP interface. (reference eoi.md, 3.5) */
#include <simH.h>
#include <string.h>

#include "base/buf.h"
#include "tests/amtsim/eoi_internal.h"
#include "tests/amtsim/event_log.h"

#define BATCH 32 /* records of one answer */

int __emi__GetEventLogStatus(struct soap *soap, struct _emi__GetEventLogStatus *in,
                             struct _emi__GetEventLogStatusResponse *out)
{
    struct device *d = eoi_enter(soap, "GetEventLogStatus", false, &out->Status);
    (void)in;
    if (d == NULL)
        return SOAP_OK;
    out->RecordCount = eoi_number(soap, (unsigned)event_log_count(d));
    out->MaxRecords = eoi_number(soap, EVENT_LOG_MAX);
    out->LogFrozen = eoi_flag(soap, d->log_frozen);
    return SOAP_OK;
}

/* 21 bytes as their members. */
static void show_record(struct soap *soap, const struct device *d, size_t i, struct emi__EventLogRecord *to)
{
    struct buf b = buf_init(EVENT_LOG_RECORD);
    soap_default_emi__EventLogRecord(soap, to);
    event_log_record(d, i, &b);
    const uint8_t *p = b.p;
    to->TimeStamp =
        eoi_number(soap, p[0] | (unsigned)p[1] << 8 | (unsigned)p[2] << 16 | (unsigned)p[3] << 24);
    to->DeviceAddress = eoi_number(soap, p[4]);
    to->EventSensorType = eoi_number(soap, p[5]);
    to->EventType = eoi_number(soap, p[6]);
    to->EventOffset = eoi_number(soap, p[7]);
    to->EventSourceType = eoi_number(soap, p[8]);
    to->EventSeverity = eoi_number(soap, p[9]);
    to->SensorNumber = eoi_number(soap, p[10]);
    to->Entity = eoi_number(soap, p[11]);
    to->EntityInstance = eoi_number(soap, p[12]);
    to->EventData = soap_malloc(soap, sizeof(*to->EventData));
    soap_default_xsd__base64Binary(soap, to->EventData);
    to->EventData->__size = EVENT_LOG_RECORD - 13;
    to->EventData->__ptr = soap_malloc(soap, EVENT_LOG_RECORD - 13);
    memcpy(to->EventData->__ptr, p + 13, EVENT_LOG_RECORD - 13);
    buf_free(&b);
}

/* Newest first, from index 0 on. */
int __emi__ReadEventLogRecords(struct soap *soap, struct _emi__ReadEventLogRecords *in,
                               struct _emi__ReadEventLogRecordsResponse *out)
{
    struct device *d = eoi_enter(soap, "ReadEventLogRecords", false, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    size_t total = event_log_count(d), from = in->StartIndex != NULL ? *in->StartIndex : 0;
    if (in->StartIndex == NULL)
        return eoi_leave(soap, &out->Status, PT_INVALID_PARAMETER);
    if (from > total)
        return eoi_leave(soap, &out->Status, PT_INVALID_INDEX);
    size_t n = total - from < BATCH ? total - from : BATCH;
    out->TotalRecords = eoi_number(soap, (unsigned)total);
    out->Record = soap_malloc(soap, (n + 1) * sizeof(*out->Record));
    out->__sizeRecord = (int)n;
    for (size_t i = 0; i < n; i++)
        show_record(soap, d, from + i, &out->Record[i]);
    return SOAP_OK;
}

int __emi__ClearEventLog(struct soap *soap, struct _emi__ClearEventLog *in,
                         struct _emi__ClearEventLogResponse *out)
{
    struct device *d = eoi_enter(soap, "ClearEventLog", true, &out->Status);
    (void)in;
    if (d == NULL)
        return SOAP_OK;
    if (d->log_frozen)
        return eoi_leave(soap, &out->Status, PT_EVENTLOG_FROZEN);
    event_log_clear(d);
    return eoi_leave(soap, &out->Status, PT_SUCCESS);
}

int __emi__FreezeEventLog(struct soap *soap, struct _emi__FreezeEventLog *in,
                          struct _emi__FreezeEventLogResponse *out)
{
    struct device *d = eoi_enter(soap, "FreezeEventLog", true, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    if (in->Freeze == NULL)
        return eoi_leave(soap, &out->Status, PT_INVALID_PARAMETER);
    d->log_frozen = *in->Freeze == true_;
    return eoi_leave(soap, &out->Status, PT_SUCCESS);
}
