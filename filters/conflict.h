/* Rules that cannot mean what they say, because drop always wins. Internal to filters/. */
#ifndef FILTERS_CONFLICT_H
#define FILTERS_CONFLICT_H

#include "filters/box.h"

/* A pass or limit wholly inside what another rule drops is an error; a partial overlap is a warning. Each
 * pair of rules is told once. A drop inside a pass is what drops are for, and nothing is said. */
void conflicts_find(const struct ruleset *rules, const struct boxes *boxes, struct findings *findings);

#endif
