/* Start of a session and login. (reference redirection.md, sections 1.1 to 1.3) */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "sol/redir_internal.h"

#define START 0x10
#define LOGIN 0x13

#define STRING_MAX    255 /* a length has one byte */
#define CNONCE_MAX    64
#define REALM_MAX     64
#define NONCE_MAX     64
#define QOP_MAX       8
#define METHODS_MAX   32
#define CHALLENGE_MAX 2048
#define HEX_MD5       32

/* Where the login happens, and what is done there: parts of what a digest proves. The method is POST although
 * nothing is posted. */
static const char uri[] = "/RedirectionService";
static const char nonce_count[] = "00000001";

struct redir_secrets {
    char *user;
    struct secret *password;
    unsigned methods;
    char realm[REALM_MAX + 1];
    char cnonce[CNONCE_MAX + 1];
    enum redir_method method; /* chosen */
};

/* --- what is brought along --- */

static bool fits(const char *text, size_t min, size_t max)
{
    size_t n = text ? strlen(text) : 0;

    return n >= min && n <= max;
}

static int check(const struct redir_login *login, struct err *err)
{
    const unsigned known = REDIR_MAY_DIGEST | REDIR_MAY(REDIR_KERBEROS) | REDIR_MAY(REDIR_CLEAR);
    bool by_password = (login->methods & ~REDIR_MAY(REDIR_KERBEROS)) != 0;

    if (login->methods == 0 || (login->methods & ~known) != 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "no way of logging in is allowed");
    if (!fits(login->user, by_password, STRING_MAX))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "a user name for redirection has 1 to 255 bytes");
    if (secret_len(login->password) > STRING_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "a password for redirection has at most 255 bytes");
    if (!fits(login->realm, 0, REALM_MAX))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "a digest realm has at most %d bytes", REALM_MAX);
    if (login->cnonce && !fits(login->cnonce, 1, CNONCE_MAX))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "a client nonce has 1 to %d characters", CNONCE_MAX);
    return 0;
}

static void hex(char *out, const uint8_t *p, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * n] = '\0';
}

static int make_cnonce(struct redir_secrets *secrets, const char *given, struct err *err)
{
    uint8_t random[16];

    if (given) {
        snprintf(secrets->cnonce, sizeof(secrets->cnonce), "%s", given);
        return 0;
    }
    if (RAND_bytes(random, sizeof(random)) != 1)
        return err_set(err, CAUSE_SYSTEM, "OpenSSL gives no random numbers");
    hex(secrets->cnonce, random, sizeof(random));
    return 0;
}

struct redir_secrets *redir_secrets_new(const struct redir_login *login, struct err *err)
{
    struct redir_secrets *secrets;

    if (check(login, err) < 0)
        return NULL;
    secrets = xcalloc(1, sizeof(*secrets));
    if (make_cnonce(secrets, login->cnonce, err) < 0) {
        free(secrets);
        return NULL;
    }
    secrets->user = xstrdup(login->user ? login->user : "");
    secrets->password = secret_share(login->password);
    secrets->methods = login->methods;
    snprintf(secrets->realm, sizeof(secrets->realm), "%s", login->realm ? login->realm : "");
    return secrets;
}

void redir_secrets_free(struct redir_secrets *secrets)
{
    if (!secrets)
        return;
    secret_free(secrets->password);
    free(secrets->user);
    free(secrets);
}

size_t redir_secrets_memory(const struct redir_secrets *secrets)
{
    return secrets ? sizeof(*secrets) + strlen(secrets->user) + 1 + secret_len(secrets->password) : 0;
}

/* --- messages to the device --- */

void redir_login_start(struct redir *redir, const struct redir_kind *kind)
{
    struct buf *out = redir_out(redir);

    wr_u8(out, START);
    wr_u8(out, kind->option);
    wr_le16(out, 0);
    wr_bytes(out, kind->type, sizeof(kind->type));
}

/* AuthenticateSession with n bytes of data to follow. */
static void put_head(struct redir *redir, enum redir_method method, size_t n)
{
    struct buf *out = redir_out(redir);

    wr_le32(out, LOGIN);
    wr_u8(out, (uint8_t)method);
    wr_le32(out, (uint32_t)n);
}

static void put_query(struct redir *redir)
{
    put_head(redir, (enum redir_method)0, 0);
}

static void put_clear(struct redir *redir)
{
    const struct redir_secrets *s = redir_secrets(redir);

    put_head(redir, REDIR_CLEAR, strlen(s->user) + secret_len(s->password) + 2);
    wr_str8(redir_out(redir), s->user, strlen(s->user));
    wr_str8(redir_out(redir), secret_str(s->password), secret_len(s->password));
}

