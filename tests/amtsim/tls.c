#include "tests/amtsim/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/keyring.h"
#include "tests/amtsim/tls_settings.h"

#define HELD_MAX     (4u << 20)
#define DAY          86400L
#define CONTEXTS_MAX 32
#define RSA_BITS     2048
#define OLD_RSA_BITS 1024

/* What a session's SSL_CTX depends on. */
struct context {
    const struct generation *generation;
    bool mutual;
    bool old; /* TLS 1.0 with AES-CBC only, whatever the generation */
    SSL_CTX *ctx;
};

struct tls_store {
    EVP_PKEY *ca_key, *rsa, *ec;
    EVP_PKEY *other; /* of changed certificates */
    EVP_PKEY *old;   /* RSA 1024, of old-tls-only devices; their certificates are signed with SHA-1 */
    X509 *ca;
    uint8_t *ca_der;
    int ca_len;
    struct context contexts[CONTEXTS_MAX];
    size_t count;
};

/* Certificates of one device, by what makes them differ; DER, made when needed. */
enum kind { KIND_NORMAL, KIND_OLD, KIND_EXPIRED, KIND_CHANGED, KIND_COUNT };
struct tls_identity {
    uint8_t *der[KIND_COUNT];
    int len[KIND_COUNT];
    SSL_CTX *own; /* of what is in the keyring, in force; NULL: the fleet's serve, or it is not made yet */
};

struct tls_session {
    SSL *ssl;
    BIO *in, *out;   /* owned by ssl */
    struct buf held; /* to be sent when a handshake in the middle of the session is over */
};

static int failed(struct err *err, const char *what)
{
    char text[160];
    ERR_error_string_n(ERR_get_error(), text, sizeof(text));
    ERR_clear_error();
    return err_set(err, CAUSE_SYSTEM, "%s: %s", what, text);
}

/* --- certificates --- */

static bool extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = e != NULL && X509_add_ext(cert, e, -1) == 1;
    X509_EXTENSION_free(e);
    return ok;
}

struct subject {
    const char *cn;
    uint64_t serial;
    long from, until; /* seconds from now */
};

/* A certificate without extensions, not signed yet. */
static X509 *certificate_new(const struct subject *s, EVP_PKEY *key, X509 *issuer)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    X509_set_version(cert, 2);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), s->serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), s->from);
    X509_gmtime_adj(X509_getm_notAfter(cert), s->until);
    X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)"amtsim", -1, -1, 0);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)s->cn, -1, -1, 0);
    X509_set_issuer_name(cert, issuer != NULL ? X509_get_subject_name(issuer) : name);
    X509_set_pubkey(cert, key);
    return cert;
}

static int make_ca(struct tls_store *store)
{
    struct subject s = {"amtsim CA", 1, -DAY, 3650 * DAY};
    store->ca = certificate_new(&s, store->ca_key, NULL);
    if (!extend(store->ca, store->ca, NID_basic_constraints, "critical,CA:TRUE") ||
        !extend(store->ca, store->ca, NID_key_usage, "critical,keyCertSign,cRLSign") ||
        !extend(store->ca, store->ca, NID_subject_key_identifier, "hash") ||
        X509_sign(store->ca, store->ca_key, EVP_sha256()) == 0)
        return -1;
    store->ca_len = i2d_X509(store->ca, &store->ca_der);
    return store->ca_len > 0 ? 0 : -1;
}

static EVP_PKEY *key_for(const struct tls_store *store, const struct device *d, enum kind kind)
{
    if (kind == KIND_CHANGED)
        return store->other;
    if (kind == KIND_OLD)
        return store->old;
    return d->generation->ec_key ? store->ec : store->rsa;
}

