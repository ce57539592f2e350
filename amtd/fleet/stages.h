/* Stages of a run: some hosts go ahead, the others follow in batches, and after too many failures nothing
 * more begins. Pure. */
#ifndef AMTD_FLEET_STAGES_H
#define AMTD_FLEET_STAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAGES_CHOOSE        UINT32_MAX /* the order leaves it to the task */
#define STAGES_CAREFUL_ABOVE 5          /* hosts: a careful task begins with some of them */

struct stages {
    uint32_t canary;       /* hosts that go ahead, all of which must be well; 0: none do */
    uint32_t batch;        /* hosts in a stage; 0: all */
    uint32_t max_failures; /* begin no more after so many; 0: no limit */
};

/* What the order left open becomes a number. Not careful: no stages, no limit. Careful, with more than
 * STAGES_CAREFUL_ABOVE hosts: one goes ahead (five of more than a hundred), the others follow a quarter at a
 * time, at least 25, and a quarter of failures, at least five, ends it. */
void stages_settle(struct stages *stages, size_t hosts, bool careful);

/* How many hosts the stage has that begins with the at-th of all (from 0); more than there are for the last.
 */
size_t stages_size(const struct stages *stages, size_t hosts, size_t at);
size_t stages_count(const struct stages *stages, size_t hosts);
/* In which stage the at-th is, from 1. */
size_t stages_of(const struct stages *stages, size_t hosts, size_t at);

#endif
