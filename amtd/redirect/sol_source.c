#include "amtd/redirect/sol_source.h"

#include <stdlib.h>

#include "amtd/redirect/session.h"
#include "base/xalloc.h"
#include "sol/sol.h"

/* A session and its core, which may outlive the source's interest in them for a moment. */
struct link {
    struct sol_source *source; /* NULL: nobody wants to hear any more */
    struct session *session;
    struct sol *sol; /* once its connection stands */
    bool up;
    bool was_up; /* the console knows that it is; it may be aside for a moment */
    bool was_loopback;
    bool writing; /* room is not told from inside a write */
    bool has_room;
};

struct sol_source {
    struct source source; /* first */
    struct redirect *redirect;
    char *host;
    struct link *link; /* NULL: not open */
};

static struct sol_source *of(struct source *source)
{
    return (struct sol_source *)source;
}

static const struct source_events *events_of(const struct link *link)
{
    return &link->source->source.events;
}

/* --- what the session tells --- */

static void sol_data(void *arg, const uint8_t *p, size_t n)
{
    const struct link *link = session_owner(arg);

    if (link->source)
        events_of(link)->bytes(events_of(link)->arg, p, n);
}

static void link_note(void *arg, const char *text)
{
    const struct link *link = arg;

    if (link->source)
        events_of(link)->note(events_of(link)->arg, text);
}

static void sol_lines_told(void *arg, const struct sol_lines *lines)
{
    struct link *link = session_owner(arg);
    bool loopback = lines->loopback && !link->was_loopback;

    link->was_loopback = lines->loopback;
    if (link->source)
        events_of(link)->signals(events_of(link)->arg, SOURCE_DSR, lines->powered ? SOURCE_DSR : 0);
    if (lines->overflow)
        link_note(link, "the device lost output of the host");
    if (lines->flushed)
        link_note(link, "the host did not fetch what was typed: the device threw it away");
    if (loopback)
        link_note(link, "nothing in the host owns its serial port: what is typed may get lost");
}

static void sol_has_room(void *arg)
{
    struct link *link = session_owner(arg);

    link->has_room = true;
    if (link->source && !link->writing)
        events_of(link)->drained(events_of(link)->arg);
}

static struct redir *link_begins(void *arg, const struct redir_login *login,
                                 const struct redir_events *session, int64_t now_ms, struct err *err)
{
    struct link *link = arg;
    const struct sol_events events = {*session, sol_data, sol_lines_told, sol_has_room};

    link->sol = sol_new(login, &sol_settings_default, &events, now_ms, err);
    return link->sol ? sol_session(link->sol) : NULL;
}

static void link_up(void *arg)
{
    struct link *link = arg;

    bool back = link->was_up;

    link->up = link->was_up = true;
    if (!link->source)
        return;
    if (!back) {
        events_of(link)->up(events_of(link)->arg);
        return;
    }
    link_note(link, "the console is back");
    if (link->source)
        events_of(link)->drained(events_of(link)->arg);
}

static void link_aside(void *arg)
{
    struct link *link = arg;

    link->up = false;
    link->sol = NULL;
    link_note(link, "set aside: this firmware refuses power actions while a console is open");
}

static void drop_link(struct sol_source *s)
{
    struct link *link = s->link;

    if (!link)
        return;
    s->link = NULL;
    link->source = NULL;
    session_close(link->session);
}

static void link_down(void *arg, const struct err *why)
{
    struct link *link = arg;
    struct source_events events;

    if (!link->source)
        return;
    events = *events_of(link);
    drop_link(link->source);
    events.down(events.arg, why);
}

static void link_gone(void *arg)
{
    free(arg);
}

/* --- what the console asks --- */

static int sol_source_open(struct source *source, struct err *err)
{
    struct sol_source *s = of(source);
    struct link *link = xcalloc(1, sizeof(*link));
    const struct session_events events = {link,      link_begins, link_up,  link_aside,
                                          link_note, link_down,   link_gone};

    (void)err;
    link->source = s;
    s->link = link;
    link->session = session_open(s->redirect, s->host, SESSION_SOL, false, &events);
    return 0;
}

static void sol_source_close(struct source *source)
{
    drop_link(of(source));
}

static size_t sol_source_write(struct source *source, const void *p, size_t n)
{
    struct link *link = of(source)->link;
    size_t taken = 0;

    if (!link || !link->up)
        return 0;
    link->writing = true;
    do {
        link->has_room = false;
        taken += sol_write(link->sol, (const uint8_t *)p + taken, n - taken);
        session_pump(link->session);
    } while (taken < n && link->has_room);
    link->writing = false;
    return taken;
}

static int sol_source_break(struct source *source, int64_t ms, struct err *err)
{
    (void)source;
    (void)ms;
    return err_set(err, CAUSE_UNSUPPORTED,
                   "Serial-over-LAN cannot send a break; set a text for it, or use the system's own key");
}

static void sol_source_destroy(struct source *source)
{
    struct sol_source *s = of(source);

    drop_link(s);
    free(s->host);
    free(s);
}

static const struct source_ops sol_source_ops = {
    .kind = "amt",
    .open = sol_source_open,
    .close = sol_source_close,
    .write = sol_source_write,
    .send_break = sol_source_break,
    .destroy = sol_source_destroy,
};

static struct source *sol_source_create(void *context, const struct source_settings *settings,
                                        const struct source_events *events, struct err *err)
{
    struct sol_source *s;

    if (!settings->host || !settings->host[0]) {
        err_set(err, CAUSE_INVALID_ARGUMENT, "a console of type amt needs a host");
        return NULL;
    }
    s = xcalloc(1, sizeof(*s));
    s->source.ops = &sol_source_ops;
    s->source.events = *events;
    s->redirect = context;
    s->host = xstrdup(settings->host);
    return &s->source;
}

struct source_kind sol_source_kind(struct redirect *redirect)
{
    return (struct source_kind){SOURCE_AMT, sol_source_create, redirect};
}
