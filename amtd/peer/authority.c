#include "amtd/peer/authority.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "base/xalloc.h"

#define KEY_BITS     2048
#define KEY_BITS_MIN 1024
#define KEY_BITS_MAX 4096
#define TEXT_MAX     1024
#define SERIAL_BYTES 16
#define DAY_S        86400
#define AMT_CLIENT   "2.16.840.1.113741.1.2.1" /* remote console */
#define NO_SIGNATURE "1.3.6.1.5.5.7.6.2"

static int openssl_failed(struct err *err, enum cause cause, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());

    err_set(err, cause, "%s: %s", what, reason ? reason : "for an unknown reason");
    ERR_clear_error();
    return -1;
}

/* --- reading bytes from outside --- */

static bool key_is_sane(const EVP_PKEY *key)
{
    int bits = key ? EVP_PKEY_get_bits(key) : 0;

    return key && EVP_PKEY_is_a(key, "RSA") && bits >= KEY_BITS_MIN && bits <= KEY_BITS_MAX;
}

static X509 *read_x509(const void *der, size_t n)
{
    const unsigned char *p = der;
    X509 *cert = n > 0 && n <= AUTHORITY_DER_MAX ? d2i_X509(NULL, &p, (long)n) : NULL;

    ERR_clear_error();
    if (cert && (p != (const unsigned char *)der + n || !X509_get0_pubkey(cert))) {
        X509_free(cert);
        ERR_clear_error();
        return NULL;
    }
    return cert;
}

static EVP_PKEY *read_key(const void *der, size_t n)
{
    const unsigned char *p = der;
    EVP_PKEY *key = n > 0 && n <= AUTHORITY_DER_MAX ? d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, (long)n) : NULL;

    ERR_clear_error();
    if (key && (p != (const unsigned char *)der + n || !key_is_sane(key))) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

/* The request is for this key, and the one who has the key signed it. */
static bool request_proves(const struct buf *request, EVP_PKEY *key)
{
    const unsigned char *p = request->p;
    X509_REQ *req = request->len <= AUTHORITY_DER_MAX ? d2i_X509_REQ(NULL, &p, (long)request->len) : NULL;
    EVP_PKEY *own = req ? X509_REQ_get0_pubkey(req) : NULL;
    bool good =
        own && p == request->p + request->len && EVP_PKEY_eq(own, key) == 1 && X509_REQ_verify(req, key) == 1;

    X509_REQ_free(req);
    ERR_clear_error();
    return good;
}

static void put_pin(const X509 *cert, char pin[AUTHORITY_PIN + 1])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    pin[0] = '\0';
    if (X509_digest(cert, EVP_sha256(), sum, &n) != 1)
        return;
    for (unsigned i = 0; i < n && 2 * i < AUTHORITY_PIN; i++)
        snprintf(pin + (size_t)2 * i, 3, "%02x", sum[i]);
}

static int64_t time_ms(const ASN1_TIME *time)
{
    struct tm tm = {0};

    return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) * 1000 : 0;
}

static char *name_line(const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    struct buf out = buf_init(TEXT_MAX);
    char *text = NULL;

    X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
    long n = BIO_get_mem_data(bio, &text);
    if (n > 0)
        text_printable(&out, text, (size_t)n);
    BIO_free(bio);
    return buf_take(&out);
}

static void put_name(struct buf *out, const GENERAL_NAME *name)
{
    char address[INET6_ADDRSTRLEN];
    int n;

    if (name->type == GEN_DNS) {
        buf_puts(out, out->len > 0 ? ", " : "");
        text_printable(out, ASN1_STRING_get0_data(name->d.dNSName),
                       (size_t)ASN1_STRING_length(name->d.dNSName));
    } else if (name->type == GEN_IPADD) {
        n = ASN1_STRING_length(name->d.iPAddress);
        if ((n == 4 || n == 16) &&
            inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name->d.iPAddress), address,
                      sizeof(address)))
            buf_printf(out, "%s%s", out->len > 0 ? ", " : "", address);
    }
}

static char *names_line(const X509 *cert)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    struct buf out = buf_init(TEXT_MAX);

    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++)
        put_name(&out, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
    return buf_take(&out);
}

