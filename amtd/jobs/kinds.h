/* The rows of the table of kinds, one file each: kind_power.c, kind_boot.c, ... For job_kind.c only. */
#ifndef AMTD_JOBS_KINDS_H
#define AMTD_JOBS_KINDS_H

#include "amtd/jobs/job_kind.h"

extern const struct job_kind job_kind_power;
extern const struct job_kind job_kind_boot;
extern const struct job_kind job_kind_certificate;
extern const struct job_kind job_kind_filter;
extern const struct job_kind job_kind_info;
extern const struct job_kind job_kind_clock;
extern const struct job_kind job_kind_config;
extern const struct job_kind job_kind_inventory;
extern const struct job_kind job_kind_eventlog;
extern const struct job_kind job_kind_auditlog;
extern const struct job_kind job_kind_wait;
extern const struct job_kind job_kind_run;
extern const struct job_kind job_kind_notify;
extern const struct job_kind job_kind_console;
extern const struct job_kind job_kind_ider;
extern const struct job_kind job_kind_password;
extern const struct job_kind job_kind_discover;
extern const struct job_kind job_kind_user;

/* power's undo, for what else brings a machine from one state to another. */
json_t *power_undo(const json_t *args, const struct operation *was, const char **task);

#endif
