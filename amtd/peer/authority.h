/* The small CA of amtd: its own certificate, and those it gives to devices. Cryptography only, without store
 * or network; every function may be called on any thread.
 *
 * What comes from devices (certificates, public keys, signed requests) is bytes from outside: it is taken
 * only whole, up to AUTHORITY_DER_MAX bytes, with RSA keys of sizes that AMT has. (RFC 5280, 2986, 8017) */
#ifndef AMTD_PEER_AUTHORITY_H
#define AMTD_PEER_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"

#define AUTHORITY_DER_MAX   8192
#define AUTHORITY_PIN       64 /* hex digits of SHA-256 over the DER */
#define AUTHORITY_NAMES_MAX 4
#define AUTHORITY_CA_DAYS   3650

/* A certificate as it is read. Strings are owned. */
struct leaf {
    char pin[AUTHORITY_PIN + 1];
    int64_t from_ms, until_ms; /* wall clock */
    char *subject, *issuer;    /* one line each, printable */
    char *names;               /* alternative names and addresses, parted by ", "; "" none */
    struct buf key;            /* the public key as PKCS#1; empty when it is not RSA */
};
/* 0, or -1 with err (bad-answer). *leaf is cleared with leaf_clear in both cases. */
int leaf_read(struct leaf *leaf, const void *der, size_t n, struct err *err);
void leaf_clear(struct leaf *leaf);

/* Signed by this CA. */
bool authority_signed(const struct buf *ca, const void *der, size_t n);
/* It carries all these names and addresses, ended by NULL. */
bool leaf_carries(const void *der, size_t n, const char *const names[]);

/* A name that a certificate can carry: one that DNS may have, or an address. */
bool leaf_name_fits(const char *name);

/* A new CA from now on for AUTHORITY_CA_DAYS: its certificate appended to der, its key (PKCS#8) the caller's.
 */
int authority_make(int64_t now_ms, struct buf *der, struct secret **key, struct err *err);

/* What a certificate is to say. */
struct leaf_order {
    const char *const *names; /* host name, DNS names, addresses; ended by NULL; the first is the subject's */
    int64_t from_ms, until_ms;
    const struct buf *public_key; /* PKCS#1 */
    const struct buf *request;    /* PKCS#10, signed by that key; NULL or empty: there is none */
    bool client;                  /* for amtd itself, as AMT wants of clients (reference wsman.md, 1.5) */
};
/* Appends the certificate. It ends no later than its CA. Causes: bad-answer (key or request of the device),
 * system. */
int authority_issue(const struct buf *ca, const struct secret *key, const struct leaf_order *order,
                    struct buf *out, struct err *err);

/* A request for these names and that key which nobody has signed (RFC 5272, id-alg-noSignature): the device
 * signs it. Appends. */
int authority_request(const char *const names[], const void *public_key, size_t n, struct buf *out,
                      struct err *err);

/* A key for a device that makes none: private half (PKCS#1) and public half appended. Takes a while. */
int authority_key(struct buf *private_key, struct buf *public_key, struct err *err);

/* The private half as PEM, appended to a secret buffer. */
int authority_key_pem(const struct buf *private_key, struct buf *out, struct err *err);
/* DER as PEM, appended. */
void authority_pem(const void *der, size_t n, struct buf *out);
/* The file (PEM) holds this certificate. */
bool authority_in_file(const char *path, const struct buf *ca);
/* The file holds a certificate that was signed by this CA, or cannot be read. */
bool authority_signed_in_file(const char *path, const struct buf *ca);

#endif
