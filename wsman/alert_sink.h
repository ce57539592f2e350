/* Who hears of a device's alerts: looking, subscribing and unsubscribing. (reference wsman.md, section 3.7)
 *
 * Subscriptions last until they are taken back or the device is set up anew. Those of others stay. */
#ifndef WSMAN_ALERT_SINK_H
#define WSMAN_ALERT_SINK_H

#include <stdbool.h>

#include "wsman/seq.h"

#define ALERT_SINKS_MAX 16  /* looked at; firmware has at most nine */
#define ALERT_URL_MAX   253 /* bytes; firmware takes no more */

enum alert_sink_action { ALERT_SINK_READ, ALERT_SINK_SUBSCRIBE, ALERT_SINK_UNSUBSCRIBE };

struct alert_sink {
    char url[ALERT_URL_MAX + 1];
    char filter[80]; /* the collection of alerts: "Intel(r) AMT:All", "" unknown */
    bool ours;       /* its URL begins as ours does */
    bool exact;      /* its URL is ours */
    /* private: what an Unsubscribe names */
    char name[80], system[80];
};

struct alert_sink_seq {
    struct seq seq; /* first */
    enum alert_sink_action action;
    const char *url;  /* where alerts shall go; borrowed */
    const char *base; /* what all our URLs for this device begin with; borrowed */
    struct alert_sink sinks[ALERT_SINKS_MAX];
    size_t count;
    bool was_there; /* nothing had to be changed */
    /* private */
    char collection[80];
    size_t at;
};

/* url may be NULL for reading. Subscribing takes back what is ours and goes elsewhere. Causes of its own:
 * unsupported (the firmware has no alerts), limit-exceeded (no more subscribers). */
void alert_sink_seq_init(struct alert_sink_seq *as, enum alert_sink_action action, const char *url,
                         const char *base);

#endif
