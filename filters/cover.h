/* Does everything in a box pass? Exact: by what is left when all that passes is taken away. Internal to
 * filters/. */
#ifndef FILTERS_COVER_H
#define FILTERS_COVER_H

#include "filters/box.h"

#define COVER_RULES_MAX 4

struct covered {
    bool passes;
    bool limited;                    /* a limit takes part */
    bool partly;                     /* not all of it is dropped */
    bool by_rule;                    /* dropped by a rule: the first of `rules`; else by default */
    uint32_t rules[COVER_RULES_MAX]; /* that decide */
    size_t rule_count;
};

/* `boxes` are those of all rules, not joined. The box may have ranges on both sides. */
void box_cover(const struct box *box, const struct boxes *boxes, const struct rules_policy *policy,
               struct covered *out);

#endif
