/* console: a dialogue at the host's serial console: what is expected there, and what is typed. */
#include <stdlib.h>
#include <string.h>

#include "amtd/console/hub.h"
#include "amtd/jobs/job_run.h"
#include "amtd/jobs/kinds.h"
#include "base/expect.h"
#include "base/text.h"
#include "base/xalloc.h"

#define TIMEOUT_MS 300000
#define WITHIN_MS  60000
#define STEPS_MAX  200
#define SEEN_MAX   4096 /* bytes of the last output, kept with the result */
#define ROOM       65536

static const struct job_param step_params[] = {
    {"expect", JOB_PARAM_TEXT, .max = 1000, .text = "a POSIX extended regular expression in what comes"},
    {"send", JOB_PARAM_TEXT, .max = 4000, .text = "what is typed; \\r, \\e, \\x03, ^C as elsewhere"},
    {NULL},
};

static const struct job_param params[] = {
    {"steps", JOB_PARAM_STEPS, .required = true, .main = true, .max = STEPS_MAX, .steps = step_params,
     .text = "each 'expect' or 'send'"},
    {"within", JOB_PARAM_DURATION, .field = "within_ms", .min = 100, .max = 86400000, .standard = "60s",
     .text = "how long each expectation may take"},
    {"force", JOB_PARAM_BOOL, .standard = "false", .text = "take the keyboard from whoever has it"},
    {"safe", JOB_PARAM_BOOL, .standard = "false",
     .text = "it may be done twice: amtd may have died meanwhile"},
    {NULL},
};

/* The steps as a script; NULL and err. */
static struct expect *script_of(const json_t *args, struct err *err)
{
    json_int_t within = json_integer_value(json_object_get(args, "within_ms"));
    struct expect *e = expect_new(within > 0 ? within : WITHIN_MS);
    int status = 0;
    json_t *step;
    size_t i;

    json_array_foreach(json_object_get(args, "steps"), i, step)
    {
        const char *regex = json_string_value(json_object_get(step, "expect"));
        const char *send = json_string_value(json_object_get(step, "send"));

        if (status == 0 && !regex == !send)
            status = err_set(err, CAUSE_INVALID_ARGUMENT, "step %zu: either 'expect' or 'send'", i + 1);
        else if (status == 0)
            status = regex ? expect_add(e, regex, err) : expect_add_send(e, send, err);
    }
    if (status == 0)
        return e;
    expect_free(e);
    return NULL;
}

static int console_shape(json_t **args, struct err *err)
{
    struct expect *e = script_of(*args, err);

    expect_free(e);
    return e ? 0 : -1;
}

static enum job_again console_again(const json_t *args)
{
    return json_is_true(json_object_get(args, "safe")) ? JOB_AGAIN_SAFE : JOB_AGAIN_NEVER;
}

struct dialogue {
    uv_timer_t timer; /* first: freed in its close callback */
    struct job_call *call;
    struct attachment *attachment;
    struct expect *script;
    struct buf send; /* not taken yet */
    struct buf seen; /* the last of it */
    int64_t until_ms;
    bool begun, over;
    struct err failure;
};

/* --- the end --- */

static void closed(uv_handle_t *handle)
{
    struct dialogue *d = (struct dialogue *)handle;

    expect_free(d->script);
    buf_free(&d->send);
    buf_free(&d->seen);
    free(d);
}

static void dialogue_free(struct dialogue *d)
{
    attachment_close(d->attachment);
    d->attachment = NULL;
    uv_close((uv_handle_t *)&d->timer, closed);
}

static void report(uv_timer_t *timer)
{
    struct dialogue *d = (struct dialogue *)timer;
    struct job_call *call = d->call;
    struct err failure = d->failure;
    struct finding finding = {0};
    struct buf text = buf_init(8 * SEEN_MAX);

    text_printable(&text, buf_str(&d->seen), d->seen.len);
    finding.detail = json_pack("{s:{s:s}}", "console", "seen", buf_str(&text));
    buf_free(&text);
    dialogue_free(d);
    call->done(call, &finding, failure.cause != CAUSE_NONE ? &failure : NULL);
}

/* From any callback: the rest is done from the loop. */
static void end(struct dialogue *d)
{
    if (d->over)
        return;
    d->over = true;
    uv_timer_start(&d->timer, report, 0, 0);
}

static void fail(struct dialogue *d, enum cause cause, const char *what)
{
    if (!d->over)
        err_set(&d->failure, cause, "%s", what);
    end(d);
}

/* --- the dialogue --- */

static int64_t now_ms(const struct dialogue *d)
{
    return clock_mono(d->call->parts->run->clock);
}

/* Its time is over before the first word: was it the line, or the keyboard? */
static void fail_unbegun(struct dialogue *d)
{
    struct console *console = d->attachment ? attachment_console(d->attachment) : NULL;
    struct console_info info = console ? console_info(console) : (struct console_info){.writer = ""};
    char *text;

    if (console && info.state != CONSOLE_UP)
        text = xasprintf("the console did not come up within %lld s%s%s",
                         (long long)(d->call->timeout_ms / 1000), info.reason[0] ? ": " : "", info.reason);
    else if (info.writer[0])
        text = xasprintf("the keyboard of the console was not free within %lld s: %s has it",
                         (long long)(d->call->timeout_ms / 1000), info.writer);
    else
        text = xstrdup("the console could not be used in time");
    fail(d, info.writer[0] && info.state == CONSOLE_UP ? CAUSE_IN_USE : CAUSE_TIMEOUT, text);
    free(text);
}