/* The fields of a digest in their order; without a challenge all but user and place are empty. */
struct digest {
    const char *realm, *nonce, *cnonce, *count, *response, *qop;
};

static void put_digest(struct redir *redir, const struct digest *d)
{
    const struct redir_secrets *s = redir_secrets(redir);
    const char *const fields[] = {s->user, d->realm, d->nonce, uri, d->cnonce, d->count, d->response, d->qop};
    size_t count = s->method == REDIR_DIGEST ? 8 : 7, n = count;

    for (size_t i = 0; i < count; i++)
        n += strlen(fields[i]);
    put_head(redir, s->method, n);
    for (size_t i = 0; i < count; i++)
        wr_str8(redir_out(redir), fields[i], strlen(fields[i]));
}

void redir_token(struct redir *redir, const void *p, size_t n, int64_t now_ms)
{
    if (!redir_login_in(redir, LOGIN_TOKEN) || n == 0 || n > REDIR_TOKEN_MAX)
        return;
    put_head(redir, REDIR_KERBEROS, n);
    wr_bytes(redir_out(redir), p, n);
    redir_set_now(redir, now_ms);
    redir_set_state(redir, LOGIN_TOKEN_PROVING);
}

/* --- what a digest proves --- */

/* MD5 of the parts joined by colons, as 32 hexadecimal digits. */
static int md5(const char *const *parts, size_t count, char *out, struct err *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    int ok = ctx && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1;

    for (size_t i = 0; ok && i < count; i++) {
        if (i > 0)
            ok = EVP_DigestUpdate(ctx, ":", 1) == 1;
        ok = ok && EVP_DigestUpdate(ctx, parts[i], strlen(parts[i])) == 1;
    }
    ok = ok && EVP_DigestFinal_ex(ctx, sum, &n) == 1 && 2 * n == HEX_MD5;
    EVP_MD_CTX_free(ctx);
    if (!ok)
        return err_set(err, CAUSE_SYSTEM, "OpenSSL offers no MD5, which the login needs");
    hex(out, sum, n);
    return 0;
}

static int prove(struct redir *redir, const struct digest *d, char *response, struct err *err)
{
    const struct redir_secrets *s = redir_secrets(redir);
    const char *const a1[] = {s->user, d->realm, secret_str(s->password)};
    const char *const a2[] = {"POST", uri};
    char ha1[HEX_MD5 + 1], ha2[HEX_MD5 + 1];
    const char *const with_qop[] = {ha1, d->nonce, d->count, d->cnonce, d->qop, ha2};
    const char *const without[] = {ha1, d->nonce, ha2};
    bool qop = s->method == REDIR_DIGEST;
    int status = -1;

    if (md5(a1, 3, ha1, err) == 0 && md5(a2, 2, ha2, err) == 0)
        status = md5(qop ? with_qop : without, qop ? 6 : 3, response, err);
    secret_wipe(ha1, sizeof(ha1)); /* as good as the password */
    return status;
}

/* --- answers of the device --- */

/* Codes with a meaning; every other one is a fault of the firmware. */
static const struct refusal {
    uint8_t status;
    enum cause cause;
    const char *text;
} start_refusals[] =
    {
        {0x01, CAUSE_UNSUPPORTED, "the firmware does not know this kind of session"},
        {0x02, CAUSE_IN_USE,
         "a session of this kind is open already; one whose console vanished ends by itself within a minute"},
        {0x03, CAUSE_REDIRECTION_DISABLED, "this kind of session is switched off in the device or not there"},
        {0xff, CAUSE_FAULT, "the firmware reports an error of its own"},
},
  login_refusals[] = {
      {0x01, CAUSE_AUTH_FAILED,
       "the device refused the login: user or password is wrong, or the user has no right to redirection"},
      {0x02, CAUSE_AUTH_UNSUPPORTED, "the device does not support the way of logging in that it listed"},
};

static int refused(const struct refusal *table, size_t count, const char *step, uint8_t status,
                   struct err *err)
{
    const struct refusal *found = NULL;

    for (size_t i = 0; i < count; i++) {
        if (table[i].status == status)
            found = &table[i];
    }
    if (found)
        err_set(err, found->cause, "%s", found->text);
    else
        err_set(err, CAUSE_FAULT, "the firmware refused the %s with a code that is not documented", step);
    return err_code(err, "redirection %s %u", step, status);
}

#define REFUSED(table, step, status, err)                                                                    \
    refused(table, sizeof(table) / sizeof((table)[0]), step, status, err)

