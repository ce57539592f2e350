/* Reading a task's arguments from JSON by a table: names, types and ranges are checked, and every mistake is
 * reported, all in one message. */
#ifndef AMTD_FLEET_TASK_ARGS_H
#define AMTD_FLEET_TASK_ARGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum task_arg_type {
    TASK_ARG_BOOL, /* bool */
    TASK_ARG_MS,   /* int64_t, within min and max */
    TASK_ARG_U32,  /* uint32_t, within min and max */
    TASK_ARG_NAME, /* int, by `names`: position of the text in a list ended by NULL */
    TASK_ARG_TEXT, /* char[size], at most size - 1 bytes of printable text */
};

struct task_arg {
    const char *name; /* NULL ends the table */
    enum task_arg_type type;
    size_t offset; /* in the args struct */
    bool required;
    int64_t min, max;
    const char *const *names;
    size_t size;
};

int task_args_read(const struct task_arg *table, const json_t *json, void *args, struct err *err);

#endif
