/* The CA of amtd, and the certificates that it gave to hosts. Store thread only.
 *
 * Of a host's certificates one is proven (a connection has shown it), and one may be on its way: it is
 * written down before the device can have it, so whichever of the two the device shows is known. Nothing is
 * overwritten. */
#ifndef AMTD_STORE_CERTIFICATES_H
#define AMTD_STORE_CERTIFICATES_H

#include "amtd/peer/authority.h"
#include "amtd/store/store.h"

enum authority_state {
    AUTHORITY_CURRENT, /* signs */
    AUTHORITY_TRUSTED, /* was renewed; machines have certificates of it still */
    AUTHORITY_RETIRED, /* no machine has */
};

struct authority_row {
    int64_t id;
    enum authority_state state;
    struct buf der;
    int64_t since_ms;
    uint32_t certificates; /* that machines have of it */
};
void authority_row_clear(struct authority_row *row);

/* Newest first. *rows is the caller's array. */
int tx_authorities(struct tx *tx, struct authority_row **rows, size_t *count, struct err *err);
/* Makes the first CA when there is none. */
int tx_authority_need(struct tx *tx, int64_t now_ms, struct err *err);
/* A new CA signs from now on; the one before stays trusted until no machine has a certificate of it. */
int tx_authority_renew(struct tx *tx, int64_t now_ms, struct err *err);

/* The file beside the database that holds all CAs that are not retired, made anew where it is not what the
 * store says: so whoever reads it follows renewals. The caller's path. A failure is logged, and the file is
 * then as it was. */
char *tx_authority_file(struct tx *tx);
/* amtd shows a certificate of its own no longer than this before it makes a new one. */
#define AUTHORITY_OWN_DAYS 30

enum certificate_state {
    CERTIFICATE_PROVEN,
    CERTIFICATE_NEXT,     /* on its way to the device */
    CERTIFICATE_GIVEN_UP, /* the device had it, or never took it */
};

struct certificate_row {
    char *host; /* its name when it was made: that of a removed host stays */
    enum certificate_state state;
    struct buf der; /* empty: none was signed yet */
    char *pin;      /* NULL then */
    int64_t until_ms;
    int64_t authority;  /* id; 0 then */
    bool current;       /* that CA signs still */
    uint32_t old_roots; /* of CAs of amtd that were renewed: what the device was seen to keep */
    int64_t at_ms;      /* when it came to that state */
    int64_t run;
};
void certificate_row_clear(struct certificate_row *row);
/* By name and state, newest first within. host NULL: all. former: also those given up. */
int tx_certificates(struct tx *tx, const char *host, bool former, struct certificate_row **rows,
                    size_t *count, struct err *err);

/* A certificate is about to be made. before: text that the one who finishes a broken-off attempt needs; that
 * of an attempt under way stays. */
int tx_certificate_begin(struct tx *tx, int64_t host_id, const char *before, int64_t run, int64_t at_ms,
                         struct err *err);
/* Signs it with the current CA, and trusts it from now on besides the one that the host had. Appends it. */
int tx_certificate_issue(struct tx *tx, int64_t host_id, const struct leaf_order *order, int64_t run,
                         int64_t at_ms, struct buf *der, struct err *err);
/* A connection has shown this one: it is proven, and the only one that is trusted. */
int tx_certificate_settle(struct tx *tx, int64_t host_id, const char *pin, int64_t at_ms, struct err *err);
/* The host has no certificate any more, and no TLS. */
int tx_certificate_give_up(struct tx *tx, int64_t host_id, int64_t at_ms, struct err *err);
/* What a task needs to know of a host, as JSON: {"authorities": [base64, newest first], "proven": pin,
 * "next": pin, "before": text, "former": [base64 of those given up last], "secured_alerts": bool: devices
 * tell amtd theirs over HTTPS, "clients": [files of certificates that profiles show]}; of an authority:
 * {"der", "since": ms}. The caller's. */
int tx_certificate_known(struct tx *tx, int64_t host_id, char **json, struct err *err);

/* What somebody may want to hear of, told once: hosts that have a proven new certificate, and hosts whose
 * certificate (the one seen last) ends within WARN_DAYS, again a week and a day before, and when it has
 * ended. */
struct certificate_notice {
    char *host;
    bool renewed; /* else it ends */
    int64_t until_ms;
};
#define CERTIFICATE_WARN_DAYS 30
/* *notices is the caller's array, each cleared by certificate_notice_clear. */
int tx_certificate_notices(struct tx *tx, int64_t now_ms, struct certificate_notice **notices, size_t *count,
                           struct err *err);
void certificate_notice_clear(struct certificate_notice *notice);

/* A certificate for amtd itself, with the current CA. Appends it. */
int tx_certificate_own(struct tx *tx, const struct leaf_order *order, struct buf *der, struct err *err);

#endif
