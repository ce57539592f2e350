#include "wsman/http_login.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "wsman/http_exchange.h"

#define TEXT_MAX 2048
#define LEGS_MAX 4 /* Kerberos tokens of one request; two are all that real ones need */

/* --- asking to be let in --- */

static int authorize_digest(struct http_session *session, struct buf *out, struct err *err)
{
    struct view body = {session->body.p, session->body.len};

    if (!http_digest_ready(&session->digest))
        return 0;
    return http_digest_answer(&session->digest, &session->http->md5, session->method, session->path, body,
                              out, err);
}

int http_login_authorize(struct http_session *session, struct buf *out, struct err *err)
{
    if (!session->kerberos)
        return authorize_digest(session, out, err);
    if (!session->conn->admitted) {
        buf_puts(out, http_kerberos_token(session->kerberos));
        session->fresh_login = true;
    }
    return 0;
}

bool http_login_wants_ticket(const struct http_session *session)
{
    return session->kerberos && !*http_kerberos_token(session->kerberos) &&
           !(session->conn && session->conn->admitted);
}

/* --- what the device says to it --- */

static void keep_text(char **kept, const struct buf *text)
{
    if (text->len && (!*kept || strcmp(*kept, buf_str(text)) != 0))
        xreplace(kept, buf_str(text));
}

static void read_challenges(const struct http_session *session, struct http_challenge *challenge)
{
    const struct buf *lines = http_exchange_challenges(session->exchange);
    struct rd r = rd_init(lines->p, lines->len);

    while (r.n) {
        struct view line = rd_until(&r, '\n');
        if (r.bad)
            break;
        http_challenge_read(challenge, line.p, line.n);
    }
}

/* For operators, printable and one per line. */
static void keep_challenges(struct http_session *session)
{
    const struct buf *lines = http_exchange_challenges(session->exchange);
    struct rd r = rd_init(lines->p, lines->len);
    struct buf text = buf_init(TEXT_MAX);

    while (r.n) {
        struct view line = rd_until(&r, '\n');
        if (r.bad)
            break;
        text_printable(&text, line.p, line.n);
        buf_putc(&text, '\n');
    }
    keep_text(&session->schemes, &text);
    buf_free(&text);
}

static int check_realm(struct http_session *session, const char *realm, struct err *err)
{
    struct buf text = buf_init(TEXT_MAX);

    text_printable(&text, realm, strlen(realm));
    keep_text(&session->realm_seen, &text);
    buf_free(&text);
    if (!http_realm_is_amt(realm))
        return err_set(err, CAUSE_NOT_AMT,
                       "the login realm '%s' is none of Intel AMT's: the password was not used", realm);
    if (session->realm_wanted && strcmp(session->realm_wanted, realm) != 0)
        return err_set(err, CAUSE_REALM_CHANGED,
                       "the login realm is '%s', recorded is '%s': the password was not used", realm,
                       session->realm_wanted);
    return 0;
}

/* Firmware answers a first challenge, a wrong password and a locked account with one and the same page: "log
 * on failed, wrong user name or password, or account temporarily locked" (section 1.2). Only a page that
 * speaks of the lock and of nothing else tells that it is one. */
static bool page_says_locked(const char *page)
{
    static const char *const other[] = {"failed", "incorrect", "invalid", "wrong"};

    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
        if (strcasestr(page, other[i]))
            return false;
    return strcasestr(page, "locked") != NULL;
}

/* A password is tried once: from now on the session refuses by itself. */
static int refuse_password(struct http_session *session, struct err *err)
{
    bool locked = page_says_locked(buf_str(&session->answer));

    session->refused = true;
    session->refused_cause = locked ? CAUSE_AUTH_LOCKED : CAUSE_AUTH_FAILED;
    http_digest_forget(&session->digest);
    return err_set(err, session->refused_cause,
                   locked ? "the device says that the account of user '%s' is locked"
                          : "the device refuses user '%s' with this password",
                   session->digest.user);
}

