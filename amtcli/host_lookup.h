/* Host names in filter files, as the system that amtcli runs on knows them. */
#ifndef AMTCLI_HOST_LOOKUP_H
#define AMTCLI_HOST_LOOKUP_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"

/* A names_resolve_fn (filters/names.h). `known` is a JSON object {name: "addresses"} that remembers what was
 * found, and is asked first. All addresses that mean something elsewhere; name-unknown when there is none. */
int host_lookup(void *known, const char *host, struct buf *addresses, struct err *err);
/* Says on stderr what each name is. */
void host_lookup_tell(const json_t *known);

#endif
