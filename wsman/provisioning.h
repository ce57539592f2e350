/* Whether a device that lets us in is provisioned. One that is not accepts the login of its administrator,
 * tells ProvisioningState, and answers e:AccessDenied to nearly everything else. (reference wsman.md,
 * section 3.1) */
#ifndef WSMAN_PROVISIONING_H
#define WSMAN_PROVISIONING_H

#include "wsman/seq.h"

struct provisioning_seq {
    struct seq seq; /* first */
};

/* Readies the sequence. It is done when the device is provisioned (or does not have the class), and fails
 * with not-provisioned when it is not, or with what kept it from being asked. */
void provisioning_seq_init(struct provisioning_seq *ps);

#endif
