#include "wsman/http_tls.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "wsman/http_tls_file.h"

#define PIN_LEN         64 /* hex digits of SHA-256 */
#define CERTIFICATE_MAX 1024
#define STRENGTH_MIN    112 /* security bits of a key: what RSA with 2048 bits has */

enum verdict {
    VERDICT_NONE, /* nothing wrong with the certificate so far */
    VERDICT_CHANGED,
    VERDICT_WEAK,
    VERDICT_EXPIRED,
    VERDICT_UNTRUSTED,
};

struct http_trust {
    enum http_tls mode;
    bool old;
    bool oldest_only; /* TLS 1.0 exactly: the device breaks on more */
    char *name;
    bool name_is_address;
    bool pinned_may_end;
    X509_STORE *store;             /* HTTP_TLS_CA */
    struct http_identity identity; /* cert NULL: none */
    char pin[PIN_LEN + 1];         /* HTTP_TLS_PIN; "" until the first handshake */
    char pin_next[PIN_LEN + 1];    /* takes its place once it was seen; "" none */
    /* the last handshake */
    enum verdict verdict;
    int verify_error;  /* X509_V_ERR_ number */
    int alert;         /* description of a fatal alert received; -1: none */
    unsigned long why; /* OpenSSL's error on our side; 0: none */
    bool asked_for_identity;
    bool shaken;   /* the handshake ended well */
    bool answered; /* and then an answer came */
    /* facts */
    char seen[PIN_LEN + 1];
    char *certificate;
    char *names;
    const char *version;
    int64_t not_after_ms;
};

/* --- what is seen --- */

static void put_time(struct buf *out, const ASN1_TIME *time, int64_t *ms)
{
    struct tm tm = {0};

    if (ASN1_TIME_to_tm(time, &tm) != 1) {
        buf_puts(out, "?");
        return;
    }
    if (ms)
        *ms = (int64_t)timegm(&tm) * 1000;
    buf_printf(out, "%04d-%02d-%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

static void put_name(struct buf *out, const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;

    X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
    long n = BIO_get_mem_data(bio, &text);
    if (n > 0)
        text_printable(out, text, (size_t)n);
    BIO_free(bio);
}

static void put_text(struct buf *out, const ASN1_STRING *text)
{
    unsigned char *utf8 = NULL;
    int n = text ? ASN1_STRING_to_UTF8(&utf8, text) : -1;

    if (n > 0) {
        buf_puts(out, out->len > 0 ? ", " : "");
        text_printable(out, utf8, (size_t)n);
    }
    OPENSSL_free(utf8);
}

static void put_address(struct buf *out, const ASN1_OCTET_STRING *address)
{
    int n = ASN1_STRING_length(address);
    char text[INET6_ADDRSTRLEN];

    if ((n == 4 || n == 16) &&
        inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text, sizeof(text)))
        buf_printf(out, "%s%s", out->len > 0 ? ", " : "", text);
}

static bool is_same_text(const ASN1_STRING *a, const ASN1_STRING *b)
{
    return a && ASN1_STRING_length(a) == ASN1_STRING_length(b) &&
           memcmp(ASN1_STRING_get0_data(a), ASN1_STRING_get0_data(b), (size_t)ASN1_STRING_length(b)) == 0;
}

/* The names that a certificate is for: the common name, then the alternative ones that are others. */
static void note_names(struct http_trust *trust, const X509 *cert)
{
    const X509_NAME *subject = X509_get_subject_name(cert);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    GENERAL_NAMES *others = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    const ASN1_STRING *common = at >= 0 ? X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)) : NULL;
    struct buf text = buf_init(CERTIFICATE_MAX);

    put_text(&text, common);
    for (int i = 0; i < sk_GENERAL_NAME_num(others); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(others, i);

        if (name->type == GEN_DNS && !is_same_text(common, name->d.dNSName))
            put_text(&text, name->d.dNSName);
        else if (name->type == GEN_IPADD)
            put_address(&text, name->d.iPAddress);
    }
    GENERAL_NAMES_free(others);
    xreplace(&trust->names, buf_str(&text));
    buf_free(&text);
}