static int make_device(struct device *d, enum kind kind, struct tls_identity *id)
{
    struct tls_store *store = d->fleet->tls;
    char name[DEVICE_NAME_MAX], address[16], cn[DEVICE_NAME_MAX + 16], san[96];
    bool expired = kind == KIND_EXPIRED;
    snprintf(cn, sizeof(cn), "%s.sim.example", device_host_name(d, name));
    snprintf(san, sizeof(san), "DNS:%s,IP:%s", cn, device_address(d, address));
    struct subject s = {cn, ((uint64_t)d->index + 1) * 16 + kind, expired ? -400 * DAY : -DAY,
                        expired ? -35 * DAY : 3650 * DAY};
    X509 *cert = certificate_new(&s, key_for(store, d, kind), store->ca);
    bool ok = extend(cert, store->ca, NID_subject_alt_name, san) &&
              extend(cert, store->ca, NID_ext_key_usage, "serverAuth") &&
              X509_sign(cert, store->ca_key, kind == KIND_OLD ? EVP_sha1() : EVP_sha256()) != 0;
    if (ok)
        id->len[kind] = i2d_X509(cert, &id->der[kind]);
    X509_free(cert);
    return ok && id->len[kind] > 0 ? 0 : -1;
}

static enum kind kind_now(const struct device *d)
{
    if (fault_pending(d, FAULT_EXPIRED_CERT) != NULL)
        return KIND_EXPIRED;
    if (fault_pending(d, FAULT_CHANGED_CERT) != NULL)
        return KIND_CHANGED;
    return d->generation->short_key || fault_pending(d, FAULT_OLD_TLS) != NULL ? KIND_OLD : KIND_NORMAL;
}

static int identity(struct device *d, enum kind kind)
{
    if (d->fleet->tls == NULL)
        return -1;
    if (d->tls_identity == NULL)
        d->tls_identity = xcalloc(1, sizeof(*d->tls_identity));
    return d->tls_identity->der[kind] != NULL ? 0 : make_device(d, kind, d->tls_identity);
}

int tls_factory_certificate(struct device *d, const uint8_t **der, size_t *len)
{
    enum kind kind = kind_now(d);
    if (identity(d, kind) != 0)
        return -1;
    *der = d->tls_identity->der[kind];
    *len = (size_t)d->tls_identity->len[kind];
    return 0;
}

int tls_ca(struct device *d, const uint8_t **der, size_t *len)
{
    if (d->fleet->tls == NULL)
        return -1;
    *der = d->fleet->tls->ca_der;
    *len = (size_t)d->fleet->tls->ca_len;
    return 0;
}

void tls_identity_free(struct tls_identity *id)
{
    for (int i = 0; id != NULL && i < KIND_COUNT; i++)
        OPENSSL_free(id->der[i]);
    if (id != NULL)
        SSL_CTX_free(id->own);
    free(id);
}

/* --- files for clients --- */

static FILE *create(const char *dir, const char *name, struct err *err)
{
    char *path = xasprintf("%s/%s", dir, name);
    FILE *f = fopen(path, "we");
    if (f == NULL)
        err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    else
        chmod(path, 0600);
    free(path);
    return f;
}

static int write_cert(const char *dir, const char *name, X509 *cert, struct err *err)
{
    FILE *f = create(dir, name, err);
    if (f == NULL)
        return -1;
    int ok = PEM_write_X509(f, cert);
    return fclose(f) == 0 && ok == 1 ? 0 : failed(err, name);
}

static int write_key(const char *dir, const char *name, EVP_PKEY *key, struct err *err)
{
    FILE *f = create(dir, name, err);
    if (f == NULL)
        return -1;
    int ok = PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    return fclose(f) == 0 && ok == 1 ? 0 : failed(err, name);
}

