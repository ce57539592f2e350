/* One redirection session with a device, from the console's side: start, login, life and end. (reference
 * redirection.md, sections 1, 5, 7)
 *
 * A session is made by the function of its kind (sol_new, ider_new, kvm_new) as soon as the connection stands
 * (TCP, or TLS within it), and is then driven by its connection through this header alone:
 *
 *     what arrives            redir_feed
 *     room in the socket      redir_output, redir_sent
 *     time                    redir_deadline, redir_tick
 *     the peer closed         redir_lost
 *
 * After any of these, and after any function of the kind, look at redir_output and redir_deadline again: both
 * may have changed. A function that returns -1 has ended the session: drop the connection, whatever is still
 * in redir_output. The text of `err` begins with the kind ("SOL: ...") and never with the host's name, which
 * the caller knows.
 *
 * Bounded in memory: what a device makes a session keep is at most one message (2 KiB; a Kerberos answer 16
 * KiB, dropped after the login); what its owner makes it keep is said with each kind. Callbacks may call any
 * function of the session but those that drive it (feed, tick) and redir_free. Not thread-safe; different
 * sessions are independent of each other. */
#ifndef SOL_REDIR_H
#define SOL_REDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"

#define REDIR_PORT      16994
#define REDIR_PORT_TLS  16995
#define REDIR_STEP_MS   10000 /* limit of each step of start and login */
#define REDIR_TOKEN_MAX 16384 /* of a Kerberos login */

struct redir;

/* Ways of logging in, by the protocol's number. */
enum redir_method {
    REDIR_CLEAR = 1, /* user and password in clear text */
    REDIR_KERBEROS = 2,
    REDIR_DIGEST_OLD = 3, /* without qop (RFC 2069) */
    REDIR_DIGEST = 4,     /* qop auth (RFC 2617) */
};

/* Set of methods: REDIR_MAY(REDIR_DIGEST) | ... */
#define REDIR_MAY(method) (1u << (method))
#define REDIR_MAY_DIGEST  (REDIR_MAY(REDIR_DIGEST) | REDIR_MAY(REDIR_DIGEST_OLD))

/* How to log in. Everything is copied. */
struct redir_login {
    const char *user;              /* 1..255 bytes; may be NULL when only Kerberos is allowed */
    const struct secret *password; /* at most 255 bytes; NULL is the empty one */
    /* Allowed methods. The best one that the device lists is used: Kerberos, digest, old digest, clear text.
     * A password goes over the line in clear text only when REDIR_CLEAR is set here. */
    unsigned methods;
    /* The digest realm this device must name; NULL or "": any. A password is never proved to another one. */
    const char *realm;
    /* Client nonce of a digest: 1..64 printable characters, for tests. NULL: 32 random hexadecimal digits. */
    const char *cnonce;
};

/* What the device said of itself when the session started. */
struct redir_info {
    uint8_t protocol_major, protocol_minor;
    uint8_t firmware_major, firmware_minor; /* "12", "0" of AMT 12.0 */
    uint32_t oem;                           /* IANA number of the maker: 343 is Intel */
    enum redir_method method;               /* how the login was done; 0 before */
    char realm[65]; /* the digest realm named, "" if none: remember it with the host */
};

/* Events that every kind of session has. Each may be NULL, but token when Kerberos is allowed. */
struct redir_events {
    void *arg;
    /* Kerberos was chosen: get a token (SPNEGO, for HTTP/<host>:<port of this connection>) and hand it over
     * with redir_token, from inside or later; a token that cannot be got ends the session by its owner's
     * hand. The limit of a step begins anew when the token is handed over; meanwhile there is none. */
    void (*token)(void *arg);
    /* Kerberos: what the device gave back with its consent, the proof that it is the one asked for (empty:
     * it gave none, as is usual). Return -1 and err to refuse it. */
    int (*proof)(void *arg, struct view token, struct err *err);
    /* Login is done and the device has agreed to the kind's settings: the session is there. Once. */
    void (*up)(void *arg, const struct redir_info *info);
    /* The session has ended in order, by redir_stop. Close the connection when redir_output is empty. Once;
     * nothing follows. */
    void (*ended)(void *arg);
    /* Something odd that does no harm, for the log: one line. At most 8 in a session. */
    void (*note)(void *arg, const char *text);
};

/* Wipes and frees, in any state, without events. NULL is fine. Frees the kind's object with it. */
void redir_free(struct redir *redir);

/* Bytes from the device, in any pieces. -1 and err:
 *   in-use                 a session of this kind is open already, perhaps of a console that vanished a
 * moment ago: it holds the device for its own time-out (code "redirection start 2") redirection-disabled this
 * kind is switched off or not there (code "redirection start 3") unsupported            the firmware does not
 * know this kind (code "redirection start 1") auth-failed            user or password are wrong, or the user
 * lacks the realm (code "redirection login 1") auth-unsupported       the device lists no method that is
 * allowed, or refuses the one chosen (code "redirection login 2", if it said so) realm-changed another realm
 * than the one that was to be consent-required       IDER, KVM: refused after a good login (a guess that the
 * text names as one) fault                  any other code of the firmware, which is in `code` bad-answer
 * bytes that are no message of this protocol, or a message out of turn, or one with lengths that cannot be;
 * the text names message, state and offset in the stream */
int redir_feed(struct redir *redir, const void *p, size_t n, int64_t now_ms, struct err *err);

/* Bytes for the device, whole messages in the order they were made; borrowed until the next call of any
 * function of this session. */
struct view redir_output(struct redir *redir);
void redir_sent(struct redir *redir, size_t n, int64_t now_ms); /* the first n of them were taken */

/* When redir_tick wants to be called next, on the clock of now_ms; INT64_MAX: not at all. */
int64_t redir_deadline(const struct redir *redir);
/* Makes heartbeats, watches limits. -1 and err (timeout): the device is silent; the text says in which step.
 */
int redir_tick(struct redir *redir, int64_t now_ms, struct err *err);

/* The owner stopped reading from the connection (back-pressure), or reads again: silence is not the device's
 * fault meanwhile. A new session is being read. */
void redir_reading(struct redir *redir, bool reading, int64_t now_ms);

/* What it means that the connection was closed or broken now: fills err (dropped; consent-required where a
 * device closes in place of refusing; ...) and returns -1; 0 after `ended`. To be called at most once, last
 * before redir_free. */
int redir_lost(struct redir *redir, struct err *err);

/* The Kerberos token that the event asked for, 1..16384 bytes. Ignored when none was asked for. */
void redir_token(struct redir *redir, const void *p, size_t n, int64_t now_ms);

/* Ends the session in order, as its kind does: `ended` follows from a later redir_feed or redir_tick (when
 * the device does not answer, after 2 s). Before login is done it follows at the next tick, which is due at
 * once. Again: ignored. */
void redir_stop(struct redir *redir, int64_t now_ms);

/* Facts about the device gathered so far; borrowed. */
const struct redir_info *redir_info(const struct redir *redir);

/* Bytes of memory that this session holds, itself included. */
size_t redir_memory(const struct redir *redir);

#endif
