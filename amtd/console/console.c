#include "amtd/console/console.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "amtd/console/console_internal.h"
#include "amtd/console/typed_text.h"
#include "base/log.h"
#include "base/xalloc.h"

static const char *const states[CONSOLE_STATES] = {"idle", "connecting", "up", "waiting", "down"};

const char *console_state_name(enum console_state state)
{
    return states[state];
}

static int64_t now(const struct console *c)
{
    return clock_mono(c->env->clock);
}

static int64_t wall(const struct console *c)
{
    return clock_wall(c->env->clock);
}

struct clog *console_log(struct console *c)
{
    return c->log;
}

/* --- what happened --- */

void console_did(struct console *c, enum journal_kind kind, const char *who, const char *text, uint64_t id)
{
    const struct console_event event = {
        .what = CONSOLE_DID, .kind = kind, .who = who ? who : "", .text = text ? text : "", .id = id};

    clog_event(c->log, kind, who, text);
    console_look_at_log(c);
    console_tell(c, &event, 0);
}

/* What the link does. With nobody attached, a log that was not used yet is not woken for it. */
static void link_did(struct console *c, enum journal_kind kind, const char *text)
{
    const struct console_event event = {
        .what = CONSOLE_DID, .kind = kind, .who = "", .text = text ? text : ""};

    if (c->attached_count > 0) {
        console_did(c, kind, NULL, text, 0);
        return;
    }
    if (clog_event_early(c->log, kind, text))
        c->env->noted(c->env->arg);
    else
        console_look_at_log(c);
    console_tell(c, &event, 0);
}

static void set_timer(struct console *c);

/* Not told to anybody. */
static void enter(struct console *c, enum console_state state)
{
    if (c->state != state) {
        log_debug(c->settings.name, "%s -> %s", states[c->state], states[state]);
        c->since_ms = wall(c);
    }
    c->state = state;
    xreplace(&c->awaits, NULL);
    set_timer(c);
}

/* A change that is not worth a line in the journal. */
static void set_state(struct console *c, enum console_state state, const char *why)
{
    /* while it connects, why it did not the last time is no news */
    const char *text = why && state != CONSOLE_CONNECTING ? why : "";
    const struct console_event event = {.what = CONSOLE_IS, .who = "", .text = text};

    enter(c, state);
    if (why != c->reason)
        xreplace(&c->reason, why);
    console_tell(c, &event, 0);
}

/* The link is not there (any more). One message for each change: the journal is told once, and again only
 * when the reason is another one. */
static void set_down(struct console *c, enum console_state state, const char *why)
{
    if (c->was_down && strcmp(why, c->reason ? c->reason : "") == 0) {
        set_state(c, state, c->reason);
        return;
    }
    c->was_down = true;
    enter(c, state);
    if (why != c->reason)
        xreplace(&c->reason, why);
    link_did(c, JOURNAL_DOWN, c->reason);
}

/* --- connecting --- */

static void leave_line(struct console *c)
{
    if (!c->in_line)
        return;
    c->in_line = false;
    c->env->connected(c->env->arg, c);
}

static void connect_now(struct console *c, bool retry)
{
    if (c->in_line)
        return;
    set_state(c, CONSOLE_CONNECTING, c->reason);
    c->in_line = true;
    if (c->env->connect(c->env->arg, c, retry))
        console_granted(c);
}

/* To open the way to a machine is more than to watch: it takes somebody who may write. It stays as long as
 * anybody is attached. */
static bool wanted(const struct console *c)
{
    bool demand = c->state == CONSOLE_IDLE ? console_is_opened(c) : console_is_demanded(c);

    return !c->settings.on_demand || demand;
}

/* Half to one and a half times the wait, so that those that failed together do not come back together. */
static int64_t next_wait(struct console *c)
{
    int64_t wait = c->settings.retry_min_ms;

    for (unsigned i = 1; i < c->failures && wait < c->settings.retry_max_ms; i++)
        wait *= 2;
    if (wait > c->settings.retry_max_ms)
        wait = c->settings.retry_max_ms;
    return wait / 2 + c->env->random(c->env->arg, (uint32_t)wait + 1);
}

static void forget_lines(struct console *c, bool no_port)
{
    c->signals_known = c->signals_on = 0;
    device_down(&c->device, no_port);
}

static void failed(struct console *c, const struct err *why)
{
    leave_line(c);
    forget_lines(c, c->settings.source.type == SOURCE_SERIAL && why->cause == CAUSE_NOT_FOUND);
    c->typing = NULL;
    if (c->failures < 64)
        c->failures++;
    c->retry_ms = now(c) + next_wait(c);
    set_down(c, wanted(c) ? CONSOLE_WAITING : CONSOLE_IDLE, why->text);
}

