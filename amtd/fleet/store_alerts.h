/* Which hosts tell their alerts to this amtd, and by which secret path. Store thread only. */
#ifndef AMTD_FLEET_STORE_ALERTS_H
#define AMTD_FLEET_STORE_ALERTS_H

#include "amtd/fleet/store.h"

/* Where devices reach the listener: "http://10.0.0.5:9971", or NULL: there is none. Kept, for the tasks. */
int tx_alert_base_set(struct tx *tx, const char *base, struct err *err);
/* The address that the host's alerts go to: base, '/' and a token that nobody can guess, made when there is
 * none yet. *url and *base are the caller's; -1 with invalid-argument when there is no listener. */
int tx_alert_url(struct tx *tx, int64_t host_id, char **url, char **base, struct err *err);
/* The host whose token this is. *name is the caller's; NULL: nobody's. */
int tx_alert_host(struct tx *tx, const char *token, int64_t *host_id, char **name, struct err *err);
/* The host whose UUID or address this is (either may be NULL); UUID first. */
int tx_alert_host_by(struct tx *tx, const char *uuid, const char *address, int64_t *host_id, char **name,
                     struct err *err);
/* It was subscribed to, or looked at, at that time; or (at_ms 0) is not subscribed to any more. */
int tx_alert_subscribed(struct tx *tx, int64_t host_id, int64_t at_ms, struct err *err);
/* Names, joined by ',', of at most `limit` hosts that were looked at before that time. "" none. Caller's. */
int tx_alerts_due(struct tx *tx, int64_t before_ms, size_t limit, char **names, struct err *err);

#endif
