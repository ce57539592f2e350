#include "tests/unit/wsman/fake_cert.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_S 86400L

static void must(int ok)
{
    if (ok != 1)
        abort();
}

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    must(extension != NULL);
    must(X509_add_ext(cert, extension, -1));
    X509_EXTENSION_free(extension);
}

struct fake_cert fake_cert_new(const struct fake_cert_wish *wish)
{
    static long serial;
    struct fake_cert made = {X509_new(), EVP_RSA_gen(wish->bits ? (unsigned)wish->bits : 2048)};
    const struct fake_cert *issuer = wish->issuer ? wish->issuer : &made;
    bool no_days = !wish->from_days && !wish->until_days;
    X509_NAME *name = X509_get_subject_name(made.cert);

    must(made.key != NULL);
    must(X509_set_version(made.cert, X509_VERSION_3));
    must(ASN1_INTEGER_set(X509_get_serialNumber(made.cert), ++serial));
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)wish->name, -1, -1, 0));
    must(X509_set_issuer_name(made.cert, X509_get_subject_name(issuer->cert)));
    X509_gmtime_adj(X509_getm_notBefore(made.cert), DAY_S * (no_days ? -1 : wish->from_days));
    X509_gmtime_adj(X509_getm_notAfter(made.cert), DAY_S * (no_days ? 365 : wish->until_days));
    must(X509_set_pubkey(made.cert, made.key));
    if (wish->authority)
        add_extension(made.cert, NID_basic_constraints, "critical,CA:TRUE");
    if (wish->alternative)
        add_extension(made.cert, NID_subject_alt_name, wish->alternative);
    must(X509_sign(made.cert, issuer->key, EVP_sha256()) > 0);
    return made;
}

void fake_cert_free(struct fake_cert *cert)
{
    X509_free(cert->cert);
    EVP_PKEY_free(cert->key);
    *cert = (struct fake_cert){NULL, NULL};
}

const char *fake_cert_pin(const struct fake_cert *cert, char *out)
{
    unsigned char *der = NULL;
    unsigned char sum[32];
    int n = i2d_X509(cert->cert, &der);

    must(n > 0);
    must(EVP_Q_digest(NULL, "SHA256", NULL, der, (size_t)n, sum, NULL));
    for (int i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02X", sum[i]);
    OPENSSL_free(der);
    return out;
}

void fake_cert_write(const struct fake_cert *cert, const char *cert_path, const char *key_path,
                     const char *passphrase)
{
    if (cert_path) {
        FILE *f = fopen(cert_path, "w");
        must(f && PEM_write_X509(f, cert->cert));
        fclose(f);
    }
    if (key_path) {
        FILE *f = fopen(key_path, cert_path && cert_path == key_path ? "a" : "w");
        must(f && PEM_write_PrivateKey(f, cert->key, passphrase ? EVP_aes_256_cbc() : NULL, NULL, 0, NULL,
                                       (void *)passphrase));
        fclose(f);
    }
}

SSL_CTX *fake_ctx_new(const struct fake_cert *cert, int min, int max, bool old,
                      const struct fake_cert *client_ca)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    SSL_CTX_set_security_level(ctx, 0);
    must(SSL_CTX_set_min_proto_version(ctx, min));
    must(SSL_CTX_set_max_proto_version(ctx, max));
    must(SSL_CTX_set_cipher_list(ctx, old ? "RSA+AES:@SECLEVEL=0" : "DEFAULT:@SECLEVEL=0"));
    must(SSL_CTX_use_certificate(ctx, cert->cert));
    must(SSL_CTX_use_PrivateKey(ctx, cert->key));
    if (client_ca) {
        must(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), client_ca->cert));
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
        SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"fake", 4);
    }
    return ctx;
}