void console_granted(struct console *c)
{
    struct err err = ERR_INIT;

    if (c->state == CONSOLE_CONNECTING && c->source->ops->open(c->source, &err) != 0)
        failed(c, &err);
}

void console_demand(struct console *c)
{
    bool demanded = c->demanded ? console_is_demanded(c) : console_is_opened(c);

    if (c->source->ops->demand && demanded != c->demanded)
        c->source->ops->demand(c->source, demanded);
    c->demanded = demanded;
    if (c->state == CONSOLE_IDLE && wanted(c)) {
        connect_now(c, false);
    } else if (!wanted(c) && c->state != CONSOLE_IDLE && c->state != CONSOLE_DOWN) {
        c->source->ops->close(c->source);
        leave_line(c);
        c->typing = NULL;
        forget_lines(c, false);
        if (c->state == CONSOLE_UP)
            set_down(c, CONSOLE_IDLE, "nobody is attached");
        else
            set_state(c, CONSOLE_IDLE, NULL);
    }
}

void console_start(struct console *c)
{
    console_demand(c);
}

void console_up(struct console *c, const char *who)
{
    if (c->state == CONSOLE_UP || c->state == CONSOLE_CONNECTING)
        return;
    log_info(c->settings.name, "taken up by %s", who);
    c->failures = 0;
    connect_now(c, false);
}

void console_down(struct console *c, const char *who)
{
    char *why;

    if (c->state == CONSOLE_DOWN)
        return;
    why = xasprintf("taken down by %s", who);
    c->source->ops->close(c->source);
    leave_line(c);
    c->typing = NULL;
    forget_lines(c, false);
    set_down(c, CONSOLE_DOWN, why);
    free(why);
}

/* --- what is typed by configuration (typed_text.h) --- */

#define PAUSE_MS 250

/* Types on, up to the next pause. -1 and err: it was given up. */
static int type_on(struct console *c, struct err *err)
{
    int status = 0;
    enum typed what;
    uint8_t byte;

    while (status == 0 && (what = typed_text_next(&c->typing, &byte)) != TYPED_END) {
        if (what == TYPED_PAUSE) {
            c->typing_due = now(c) + PAUSE_MS;
            set_timer(c);
            return 0;
        }
        if (what == TYPED_BREAK)
            status = c->source->ops->send_break(c->source, c->typing_break_ms, err);
        else if (what == TYPED_BYTE && c->source->ops->write(c->source, &byte, 1) != 1)
            status = err_set(err, CAUSE_BUSY, "console %s does not take what is typed", c->settings.name);
    }
    c->typing = NULL;
    set_timer(c);
    return status;
}

static int type(struct console *c, const char *text, int64_t break_ms, struct err *err)
{
    struct err own = ERR_INIT;

    if (c->typing)
        return err_set(err, CAUSE_BUSY, "configured text is being typed into %s just now", c->settings.name);
    c->typing = text;
    c->typing_break_ms = break_ms;
    if (type_on(c, &own) == 0)
        return 0;
    log_warn(c->settings.name, "%s", own.text);
    if (err)
        *err = own;
    return -1;
}

static const char *break_text(const struct console *c, char key)
{
    if (key == '0')
        return c->settings.break_text ? c->settings.break_text : "\\z";
    for (size_t i = 0; i < c->settings.break_count; i++)
        if (c->settings.breaks[i].key == key)
            return c->settings.breaks[i].text;
    return NULL;
}

int console_break(struct console *c, const char *who, char key, int64_t length_ms, struct err *err)
{
    const char *text = break_text(c, key);
    const char said[] = {key, '\0'};

    if (!text)
        return err_set(err, CAUSE_NOT_FOUND, "console %s has no break '%c'", c->settings.name, key);
    if (c->state != CONSOLE_UP)
        return err_set(err, CAUSE_REFUSED, "console %s is not up", c->settings.name);
    if (type(c, text, length_ms > 0 ? length_ms : c->settings.break_ms, err) != 0)
        return -1;
    console_did(c, JOURNAL_BREAK, who, key == '0' ? NULL : said, 0);
    return 0;
}

/* --- what the source says --- */

