#include "amtd/redirect/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/machine.h"
#include "amtd/redirect/session_internal.h"
#include "base/log.h"
#include "base/xalloc.h"

#define CONSENT_LOOK_MS    5000   /* between two looks whether the user has agreed */
#define CONSENT_DEFAULT_MS 300000 /* where the device does not say how long a code is good */
#define BUSY_MS            1000 /* another operation of amtd is talking to the host: tried again after ... */
#define BUSY_TRIES         30
#define RETURN_MS          30000 /* for coming back after having been set aside, in which the link may be down */
#define RETURN_TRY_MS      500
#define LINGER_MS          1000 /* for the good-bye of a session that is closed at once */

static const char *const kind_names[] = {[SESSION_SOL] = "sol", [SESSION_IDER] = "ider"};

static void look_up(struct session *s);
static void tell_aside_done(struct session *s);
static void prepare(struct session *s, bool look);
static void on_timer(uv_timer_t *timer);

int64_t session_now(const struct session *s)
{
    return clock_mono(redirect_parts(s->redirect)->clock);
}

void *session_owner(const void *session)
{
    return ((const struct session *)session)->events.arg;
}

bool session_is_up(const struct session *s)
{
    return s->phase == SESSION_UP;
}

/* --- the end --- */

static void handle_closed(uv_handle_t *handle)
{
    free(handle);
}

/* Lets go of everything on the way to the device. linger_ms: for what waits to be sent. */
static void leave(struct session *s, int64_t linger_ms)
{
    target_forget(s->lookup);
    s->lookup = NULL;
    prepare_forget(s->preparation);
    s->preparation = NULL;
    redir_free(s->core);
    s->core = NULL;
    ticket_free(s->ticket);
    s->ticket = NULL;
    stream_close(s->stream, linger_ms);
    s->stream = NULL;
    target_clear(s->target);
    s->target = NULL;
    uv_timer_stop(s->timer);
}

static void session_free(struct session *s)
{
    const struct session_events events = s->events;

    tell_aside_done(s);
    leave(s, 0);
    redirect_remove(s->redirect, s);
    uv_close((uv_handle_t *)s->timer, handle_closed);
    free(s->host);
    free(s);
    events.gone(events.arg);
}

/* Around every callback and every call of the core: false when the session was closed in it. */
static bool left(struct session *s)
{
    s->inside = false;
    if (!s->freed)
        return true;
    session_free(s);
    return false;
}

/* The session may be gone after. */
static void tell_down(struct session *s, const struct err *why)
{
    leave(s, LINGER_MS);
    s->phase = SESSION_OVER;
    tell_aside_done(s);
    s->inside = true;
    s->events.down(s->events.arg, why);
    left(s);
}

static bool tell_note(struct session *s, const char *text)
{
    s->inside = true;
    s->events.note(s->events.arg, text);
    return left(s);
}

/* Failures after which preparing the host may help. */
static bool prepare_may_help(const struct session *s, enum cause cause)
{
    /* A fault: firmware that wants consent logs us in, and then refuses to open without saying why. */
    static const enum cause causes[] = {CAUSE_REFUSED, CAUSE_REDIRECTION_DISABLED, CAUSE_CONSENT_REQUIRED,
                                        CAUSE_DROPPED, CAUSE_FAULT};

    if (s->prepared || s->phase == SESSION_UP || s->phase == SESSION_STOPPING)
        return false;
    if (cause == CAUSE_AUTH_FAILED) /* which of two passwords the device has is found out, and written down */
        return s->target && target_is_unsettled(s->target);
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
        if (causes[i] == cause)
            return true;
    return false;
}

/* After it was set aside the device may still hold the old session, or restart its network. */
static bool tries_to_return(struct session *s)
{
    if (s->return_until == 0 || session_now(s) >= s->return_until)
        return false;
    leave(s, 0);
    s->phase = SESSION_RETURNING;
    uv_timer_start(s->timer, on_timer, RETURN_TRY_MS, 0);
    return true;
}

/* The core can only guess at consent. Once the host was prepared it is known: nobody's was waited for. */
static void correct_guess(const struct session *s, struct err *why)
{
    struct err known = ERR_INIT;

    if (!s->prepared || why->cause != CAUSE_CONSENT_REQUIRED)
        return;
    if (why->code[0]) {
        err_set(&known, CAUSE_FAULT, "the device refused to open the session after the login");
        err_code(&known, "%s", why->code);
    } else {
        err_set(&known, CAUSE_DROPPED, "the device closed the connection after the login");
    }
    *why = known;
}