/* A client certificate as AMT wants it for mutual TLS. (reference wsman.md, 1.5) */
static int write_files(struct tls_store *store, const char *dir, struct err *err)
{
    struct subject s = {"amtsim client", 2, -DAY, 3650 * DAY};
    EVP_PKEY *key = EVP_RSA_gen(RSA_BITS);
    X509 *cert = certificate_new(&s, key, store->ca);
    bool ok = extend(cert, store->ca, NID_ext_key_usage, "clientAuth,2.16.840.1.113741.1.2.1") &&
              X509_sign(cert, store->ca_key, EVP_sha256()) != 0;
    int result = ok ? 0 : failed(err, "client certificate");
    if (result == 0 && (mkdir(dir, 0700) != 0 && errno != EEXIST))
        result = err_set_errno(err, CAUSE_SYSTEM, errno, "--tls-dir %s", dir);
    if (result == 0 &&
        (write_cert(dir, "ca.pem", store->ca, err) != 0 || write_cert(dir, "client.pem", cert, err) != 0 ||
         write_key(dir, "client.key", key, err) != 0))
        result = -1;
    X509_free(cert);
    EVP_PKEY_free(key);
    return result;
}

struct tls_store *tls_store_new(const char *dir, struct err *err)
{
    struct tls_store *store = xcalloc(1, sizeof(*store));
    store->ca_key = EVP_RSA_gen(RSA_BITS);
    store->rsa = EVP_RSA_gen(RSA_BITS);
    store->other = EVP_RSA_gen(RSA_BITS);
    store->old = EVP_RSA_gen(OLD_RSA_BITS);
    store->ec = EVP_EC_gen("P-256");
    if (store->ca_key == NULL || store->rsa == NULL || store->other == NULL || store->old == NULL ||
        store->ec == NULL || make_ca(store) != 0) {
        failed(err, "keys of the fleet");
    } else if (dir == NULL || write_files(store, dir, err) == 0) {
        return store;
    }
    tls_store_free(store);
    return NULL;
}

void tls_store_free(struct tls_store *store)
{
    if (store == NULL)
        return;
    for (size_t i = 0; i < store->count; i++)
        SSL_CTX_free(store->contexts[i].ctx);
    EVP_PKEY_free(store->ca_key);
    EVP_PKEY_free(store->rsa);
    EVP_PKEY_free(store->ec);
    EVP_PKEY_free(store->other);
    EVP_PKEY_free(store->old);
    X509_free(store->ca);
    OPENSSL_free(store->ca_der);
    free(store);
}

/* --- contexts --- */

/* Remote clients must be allowed remote administration by their certificate. */
static int verify_client(int ok, X509_STORE_CTX *ctx)
{
    if (!ok || X509_STORE_CTX_get_error_depth(ctx) > 0)
        return ok;
    EXTENDED_KEY_USAGE *usage =
        X509_get_ext_d2i(X509_STORE_CTX_get_current_cert(ctx), NID_ext_key_usage, NULL, NULL);
    bool client = false, amt = false;
    for (int i = 0; i < sk_ASN1_OBJECT_num(usage); i++) {
        char oid[64];
        OBJ_obj2txt(oid, sizeof(oid), sk_ASN1_OBJECT_value(usage, i), 1);
        client = client || strcmp(oid, "1.3.6.1.5.5.7.3.2") == 0;
        amt = amt || strcmp(oid, "2.16.840.1.113741.1.2.1") == 0;
    }
    EXTENDED_KEY_USAGE_free(usage);
    if (!client || !amt)
        X509_STORE_CTX_set_error(ctx, X509_V_ERR_INVALID_PURPOSE);
    return client && amt;
}

static SSL_CTX *context_new(const struct generation *g, bool mutual, bool old)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (ctx == NULL)
        return NULL;
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_min_proto_version(ctx, old ? TLS1_VERSION : g->tls_min);
    SSL_CTX_set_max_proto_version(ctx, old ? TLS1_VERSION : g->tls_max);
    SSL_CTX_set_cipher_list(ctx, old ? "AES128-SHA:AES256-SHA:@SECLEVEL=0" : g->ciphers);
    if (mutual)
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verify_client);
    return ctx;
}

static void context_trust(SSL_CTX *ctx, X509 *root)
{
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), root);
    SSL_CTX_add_client_CA(ctx, root);
}

