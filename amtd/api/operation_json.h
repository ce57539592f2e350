/* The JSON of what happened to a host, one shape for live events and the record (docs/api.md, run.start). */
#ifndef AMTD_API_OPERATION_JSON_H
#define AMTD_API_OPERATION_JSON_H

#include <jansson.h>

#include "amtd/api/rows.h"
#include "amtd/store/model.h"
#include "base/bytes.h"

/* New reference. */
json_t *operation_json(const struct operation *operation);
/* Its members into a row, or an object in one; result: instead of ok or failed. NULL: those. */
void operation_write(struct rows *rows, const struct operation *operation, const char *result);
/* The same without the member "detail": *members is the text of that object's members, without its braces
 * (borrowed from the operation). NULL: it is not left out, or there is none. What is large and of no interest
 * here need not be read and written again so. */
json_t *operation_json_but_detail(const struct operation *operation, struct view *members);

#endif
