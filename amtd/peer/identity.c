#include "amtd/peer/identity.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/text.h"
#include "base/xalloc.h"

#define FILE_MAX   65536
#define SEAL_OWNER "node/tls"
#define VALID_DAYS 36500 /* pins end trust, not dates */

struct identity {
    SSL_CTX *contexts[2]; /* connecting, accepting */
    X509_STORE *ca;       /* NULL: none */
    uint8_t pin[PEER_PIN];
};

/* --- pins and names --- */

static bool pin_of(X509 *cert, uint8_t pin[PEER_PIN])
{
    uint8_t *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
    bool ok = n > 0 && EVP_Digest(der, (size_t)n, pin, NULL, EVP_sha256(), NULL) == 1;

    OPENSSL_free(der);
    return ok;
}

bool peer_pin(const SSL *ssl, uint8_t pin[PEER_PIN])
{
    X509 *cert = SSL_get0_peer_certificate(ssl);

    return cert && pin_of(cert, pin);
}

bool peer_name_ok(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n > PEER_NAME_MAX || !isalnum((unsigned char)name[0]))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
            return false;
    return true;
}

bool peer_address_read(const char *text, char **host, uint16_t *port)
{
    const char *colon = strrchr(text, ':'), *begin = text, *end;
    uint64_t number = PEER_PORT;

    if (text[0] == '[') {
        begin = text + 1;
        end = strchr(begin, ']');
        if (!end || (end[1] != '\0' && end[1] != ':'))
            return false;
        colon = end[1] == ':' ? end + 1 : NULL;
    } else {
        if (colon && strchr(text, ':') != colon) /* an IPv6 address alone */
            colon = NULL;
        end = colon ? colon : text + strlen(text);
    }
    if (end == begin || end - begin > 255 || (colon && !text_u64(colon + 1, 1, 65535, &number)))
        return false;
    for (const char *p = begin; p < end; p++)
        if (!isalnum((unsigned char)*p) && !strchr(".-_:%", *p))
            return false;
    *host = xstrndup(begin, (size_t)(end - begin));
    *port = (uint16_t)number;
    return true;
}

/* --- making one --- */

static X509 *self_signed(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    X509_NAME *name = cert ? X509_get_subject_name(cert) : NULL;
    BIGNUM *serial = BN_new();
    bool ok =
        name && serial && X509_set_version(cert, X509_VERSION_3) == 1 &&
        BN_rand(serial, 120, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
        BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)) &&
        X509_gmtime_adj(X509_getm_notBefore(cert), -86400) &&
        X509_time_adj_ex(X509_getm_notAfter(cert), VALID_DAYS, 0, NULL) &&
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"amtd", -1, -1, 0) == 1 &&
        X509_set_issuer_name(cert, name) == 1 && X509_set_pubkey(cert, key) == 1 &&
        X509_sign(cert, key, EVP_sha256()) > 0;

    BN_free(serial);
    if (ok)
        return cert;
    X509_free(cert);
    return NULL;
}

static struct secret *make_pem(struct err *err)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = key ? self_signed(key) : NULL;
    BIO *bio = BIO_new(BIO_s_secmem());
    struct secret *pem = NULL;
    char *bytes;
    long n;

    if (cert && bio && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1 &&
        PEM_write_bio_X509(bio, cert) == 1 && (n = BIO_get_mem_data(bio, &bytes)) > 0)
        pem = secret_new(bytes, (size_t)n);
    else
        err_set(err, CAUSE_SYSTEM, "a TLS key cannot be made");
    BIO_free(bio);
    X509_free(cert);
    EVP_PKEY_free(key);
    return pem;
}