static int on_start(void *owner, struct view message, struct err *err)
{
    struct redir *redir = owner;
    struct redir_info *info = redir_info_edit(redir);
    struct rd r = rd_init(message.p, message.n);
    uint8_t status;

    rd_skip(&r, 1);
    status = rd_u8(&r);
    if (status != 0)
        return REFUSED(start_refusals, "start", status, err);
    rd_skip(&r, 2);
    info->protocol_major = rd_u8(&r);
    info->protocol_minor = rd_u8(&r);
    info->firmware_major = rd_u8(&r);
    info->firmware_minor = rd_u8(&r);
    info->oem = rd_le32(&r);
    put_query(redir);
    redir_set_state(redir, LOGIN_ASKING);
    return 0;
}

/* The head of an answer: its status, and the data as a reader. -1: it answers something else. */
static int read_reply(struct view message, enum redir_method method, uint8_t *status, struct rd *data,
                      struct err *err)
{
    struct rd r = rd_init(message.p, message.n);
    uint8_t type;

    rd_skip(&r, 1);
    *status = rd_u8(&r);
    rd_skip(&r, 2);
    type = rd_u8(&r);
    *data = rd_sub(&r, rd_le32(&r));
    if (!rd_end(&r) || type != method)
        return err_set(err, CAUSE_BAD_ANSWER, "the device answered login method %u with one for method %u",
                       (unsigned)method, type);
    return 0;
}

static const struct {
    enum redir_method method;
    const char *name;
} preference[] = {
    {REDIR_KERBEROS, "Kerberos"},
    {REDIR_DIGEST, "digest"},
    {REDIR_DIGEST_OLD, "old digest"},
    {REDIR_CLEAR, "clear text"},
};
#define METHODS (sizeof(preference) / sizeof(preference[0]))

static void name_methods(unsigned set, char *out, size_t size)
{
    size_t n = 0;

    snprintf(out, size, "none known");
    for (size_t i = 0; i < METHODS; i++) {
        if (set & REDIR_MAY(preference[i].method))
            n += (size_t)snprintf(out + n, size - n, "%s%s", n ? ", " : "", preference[i].name);
    }
}

static int no_method(unsigned listed, unsigned allowed, struct err *err)
{
    char theirs[64], ours[64];

    name_methods(listed, theirs, sizeof(theirs));
    name_methods(allowed, ours, sizeof(ours));
    return err_set(err, CAUSE_AUTH_UNSUPPORTED, "the device offers: %s; allowed here: %s", theirs, ours);
}

static void begin_digest(struct redir *redir)
{
    static const struct digest empty = {"", "", "", "", "", ""};

    put_digest(redir, &empty);
    redir_set_state(redir, LOGIN_CHALLENGED);
}

static void begin_clear(struct redir *redir)
{
    put_clear(redir);
    redir_set_state(redir, LOGIN_PROVING);
}

static void begin_kerberos(struct redir *redir)
{
    redir_set_state(redir, LOGIN_TOKEN);
    redir_events(redir)->token(redir_events(redir)->arg);
}

static void (*const beginnings[])(struct redir *redir) = {
    [REDIR_CLEAR] = begin_clear,
    [REDIR_KERBEROS] = begin_kerberos,
    [REDIR_DIGEST_OLD] = begin_digest,
    [REDIR_DIGEST] = begin_digest,
};

/* The list of methods: one byte each, those unknown to us skipped. */
static int on_methods(void *owner, struct view message, struct err *err)
{
    struct redir *redir = owner;
    struct redir_secrets *s = redir_secrets(redir);
    unsigned listed = 0;
    uint8_t status;
    struct rd data;

    if (read_reply(message, (enum redir_method)0, &status, &data, err) < 0)
        return -1;
    if (status != 0)
        return REFUSED(login_refusals, "login", status, err);
    while (data.n > 0) {
        uint8_t type = rd_u8(&data);

        if (type >= REDIR_CLEAR && type <= REDIR_DIGEST)
            listed |= REDIR_MAY(type);
    }
    for (size_t i = 0; i < METHODS; i++) {
        if ((listed & s->methods & REDIR_MAY(preference[i].method)) == 0)
            continue;
        s->method = redir_info_edit(redir)->method = preference[i].method;
        beginnings[s->method](redir);
        return 0;
    }
    return no_method(listed, s->methods, err);
}

/* Printable characters of ASCII as a string. */
static bool take_text(struct rd *r, size_t max, char *out)
{
    struct view v = rd_str8(r);

    out[0] = '\0';
    if (v.n == 0 || v.n > max)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < 0x20 || v.p[i] > 0x7e)
            return false;
    }
    memcpy(out, v.p, v.n);
    out[v.n] = '\0';
    return true;
}

