#include "tests/amtsim/keyring.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "tests/amtsim/class.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/tls.h"
#include "tests/amtsim/tls_settings.h"

#define BLOB_MAX 8192

/* Of the set-up: handle 0 is the key, and its certificate. */
static void set_up(struct keyring *k, bool with_root)
{
    k->key_count = 1;
    k->keys[0] = (struct keyring_key){0};
    k->certificate_count = with_root ? 2 : 1;
    k->certificates[0] = (struct keyring_certificate){0};
    k->certificates[1] = (struct keyring_certificate){.handle = 1, .root = true};
    if (k->next_handle < 2)
        k->next_handle = 2;
}

struct keyring *keyring_of(struct device *d)
{
    if (d->keyring != NULL)
        return d->keyring;
    struct keyring *k = d->keyring = xcalloc(1, sizeof(*k));
    if (d->fleet->tls != NULL && d->tls != DEVICE_TLS_NONE)
        set_up(k, d->tls == DEVICE_TLS_MUTUAL);
    return k;
}

static void empty(struct keyring *k)
{
    for (size_t i = 0; i < k->key_count; i++)
        EVP_PKEY_free(k->keys[i].key);
    for (size_t i = 0; i < k->certificate_count; i++)
        X509_free(k->certificates[i].cert);
    k->key_count = k->certificate_count = 0;
}

void keyring_forget(struct device *d)
{
    struct keyring *k = keyring_of(d);
    empty(k);
    if (d->generation->tls_only && d->tls != DEVICE_TLS_NONE)
        set_up(k, false);
}

void keyring_free(struct keyring *k)
{
    if (k == NULL)
        return;
    empty(k);
    free(k);
}

/* --- looking --- */

struct keyring_certificate *keyring_certificate(struct keyring *k, uint32_t handle)
{
    for (size_t i = 0; i < k->certificate_count; i++)
        if (k->certificates[i].handle == handle)
            return &k->certificates[i];
    return NULL;
}

X509 *keyring_x509(struct device *d, const struct keyring_certificate *c)
{
    const uint8_t *der;
    size_t len;
    if (c->cert != NULL) {
        X509_up_ref(c->cert);
        return c->cert;
    }
    if ((c->root ? tls_ca(d, &der, &len) : tls_factory_certificate(d, &der, &len)) != 0)
        return NULL;
    return d2i_X509(NULL, &der, (long)len);
}

EVP_PKEY *keyring_private(struct device *d, const struct keyring_certificate *c, bool *factory)
{
    const struct keyring *k = keyring_of(d);
    EVP_PKEY *found = NULL;
    *factory = c->cert == NULL && !c->root;
    for (size_t i = 0; c->cert != NULL && i < k->key_count && found == NULL; i++)
        if (k->keys[i].key != NULL && EVP_PKEY_eq(k->keys[i].key, X509_get0_pubkey(c->cert)) == 1)
            found = k->keys[i].key;
    return found;
}

bool keyring_has_root(struct device *d)
{
    const struct keyring *k = keyring_of(d);
    for (size_t i = 0; i < k->certificate_count; i++)
        if (k->certificates[i].root)
            return true;
    return false;
}

bool keyring_handle(const char *id, const char *prefix, uint32_t *handle)
{
    uint64_t number;
    size_t n = strlen(prefix);
    if (id == NULL || strncmp(id, prefix, n) != 0 || !text_u64(id + n, 0, UINT32_MAX, &number))
        return false;
    *handle = (uint32_t)number;
    return true;
}

/* --- parameters --- */

/* The bytes of a base64 parameter; false: there are none. */
static bool blob(struct call *c, const char *name, struct buf *out)
{
    const char *text = call_text(c, name);
    *out = buf_init(BLOB_MAX);
    return text != NULL && text_base64_decode(out, text, strlen(text)) && out->len > 0 && buf_ok(out);
}