static void on_up(void *arg)
{
    struct console *c = arg;

    leave_line(c);
    c->was_down = false;
    device_down(&c->device, false); /* until its lines are known */
    c->up_ms = c->heard_ms = now(c);
    boots_begin(&c->boots); /* a virtual machine starts with its link */
    traffic_begin(&c->activity, c->up_ms);
    c->judge_ms = traffic_next(&c->settings.activity, c->up_ms);
    xreplace(&c->reason, NULL);
    enter(c, CONSOLE_UP);
    link_did(c, JOURNAL_UP, NULL);
    if (c->state == CONSOLE_UP && c->settings.initial_text)
        type(c, c->settings.initial_text, c->settings.break_ms, NULL);
    console_writable(c);
}

static void on_down(void *arg, const struct err *why)
{
    struct console *c = arg;
    struct err closed = ERR_INIT;

    if (c->state == CONSOLE_UP && now(c) - c->up_ms >= c->settings.stable_ms)
        c->failures = 0;
    if (!why)
        err_set(&closed, CAUSE_DROPPED, "the other end closed the link");
    failed(c, why ? why : &closed);
}

static void heard(struct console *c, size_t n)
{
    c->heard_ms = now(c);
    c->received += n;
    traffic_add(&c->activity, &c->settings.activity, c->heard_ms, n);
    traffic_add(c->env->total, c->env->total_marks, c->heard_ms, n);
}

static void on_bytes(void *arg, const uint8_t *p, size_t n)
{
    struct console *c = arg;
    size_t waiting = clog_pending(c->log);
    int64_t silent_since = c->heard_ms;

    heard(c, n);
    if (c->heard_ms - silent_since >= BOOTS_SILENCE_MS && c->heard_ms - c->typed_ms >= BOOTS_TYPED_MS)
        boots_begin(&c->boots);
    clog_append(c->log, p, n);
    if (c->attached_count > 0)
        c->env->dirty(c->env->arg, c);
    else if (waiting == 0 || clog_pending(c->log) < waiting) /* else it will be written when it was to be */
        console_look_at_log(c);
}

static size_t on_logged(void *arg, uint64_t offset, int64_t at_ms, const uint8_t *p, size_t n)
{
    struct console *c = arg;
    size_t taken = clog_replicate(c->log, offset, at_ms, p, n);

    heard(c, taken);
    if (c->attached_count > 0)
        c->env->dirty(c->env->arg, c);
    else
        console_look_at_log(c);
    return taken;
}

static struct clog *on_log(void *arg)
{
    const struct console *c = arg;

    return c->log;
}

static void on_ready(void *arg)
{
    struct console *c = arg;

    if (c->state == CONSOLE_WAITING)
        connect_now(c, false);
    else if (c->in_line)
        c->env->hurry(c->env->arg, c);
}

static void on_drained(void *arg)
{
    console_writable(arg);
}

static void on_signals(void *arg, unsigned known, unsigned on)
{
    static const char *const names[] = {"DCD", "DSR", "CTS", "RI"};
    struct console *c = arg;
    unsigned changed = (c->signals_on ^ on) | (c->signals_known ^ known);
    char text[64] = "";

    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (changed & known & (1u << i))
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s %s", text[0] ? ", " : "",
                     names[i], on & (1u << i) ? "on" : "off");
    c->signals_known = known;
    c->signals_on = on;
    if (device_lines(&c->device, known, on) && c->device.state != DEVICE_UNKNOWN)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", text[0] ? ": " : "",
                 device_state_name(c->device.state));
    if (text[0])
        link_did(c, JOURNAL_SIGNALS, text);
}

/* What it says while it connects is why that takes long: whoever comes later wants to know it, too. */
static void on_note(void *arg, const char *text)
{
    struct console *c = arg;

    if (c->state == CONSOLE_CONNECTING)
        xreplace(&c->awaits, text);
    console_did(c, JOURNAL_NOTE, "amtd", text, 0);
}

static void on_history(void *arg, const char *text)
{
    console_did(arg, JOURNAL_HISTORY, NULL, text, 0);
}

void console_history(struct console *c, const char *text)
{
    on_history(c, text);
}

/* --- time --- */

static int64_t deadline(const struct console *c)
{
    int64_t next = INT64_MAX;

    if (c->state == CONSOLE_WAITING)
        next = c->retry_ms;
    if (c->state == CONSOLE_UP && c->settings.idle_ms > 0)
        next = c->heard_ms + c->settings.idle_ms;
    if (c->state == CONSOLE_UP && c->judge_ms < next)
        next = c->judge_ms;
    if (c->typing && c->typing_due < next)
        next = c->typing_due;
    return next;
}

static void set_timer(struct console *c)
{
    timers_set(c->env->timers, &c->timer, deadline(c));
}

