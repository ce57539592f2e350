/* What a device is: version, identity, how it is set up, what it can do. (reference wsman.md,
 * section 3.1, 3.4, 3.5, 3.10) */
#ifndef WSMAN_IDENTITY_H
#define WSMAN_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "wsman/seq.h"

struct identity {
    char version[32]; /* "11.8.50", "" unknown */
    char build[16];
    char uuid[40]; /* text form, first three groups byte-swapped */
    char host_name[256];
    char domain[256];
    char realm[64];   /* AMT_GeneralSettings.DigestRealm */
    char address[64]; /* of the wired port */
    char mac[24];
    uint32_t sku;           /* CIM_SoftwareIdentity 'Sku', bits; 0 unknown */
    int provisioning_state; /* 0 pre, 1 in, 2 post, -1 unknown */
    int provisioning_mode;  /* 1 admin, 4 client, -1 unknown */
    int control_mode;       /* 0 none, 1 client, 2 admin, -1 not there (before 6.2: admin) */
    int power;              /* enum power_state, -1 unknown */
    int redirection;        /* EnabledState 32768.. : bit 0 IDE-R, bit 1 SOL; -1 unknown */
    bool listener;
    int kvm;         /* EnabledState 2 in use, 3 disabled, 6 idle, -1 not there */
    uint32_t opt_in; /* OptInRequired: 0 none, 1 KVM, 0xffffffff all */
    bool opt_in_known;
    int64_t clock; /* the device's clock, seconds since 1970; -1 unknown */
};

enum identity_extent {
    IDENTITY_WHOLE, /* a class that the firmware does not have leaves its part unknown */
    IDENTITY_BRIEF, /* what a login proves (AMT_GeneralSettings), and the version */
    IDENTITY_UUID,  /* which machine it is: that alone; the failure of not being told is the sequence's */
};

struct identity_seq {
    struct seq seq; /* first */
    struct identity identity;
    enum identity_extent extent;
};

void identity_seq_init(struct identity_seq *is, enum identity_extent extent);

/* "Intel AMT", "Standard Manageability", ...: what the Sku bits say; static. */
const char *identity_sku_name(uint32_t sku);
const char *identity_state_name(int provisioning_state);         /* "pre", "in", "post", "unknown" */
const char *identity_mode_name(const struct identity *identity); /* "admin", "client", "none" */

/* The 16 bytes of GetUuid (SMBIOS order) as text into out[40]. */
void identity_uuid_text(const uint8_t bytes[16], char out[40]);

#endif
