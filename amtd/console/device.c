#include "amtd/console/device.h"

#include "amtd/console/source.h"

const char *device_state_name(enum device_state state)
{
    static const char *const names[] = {[DEVICE_UNKNOWN] = "",
                                        [DEVICE_CONNECTED] = "connected",
                                        [DEVICE_POWERED_OFF] = "powered off",
                                        [DEVICE_UNPLUGGED] = "unplugged"};

    return names[state];
}

static bool become(struct device *device, enum device_state state)
{
    bool changed = device->state != state;

    device->state = state;
    return changed;
}

bool device_lines(struct device *device, unsigned known, unsigned on)
{
    bool there = known & on & (SOURCE_DCD | SOURCE_DSR);

    device->has_lines = device->has_lines || there;
    return become(device, there ? DEVICE_CONNECTED : device->has_lines ? DEVICE_POWERED_OFF : DEVICE_UNKNOWN);
}

bool device_down(struct device *device, bool no_port)
{
    return become(device, no_port ? DEVICE_UNPLUGGED : DEVICE_UNKNOWN);
}
