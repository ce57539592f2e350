/* Those who are attached to a console: what they are shown, and what they may do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "amtd/console/console_internal.h"
#include "base/xalloc.h"

uint64_t attachment_id(const struct attachment *a)
{
    return a->id;
}

uint64_t attachment_begin(const struct attachment *a)
{
    return a->begin;
}

struct console *attachment_console(const struct attachment *a)
{
    return a->console;
}

static struct attachment *find(const struct console *c, uint64_t id)
{
    struct attachment *a;

    DL_FOREACH(c->attached, a)
    if (a->id == id)
        return a;
    return NULL;
}

bool console_is_demanded(const struct console *c)
{
    const struct attachment *a;

    DL_FOREACH(c->attached, a)
    if (!a->quiet || a->demands)
        return true;
    return false;
}

bool console_is_opened(const struct console *c)
{
    const struct attachment *a;

    DL_FOREACH(c->attached, a)
    if (a->quiet ? a->demands : a->right >= RIGHT_WRITE)
        return true;
    return false;
}

void attachment_demand(struct attachment *a, bool wanted)
{
    a->demands = wanted;
    console_demand(a->console);
}

void console_tell(struct console *c, const struct console_event *event, uint64_t only)
{
    struct console_event e = *event;
    struct attachment *a, *next;

    e.state = c->state;
    e.offset = clog_end(c->log);
    e.at_ms = clock_wall(c->env->clock);
    DL_FOREACH_SAFE(c->attached, a, next)
    if ((only == 0 || a->id == only) && a->sink.event)
        a->sink.event(a->sink.arg, &e);
    if (only == 0)
        c->env->event(c->env->arg, c, &e);
}

/* --- coming and going --- */

static const char *const modes[] = {"watches", "writes", "writes, by force"};

/* Everybody learns who holds it now. */
static void tell_lease(struct console *c)
{
    const struct attachment *holder = find(c, c->lease.holder);

    if (c->source->ops->lease)
        c->source->ops->lease(c->source, holder ? holder->who : NULL, holder && holder->mode == ATTACH_FORCE);
    console_did(c, JOURNAL_LEASE, holder ? holder->who : "", NULL, c->lease.holder);
}

static int check_request(const struct attach_request *request, const struct console *c, struct err *err)
{
    if (request->right < RIGHT_WATCH)
        return err_set(err, CAUSE_DENIED, "%s may not watch console %s", request->who, c->settings.name);
    if (request->mode != ATTACH_WATCH && request->right < RIGHT_WRITE)
        return err_set(err, CAUSE_DENIED, "%s may only watch console %s", request->who, c->settings.name);
    if (request->mode == ATTACH_FORCE && request->right < RIGHT_CONTROL)
        return err_set(err, CAUSE_DENIED, "%s may not take console %s from others", request->who,
                       c->settings.name);
    return 0;
}

static uint64_t begin_at(const struct console *c, const struct attach_request *request, uint64_t first,
                         uint64_t end)
{
    if (request->from_offset)
        return request->offset < first ? first : request->offset;
    return request->replay_lines > 0 ? clog_back(c->log, request->replay_lines, REPLAY_MOST) : end;
}

static size_t sink_room(void *arg)
{
    const struct attachment *a = arg;

    return a->sink.room(a->sink.arg);
}

static void sink_bytes(void *arg, uint64_t offset, const uint8_t *p, size_t n)
{
    const struct attachment *a = arg;

    a->sink.bytes(a->sink.arg, offset, p, n);
}

static void sink_skipped(void *arg, uint64_t from, uint64_t to, const struct err *err)
{
    struct attachment *a = arg;
    char text[ERR_TEXT_MAX + 80];
    struct console_event event = {.what = CONSOLE_DID, .kind = JOURNAL_GAP, .who = "", .text = text};

    snprintf(text, sizeof(text), "bytes %llu to %llu: %s", (unsigned long long)from, (unsigned long long)to,
             err ? err->text : "not in the log any more");
    console_tell(a->console, &event, a->id);
}

