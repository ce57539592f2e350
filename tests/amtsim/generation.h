/* Firmware generations: what differs between AMT 2, 5, 6, 9, 11, 16 and 21. (reference wsman.md, sections 1.5
 * and 5; eoi.md) */
#ifndef AMTSIM_GENERATION_H
#define AMTSIM_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

struct generation {
    uint8_t number;        /* 2, 5, 6, 9, 11, 16, 21 */
    const char *version;   /* "16.0.15": CIM_SoftwareIdentity AMT */
    const char *build;     /* "1810" */
    const char *server;    /* the Server header's value */
    const char *qop;       /* of the digest challenge */
    int tls_min, tls_max;  /* TLS1_VERSION ... TLS1_3_VERSION of OpenSSL */
    const char *ciphers;   /* OpenSSL cipher list up to TLS 1.2 */
    bool ec_key;           /* device key: P-256 instead of RSA 2048 */
    bool short_key;        /* RSA 1024, with a certificate signed by SHA-1 */
    bool idle_power_ok;    /* on while on, off while off: ReturnValue 0 without effect instead of 2 */
    bool graceful;         /* offers 4, 7, 12, 14 when the OS agent runs */
    bool nmi;              /* offers 11 */
    bool strict_boot_put;  /* refuses an AMT_BootSettingData Put that holds read-only members */
    bool web_off;          /* the web pages only say that they are off */
    uint8_t redir_logins;  /* bit per login type of redirection that it offers */
    bool challenges_again; /* a refused redirection login carries a new challenge */
    bool holds_power;      /* refuses power off, cycle and reset while a SOL session is open */
    bool usb_redirection; /* IDE-R is USB storage: boots from CD only with a medium in the floppy drive too */
    bool eoi;             /* serves the SOAP interface of its time, and no WS-Management */
    bool tls_only;        /* real firmware has no plain ports any more */
};

/* The generation of that number, NULL when there is none. Static. */
const struct generation *generation_by_number(unsigned number);
/* The i-th of the table, oldest first; NULL behind the last. */
const struct generation *generation_at(unsigned i);

#endif
