#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <utlist.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "wsman/answer.h"
#include "wsman/http_internal.h"
#include "wsman/http_lane.h"

#define WSMAN_PATH "/wsman"
#define BODY_MAX   ((size_t)1024 * 1024)
#define IDLE_PLAIN_MS                                                                                        \
    55000 /* firmware drops idle connections after some tens of seconds: be first (section 1.2) */
#define IDLE_TLS_MS  25000
#define PORT_PLAIN   16992
#define PORT_TLS     16993
#define CNONCE_BYTES 12
#define SCHEMES_MAX  2048

static void advance(struct http_session *session);

/* --- outcome --- */

static void set_limit(struct http_session *session, int64_t ms)
{
    int64_t at = ms == HTTP_TIMER_NEVER ? ms : http_now(session->http) + ms;

    if (at > session->limit_ms)
        at = session->limit_ms;
    if (at > session->deadline_ms)
        at = session->deadline_ms;
    if (at == HTTP_TIMER_NEVER)
        http_timer_disarm(&session->http->timers, &session->timer);
    else
        http_timer_arm(&session->http->timers, &session->timer, at);
}

/* The outcome is there; done is called when the loop turns. */
static void become_ready(struct http_session *session)
{
    http_timer_disarm(&session->http->timers, &session->timer);
    if (session->conn && session->conn->state == HTTP_CONN_BUSY)
        http_conn_idle(session->conn);
    session->state = HTTP_SESSION_READY;
    DL_APPEND(session->http->ready, session);
}

static void fail(struct http_session *session, const struct err *err)
{
    if (!session->failure)
        session->failure = xmalloc(sizeof(*session->failure));
    *session->failure = *err;
    become_ready(session);
}

/* Lets go of whatever the state holds, so that the session is as between two requests. */
static void leave_state(struct http_session *session)
{
    if (session->state == HTTP_SESSION_WAITING)
        DL_DELETE(session->http->waiting, session);
    if (session->state == HTTP_SESSION_READY)
        DL_DELETE(session->http->ready, session);
    if (session->lookup)
        http_lookup_abandon(session->lookup);
    session->lookup = NULL;
    if (session->lane)
        http_lane_release(session->lane);
    session->lane = NULL;
    /* Cut off in the middle, libcurl has closed it. One it had not yet begun to use goes back to idle. */
    if (session->conn && session->conn->state == HTTP_CONN_BUSY)
        http_conn_idle(session->conn);
    if (session->conn && session->conn->state != HTTP_CONN_IDLE)
        http_conn_close(session->conn);
}

static void drop_given(struct http_session *session)
{
    if (session->given_fd >= 0)
        close(session->given_fd);
    session->given_fd = -1;
    session->given_relayed = false;
}

static void end_request(struct http_session *session)
{
    drop_given(session);
    free(session->path);
    session->path = NULL;
    buf_free(&session->body);
    buf_free(&session->answer);
    free(session->failure);
    session->failure = NULL;
    session->done = NULL;
    session->state = HTTP_SESSION_IDLE;
}

void http_session_deliver(struct http_session *session)
{
    http_done *done = session->done;
    void *arg = session->arg;
    struct buf body = session->answer;
    struct err *failure = session->failure;
    struct http_answer answer = {session->status, buf_str(&body), body.len};

    DL_DELETE(session->http->ready, session);
    session->answer = buf_init(WSMAN_ANSWER_MAX);
    session->failure = NULL;
    end_request(session);
    done(arg, failure ? NULL : &answer, failure);
    buf_free(&body);
    free(failure);
}

/* --- time is up --- */

static void late_ticket(struct http_session *session, struct err *err)
{
    err_set(err, CAUSE_TIMEOUT, "no Kerberos ticket for '%s' in time", session->name);
}

static void late_lookup(struct http_session *session, struct err *err)
{
    err_set(err, CAUSE_NAME_UNKNOWN, "looking up '%s': no answer in time", session->name);
}

static void late_connecting(struct http_session *session, struct err *err)
{
    char text[HTTP_ADDR_TEXT_MAX];

    err_set(err, CAUSE_UNREACHABLE, "connecting to %s: no answer",
            http_addr_text(&session->addrs[session->addr_at], text));
}

static void late_waiting(struct http_session *session, struct err *err)
{
    (void)session;
    err_set(err, CAUSE_TIMEOUT, "not sent: too many other requests are under way");
}