struct attachment *console_attach(struct console *c, const struct attach_request *request,
                                  const struct attach_sink *sink, struct err *err)
{
    const struct cursor_sink cursor = {NULL, sink_room, sink_bytes, sink_skipped};
    struct cursor_sink own = cursor;
    uint64_t first, end;
    struct attachment *a;

    if (check_request(request, c, err) != 0)
        return NULL;
    clog_settle(c->log);
    if (clog_range(c->log, &first, &end, err) != 0)
        return NULL;
    a = xcalloc(1, sizeof(*a));
    own.arg = a;
    a->id = c->env->next_id(c->env->arg);
    a->console = c;
    a->who = xstrdup(request->who);
    a->from = xstrdup(request->from);
    a->right = request->right;
    a->mode = request->mode;
    a->sink = *sink;
    a->since_ms = clock_wall(c->env->clock);
    a->dropped_ms = INT64_MIN / 2;
    cursor_init(&a->cursor, c->log, begin_at(c, request, first, end), &own);
    a->begin = a->cursor.offset;
    a->quiet = request->quiet;
    a->deaf = request->deaf;
    a->cursor.logged_only = request->quiet;
    if (!a->quiet)
        console_did(c, JOURNAL_ATTACH, a->who, modes[a->mode], a->id); /* the newcomer knows */
    DL_APPEND(c->attached, a);
    c->attached_count++;
    if (a->mode == ATTACH_FORCE)
        attachment_force(a, NULL);
    else if (a->mode == ATTACH_WRITE)
        attachment_request(a, NULL);
    if (cursor_behind(&a->cursor) > 0)
        c->env->behind(c->env->arg, c);
    console_demand(c);
    return a;
}

static void remove_attachment(struct attachment *a)
{
    struct console *c = a->console;
    bool held = c->lease.holder == a->id;

    DL_DELETE(c->attached, a);
    c->attached_count--;
    lease_release(&c->lease, a->id);
    if (c->muted_by == a->id && !c->removed)
        console_logging(c, a->who, true, NULL);
    if (!c->removed) {
        if (!a->quiet)
            console_did(c, JOURNAL_DETACH, a->who, NULL, a->id);
        if (held)
            tell_lease(c);
        console_demand(c);
    }
    free(a->who);
    free(a->from);
    free(a);
}

void attachment_close(struct attachment *a)
{
    if (a)
        remove_attachment(a);
}

static void end_attachment(struct attachment *a, const char *reason)
{
    struct attach_sink sink = a->sink;

    remove_attachment(a);
    if (sink.closed)
        sink.closed(sink.arg, reason);
}

void console_detach_all(struct console *c, const char *reason)
{
    while (c->attached)
        end_attachment(c->attached, reason);
}

int console_disconnect(struct console *c, uint64_t id, const char *by, struct err *err)
{
    struct attachment *a = find(c, id);
    char *reason;

    if (!a)
        return err_set(err, CAUSE_NOT_FOUND, "nobody is attached to %s as number %llu", c->settings.name,
                       (unsigned long long)id);
    reason = xasprintf("ended by %s", by);
    end_attachment(a, reason);
    free(reason);
    return 0;
}

/* --- showing --- */

void attachment_ready(struct attachment *a)
{
    if (cursor_behind(&a->cursor) > 0 && cursor_pump(&a->cursor, PUMP_MOST))
        a->console->env->behind(a->console->env->arg, a->console);
}

bool console_pump(struct console *c)
{
    struct attachment *a, *next;
    bool more = false;

    DL_FOREACH_SAFE(c->attached, a, next)
    if (cursor_behind(&a->cursor) > 0 && cursor_pump(&a->cursor, PUMP_MOST))
        more = true;
    return more;
}

/* --- typing --- */

