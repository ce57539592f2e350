/* Options of a command line as parameters of a call. */
#ifndef AMTCLI_PARAMS_H
#define AMTCLI_PARAMS_H

#include <jansson.h>
#include <stdbool.h>

#include "amtcli/args.h"

struct param {
    const char *option; /* NULL ends the list */
    const char *field;
};

/* Sets the field of each option that was given: numbers and times (ms) as integers, flags as true, the names
 * of files as absolute paths (amtd stands in another directory), everything else as text. */
void params_take(json_t *params, const struct args *args, const struct param *map);

/* Every --tag NAME=VALUE into the field `tags`, {name: value}; an empty value is null where it `removes` the
 * tag. 0; or EXIT_USAGE after a message. */
int params_take_tags(json_t *params, const struct args *args, bool removes);

/* "2h" sets the field `ago` to so many ms; everything else is a time, which amtd judges, in a field of the
 * option's name. */
void params_take_when(json_t *params, const struct args *args, const char *option, const char *ago);

#endif
