/* How a reach comes to be. For rights.c and grants.c. */
#ifndef AMTD_STORE_REACH_H
#define AMTD_STORE_REACH_H

#include "amtd/store/rights.h"

struct reach *reach_new(enum api_role everywhere);
/* These hosts as well, with that role; the higher one counts. */
void reach_add(struct reach *reach, const struct hosts *hosts, enum api_role role);

#endif