int leaf_read(struct leaf *leaf, const void *der, size_t n, struct err *err)
{
    X509 *cert = read_x509(der, n);
    unsigned char *key = NULL;
    int key_len;

    memset(leaf, 0, sizeof(*leaf));
    leaf->key = buf_init(AUTHORITY_DER_MAX);
    if (!cert)
        return err_set(err, CAUSE_BAD_ANSWER, "these %zu bytes are no certificate", n);
    put_pin(cert, leaf->pin);
    leaf->from_ms = time_ms(X509_get0_notBefore(cert));
    leaf->until_ms = time_ms(X509_get0_notAfter(cert));
    leaf->subject = name_line(X509_get_subject_name(cert));
    leaf->issuer = name_line(X509_get_issuer_name(cert));
    leaf->names = names_line(cert);
    if (key_is_sane(X509_get0_pubkey(cert)) && (key_len = i2d_PublicKey(X509_get0_pubkey(cert), &key)) > 0)
        buf_add(&leaf->key, key, (size_t)key_len);
    OPENSSL_free(key);
    X509_free(cert);
    ERR_clear_error();
    return 0;
}

void leaf_clear(struct leaf *leaf)
{
    free(leaf->subject);
    free(leaf->issuer);
    free(leaf->names);
    buf_free(&leaf->key);
    memset(leaf, 0, sizeof(*leaf));
}

static bool is_signed(X509 *ca, X509 *cert)
{
    return X509_check_issued(ca, cert) == X509_V_OK && X509_verify(cert, X509_get0_pubkey(ca)) == 1;
}

bool authority_signed(const struct buf *ca, const void *der, size_t n)
{
    X509 *cert = read_x509(der, n), *issuer = read_x509(ca->p, ca->len);
    bool good = cert && issuer && is_signed(issuer, cert);

    X509_free(cert);
    X509_free(issuer);
    ERR_clear_error();
    return good;
}

static bool is_address(const char *name)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

bool leaf_carries(const void *der, size_t n, const char *const names[])
{
    X509 *cert = read_x509(der, n);
    bool good = cert != NULL;

    for (size_t i = 0; good && names[i]; i++)
        good = is_address(names[i])
                   ? X509_check_ip_asc(cert, names[i], 0) == 1
                   : X509_check_host(cert, names[i], 0, X509_CHECK_FLAG_NO_WILDCARDS, NULL) == 1;
    X509_free(cert);
    ERR_clear_error();
    return good;
}

/* --- making --- */

static bool extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension;
    bool good;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    good = extension && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

static bool add_text(X509_NAME *name, const char *field, const char *text)
{
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0) ==
           1;
}

static bool set_serial(X509 *cert)
{
    unsigned char bytes[SERIAL_BYTES];
    BIGNUM *number;
    bool good;

    if (RAND_bytes(bytes, sizeof(bytes)) != 1)
        return false;
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, and never short */
    number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    good = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
    BN_free(number);
    return good;
}

static X509 *begin(EVP_PKEY *key, int64_t from_ms, int64_t until_ms)
{
    X509 *cert = X509_new();

    if (cert && X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert) &&
        ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(from_ms / 1000)) &&
        ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(until_ms / 1000)) && X509_set_pubkey(cert, key) == 1)
        return cert;
    X509_free(cert);
    return NULL;
}

static int put_der(X509 *cert, struct buf *out)
{
    unsigned char *der = NULL;
    int n = i2d_X509(cert, &der);

    if (n > 0)
        buf_add(out, der, (size_t)n);
    OPENSSL_free(der);
    return n > 0 && buf_ok(out) ? 0 : -1;
}

static struct secret *private_key(const EVP_PKEY *key)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    unsigned char *der = NULL;
    int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : 0;
    struct secret *secret = n > 0 ? secret_new(der, (size_t)n) : NULL;

    OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
    PKCS8_PRIV_KEY_INFO_free(info);
    return secret;
}

int authority_make(int64_t now_ms, struct buf *der, struct secret **key, struct err *err)
{
    EVP_PKEY *pair = EVP_RSA_gen(KEY_BITS);
    X509 *cert =
        pair ? begin(pair, now_ms - (int64_t)DAY_S * 1000, now_ms + (int64_t)AUTHORITY_CA_DAYS * DAY_S * 1000)
             : NULL;
    X509_NAME *name = cert ? X509_get_subject_name(cert) : NULL;
    unsigned char id[4];
    char common[32];
    int status = -1;

    *key = NULL;
    if (cert && RAND_bytes(id, sizeof(id)) == 1) {
        snprintf(common, sizeof(common), "amtd CA %02x%02x%02x%02x", id[0], id[1], id[2], id[3]);
        if (add_text(name, "O", "amtd") && add_text(name, "CN", common) &&
            X509_set_issuer_name(cert, name) == 1 &&
            extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
            extend(cert, cert, NID_key_usage, "critical,keyCertSign,cRLSign") &&
            extend(cert, cert, NID_subject_key_identifier, "hash") &&
            X509_sign(cert, pair, EVP_sha256()) > 0 && put_der(cert, der) == 0 && (*key = private_key(pair)))
            status = 0;
    }
    X509_free(cert);
    EVP_PKEY_free(pair);
    return status == 0 ? 0 : openssl_failed(err, CAUSE_SYSTEM, "a CA cannot be made");
}

