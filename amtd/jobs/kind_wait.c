/* wait: until a machine is in a state, can be reached, or time has passed. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtd/jobs/job_run.h"
#include "amtd/jobs/kinds.h"
#include "base/xalloc.h"

#define TIMEOUT_MS 600000
#define TIME_MOST  ((int64_t)7 * 86400000)
#define LOOK_MS    2000 /* between two attempts to connect */
#define CONNECT_MS 5000

static const char *const states[] = {"on", "off", "standby", "sleep", "hibernate", NULL};

static const struct job_param params[] = {
    {"time", JOB_PARAM_DURATION, .main = true, .min = 0, .max = TIME_MOST, .text = "so long"},
    {"power", JOB_PARAM_CHOICE, .choices = states, .text = "until the machine is in this state"},
    {"reachable", JOB_PARAM_BOOL, .standard = "false", .text = "until AMT answers"},
    {"port", JOB_PARAM_NUMBER, .min = 1, .max = 65535,
     .text = "until the machine's own system takes connections at this TCP port"},
    {NULL},
};

static int wait_shape(json_t **args, struct err *err)
{
    bool reachable = json_is_true(json_object_get(*args, "reachable"));

    json_object_del(*args, "reachable");
    if (reachable)
        json_object_set_new(*args, "reachable", json_true());
    return json_object_size(*args) == 1
               ? 0
               : err_set(err, CAUSE_INVALID_ARGUMENT, "one of 'time', 'power', 'reachable' and 'port'");
}

/* --- for a device: its power state is read again and again --- */

static bool wait_acts(const json_t *args)
{
    return json_object_get(args, "time") || json_object_get(args, "port");
}

static json_t *wait_task_args(const json_t *args)
{
    (void)args;
    return json_pack("{s:s}", "action", "status");
}

static bool wait_met(const json_t *args, const struct operation *op, struct buf *missing)
{
    const char *state = json_string_value(json_object_get(args, "power"));

    if (op->state == OPERATION_FAILED)
        return false;
    if (!state || (op->to && strcmp(op->to, state) == 0))
        return true;
    buf_printf(missing, "the machine is %s, not %s", op->to ? op->to : "in an unknown state", state);
    return false;
}

/* --- for a time, or a port --- */

struct waiting {
    uv_timer_t timer; /* first: freed in its close callback */
    struct job_call *call;
    struct dial *dial;
    int64_t until_ms;   /* no more attempts after this; monotonic */
    struct err failure; /* of the last attempt */
};

static void closed(uv_handle_t *handle)
{
    free(handle);
}

static void waiting_end(struct waiting *w, const struct err *failure)
{
    struct job_call *call = w->call;

    uv_close((uv_handle_t *)&w->timer, closed);
    call->done(call, NULL, failure);
}

static void time_over(uv_timer_t *timer)
{
    waiting_end((struct waiting *)timer, NULL);
}

static void look(uv_timer_t *timer);

static void dialed(void *arg, int fd, const struct err *failure)
{
    struct waiting *w = arg;

    w->dial = NULL;
    if (fd >= 0) {
        close(fd);
        waiting_end(w, NULL);
        return;
    }
    w->failure = *failure;
    uv_timer_start(&w->timer, look, LOOK_MS, 0);
}

static void look(uv_timer_t *timer)
{
    struct waiting *w = (struct waiting *)timer;
    const struct run_parts *parts = w->call->parts->run;
    const struct host *host = w->call->host;
    int64_t left = w->until_ms - clock_mono(parts->clock);
    struct err err = ERR_INIT;

    if (left <= 0) {
        err_set(&err, CAUSE_NOT_REACHED, "after %lld s still: %s", (long long)(w->call->timeout_ms / 1000),
                w->failure.text);
        waiting_end(w, &err);
        return;
    }
    w->dial = dialer_connect(parts->dialer, host->address ? host->address : host->name,
                             (uint16_t)json_integer_value(json_object_get(w->call->args, "port")),
                             left < CONNECT_MS ? left : CONNECT_MS, 0, dialed, w);
}

static void *wait_start(struct job_call *call)
{
    const struct run_parts *parts = call->parts->run;
    json_int_t time_ms = json_integer_value(json_object_get(call->args, "time"));
    struct waiting *w = xcalloc(1, sizeof(*w));
    bool port = json_object_get(call->args, "port") != NULL;

    w->call = call;
    w->until_ms = clock_mono(parts->clock) + call->timeout_ms;
    err_set(&w->failure, CAUSE_TIMEOUT, "the port was not tried");
    uv_timer_init(parts->loop, &w->timer);
    uv_timer_start(&w->timer, port ? look : time_over, port ? 0 : (uint64_t)time_ms, 0);
    return w;
}

static void wait_cancel(void *work)
{
    struct waiting *w = work;

    dial_cancel(w->dial);
    uv_close((uv_handle_t *)&w->timer, closed);
}

static const struct job_action action = {wait_start, wait_cancel};

const struct job_kind job_kind_wait = {
    .name = "wait",
    .text = "wait for a time, a power state, or that something answers",
    .params = params,
    .task = "power",
    .action = &action,
    .acts = wait_acts,
    .role = JOB_READS,
    .timeout_ms = TIMEOUT_MS,
    .shape = wait_shape,
    .task_args = wait_task_args,
    .met = wait_met,
};