static void dropped(struct attachment *a, const char *why)
{
    const struct console_event event = {.what = CONSOLE_DROPPED, .who = "", .text = why, .id = a->id};
    int64_t now = clock_mono(a->console->env->clock);

    if (now - a->dropped_ms < DROPPED_MS)
        return;
    a->dropped_ms = now;
    console_tell(a->console, &event, a->id);
}

size_t attachment_write(struct attachment *a, const void *p, size_t n)
{
    struct console *c = a->console;
    size_t taken;

    a->blocked = false;
    a->typed_ms = clock_wall(c->env->clock);
    if (a->mode == ATTACH_WATCH || a->right < RIGHT_WRITE) {
        dropped(a, "you only watch this console");
        return n;
    }
    if (c->lease.holder != a->id) {
        const struct attachment *holder = find(c, c->lease.holder);
        char *why =
            holder ? xasprintf("%s is writing", holder->who) : xstrdup("you do not hold the write lease");

        dropped(a, why);
        free(why);
        return n;
    }
    if (c->state != CONSOLE_UP) {
        dropped(a, "the link is not up");
        return n;
    }
    if (c->source->ops->hindrance && c->source->ops->hindrance(c->source)) {
        dropped(a, c->source->ops->hindrance(c->source));
        return n;
    }
    c->typed_ms = clock_mono(c->env->clock);
    taken = c->source->ops->write(c->source, p, n);
    a->blocked = taken < n;
    return taken;
}

void console_writable(struct console *c)
{
    struct attachment *a, *next;

    DL_FOREACH_SAFE(c->attached, a, next)
    if (a->blocked && a->sink.writable)
        a->sink.writable(a->sink.arg);
}

int console_send(struct console *c, const char *who, const void *p, size_t n, bool force, struct err *err)
{
    const struct attachment *holder = find(c, c->lease.holder);

    if (c->state != CONSOLE_UP)
        return err_set(err, CAUSE_REFUSED, "console %s is not up", c->settings.name);
    if (holder && !force && strcmp(holder->who, who) != 0)
        return err_set(err, CAUSE_IN_USE, "%s is writing to console %s", holder->who, c->settings.name);
    c->typed_ms = clock_mono(c->env->clock);
    if (c->source->ops->write(c->source, p, n) < n)
        return err_set(err, CAUSE_BUSY, "console %s does not take that much at once", c->settings.name);
    return 0;
}

/* --- the lease --- */

/* Those whose typing waited do not wait for this any more. */
static void lease_changed(struct console *c)
{
    tell_lease(c);
    console_writable(c);
}

static int may_write(const struct attachment *a, struct err *err)
{
    if (a->mode != ATTACH_WATCH && a->right >= RIGHT_WRITE)
        return 0;
    return err_set(err, CAUSE_DENIED, "%s attached to %s for watching only", a->who,
                   a->console->settings.name);
}

int attachment_break(struct attachment *a, struct err *err)
{
    const struct console *c = a->console;

    if (may_write(a, err) != 0)
        return -1;
    if (c->lease.holder != a->id)
        return err_set(err, CAUSE_IN_USE, "you do not hold the write lease of %s", c->settings.name);
    return console_break(a->console, a->who, '0', 0, err);
}

int attachment_request(struct attachment *a, struct err *err)
{
    struct console *c = a->console;
    const struct console_event event = {.what = CONSOLE_WANTED, .who = a->who, .text = "", .id = a->id};
    const struct attachment *holder;
    bool held = c->lease.holder == a->id;

    if (may_write(a, err) != 0)
        return -1;
    if (lease_request(&c->lease, a->id)) {
        if (!held)
            lease_changed(c);
        return 0;
    }
    console_tell(c, &event, c->lease.holder);
    holder = find(c, c->lease.holder);
    return err_set(err, CAUSE_IN_USE, "%s is writing to %s; you are next but %zu",
                   holder ? holder->who : "somebody", c->settings.name, c->lease.waiting_count - 1);
}