/* Ends with this failure, or does what may mend it. The session may be gone after. */
static void fail(struct session *s, const struct err *failure)
{
    struct err why = *failure;

    if (tries_to_return(s))
        return;
    correct_guess(s, &why);
    if (prepare_may_help(s, why.cause)) {
        leave(s, 0);
        prepare(s, false);
    } else if (why.cause == CAUSE_IN_USE && !s->asking) {
        leave(s, 0);
        s->why = why;
        s->asking = true;
        prepare(s, true);
    } else {
        tell_down(s, &why);
    }
}

/* --- preparing --- */

static void consent_wanted(struct session *s, const struct prepared *prepared)
{
    int64_t now = session_now(s);
    struct err err = ERR_INIT;
    char text[256];

    if (s->consent_until == 0) {
        s->consent_until =
            now + (prepared->code_timeout_s > 0 ? prepared->code_timeout_s * 1000 : CONSENT_DEFAULT_MS);
        snprintf(text, sizeof(text),
                 "user consent: a six-digit code is on the screen of %s; send it with: amtcli consent "
                 "%s code",
                 s->host, s->host);
        if (!tell_note(s, text))
            return;
    }
    if (now >= s->consent_until) {
        err_set(&err, CAUSE_CONSENT_REQUIRED, "the code on the machine's screen was not sent in time");
        tell_down(s, &err);
        return;
    }
    s->phase = SESSION_PAUSING;
    uv_timer_start(s->timer, on_timer, CONSENT_LOOK_MS, 0);
}

/* Another session holds the device: that is the failure, with a name where the device has one. */
static void holder_known(struct session *s, const struct prepared *prepared)
{
    struct err why = s->why;

    if (prepared && prepared->holder[0])
        err_set(&why, CAUSE_IN_USE, "%s; the device's log of sessions ends with: %s", s->why.text,
                prepared->holder);
    if (s->why.code[0])
        err_code(&why, "%s", s->why.code);
    tell_down(s, &why);
}

static void host_prepared(void *arg, const struct prepared *prepared, const struct err *failure)
{
    struct session *s = arg;
    struct err why;

    s->preparation = NULL;
    if (failure && failure->cause == CAUSE_BUSY && s->busy_tries++ < BUSY_TRIES) {
        s->phase = SESSION_PAUSING;
        uv_timer_start(s->timer, on_timer, BUSY_MS, 0);
        return;
    }
    if (s->asking) {
        holder_known(s, prepared);
        return;
    }
    if (failure) {
        why = *failure;
        tell_down(s, &why);
        return;
    }
    if (prepared->changes && !tell_note(s, prepared->changes))
        return;
    if (prepared->waits) {
        consent_wanted(s, prepared);
        return;
    }
    s->prepared = true;
    look_up(s);
}

static void prepare(struct session *s, bool look)
{
    s->phase = SESSION_PREPARING;
    s->preparation = prepare_start(s->redirect, s->host, kind_names[s->kind], look, host_prepared, s);
}

/* --- out of the way of a power action, and back --- */

bool session_holds(const struct session *s)
{
    return s->phase == SESSION_UP || s->phase == SESSION_ASIDE || s->return_until != 0;
}

static void tell_aside_done(struct session *s)
{
    void (*done)(void *arg) = s->aside_done;

    s->aside_done = NULL;
    if (done)
        done(s->aside_arg);
}

/* It has ended in order, because it was to. The session may be gone after. */
static void stopped(struct session *s)
{
    if (!s->set_aside) {
        tell_down(s, NULL);
        return;
    }
    s->set_aside = s->ended = false;
    leave(s, LINGER_MS);
    s->phase = SESSION_ASIDE;
    s->inside = true;
    if (s->events.aside)
        s->events.aside(s->events.arg);
    tell_aside_done(s);
    left(s);
}

void session_set_aside(struct session *s, void (*done)(void *arg), void *arg)
{
    s->aside_done = done;
    s->aside_arg = arg;
    if (s->phase != SESSION_UP) { /* aside, or on its way back */
        tell_aside_done(s);
        return;
    }
    s->set_aside = true;
    s->phase = SESSION_STOPPING;
    redir_stop(s->core, session_now(s));
    session_pump(s);
}

void session_bring_back(struct session *s)
{
    if (s->phase != SESSION_ASIDE)
        return;
    s->return_until = session_now(s) + RETURN_MS;
    look_up(s);
}

/* --- the core --- */