/* A name that DNS may have; anything else is a name for people only. */
static bool is_dns(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n < 254 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") == n;
}

bool leaf_name_fits(const char *name)
{
    return is_address(name) || is_dns(name);
}

static GENERAL_NAMES *general_names(const char *const names[])
{
    GENERAL_NAMES *out = GENERAL_NAMES_new();

    for (size_t i = 0; out && names[i]; i++) {
        GENERAL_NAME *name = is_address(names[i]) ? a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_IPADD, names[i], 0)
                             : is_dns(names[i])   ? a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_DNS, names[i], 0)
                                                  : NULL;

        if (name && sk_GENERAL_NAME_push(out, name) == 0)
            GENERAL_NAME_free(name);
    }
    return out;
}

static bool add_names(X509 *cert, const char *const names[])
{
    GENERAL_NAMES *all = general_names(names);
    bool good = all && (sk_GENERAL_NAME_num(all) == 0 ||
                        X509_add1_ext_i2d(cert, NID_subject_alt_name, all, 0, X509V3_ADD_DEFAULT) == 1);

    GENERAL_NAMES_free(all);
    return good;
}

#define COMMON_NAME_MAX 64 /* what X.520 allows */

static bool add_subject(X509_NAME *name, const char *text)
{
    char common[COMMON_NAME_MAX + 1];

    snprintf(common, sizeof(common), "%s", text);
    return add_text(name, "CN", common);
}

