/* Reading a device's event log and audit log, of both only what came since the last time. (reference
 * wsman.md, 3.6)
 *
 * Records are handed over as the device has them (event_record.h, audit_record.h), oldest first. What was
 * read before is known again by its bytes: positions in the logs shift when they wrap or are cleared. */
#ifndef WSMAN_DEVICE_LOG_H
#define WSMAN_DEVICE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wsman/seq.h"

#define DEVICE_LOG_KNOWN_MAX   8     /* of the newest records that were read before */
#define DEVICE_LOG_RECORDS_MAX 20000 /* read at a time; more of an audit log comes the next time */
#define DEVICE_LOG_RECORD_MAX  1024  /* bytes of one record */

enum device_log_kind { DEVICE_LOG_EVENT, DEVICE_LOG_AUDIT, DEVICE_LOG_KINDS };

struct device_log_record {
    uint8_t *p; /* owned */
    size_t n;
};

struct device_log_seq {
    struct seq seq; /* first */
    enum device_log_kind kind;
    struct device_log_record known[DEVICE_LOG_KNOWN_MAX]; /* newest first */
    size_t known_count;
    uint32_t
        known_total; /* audit log: the place of the newest of them, from 1; set before device_log_seq_know */
    /* the result */
    struct device_log_record *records; /* what is new, oldest first */
    size_t count, room;
    uint32_t total;  /* audit log: the place of the last one that was read */
    size_t bad;      /* records that are none */
    bool lost_track; /* what was known is not in the log any more: it was cleared, or has wrapped */
    /* its own */
    char iteration[24];
    uint32_t next;
    bool verifying;
};

void device_log_seq_init(struct device_log_seq *ls, enum device_log_kind kind);
/* Before it begins: a record that was read before, newest first; more than DEVICE_LOG_KNOWN_MAX are dropped.
 */
void device_log_seq_know(struct device_log_seq *ls, const void *p, size_t n);
void device_log_seq_clear(struct device_log_seq *ls);

#endif
