#include "amtd/jobs/job_kind.h"

#include <string.h>

#include "amtd/jobs/kinds.h"

static const struct job_kind *const table[] = {
    &job_kind_power,    &job_kind_boot,      &job_kind_filter,   &job_kind_info,     &job_kind_clock,
    &job_kind_config,   &job_kind_inventory, &job_kind_eventlog, &job_kind_auditlog, &job_kind_wait,
    &job_kind_run,      &job_kind_notify,    &job_kind_console,  &job_kind_ider,     &job_kind_certificate,
    &job_kind_password, &job_kind_user,      &job_kind_discover,
};

const struct job_kind *job_kind_at(size_t i)
{
    return i < sizeof(table) / sizeof(table[0]) ? table[i] : NULL;
}

const struct job_kind *job_kind_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    return NULL;
}

const struct job_param *job_param_find(const struct job_param *params, const char *name)
{
    for (; params->name; params++)
        if (name ? strcmp(params->name, name) == 0 : params->main)
            return params;
    return NULL;
}

enum job_again job_kind_again(const struct job_kind *kind, const json_t *args)
{
    return kind->again ? kind->again(args) : JOB_AGAIN_SAFE;
}
