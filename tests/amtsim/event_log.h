/* The event log of a device: what both interfaces show of it. (reference wsman.md, 3.6; class_event.c) */
#ifndef AMTSIM_EVENT_LOG_H
#define AMTSIM_EVENT_LOG_H

#include <stddef.h>

#include "base/buf.h"
#include "tests/amtsim/device.h"
#include "tests/amtsim/record.h"

#define EVENT_LOG_RECORD 21 /* bytes */
#define EVENT_LOG_MAX    390

size_t event_log_count(const struct device *device);
/* Appends the i-th record, newest first. */
void event_log_record(const struct device *device, size_t i, struct buf *out);
void event_log_clear(struct device *device);
/* Something happened: what is logged is told to those that hear traps. */
void event_log_tell(struct device *device, const struct record_event *event);

#endif
