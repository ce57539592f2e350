/* user: as `amtcli user` does it: accounts are kept as they should be. */
#include "amtd/jobs/kinds.h"

static const char *const actions[] = {"apply", "check", "rotate", NULL};

static const struct job_param params[] = {
    {"action", JOB_PARAM_CHOICE, .main = true, .required = true, .choices = actions,
     .text = "apply corrects what differs; check only looks; rotate gives new passwords"},
    {"accounts", JOB_PARAM_WORDS, .max = 16,
     .text = "those that are to be there: NAME=REALMS[@ACCESS], as for amtcli user; to rotate: names"},
    {"exact", JOB_PARAM_BOOL, .standard = "false",
     .text = "there may be no other accounts but those of Kerberos"},
    {NULL},
};

/* Done anew after a crash: what was cut off is found by what the device has, and by passwords on their way.
 */
const struct job_kind job_kind_user = {
    .name = "user",
    .text = "make the device's accounts what they should be, or give them new passwords",
    .params = params,
    .task = "user",
    .role = JOB_ADMINISTERS,
};