static void late_exchange(struct http_session *session, struct err *err)
{
    if (!http_lane_sent(session->lane))
        err_set(err, CAUSE_TIMEOUT, "the TLS handshake was not over in time");
    else if (session->answer.len)
        err_set(err, CAUSE_TIMEOUT, "only %zu bytes of the answer came in time", session->answer.len);
    else
        err_set(err, CAUSE_TIMEOUT, "the request was sent, but no answer came in time");
}

static void (*const late[HTTP_SESSION_STATES])(struct http_session *, struct err *) = {
    [HTTP_SESSION_TICKET] = late_ticket,         [HTTP_SESSION_LOOKUP] = late_lookup,
    [HTTP_SESSION_CONNECTING] = late_connecting, [HTTP_SESSION_WAITING] = late_waiting,
    [HTTP_SESSION_EXCHANGE] = late_exchange,
};

/* The address did not answer: the next one, if the name has more. */
static bool try_next_addr(struct http_session *session)
{
    if (!session->addr_left) {
        session->addr_until_ms = 0; /* the name may have moved */
        return false;
    }
    session->addr_at = (uint8_t)((session->addr_at + 1) % session->addr_count);
    session->state = HTTP_SESSION_IDLE;
    return true;
}

static bool out_of_time(const struct http_session *session)
{
    int64_t now = http_now(session->http);

    return now >= session->deadline_ms || now >= session->limit_ms;
}

static void time_is_up(struct http_timer *timer)
{
    struct http_session *session = (struct http_session *)timer;
    struct err err = ERR_INIT;

    late[session->state](session, &err);
    leave_state(session);
    if (session->state == HTTP_SESSION_CONNECTING && !out_of_time(session) && try_next_addr(session))
        advance(session);
    else
        fail(session, &err);
}

/* --- towards an answer --- */

static void start_lookup(struct http_session *session)
{
    session->state = HTTP_SESSION_LOOKUP;
    session->lookup = http_lookup_start(session);
    set_limit(session, session->connect_ms);
}

static void start_connect(struct http_session *session)
{
    struct err err = ERR_INIT;

    for (;;) {
        session->addr_left--;
        if (http_conn_start(session, &session->addrs[session->addr_at], &err) == 0) {
            session->state = HTTP_SESSION_CONNECTING;
            set_limit(session, session->connect_ms);
            return;
        }
        if (!try_next_addr(session)) {
            fail(session, &err);
            return;
        }
    }
}

static void want_lane(struct http_session *session)
{
    session->state = HTTP_SESSION_WAITING;
    DL_APPEND(session->http->waiting, session);
    set_limit(session, HTTP_TIMER_NEVER);
}

static void take_given(struct http_session *session)
{
    struct err err = ERR_INIT;
    int fd = session->given_fd;
    bool relayed = session->given_relayed;

    session->given_fd = -1;
    session->given_relayed = false;
    if (http_conn_adopt(session, fd, relayed, &err) < 0) {
        fail(session, &err);
    } else if (session->conn->state == HTTP_CONN_READY) {
        want_lane(session);
    } else {
        session->state = HTTP_SESSION_CONNECTING;
        set_limit(session, session->connect_ms);
    }
}

static void want_connection(struct http_session *session)
{
    if (session->given_fd >= 0) {
        take_given(session);
        return;
    }
    if (!session->addr_count || (!session->addr_fixed && http_now(session->http) >= session->addr_until_ms)) {
        start_lookup(session);
        return;
    }
    if (!session->addr_left)
        session->addr_left = session->addr_count;
    start_connect(session);
}

/* Does what is missing most for the exchange to begin. */
static void advance(struct http_session *session)
{
    if (!session->conn)
        want_connection(session);
    else
        want_lane(session);
}

void http_session_looked_up(struct http_session *session, const struct err *failure)
{
    session->lookup = NULL;
    if (failure) {
        fail(session, failure);
    } else {
        session->addr_at = 0;
        session->addr_left = session->addr_count;
        session->addr_until_ms = http_now(session->http) + HTTP_LOOKUP_MS;
        session->state = HTTP_SESSION_IDLE;
        start_connect(session);
    }
    http_rearm(session->http);
}

