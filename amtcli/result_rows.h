/* What became of each host, as the results come: counted, and for programs kept as the text that amtd wrote.
 */
#ifndef AMTCLI_RESULT_ROWS_H
#define AMTCLI_RESULT_ROWS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct result_text;

struct result_rows {
    size_t count, ok, failed;
    size_t cancelled; /* of the failed */
    size_t drifted;   /* well, and not as it should be */
    json_t *rows;     /* an array; NULL: texts are kept instead */
    /* its own */
    struct result_text *texts;
    size_t cap;
};

/* as_json: they will be printed as JSON. */
void result_rows_init(struct result_rows *r, bool as_json);
/* An object (docs/api.md), borrowed. */
void result_rows_add(struct result_rows *r, const json_t *row);
/* The same of its text, without line breaks. */
void result_rows_add_text(struct result_rows *r, const char *json, size_t n);
/* By host, in natural order. */
void result_rows_sort(struct result_rows *r);
/* Of texts: to stdout, as one array. */
void result_rows_print(const struct result_rows *r);
void result_rows_clear(struct result_rows *r);

#endif
