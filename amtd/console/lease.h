/* The write lease of a console: at most one attachment may type.
 *
 * Whoever wants to type asks for it. It is given at once when it is free, else the asker waits in line and
 * the holder is told. The holder hands it on (grant) or back (release); when it comes free the one who has
 * waited longest gets it. Force takes it from the holder at once. Members that only watch are not part of it
 * and cannot be given it: that right is decided once, when they attach.
 *
 * A pure data structure: no clock, no I/O. Members are known by a number that is not 0. */
#ifndef AMTD_CONSOLE_LEASE_H
#define AMTD_CONSOLE_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lease {
    uint64_t holder;   /* 0: free */
    uint64_t *waiting; /* longest first */
    size_t waiting_count;
};

void lease_clear(struct lease *lease);

/* True: the member holds it now. False: it waits in line (at its old place when it waited already). */
bool lease_request(struct lease *lease, uint64_t member);
/* Takes it. The old holder (0: none, or the member itself) goes to the end of the line, as it did not give it
 * up by itself; it is returned. */
uint64_t lease_force(struct lease *lease, uint64_t member);
/* The holder gives it to one who waits. False when `from` does not hold it or `to` does not wait; nothing
 * changes then. */
bool lease_grant(struct lease *lease, uint64_t from, uint64_t to);
/* The member neither holds it nor waits any more. Returns the new holder when that changed, else 0. */
uint64_t lease_release(struct lease *lease, uint64_t member);
bool lease_waits(const struct lease *lease, uint64_t member);

#endif
