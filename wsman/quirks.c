#include "wsman/quirks.h"

#include <stddef.h>

#include "base/text.h"

/* Newest first. Each row holds from its version on; marks of certainty are in the reference. */
static const struct quirks table[] = {
    {.from = "16.1",
     .os_power_saving = true,
     .graceful = true,
     .opt_in = true,
     .host_based_setup = true,
     .kvm_closes_before_off = true,
     .plain_gone = true,
     .boot_service_state = true,
     .parallel = 1,
     .tls_floor = "TLSv1.2"},
    {.from = "16",
     .os_power_saving = true,
     .graceful = true,
     .opt_in = true,
     .host_based_setup = true,
     .kvm_closes_before_off = true,
     .boot_service_state = true,
     .parallel = 1,
     .tls_floor = "TLSv1.2"},
    {.from = "15",
     .os_power_saving = true,
     .graceful = true,
     .opt_in = true,
     .host_based_setup = true,
     .kvm_closes_before_off = true,
     .boot_service_state = true,
     .parallel = 1,
     .tls_floor = "TLSv1.1"},
    {.from = "12",
     .os_power_saving = true,
     .graceful = true,
     .opt_in = true,
     .host_based_setup = true,
     .kvm_closes_before_off = true,
     .parallel = 1,
     .tls_floor = "TLSv1.1"},
    {.from = "10",
     .os_power_saving = true,
     .graceful = true,
     .opt_in = true,
     .host_based_setup = true,
     .kvm_closes_before_off = true,
     .parallel = 1,
     .tls_floor = "TLSv1.0"},
    {.from = "6.2",
     .opt_in = true,
     .host_based_setup = true,
     .kvm_closes_before_off = true,
     .parallel = 1,
     .tls_floor = "TLSv1.0"},
    {.from = "6", .opt_in = true, .kvm_closes_before_off = true, .parallel = 1, .tls_floor = "TLSv1.0"},
    {.from = "0", .parallel = 1, .tls_floor = "TLSv1.0"},
};

/* What to do while the version is not known: ask for everything that may be there, bear every absence. */
static const struct quirks careful = {.from = "",
                                      .os_power_saving = true,
                                      .graceful = true,
                                      .opt_in = true,
                                      .host_based_setup = true,
                                      .kvm_closes_before_off = true,
                                      .parallel = 1,
                                      .tls_floor = "TLSv1.0"};

const struct quirks *quirks_for(const char *version)
{
    if (!version || version[0] < '0' || version[0] > '9')
        return &careful;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (text_version_compare(version, table[i].from) >= 0)
            return &table[i];
    return &careful;
}
