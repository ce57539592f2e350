/* The keys and certificates that a device keeps. (reference wsman.md, 3.12)
 *
 * A device that was set up with TLS has one of each from the beginning, which the fleet's CA signed; with
 * mutual TLS also the root that clients come from. Everything else is put there by those who manage it, and
 * stays through every boot of the machine. */
#ifndef AMTSIM_KEYRING_H
#define AMTSIM_KEYRING_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/amtsim/device.h"

#define KEYRING_KEYS         8
#define KEYRING_CERTIFICATES 8
#define KEYRING_ID_MAX       48
#define KEYRING_KEY_ID       "Intel(r) AMT Key: Handle: "
#define KEYRING_CERT_ID      "Intel(r) AMT Certificate: Handle: "

struct keyring_key {
    uint32_t handle;
    EVP_PKEY *key; /* NULL: that of the set-up */
};

struct keyring_certificate {
    uint32_t handle;
    X509 *cert; /* NULL: that of the set-up, or the fleet's CA when it is a root */
    bool root;
};

struct keyring {
    struct keyring_key keys[KEYRING_KEYS];
    size_t key_count;
    struct keyring_certificate certificates[KEYRING_CERTIFICATES];
    size_t certificate_count;
    uint32_t next_handle;
};

/* Made at the first call. */
struct keyring *keyring_of(struct device *device);
/* The device's set-up is taken back: what was put there is gone. Firmware without plain ports has again what
 * it had at first. */
void keyring_forget(struct device *device);
void keyring_free(struct keyring *keyring); /* NULL is fine */

struct keyring_certificate *keyring_certificate(struct keyring *keyring, uint32_t handle); /* NULL: none */
/* The certificate itself: the caller's own reference, NULL when there is none. */
X509 *keyring_x509(struct device *device, const struct keyring_certificate *certificate);
/* The private key that belongs to it, borrowed: NULL when the device does not have it, or it is that of the
 * set-up. *factory: it is that one. */
EVP_PKEY *keyring_private(struct device *device, const struct keyring_certificate *certificate,
                          bool *factory);
bool keyring_has_root(struct device *device);
/* The number in an id with this prefix; false: it is none. */
bool keyring_handle(const char *id, const char *prefix, uint32_t *handle);

/* Methods of AMT_PublicKeyManagementService and what is deleted: ReturnValue, or the fault in the call. */
struct call;
uint32_t keyring_generate(struct call *call);
uint32_t keyring_request(struct call *call);
uint32_t keyring_add_key(struct call *call);
uint32_t keyring_add_certificate(struct call *call);
uint32_t keyring_add_root(struct call *call);
void keyring_remove_key(struct call *call);
void keyring_remove_certificate(struct call *call);

#endif