static void fail_unseen(struct dialogue *d, const char *wanted)
{
    struct console *console = d->attachment ? attachment_console(d->attachment) : NULL;
    bool down = console && console_info(console).state != CONSOLE_UP;
    char *text = xasprintf("'%s' did not come in time%s%s", wanted, down ? "; the line is lost: " : "",
                           down ? console_info(console).reason : "");

    fail(d, CAUSE_NOT_SEEN, text);
    free(text);
}

static void on_timer(uv_timer_t *timer)
{
    struct dialogue *d = (struct dialogue *)timer;
    const char *wanted = expect_waits(d->script);

    if (!d->begun) {
        fail_unbegun(d);
        return;
    }
    if (!wanted) {
        fail(d, CAUSE_TIMEOUT, "what is typed is not taken in time");
        return;
    }
    fail_unseen(d, wanted);
}

static void schedule(struct dialogue *d)
{
    int64_t due = d->begun ? expect_deadline(d->script) : d->until_ms, left;

    if (d->over)
        return;
    if (d->until_ms < due)
        due = d->until_ms;
    left = due - now_ms(d);
    uv_timer_start(&d->timer, on_timer, left > 0 ? (uint64_t)left : 0, 0);
}

static void go_on(struct dialogue *d)
{
    while (d->send.len > 0 && d->attachment && !d->over) {
        size_t n = attachment_write(d->attachment, buf_str(&d->send), d->send.len);

        if (n == 0)
            break;
        buf_consume(&d->send, n);
    }
    if (expect_done(d->script) && d->send.len == 0)
        end(d);
    schedule(d);
}

/* Typing begins when the line is up and the keyboard ours. */
static void maybe_begin(struct dialogue *d)
{
    struct console *console = d->attachment ? attachment_console(d->attachment) : NULL;

    if (d->begun || d->over || !console || !attachment_lease(d->attachment).holds ||
        console_info(console).state != CONSOLE_UP)
        return;
    d->begun = true;
    expect_begin(d->script, now_ms(d), &d->send);
    go_on(d);
}

static size_t on_room(void *arg)
{
    (void)arg;
    return ROOM;
}

static void on_bytes(void *arg, uint64_t offset, const uint8_t *p, size_t n)
{
    struct dialogue *d = arg;

    (void)offset;
    if (d->over)
        return;
    if (d->seen.len + n > SEEN_MAX) /* the last is what counts */
        buf_consume(&d->seen, n >= SEEN_MAX ? d->seen.len : d->seen.len + n - SEEN_MAX);
    buf_add(&d->seen, n > SEEN_MAX ? p + n - SEEN_MAX : p, n > SEEN_MAX ? SEEN_MAX : n);
    if (!d->begun)
        return;
    expect_feed(d->script, p, n, now_ms(d), &d->send);
    go_on(d);
}

static void on_event(void *arg, const struct console_event *event)
{
    struct dialogue *d = arg;

    if (event->what == CONSOLE_DROPPED)
        fail(d, CAUSE_DROPPED, "what was typed went nowhere");
    else
        maybe_begin(d);
}

static void on_writable(void *arg)
{
    go_on(arg);
}

static void on_closed(void *arg, const char *reason)
{
    struct dialogue *d = arg;

    d->attachment = NULL; /* it is gone by itself */
    fail(d, CAUSE_DROPPED, reason && reason[0] ? reason : "the console ended the dialogue");
}

/* --- the beginning --- */

/* The run was begun with the right to operate the host; a console that is not its own line wants more. */
static enum console_right right_at(const struct job_call *call, const struct console_settings *s)
{
    bool of_host =
        s->source.type == SOURCE_AMT && s->source.host && strcmp(s->source.host, call->host->name) == 0;

    return call->parts->console_right(call->who, of_host ? ROLE_OPERATE : call->everywhere, s);
}

static int attach(struct dialogue *d, struct err *err)
{
    const struct job_parts *parts = d->call->parts;
    const struct attach_sink sink = {d, on_room, on_bytes, on_event, on_writable, on_closed};
    struct console *console = parts->hub ? hub_host_console(parts->hub, d->call->host->name, err) : NULL;
    struct attach_request request = {
        .who = d->call->who,
        .from = "job",
        .mode = json_is_true(json_object_get(d->call->args, "force")) ? ATTACH_FORCE : ATTACH_WRITE};

    if (!console)
        return -1;
    request.right = right_at(d->call, console_info(console).settings);
    d->attachment = console_attach(console, &request, &sink, err);
    return d->attachment ? 0 : -1;
}

static void *console_start(struct job_call *call)
{
    struct dialogue *d = xcalloc(1, sizeof(*d));
    struct err err = ERR_INIT;

    d->call = call;
    d->send = buf_init(1 << 20);
    d->seen = buf_init(2 * SEEN_MAX);
    d->script = script_of(call->args, &err);
    d->until_ms = now_ms(d) + call->timeout_ms;
    uv_timer_init(call->parts->run->loop, &d->timer);
    if (err.cause == CAUSE_NONE)
        attach(d, &err);
    if (err.cause != CAUSE_NONE) {
        d->failure = err;
        end(d);
        return d;
    }
    schedule(d);
    maybe_begin(d);
    return d;
}

static void console_cancel(void *work)
{
    dialogue_free(work);
}

static const struct job_action action = {console_start, console_cancel};

const struct job_kind job_kind_console = {
    .name = "console",
    .text = "hold a dialogue at the host's serial console",
    .params = params,
    .action = &action,
    .role = JOB_OPERATES,
    .timeout_ms = TIMEOUT_MS,
    .shape = console_shape,
    .again = console_again,
};