static SSL_CTX *context_for(struct tls_store *store, const struct device *d)
{
    bool old = fault_pending(d, FAULT_OLD_TLS) != NULL, mutual = d->tls == DEVICE_TLS_MUTUAL;
    for (size_t i = 0; i < store->count; i++) {
        const struct context *c = &store->contexts[i];
        if (c->generation == d->generation && c->mutual == mutual && c->old == old)
            return c->ctx;
    }
    if (store->count == CONTEXTS_MAX)
        return NULL;
    SSL_CTX *ctx = context_new(d->generation, mutual, old);
    if (ctx != NULL && mutual)
        context_trust(ctx, store->ca);
    if (ctx != NULL)
        store->contexts[store->count++] = (struct context){d->generation, mutual, old, ctx};
    return ctx;
}

static void trust_roots(struct device *d, SSL_CTX *ctx)
{
    const struct keyring *keyring = keyring_of(d);
    for (size_t i = 0; i < keyring->certificate_count; i++) {
        X509 *root = keyring->certificates[i].root ? keyring_x509(d, &keyring->certificates[i]) : NULL;
        if (root != NULL)
            context_trust(ctx, root);
        X509_free(root);
    }
}

/* Certificate, key and roots from the keyring. */
static SSL_CTX *context_own(struct device *d, const struct keyring_certificate *certificate)
{
    bool factory;
    SSL_CTX *ctx = context_new(d->generation, d->tls == DEVICE_TLS_MUTUAL, false);
    if (ctx != NULL)
        trust_roots(d, ctx);
    EVP_PKEY *key = keyring_private(d, certificate, &factory);
    if (ctx != NULL && (SSL_CTX_use_certificate(ctx, certificate->cert) != 1 || key == NULL ||
                        SSL_CTX_use_PrivateKey(ctx, key) != 1)) {
        SSL_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

/* The certificate in force, when it is not that of the set-up. */
static const struct keyring_certificate *installed(struct device *d)
{
    struct tls_settings s = tls_settings(d);
    if (d->keyring == NULL || s.served == TLS_NO_CERTIFICATE)
        return NULL;
    const struct keyring_certificate *c = keyring_certificate(d->keyring, (uint32_t)s.served);
    return c != NULL && c->cert != NULL ? c : NULL;
}

void tls_own_drop(struct device *d)
{
    if (d->tls_identity == NULL)
        return;
    SSL_CTX_free(d->tls_identity->own);
    d->tls_identity->own = NULL;
}

static SSL *ssl_installed(struct device *d, const struct keyring_certificate *certificate)
{
    if (d->tls_identity == NULL)
        d->tls_identity = xcalloc(1, sizeof(*d->tls_identity));
    if (d->tls_identity->own == NULL)
        d->tls_identity->own = context_own(d, certificate);
    return d->tls_identity->own != NULL ? SSL_new(d->tls_identity->own) : NULL;
}

static SSL *ssl_factory(struct device *d)
{
    const uint8_t *der;
    size_t len;
    struct tls_store *store = d->fleet->tls;
    SSL_CTX *ctx = store != NULL ? context_for(store, d) : NULL;
    SSL *ssl = ctx != NULL && tls_factory_certificate(d, &der, &len) == 0 ? SSL_new(ctx) : NULL;
    if (ssl != NULL && SSL_use_certificate_ASN1(ssl, der, (int)len) == 1 &&
        SSL_use_PrivateKey(ssl, key_for(store, d, kind_now(d))) == 1)
        return ssl;
    SSL_free(ssl);
    return NULL;
}

/* --- sessions --- */

static struct tls_session *session_on(SSL *ssl)
{
    struct tls_session *s = xcalloc(1, sizeof(*s));
    s->ssl = ssl;
    s->held = buf_init(HELD_MAX);
    s->in = BIO_new(BIO_s_mem());
    s->out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, s->in, s->out);
    return s;
}

struct tls_session *tls_session_new(struct device *d)
{
    const struct keyring_certificate *own = installed(d);
    SSL *ssl = own != NULL ? ssl_installed(d, own) : ssl_factory(d);
    if (ssl == NULL) {
        log_warn(NULL, "TLS session: %s", ERR_reason_error_string(ERR_get_error()));
        ERR_clear_error();
        return NULL;
    }
    SSL_set_accept_state(ssl);
    return session_on(ssl);
}

struct tls_session *tls_session_to(struct device *d, const char *host)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (ctx == NULL)
        return NULL;
    SSL_CTX_set_min_proto_version(ctx, d->generation->tls_min);
    SSL_CTX_set_max_proto_version(ctx, d->generation->tls_max);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    trust_roots(d, ctx);
    SSL *ssl = SSL_new(ctx);
    SSL_CTX_free(ctx); /* the session has its own reference */
    if (ssl == NULL ||
        (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) != 1 && SSL_set1_host(ssl, host) != 1)) {
        SSL_free(ssl);
        ERR_clear_error();
        return NULL;
    }
    SSL_set_connect_state(ssl);
    return session_on(ssl);
}

