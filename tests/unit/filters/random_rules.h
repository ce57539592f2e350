/* Random rule files, packets and frames from a small world, so that they meet often. */
#ifndef TESTS_UNIT_FILTERS_RANDOM_RULES_H
#define TESTS_UNIT_FILTERS_RANDOM_RULES_H

#include "base/buf.h"
#include "filters/packet.h"
#include "filters/rules.h"
#include <stdint.h>

/* The body of a file with up to `most` rules. *seed is the state of the generator. */
void random_body(uint64_t *seed, unsigned most, struct buf *out);
void random_packet(uint64_t *seed, struct packet *out);
/* The packet as an Ethernet frame, dressed in what does not matter: VLAN tags, options, extension headers,
 * padding. What the packet lacks is behind a fragment's beginning, or cut off. */
void random_frame(uint64_t *seed, const struct packet *packet, struct buf *out);
uint32_t random_below(uint64_t *seed, uint32_t n);

/* How many files: as AMTD_TEST_SETS says, else `usual`; and where to begin: AMTD_TEST_SEED, else `seed`. */
uint64_t random_sets(uint64_t usual);
uint64_t random_start(uint64_t seed);
/* So many random files, from there on. With each its text and its rules, bound. Says how many there were. */
uint64_t random_files(uint64_t usual, uint64_t seed, unsigned most,
                      void (*fn)(const char *body, const struct ruleset *rules, uint64_t *seed));

#endif
