/* HTTP(S) to AMT devices, without an event loop of its own.
 *
 * The owner lends a loop through struct http_owner: it watches sockets, keeps one timer and runs blocking
 * work (Kerberos tickets, name look-ups) off the loop. Everything here runs on the owner's thread, and the
 * owner calls nothing of it from inside a callback of struct http_owner.
 *
 * A session is one device with one set of credentials: it keeps the digest nonce and its counter, the
 * authenticated connection, the certificate seen, and carries one request at a time. What a session's
 * settings do not ask for is never tried: no fall-back between TLS and plain, digest and Kerberos, in either
 * direction. (reference wsman.md, section 1) */
#ifndef WSMAN_HTTP_H
#define WSMAN_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/secret.h"

struct http;         /* the transport: one per loop */
struct http_session; /* one device */

enum { HTTP_WATCH_READ = 1, HTTP_WATCH_WRITE = 2, HTTP_WATCH_CLOSING = 4 };

/* What the owner of the loop does for the transport. All are called on its thread. */
struct http_owner {
    void *arg;
    const struct clock *clock;
    /* Watch fd for these events from now on, instead of those before (0: no more; HTTP_WATCH_CLOSING: no
     * more, it is closed as soon as this returns); tell http_socket_event as long as they last
     * (level-triggered). An error or hang-up counts as READ, and as WRITE while that is watched. */
    void (*watch)(void *arg, int fd, int events);
    /* Call http_timer once after ms (0: soon, from the loop, never from inside this call); negative: no call.
     * A call asked for before is thereby forgotten. */
    void (*timer)(void *arg, int64_t ms);
    /* Run work(data) on another thread, then done(data) on the loop's; at last when the loop ends, even after
     * http_free, since done frees data. */
    void (*offload)(void *arg, void (*work)(void *data), void (*done)(void *data), void *data);
};

/* Idle connections kept open over all sessions, at most; those unused for longest go first. One with TLS
 * takes some 50 KiB, a plain one hardly anything. */
struct http_keep {
    size_t plain, tls;
};

/* NULL and err (system). SIGPIPE must be ignored in programs that speak TLS. */
struct http *http_new(const struct http_owner *owner, struct http_keep keep, struct err *err);
/* All sessions must be closed before. */
void http_free(struct http *http);
/* events: HTTP_WATCH_ bits. Descriptors that are not (or no longer) watched are fine. */
void http_socket_event(struct http *http, int fd, int events);
void http_timer(struct http *http);

enum http_tls {
    HTTP_TLS_NONE, /* plain HTTP */
    HTTP_TLS_CA,   /* certificate must chain to the CA file (or the system's) and carry the host's name */
    HTTP_TLS_PIN, /* certificate must have the pinned SHA-256; without a pin the first one seen is recorded */
};

/* Settings of a session. The session copies what it needs. */
struct http_settings {
    const char *name;    /* the host's name: for TLS, Kerberos, Host header and messages */
    const char *address; /* where it is: numeric, or a name of DNS; NULL: name */
    uint16_t port;       /* 0: 16992 plain, 16993 TLS */
    enum http_tls tls;
    const char *ca_file; /* HTTP_TLS_CA; NULL: the system's trust store */
    const char *pin;     /* HTTP_TLS_PIN: 64 hex digits of SHA-256 over the DER certificate, or NULL */
    const char
        *pin_next; /* one that the device may have got in its place, or NULL: once seen, it is the pin */
    bool pinned_may_end; /* HTTP_TLS_CA: one that has ended, or not begun, is good if it is the pinned one */
    const char *client_cert_file; /* PEM, or NULL */
    const char *client_key_file;
    bool old_tls; /* TLS 1.0/1.1 and old ciphers; refused (invalid-argument) without HTTP_TLS_PIN and a pin */
    bool look;    /* nothing secret is sent: old TLS needs no pin, and there must be nothing to log in with */
    bool kerberos;      /* SPNEGO with the tickets of the process (or of ccache); else digest */
    const char *ccache; /* credential cache name, or NULL */
    const char *user;   /* digest */
    const struct secret *password;
    const char *realm;  /* the digest realm remembered for this host, or NULL: another one is realm-changed */
    int64_t connect_ms; /* limit of name look-up, of TCP connect and of the TLS handshake each */
    int64_t request_ms; /* limit of one exchange, challenge included, from when its request can be sent */
    int64_t idle_ms;    /* close the connection when unused for this long; 0: 25 s with TLS, 55 s without */
};

