/* certificate: give a device a certificate of amtd's CA, renew it before it ends, look at it. */
#include "amtd/jobs/kinds.h"

static const char *const actions[] = {"renew", "issue", "check", NULL};

static const struct job_param params[] = {
    {"action", JOB_PARAM_CHOICE, .main = true, .required = true, .choices = actions,
     .text = "issue gives a first one; renew replaces those that end soon; check only looks"},
    {"within", JOB_PARAM_DURATION, .field = "within_ms", .min = 1000, .max = (int64_t)1825 * 86400000,
     .standard = "30d", .text = "what ends within that time is due"},
    {NULL},
};

const struct job_kind job_kind_certificate = {
    .name = "certificate",
    .text = "give the device a certificate of amtd's CA, renew it when it is due, or look at it",
    .params = params,
    .task = "certificate",
    .role = JOB_ADMINISTERS,
};
