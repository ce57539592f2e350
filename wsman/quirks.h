/* What is different from one firmware generation to the next, in one table by version.
 * (reference wsman.md, section 5) */
#ifndef WSMAN_QUIRKS_H
#define WSMAN_QUIRKS_H

#include <stdbool.h>
#include <stdint.h>

struct quirks {
    const char *from;           /* first version the row holds for, "10.0" */
    bool os_power_saving;       /* IPS_PowerManagementService is there (10+) */
    bool graceful;              /* 12, 14, 4, 7 may be offered (10+) */
    bool opt_in;                /* IPS_OptInService is there (6+, whole from 7) */
    bool host_based_setup;      /* IPS_HostBasedSetupService is there (6.2+) */
    bool kvm_closes_before_off; /* KVM listener has to be closed before actions 3 to 9 */
    bool plain_gone;            /* 16992 does not listen on the network (16.1+) */
    bool boot_service_state;    /* CIM_BootService.EnabledState 32768.. and OCR (15+) */
    uint8_t parallel;           /* requests at a time that the firmware bears */
    const char *tls_floor;      /* lowest TLS version it speaks: "TLSv1.0" */
};

/* The row for a version text ("11.8.50"); the most careful one for NULL, "" or what is no version. Never
 * NULL. */
const struct quirks *quirks_for(const char *version);

#endif