static void note_certificate(struct http_trust *trust, const X509 *cert, const char *pin)
{
    struct buf text = buf_init(CERTIFICATE_MAX);

    if (strcmp(pin, trust->seen) == 0)
        return;
    memcpy(trust->seen, pin, sizeof(trust->seen));
    put_name(&text, X509_get_subject_name(cert));
    buf_puts(&text, ", issued by ");
    put_name(&text, X509_get_issuer_name(cert));
    buf_puts(&text, ", valid ");
    put_time(&text, X509_get0_notBefore(cert), NULL);
    buf_puts(&text, " to ");
    put_time(&text, X509_get0_notAfter(cert), &trust->not_after_ms);
    xreplace(&trust->certificate, buf_str(&text));
    buf_free(&text);
    note_names(trust, cert);
}

static bool fingerprint(const X509 *cert, char out[PIN_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (!cert || X509_digest(cert, EVP_sha256(), sum, &n) != 1 || 2 * n != PIN_LEN)
        return false;
    for (unsigned i = 0; i < n; i++) {
        out[2 * i] = digits[sum[i] >> 4];
        out[2 * i + 1] = digits[sum[i] & 15];
    }
    out[PIN_LEN] = '\0';
    return true;
}

/* --- what OpenSSL calls --- */

static bool is_pinned(const struct http_trust *trust, const char *pin)
{
    return CRYPTO_memcmp(trust->pin, pin, PIN_LEN) == 0 ||
           (trust->pin_next[0] && CRYPTO_memcmp(trust->pin_next, pin, PIN_LEN) == 0);
}

static int verify_pin(X509_STORE_CTX *ctx, void *arg)
{
    struct http_trust *trust = arg;
    X509 *cert = X509_STORE_CTX_get0_cert(ctx);
    char pin[PIN_LEN + 1];

    if (!fingerprint(cert, pin)) {
        trust->verdict = VERDICT_UNTRUSTED;
        trust->verify_error = X509_V_ERR_UNSPECIFIED;
    } else {
        note_certificate(trust, cert, pin);
        if (trust->pin[0] && !is_pinned(trust, pin))
            trust->verdict = VERDICT_CHANGED;
        else if (!trust->old && EVP_PKEY_get_security_bits(X509_get0_pubkey(cert)) < STRENGTH_MIN)
            trust->verdict = VERDICT_WEAK;
    }
    X509_STORE_CTX_set_error(ctx, trust->verdict ? X509_V_ERR_CERT_REJECTED : X509_V_OK);
    return trust->verdict == VERDICT_NONE;
}

/* Its time is wrong, or that of its CA: OpenSSL looks at times last. The certificate itself is known. */
static bool may_have_ended(const struct http_trust *trust, X509_STORE_CTX *ctx, const char *pin)
{
    int error = X509_STORE_CTX_get_error(ctx);

    return trust->pinned_may_end && trust->pin[0] && is_pinned(trust, pin) &&
           (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID);
}

static int verify_ca(X509_STORE_CTX *ctx, void *arg)
{
    static const struct {
        int error;
        enum verdict verdict;
    } verdicts[] = {
        {X509_V_ERR_CERT_HAS_EXPIRED, VERDICT_EXPIRED}, {X509_V_ERR_CERT_NOT_YET_VALID, VERDICT_EXPIRED},
        {X509_V_ERR_EE_KEY_TOO_SMALL, VERDICT_WEAK},    {X509_V_ERR_CA_KEY_TOO_SMALL, VERDICT_WEAK},
        {X509_V_ERR_CA_MD_TOO_WEAK, VERDICT_WEAK},
    };
    struct http_trust *trust = arg;
    X509 *cert = X509_STORE_CTX_get0_cert(ctx);
    char pin[PIN_LEN + 1] = "";

    if (fingerprint(cert, pin))
        note_certificate(trust, cert, pin);
    if (X509_verify_cert(ctx) == 1)
        return 1;
    if (pin[0] && may_have_ended(trust, ctx, pin)) {
        X509_STORE_CTX_set_error(ctx, X509_V_OK);
        return 1;
    }
    trust->verify_error = X509_STORE_CTX_get_error(ctx);
    trust->verdict = VERDICT_UNTRUSTED;
    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
        if (verdicts[i].error == trust->verify_error)
            trust->verdict = verdicts[i].verdict;
    return 0;
}

static struct http_trust *trust_of(const SSL *ssl)
{
    return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

/* Called when the device asks for a certificate and we have none. */
static int no_identity(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
    (void)cert;
    (void)key;
    trust_of(ssl)->asked_for_identity = true;
    return 0; /* goes on without one; the device decides */
}

static void handshake_done(struct http_trust *trust, const SSL *ssl)
{
    trust->shaken = true;
    trust->version = SSL_get_version(ssl);
    /* Only now has the device proven that it holds the certificate's key. */
    if (trust->mode == HTTP_TLS_PIN && (!trust->pin[0] || strcmp(trust->seen, trust->pin_next) == 0))
        memcpy(trust->pin, trust->seen, sizeof(trust->pin));
}

static void on_info(const SSL *ssl, int where, int value)
{
    struct http_trust *trust = trust_of(ssl);

    if (where & SSL_CB_HANDSHAKE_DONE) {
        handshake_done(trust, ssl);
    } else if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT) {
        if ((value & 0xff) != SSL_AD_CLOSE_NOTIFY && (value & 0xff) != SSL_AD_USER_CANCELLED)
            trust->alert = value & 0xff;
    } else if ((where & SSL_CB_CONNECT_EXIT) == SSL_CB_CONNECT_EXIT && value <= 0 && !trust->why) {
        trust->why = ERR_peek_error();
    }
}

/* --- one connection --- */

static int set_versions(struct http_trust *trust, SSL_CTX *ctx)
{
    uint64_t options = SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF;

    if (trust->old) {
        options |= SSL_OP_LEGACY_SERVER_CONNECT;
        if (SSL_CTX_set_cipher_list(ctx, "DEFAULT:@SECLEVEL=0") != 1)
            return -1;
    } else {
        SSL_CTX_clear_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT);
        SSL_CTX_set_security_level(ctx, 2);
    }
    SSL_CTX_set_options(ctx, options);
    if (SSL_CTX_set_min_proto_version(ctx, trust->old ? TLS1_VERSION : TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, trust->oldest_only ? TLS1_VERSION : 0) != 1)
        return -1;
    return 0;
}

