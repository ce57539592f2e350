#include "filters/conflict.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "filters/join.h"

struct search {
    const struct ruleset *rules;
    const struct boxes *boxes;
    struct findings *findings;
    uint32_t *refused; /* by passing rule: 1 + the dropping rule it was refused for, 0 none */
    uint32_t *warned;
};

static void compare(void *arg, size_t a, size_t b)
{
    struct search *search = arg;
    const struct box *x = &search->boxes->items[a], *y = &search->boxes->items[b];
    const struct box *drop = box_drops(x) ? x : y, *pass = box_drops(x) ? y : x;
    const struct rule *dropper, *passer;

    if (box_drops(x) == box_drops(y))
        return;
    dropper = &search->rules->rules[drop->rule];
    passer = &search->rules->rules[pass->rule];
    if (box_contains(drop, pass)) {
        if (search->refused[pass->rule] == drop->rule + 1)
            return;
        search->refused[pass->rule] = drop->rule + 1;
        findings_add(
            search->findings, FINDING_ERROR, passer->place, passer->name,
            "cannot let pass what rule '%s' (%s:%d) drops: drop always wins, so no hole can be cut into it; "
            "expected '%s' to drop less, or a default that drops",
            dropper->name, dropper->place.file, dropper->place.line, dropper->name);
    } else if (!box_contains(pass, drop) && search->warned[pass->rule] != drop->rule + 1) {
        search->warned[pass->rule] = drop->rule + 1;
        findings_add(search->findings, FINDING_WARNING, passer->place, passer->name,
                     "part of what it lets pass is dropped by rule '%s' (%s:%d): drop wins", dropper->name,
                     dropper->place.file, dropper->place.line);
    }
}

void conflicts_find(const struct ruleset *rules, const struct boxes *boxes, struct findings *findings)
{
    struct search search = {rules, boxes, findings, xcalloc(rules->count + 1, sizeof(uint32_t)),
                            xcalloc(rules->count + 1, sizeof(uint32_t))};

    if (!boxes_each_overlap(boxes, compare, &search))
        findings_add(findings, FINDING_WARNING, rules->policy.place, NULL,
                     "so many rules overlap that not all pairs were compared");
    free(search.refused);
    free(search.warned);
}
