/* Orders of sweeps, as they are said (docs/api.md, discover.start). */
#include <stddef.h>
#include <string.h>

#include "amtd/discover/discovery.h"
#include "amtd/discover/sweep_json.h"
#include "amtd/fleet/task_args.h"
#include "base/xalloc.h"

struct limits {
    uint32_t port, rmcp_port, rate, per_subnet, sockets;
    int64_t timeout_ms;
};

static const struct task_arg limits_table[] = {
    {"port", TASK_ARG_U32, offsetof(struct limits, port), .min = 1, .max = 65534},
    {"rmcp_port", TASK_ARG_U32, offsetof(struct limits, rmcp_port), .min = 1, .max = 65535},
    {"rate", TASK_ARG_U32, offsetof(struct limits, rate), .min = 1, .max = 1000000},
    {"per_subnet", TASK_ARG_U32, offsetof(struct limits, per_subnet), .min = 1, .max = 1000000},
    {"sockets", TASK_ARG_U32, offsetof(struct limits, sockets), .min = 2, .max = SWEEP_SOCKETS_MAX},
    {"timeout_ms", TASK_ARG_MS, offsetof(struct limits, timeout_ms), .min = 100, .max = 60000},
    {NULL},
};

static int read_settings(const json_t *params, struct sweep_settings *out, struct err *err)
{
    struct limits limits = {.port = out->port,
                            .rmcp_port = out->rmcp_port,
                            .rate = out->rate,
                            .per_subnet = out->per_subnet,
                            .sockets = out->sockets,
                            .timeout_ms = out->timeout_ms};
    json_t *known = json_object();
    int status;

    for (const struct task_arg *arg = limits_table; arg->name; arg++)
        if (json_object_get(params, arg->name))
            json_object_set(known, arg->name, json_object_get(params, arg->name));
    status = task_args_read(limits_table, known, &limits, err);
    json_decref(known);
    *out = (struct sweep_settings){.port = (uint16_t)limits.port,
                                   .rmcp_port = (uint16_t)limits.rmcp_port,
                                   .rate = limits.rate,
                                   .per_subnet = limits.per_subnet,
                                   .sockets = limits.sockets,
                                   .timeout_ms = limits.timeout_ms};
    return status;
}

/* Names are looked up when it begins; what has none can be judged now. */
static int check_words(const json_t *words, struct err *err)
{
    struct addrset *ranges;
    const json_t *word;
    size_t i;

    if (json_array_size(words) == 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'addresses': expected at least one, such as 10.0.0.0/24");
    json_array_foreach(words, i, word)
    {
        if (!json_is_string(word))
            return err_set(err, CAUSE_INVALID_ARGUMENT, "'addresses' must be an array of strings");
        if (strpbrk(json_string_value(word), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
            return 0;
    }
    ranges = sweep_ranges(words, err);
    addrset_free(ranges);
    return ranges ? 0 : -1;
}

int discovery_order_read(const json_t *params, struct discovery_order *order, struct err *err)
{
    const json_t *words = json_object_get(params, "addresses");

    order->settings = discovery_settings();
    order->add = json_is_true(json_object_get(params, "add"));
    order->profile = xstrdup(json_string_value(json_object_get(params, "profile")));
    order->tags = json_incref(json_object_get(params, "tags"));
    order->words = json_is_array(words) ? json_deep_copy(words) : json_array();
    if (!order->add && (order->profile || order->tags))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'profile' and 'tags' go with 'add'");
    return check_words(order->words, err) == 0 ? read_settings(params, &order->settings, err) : -1;
}
