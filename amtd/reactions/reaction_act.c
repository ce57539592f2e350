/* Actions of reactions: mail, web hooks, runs. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtd/fleet/task.h"
#include "amtd/reactions/reaction_internal.h"
#include "base/xalloc.h"

#define BODY_MAX (1024 * 1024)

struct delivery *delivery_new(const struct firing *f)
{
    struct delivery *d = xcalloc(1, sizeof(*d));

    d->reactions = f->reactions;
    d->reactions->used++;
    d->rule = xstrdup(f->rule.name);
    d->event = (struct event){.id = f->event.id,
                              .kind = xstrdup(f->event.kind),
                              .host = xstrdup(f->event.host),
                              .console = xstrdup(f->event.console),
                              .guarded = f->event.guarded,
                              .data = json_incref(f->event.data)};
    return d;
}

void delivered(void *arg, const struct err *failure)
{
    struct delivery *d = arg;
    struct reactions *reactions = d->reactions;

    if (failure)
        reactions_failed(reactions, d->rule, &d->event, failure->text);
    else
        log_info("reactions", "reaction %s: delivered", d->rule);
    event_clear(&d->event);
    free(d->rule);
    free(d);
    reactions_release(reactions);
}

/* --- mail --- */

static void write_mail(const struct firing *f, struct buf *out)
{
    char *data = f->event.data ? json_dumps(f->event.data, JSON_COMPACT) : NULL;
    char at[CLOCK_TEXT_MAX], host[256] = "localhost";

    gethostname(host, sizeof(host) - 1);
    buf_printf(out, "%s\n\n", f->event.text);
    if (f->event.console)
        buf_printf(out, "console   %s\n", f->event.console);
    if (f->event.host)
        buf_printf(out, "host      %s\n", f->event.host);
    buf_printf(out, "kind      %s\nseverity  %s\nat        %s\nevent     %lld\nreaction     %s, amtd on %s\n",
               f->event.kind, severity_name((enum severity)f->event.severity),
               clock_text_ms(f->event.at_ms, at), (long long)f->event.id, f->rule.name, host);
    if (data)
        buf_printf(out, "data      %s\n", data);
    if (f->lines)
        buf_printf(out, "\n%s", f->lines);
    free(data);
}

static void send_mail(const struct firing *f)
{
    size_t count = json_array_size(f->rule.action.mail);
    const char **to = xcalloc(count, sizeof(*to));
    const char *about = f->event.console ? f->event.console : f->event.host ? f->event.host : "amtd";
    char *subject =
        xasprintf("[amtd] %s %s: %s", severity_name((enum severity)f->event.severity), about, f->event.text);
    struct buf body = buf_init(BODY_MAX);
    struct delivery *d = delivery_new(f);
    struct err err = ERR_INIT;

    for (size_t i = 0; i < count; i++)
        to[i] = json_string_value(json_array_get(f->rule.action.mail, i));
    write_mail(f, &body);
    if (mailer_send(
            f->reactions->parts.mailer,
            &(struct mail){
                .to = (char *const *)to, .to_count = count, .subject = subject, .text = buf_str(&body)},
            delivered, d, &err) != 0)
        delivered(d, &err);
    buf_free(&body);
    free(subject);
    free(to);
}

/* --- web hook --- */

static void send_post(const struct firing *f)
{
    const struct reaction_action *a = &f->rule.action;
    struct letter letter = {
        .what = xasprintf("web hook %.*s", (int)strcspn(a->webhook + 8, "/?") + 8, a->webhook),
        .url = xstrdup(a->webhook),
        .ca_file = xstrdup(a->webhook_ca_file)};
    struct delivery *d = delivery_new(f);
    const struct err busy = {CAUSE_BUSY, "", "too many letters are on their way already"};
    char host[256] = "localhost";
    json_t *json = event_json(&f->event);

    gethostname(host, sizeof(host) - 1);
    json_object_set_new(json, "reaction", json_string(f->rule.name));
    json_object_set_new(json, "node", json_string(host));
    if (f->lines)
        json_object_set_new(json, "lines", json_string(f->lines));
    letter.body = json_dumps(json, JSON_COMPACT);
    letter.body_len = strlen(letter.body);
    json_decref(json);
    if (!courier_send(f->reactions->parts.courier, &letter, delivered, d))
        delivered(d, &busy);
}

/* --- a run --- */

static void run_ready(void *arg, struct active_run *run)
{
    const struct delivery *d = arg;

    log_info("reactions", "reaction %s: run %lld", d->rule, (long long)run_record(run)->id);
}

static void run_refused(void *arg, const struct err *err)
{
    delivered(arg, err);
}

static void run_news(void *arg, struct active_run *run)
{
    const struct operation *result;
    struct err err = ERR_INIT;

    if (!run_is_over(run))
        return;
    result = run_results(run) > 0 ? run_result(run, 0) : NULL;
    if (!result || result->state != OPERATION_OK)
        err_set(&err, CAUSE_FAULT, "run %lld: %s", (long long)run_record(run)->id,
                result && result->message ? result->message : "it was not begun");
    run_unwatch(run);
    delivered(arg, err.cause != CAUSE_NONE ? &err : NULL);
}

static void start_run(const struct firing *f)
{
    const struct reaction_action *a = &f->rule.action;
    const char *host = a->host ? a->host : f->event.host;
    struct run_order order = {.task = task_by_name(a->task), .parallel = 1, .confirmed = true};
    struct delivery *d = delivery_new(f);
    const struct run_watch watch = {.arg = d, .ready = run_ready, .refused = run_refused, .news = run_news};
    json_t *none = json_object();
    struct err err = ERR_INIT;

    if (!host)
        err_set(&err, CAUSE_INVALID_ARGUMENT, "there is no host on which to do '%s'", a->task);
    else if (!order.task)
        err_set(&err, CAUSE_NOT_FOUND, "there is no task '%s'", a->task);
    else {
        order.args = xcalloc(1, order.task->args_size + 1);
        order.task->parse(order.args, a->args ? a->args : none, &err);
    }
    if (err.cause == CAUSE_NONE) {
        order.args_text =
            order.task->describe ? order.task->describe(order.args) : task_args_text(order.task, a->args);
        order.target = xstrdup(host);
        order.who = xasprintf("reaction %s", f->rule.name);
        order.by = xasprintf("reaction %s", f->rule.name);
        engine_run(f->reactions->parts.engine, &order, &watch);
    } else {
        run_order_clear(&order);
        delivered(d, &err);
    }
    json_decref(none);
}

void firing_act(const struct firing *f)
{
    if (f->rule.action.mail)
        send_mail(f);
    if (f->rule.action.webhook)
        send_post(f);
    if (f->rule.action.command)
        command_start(f);
    if (f->rule.action.task)
        start_run(f);
    if (f->rule.action.job.file || f->rule.action.job.schedule)
        job_start(f);
}