static void idle(struct console *c)
{
    const struct err err = {CAUSE_TIMEOUT, "", "silent for too long: connecting again"};

    console_did(c, JOURNAL_IDLE, NULL, c->settings.idle_text ? "idle text typed" : err.text, 0);
    c->heard_ms = now(c);
    if (c->settings.idle_text) {
        type(c, c->settings.idle_text, c->settings.break_ms, NULL);
        return;
    }
    c->source->ops->close(c->source);
    on_down(c, &err);
}

char *traffic_text(const struct traffic *activity, const struct traffic_marks *marks, int64_t now_ms)
{
    long long rate = traffic_rate(activity, marks, now_ms);
    const char *name = traffic_state_name(activity->state);

    if (activity->state == TRAFFIC_STEADY)
        return xasprintf("%s: %lld bytes a second", name, rate);
    return xasprintf("%s: %lld bytes a second, %s than %lld", name, rate,
                     activity->state == TRAFFIC_FLOOD ? "more" : "less",
                     (long long)(activity->state == TRAFFIC_FLOOD ? marks->high : marks->low));
}

static void judge(struct console *c)
{
    const struct traffic_marks *marks = &c->settings.activity;
    bool changed = traffic_judge(&c->activity, marks, now(c));
    char *text;

    c->judge_ms = traffic_next(marks, now(c));
    if (!changed)
        return;
    text = traffic_text(&c->activity, marks, now(c));
    clog_event(c->log, JOURNAL_ACTIVITY, NULL, text);
    console_look_at_log(c);
    console_tell(c,
                 &(struct console_event){.what = CONSOLE_DID,
                                         .kind = JOURNAL_ACTIVITY,
                                         .who = "",
                                         .text = text,
                                         .activity = c->activity.state},
                 0);
    free(text);
}

static void on_timer(void *arg)
{
    struct console *c = arg;
    struct err err = ERR_INIT;

    if (c->state == CONSOLE_UP && now(c) >= c->judge_ms)
        judge(c);

    if (c->state == CONSOLE_WAITING && now(c) >= c->retry_ms)
        connect_now(c, true);
    else if (c->state == CONSOLE_UP && c->settings.idle_ms > 0 && now(c) >= c->heard_ms + c->settings.idle_ms)
        idle(c);
    if (c->typing && now(c) >= c->typing_due && type_on(c, &err) != 0)
        log_warn(c->settings.name, "%s", err.text);
    set_timer(c);
}

static void on_log_timer(void *arg)
{
    console_look_at_log(arg);
}

/* Replicas of this log look at its files. */
static void on_proved(void *arg)
{
    struct console *c = arg;
    struct attachment *a, *next;

    DL_FOREACH_SAFE(c->attached, a, next)
    if (a->sink.worked)
        a->sink.worked(a->sink.arg);
}

static void on_worked(void *arg)
{
    struct console *c = arg;

    console_look_at_log(c);
    on_proved(c);
    if (c->source->ops->resume) /* it may have waited for that */
        c->source->ops->resume(c->source);
}

void console_look_at_log(struct console *c)
{
    timers_set(c->env->timers, &c->log_timer, clog_tick(c->log, now(c)));
}

void console_flush(struct console *c)
{
    clog_flush(c->log);
    console_look_at_log(c);
}

/* --- what the log says --- */

static void look_for_boot(struct console *c, uint64_t offset, const uint8_t *p, size_t n)
{
    uint64_t begin;
    const char *banner = boots_bytes(&c->boots, offset, p, n, &begin);
    const struct console_event event = {
        .what = CONSOLE_DID, .kind = JOURNAL_BOOT, .who = "", .text = banner ? banner : ""};

    if (!banner)
        return;
    clog_note_at(c->log, begin, JOURNAL_BOOT, banner);
    console_tell(c, &event, 0);
}

static void on_written(void *arg, uint64_t offset, const uint8_t *p, size_t n, bool shown)
{
    struct console *c = arg;
    struct attachment *a, *next;

    if (c->boots)
        look_for_boot(c, offset, p, n);
    if (c->watching && !shown)
        watching_bytes(c->watching, offset, p, n);
    DL_FOREACH_SAFE(c->attached, a, next)
    cursor_written(&a->cursor, offset, p, n, shown);
}

static void on_unlogged(void *arg, const uint8_t *p, size_t n)
{
    struct console *c = arg;
    struct attachment *a, *next;

    if (c->watching)
        watching_bytes(c->watching, clog_end(c->log), p, n);
    DL_FOREACH_SAFE(c->attached, a, next)
    cursor_unlogged(&a->cursor, p, n);
}

