/* Filter files of this machine, as a job or an order takes them along. */
#ifndef AMTD_FLEET_FILTER_TAKE_H
#define AMTD_FLEET_FILTER_TAKE_H

#include <jansson.h>

#include "base/err.h"

/* The file of that name beside another one, else of the library, with what it includes as one document:
 * {name, text}; the caller's. set: what names in it stand for, or NULL. Names of hosts
 * are left as they are. Reads files. NULL and err: what is wrong first. */
json_t *filter_take(const char *beside, const char *name, const json_t *set, struct err *err);

#endif
