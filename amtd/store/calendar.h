/* The calendar: what of hosts expires or ages next. Store thread only. */
#ifndef AMTD_STORE_CALENDAR_H
#define AMTD_STORE_CALENDAR_H

#include "amtd/store/store.h"

enum calendar_kind {
    CALENDAR_CERTIFICATE, /* the TLS certificate that the device showed last ends */
    CALENDAR_PASSWORD,    /* its own password reaches the age at which it is to be changed */
    CALENDAR_CLOCK,       /* its clock was off when it was read last */
    CALENDAR_OLD_TLS,     /* it was last talked to with old TLS, by a profile's exception */
    CALENDAR_CA,          /* the CA of amtd ends */
    CALENDAR_OLD_ROOT,    /* it keeps roots of CAs of amtd that were renewed */
};

struct calendar_row {
    enum calendar_kind kind;
    int64_t at_ms; /* when it is due; 0: now, and as long as nobody mends it */
    char *host;
    char *subject;  /* the account of a password, the profile of old TLS, or NULL */
    int64_t number; /* seconds that a clock is off; 1: the certificate is one of amtd's; how many roots */
};
void calendar_row_clear(struct calendar_row *row);

struct calendar_limits {
    int64_t until_ms;        /* what is due before this; wall clock */
    int64_t password_age_ms; /* when a password is to be changed */
    int64_t clock_off_s;     /* what is off by more */
};

/* Of the hosts of a target, the first due first. *rows is the caller's array. */
int tx_calendar(struct tx *tx, const char *target, const struct calendar_limits *limits,
                struct calendar_row **rows, size_t *count, struct err *err);

#endif
