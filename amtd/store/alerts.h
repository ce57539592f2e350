/* Which hosts tell their alerts to this amtd, and by which secret path. Store thread only. */
#ifndef AMTD_STORE_ALERTS_H
#define AMTD_STORE_ALERTS_H

#include "amtd/store/store.h"

/* Where a host tells its alerts. Owned texts, NULL: there is no listener for it. */
struct alert_way {
    char *base;  /* "http://10.0.0.5:9971" */
    char *url;   /* base, '/' and a token of the host that nobody can guess */
    char *traps; /* "10.0.0.5": the address that SNMP traps go to */
};

void alert_way_clear(struct alert_way *way);

/* Where devices reach the listeners; either may be NULL. Kept, for the tasks. */
int tx_alert_base_set(struct tx *tx, const char *base, const char *traps, struct err *err);
/* The host's way; its token is made when there is none yet. -1 with invalid-argument when nothing is listened
 * to. *way is cleared by the caller in both cases. */
int tx_alert_way(struct tx *tx, int64_t host_id, struct alert_way *way, struct err *err);
/* The host whose token this is. *name is the caller's; NULL: nobody's. */
int tx_alert_host(struct tx *tx, const char *token, int64_t *host_id, char **name, struct err *err);
/* The host whose UUID or address this is (either may be NULL); UUID first. */
int tx_alert_host_by(struct tx *tx, const char *uuid, const char *address, int64_t *host_id, char **name,
                     struct err *err);
/* It was subscribed to, or looked at, at that time; or (at_ms 0) is not subscribed to any more. */
int tx_alert_subscribed(struct tx *tx, int64_t host_id, int64_t at_ms, struct err *err);
/* It knows nobody any more; the path that it was given leads nowhere. */
int tx_alert_forget(struct tx *tx, int64_t host_id, struct err *err);
/* Names, joined by ',', of at most `limit` hosts that were looked at before that time. "" none. Caller's. */
int tx_alerts_due(struct tx *tx, int64_t before_ms, size_t limit, char **names, struct err *err);

#endif
