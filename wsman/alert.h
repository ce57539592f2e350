/* Alerts: what a device tells on its own, by WS-Eventing, and what it means. (reference wsman.md,
 * section 3.7) */
#ifndef WSMAN_ALERT_H
#define WSMAN_ALERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/severity.h"
#include "base/xml.h"

#define WSMAN_ALERT_MAX (64 * 1024) /* bytes of an alert; firmware sends some two thousand */

/* One that was posted. Strings are kept by doc. */
struct wsman_alert {
    struct xml_doc *doc;    /* owned */
    const char *message_id; /* of the envelope: what an acknowledgement refers to */
    bool wants_ack;         /* it is repeated until it is acknowledged */
    const char *id;         /* "iAMT0055": what happened */
    const char *argument;   /* the first argument, "" none */
    const char *text;       /* the device's own words, "" none */
    const char *at;         /* by the device's clock, RFC 3339, "" none */
    uint32_t perceived;     /* PerceivedSeverity, 0 unknown */
    enum severity severity; /* what that means here */
};

/* Reads a posted envelope. -1 with too-large or bad-answer. *alert is cleared with wsman_alert_clear in both
 * cases. */
int wsman_alert_read(struct wsman_alert *alert, const void *p, size_t n, struct err *err);
void wsman_alert_clear(struct wsman_alert *alert);

/* One sentence of what happened, appended: of the table of known alerts, else the device's own words, else
 * its id and argument. */
void wsman_alert_say(const struct wsman_alert *alert, struct buf *out);
/* The envelope that acknowledges it, appended. */
void wsman_alert_ack(const struct wsman_alert *alert, struct buf *out);

#endif
