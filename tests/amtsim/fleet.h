/* The fleet: all devices, what they share, and how an address finds its device. */
#ifndef AMTSIM_FLEET_H
#define AMTSIM_FLEET_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "tests/amtsim/device.h"
#include "tests/amtsim/options.h"

struct conn;
struct kerberos;
struct listener;
struct tls_store;

struct fleet {
    const struct options *options; /* borrowed */
    uv_loop_t *loop;
    struct clock clock;
    int64_t began_ms; /* wall clock: what logs hold from before lies before this */
    struct device *devices;
    size_t count;
    uint8_t nonce_key[32];
    uint64_t nonce_count;
    EVP_MD *md5;               /* fetched once */
    EVP_MD_CTX *md;            /* for one computation at a time */
    struct buf body;           /* scratch: the document of the answer under way */
    struct buf part;           /* scratch: a part of it */
    struct buf wire;           /* scratch: the answer as it goes out */
    struct listener *listener; /* NULL: no sockets; its owner sets it */
    struct kerberos *kerberos; /* NULL: nobody logs in with tickets */
    struct tls_store *tls;     /* NULL: plain only */
    struct conn *conns;        /* open connections */
    uint64_t peers_refused;    /* from outside 127.0.0.0/8 */
    uint64_t no_device;        /* addresses without a device */
    size_t moved;              /* devices with a static address that is not their own (network.h) */
};

/* All devices with the options' settings, without machines and sockets. NULL and err. */
struct fleet *fleet_new(const struct options *options, uv_loop_t *loop, const struct clock *clock,
                        struct err *err);
void fleet_free(struct fleet *fleet); /* NULL is fine; the loop has to be run once more after */

/* Gives every device its machine. */
int fleet_start_machines(struct fleet *fleet, struct err *err);

/* The device at an address (host byte order), or NULL. */
struct device *fleet_at(struct fleet *fleet, uint32_t address);
/* The device of a number from 1, or NULL. */
struct device *fleet_number(struct fleet *fleet, uint64_t number);

#endif
