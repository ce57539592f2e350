/* What the files of the transport know of each other. Only http*.c and their tests include it.
 *
 *   http.c           the transport: events and timers in, results out
 *   http_session.c   one device: what the next step towards an answer is
 *   http_lookup.c    name to addresses, off the loop
 *   http_conn.c      one TCP connection from socket() to close(), and bytes over it
 *   stream_tls.c     TLS on it
 *   http_exchange.c  one request and its answer
 *   http_reply.c     what an answer says: the only file that includes http_parser.h
 *   http_login.c     how it is let in, by http_digest.c or http_kerberos.c
 *   http_tls.c       what is trusted; http_tls_file.c certificates from files
 *   http_watch.c     who hears of which descriptor
 *
 * Every phase of a request has its own limit, every failure its own cause, and nothing opens a connection (or
 * sends a request again on it) behind our back. */
#ifndef WSMAN_HTTP_INTERNAL_H
#define WSMAN_HTTP_INTERNAL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "wsman/http.h"
#include "wsman/http_digest.h"
#include "wsman/http_kerberos.h"
#include "wsman/http_timers.h"
#include "wsman/http_tls.h"
#include "wsman/http_watch.h"
#include "wsman/stream_tls.h"

#define HTTP_ADDRS_MAX   4     /* addresses tried of one name */
#define HTTP_LOOKUP_MS   60000 /* how long looked-up addresses are trusted for new connections */
#define HTTP_TIMER_NEVER INT64_MAX
#define HTTP_TIMER_SOON  INT64_MIN /* when the loop turns */
#define HTTP_CHUNK       16384     /* read at a time; an answer of AMT is some 2 KiB long */

struct http_exchange;
struct http_lookup;

struct http_addr {
    socklen_t len;
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } u;
};

/* --- a connection --- */

enum http_conn_state {
    HTTP_CONN_CONNECTING, /* TCP connect under way -> READY, or closed */
    HTTP_CONN_READY,      /* connected, not used yet -> BUSY, or closed */
    HTTP_CONN_BUSY,       /* carries an exchange -> IDLE, or closed */
    HTTP_CONN_IDLE,       /* kept; we watch for its end -> BUSY, or closed */
};

struct http_conn {
    int64_t due_ms; /* IDLE: end of its idle time */
    struct http *http;
    struct http_session *session;
    struct http_conn *prev, *next; /* among the kept ones */
    struct http_watch watch;
    struct stream_tls *tls; /* NULL: plain, or nothing was said yet */
    enum http_conn_state state;
    bool admitted; /* Kerberos: the device accepted a ticket on this connection */
};

/* Starts to connect; the session's conn is set. -1 with err (unreachable, refused, system) on an immediate
 * failure. */
int http_conn_start(struct http_session *session, const struct http_addr *addr, struct err *err);
/* Takes a socket connected by somebody else: READY. -1 with err (system). */
int http_conn_adopt(struct http_session *session, int fd, struct err *err);
/* The socket of a CONNECTING connection is said to be writable: 0 and READY (or not yet), or -1 with err. */
int http_conn_finish(struct http_conn *conn, const struct http_addr *addr, struct err *err);
/* False when the device has closed an IDLE connection, or said something that nobody asked. */
bool http_conn_is_quiet(const struct http_conn *conn);
/* READY or IDLE -> BUSY. -1 with err (system). */
int http_conn_engage(struct http_conn *conn, struct err *err);
void http_conn_idle(struct http_conn *conn); /* BUSY -> IDLE */
void http_conn_watch(struct http_conn *conn, int events);
/* Closes and frees in any state. */
void http_conn_close(struct http_conn *conn);
/* More are idle than the owner wants to keep. */
bool http_conns_too_many(const struct http *http);
/* Those that have been unused for longest make room. */
void http_conns_trim(struct http *http);

/* --- bytes over a BUSY connection, as in stream_tls.h --- */

/* The TLS handshake, where there has to be one: DONE when bytes may be moved. */
enum stream_io http_conn_secure(struct http_conn *conn, struct err *err);
enum stream_io http_conn_read(struct http_conn *conn, void *p, size_t n, size_t *got, struct err *err);
enum stream_io http_conn_write(struct http_conn *conn, const void *p, size_t n, size_t *sent,
                               struct err *err);
/* False when a read would surely give nothing. filled: the last one gave all that was asked for. */
bool http_conn_may_hold(const struct http_conn *conn, bool filled);

/* Idle connections of one kind. Thousands come and go between two that are due: one timer watches over all.
 */
struct http_kept {
    struct http_timer timer; /* first; armed for the first of them, or for one that has left since */
    struct http *http;
    struct http_conn *conns; /* due first, so unused for longest, first */
    size_t count, most;
};

void http_kept_init(struct http_kept *kept, struct http *http, size_t most);

