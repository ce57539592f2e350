/* inventory, eventlog, auditlog: what a machine is made of, and what is new in its logs. */
#include "amtd/jobs/kinds.h"

static const struct job_param no_params[] = {{NULL}};

const struct job_kind job_kind_inventory = {
    .name = "inventory",
    .text = "read what the machine is made of, and keep what changed",
    .params = no_params,
    .task = "inventory",
    .role = JOB_READS,
};

const struct job_kind job_kind_eventlog = {
    .name = "eventlog",
    .text = "read what is new in the device's event log",
    .params = no_params,
    .task = "eventlog",
    .role = JOB_READS,
};

const struct job_kind job_kind_auditlog = {
    .name = "auditlog",
    .text = "read what is new in the device's audit log",
    .params = no_params,
    .task = "auditlog",
    .role = JOB_READS,
};
