#include "amtd/redirect/redirect.h"

#include <stdlib.h>
#include <utlist.h>

#include "amtd/redirect/session_internal.h"
#include "base/xalloc.h"

struct redirect {
    struct redirect_parts parts;
    struct session_guard guard;
    struct session *sessions;
};

/* --- what runs ask --- */

/* The console session of a host; NULL: there is none. Firmware holds power for the sake of consoles only. */
static struct session *console_of(const struct redirect *redirect, int64_t host_id)
{
    struct session *session;

    DL_FOREACH(redirect->sessions, session)
    if (session->host_id == host_id && session->kind == SESSION_SOL && session_holds(session))
        return session;
    return NULL;
}

static bool console_is_open(void *arg, int64_t host_id)
{
    return console_of(arg, host_id) != NULL;
}

static bool set_aside(void *arg, int64_t host_id, void (*done)(void *done_arg), void *done_arg)
{
    struct session *session = console_of(arg, host_id);

    if (session)
        session_set_aside(session, done, done_arg);
    return session != NULL;
}

static void forget(void *arg, void *done_arg)
{
    const struct redirect *redirect = arg;
    struct session *session;

    DL_FOREACH(redirect->sessions, session)
    if (session->aside_arg == done_arg)
        session->aside_done = NULL;
}

static void bring_back(void *arg, int64_t host_id)
{
    struct session *session = console_of(arg, host_id);

    if (session)
        session_bring_back(session);
}

const struct session_guard *redirect_guard(const struct redirect *redirect)
{
    return &redirect->guard;
}

/* --- life --- */

struct redirect *redirect_new(const struct redirect_parts *parts)
{
    struct redirect *redirect = xcalloc(1, sizeof(*redirect));

    redirect->parts = *parts;
    redirect->guard = (struct session_guard){redirect, console_is_open, set_aside, forget, bring_back};
    return redirect;
}

void redirect_stop(struct redirect *redirect)
{
    struct session *session, *next;
    struct err why = ERR_INIT;

    err_set(&why, CAUSE_INTERRUPTED, "amtd ends");
    DL_FOREACH_SAFE(redirect->sessions, session, next)
    session_interrupt(session, &why);
}

void redirect_free(struct redirect *redirect)
{
    free(redirect);
}

const struct redirect_parts *redirect_parts(const struct redirect *redirect)
{
    return &redirect->parts;
}

void redirect_add(struct redirect *redirect, struct session *session)
{
    DL_APPEND(redirect->sessions, session);
}

void redirect_remove(struct redirect *redirect, struct session *session)
{
    DL_DELETE(redirect->sessions, session);
}
