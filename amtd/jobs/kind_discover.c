/* discover: a sweep, through the host's own address or others; without logging in. */
#include <stdlib.h>
#include <string.h>

#include "amtd/discover/discovery.h"
#include "amtd/jobs/job_run.h"
#include "amtd/jobs/kinds.h"
#include "base/xalloc.h"

#define TIMEOUT_MS 3600000
#define WORDS_MAX  1000

static const struct job_param params[] = {
    {"addresses", JOB_PARAM_WORDS, .main = true, .max = WORDS_MAX, .standard = "the host's own",
     .text = "what to go through: 10.0.0.0/24, 10.0.0.1-99; ! in front takes away"},
    {"rate", JOB_PARAM_NUMBER, .min = 1, .max = 1000000, .standard = "2000", .text = "packets a second"},
    {"per-subnet", JOB_PARAM_NUMBER, .field = "per_subnet", .min = 1, .max = 1000000, .standard = "250",
     .text = "of these, to one subnet of 256 addresses"},
    {"port", JOB_PARAM_NUMBER, .min = 1, .max = 65534, .standard = "16992",
     .text = "of management; with TLS the next one"},
    {"rmcp-port", JOB_PARAM_NUMBER, .field = "rmcp_port", .min = 1, .max = 65535, .standard = "623",
     .text = "of presence pings"},
    {NULL},
};

struct search {
    uv_timer_t timer; /* first: freed in its close callback */
    struct job_call *call;
    struct active_sweep *sweep; /* NULL: it is over */
    int64_t id;                 /* 0: not known yet */
    struct err failure;         /* to be told from the timer */
};

static void closed(uv_handle_t *handle)
{
    free(handle);
}

static void end(struct search *s, json_t *reply, const struct err *failure)
{
    struct job_call *call = s->call;
    struct finding finding = {0};

    if (reply)
        finding.detail =
            json_pack("{s:{s:O, s:O*, s:O*}}", "discover", "sweep", json_object_get(reply, "sweep"), "counts",
                      json_object_get(reply, "counts"), "changes", json_object_get(reply, "changes"));
    uv_close((uv_handle_t *)&s->timer, closed);
    call->done(call, &finding, failure);
}

static void on_event(void *arg, json_t *event)
{
    struct search *s = arg;

    if (s->id == 0)
        s->id = json_integer_value(json_object_get(event, "sweep"));
}

static void on_over(void *arg, json_t *reply, const struct err *failure)
{
    struct search *s = arg;
    const json_t *counts = json_object_get(reply, "counts");
    bool own = json_object_get(s->call->args, "addresses") == NULL;
    struct err err = ERR_INIT;

    s->sweep = NULL;
    if (failure && failure->cause == CAUSE_INTERRUPTED) /* amtd ends: the next one does it anew */
        return;
    if (!failure && own && json_integer_value(json_object_get(counts, "amt")) == 0) {
        err_set(&err, CAUSE_NOT_AMT, "AMT is not detected at its address: amtcli discover show %lld",
                (long long)s->id);
        failure = &err;
    }
    end(s, reply, failure);
}

static void too_late(uv_timer_t *timer)
{
    struct search *s = (struct search *)timer;
    const struct job_parts *parts = s->call->parts;
    struct err err = ERR_INIT;

    if (s->sweep) {
        discovery_unwatch(s->sweep);
        discovery_cancel(parts->discovery, s->id);
    }
    if (s->failure.cause == CAUSE_NONE)
        err_set(&s->failure, CAUSE_TIMEOUT, "the sweep did not end within %lld s: amtcli discover --resume",
                (long long)(s->call->timeout_ms / 1000));
    err = s->failure;
    end(s, NULL, &err);
}

static json_t *order_json(const struct job_call *call)
{
    json_t *json = json_copy((json_t *)call->args);
    const struct host *host = call->host;

    if (!json_object_get(json, "addresses"))
        json_object_set_new(json, "addresses", json_pack("[s]", host->address ? host->address : host->name));
    return json;
}

static void *discover_start(struct job_call *call)
{
    struct search *s = xcalloc(1, sizeof(*s));
    const struct discovery_watch watch = {s, on_event, on_over};
    bool own = json_object_get(call->args, "addresses") == NULL;
    struct discovery_order order = {.who = xstrdup(call->who)};
    json_t *json = order_json(call);

    s->call = call;
    uv_timer_init(call->parts->run->loop, &s->timer);
    if (!own && call->everywhere < ROLE_OPERATE)
        err_set(&s->failure, CAUSE_DENIED, "to go through addresses takes the role 'operate' on every host");
    else
        discovery_order_read(json, &order, &s->failure);
    json_decref(json);
    if (s->failure.cause == CAUSE_NONE) {
        uv_timer_start(&s->timer, too_late, (uint64_t)call->timeout_ms, 0);
        s->sweep = discovery_start(call->parts->discovery, &order, &watch);
    } else {
        uv_timer_start(&s->timer, too_late, 0, 0);
        discovery_order_clear(&order);
    }
    return s;
}

static void discover_cancel(void *work)
{
    struct search *s = work;

    if (s->sweep) {
        discovery_unwatch(s->sweep);
        discovery_cancel(s->call->parts->discovery, s->id);
    }
    uv_close((uv_handle_t *)&s->timer, closed);
}

/* Words are judged when the file is read. */
static int discover_shape(json_t **args, struct err *err)
{
    struct discovery_order order = {0};
    int status = 0;

    if (json_object_get(*args, "addresses"))
        status = discovery_order_read(*args, &order, err);
    discovery_order_clear(&order);
    return status;
}

static const struct job_action action = {discover_start, discover_cancel};

const struct job_kind job_kind_discover = {
    .name = "discover",
    .text = "look from outside what is at addresses, without logging in",
    .params = params,
    .action = &action,
    .role = JOB_OPERATES,
    .timeout_ms = TIMEOUT_MS,
    .shape = discover_shape,
};