void http_session_writable(struct http_session *session)
{
    struct err err = ERR_INIT;

    if (http_conn_finish(session->conn, &session->addrs[session->addr_at], &err) == 0) {
        session->addr_left = 0;
        advance(session);
        return;
    }
    http_conn_close(session->conn);
    if (try_next_addr(session))
        advance(session);
    else
        fail(session, &err);
}

static int authorize(struct http_session *session, struct buf *out, struct err *err)
{
    unsigned char random[CNONCE_BYTES];
    struct buf cnonce = buf_init(2 * CNONCE_BYTES);
    struct view body = {session->body.p, session->body.len};

    if (!http_digest_ready(&session->digest))
        return 0;
    if (RAND_bytes(random, sizeof(random)) != 1)
        return err_set(err, CAUSE_SYSTEM, "OpenSSL has no random numbers");
    text_hex(&cnonce, random, sizeof(random), false);
    int rc = http_digest_answer(&session->digest, &session->http->md5, session->method, session->path, body,
                                buf_str(&cnonce), out, err);
    buf_free(&cnonce);
    return rc;
}

void http_session_lane_granted(struct http_session *session)
{
    struct buf authorization = buf_init(4096);
    struct err err = ERR_INIT;

    if (!session->conn) { /* it ended while it waited */
        http_lane_release(session->lane);
        session->lane = NULL;
        session->state = HTTP_SESSION_IDLE;
        advance(session);
        return;
    }
    if (session->conn->state == HTTP_CONN_IDLE)
        http_conn_unidle(session->conn);
    if (session->limit_ms == HTTP_TIMER_NEVER)
        session->limit_ms = http_now(session->http) + session->request_ms;
    session->state = HTTP_SESSION_EXCHANGE;
    set_limit(session, session->trust && session->conn->state == HTTP_CONN_READY ? session->connect_ms
                                                                                 : HTTP_TIMER_NEVER);
    buf_reset(&session->answer);
    if (authorize(session, &authorization, &err) < 0 ||
        http_lane_start(session->lane, authorization.len ? buf_str(&authorization) : NULL, &err) < 0) {
        leave_state(session);
        fail(session, &err);
    }
    buf_free(&authorization);
}

void http_session_tcp_proven(struct http_session *session)
{
    if (session->conn)
        session->conn->on_trial = false;
}

void http_session_sending(struct http_session *session)
{
    session->requests++;
    http_session_tcp_proven(session);
    set_limit(session, HTTP_TIMER_NEVER);
}

/* --- an exchange is over --- */

static void keep_text(char **kept, const struct buf *text)
{
    if (text->len && (!*kept || strcmp(*kept, buf_str(text)) != 0))
        xreplace(kept, buf_str(text));
}

void http_session_server(struct http_session *session, const void *value, size_t n)
{
    struct buf text = buf_init(SCHEMES_MAX);

    text_printable(&text, value, n);
    keep_text(&session->server, &text);
    buf_free(&text);
}

/* The schemes as sent, printable, one per line. */
static void keep_schemes(struct http_session *session, const struct buf *lines)
{
    struct buf text = buf_init(SCHEMES_MAX);
    struct rd r = rd_init(lines->p, lines->len);

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

static bool contains(const char *page, const char *word)
{
    return strcasestr(page, word) != NULL;
}

/* Firmware answers a first challenge, a wrong password and a locked account with one and the same page: "log
 * on failed, wrong user name or password, or account temporarily locked" (section 1.2). Only a page that
 * speaks of the lock and of nothing else tells that it is one. */
static bool page_says_locked(const char *page)
{
    static const char *const other[] = {"failed", "incorrect", "invalid", "wrong", "log on again"};

    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++)
        if (contains(page, other[i]))
            return false;
    return contains(page, "locked");
}

static int refuse_login(struct http_session *session, struct err *err)
{
    bool locked = page_says_locked(buf_str(&session->answer));

    session->refused = true;
    session->refused_cause = locked ? CAUSE_AUTH_LOCKED : CAUSE_AUTH_FAILED;
    http_digest_forget(&session->digest);
    err_set(err, session->refused_cause,
            locked ? "the device says that the account of user '%s' is locked"
                   : "the device refuses user '%s' with this password",
            session->digest.user);
    return err_code(err, "HTTP 401");
}

