/* The command line of amtsim. */
#ifndef AMTSIM_OPTIONS_H
#define AMTSIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log.h"
#include "tests/amtsim/device.h"

struct secret;

struct options {
    uint32_t devices;
    uint32_t address;   /* of the first device, host byte order */
    uint16_t rmcp_port; /* UDP, of presence pings; 0: none */
    uint16_t trap_port; /* UDP, that traps go to */
    uint16_t port;      /* of plain WS-Man; TLS is one above, redirection two and three */
    const char *user;
    struct secret *password; /* owned */
    const struct generation *generation;
    enum device_tls tls;
    const char *scenario;      /* file, or NULL */
    const char *control;       /* socket path, or NULL */
    const char *machine;       /* "scripted", "qemu" */
    const char *image_dir;     /* guest system for qemu, or NULL: the one of the build */
    const char *kerberos_sids; /* file: who has which SID, or NULL: no Kerberos */
    const char *tls_dir;       /* where certificates for clients are written, or NULL */
    uint64_t seed;
    int64_t power_min_ms, power_max_ms; /* one power transition */
    int64_t nonce_ms;
    int64_t idle_ms;
    int64_t context_ms;
    uint32_t lock_count;
    int64_t lock_ms;
    uint32_t connections;  /* per device */
    uint32_t console_rate; /* bytes a second of a scripted machine's serial port; 0: no limit */
    bool anonymous_identify;
    bool help, version;
    enum log_level log_level;
};

/* Fills *o from the arguments and defaults. 0, or -1 and err (invalid-argument). Clear in both cases. */
int options_parse(struct options *o, int argc, char **argv, struct err *err);
void options_clear(struct options *o);
/* The defaults alone, for tests: one device, password P@ssw0rd. */
void options_defaults(struct options *o);
/* Text of --help. */
const char *options_help(void);

#endif