static int set_verification(struct http_trust *trust, SSL_CTX *ctx)
{
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);

    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (trust->mode == HTTP_TLS_PIN) {
        SSL_CTX_set_cert_verify_callback(ctx, verify_pin, trust);
        return 0;
    }
    SSL_CTX_set_cert_verify_callback(ctx, verify_ca, trust);
    SSL_CTX_set1_cert_store(ctx, trust->store);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    int ok = trust->name_is_address ? X509_VERIFY_PARAM_set1_ip_asc(param, trust->name)
                                    : X509_VERIFY_PARAM_set1_host(param, trust->name, 0);
    return ok == 1 ? 0 : -1;
}

static int set_identity(struct http_trust *trust, SSL_CTX *ctx)
{
    if (!trust->identity.cert) {
        SSL_CTX_set_client_cert_cb(ctx, no_identity);
        return 0;
    }
    return SSL_CTX_use_cert_and_key(ctx, trust->identity.cert, trust->identity.key, trust->identity.chain,
                                    1) == 1
               ? 0
               : -1;
}

int http_trust_prepare(struct http_trust *trust, void *ssl_ctx)
{
    SSL_CTX *ctx = ssl_ctx;

    trust->verdict = VERDICT_NONE;
    trust->verify_error = X509_V_OK;
    trust->alert = -1;
    trust->why = 0;
    trust->asked_for_identity = trust->shaken = trust->answered = false;
    SSL_CTX_set_app_data(ctx, trust);
    SSL_CTX_set_info_callback(ctx, on_info);
    SSL_CTX_set_keylog_callback(ctx, NULL); /* no environment variable makes us write keys to a file */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    return set_versions(trust, ctx) < 0 || set_verification(trust, ctx) < 0 || set_identity(trust, ctx) < 0
               ? -1
               : 0;
}

/* --- what a handshake came to --- */

static int changed_failure(const struct http_trust *trust, struct err *err)
{
    return err_set(err, CAUSE_TLS_CHANGED, "the certificate has SHA-256 %s, recorded is %s", trust->seen,
                   trust->pin);
}

