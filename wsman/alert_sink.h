/* Who hears of a device's alerts: looking, subscribing and unsubscribing. (reference wsman.md, 3.7 and 3.8)
 *
 * Devices that have WS-Eventing post alerts to a URL; older ones send SNMP traps to an address.
 * Subscriptions last until they are taken back or the device is set up anew. Those of others stay. */
#ifndef WSMAN_ALERT_SINK_H
#define WSMAN_ALERT_SINK_H

#include <stdbool.h>

#include "wsman/seq.h"

#define ALERT_SINKS_MAX 16  /* looked at; firmware has at most nine */
#define ALERT_URL_MAX   253 /* bytes; firmware takes no more */

enum alert_sink_action { ALERT_SINK_READ, ALERT_SINK_SUBSCRIBE, ALERT_SINK_UNSUBSCRIBE };

struct alert_sink {
    char url[ALERT_URL_MAX + 1]; /* of a trap: "snmp://10.0.0.5" */
    char filter[80]; /* the collection of alerts: "Intel(r) AMT:All", "" unknown; of traps: "policy 134" */
    bool trap;
    bool ours;  /* its URL begins as ours does */
    bool exact; /* its URL is ours */
    /* private: what an Unsubscribe, or a Delete, names */
    char name[80], system[80];
};

struct alert_sink_seq {
    struct seq seq; /* first */
    enum alert_sink_action action;
    const char *url;   /* where alerts shall go; borrowed */
    const char *base;  /* what all our URLs for this device begin with; borrowed */
    const char *traps; /* the IPv4 address that traps shall go to; borrowed */
    struct alert_sink sinks[ALERT_SINKS_MAX];
    size_t count;
    bool was_there; /* nothing had to be changed */
    /* private */
    char collection[80];
    uint32_t policy; /* of the events that are sent as traps */
    size_t at;
};

/* url and base, and traps, may be NULL: there is none. Subscribing takes back what is ours and goes
 * elsewhere. Causes of its own: unsupported (the firmware has no alerts), invalid-argument (it tells them in
 * the way that is not listened to), limit-exceeded (no more subscribers). */
void alert_sink_seq_init(struct alert_sink_seq *as, enum alert_sink_action action, const char *url,
                         const char *base, const char *traps);

#endif
