/* The alarm clock: wakes the machine at a set time. (reference wsman.md, 3.13) */
#ifndef AMTSIM_ALARMS_H
#define AMTSIM_ALARMS_H

#include "tests/amtsim/device.h"

struct alarms;
/* Forgets all; the timer goes when the loop runs next. NULL is fine. */
void alarms_free(struct alarms *alarms);

#endif
