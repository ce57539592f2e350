/* What became of each host, as a table for people, JSON or CSV. */
#ifndef AMTCLI_RESULT_VIEW_H
#define AMTCLI_RESULT_VIEW_H

#include <jansson.h>

#include "amtcli/args.h"
#include "amtcli/output.h"
#include "amtcli/result_rows.h"

enum result_shape {
    RESULT_PLAIN,  /* a result and nothing else */
    RESULT_POWER,  /* with states of power */
    RESULT_INFO,   /* detail.info: an object */
    RESULT_CHECKS, /* detail.checks: steps with findings */
    RESULT_REDIRECTION,
    RESULT_CONSENT,
    RESULT_CLOCK,
    RESULT_ALERT,
    RESULT_USER,
    RESULT_AGENTS,   /* detail.agents */
    RESULT_SETTINGS, /* detail.settings */
    RESULT_CONFIG,   /* the same, and what they should be */
    RESULT_WORM,
    RESULT_INVENTORY,
    RESULT_DEVICE_LOG,
    RESULT_CERTIFICATE,
    RESULT_JOB,    /* tasks: results of their own */
    RESULT_TASK,   /* one of those */
    RESULT_FILTER, /* policy, filters, state; counts */
};

/* Of a task of a host of a job, as CSV. */
extern const struct column result_task_columns[];

/* The shape of a task's results ("power"); task may be NULL. */
enum result_shape result_shape(const char *task);

/* Prints results (an array of objects per host, docs/api.md) sorted by host: to stdout the results alone, to
 * stderr why some failed. Returns the exit code: all succeeded, or some failed, or were found not to be as
 * they should (filter drift). */
int show_results(const struct args *args, const json_t *results, enum result_shape shape);
/* That exit code alone. */
int results_code(const json_t *results);
/* The same of rows that were gathered, as JSON where that is wanted; sorts them. */
int show_result_rows(const struct args *args, struct result_rows *rows, enum result_shape shape);
/* Of the results of a job: a table with a row for each task of each host, and why some failed. Returns the
 * same. */
int show_tasks(const struct args *args, struct result_rows *rows);
/* Of a result of a job that is to be shown without its tasks: how many there were takes their place, so that
 * many hosts take little memory. */
void result_count_tasks(json_t *row);

#endif