/* --- a session --- */

enum http_session_state {
    HTTP_SESSION_IDLE,       /* send -> GOING, or READY */
    HTTP_SESSION_GOING,      /* takes its next step when the loop turns -> one of the next four, or READY */
    HTTP_SESSION_TICKET,     /* a Kerberos ticket is being got -> LOOKUP, CONNECTING, EXCHANGE, READY */
    HTTP_SESSION_LOOKUP,     /* the name is being looked up -> CONNECTING, READY */
    HTTP_SESSION_CONNECTING, /* -> GOING, CONNECTING (next address), READY */
    HTTP_SESSION_EXCHANGE,   /* request out, answer in -> GOING or TICKET after a 401, READY */
    HTTP_SESSION_READY,      /* done is about to be called -> IDLE */
    HTTP_SESSION_STATES,
};

struct http_session {
    struct http_timer timer; /* first: limit of the state it is in */
    struct http *http;
    struct http_session *prev, *next; /* in http->ready or http->going */
    enum http_session_state state;
    struct http_conn *conn;
    struct http_exchange *exchange; /* in EXCHANGE */
    struct http_lookup *lookup;

    /* settings */
    char *name;
    char *where; /* the name to look up */
    uint16_t port;
    struct http_trust *trust; /* NULL: plain HTTP */
    int64_t connect_ms, request_ms, idle_ms;
    char *realm_wanted; /* NULL: any realm of AMT */
    bool refused;       /* the device refused this login: it is not tried again */
    enum cause refused_cause;

    /* where the device is */
    struct http_addr addrs[HTTP_ADDRS_MAX];
    uint8_t addr_count;
    uint8_t addr_at;       /* the one in use, or to be tried next */
    uint8_t addr_left;     /* addresses not yet tried for this connection */
    bool addr_fixed;       /* from the settings: never looked up */
    int64_t addr_until_ms; /* looked up: trusted so long */
    int given_fd;          /* -1: none */

    struct http_digest digest;
    struct http_kerberos *kerberos; /* NULL: digest */

    /* the request under way */
    const char *method;
    char *path;
    struct buf body;
    int64_t deadline_ms; /* given by the caller; HTTP_TIMER_NEVER: none */
    int64_t limit_ms;    /* end of the exchange's own time, from the first connection on */
    bool fresh_login;    /* the login was asked for, or sent anew, with this very request */
    uint8_t legs;        /* Kerberos tokens sent with it beyond the first */
    http_done *done;
    void *arg;

    /* its outcome */
    int status;
    struct buf answer;
    struct err *failure; /* NULL: an answer came */

    /* facts */
    char *realm_seen, *server, *schemes;
    uint32_t challenges, connections, requests;
    bool heard;
};

/* Takes the next step of a session in http->going. */
void http_session_advance(struct http_session *session);
/* Events of the session's parts. */
void http_session_looked_up(struct http_session *session, const struct err *failure);
void http_session_writable(struct http_session *session); /* its connecting socket */
void http_session_sending(struct http_session *session);  /* connected, TLS done: the request goes out */
/* The exchange has ended, failure NULL with an answer; its connection is idle or closed. */
void http_session_exchanged(struct http_session *session, const struct err *failure);
/* Calls done; the session may be gone after. */
void http_session_deliver(struct http_session *session);

/* --- the transport --- */

struct http {
    struct http_owner owner;
    struct http_timers timers;
    int64_t armed_at; /* when the owner will call http_timer; HTTP_TIMER_NEVER: not asked */
    struct http_md5 md5;
    struct http_watches watches;
    struct http_tls_file *files;
    struct http_kept kept[2];   /* plain, TLS */
    struct http_session *going; /* take their next step when the loop turns */
    struct http_session *ready; /* have an outcome to hand over */
    size_t sessions;
    uint8_t random[256]; /* for client nonces */
    size_t random_left;
    struct buf room;           /* for the next request; empty while one is under way */
    uint8_t chunk[HTTP_CHUNK]; /* of an answer, just read */
};

int64_t http_now(const struct http *http);
/* Asks the owner for a call of http_timer when something is due earlier than it knows. */
void http_rearm(struct http *http);

/* --- lookups --- */

/* Looks session->where up; http_session_looked_up comes later. */
struct http_lookup *http_lookup_start(struct http_session *session);
/* The session no longer wants to know. */
void http_lookup_abandon(struct http_lookup *lookup);
/* A numeric address; false when text is none. */
bool http_addr_parse(struct http_addr *addr, const char *text, uint16_t port);
/* "192.0.2.1 port 16992", "[2001:db8::1] port 16992"; out has HTTP_ADDR_TEXT_MAX bytes. */
#define HTTP_ADDR_TEXT_MAX 96
const char *http_addr_text(const struct http_addr *addr, char *out);

#endif
