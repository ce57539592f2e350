#include "tests/amtsim/redir_login.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "tests/amtsim/digest.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/users.h"

#define URI       "/RedirectionService"
#define WRONG_MAX 3 /* refused logins a connection lives through; own choice */
#define PART_MAX  300

enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_UNSUPPORTED = 2 };

static void new_nonce(struct redir_auth *auth, struct device *d)
{
    uint8_t sum[16];
    char text[96];
    int n = snprintf(text, sizeof(text), "redirection/%u/%llu/", d->index,
                     (unsigned long long)d->fleet->nonce_count++);
    memcpy(text + n, d->fleet->nonce_key, sizeof(d->fleet->nonce_key));
    digest_md5(d->fleet, text, (size_t)n + sizeof(d->fleet->nonce_key), sum);
    digest_hex(sum, sizeof(sum), auth->nonce);
    auth->nonce_ms = device_mono_ms(d);
}

/* Realm, nonce and, for type 4, qop. */
static void challenge(struct redir_auth *auth, struct device *d, uint8_t type, struct buf *out)
{
    char realm[DEVICE_REALM_MAX];
    struct buf data = buf_init(PART_MAX);
    new_nonce(auth, d);
    device_challenge_realm(d, realm);
    wr_str8(&data, realm, strlen(realm));
    wr_str8(&data, auth->nonce, REDIR_NONCE_LEN);
    if (type == LOGIN_DIGEST)
        wr_str8(&data, "auth", 4);
    redir_put_login_reply(out, STATUS_FAILED, type, data.p, data.len);
    buf_free(&data);
}

static enum redir_verdict refuse(struct redir_auth *auth, struct device *d, uint8_t type, struct buf *out)
{
    bool digest = type == LOGIN_DIGEST || type == LOGIN_DIGEST_OLD;
    auth->wrong++;
    if (digest && d->generation->challenges_again && auth->wrong < WRONG_MAX)
        challenge(auth, d, type, out);
    else
        redir_put_login_reply(out, STATUS_FAILED, type, NULL, 0);
    return auth->wrong < WRONG_MAX ? REDIR_LOGIN_GOES_ON : REDIR_LOGIN_OVER;
}

static enum redir_verdict decide(struct redir_auth *auth, struct device *d, const struct redir_login *login,
                                 bool right, struct buf *out)
{
    if (digest_locked(d))
        return refuse(auth, d, login->type, out);
    if (!right || !users_may_redirect(d, login->user)) {
        digest_failed(d);
        return refuse(auth, d, login->type, out);
    }
    digest_passed(d);
    redir_put_login_reply(out, STATUS_OK, login->type, NULL, 0);
    return REDIR_LOGIN_OK;
}

/* --- the types --- */

static bool offers(const struct device *d, unsigned type)
{
    bool off = type == LOGIN_BASIC ? d->redirection.no_clear_text : d->redirection.no_digest;
    return (d->generation->redir_logins >> type & 1) != 0 && !off;
}

static enum redir_verdict do_query(struct redir_auth *auth, struct device *d, const struct redir_login *login,
                                   struct buf *out)
{
    uint8_t types[8];
    size_t n = 0;
    (void)auth;
    for (unsigned type = LOGIN_BASIC; type <= LOGIN_DIGEST; type++) {
        if (offers(d, type))
            types[n++] = (uint8_t)type;
    }
    redir_put_login_reply(out, STATUS_OK, login->type, types, n);
    return REDIR_LOGIN_GOES_ON;
}

static enum redir_verdict do_basic(struct redir_auth *auth, struct device *d, const struct redir_login *login,
                                   struct buf *out)
{
    char realm[DEVICE_REALM_MAX], text[2 * REDIR_FIELD_MAX + DEVICE_REALM_MAX + 2];
    uint8_t want[16], got[16];
    device_challenge_realm(d, realm);
    int n = snprintf(text, sizeof(text), "%s:%s:%s", login->user, realm, login->password);
    digest_md5(d->fleet, text, (size_t)n, got);
    OPENSSL_cleanse(text, sizeof(text));
    bool right = device_ha1(d, login->user, realm, want) && CRYPTO_memcmp(want, got, sizeof(got)) == 0;
    return decide(auth, d, login, right, out);
}

/* All 32 digits are compared: an empty or shortened response never passes (CVE-2017-5689). */
static bool response_right(struct device *d, const struct redir_login *l)
{
    uint8_t raw[16];
    char ha1[33], ha2[33], want[33];
    if (!device_ha1(d, l->user, l->realm, raw) || strlen(l->response) != 32)
        return false;
    digest_hex(raw, sizeof(raw), ha1);
    const char *a2[] = {"POST", URI};
    digest_md5_hex(d->fleet, a2, 2, ha2);
    const char *with_qop[] = {ha1, l->nonce, l->nc, l->cnonce, l->qop, ha2};
    const char *without[] = {ha1, l->nonce, ha2};
    if (l->type == LOGIN_DIGEST)
        digest_md5_hex(d->fleet, with_qop, 6, want);
    else
        digest_md5_hex(d->fleet, without, 3, want);
    return CRYPTO_memcmp(want, l->response, 32) == 0;
}

static bool nonce_good(const struct redir_auth *auth, const struct device *d, const char *nonce)
{
    return auth->nonce[0] != '\0' && strcmp(auth->nonce, nonce) == 0 &&
           device_mono_ms(d) - auth->nonce_ms <= d->fleet->options->nonce_ms;
}

static enum redir_verdict do_digest(struct redir_auth *auth, struct device *d,
                                    const struct redir_login *login, struct buf *out)
{
    char realm[DEVICE_REALM_MAX];
    if (strcmp(login->uri, URI) != 0)
        return REDIR_LOGIN_BAD;
    if (!nonce_good(auth, d, login->nonce)) { /* the first question, or a nonce of yesterday */
        challenge(auth, d, login->type, out);
        return REDIR_LOGIN_GOES_ON;
    }
    bool right = strcmp(login->realm, device_challenge_realm(d, realm)) == 0 && strlen(login->nc) == 8 &&
                 login->cnonce[0] != '\0' &&
                 (login->type != LOGIN_DIGEST || strcmp(login->qop, "auth") == 0) && response_right(d, login);
    auth->nonce[0] = '\0'; /* good for one try */
    return decide(auth, d, login, right, out);
}

static enum redir_verdict (*const types[])(struct redir_auth *auth, struct device *d,
                                           const struct redir_login *login, struct buf *out) = {
    [LOGIN_QUERY] = do_query,
    [LOGIN_BASIC] = do_basic,
    [LOGIN_DIGEST_OLD] = do_digest,
    [LOGIN_DIGEST] = do_digest,
};

/* A type this firmware does not have: Kerberos is never set up, and the empty token that the firmware's own
 * web page sends counts only behind an HTTP login. */
static bool supported(const struct device *d, uint8_t type)
{
    if (type == LOGIN_QUERY)
        return true;
    return type <= LOGIN_DIGEST && types[type] != NULL && offers(d, type);
}

enum redir_verdict redir_login_answer(struct redir_auth *auth, struct device *d, const struct redir_msg *m,
                                      struct buf *out)
{
    struct redir_login login;
    enum redir_verdict verdict = REDIR_LOGIN_GOES_ON;
    if (!redir_login_read(m, &login))
        verdict = REDIR_LOGIN_BAD;
    else if (!supported(d, login.type))
        redir_put_login_reply(out, STATUS_UNSUPPORTED, login.type, NULL, 0);
    else
        verdict = types[login.type](auth, d, &login, out);
    OPENSSL_cleanse(&login, sizeof(login));
    return verdict;
}
