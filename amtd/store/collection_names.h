/* What names in filter files stand for on the hosts of collections. Inside store work only; all return 0 or
 * -1 with err. */
#ifndef AMTD_STORE_COLLECTION_NAMES_H
#define AMTD_STORE_COLLECTION_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "amtd/store/store.h"

struct collection_name { /* strings are owned */
    char *collection, *name, *value;
};
struct collection_names {
    struct collection_name *items; /* by collection, then by name */
    size_t count;
};
void collection_names_clear(struct collection_names *names);

/* value NULL: no more. not-found: there is no such collection. */
int tx_collection_name_set(struct tx *tx, const char *collection, const char *name, const char *value,
                           struct err *err);
/* Of one collection; NULL: of all. */
int tx_collection_names(struct tx *tx, const char *collection, struct collection_names *out, struct err *err);

#endif