static int make_file(const char *path, const struct seal *seal, struct err *err)
{
    struct secret *pem = make_pem(err);
    struct buf content = buf_init_secret(FILE_MAX);
    int status = pem ? 0 : -1;

    if (status == 0 && seal)
        status = seal_secret(seal, SEAL_OWNER, pem, &content, err);
    else if (status == 0)
        buf_add(&content, secret_str(pem), secret_len(pem));
    if (status == 0)
        status = file_replace(path, content.p, content.len, err);
    buf_free(&content);
    secret_free(pem);
    return status;
}

/* --- reading one --- */

static int read_private(const char *path, struct buf *content, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    uint8_t *room;
    ssize_t n = -1;
    int status = 0;

    if (fd < 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_uid != geteuid() && st.st_uid != 0) ||
        (st.st_mode & 077) != 0)
        status = err_set(err, CAUSE_SEAL_BROKEN, "%s must be a file of this user with mode 0600", path);
    else if (st.st_size > FILE_MAX || !(room = buf_room(content, (size_t)st.st_size)) ||
             (n = read(fd, room, (size_t)st.st_size)) != (ssize_t)st.st_size)
        status = err_set(err, CAUSE_SYSTEM, "%s cannot be read", path);
    else
        buf_added(content, (size_t)n);
    close(fd);
    return status;
}

/* The peer must have the key of the certificate it shows. Whether that is somebody's is decided later. */
static int accept_any(X509_STORE_CTX *ctx, void *arg)
{
    (void)ctx;
    (void)arg;
    return 1;
}

static SSL_CTX *new_context(bool accepts)
{
    SSL_CTX *ctx = SSL_CTX_new(accepts ? TLS_server_method() : TLS_client_method());

    if (!ctx)
        return NULL;
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, accept_any, NULL);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return ctx;
}

static struct identity *identity_new(void)
{
    struct identity *identity = xcalloc(1, sizeof(*identity));

    identity->contexts[0] = new_context(false);
    identity->contexts[1] = new_context(true);
    return identity;
}

void identity_free(struct identity *identity)
{
    if (!identity)
        return;
    SSL_CTX_free(identity->contexts[0]);
    SSL_CTX_free(identity->contexts[1]);
    X509_STORE_free(identity->ca);
    free(identity);
}

static bool finish(struct identity *identity)
{
    X509 *cert = identity->contexts[0] ? SSL_CTX_get0_certificate(identity->contexts[0]) : NULL;

    return cert && pin_of(cert, identity->pin);
}

static bool use(SSL_CTX *ctx, X509 *cert, EVP_PKEY *key)
{
    return ctx && SSL_CTX_use_certificate(ctx, cert) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1 &&
           SSL_CTX_check_private_key(ctx) == 1;
}

static struct identity *from_pem(const char *path, const void *pem, size_t n, struct err *err)
{
    BIO *bio = BIO_new_mem_buf(pem, (int)n);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
    X509 *cert = key ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    struct identity *identity = cert ? identity_new() : NULL;

    if (!identity || !use(identity->contexts[0], cert, key) || !use(identity->contexts[1], cert, key) ||
        !finish(identity)) {
        err_set(err, CAUSE_SEAL_BROKEN, "%s: no TLS key with its certificate in it", path);
        identity_free(identity);
        identity = NULL;
    }
    ERR_clear_error();
    X509_free(cert);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return identity;
}

struct identity *identity_open(const char *path, const struct seal *seal, struct err *err)
{
    struct buf content = buf_init_secret(FILE_MAX);
    struct identity *identity = NULL;
    struct secret *pem = NULL;

    if ((access(path, F_OK) == 0 || make_file(path, seal, err) == 0) &&
        read_private(path, &content, err) == 0) {
        if (seal)
            pem = seal_unseal(seal, SEAL_OWNER, content.p, content.len, err);
        else
            pem = secret_new(buf_str(&content), content.len);
        if (pem)
            identity = from_pem(path, secret_str(pem), secret_len(pem), err);
    }
    secret_free(pem);
    buf_free(&content);
    return identity;
}

