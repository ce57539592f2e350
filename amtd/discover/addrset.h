/* Sets of IPv4 addresses, and the order in which a sweep goes through them.
 *
 * The order takes one address of each /24 in turn, and within a /24 not one beside the other: so a sweep of
 * many subnets asks little of each, and a place in it is one number (a cursor), which can be written down. */
#ifndef AMTD_DISCOVER_ADDRSET_H
#define AMTD_DISCOVER_ADDRSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define ADDRSET_SUBNETS_MAX 4096 /* subnets of a set, about a million addresses */

struct addrset;

struct addrset *addrset_new(void);
void addrset_free(struct addrset *ranges); /* NULL is fine */

/* Adds what a word means; with '!' in front it takes away from all words, wherever it stands:
 *   10.0.0.0/16 | 10.0.0.1-10.0.3.255 | 10.0.0.1-99 | a host list of addresses: 10.0.[0-3].[1-254]
 * -1 and err (invalid-argument). */
int addrset_add(struct addrset *ranges, const char *word, struct err *err);
/* Appends the word with names in it replaced by their addresses, so that addrset_add takes it: pc[001-120].
 * Of a name's addresses the first IPv4 one is taken. It waits for the name service: not on the loop's thread.
 * -1 and err (name-unknown, invalid-argument). */
int addrset_look_up(const char *word, struct buf *out, struct err *err);
/* After the last word and before any question. -1 and err (invalid-argument): nothing is left, or too much.
 */
int addrset_finish(struct addrset *ranges, struct err *err);

size_t addrset_count(const struct addrset *ranges);
bool addrset_contain(const struct addrset *ranges, uint32_t address); /* host byte order, as everywhere */

/* The first address at *cursor or behind it, which *cursor then says; false: there is none. */
bool addrset_next(const struct addrset *ranges, uint64_t *cursor, uint32_t *address);
/* How many subnets take part in the round of the cursor. */
size_t addrset_breadth(const struct addrset *ranges, uint64_t cursor);

/* Places for something about each address: slots 0 to addrset_slots, those of one subnet side by side. */
size_t addrset_slots(const struct addrset *ranges);
size_t addrset_slot(const struct addrset *ranges, uint32_t address); /* of one that is in the set */
/* The address of a slot; false: it is not in the set. */
bool addrset_slot_address(const struct addrset *ranges, size_t slot, uint32_t *address);

/* "10.0.0.1" into out, at least ADDRSET_TEXT_MAX bytes. */
#define ADDRSET_TEXT_MAX 16
const char *addrset_text(uint32_t address, char *out);
bool addrset_from_text(const char *text, uint32_t *address);

#endif
