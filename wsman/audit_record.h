/* A record of the device's audit log, and the sentence it stands for. (reference wsman.md, 3.6) */
#ifndef WSMAN_AUDIT_RECORD_H
#define WSMAN_AUDIT_RECORD_H

#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

#define AUDIT_USER_MAX    128
#define AUDIT_ADDRESS_MAX 64
#define AUDIT_DATA_MAX    255

enum audit_initiator { AUDIT_DIGEST, AUDIT_KERBEROS, AUDIT_LOCAL, AUDIT_KVM };

struct audit_record {
    uint16_t app, event;
    enum audit_initiator initiator;
    char
        user[AUDIT_USER_MAX]; /* printable: the digest user, "SID S-1-5-21-...-RID", "local", "KVM on 5900" */
    uint32_t time;            /* seconds since 1970 by the device's clock */
    char address[AUDIT_ADDRESS_MAX]; /* printable; "" none */
    uint8_t data[AUDIT_DATA_MAX];    /* of the event */
    uint8_t size;
};

/* DECODE_DONE, or DECODE_BAD: it ends too early, or has something behind its end. */
enum decode audit_record_read(const void *p, size_t n, struct audit_record *record);

/* "remote control", "security administration", ...; static; "application" for one that is not known. */
const char *audit_record_app(const struct audit_record *record);
/* "power down", "TLS state changed: remote server, local none"; what is not known is shown by number and in
 * hexadecimal. Appended, printable. */
void audit_record_text(const struct audit_record *record, struct buf *out);

#endif
