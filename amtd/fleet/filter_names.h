/* What names in filter files stand for on one host, by what is set for its collections and for itself. Inside
 * store work only. */
#ifndef AMTD_FLEET_FILTER_NAMES_H
#define AMTD_FLEET_FILTER_NAMES_H

#include <jansson.h>

#include "amtd/store/store.h"

#define FILTER_TAG_PREFIX "filter." /* tags of hosts that bind names */

/* {"names": {name: value}, "differ": {name: "@a, @b"}}: a host's tag filter.NAME comes before its
 * collections; what those say differently is in `differ` alone. *out is the caller's, also after a failure
 * (-1 with err). */
int filter_names_of(struct tx *tx, const struct host *host, json_t **out, struct err *err);

#endif
