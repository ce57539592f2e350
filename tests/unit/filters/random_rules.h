/* Random rule files and packets from a small world, so that they meet often. */
#ifndef TESTS_UNIT_FILTERS_RANDOM_RULES_H
#define TESTS_UNIT_FILTERS_RANDOM_RULES_H

#include <stdint.h>

#include "base/buf.h"
#include "filters/packet.h"

/* The body of a file with up to `most` rules. *seed is the state of the generator. */
void random_body(uint64_t *seed, unsigned most, struct buf *out);
void random_packet(uint64_t *seed, struct packet *out);
uint32_t random_below(uint64_t *seed, uint32_t n);

#endif
