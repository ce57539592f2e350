/* A record of the device's event log: 21 bytes, and the sentence they stand for. (reference wsman.md, 3.6) */
#ifndef WSMAN_EVENT_RECORD_H
#define WSMAN_EVENT_RECORD_H

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

#define EVENT_RECORD_LEN  21
#define EVENT_RECORD_DATA 8

struct event_record {
    uint32_t time; /* seconds since 1970 by the device's clock; 0 and FFFFFFFF: it did not know */
    uint8_t device, sensor, type, offset, source, severity, number, entity, instance;
    uint8_t data[EVENT_RECORD_DATA];
};

/* DECODE_DONE, or DECODE_BAD: it is not 21 bytes long. */
enum decode event_record_read(const void *p, size_t n, struct event_record *record);

bool event_record_has_time(const struct event_record *record);
/* "OS boot started"; what is not known is shown as type and data. Appended, printable. */
void event_record_text(const struct event_record *record, struct buf *out);
/* The same; false (nothing appended) when it is not known. */
bool event_record_sentence(const struct event_record *record, struct buf *out);
/* "information", "critical", ...; static. */
const char *event_record_severity(const struct event_record *record);
/* "BIOS", "processor", ...; static. */
const char *event_record_entity(const struct event_record *record);

#endif