/* NULL and err (invalid-argument, with what is wrong). */
struct http_session *http_session_new(struct http *http, const struct http_settings *settings,
                                      struct err *err);
/* Ends a running exchange without calling back, closes the connection, wipes, frees. NULL is fine. */
void http_session_free(struct http_session *session);

/* Gives the session a stream socket that the owner has connected already; it is used (and from now on owned)
 * for the next connection, and closed when the next request ends without having needed it. A session without
 * one connects by itself. A TCP socket is made ready by http_socket_speaks before it is connected. */
void http_session_give_socket(struct http_session *session, int fd);
/* The kernel sends what is written at once, and waits for the first of it with the last word of the
 * handshake, for a fifth of a second at most: one packet less, and the device is woken once instead of
 * twice. */
void http_socket_speaks(int fd);

struct http_answer { /* borrowed for the time of the callback */
    int status;      /* HTTP status */
    const void *body;
    size_t n;
};
/* failure is NULL when an answer with a status other than 401 came; 401 and everything else is in failure. */
typedef void http_done(void *arg, const struct http_answer *answer, const struct err *failure);

/* POSTs body to path, or GETs path when body is NULL; path NULL is "/wsman". What is
 * posted is SOAP 1.2 there and SOAP 1.1 elsewhere. One at a time: the session must
 * be idle. Path and body are copied (a secret body into a secret buffer). deadline_ms is on the owner's
 * monotonic clock (0: only the session's own limits). done is called exactly once, never from inside this
 * call, and not at all after http_session_free; the session is idle again when it is called, and may be freed
 * in it.
 *
 * What was handed to a connection is never sent again by the transport: a connection that ends before the
 * answer is `dropped`, and the caller knows whether the request may be repeated. The digest challenge is
 * answered once per nonce; a second 401 with the same password is auth-failed, and the session then refuses
 * further requests with it: a wrong password is tried once. It is auth-locked only when the page speaks of a
 * lock and of no other reason, since firmware names all reasons on one page (section 1.2). A realm that is
 * none of AMT's is not-amt, one that is not the remembered one realm-changed; the password's hash goes to
 * neither. Without a user, a 401 is no-profile.
 *
 * Other causes: name-unknown, unreachable, refused, dropped, timeout, too-large, bad-answer, not-amt (what
 * answers is not HTTP), auth-unsupported, invalid-argument (path), system. */
void http_session_send(struct http_session *session, const char *path, const struct buf *body,
                       int64_t deadline_ms, http_done *done, void *arg);
/* Ends a running request without calling back; the session is idle after. Fine when it is idle already. */
void http_session_abort(struct http_session *session);
bool http_session_busy(const struct http_session *session);
/* HTTP_TLS_PIN: the device is about to get another certificate, which is trusted besides (pin_next). -1 with
 * err (invalid-argument): it is no pin. Sessions that do not pin do not need it. */
int http_session_expect(struct http_session *session, const char *pin, struct err *err);

/* What was learned; borrowed, "" or false while unknown. */
struct http_facts {
    const char *realm;       /* digest realm: AMT's identity since provisioning */
    const char *server;      /* Server header: "Intel(R) Active Management Technology 11.8.50" */
    const char *pin;         /* SHA-256 of the certificate seen, 64 hex digits */
    const char *certificate; /* its subject, issuer and dates in one line */
    const char *names; /* whom it is for: common name, alternative names and addresses, parted by ", " */
    const char *tls_version; /* "TLSv1.2" */
    const char *schemes;     /* WWW-Authenticate headers as sent, one per line */
    int64_t not_after_ms;    /* the certificate's end, wall clock; 0 unknown */
    bool heard;              /* some byte of an answer came */
    uint32_t challenges;     /* 401 answers met: one per nonce lifetime when all is well */
    uint32_t connections;    /* opened so far */
    uint32_t requests;       /* sent so far, challenges included */
};
struct http_facts http_session_facts(const struct http_session *session);

/* The version in a Server header ("11.8.50"), copied to out (at least 32 bytes); false when it is not AMT's.
 * "AMT" without a version gives true and "". (section 1.6) */
bool http_server_version(const char *server, char *out, size_t size);

#endif
