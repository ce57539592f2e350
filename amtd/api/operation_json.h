/* The JSON of what happened to a host, one shape for live events and the record (docs/api.md, run.start). */
#ifndef AMTD_API_OPERATION_JSON_H
#define AMTD_API_OPERATION_JSON_H

#include <jansson.h>

#include "amtd/store/model.h"

/* New reference. */
json_t *operation_json(const struct operation *operation);

#endif