int attachment_force(struct attachment *a, struct err *err)
{
    if (may_write(a, err) != 0)
        return -1;
    if (a->right < RIGHT_CONTROL && a->console->lease.holder != 0 && a->console->lease.holder != a->id)
        return err_set(err, CAUSE_DENIED, "%s may not take console %s from others", a->who,
                       a->console->settings.name);
    if (lease_force(&a->console->lease, a->id) != a->id)
        lease_changed(a->console);
    return 0;
}

int attachment_grant(struct attachment *a, uint64_t to, struct err *err)
{
    struct console *c = a->console;

    if (to == 0 && c->lease.waiting_count > 0)
        to = c->lease.waiting[0];
    if (c->lease.holder != a->id)
        return err_set(err, CAUSE_IN_USE, "the write lease of %s is not yours to give", c->settings.name);
    if (!lease_grant(&c->lease, a->id, to))
        return err_set(err, CAUSE_NOT_FOUND, "nobody waits for the write lease of %s", c->settings.name);
    lease_changed(c);
    return 0;
}

int attachment_release(struct attachment *a, struct err *err)
{
    struct console *c = a->console;
    bool held = c->lease.holder == a->id;

    if (!held && !lease_waits(&c->lease, a->id))
        return err_set(err, CAUSE_NOT_FOUND, "you neither hold the write lease of %s nor wait for it",
                       c->settings.name);
    lease_release(&c->lease, a->id);
    if (held)
        lease_changed(c);
    return 0;
}

struct lease_state attachment_lease(const struct attachment *a)
{
    return (struct lease_state){a->console->lease.holder == a->id, lease_waits(&a->console->lease, a->id)};
}

/* --- who is there --- */

size_t console_attached(const struct console *c, struct attached *out, size_t max)
{
    const struct attachment *a;
    size_t i = 0;

    DL_FOREACH(c->attached, a)
    {
        if (i >= max)
            break;
        out[i++] = (struct attached){
            .id = a->id,
            .who = a->who,
            .from = a->from,
            .holds = c->lease.holder == a->id,
            .waits = lease_waits(&c->lease, a->id),
            .watches = a->mode == ATTACH_WATCH || a->right < RIGHT_WRITE,
            .since_ms = a->since_ms,
            .typed_ms = a->typed_ms,
            .behind = a->deaf ? 0 : cursor_behind(&a->cursor),
        };
    }
    return c->attached_count;
}

int console_message(struct console *c, const char *who, const char *text, uint64_t to, struct err *err)
{
    const struct console_event event = {
        .what = CONSOLE_DID, .kind = JOURNAL_MESSAGE, .who = who, .text = text};

    if (to != 0 && !find(c, to))
        return err_set(err, CAUSE_NOT_FOUND, "nobody is attached to %s as number %llu", c->settings.name,
                       (unsigned long long)to);
    if (to != 0)
        console_tell(c, &event, to);
    else
        console_did(c, JOURNAL_MESSAGE, who, text, 0);
    return 0;
}

struct console_info console_info(struct console *c)
{
    const struct attachment *holder = find(c, c->lease.holder);
    int64_t now = clock_mono(c->env->clock);

    return (struct console_info){
        .name = c->settings.name,
        .settings = &c->settings,
        .state = c->state,
        .reason = c->awaits   ? c->awaits
                  : c->reason ? c->reason
                              : "",
        .awaits = c->awaits != NULL,
        .since_ms = c->since_ms,
        .next_ms = c->state == CONSOLE_WAITING ? clock_wall(c->env->clock) + c->retry_ms - now : 0,
        .attempts = c->failures,
        .signals_known = c->signals_known,
        .signals_on = c->signals_on,
        .device = device_state_name(c->device.state),
        .writer = holder ? holder->who : "",
        .readers = c->attached_count,
        .rate = traffic_rate(&c->activity, &c->settings.activity, now),
        .activity = c->activity.state,
        .received = c->received,
        .last_ms = clog_last_ms(c->log),
        .logging = clog_enabled(c->log),
        .log_paused = clog_paused(c->log),
    };
}