/* A client nonce. They are sent in the clear, so that many may be drawn at once. */
static int draw_cnonce(struct http *http, struct buf *cnonce, struct err *err)
{
    const size_t n = HTTP_CNONCE_LEN / 2;

    if (http->random_left < n) {
        if (RAND_bytes(http->random, sizeof(http->random)) != 1)
            return err_set(err, CAUSE_SYSTEM, "OpenSSL has no random numbers");
        http->random_left = sizeof(http->random);
    }
    http->random_left -= n;
    text_hex(cnonce, http->random + http->random_left, n, false);
    return 0;
}

static int accept_challenge(struct http_session *session, const struct http_challenge *challenge,
                            struct err *err)
{
    struct buf cnonce = buf_init(HTTP_CNONCE_LEN);

    if (draw_cnonce(session->http, &cnonce, err) < 0)
        return -1;
    int rc = http_digest_accept(&session->digest, &session->http->md5, challenge, buf_str(&cnonce), err);
    buf_free(&cnonce);
    return rc;
}

static int challenged_digest(struct http_session *session, const struct http_challenge *challenge,
                             struct err *err)
{
    if (!challenge->answerable)
        return err_set(err, CAUSE_AUTH_UNSUPPORTED, "the device offers %s",
                       challenge->why_not   ? challenge->why_not
                       : challenge->schemes ? "no digest login"
                                            : "no way of logging in");
    if (!session->digest.user)
        return err_set(err, CAUSE_NO_PROFILE, "the device asks for a login, and none was given");
    if (session->fresh_login)
        return refuse_password(session, err);
    session->fresh_login = true;
    if (!session->realm_wanted)
        session->realm_wanted = xstrdup(challenge->realm);
    return accept_challenge(session, challenge, err);
}

static enum http_login_next challenged_kerberos(struct http_session *session,
                                                const struct http_challenge *challenge,
                                                http_kerberos_done *done, struct err *err)
{
    struct http_kerberos *kerberos = session->kerberos;

    http_kerberos_forget(kerberos);
    if (session->conn)
        session->conn->admitted = false;
    if (!(challenge->schemes & HTTP_SCHEME_NEGOTIATE)) {
        err_set(err, CAUSE_AUTH_UNSUPPORTED, "the device offers no Kerberos login");
        return HTTP_LOGIN_OVER;
    }
    if (!session->fresh_login)
        return HTTP_LOGIN_AGAIN; /* it had forgotten the connection */
    if (session->conn && challenge->token.n && ++session->legs < LEGS_MAX &&
        http_kerberos_go_on(kerberos, &session->http->owner, challenge->token, done, session))
        return HTTP_LOGIN_LATER;
    err_set(err, CAUSE_AUTH_FAILED, "the device refuses our Kerberos ticket for %s",
            http_kerberos_service(kerberos));
    return HTTP_LOGIN_OVER;
}

enum http_login_next http_login_challenged(struct http_session *session, http_kerberos_done *done,
                                           struct err *err)
{
    struct http_challenge challenge = {0};
    enum http_login_next next;

    session->challenges++;
    keep_challenges(session);
    read_challenges(session, &challenge);
    if (challenge.answerable && check_realm(session, challenge.realm, err) < 0)
        next = HTTP_LOGIN_OVER;
    else if (session->kerberos)
        next = challenged_kerberos(session, &challenge, done, err);
    else
        next = challenged_digest(session, &challenge, err) < 0 ? HTTP_LOGIN_OVER : HTTP_LOGIN_AGAIN;
    if (next == HTTP_LOGIN_OVER)
        err_code(err, "HTTP 401");
    return next;
}

int http_login_accepted(struct http_session *session, struct err *err)
{
    struct http_challenge challenge = {0};

    if (!session->kerberos || !session->fresh_login)
        return 0;
    read_challenges(session, &challenge);
    http_kerberos_forget(session->kerberos);
    if (!http_kerberos_proven(session->kerberos, challenge.token))
        return err_set(err, CAUSE_AUTH_FAILED, "the device's proof that it is %s is wrong",
                       http_kerberos_service(session->kerberos));
    if (session->conn)
        session->conn->admitted = true;
    return 0;
}