static int weak_failure(const struct http_trust *trust, struct err *err)
{
    return err_set(err, CAUSE_TLS_VERSION, "the key of the certificate (%s) is too short for today",
                   trust->certificate ? trust->certificate : "?");
}

static int expired_failure(const struct http_trust *trust, struct err *err)
{
    return err_set(err, CAUSE_TLS_EXPIRED, "%s: %s", X509_verify_cert_error_string(trust->verify_error),
                   trust->certificate ? trust->certificate : "?");
}

static int untrusted_failure(const struct http_trust *trust, struct err *err)
{
    return err_set(err, CAUSE_TLS_UNTRUSTED, "%s: %s; SHA-256 %s",
                   X509_verify_cert_error_string(trust->verify_error),
                   trust->certificate ? trust->certificate : "?", trust->seen);
}

static int (*const verdict_failures[])(const struct http_trust *, struct err *) = {
    [VERDICT_CHANGED] = changed_failure,
    [VERDICT_WEAK] = weak_failure,
    [VERDICT_EXPIRED] = expired_failure,
    [VERDICT_UNTRUSTED] = untrusted_failure,
};

/* Reasons of OpenSSL on our side that mean: the device is too old for us. */
static bool too_old(unsigned long why)
{
    static const int reasons[] = {
        SSL_R_UNSUPPORTED_PROTOCOL,
        SSL_R_NO_PROTOCOLS_AVAILABLE,
        SSL_R_VERSION_TOO_LOW,
        SSL_R_DH_KEY_TOO_SMALL,
        SSL_R_EE_KEY_TOO_SMALL,
        SSL_R_WRONG_CIPHER_RETURNED,
        SSL_R_UNKNOWN_CIPHER_RETURNED,
        SSL_R_NO_CIPHERS_AVAILABLE,
        SSL_R_WRONG_SIGNATURE_TYPE,
        SSL_R_LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED,
        SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED,
    };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (ERR_GET_LIB(why) == ERR_LIB_SSL && ERR_GET_REASON(why) == reasons[i])
            return true;
    return false;
}

/* Alerts by which a device says that our hello holds nothing it can do. */
static bool alert_says_old(int alert)
{
    return alert == SSL_AD_PROTOCOL_VERSION || alert == SSL_AD_HANDSHAKE_FAILURE ||
           alert == SSL_AD_INSUFFICIENT_SECURITY || alert == SSL_AD_BAD_RECORD_MAC;
}

static bool why_is(const struct http_trust *trust, int reason)
{
    return ERR_GET_LIB(trust->why) == ERR_LIB_SSL && ERR_GET_REASON(trust->why) == reason;
}

static int alert_failure(const struct http_trust *trust, struct err *err)
{
    const char *alert = SSL_alert_desc_string_long(trust->alert);

    if (trust->shaken && trust->alert == SSL_AD_HANDSHAKE_FAILURE)
        return err_set(
            err, CAUSE_TLS_FAILED,
            "the device wanted new keys in the middle of a connection, which is refused (alert: %s)", alert);
    if (trust->asked_for_identity)
        return err_set(err, CAUSE_TLS_FAILED,
                       "the device asks for a client certificate, and the profile has none (alert: %s)",
                       alert);
    if (!trust->shaken && alert_says_old(trust->alert))
        return err_set(err, CAUSE_TLS_VERSION,
                       "the device has no TLS version or cipher in common with us (alert: %s)", alert);
    if (trust->identity.cert)
        return err_set(err, CAUSE_TLS_FAILED, "the device refuses our client certificate (alert: %s)", alert);
    return err_set(err, CAUSE_TLS_FAILED, "the device broke off the TLS handshake (alert: %s)", alert);
}

