/* info and clock: what a device says of itself, and its time. */
#include "amtd/jobs/kinds.h"

static const struct job_param no_params[] = {{NULL}};

static const struct job_param clock_params[] = {
    {"set", JOB_PARAM_BOOL, .main = true, .standard = "false", .text = "set it by ours"},
    {"limit", JOB_PARAM_DURATION, .field = "limit_ms", .min = 1000, .max = 86400000, .standard = "10s",
     .text = "with set: what it may be off"},
    {NULL},
};

const struct job_kind job_kind_info = {
    .name = "info",
    .text = "read what the device is, and remember it as facts",
    .params = no_params,
    .task = "info",
    .role = JOB_READS,
};

const struct job_kind job_kind_clock = {
    .name = "clock",
    .text = "compare or set the device's clock",
    .params = clock_params,
    .task = "clock",
    .role = JOB_OPERATES,
};
