/* Configurations that are declared for collections. Inside store work only; all return 0 or -1 with err. */
#ifndef AMTD_STORE_DECLARATIONS_H
#define AMTD_STORE_DECLARATIONS_H

#include <stddef.h>
#include <stdint.h>

#include "amtd/store/store.h"

/* Strings are owned. */
struct declared {
    char *collection;
    char *name; /* of the configuration */
    char *text; /* the file as it was given */
    char *hash;
    char *who;
    int64_t version; /* from 1, one more each time another file is declared */
    int64_t since_ms;
};
void declared_clear(struct declared *declared);

/* The file is the collection's from now on; version and since of the same file stay. Sets d->version.
 * not-found: there is no such collection. */
int tx_declare(struct tx *tx, struct declared *d, struct err *err);
int tx_declared(struct tx *tx, const char *collection, struct declared *out, struct err *err); /* not-found */
int tx_declared_forget(struct tx *tx, const char *collection, struct err *err);                /* not-found */
/* All, by collection. Caller's array. */
int tx_declared_list(struct tx *tx, struct declared **out, size_t *count, struct err *err);

#endif
