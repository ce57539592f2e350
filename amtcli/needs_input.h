/* --needs FILE of the filter commands: a filter file whose needs count as well, or a job file whose later
 * steps have some. */
#ifndef AMTCLI_NEEDS_INPUT_H
#define AMTCLI_NEEDS_INPUT_H

#include <jansson.h>

#include "amtcli/cmd.h"
#include "filters/file.h"

/* As the task filter takes them (docs/api-filter.md): a list, or {name, text}. 0 and *needs, owned by the
 * caller; or the exit code after a message. Of a job those of the tasks behind its first filter, of one
 * without all. */
int needs_input_open(struct context *ctx, const char *path, json_t **needs);
/* The same as a file to check with. NULL: findings say why. */
struct filter_file *needs_input_file(const json_t *needs, struct findings *findings);

#endif
