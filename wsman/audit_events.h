/* The events of the audit log as a table: their words, and the form of their data. For audit_record.c only.
 * (reference wsman.md, 3.6) */
#ifndef WSMAN_AUDIT_EVENTS_H
#define WSMAN_AUDIT_EVENTS_H

#include <stdint.h>

#define AUDIT_PARTS 3

enum audit_form {
    AUDIT_WORD8,    /* a byte that chooses a word */
    AUDIT_NUMBER16, /* big-endian */
    AUDIT_NUMBER32,
    AUDIT_HANDLE,  /* of System Defense: 32 bits, little-endian (reference system-defense.md, 1.8) */
    AUDIT_ACCOUNT, /* kind, and name or SID */
    AUDIT_GUID,    /* 16 bytes */
    AUDIT_VERSION, /* four numbers of 16 bits */
    AUDIT_TIME,    /* seconds since 1970 */
    AUDIT_NAME,    /* a length byte and text */
};

struct audit_word { /* ended by text NULL */
    unsigned number;
    const char *text;
};

struct audit_part {
    const char *label; /* before the value; "": none; NULL: there is no such part */
    enum audit_form form;
    const struct audit_word *words;
};

struct audit_event {
    uint16_t app, event;
    const char *text;
    struct audit_part parts[AUDIT_PARTS];
};

struct audit_app {
    uint16_t number;
    const char *name;
};

const struct audit_event *audit_event_find(uint16_t app, uint16_t event); /* NULL: not known */
const struct audit_app *audit_app_find(uint16_t app);

#endif
