/* What session.c and redirect.c know of a session. */
#ifndef AMTD_REDIRECT_SESSION_INTERNAL_H
#define AMTD_REDIRECT_SESSION_INTERNAL_H

#include "amtd/redirect/prepare.h"
#include "amtd/redirect/session.h"
#include "amtd/redirect/target.h"
#include "amtd/redirect/ticket.h"

enum session_phase {
    SESSION_LOOKING_UP, /* -> PREPARING, CONNECTING */
    SESSION_PREPARING,  /* -> PAUSING, LOOKING_UP, OVER (with the reason it was begun for) */
    SESSION_PAUSING,    /* for consent, or for somebody else at the host -> PREPARING */
    SESSION_RETURNING,  /* a while passes -> LOOKING_UP */
    SESSION_CONNECTING, /* -> LOGGING_IN, PREPARING */
    SESSION_LOGGING_IN, /* -> UP, PREPARING */
    SESSION_UP,         /* -> STOPPING */
    SESSION_STOPPING,   /* in order -> OVER, ASIDE */
    SESSION_ASIDE,      /* closed for a power action -> LOOKING_UP when that is done */
    SESSION_OVER,       /* told, or about to be */
};

struct session {
    struct redirect *redirect;
    struct session_events events;
    char *host;
    int64_t host_id; /* 0: not looked up yet */
    enum session_kind kind;
    enum session_phase phase;
    bool prepared;        /* once is enough */
    bool asking;          /* only who holds it is still to be found out */
    bool inside;          /* a callback or the core is being called: freed after it */
    bool freed;           /* and it was closed */
    bool ended;           /* the core has ended in order */
    bool set_aside;       /* when it has stopped it is not over */
    int64_t return_until; /* it has been aside, and until then tries to come back; 0: not */
    void (*aside_done)(void *arg);
    void *aside_arg;
    unsigned busy_tries;
    int64_t consent_until; /* 0: nobody was asked for consent yet */
    struct target_lookup *lookup;
    struct preparation *preparation;
    struct target *target;
    struct stream *stream;
    struct redir *core;
    struct ticket *ticket; /* of a login by Kerberos */
    uv_timer_t *timer;
    struct err why; /* how it failed */
    struct session *prev, *next;
};

/* It is there, and power actions may meet it. */
bool session_holds(const struct session *session);
/* Closes it in order for a while; done is called when that is so, maybe from inside. */
void session_set_aside(struct session *session, void (*done)(void *arg), void *arg);
void session_bring_back(struct session *session);
/* Ends it with that, `down` included, from inside. */
void session_interrupt(struct session *session, const struct err *why);

#endif
