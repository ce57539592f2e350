#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <utlist.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "wsman/answer.h"
#include "wsman/http_exchange.h"
#include "wsman/http_internal.h"
#include "wsman/http_login.h"

#define WSMAN_PATH "/wsman"
#define BODY_MAX   ((size_t)1024 * 1024)
#define IDLE_PLAIN_MS                                                                                        \
    55000 /* firmware drops idle connections after some tens of seconds: be first (section 1.2) */
#define IDLE_TLS_MS 25000
#define PORT_PLAIN  16992
#define PORT_TLS    16993
#define SERVER_MAX  256

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
    session->state = HTTP_SESSION_READY;
    DL_APPEND(session->http->ready, session);
}

/* It goes on when the loop turns. What many sessions have to say then goes out together, requests before new
 * connections: our caches stay warm, and the other side is woken once for many. */
static void go_on(struct http_session *session)
{
    http_timer_disarm(&session->http->timers, &session->timer);
    session->state = HTTP_SESSION_GOING;
    if (session->conn || session->given_fd >= 0)
        DL_PREPEND(session->http->going, session);
    else
        DL_APPEND(session->http->going, session);
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
    if (session->state == HTTP_SESSION_READY)
        DL_DELETE(session->http->ready, session);
    if (session->state == HTTP_SESSION_GOING)
        DL_DELETE(session->http->going, session);
    if (session->state == HTTP_SESSION_TICKET)
        http_kerberos_abandon(session->kerberos);
    if (session->lookup)
        http_lookup_abandon(session->lookup);
    session->lookup = NULL;
    http_exchange_free(session->exchange);
    session->exchange = NULL;
    if (session->conn && session->conn->state != HTTP_CONN_IDLE)
        http_conn_close(session->conn);
}

static void drop_given(struct http_session *session)
{
    if (session->given_fd >= 0)
        close(session->given_fd);
    session->given_fd = -1;
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
    err_set(err, CAUSE_NO_TICKET, "no Kerberos ticket for '%s' came in time", session->name);
}

static void late_lookup(struct http_session *session, struct err *err)
{
    err_set(err, CAUSE_NAME_UNKNOWN, "looking up '%s': no answer in time", session->where);
}

static void late_connecting(struct http_session *session, struct err *err)
{
    char text[HTTP_ADDR_TEXT_MAX];

    err_set(err, CAUSE_UNREACHABLE, "connecting to %s: no answer",
            http_addr_text(&session->addrs[session->addr_at], text));
}

static void late_exchange(struct http_session *session, struct err *err)
{
    if (!http_exchange_sent(session->exchange))
        err_set(err, CAUSE_TIMEOUT, "the TLS handshake was not over in time");
    else if (session->answer.len)
        err_set(err, CAUSE_TIMEOUT, "only %zu bytes of the answer came in time", session->answer.len);
    else
        err_set(err, CAUSE_TIMEOUT, "the request was sent, but no answer came in time");
}

