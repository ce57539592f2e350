/* The JSON of what happened to a host, one shape for live events and the record (docs/api.md, run.start). */
#ifndef AMTD_API_OPERATION_JSON_H
#define AMTD_API_OPERATION_JSON_H

#include "amtd/api/rows.h"
#include "amtd/store/model.h"

/* Its members into a row, or an object in one; result: instead of ok or failed. NULL: those. */
void operation_write(struct rows *rows, const struct operation *operation, const char *result);
#endif