static int check_realm(struct http_session *session, const char *realm, struct err *err)
{
    struct buf text = buf_init(SCHEMES_MAX);

    text_printable(&text, realm, strlen(realm));
    keep_text(&session->realm_seen, &text);
    if (!http_realm_is_amt(realm)) {
        err_set(err, CAUSE_NOT_AMT, "the login realm '%s' is none of Intel AMT's: the password was not used",
                buf_str(&text));
    } else if (session->realm_wanted && strcmp(session->realm_wanted, realm) != 0) {
        err_set(err, CAUSE_REALM_CHANGED,
                "the login realm is '%s', recorded is '%s': the password was not used", buf_str(&text),
                session->realm_wanted);
    } else {
        buf_free(&text);
        return 0;
    }
    buf_free(&text);
    return err_code(err, "HTTP 401");
}

/* Reads the challenges of a 401. 0: the request is to be repeated with the login readied. */
static int answer_challenge(struct http_session *session, struct err *err)
{
    const struct buf *lines = http_lane_challenges(session->lane);
    struct rd r = rd_init(lines->p, lines->len);
    struct http_challenge challenge = {0};

    session->challenges++;
    keep_schemes(session, lines);
    while (r.n) {
        struct view line = rd_until(&r, '\n');
        if (r.bad)
            break;
        http_challenge_read(&challenge, line.p, line.n);
    }
    if (challenge.answerable && check_realm(session, challenge.realm, err) < 0)
        return -1;
    if (!challenge.answerable) {
        err_set(err, CAUSE_AUTH_UNSUPPORTED, "the device offers %s",
                challenge.why_not   ? challenge.why_not
                : challenge.schemes ? "no digest login"
                                    : "no way of logging in");
        return err_code(err, "HTTP 401");
    }
    if (!session->digest.user) {
        err_set(err, CAUSE_NO_PROFILE, "the device asks for a login, and none was given");
        return err_code(err, "HTTP 401");
    }
    if (session->fresh_login)
        return refuse_login(session, err);
    session->fresh_login = true;
    if (!session->realm_wanted)
        session->realm_wanted = xstrdup(challenge.realm);
    return http_digest_accept(&session->digest, &session->http->md5, &challenge, err);
}

void http_session_lane_done(struct http_session *session, int code)
{
    struct err err = ERR_INIT;
    bool again = false;
    int rc = 0;

    if (session->conn && session->conn->state == HTTP_CONN_BUSY)
        http_conn_idle(session->conn);
    if (http_lane_wants_connection(session->lane) || session->given_relayed) {
        if (session->conn)
            http_conn_close(session->conn);
        again = true;
    } else if (code && session->trust && http_trust_try_older(session->trust)) {
        again = true;
    } else if (http_lane_failure(session->lane, code, &err) < 0) {
        rc = -1;
    } else {
        session->status = http_lane_status(session->lane);
        again = session->status == 401;
        if (again)
            rc = answer_challenge(session, &err);
    }
    http_lane_release(session->lane);
    session->lane = NULL;
    if (rc < 0)
        fail(session, &err);
    else if (again)
        advance(session);
    else
        become_ready(session);
}

/* --- the interface --- */

static bool is_host_name(const char *name)
{
    return *name && strlen(name) <= 253 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:") == strlen(name);
}

static bool is_clean(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

static int check_settings(const struct http_settings *s, struct err *err)
{
    if (!s->name || !is_host_name(s->name))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' is no host name", s->name ? s->name : "");
    if (s->kerberos)
        return err_set(err, CAUSE_UNSUPPORTED, "this build has digest login only");
    if (s->tls == HTTP_TLS_NONE && (s->old_tls || s->client_cert_file || s->client_key_file))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "TLS settings for a connection without TLS");
    if (s->connect_ms <= 0 || s->request_ms <= 0 || s->idle_ms < 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "time limits must be positive");
    if (s->user && !s->kerberos && (!*s->user || strchr(s->user, ':') || !is_clean(s->user)))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' cannot be the user name of a digest login",
                       s->user);
    return 0;
}

static void set_origin(struct http_session *session, const struct http_settings *s)
{
    bool v6 = strchr(s->name, ':') != NULL;
    bool tls = s->tls != HTTP_TLS_NONE;

    session->port = s->port ? s->port : tls ? PORT_TLS : PORT_PLAIN;
    session->name = xstrdup(s->name);
    session->origin = xasprintf("%s://%s%s%s:%u", tls ? "https" : "http", v6 ? "[" : "", s->name,
                                v6 ? "]" : "", session->port);
}

