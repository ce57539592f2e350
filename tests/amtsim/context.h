/* Open enumerations: a few per device, forgotten when unused. (reference wsman.md, 2.4) */
#ifndef AMTSIM_CONTEXT_H
#define AMTSIM_CONTEXT_H

#include "tests/amtsim/device.h"

#define CONTEXT_TEXT_MAX 40

/* A new context; the least recently used one gives way. Never NULL. */
struct device_context *context_open(struct device *device, uint16_t class_index);
/* The context of that text if it is of that class and still lives, else NULL. Its life begins anew. */
struct device_context *context_find(struct device *device, const char *text, uint16_t class_index);
void context_close(struct device_context *context);
/* "D6020000-0000-0000-0000-000000000000". out: CONTEXT_TEXT_MAX bytes. */
const char *context_text(const struct device_context *context, char *out);

#endif
