/* Inventories as JSON: nested as their dotted names say, a part whose names are 0, 1, 2 ... a list. */
#ifndef AMTD_FLEET_INVENTORY_JSON_H
#define AMTD_FLEET_INVENTORY_JSON_H

#include <jansson.h>

#include "amtd/store/model.h"
#include "wsman/inventory.h"

/* New reference. */
json_t *inventory_json(const struct inventory *inventory);
/* The other way round: dotted names and values as text, behind a prefix ("inventory."); appended to pairs. */
void inventory_flatten(const json_t *json, const char *prefix, struct pairs *pairs);
/* [{name, was?, is?}], in the order of names. New reference. */
json_t *inventory_diff(const json_t *was, const json_t *is);

#endif