static int fill(X509 *cert, X509 *ca, EVP_PKEY *ca_key, const struct leaf_order *order)
{
    const char *use = order->client ? "clientAuth," AMT_CLIENT : "serverAuth";

    return add_subject(X509_get_subject_name(cert), order->names[0]) &&
                   X509_set_issuer_name(cert, X509_get_subject_name(ca)) == 1 &&
                   extend(cert, ca, NID_basic_constraints, "critical,CA:FALSE") &&
                   extend(cert, ca, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
                   extend(cert, ca, NID_ext_key_usage, use) &&
                   extend(cert, ca, NID_subject_key_identifier, "hash") &&
                   extend(cert, ca, NID_authority_key_identifier, "keyid") && add_names(cert, order->names) &&
                   X509_sign(cert, ca_key, EVP_sha256()) > 0
               ? 0
               : -1;
}

int authority_issue(const struct buf *ca, const struct secret *key, const struct leaf_order *order,
                    struct buf *out, struct err *err)
{
    const unsigned char *p = (const unsigned char *)secret_str(key);
    X509 *issuer = read_x509(ca->p, ca->len), *cert = NULL;
    EVP_PKEY *ca_key = d2i_AutoPrivateKey(NULL, &p, (long)secret_len(key));
    EVP_PKEY *leaf_key = read_key(order->public_key->p, order->public_key->len);
    int64_t until = order->until_ms;
    int status = -1;

    if (!leaf_key) {
        err_set(err, CAUSE_BAD_ANSWER, "the device's public key is none of RSA with 1024 to 4096 bits");
    } else if (order->request && order->request->len > 0 && !request_proves(order->request, leaf_key)) {
        err_set(err, CAUSE_BAD_ANSWER,
                "the request that the device signed does not prove that it has the key");
    } else if (issuer && ca_key && X509_check_private_key(issuer, ca_key) == 1) {
        if (until > time_ms(X509_get0_notAfter(issuer)))
            until = time_ms(X509_get0_notAfter(issuer));
        cert = begin(leaf_key, order->from_ms, until);
        status = cert && fill(cert, issuer, ca_key, order) == 0 ? put_der(cert, out) : -1;
        if (status != 0)
            openssl_failed(err, CAUSE_SYSTEM, "the certificate cannot be made");
    } else {
        openssl_failed(err, CAUSE_SEAL_BROKEN, "the CA's key does not belong to its certificate");
    }
    X509_free(cert);
    X509_free(issuer);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(leaf_key);
    ERR_clear_error();
    return status;
}

/* In place of a signature stands a hash, with the name of no algorithm at all. */
static bool leave_unsigned(X509_REQ *req)
{
    unsigned char *body = NULL, sum[EVP_MAX_MD_SIZE];
    unsigned sum_len = 0;
    X509_ALGOR *none = X509_ALGOR_new();
    ASN1_BIT_STRING *signature = ASN1_BIT_STRING_new();
    int n;
    bool good = none && signature &&
                X509_ALGOR_set0(none, OBJ_txt2obj(NO_SIGNATURE, 1), V_ASN1_NULL, NULL) == 1 &&
                X509_REQ_set1_signature_algo(req, none) == 1;

    n = good ? i2d_re_X509_REQ_tbs(req, &body) : 0;
    good = n > 0 && EVP_Digest(body, (size_t)n, sum, &sum_len, EVP_sha1(), NULL) == 1 &&
           ASN1_BIT_STRING_set(signature, sum, (int)sum_len) == 1;
    if (good) {
        signature->flags = (signature->flags & ~(long)7) | ASN1_STRING_FLAG_BITS_LEFT;
        X509_REQ_set0_signature(req, signature);
        signature = NULL;
    }
    ASN1_BIT_STRING_free(signature);
    X509_ALGOR_free(none);
    OPENSSL_free(body);
    return good;
}

int authority_request(const char *const names[], const void *public_key, size_t n, struct buf *out,
                      struct err *err)
{
    EVP_PKEY *key = read_key(public_key, n);
    X509_REQ *req = X509_REQ_new();
    unsigned char *der = NULL;
    int len = 0;

    if (!key) {
        err_set(err, CAUSE_BAD_ANSWER, "the device's public key is none of RSA with 1024 to 4096 bits");
    } else if (req && X509_REQ_set_version(req, X509_REQ_VERSION_1) == 1 &&
               add_subject(X509_REQ_get_subject_name(req), names[0]) && X509_REQ_set_pubkey(req, key) == 1 &&
               leave_unsigned(req)) {
        len = i2d_X509_REQ(req, &der);
    }
    if (len > 0)
        buf_add(out, der, (size_t)len);
    else if (key)
        openssl_failed(err, CAUSE_SYSTEM, "a request cannot be made");
    OPENSSL_free(der);
    X509_REQ_free(req);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return len > 0 && buf_ok(out) ? 0 : -1;
}

int authority_key(struct buf *private, struct buf *public, struct err *err)
{
    EVP_PKEY *key = EVP_RSA_gen(KEY_BITS);
    unsigned char *secret = NULL, *open = NULL;
    int n = key ? i2d_PrivateKey(key, &secret) : 0, m = key ? i2d_PublicKey(key, &open) : 0;

    if (n > 0 && m > 0) {
        buf_add(private, secret, (size_t)n);
        buf_add(public, open, (size_t)m);
    }
    OPENSSL_clear_free(secret, n > 0 ? (size_t)n : 0);
    OPENSSL_free(open);
    EVP_PKEY_free(key);
    return n > 0 && m > 0 ? 0 : openssl_failed(err, CAUSE_SYSTEM, "a key cannot be made");
}

/* --- as text --- */

void authority_pem(const void *der, size_t n, struct buf *out)
{
    X509 *cert = read_x509(der, n);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    long len = cert && PEM_write_bio_X509(bio, cert) == 1 ? BIO_get_mem_data(bio, &text) : 0;

    if (len > 0)
        buf_add(out, text, (size_t)len);
    BIO_free(bio);
    X509_free(cert);
}

int authority_key_pem(const struct buf *private_key, struct buf *out, struct err *err)
{
    const unsigned char *p = private_key->p;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)private_key->len);
    BIO *bio = BIO_new(BIO_s_secmem());
    char *text = NULL;
    long len = key && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1
                   ? BIO_get_mem_data(bio, &text)
                   : 0;

    if (len > 0)
        buf_add(out, text, (size_t)len);
    BIO_free(bio);
    EVP_PKEY_free(key);
    return len > 0 && buf_ok(out) ? 0 : openssl_failed(err, CAUSE_SYSTEM, "a key cannot be written");
}

static bool is_same(X509 *ca, X509 *cert)
{
    return X509_cmp(cert, ca) == 0;
}

/* One of the certificates in the file is so; `unread` when there is none that can be read. */
static bool any_in_file(const char *path, const struct buf *der, bool unread,
                        bool (*holds)(X509 *ca, X509 *cert))
{
    X509 *ca = read_x509(der->p, der->len), *cert;
    BIO *file = ca ? BIO_new_file(path, "re") : NULL;
    bool found = false, read = false;

    while (file && !found && (cert = PEM_read_bio_X509(file, NULL, NULL, NULL))) {
        read = true;
        found = holds(ca, cert);
        X509_free(cert);
    }
    BIO_free(file);
    X509_free(ca);
    ERR_clear_error();
    return read ? found : unread;
}

bool authority_in_file(const char *path, const struct buf *ca)
{
    return any_in_file(path, ca, false, is_same);
}

bool authority_signed_in_file(const char *path, const struct buf *ca)
{
    return any_in_file(path, ca, true, is_signed);
}
