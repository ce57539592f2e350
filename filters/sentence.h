/* Rules in plain sentences. */
#ifndef FILTERS_SENTENCE_H
#define FILTERS_SENTENCE_H

#include "base/buf.h"
#include "filters/rules.h"

/* Appends "Passes UDP between any port of this host and port 53 of 10.0.0.2." */
void rule_sentence(const struct rule *rule, struct buf *out);
/* Appends "UDP between this host and port 53 of 10.0.0.2": which packets. */
void match_sentence(const struct match *match, struct buf *out);
/* Appends what happens to packets that no rule fits; alone: there are no rules. */
void policy_sentence(const struct rules_policy *policy, bool alone, struct buf *out);

#endif
