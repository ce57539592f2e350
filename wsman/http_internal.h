/* What the files of the transport know of each other. Only http*.c and their tests include it.
 *
 *   http.c          the transport: events and timers in, results out
 *   http_session.c  one device: what the next step towards an answer is
 *   http_lookup.c   name to addresses, off the loop
 *   http_conn.c     one TCP connection from socket() to close()
 *   http_lane.c     one libcurl handle and what it carries: the only file that includes curl.h
 *   http_login.c    how it is let in, by http_digest.c or http_kerberos.c
 *   http_tls.c      what is trusted; http_tls_file.c certificates from files
 *   http_watch.c    who hears of which descriptor
 *   http_relay.c    for sockets that somebody else connected
 *
 * The transport connects by itself and hands libcurl connected sockets. So a host that does not answer costs
 * a socket and a timer instead of a libcurl handle, its errno is known exactly, every phase has its own
 * limit, and libcurl can never open a connection (and send a request again on it) behind our back. */
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
#include "wsman/http_relay.h"
#include "wsman/http_timers.h"
#include "wsman/http_tls.h"
#include "wsman/http_watch.h"

#define HTTP_ADDRS_MAX   4     /* addresses tried of one name */
#define HTTP_LOOKUP_MS   60000 /* how long looked-up addresses are trusted for new connections */
#define HTTP_TIMER_NEVER INT64_MAX

struct http_lane;
struct http_lanes;
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
    HTTP_CONN_READY,      /* connected, ours -> BUSY when libcurl takes it */
    HTTP_CONN_BUSY,       /* libcurl's, in an exchange -> IDLE, or closed by libcurl */
    HTTP_CONN_IDLE,       /* in libcurl's cache; we watch for its end -> BUSY, or closed */
};

struct http_conn {
    struct http_timer timer; /* first: end of its idle time */
    struct http *http;
    struct http_session *session;  /* NULL once disowned */
    struct http_conn *prev, *next; /* list of idle connections, oldest first */
    struct http_watch watch;
    bool on_trial; /* given, and libcurl may refuse it: then it is the session's again, for a relay */
    enum http_conn_state state;
    bool admitted; /* Kerberos: the device accepted a ticket on this connection */
};

/* Starts to connect; the session's conn is set. -1 with err (unreachable, refused, system) on an immediate
 * failure. */
int http_conn_start(struct http_session *session, const struct http_addr *addr, struct err *err);
/* Takes a socket connected by somebody else: READY and on trial, or over a relay, as http_conn_start. -1 with
 * err (system). */
int http_conn_adopt(struct http_session *session, int fd, bool relayed, struct err *err);
/* The socket of a CONNECTING connection is said to be writable: 0 and READY (or not yet), or -1 with err. */
int http_conn_finish(struct http_conn *conn, const struct http_addr *addr, struct err *err);
void http_conn_idle(struct http_conn *conn);   /* BUSY -> IDLE */
void http_conn_unidle(struct http_conn *conn); /* IDLE -> BUSY */
void http_conn_watch(struct http_conn *conn, int events);
/* Closes in any state but BUSY. */
void http_conn_close(struct http_conn *conn);
/* Its descriptor is to be closed now and the struct freed: libcurl says so, or http_conn_close. */
void http_conn_gone(struct http_conn *conn);
struct http_conn *http_conn_by_fd(const struct http *http, int fd); /* NULL: not (or no longer) ours */

/* --- a session --- */

enum http_session_state {
    HTTP_SESSION_IDLE,       /* send -> one of the next five, or READY */
    HTTP_SESSION_TICKET,     /* a Kerberos ticket is being got -> LOOKUP, CONNECTING, WAITING, READY */
    HTTP_SESSION_LOOKUP,     /* the name is being looked up -> CONNECTING, READY */
    HTTP_SESSION_CONNECTING, /* -> WAITING, CONNECTING (next address), READY */
    HTTP_SESSION_WAITING,    /* connected, wants a lane -> EXCHANGE, READY */
    HTTP_SESSION_EXCHANGE,   /* libcurl at work -> any of the former after a 401, READY */
    HTTP_SESSION_READY,      /* done is about to be called -> IDLE */
    HTTP_SESSION_STATES,
};

struct http_session {
    struct http_timer timer; /* first: limit of the state it is in */
    struct http *http;
    struct http_session *prev, *next; /* in http->waiting or http->ready */
    enum http_session_state state;
    struct http_conn *conn;
    struct http_lane *lane; /* in EXCHANGE */
    struct http_lookup *lookup;
    uint64_t serial; /* names its connections in libcurl's cache */

    /* settings */
    char *name;
    char *origin; /* "http://name:port" */
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
    bool given_relayed;    /* libcurl did not take it as it is */

    struct http_digest digest;
    struct http_kerberos *kerberos; /* NULL: digest */

    /* the request under way */
    const char *method;
    char *path;
    struct buf body;
    int64_t deadline_ms; /* given by the caller; HTTP_TIMER_NEVER: none */
    int64_t limit_ms;    /* end of the exchange's own time, from the first lane on */
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
};

/* Events of the session's parts. */
void http_session_looked_up(struct http_session *session, const struct err *failure);
void http_session_writable(struct http_session *session);     /* its connecting socket */
void http_session_lane_granted(struct http_session *session); /* session->lane is set */
void http_session_tcp_proven(struct http_session *session);   /* libcurl took its socket: TLS begins */
void http_session_sending(struct http_session *session);      /* connected, TLS done: the request goes out */
void http_session_server(struct http_session *session, const void *value, size_t n); /* a Server header */
void http_session_lane_done(struct http_session *session, int code);                 /* CURLcode */
/* Calls done; the session may be gone after. */
void http_session_deliver(struct http_session *session);

/* --- the transport --- */

struct http {
    struct http_owner owner;
    struct http_timers timers;
    int64_t armed_at; /* when the owner will call http_timer; HTTP_TIMER_NEVER: not asked */
    struct http_md5 md5;
    struct http_lanes *lanes;
    struct http_watches watches;
    struct http_relay *relays;
    struct http_tls_file *files;
    struct http_conn *idle; /* oldest first */
    size_t idle_count, idle_max;
    struct http_session *waiting; /* want a lane, in order of arrival */
    struct http_session *ready;   /* have an outcome to hand over */
    size_t sessions;
    uint64_t serial;
};

int64_t http_now(const struct http *http);
/* Asks the owner for a call of http_timer when something is due earlier than it knows. */
void http_rearm(struct http *http);

/* --- lookups --- */

/* Looks session->name up; http_session_looked_up comes later. */
struct http_lookup *http_lookup_start(struct http_session *session);
/* The session no longer wants to know. */
void http_lookup_abandon(struct http_lookup *lookup);
/* A numeric address; false when text is none. */
bool http_addr_parse(struct http_addr *addr, const char *text, uint16_t port);
/* "192.0.2.1 port 16992", "[2001:db8::1] port 16992"; out has HTTP_ADDR_TEXT_MAX bytes. */
#define HTTP_ADDR_TEXT_MAX 96
const char *http_addr_text(const struct http_addr *addr, char *out);

#endif
