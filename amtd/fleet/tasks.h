/* The rows of the task table, one file each: task_power.c, task_boot.c, ... For task.c only. */
#ifndef AMTD_FLEET_TASKS_H
#define AMTD_FLEET_TASKS_H

#include "amtd/fleet/task.h"

extern const struct task task_power;
extern const struct task task_alert;
extern const struct task task_boot;
extern const struct task task_certificate;
extern const struct task task_filter;
extern const struct task task_info;
extern const struct task task_inventory;
extern const struct task task_eventlog;
extern const struct task task_auditlog;
extern const struct task task_probe;
extern const struct task task_doctor;
extern const struct task task_prepare;
extern const struct task task_redirection;
extern const struct task task_consent;
extern const struct task task_clock;
extern const struct task task_config;
extern const struct task task_password;
extern const struct task task_user;
extern const struct task task_unprovision;
extern const struct task task_agent;
extern const struct task task_worm;

#endif
