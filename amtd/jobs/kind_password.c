/* password: a random password for each host, in place of the one it has. */
#include "amtd/fleet/random_password.h"
#include "amtd/jobs/kinds.h"

static const char *const actions[] = {"rotate", NULL};

static const struct job_param params[] = {
    {"action", JOB_PARAM_CHOICE, .required = true, .main = true, .choices = actions, .text = "what to do"},
    {"length", JOB_PARAM_NUMBER, .min = RANDOM_PASSWORD_MIN, .max = RANDOM_PASSWORD_MAX, .standard = "20",
     .text = "of the new password"},
    {NULL},
};

static json_t *password_task_args(const json_t *args)
{
    json_t *task = json_copy((json_t *)args);

    json_object_del(task, "action");
    return task;
}

/* Done anew after a crash: the login tells which of the two passwords the device has, and the other one stays
 * in the store whatever becomes of it. */
const struct job_kind job_kind_password = {
    .name = "password",
    .text = "give the machine a random password of its own",
    .params = params,
    .task = "password",
    .role = JOB_ADMINISTERS,
    .task_args = password_task_args,
};
