/* Which rule decides what happens to a packet, and to its answer. */
#ifndef FILTERS_EXPLAIN_H
#define FILTERS_EXPLAIN_H

#include "filters/evaluate.h"
#include "filters/flow.h"

struct explained {
    struct flow flow;
    struct verdict verdict; /* with limits not reached */
    uint32_t *fits;         /* owned: all rules that fit, ascending */
    size_t fit_count;
};

struct explanation {
    struct explained there; /* the packet as it was asked for */
    struct explained back;  /* its answer: rules know no connections */
};

/* Where the text gave no direction, a packet that comes from `own` leaves, one that goes there enters; else
 * it leaves. own: the host's addresses, NULL when not known. Free with explanation_clear. */
void explain(const struct ruleset *rules, const struct nets *own, const struct flow *flow,
             struct explanation *out);
void explanation_clear(struct explanation *explanation);

/* Appends "dropped by default" or "passed by rule 'dns' (quarantine.xml:12)". */
void verdict_text(const struct verdict *verdict, const struct ruleset *rules, struct buf *out);
/* Appends the whole for people, several lines. */
void explanation_text(const struct explanation *explanation, const struct ruleset *rules, struct buf *out);

#endif
