/* Certificates and TLS contexts made for one test run. Anything that fails aborts. */
#ifndef TESTS_FAKE_CERT_H
#define TESTS_FAKE_CERT_H

#include <openssl/ssl.h>
#include <stdbool.h>

struct fake_cert {
    X509 *cert;
    EVP_PKEY *key;
};

struct fake_cert_wish {
    const char *name;               /* common name */
    const char *alternative;        /* "DNS:pc1.example", "IP:127.0.0.1"; NULL: none */
    const struct fake_cert *issuer; /* NULL: signs itself */
    bool authority;
    int bits;                  /* RSA; 0: 2048 */
    int from_days, until_days; /* from now; both 0: -1 to 365 */
};

struct fake_cert fake_cert_new(const struct fake_cert_wish *wish);
void fake_cert_free(struct fake_cert *cert);
/* SHA-256 in hex; out has 65 bytes. */
const char *fake_cert_pin(const struct fake_cert *cert, char *out);
/* Writes PEM; either path may be NULL. passphrase protects the key. */
void fake_cert_write(const struct fake_cert *cert, const char *cert_path, const char *key_path,
                     const char *passphrase);

/* A device's context. min, max: TLS1_VERSION ... or 0. old: security level 0 and RSA key exchange as of old
 * firmware. client_ca: asks for client certificates of this authority and insists. */
SSL_CTX *fake_ctx_new(const struct fake_cert *cert, int min, int max, bool old,
                      const struct fake_cert *client_ca);

#endif
