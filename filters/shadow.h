/* Rules that do nothing: what another rule says already, or the default. Internal to filters/. */
#ifndef FILTERS_SHADOW_H
#define FILTERS_SHADOW_H

#include "filters/box.h"

/* `boxes` are those of all rules, not joined. Adds warnings and notes. */
void shadows_find(const struct ruleset *rules, const struct boxes *boxes, struct findings *findings);

#endif
