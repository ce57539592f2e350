/* notify: an event, for people and for what hangs on events (mail, web hooks). */
#include <stdlib.h>

#include "amtd/jobs/job_run.h"
#include "amtd/jobs/kinds.h"
#include "amtd/store/event.h"
#include "base/xalloc.h"

static const struct job_param params[] = {
    {"text", JOB_PARAM_TEXT, .required = true, .main = true, .max = EVENT_TEXT_MAX, .text = "what to say"},
    {"severity", JOB_PARAM_CHOICE, .choices = severity_names, .standard = "info",
     .text = "how much it matters"},
    {NULL},
};

struct notice {
    uv_timer_t timer; /* first: freed in its close callback */
    struct job_call *call;
};

static void closed(uv_handle_t *handle)
{
    free(handle);
}

static void said(uv_timer_t *timer)
{
    struct job_call *call = ((struct notice *)timer)->call;

    uv_close((uv_handle_t *)timer, closed);
    call->done(call, NULL, NULL);
}

/* The reactions that led here go along, so that none of them begins the same again. */
static json_t *data_of(const struct job_call *call)
{
    json_t *data =
        json_pack("{s:s, s:s, s:I}", "job", call->job, "task", call->task, "run", (json_int_t)call->run);
    json_t *reactions = json_object_get(call->event, "reactions");

    if (reactions)
        json_object_set(data, "reactions", reactions);
    return data;
}

static void *notify_start(struct job_call *call)
{
    struct notice *n = xcalloc(1, sizeof(*n));
    enum severity severity = SEVERITY_INFO;

    severity_from_name(json_string_value(json_object_get(call->args, "severity")), &severity);
    event_raise(call->parts->events,
                &(struct event_report){.kind = EVENT_JOB,
                                       .severity = severity,
                                       .host = call->host->name,
                                       .text = json_string_value(json_object_get(call->args, "text")),
                                       .data = data_of(call)});
    n->call = call;
    uv_timer_init(call->parts->run->loop, &n->timer);
    uv_timer_start(&n->timer, said, 0, 0);
    return n;
}

static void notify_cancel(void *work)
{
    uv_close(work, closed);
}

static const struct job_action action = {notify_start, notify_cancel};

const struct job_kind job_kind_notify = {
    .name = "notify",
    .text = "raise an event about the host",
    .params = params,
    .action = &action,
    .role = JOB_READS,
};