static int set_address(struct http_session *session, const struct http_settings *s, struct err *err)
{
    if (http_addr_parse(&session->addrs[0], s->address ? s->address : s->name, session->port)) {
        session->addr_count = 1;
        session->addr_fixed = true;
        return 0;
    }
    if (s->address)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' is no numeric address", s->address);
    if (strchr(s->name, ':'))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' is neither a host name nor an address", s->name);
    return 0;
}

struct http_session *http_session_new(struct http *http, const struct http_settings *settings,
                                      struct err *err)
{
    if (check_settings(settings, err) < 0)
        return NULL;

    struct http_session *session = xcalloc(1, sizeof(*session));
    session->timer.fire = time_is_up;
    session->http = http;
    session->serial = ++http->serial;
    session->given_fd = -1;
    session->answer = buf_init(WSMAN_ANSWER_MAX);
    session->body = buf_init(BODY_MAX);
    session->connect_ms = settings->connect_ms;
    session->request_ms = settings->request_ms;
    session->idle_ms = settings->idle_ms                ? settings->idle_ms
                       : settings->tls == HTTP_TLS_NONE ? IDLE_PLAIN_MS
                                                        : IDLE_TLS_MS;
    session->realm_wanted = xstrdup(settings->realm);
    http_digest_init(&session->digest, settings->user, settings->password);
    set_origin(session, settings);
    http->sessions++;
    if (set_address(session, settings, err) < 0 ||
        (settings->tls != HTTP_TLS_NONE && !(session->trust = http_trust_new(&http->files, settings, err)))) {
        http_session_free(session);
        return NULL;
    }
    return session;
}

void http_session_free(struct http_session *session)
{
    if (!session)
        return;
    struct http *http = session->http;

    http_session_abort(session);
    if (session->conn)
        http_conn_close(session->conn);
    http_digest_clear(&session->digest);
    http_trust_free(session->trust);
    free(session->name);
    free(session->origin);
    free(session->realm_wanted);
    free(session->realm_seen);
    free(session->server);
    free(session->schemes);
    free(session);
    http->sessions--;
    http_rearm(http);
}

void http_session_give_socket(struct http_session *session, int fd)
{
    drop_given(session);
    session->given_fd = fd;
}

void http_session_abort(struct http_session *session)
{
    leave_state(session);
    http_timer_disarm(&session->http->timers, &session->timer);
    end_request(session);
    session->answer = buf_init(WSMAN_ANSWER_MAX);
    http_rearm(session->http);
}

bool http_session_busy(const struct http_session *session)
{
    return session->state != HTTP_SESSION_IDLE;
}

static int check_request(struct http_session *session, const char *path, struct err *err)
{
    if (path[0] != '/' || strpbrk(path, " \t\r\n#") || !is_clean(path))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' is no path of a request", path);
    if (!buf_ok(&session->body))
        return err_set(err, CAUSE_TOO_LARGE, "a request of more than %zu bytes", BODY_MAX);
    if (session->refused)
        return err_set(err, session->refused_cause, "user '%s' was refused before, and is not tried again",
                       session->digest.user);
    return 0;
}

void http_session_send(struct http_session *session, const char *path, const struct buf *body,
                       int64_t deadline_ms, http_done *done, void *arg)
{
    struct err err = ERR_INIT;

    session->done = done;
    session->arg = arg;
    session->method = body ? "POST" : "GET";
    session->path = xstrdup(path ? path : WSMAN_PATH);
    session->body = body && body->secret ? buf_init_secret(BODY_MAX) : buf_init(BODY_MAX);
    if (body)
        buf_add(&session->body, body->p, body->len);
    session->deadline_ms = deadline_ms ? deadline_ms : HTTP_TIMER_NEVER;
    session->limit_ms = HTTP_TIMER_NEVER;
    session->fresh_login = false;
    session->addr_left = 0;
    if (check_request(session, session->path, &err) < 0)
        fail(session, &err);
    else
        advance(session);
    http_rearm(session->http);
}

struct http_facts http_session_facts(const struct http_session *session)
{
    struct http_facts facts = {
        .realm = session->realm_seen ? session->realm_seen : "",
        .server = session->server ? session->server : "",
        .schemes = session->schemes ? session->schemes : "",
        .challenges = session->challenges,
        .connections = session->connections,
        .requests = session->requests,
    };

    http_trust_facts(session->trust, &facts);
    return facts;
}
