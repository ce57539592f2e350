/* One redirection session with a host: from a host's name to an open session and its end.
 *
 *     look up -> (prepare -> (wait for consent)) -> connect -> log in -> up -> down
 *
 * It connects at once where the host is known, and prepares it (prepare.h) where it is not, or where the
 * device's answer says that something is switched off. What is to be told to people on the way (what was
 * switched on, that a code is on the machine's screen) goes to `note`.
 *
 * Which kind of session it is decides the owner, who makes the core (sol/) when the connection stands and
 * keeps the pointer; the session drives it. Loop's thread only. No callback comes from inside a function of a
 * session; session_close may be called in any callback. */
#ifndef AMTD_REDIRECT_SESSION_H
#define AMTD_REDIRECT_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "amtd/redirect/redirect.h"
#include "sol/redir.h"

struct session;

enum session_kind { SESSION_SOL, SESSION_IDER };

struct session_events {
    void *arg;
    /* The connection stands: make the core with these; the session frees it. NULL and err. The arg of the
     * core's events is the session: session_owner gives this arg. */
    struct redir *(*begin)(void *arg, const struct redir_login *login, const struct redir_events *events,
                           int64_t now_ms, struct err *err);
    /* Logged in and open; again when it comes back from having been set aside. */
    void (*up)(void *arg);
    /* It was set aside for a while: its core is gone until `begin` is called again. NULL: no need to know. */
    void (*aside)(void *arg);
    /* One line for people. */
    void (*note)(void *arg, const char *text);
    /* It is over, and the core is gone; close it. why is NULL when it ended by session_stop. */
    void (*down)(void *arg, const struct err *why);
    /* After session_close, now or when the core has come back: nothing will be called any more. */
    void (*gone)(void *arg);
};

/* prepare: in any case, before connecting; else only when it turns out to be needed. */
struct session *session_open(struct redirect *redirect, const char *host, enum session_kind kind,
                             bool prepare, const struct session_events *events);
/* Ends it in order: `down` follows. */
void session_stop(struct session *session);
/* Ends it as well as that goes at once, and frees it. Of the session only `gone` follows, maybe from inside
 * here; events of the core may still come before that when this is called in one of them. NULL is fine. */
void session_close(struct session *session);
/* To be called after any function of the core that was not called from a callback of it. */
void session_pump(struct session *session);
void *session_owner(const void *session);
bool session_is_up(const struct session *session);
int64_t session_now(const struct session *session); /* the clock of the core */

#endif