static int load_files(SSL_CTX *ctx, const char *cert, const char *key, struct err *err)
{
    int status = 0;

    if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
        status = err_set(err, CAUSE_INVALID_ARGUMENT, "%s: no PEM certificate that can be used in it", cert);
    else if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
             SSL_CTX_check_private_key(ctx) != 1)
        status = err_set(err, CAUSE_INVALID_ARGUMENT, "%s: no PEM key that belongs to %s in it", key, cert);
    ERR_clear_error();
    return status;
}

struct identity *identity_from_files(const char *cert, const char *key, const char *ca, struct err *err)
{
    struct identity *identity = identity_new();

    identity->ca = X509_STORE_new();
    if (load_files(identity->contexts[0], cert, key, err) == 0 &&
        load_files(identity->contexts[1], cert, key, err) == 0) {
        if (X509_STORE_load_file(identity->ca, ca) == 1 && finish(identity))
            return identity;
        err_set(err, CAUSE_INVALID_ARGUMENT, "%s: no PEM certificates of a CA in it", ca);
        ERR_clear_error();
    }
    identity_free(identity);
    return NULL;
}

/* --- what others ask --- */

const uint8_t *identity_pin(const struct identity *identity)
{
    return identity->pin;
}

bool identity_has_ca(const struct identity *identity)
{
    return identity->ca != NULL;
}

SSL_CTX *identity_context(const struct identity *identity, bool accepts)
{
    return identity->contexts[accepts];
}

static bool dns_name(X509 *cert, char name[PEER_NAME_MAX + 1])
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool found = false;

    for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(names, i);
        int n;

        if (one->type != GEN_DNS)
            continue;
        n = ASN1_STRING_length(one->d.dNSName);
        if (n <= 0 || n > PEER_NAME_MAX)
            continue;
        memcpy(name, ASN1_STRING_get0_data(one->d.dNSName), (size_t)n);
        name[n] = '\0';
        found = strlen(name) == (size_t)n && peer_name_ok(name);
    }
    GENERAL_NAMES_free(names);
    return found;
}

static bool common_name(X509 *cert, char name[PEER_NAME_MAX + 1])
{
    int n = X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name, PEER_NAME_MAX + 1);

    return n > 0 && strlen(name) == (size_t)n && peer_name_ok(name);
}

int peer_ca_name(const struct identity *identity, const SSL *ssl, bool accepts, char name[PEER_NAME_MAX + 1],
                 struct err *err)
{
    X509 *cert = SSL_get0_peer_certificate(ssl);
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int status = 0, why;

    if (!cert || !identity->ca || !ctx ||
        X509_STORE_CTX_init(ctx, identity->ca, cert, SSL_get_peer_cert_chain(ssl)) != 1 ||
        X509_STORE_CTX_set_purpose(ctx, accepts ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER) != 1) {
        status = err_set(err, CAUSE_PEER_UNKNOWN, "its certificate comes from no CA that is trusted here");
    } else if (X509_verify_cert(ctx) != 1) {
        why = X509_STORE_CTX_get_error(ctx);
        status = err_set(err,
                         why == X509_V_ERR_CERT_HAS_EXPIRED || why == X509_V_ERR_CERT_NOT_YET_VALID
                             ? CAUSE_TLS_EXPIRED
                             : CAUSE_PEER_UNKNOWN,
                         "its certificate is not accepted: %s", X509_verify_cert_error_string(why));
    } else if (!dns_name(cert, name) && !common_name(cert, name)) {
        status = err_set(err, CAUSE_PEER_UNKNOWN, "its certificate has no name that could be a peer's");
    }
    X509_STORE_CTX_free(ctx);
    ERR_clear_error();
    return status;
}

bool peer_has_name(const SSL *ssl, const char *host)
{
    X509 *cert = SSL_get0_peer_certificate(ssl);

    return cert && (X509_check_host(cert, host, 0, 0, NULL) == 1 || X509_check_ip_asc(cert, host, 0) == 1);
}
