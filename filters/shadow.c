#include "filters/shadow.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "filters/join.h"

#define NOBODY UINT32_MAX

struct shadows {
    const struct ruleset *rules;
    const struct boxes *boxes;
    uint32_t *by;  /* by box: the rule that says the same and more */
    bool *crossed; /* by rule: it takes away from a rule that passes */
};

/* Of two that say the same the later one is the superfluous one. */
static void mark(struct shadows *shadows, size_t outer, size_t inner)
{
    const struct box *a = &shadows->boxes->items[outer], *b = &shadows->boxes->items[inner];

    if (a->rule == b->rule || box_drops(a) != box_drops(b) || a->profile == SD_RATE_LIMIT ||
        b->profile == SD_RATE_LIMIT || !box_contains(a, b) || (box_contains(b, a) && a->rule > b->rule))
        return;
    if (shadows->by[inner] == NOBODY || a->rule < shadows->by[inner])
        shadows->by[inner] = a->rule;
}

static void compare(void *arg, size_t a, size_t b)
{
    struct shadows *shadows = arg;
    const struct box *x = &shadows->boxes->items[a], *y = &shadows->boxes->items[b];

    mark(shadows, a, b);
    mark(shadows, b, a);
    if (box_drops(x) != box_drops(y))
        shadows->crossed[x->rule] = shadows->crossed[y->rule] = true;
}

static bool default_says_it(const struct ruleset *rules, const struct rule *rule)
{
    const struct rules_policy *policy = &rules->policy;
    bool drops = rule->action == RULE_DROP;

    return rule->action != RULE_LIMIT && (!rule->match.out || policy->out.drop == drops) &&
           (!rule->match.in || policy->in.drop == drops);
}

static void tell(struct shadows *shadows, uint32_t index, bool shadowed, uint32_t by,
                 struct findings *findings)
{
    const struct rule *rule = &shadows->rules->rules[index];
    const char *does = rule->action == RULE_DROP ? "dropped" : "passed";

    if (shadowed && !rule->count && !rule->event)
        findings_add(findings, FINDING_NOTE, rule->place, rule->name,
                     "does nothing: all it fits is %s by rule '%s' (%s:%d) already", does,
                     shadows->rules->rules[by].name, shadows->rules->rules[by].place.file,
                     shadows->rules->rules[by].place.line);
    else if (!rule->count && !rule->event && default_says_it(shadows->rules, rule) &&
             !(rule->action == RULE_DROP && shadows->crossed[index]))
        findings_add(findings, FINDING_NOTE, rule->place, rule->name,
                     "does nothing: all it fits is %s by default", does);
}

void shadows_find(const struct ruleset *rules, const struct boxes *boxes, struct findings *findings)
{
    struct shadows shadows = {rules, boxes, xreallocarray(NULL, boxes->count + 1, sizeof(uint32_t)),
                              xcalloc(rules->count + 1, sizeof(bool))};
    uint32_t *by = xreallocarray(NULL, rules->count + 1, sizeof(*by));
    bool *shadowed = xcalloc(rules->count + 1, sizeof(*shadowed)),
         *alive = xcalloc(rules->count + 1, sizeof(*alive));

    for (size_t i = 0; i < boxes->count; i++)
        shadows.by[i] = NOBODY;
    boxes_each_overlap(boxes, compare, &shadows);
    /* a rule does nothing when each of its boxes does nothing */
    for (size_t i = 0; i < boxes->count; i++) {
        uint32_t rule = boxes->items[i].rule;

        if (shadows.by[i] == NOBODY) {
            alive[rule] = true;
        } else {
            shadowed[rule] = true;
            by[rule] = shadows.by[i];
        }
    }
    for (uint32_t i = 0; i < rules->count; i++)
        if (shadowed[i] || alive[i])
            tell(&shadows, i, shadowed[i] && !alive[i], shadowed[i] ? by[i] : 0, findings);
    free(shadows.by);
    free(shadows.crossed);
    free(by);
    free(shadowed);
    free(alive);
}
