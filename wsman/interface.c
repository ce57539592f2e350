#include "wsman/interface.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

static const char *const names[] = {
    [INTERFACE_UNKNOWN] = "", [INTERFACE_WSMAN] = "wsman", [INTERFACE_EOI] = "eoi"};

const char *interface_name(enum interface interface)
{
    return names[interface];
}

enum interface interface_by_name(const char *name)
{
    for (int i = INTERFACE_WSMAN; name && i <= INTERFACE_EOI; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum interface)i;
    return INTERFACE_UNKNOWN;
}

enum interface interface_of_version(const char *version)
{
    if (!version || version[0] < '0' || version[0] > '9')
        return INTERFACE_UNKNOWN;
    if (text_version_compare(version, "3") < 0)
        return INTERFACE_EOI;
    return text_version_compare(version, "9") >= 0 ? INTERFACE_WSMAN : INTERFACE_UNKNOWN;
}
