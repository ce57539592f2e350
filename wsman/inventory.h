/* What a machine is made of, as AMT knows it: hardware (from SMBIOS at the last boot), firmware, features,
 * and settings that say what state it is in. (reference wsman.md, 3.1, 3.17, 7)
 *
 * An inventory is a flat list of facts with dotted names ("memory.modules.0.bytes"), in the order of the
 * names: so it is compared, kept, asked for and printed without knowing what is in it. What changes by itself
 * from hour to hour (power, clock, charge, link) is not part of it. */
#ifndef WSMAN_INVENTORY_H
#define WSMAN_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "wsman/seq.h"

#define INVENTORY_FACTS_MAX 2000 /* of one machine; more is left out */
#define INVENTORY_TEXT_MAX  256  /* bytes of one value; longer ones are cut */

enum inventory_kind { INVENTORY_TEXT, INVENTORY_NUMBER, INVENTORY_BOOL };

struct inventory_fact {
    char *name;  /* numbers in it are places in a list, from 0 on */
    char *value; /* never empty; printable UTF-8 */
    enum inventory_kind kind;
};

struct inventory {
    struct inventory_fact *items; /* owned; sorted by name once the sequence is done */
    size_t count, room;
};
void inventory_clear(struct inventory *inventory);
/* Replaces a fact of that name. An empty value, or one too many, is left out. */
void inventory_set(struct inventory *inventory, const char *name, enum inventory_kind kind,
                   const char *value);
const char *inventory_get(const struct inventory *inventory, const char *name); /* NULL when absent */

struct inventory_seq {
    struct seq seq; /* first */
    struct inventory inventory;
};

/* A class that this firmware does not have is nothing; one that it has and does not show is named in
 * "not_read.N". Free with inventory_clear(&is->inventory). */
void inventory_seq_init(struct inventory_seq *is);

#endif
