/* Platform event traps: the SNMP traps by which old firmware tells its alerts. No I/O.
 *
 * SNMPv1 (RFC 1157, section 4.1.6) in BER, with one variable of the Platform Event Trap format 1.0.
 * (reference wsman.md, section 3.8) */
#ifndef AMTD_ALERTS_TRAP_H
#define AMTD_ALERTS_TRAP_H

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/severity.h"

struct trap {
    char agent[16];   /* the address that the trap says it is of, "10.0.0.7" */
    uint8_t guid[16]; /* of the machine, as sent */
    uint16_t sequence;
    int64_t at_s; /* by the device's clock, seconds since 1970; 0 unknown */
    uint8_t sensor_type, event_type, offset;
    uint8_t severity_code; /* of PET: 1 monitor, 2 information, 4 OK, 8 non-critical, 16 critical, 32
                              non-recoverable */
    enum severity severity;
    uint8_t sensor, entity, entity_instance;
    uint8_t data[8];
    uint32_t manufacturer; /* by its number of the IANA: 343 Intel */
};

/* Reads a datagram. -1 with err (bad-answer: where, and what was expected). */
int trap_read(struct trap *trap, const void *p, size_t n, struct err *err);
/* One sentence, appended: what kind of sensor saw what. */
void trap_say(const struct trap *trap, struct buf *out);
/* The GUID as text in both byte orders that are seen: as sent, and with the first three groups swapped. */
void trap_guids(const struct trap *trap, char sent[37], char swapped[37]);

#endif