static void on_trouble(void *arg, const struct err *failure, uint64_t lost)
{
    struct console *c = arg;
    char text[ERR_TEXT_MAX + 40];
    const struct console_event event = {
        .what = CONSOLE_DID, .kind = JOURNAL_LOGGING, .who = "", .text = text};

    if (failure)
        snprintf(text, sizeof(text), "paused: %s", failure->text);
    else
        snprintf(text, sizeof(text), "goes on; %llu bytes are lost", (unsigned long long)lost);
    clog_note_later(c->log, JOURNAL_LOGGING, text);
    console_tell(c, &event, 0);
    if (!failure && c->source->ops->resume)
        c->source->ops->resume(c->source);
}

/* Written down when the log is out of the midst of its writing. */
static void on_pattern(void *arg, const struct pattern_found *found)
{
    struct console *c = arg;
    char *text = xasprintf("%s (%s): %s", found->pattern->name,
                           severity_name((enum severity)found->pattern->severity), found->line);
    const struct console_event event = {
        .what = CONSOLE_DID, .kind = JOURNAL_PATTERN, .who = "", .text = text, .found = found};

    clog_note_later(c->log, JOURNAL_PATTERN, text);
    console_tell(c, &event, 0);
    free(text);
}

/* --- all of it --- */

struct console *console_new(const struct console_env *env, const struct console_settings *settings,
                            struct err *err)
{
    struct console *c = xcalloc(1, sizeof(*c));
    const struct source_events source = {c,       on_up,     on_down, on_bytes, on_drained, on_signals,
                                         on_note, on_logged, on_log,  on_ready, on_history, on_proved};
    const struct clog_events log = {c, on_written, on_unlogged, on_trouble, on_worked};

    c->env = env;
    console_settings_copy(&c->settings, settings);
    c->since_ms = wall(c);
    c->typed_ms = INT64_MIN / 2;
    c->timer.fire = on_timer;
    c->log_timer.fire = on_log_timer;
    c->timer.arg = c->log_timer.arg = c;
    c->kind = env->kind(env->arg, settings->source.type);
    if (!c->kind)
        err_set(err, CAUSE_UNSUPPORTED, "console %s: this amtd has no sources of the type '%s'",
                settings->name, source_type_name(settings->source.type));
    else
        c->source = c->kind->create(c->kind->context, &c->settings.source, &source, err);
    if (!c->source) {
        console_settings_clear(&c->settings);
        free(c);
        return NULL;
    }
    c->log = clog_new(env->store, c->settings.name, &c->settings.log, &log);
    console_watch(c);
    return c;
}

void console_watch(struct console *c)
{
    watching_free(c->watching);
    c->watching = c->env->watcher ? watching_new(c->env->watcher, c->settings.name, on_pattern, c) : NULL;
}

void console_free(struct console *c, const char *reason)
{
    c->removed = true;
    console_detach_all(c, reason);
    c->source->ops->close(c->source);
    leave_line(c);
    if (c->state == CONSOLE_UP)
        clog_event(c->log, JOURNAL_DOWN, NULL, reason);
    c->source->ops->destroy(c->source);
    clog_free(c->log);
    watching_free(c->watching);
    boots_free(c->boots);
    timers_set(c->env->timers, &c->timer, INT64_MAX);
    timers_set(c->env->timers, &c->log_timer, INT64_MAX);
    lease_clear(&c->lease);
    console_settings_clear(&c->settings);
    free(c->reason);
    free(c->awaits);
    free(c);
}

void console_adapt(struct console *c, const struct console_settings *settings)
{
    c->settings.log = settings->log;
    c->settings.activity = settings->activity;
    clog_set(c->log, &settings->log);
    console_look_at_log(c);
    c->judge_ms = traffic_next(&c->settings.activity, now(c));
    set_timer(c);
}

void console_note(struct console *c, const char *who, const char *text)
{
    console_did(c, JOURNAL_NOTE, who, text, 0);
}

void console_power(struct console *c, const char *who, const char *text)
{
    console_did(c, JOURNAL_POWER, who, text, 0);
}

void console_logging(struct console *c, const char *who, bool on, const struct attachment *by)
{
    c->muted_by = !on && by ? by->id : 0;
    if (clog_enabled(c->log) == on)
        return;
    clog_enable(c->log, on);
    console_did(c, JOURNAL_LOGGING, who, on ? "on" : "off", 0);
}

void console_expire(struct console *c)
{
    clog_expire(c->log);
}

void console_roll(struct console *c)
{
    clog_roll(c->log);
    console_look_at_log(c);
}
