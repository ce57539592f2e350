/* Sweeps as JSON: docs/api.md, discover.start and discover.show. All are new references. */
#ifndef AMTD_DISCOVER_SWEEP_JSON_H
#define AMTD_DISCOVER_SWEEP_JSON_H

#include <jansson.h>

#include "amtd/discover/addrset.h"
#include "amtd/discover/found.h"
#include "amtd/store/sweeps.h"

/* The set of a record's words. NULL and err (store-failed): they make no sense. */
struct addrset *sweep_ranges(const json_t *words, struct err *err);

/* {"amt": 17, "refused": 3, ...}, all kinds. */
json_t *sweep_counts_json(const uint8_t *kinds, size_t size);
/* [{finding, message, from, to, count}]: neighbours of one bare kind. */
json_t *sweep_runs_json(const struct addrset *ranges, const uint8_t *kinds);
/* The detail of a row with its host and outcome. */
json_t *sweep_found_json(const struct sweep_found *row);
/* What stands about a sweep in lists. */
json_t *sweep_record_json(const struct sweep_record *record);

/* [{address, change: "new"|"gone"|"changed", was, is, what}]: from one sweep to a later one, over what both
 * looked at. */
json_t *sweep_diff_json(const struct addrset *before_ranges, const struct sweep_founds *before,
                        const struct addrset *after_ranges, const struct sweep_founds *after);

#endif