static void (*const late[HTTP_SESSION_STATES])(struct http_session *, struct err *) = {
    [HTTP_SESSION_TICKET] = late_ticket,
    [HTTP_SESSION_LOOKUP] = late_lookup,
    [HTTP_SESSION_CONNECTING] = late_connecting,
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

static void start_exchange(struct http_session *session)
{
    struct err err = ERR_INIT;
    bool shakes_hands = session->trust && session->conn->state == HTTP_CONN_READY;

    if (session->limit_ms == HTTP_TIMER_NEVER)
        session->limit_ms = http_now(session->http) + session->request_ms;
    session->exchange = http_exchange_new(session, &err);
    if (!session->exchange) {
        leave_state(session);
        fail(session, &err);
        return;
    }
    session->state = HTTP_SESSION_EXCHANGE;
    set_limit(session, shakes_hands ? session->connect_ms : HTTP_TIMER_NEVER);
    http_exchange_go(session->exchange);
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

static void take_given(struct http_session *session)
{
    struct err err = ERR_INIT;
    int fd = session->given_fd;

    session->given_fd = -1;
    if (http_conn_adopt(session, fd, &err) < 0)
        fail(session, &err);
    else
        start_exchange(session);
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

static void ticket_here(void *arg, const struct err *failure)
{
    struct http_session *session = arg;

    session->state = HTTP_SESSION_IDLE;
    if (failure)
        fail(session, failure);
    else
        advance(session);
    http_rearm(session->http);
}

static void want_ticket(struct http_session *session)
{
    session->state = HTTP_SESSION_TICKET;
    set_limit(session, session->connect_ms);
    http_kerberos_start(session->kerberos, &session->http->owner, ticket_here, session);
}

/* Does what is missing most for the exchange to begin. */
static void advance(struct http_session *session)
{
    if (session->conn && session->conn->state == HTTP_CONN_IDLE && !http_conn_is_quiet(session->conn))
        http_conn_close(session->conn);
    if (http_login_wants_ticket(session))
        want_ticket(session);
    else if (!session->conn)
        want_connection(session);
    else
        start_exchange(session);
}

void http_session_advance(struct http_session *session)
{
    DL_DELETE(session->http->going, session);
    session->state = HTTP_SESSION_IDLE;
    advance(session);
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
        if (session->conn->state != HTTP_CONN_READY)
            return;
        session->addr_left = 0;
        go_on(session);
        return;
    }
    http_conn_close(session->conn);
    if (try_next_addr(session))
        advance(session);
    else
        fail(session, &err);
}

void http_session_sending(struct http_session *session)
{
    session->requests++;
    set_limit(session, HTTP_TIMER_NEVER);
}

/* --- an exchange is over --- */

static void keep_server(struct http_session *session, const void *value, size_t n)
{
    struct buf text = buf_init(SERVER_MAX);

    if (!n)
        return;
    if (session->server && strlen(session->server) == n && memcmp(session->server, value, n) == 0)
        return; /* as on every answer before */
    text_printable(&text, value, n);
    if (text.len && (!session->server || strcmp(session->server, buf_str(&text)) != 0))
        xreplace(&session->server, buf_str(&text));
    buf_free(&text);
}

/* What follows upon an exchange. */
enum follow {
    FOLLOW_FAIL, /* err says why */
    FOLLOW_ANSWER,
    FOLLOW_AGAIN,
    FOLLOW_WAIT, /* a ticket is on its way; it goes on by itself */
};

static enum follow judge_answer(struct http_session *session, struct err *err)
{
    static const enum follow follows[] = {
        [HTTP_LOGIN_AGAIN] = FOLLOW_AGAIN, [HTTP_LOGIN_LATER] = FOLLOW_WAIT};

    session->status = http_exchange_status(session->exchange);
    if (session->status != 401)
        return http_login_accepted(session, err) < 0 ? FOLLOW_FAIL : FOLLOW_ANSWER;
    enum http_login_next next = http_login_challenged(session, ticket_here, err);
    return next == HTTP_LOGIN_OVER ? FOLLOW_FAIL : follows[next];
}

static enum follow judge(struct http_session *session, const struct err *failure, struct err *err)
{
    struct view server = http_exchange_server(session->exchange);

    keep_server(session, server.p, server.n);
    if (!failure)
        return judge_answer(session, err);
    if (session->kerberos && http_exchange_sent(session->exchange))
        http_kerberos_forget(session->kerberos); /* a token is good for one try */
    if (session->trust && http_trust_try_older(session->trust))
        return FOLLOW_AGAIN;
    *err = *failure;
    return FOLLOW_FAIL;
}

void http_session_exchanged(struct http_session *session, const struct err *failure)
{
    struct err err = ERR_INIT;
    enum follow follow = judge(session, failure, &err);

    http_exchange_free(session->exchange);
    session->exchange = NULL;
    if (follow == FOLLOW_AGAIN || follow == FOLLOW_WAIT)
        buf_free(&session->answer);
    switch (follow) {
    case FOLLOW_FAIL:
        fail(session, &err);
        break;
    case FOLLOW_ANSWER:
        become_ready(session);
        break;
    case FOLLOW_AGAIN:
        go_on(session);
        break;
    case FOLLOW_WAIT:
        session->state = HTTP_SESSION_TICKET;
        set_limit(session, session->connect_ms);
        break;
    }
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
    if (s->tls == HTTP_TLS_NONE && (s->old_tls || s->client_cert_file || s->client_key_file))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "TLS settings for a connection without TLS");
    if (s->connect_ms <= 0 || s->request_ms <= 0 || s->idle_ms < 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "time limits must be positive");
    if (s->user && !s->kerberos && (!*s->user || strchr(s->user, ':') || !is_clean(s->user)))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' cannot be the user name of a digest login",
                       s->user);
    return 0;
}

static int set_address(struct http_session *session, const struct http_settings *s, struct err *err)
{
    const char *where = s->address ? s->address : s->name;

    if (http_addr_parse(&session->addrs[0], where, session->port)) {
        session->addr_count = 1;
        session->addr_fixed = true;
        return 0;
    }
    if (strchr(where, ':'))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' is neither a host name nor an address", where);
    session->where = xstrdup(where);
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
    session->given_fd = -1;
    session->answer = buf_init(WSMAN_ANSWER_MAX);
    session->body = buf_init(BODY_MAX);
    session->connect_ms = settings->connect_ms;
    session->request_ms = settings->request_ms;
    session->idle_ms = settings->idle_ms                ? settings->idle_ms
                       : settings->tls == HTTP_TLS_NONE ? IDLE_PLAIN_MS
                                                        : IDLE_TLS_MS;
    session->realm_wanted = xstrdup(settings->realm);
    if (!settings->kerberos)
        http_digest_init(&session->digest, settings->user, settings->password);
    session->name = xstrdup(settings->name);
    session->port = settings->port ? settings->port : settings->tls != HTTP_TLS_NONE ? PORT_TLS : PORT_PLAIN;
    if (settings->kerberos)
        session->kerberos = http_kerberos_new(session->name, session->port, settings->ccache);
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
    http_kerberos_free(session->kerberos);
    http_trust_free(session->trust);
    free(session->name);
    free(session->where);
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

int http_session_expect(struct http_session *session, const char *pin, struct err *err)
{
    return session->trust ? http_trust_expect(session->trust, pin, err) : 0;
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
    session->legs = 0;
    session->addr_left = 0;
    if (check_request(session, session->path, &err) < 0)
        fail(session, &err);
    else
        go_on(session);
    http_rearm(session->http);
}

struct http_facts http_session_facts(const struct http_session *session)
{
    struct http_facts facts = {
        .realm = session->realm_seen ? session->realm_seen : "",
        .server = session->server ? session->server : "",
        .schemes = session->schemes ? session->schemes : "",
        .heard = session->heard,
        .challenges = session->challenges,
        .connections = session->connections,
        .requests = session->requests,
    };

    http_trust_facts(session->trust, &facts);
    return facts;
}
