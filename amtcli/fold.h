/* Hosts with equal results as one row. */
#ifndef AMTCLI_FOLD_H
#define AMTCLI_FOLD_H

#include <jansson.h>

#include "amtcli/output.h"
#include "base/buf.h"

/* rows: an array of results. The array returned has one row for all that people would call equal (everything
 * but the host, the time and the exact message), in the order of their first hosts: `host` is the folded list
 * ("pc[001-120]"), `count` says how many, `seconds` is the longest. Rows that differ in a field of `also`
 * (NULL: none) are not equal. Owned by the caller. */
json_t *fold_results(const json_t *rows, const struct column *also);

/* An array of names as one folded list. Appends. */
void fold_names(const json_t *names, struct buf *out);

/* The failed ones by cause: [{cause, hint, count, hosts: "pc[1-9]"}], most hosts first. Owned by the caller.
 */
json_t *fold_causes(const json_t *rows);

#endif
