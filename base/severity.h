/* How much something that happened matters. */
#ifndef BASE_SEVERITY_H
#define BASE_SEVERITY_H

#include <stdbool.h>

enum severity {
    SEVERITY_INFO,     /* good to know */
    SEVERITY_WARNING,  /* somebody should look, some day */
    SEVERITY_CRITICAL, /* somebody should look now */
    SEVERITIES,
};

/* "info", "warning", "critical", in this order, ended by NULL: for tables of choices. */
extern const char *const severity_names[];
const char *severity_name(enum severity severity);
/* False: it is not such a name (or NULL). */
bool severity_from_name(const char *name, enum severity *out);

#endif