static int answer_challenge(struct redir *redir, struct rd *data, struct err *err)
{
    const struct redir_secrets *s = redir_secrets(redir);
    struct redir_info *info = redir_info_edit(redir);
    char nonce[NONCE_MAX + 1], qop[QOP_MAX + 1] = "", response[HEX_MD5 + 1];
    struct digest d = {info->realm, nonce, s->cnonce, nonce_count, response, qop};

    if (!take_text(data, REALM_MAX, info->realm) || !take_text(data, NONCE_MAX, nonce) ||
        (s->method == REDIR_DIGEST && !take_text(data, QOP_MAX, qop)))
        return err_set(err, CAUSE_BAD_ANSWER, "the challenge has parts of impossible lengths or characters");
    if (s->method == REDIR_DIGEST && strcmp(qop, "auth") != 0)
        return err_set(err, CAUSE_AUTH_UNSUPPORTED, "the device asks for a digest with qop %s", qop);
    if (s->realm[0] && strcmp(s->realm, info->realm) != 0)
        return err_set(err, CAUSE_REALM_CHANGED, "the device names the realm %s, it was %s", info->realm,
                       s->realm);
    if (prove(redir, &d, response, err) < 0)
        return -1;
    put_digest(redir, &d);
    redir_set_state(redir, LOGIN_PROVING);
    return 0;
}

/* Status 1 is no refusal here: it says that a challenge follows. */
static int on_challenge(void *owner, struct view message, struct err *err)
{
    struct redir *redir = owner;
    uint8_t status;
    struct rd data;

    if (read_reply(message, redir_secrets(redir)->method, &status, &data, err) < 0)
        return -1;
    if (status == 0)
        return err_set(err, CAUSE_BAD_ANSWER, "the device accepts a login that has proved nothing yet");
    if (status != 1)
        return REFUSED(login_refusals, "login", status, err);
    return answer_challenge(redir, &data, err);
}

/* Status 1 may bring another challenge. It is not answered: after a wrong password that would be a second
 * wrong one, and nothing tells a stale nonce from that. */
static int on_result(void *owner, struct view message, struct err *err)
{
    struct redir *redir = owner;
    uint8_t status;
    struct rd data;

    if (read_reply(message, redir_secrets(redir)->method, &status, &data, err) < 0)
        return -1;
    if (status != 0)
        return REFUSED(login_refusals, "login", status, err);
    redir_login_done(redir);
    return 0;
}

static int on_token_result(void *owner, struct view message, struct err *err)
{
    struct redir *redir = owner;
    const struct redir_events *events = redir_events(redir);
    uint8_t status;
    struct rd data;

    if (read_reply(message, REDIR_KERBEROS, &status, &data, err) < 0)
        return -1;
    if (status != 0)
        return REFUSED(login_refusals, "login", status, err);
    if (events->proof && events->proof(events->arg, rd_bytes(&data, data.n), err) < 0)
        return -1;
    redir_login_done(redir);
    return 0;
}

static const struct redir_message messages[] = {
    {0x11, "the answer to the start", 13, 12, 1, 255, 4, false, {[LOGIN_STARTING] = on_start}},
    {0x14, "the list of login methods", 9, 5, 4, METHODS_MAX, 0, false, {[LOGIN_ASKING] = on_methods}},
    {0x14,
     "an answer to the login",
     9,
     5,
     4,
     CHALLENGE_MAX,
     0,
     false,
     {[LOGIN_CHALLENGED] = on_challenge, [LOGIN_PROVING] = on_result}},
    {0x14,
     "the answer to the token",
     9,
     5,
     4,
     REDIR_TOKEN_MAX,
     0,
     false,
     {[LOGIN_TOKEN_PROVING] = on_token_result}},
};

#define NOT_ACCEPTED CAUSE_AUTH_FAILED, "the device closed the connection in place of accepting the login"

const struct redir_stage redir_login_stage = {
    messages,
    sizeof(messages) / sizeof(messages[0]),
    NULL,
    {
        [LOGIN_STARTING] = {"starting the session", REDIR_STEP_MS, false, false, NULL, CAUSE_DROPPED,
                            "the device closed the connection at the start of the session, as some firmware "
                            "does when redirection is switched off"},
        [LOGIN_ASKING] = {"asking for ways of logging in", REDIR_STEP_MS, false, false, NULL, CAUSE_DROPPED,
                          "the device closed the connection before the login"},
        [LOGIN_TOKEN] = {"waiting for a ticket", 0, false, false, NULL, CAUSE_DROPPED,
                         "the device closed the connection while a ticket was being got"},
        [LOGIN_CHALLENGED] = {"waiting for the login's challenge", REDIR_STEP_MS, false, false, NULL,
                              CAUSE_DROPPED, "the device closed the connection before the login"},
        [LOGIN_PROVING] = {"waiting for the login's result", REDIR_STEP_MS, false, false, NULL, NOT_ACCEPTED},
        [LOGIN_TOKEN_PROVING] = {"waiting for the login's result", REDIR_STEP_MS, false, false, NULL,
                                 NOT_ACCEPTED},
    },
};
