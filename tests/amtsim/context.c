#include "tests/amtsim/context.h"

#include <stdio.h>
#include <string.h>

#include "tests/amtsim/fleet.h"

static void touch(const struct device *device, struct device_context *context)
{
    context->expires_ms = device_mono_ms(device) + device->fleet->options->context_ms;
}

struct device_context *context_open(struct device *device, uint16_t class_index)
{
    struct device_context *pick = &device->contexts[0];
    for (unsigned i = 0; i < DEVICE_CONTEXTS; i++) {
        struct device_context *c = &device->contexts[i];
        if (c->id == 0) {
            pick = c;
            break;
        }
        if (c->expires_ms < pick->expires_ms)
            pick = c;
    }
    *pick = (struct device_context){.id = ++device->context_id, .class_index = class_index};
    touch(device, pick);
    return pick;
}

struct device_context *context_find(struct device *device, const char *text, uint16_t class_index)
{
    char own[CONTEXT_TEXT_MAX];
    for (unsigned i = 0; i < DEVICE_CONTEXTS; i++) {
        struct device_context *c = &device->contexts[i];
        if (c->id == 0 || c->class_index != class_index || strcmp(context_text(c, own), text) != 0)
            continue;
        if (device_mono_ms(device) >= c->expires_ms) {
            context_close(c);
            return NULL;
        }
        touch(device, c);
        return c;
    }
    return NULL;
}

void context_close(struct device_context *context)
{
    *context = (struct device_context){0};
}

const char *context_text(const struct device_context *context, char *out)
{
    uint32_t id = context->id; /* the first group is little-endian */
    snprintf(out, CONTEXT_TEXT_MAX, "%02X%02X%02X%02X-0000-0000-0000-000000000000", id & 255, id >> 8 & 255,
             id >> 16 & 255, id >> 24);
    return out;
}
