/* Hosts that are in several collections, of which one is declared to be something else than another: whoever
 * corrects one of them spoils the other. Inside store work only. */
#ifndef AMTD_FLEET_DECLARATION_CONFLICT_H
#define AMTD_FLEET_DECLARATION_CONFLICT_H

#include <jansson.h>

#include "amtd/fleet/declaration.h"
#include "amtd/store/store.h"

/* *out: [{collection, setting, here, there, count, hosts}], a row a setting that the other collection has
 * otherwise, with the hosts of both (folded). Of these hosts (hosts NULL: of all of the collection), which
 * are declared to be d. The caller's. 0, or -1 with err. */
int tx_declaration_conflicts(struct tx *tx, const char *collection, const struct declaration *d,
                             const struct hosts *hosts, json_t **out, struct err *err);
/* The first of them in one message of err (invalid-argument). Nothing, when there is none. */
int declaration_conflict_refuse(const char *collection, const json_t *conflicts, struct err *err);

#endif