static EVP_PKEY *key_of_epr(struct call *c)
{
    struct keyring *k = keyring_of(c->device);
    struct epr epr;
    uint32_t handle;
    if (!call_epr(c, "KeyPair", &epr) ||
        !keyring_handle(epr_value(&epr, "InstanceID"), KEYRING_KEY_ID, &handle))
        return NULL;
    for (size_t i = 0; i < k->key_count; i++)
        if (k->keys[i].handle == handle)
            return k->keys[i].key;
    return NULL;
}

/* --- keys --- */

static uint32_t take_key(struct call *c, EVP_PKEY *key, const char *result)
{
    char id[KEYRING_ID_MAX];
    struct keyring *k = keyring_of(c->device);
    for (size_t i = 0; i < k->key_count; i++) {
        if (k->keys[i].key != NULL && EVP_PKEY_eq(k->keys[i].key, key) == 1) {
            EVP_PKEY_free(key);
            return RET_DUPLICATE;
        }
    }
    k->keys[k->key_count++] = (struct keyring_key){k->next_handle++, key};
    snprintf(id, sizeof(id), KEYRING_KEY_ID "%u", k->next_handle - 1);
    struct epr epr = epr_one("AMT_PublicPrivateKeyPair", "InstanceID", id);
    out_epr(c->out, result, &epr);
    return RET_OK;
}

/* Keys take long to make, and thousands of devices want some: all of this process share a few. A device gets
 * one that it does not have; it has at most as many as there are, less one. */
static EVP_PKEY *shared_key(const struct keyring *k)
{
    static EVP_PKEY *shared[KEYRING_KEYS + 1];
    for (size_t i = 0; i < KEYRING_KEYS + 1; i++) {
        bool taken = false;
        if (shared[i] == NULL && (shared[i] = EVP_RSA_gen(2048)) == NULL)
            return NULL;
        for (size_t n = 0; n < k->key_count && !taken; n++)
            taken = k->keys[n].key == shared[i];
        for (size_t n = 0; n < k->certificate_count && !taken; n++)
            taken = k->certificates[n].cert != NULL &&
                    EVP_PKEY_eq(X509_get0_pubkey(k->certificates[n].cert), shared[i]) == 1;
        if (!taken) {
            EVP_PKEY_up_ref(shared[i]);
            return shared[i];
        }
    }
    return EVP_RSA_gen(2048);
}

uint32_t keyring_generate(struct call *c)
{
    uint64_t algorithm, length;
    if (!call_num(c, "KeyAlgorithm", UINT32_MAX, &algorithm) ||
        !call_num(c, "KeyLength", UINT32_MAX, &length) || algorithm != 0)
        return RET_BAD_PARAMETER;
    if (length != 2048)
        return RET_KEY_LENGTH;
    if (keyring_of(c->device)->key_count == KEYRING_KEYS)
        return RET_MAXIMUM;
    EVP_PKEY *key = shared_key(keyring_of(c->device));
    return key != NULL ? take_key(c, key, "KeyPair") : RET_INTERNAL;
}

uint32_t keyring_add_key(struct call *c)
{
    struct buf bytes;
    EVP_PKEY *key = NULL;
    if (blob(c, "KeyBlob", &bytes)) {
        const unsigned char *p = bytes.p;
        key = d2i_PrivateKey(EVP_PKEY_RSA, NULL, &p, (long)bytes.len);
        ERR_clear_error();
    }
    buf_free(&bytes);
    if (key == NULL)
        return RET_BAD_PARAMETER;
    if (EVP_PKEY_get_bits(key) != 2048 || keyring_of(c->device)->key_count == KEYRING_KEYS) {
        uint32_t value = EVP_PKEY_get_bits(key) != 2048 ? RET_KEY_LENGTH : RET_MAXIMUM;
        EVP_PKEY_free(key);
        return value;
    }
    return take_key(c, key, "CreatedKey");
}