static void set_timer(struct session *s)
{
    int64_t deadline = redir_deadline(s->core), now = session_now(s);

    if (deadline == INT64_MAX)
        uv_timer_stop(s->timer);
    else
        uv_timer_start(s->timer, on_timer, deadline > now ? (uint64_t)(deadline - now) : 0, 0);
}

void session_pump(struct session *s)
{
    bool nested = s->inside;

    if (!s->core || !s->stream)
        return;
    s->inside = true; /* the core may say that it has room again */
    for (struct view out = redir_output(s->core); out.n > 0; out = redir_output(s->core)) {
        size_t taken = stream_write(s->stream, out.p, out.n);

        if (taken > 0)
            redir_sent(s->core, taken, session_now(s));
        if (taken < out.n)
            break;
    }
    set_timer(s);
    if (!nested)
        left(s);
}

/* After the core was called, with `inside` set: sends what it has to say, and looks whether it is over. The
 * session may be gone after. */
static void settle(struct session *s, int status, const struct err *err)
{
    if (s->core)
        session_pump(s);
    if (!left(s) || s->phase == SESSION_OVER)
        return;
    if (status != 0)
        fail(s, err);
    else if (s->ended && redir_output(s->core).n == 0)
        stopped(s);
}

static void core_up(void *arg, const struct redir_info *info)
{
    struct session *s = arg;
    struct pairs facts = {0};

    if (s->phase != SESSION_LOGGING_IN) /* it was closed, or is to stop */
        return;
    s->phase = SESSION_UP;
    s->return_until = 0;
    if (info->realm[0] && !pairs_get(&s->target->host.facts, "amt.realm"))
        pairs_set(&facts, "amt.realm", info->realm);
    if (s->target->profile.tls == PROFILE_TLS_PIN && !pairs_get(&s->target->host.facts, "tls.pin"))
        pairs_set(&facts, "tls.pin", stream_facts(s->stream).pin);
    target_learn(s->redirect, s->host_id, &facts);
    s->events.up(s->events.arg);
}

static void core_ended(void *arg)
{
    struct session *s = arg;

    s->ended = true;
}

static void core_note(void *arg, const char *text)
{
    const struct session *s = arg;

    log_info(s->host, "%s", text);
}

/* --- login by Kerberos --- */

static void ticket_came(void *arg, struct view token, const struct err *failure)
{
    struct session *s = arg;

    s->inside = true;
    if (!failure)
        redir_token(s->core, token.p, token.n, session_now(s));
    settle(s, failure ? -1 : 0, failure);
}

static void core_token(void *arg)
{
    struct session *s = arg;
    struct http_settings settings = target_settings(s->target);

    s->ticket = ticket_get(redirect_parts(s->redirect)->loop, settings.name, settings.port, settings.ccache,
                           ticket_came, s);
}

static int core_proof(void *arg, struct view token, struct err *err)
{
    struct session *s = arg;

    return ticket_prove(s->ticket, token, err);
}

/* --- the connection --- */

static unsigned login_methods(const struct profile *profile)
{
    if (profile->auth == PROFILE_AUTH_KERBEROS)
        return REDIR_MAY(REDIR_KERBEROS);
    /* A digest without qop can be replayed: firmware that has no better one is as old as that with none. */
    return REDIR_MAY(REDIR_DIGEST) |
           (profile->clear_text ? REDIR_MAY(REDIR_CLEAR) | REDIR_MAY(REDIR_DIGEST_OLD) : 0);
}

static void stream_up(void *arg)
{
    struct session *s = arg;
    struct http_settings settings = target_settings(s->target);
    struct redir_login login = {
        .user = settings.user,
        .password = settings.password,
        .methods = login_methods(&s->target->profile),
        .realm = settings.realm,
    };
    struct redir_events events = {.arg = s,
                                  .token = core_token,
                                  .proof = core_proof,
                                  .up = core_up,
                                  .ended = core_ended,
                                  .note = core_note};
    struct err err = ERR_INIT;

    s->phase = SESSION_LOGGING_IN;
    s->inside = true;
    s->core = s->events.begin(s->events.arg, &login, &events, session_now(s), &err);
    settle(s, s->core ? 0 : -1, &err);
}

static void stream_bytes(void *arg, const uint8_t *p, size_t n)
{
    struct session *s = arg;
    struct err err = ERR_INIT;
    int status;

    s->inside = true;
    status = redir_feed(s->core, p, n, session_now(s), &err);
    settle(s, status, &err);
}

static void stream_drained(void *arg)
{
    struct session *s = arg;

    s->inside = true;
    settle(s, 0, NULL);
}

