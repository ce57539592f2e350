/* Endless numbered lines of 64 bytes: what a console says when it says more than anybody wants to hear. A
 * byte's value follows from its offset, so a reader can tell what is missing. No I/O. */
#ifndef AMTSIM_SCRIPTED_FLOOD_H
#define AMTSIM_SCRIPTED_FLOOD_H

#include <stddef.h>
#include <stdint.h>

struct scripted_flood {
    uint64_t at, end; /* bytes */
};

void scripted_flood_init(struct scripted_flood *flood, uint64_t bytes);
/* The next bytes, at most n. 0: all has been said. */
size_t scripted_flood_fill(struct scripted_flood *flood, uint8_t *out, size_t n);

#endif
