#include "base/severity.h"

#include <stddef.h>
#include <string.h>

const char *const severity_names[] = {"info", "warning", "critical", NULL};

const char *severity_name(enum severity severity)
{
    return (unsigned)severity < SEVERITIES ? severity_names[severity] : "?";
}

bool severity_from_name(const char *name, enum severity *out)
{
    for (unsigned i = 0; name && i < SEVERITIES; i++) {
        if (strcmp(name, severity_names[i]) == 0) {
            *out = (enum severity)i;
            return true;
        }
    }
    return false;
}
