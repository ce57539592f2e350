/* Alerts: what a device tells its subscribers. (reference wsman.md, 3.7) */
#ifndef AMTSIM_ALERTS_H
#define AMTSIM_ALERTS_H

#include "tests/amtsim/device.h"

enum alert {
    ALERT_SOL_STARTED,
    ALERT_SOL_ENDED,
    ALERT_IDER_STARTED,
    ALERT_IDER_ENDED,
    ALERT_KVM_DISABLED,
    ALERT_KVM_ENABLED,
    ALERT_CONSENT_GRANTED,
    ALERT_CONSENT_ENDED,
    ALERT_CONSENT_REQUESTED,
    ALERT_CONSENT_CHANGED, /* the setting */
    ALERT_GRACEFUL_SHUTDOWN,
    ALERT_GRACEFUL_REBOOT,
    ALERT_GRACEFUL_SLEEP,
    ALERT_GRACEFUL_HIBERNATE,
    ALERT_DEFENSE_TRIGGERED, /* a filter that tells was hit */
    ALERT_DEFENSE_CHANGED,   /* what is enabled on a port */
    ALERT_AGENT_NOT_STARTED,
    ALERT_AGENT_STOPPED,
    ALERT_AGENT_RUNNING,
    ALERT_AGENT_EXPIRED,
    ALERT_AGENT_SUSPENDED,
    ALERT_COUNT
};

/* It happened: every subscription to a collection that holds it is told. */
void alert_raise(struct device *device, enum alert alert);

#endif