void tls_session_free(struct tls_session *s)
{
    if (s == NULL)
        return;
    SSL_free(s->ssl);
    buf_free(&s->held);
    free(s);
}

static void drain(struct tls_session *s, struct buf *wire)
{
    char *p;
    long n = BIO_get_mem_data(s->out, &p);
    if (n > 0)
        buf_add(wire, p, (size_t)n);
    (void)BIO_reset(s->out);
}

enum tls_event tls_session_feed(struct tls_session *s, const void *p, size_t n, struct buf *plain,
                                struct buf *wire)
{
    char chunk[16384];
    enum tls_event event = TLS_GOING_ON;
    BIO_write(s->in, p, (int)n);
    for (;;) {
        ERR_clear_error();
        int got = SSL_read(s->ssl, chunk, sizeof(chunk));
        if (got > 0) {
            buf_add(plain, chunk, (size_t)got);
            continue;
        }
        int e = SSL_get_error(s->ssl, got);
        if (e == SSL_ERROR_ZERO_RETURN)
            event = TLS_CLOSED;
        else if (e != SSL_ERROR_WANT_READ)
            event = TLS_FAILED;
        break;
    }
    if (event == TLS_GOING_ON && s->held.len > 0 && SSL_is_init_finished(s->ssl)) {
        struct buf held = s->held;
        s->held = buf_init(HELD_MAX);
        if (tls_session_send(s, held.p, held.len, wire) != 0)
            event = TLS_FAILED;
        buf_free(&held);
    }
    drain(s, wire);
    return event;
}

int tls_session_send(struct tls_session *s, const void *p, size_t n, struct buf *wire)
{
    if (!SSL_is_init_finished(s->ssl)) {
        buf_add(&s->held, p, n);
        return buf_ok(&s->held) ? 0 : -1;
    }
    ERR_clear_error();
    bool ok = n == 0 || SSL_write(s->ssl, p, (int)n) == (int)n;
    drain(s, wire);
    return ok ? 0 : -1;
}

void tls_session_renew(struct tls_session *s, struct buf *wire)
{
    ERR_clear_error();
    if (SSL_version(s->ssl) >= TLS1_3_VERSION) {
        SSL_key_update(s->ssl, SSL_KEY_UPDATE_REQUESTED);
    } else {
        SSL_clear_options(s->ssl, SSL_OP_NO_RENEGOTIATION);
        SSL_renegotiate(s->ssl);
    }
    SSL_do_handshake(s->ssl);
    drain(s, wire);
}

void tls_session_end(struct tls_session *s, struct buf *wire)
{
    ERR_clear_error();
    if (SSL_is_init_finished(s->ssl))
        SSL_shutdown(s->ssl);
    drain(s, wire);
}

bool tls_session_ready(const struct tls_session *s)
{
    return SSL_is_init_finished(s->ssl);
}