int http_trust_failure(const struct http_trust *trust, struct err *err)
{
    if (trust->verdict)
        return verdict_failures[trust->verdict](trust, err);
    if (trust->alert >= 0)
        return alert_failure(trust, err);
    /* With TLS 1.3 the device judges after our side is done, and its alert may get lost behind our request.
     */
    if (trust->asked_for_identity && !trust->answered)
        return err_set(err, CAUSE_TLS_FAILED,
                       "the device asks for a client certificate, the profile has none, and so it hung up");
    if (trust->shaken || !trust->why)
        return 0;
    if (why_is(trust, SSL_R_WRONG_VERSION_NUMBER) || why_is(trust, SSL_R_HTTP_REQUEST))
        return err_set(err, CAUSE_TLS_FAILED,
                       "what answers at this port does not speak TLS; is it the plain port?");
    if (too_old(trust->why))
        return err_set(err, CAUSE_TLS_VERSION, "the device offers only what is too old: %s",
                       ERR_reason_error_string(trust->why));
    const char *reason = ERR_reason_error_string(trust->why);
    return err_set(err, CAUSE_TLS_FAILED, "the TLS handshake failed: %s",
                   reason ? reason : "for an unknown reason");
}

void http_trust_answered(struct http_trust *trust)
{
    trust->answered = true;
}

bool http_trust_try_older(struct http_trust *trust)
{
    if (!trust->old || trust->oldest_only || trust->shaken || trust->alert != SSL_AD_BAD_RECORD_MAC)
        return false;
    trust->oldest_only = true;
    return true;
}

void http_trust_facts(const struct http_trust *trust, struct http_facts *facts)
{
    facts->pin = trust ? trust->seen : "";
    facts->certificate = trust && trust->certificate ? trust->certificate : "";
    facts->names = trust && trust->names ? trust->names : "";
    facts->tls_version = trust && trust->version ? trust->version : "";
    facts->not_after_ms = trust ? trust->not_after_ms : 0;
}

/* --- settings --- */

static bool take_pin(char out[PIN_LEN + 1], const char *pin)
{
    if (!pin)
        return true;
    if (strlen(pin) != PIN_LEN || strspn(pin, "0123456789abcdefABCDEF") != PIN_LEN)
        return false;
    for (size_t i = 0; i < PIN_LEN; i++)
        out[i] = (char)tolower((unsigned char)pin[i]);
    return true;
}

int http_trust_expect(struct http_trust *trust, const char *pin, struct err *err)
{
    return take_pin(trust->pin_next, pin)
               ? 0
               : err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' is no pin: 64 hex digits of SHA-256 are", pin);
}

static bool is_address(const char *name)
{
    ASN1_OCTET_STRING *octets = a2i_IPADDRESS(name);

    ASN1_OCTET_STRING_free(octets);
    ERR_clear_error();
    return octets != NULL;
}

static int take_settings(struct http_trust *trust, struct http_tls_file **files,
                         const struct http_settings *s, struct err *err)
{
    if (!take_pin(trust->pin, s->pin))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' is no pin: 64 hex digits of SHA-256 are", s->pin);
    if (http_trust_expect(trust, s->pin_next, err) < 0)
        return -1;
    if (s->look && (s->user || s->password || s->kerberos || s->client_cert_file))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "who only looks has nothing to log in with");
    if (s->old_tls && (s->tls != HTTP_TLS_PIN || !(s->pin || s->look)))
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "old TLS is allowed only together with a pinned certificate");
    if (s->client_key_file && !s->client_cert_file)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "a client key without a certificate");
    if (s->tls == HTTP_TLS_CA && !(trust->store = http_tls_file_store(files, s->ca_file, err)))
        return -1;
    if (s->client_cert_file &&
        http_tls_file_identity(files, s->client_cert_file, s->client_key_file, &trust->identity, err) < 0)
        return -1;
    return 0;
}

struct http_trust *http_trust_new(struct http_tls_file **files, const struct http_settings *settings,
                                  struct err *err)
{
    struct http_trust *trust = xcalloc(1, sizeof(*trust));

    trust->mode = settings->tls;
    trust->old = settings->old_tls;
    trust->pinned_may_end = settings->pinned_may_end;
    trust->alert = -1;
    trust->name = xstrdup(settings->name);
    trust->name_is_address = is_address(settings->name);
    if (take_settings(trust, files, settings, err) == 0)
        return trust;
    http_trust_free(trust);
    return NULL;
}

const char *http_trust_sni(const struct http_trust *trust)
{
    return trust->name_is_address ? NULL : trust->name;
}

void http_trust_free(struct http_trust *trust)
{
    if (!trust)
        return;
    X509_STORE_free(trust->store);
    http_identity_clear(&trust->identity);
    free(trust->name);
    free(trust->certificate);
    free(trust->names);
    free(trust);
}