static void stream_down(void *arg, const struct err *failure)
{
    struct session *s = arg;
    struct err err = ERR_INIT;

    if ((s->core && redir_lost(s->core, &err) == 0) || s->phase == SESSION_STOPPING) {
        stopped(s); /* it was to end, and has */
        return;
    }
    fail(s, failure && (!s->core || err.cause == CAUSE_DROPPED) ? failure : &err);
}

static void open_stream(struct session *s)
{
    struct http_settings settings = target_settings(s->target);
    const struct stream_peer peer = {
        .host = s->target->host.address ? s->target->host.address : s->target->host.name,
        .port = settings.port,
        .tls = &settings,
        .open_ms = settings.connect_ms,
    };
    const struct stream_events events = {s, stream_up, stream_bytes, stream_drained, stream_down};
    struct err err = ERR_INIT;

    s->phase = SESSION_CONNECTING;
    s->stream = stream_open(redirect_parts(s->redirect)->streams, &peer, &events, &err);
    if (!s->stream)
        tell_down(s, &err);
}

/* --- the way there --- */

/* Something is known of the machine, but nothing by which the login would tell it from another: its UUID is
 * compared first. */
static bool may_be_another(const struct target *target)
{
    struct login login = login_proven(&target->host, &target->profile);

    return machine_uuid(&target->host) && !machine_is_proved(&target->host, &login);
}

static void looked_up(void *arg, struct target *target, const struct err *failure)
{
    struct session *s = arg;
    struct err why = ERR_INIT;

    s->lookup = NULL;
    if (failure) {
        why = *failure;
        tell_down(s, &why);
        return;
    }
    s->target = target;
    s->host_id = target->host.id;
    if (target_is_known(target) && (s->prepared || !may_be_another(target))) {
        open_stream(s);
    } else if (!s->prepared) {
        leave(s, 0);
        prepare(s, false);
    } else {
        err_set(&why, CAUSE_NO_PROFILE, "there is no profile to log in with");
        tell_down(s, &why);
    }
}

static void look_up(struct session *s)
{
    s->phase = SESSION_LOOKING_UP;
    s->lookup = target_look_up(s->redirect, s->host, looked_up, s);
}

static void on_timer(uv_timer_t *timer)
{
    struct session *s = timer->data;
    struct err err = ERR_INIT;
    int status;

    if (s->phase == SESSION_RETURNING) {
        look_up(s);
    } else if (s->phase == SESSION_PAUSING) {
        prepare(s, s->asking);
    } else if (s->phase == SESSION_STOPPING && !s->core) {
        tell_down(s, NULL);
    } else if (s->core) {
        s->inside = true;
        status = redir_tick(s->core, session_now(s), &err);
        settle(s, status, &err);
    }
}

struct session *session_open(struct redirect *redirect, const char *host, enum session_kind kind,
                             bool prepare_first, const struct session_events *events)
{
    struct session *s = xcalloc(1, sizeof(*s));

    s->redirect = redirect;
    s->events = *events;
    s->host = xstrdup(host);
    s->kind = kind;
    s->timer = xcalloc(1, sizeof(*s->timer));
    uv_timer_init(redirect_parts(redirect)->loop, s->timer);
    s->timer->data = s;
    redirect_add(redirect, s);
    if (prepare_first)
        prepare(s, false);
    else
        look_up(s);
    return s;
}

void session_interrupt(struct session *s, const struct err *why)
{
    if (s->phase == SESSION_UP) {
        redir_stop(s->core, session_now(s));
        session_pump(s);
    }
    if (s->phase != SESSION_OVER)
        tell_down(s, why);
}

void session_stop(struct session *s)
{
    if (s->phase >= SESSION_STOPPING)
        return;
    if (s->core) {
        s->phase = SESSION_STOPPING;
        redir_stop(s->core, session_now(s));
        if (!s->inside)
            session_pump(s);
        return;
    }
    /* Not there yet: told at the next turn of the loop. */
    leave(s, 0);
    s->phase = SESSION_STOPPING;
    uv_timer_start(s->timer, on_timer, 0, 0);
}

void session_close(struct session *s)
{
    if (!s)
        return;
    if (s->core && s->phase == SESSION_UP && !s->inside) {
        redir_stop(s->core, session_now(s));
        session_pump(s);
    }
    if (s->inside) {
        s->freed = true;
        s->phase = SESSION_OVER;
        return;
    }
    leave(s, LINGER_MS);
    session_free(s);
}