/* The request comes without a signature, and goes with that of the key. */
uint32_t keyring_request(struct call *c)
{
    static const EVP_MD *(*const digests[])(void) = {EVP_sha1, EVP_sha256, EVP_sha384};
    uint64_t algorithm;
    struct buf bytes;
    unsigned char *der = NULL;
    EVP_PKEY *key = key_of_epr(c);
    X509_REQ *request = NULL;
    if (blob(c, "NullSignedCertificateRequest", &bytes)) {
        const unsigned char *p = bytes.p;
        request = d2i_X509_REQ(NULL, &p, (long)bytes.len);
        if (request != NULL && p != bytes.p + bytes.len) {
            X509_REQ_free(request);
            request = NULL;
        }
    }
    buf_free(&bytes);
    bool good = key != NULL && request != NULL && call_num(c, "SigningAlgorithm", 2, &algorithm) &&
                EVP_PKEY_eq(key, X509_REQ_get0_pubkey(request)) == 1 &&
                X509_REQ_sign(request, key, digests[algorithm]()) > 0;
    int n = good ? i2d_X509_REQ(request, &der) : 0;
    if (n > 0)
        out_bytes(c->out, "SignedCertificateRequest", der, (size_t)n);
    OPENSSL_free(der);
    X509_REQ_free(request);
    ERR_clear_error();
    return n > 0 ? RET_OK : RET_BAD_PARAMETER;
}

void keyring_remove_key(struct call *c)
{
    struct keyring *k = keyring_of(c->device);
    struct keyring_key *key = &k->keys[c->instance];
    for (size_t i = 0; i < k->certificate_count && c->fault == SOAP_OK; i++) {
        const struct keyring_certificate *cert = &k->certificates[i];
        bool factory;
        EVP_PKEY *own = keyring_private(c->device, cert, &factory);
        if ((key->key != NULL && own == key->key) || (key->key == NULL && factory))
            c->fault = SOAP_IN_USE;
    }
    if (c->fault != SOAP_OK)
        return;
    EVP_PKEY_free(key->key);
    memmove(key, key + 1, (--k->key_count - c->instance) * sizeof(*key));
}

/* --- certificates --- */

static uint32_t add(struct call *c, bool root)
{
    char id[KEYRING_ID_MAX];
    struct keyring *k = keyring_of(c->device);
    struct buf bytes;
    X509 *cert = NULL;
    if (blob(c, "CertificateBlob", &bytes)) {
        const unsigned char *p = bytes.p;
        cert = d2i_X509(NULL, &p, (long)bytes.len);
        if (cert != NULL && (p != bytes.p + bytes.len || (root && X509_check_ca(cert) != 1))) {
            X509_free(cert);
            cert = NULL;
        }
        ERR_clear_error();
    }
    buf_free(&bytes);
    if (cert == NULL)
        return RET_CERTIFICATE;
    uint32_t value = k->certificate_count == KEYRING_CERTIFICATES ? RET_MAXIMUM : RET_OK;
    for (size_t i = 0; i < k->certificate_count; i++) {
        X509 *other = keyring_x509(c->device, &k->certificates[i]);
        if (other != NULL && X509_cmp(other, cert) == 0)
            value = RET_DUPLICATE;
        X509_free(other);
    }
    if (value != RET_OK) {
        X509_free(cert);
        return value;
    }
    k->certificates[k->certificate_count++] = (struct keyring_certificate){k->next_handle++, cert, root};
    snprintf(id, sizeof(id), KEYRING_CERT_ID "%u", k->next_handle - 1);
    struct epr epr = epr_one("AMT_PublicKeyCertificate", "InstanceID", id);
    out_epr(c->out, "CreatedCertificate", &epr);
    return RET_OK;
}

uint32_t keyring_add_certificate(struct call *c)
{
    return add(c, false);
}

uint32_t keyring_add_root(struct call *c)
{
    return c->device->tls == DEVICE_TLS_MUTUAL ? RET_NOT_PERMITTED : add(c, true);
}

void keyring_remove_certificate(struct call *c)
{
    struct keyring *k = keyring_of(c->device);
    struct keyring_certificate *cert = &k->certificates[c->instance];
    if (tls_settings_names(c->device, cert->handle) || (cert->root && c->device->tls == DEVICE_TLS_MUTUAL)) {
        c->fault = SOAP_IN_USE;
        return;
    }
    X509_free(cert->cert);
    memmove(cert, cert + 1, (--k->certificate_count - c->instance) * sizeof(*cert));
}
