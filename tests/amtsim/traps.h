/* SNMP traps: whom a device of the first generations tells what it writes into its event log.
 *
 * One datagram to each subscriber, from the device's address, to UDP port 162 or what --trap-port says; only
 * to loopback. (reference wsman.md, 3.8; eoi.md, 3.5) */
#ifndef AMTSIM_TRAPS_H
#define AMTSIM_TRAPS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "tests/amtsim/device.h"

#define TRAP_SINKS_MAX     8
#define TRAP_COMMUNITY_MAX 32
#define TRAP_POLICY        134 /* the one there is; its filter matches everything */

struct trap_sink {
    uint32_t handle;  /* from 1, never given twice */
    uint32_t address; /* host byte order */
    uint32_t policy;
    char community[TRAP_COMMUNITY_MAX + 1];
};

/* False: there are as many as a device keeps. sink->handle is filled. */
bool trap_sink_add(struct device *device, struct trap_sink *sink);
/* The i-th, oldest first, or NULL. */
const struct trap_sink *trap_sink_at(const struct device *device, size_t i);
/* NULL: none has that handle. */
const struct trap_sink *trap_sink_find(const struct device *device, uint32_t handle);
bool trap_sink_remove(struct device *device, uint32_t handle);
void trap_sinks_free(struct device *device);

/* A record of the event log (EVENT_LOG_RECORD bytes) goes to all of them. */
void trap_send(struct device *device, const uint8_t *record);
/* For the control socket: an event that is told and not logged, {"sensor": 5, "offset": 0, "severity": 16,
 * ...}. */
int trap_set(struct device *device, const json_t *value, struct err *err);

#endif
