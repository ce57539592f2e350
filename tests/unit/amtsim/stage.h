/* One simulated fleet for all tests of a program, with cmocka's setup and teardown. */
#ifndef TEST_STAGE_H
#define TEST_STAGE_H

#include "tests/unit/amtsim/sim.h"

extern struct sim sim;
extern struct device *device; /* the first one */
extern const char *text;      /* of the answer that is looked at */

/* Two devices of generation 16, or 9. */
int stage_16(void **state);
int stage_9(void **state);
int stage_clear(void **state);
/* text has it. */
void has(const char *part);

#endif
