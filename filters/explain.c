#include "filters/explain.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "filters/sentence.h"

static void explain_one(const struct ruleset *rules, const struct nets *own, const struct flow *flow,
                        struct explained *out)
{
    out->flow = *flow;
    out->verdict = evaluate(rules, own, NULL, flow->direction, &flow->packet, 0);
    out->fits = xreallocarray(NULL, rules->count + 1, sizeof(*out->fits));
    out->fit_count = 0;
    for (size_t i = 0; i < rules->count; i++)
        if (match_fits(&rules->rules[i].match, flow->direction, &flow->packet))
            out->fits[out->fit_count++] = (uint32_t)i;
}

void explain(const struct ruleset *rules, const struct nets *own, const struct flow *flow,
             struct explanation *out)
{
    struct flow there = *flow, back;

    if (!there.direction_given && own && there.packet.version != 0)
        there.direction = !nets_hold(own, there.packet.version, there.packet.source) &&
                                  nets_hold(own, there.packet.version, there.packet.destination)
                              ? SD_RX
                              : SD_TX;
    back = flow_answer(&there);
    explain_one(rules, own, &there, &out->there);
    explain_one(rules, own, &back, &out->back);
}

void explanation_clear(struct explanation *explanation)
{
    free(explanation->there.fits);
    free(explanation->back.fits);
    *explanation = (struct explanation){0};
}

void verdict_text(const struct verdict *verdict, const struct ruleset *rules, struct buf *out)
{
    const struct rule *rule;

    buf_puts(out, verdict->drop ? "dropped" : "passed");
    if (verdict->by == BY_DEFAULT) {
        buf_puts(out, " by default: no rule fits");
    } else if (verdict->by == BY_ANTI_SPOOFING) {
        buf_puts(out, " by anti-spoofing: the source is not an address of the host");
    } else {
        rule = &rules->rules[verdict->rule];
        buf_printf(out, " by rule '%s' (%s:%d)", rule->name, rule->place.file, rule->place.line);
        if (rule->action == RULE_LIMIT)
            buf_printf(out, ", as long as there are no more than %u a second", rule->rate);
    }
}

static void explained_text(const struct explained *explained, const struct ruleset *rules, const char *title,
                           struct buf *out)
{
    buf_printf(out, "%s  %s ", title, explained->flow.direction == SD_TX ? "out" : "in ");
    packet_text(&explained->flow.packet, out);
    buf_puts(out, "\n         ");
    verdict_text(&explained->verdict, rules, out);
    buf_putc(out, '\n');
    for (size_t i = 0; i < explained->fit_count; i++) {
        const struct rule *rule = &rules->rules[explained->fits[i]];

        buf_printf(out, "         fits '%s': ", rule->name);
        rule_sentence(rule, out);
        buf_putc(out, '\n');
    }
}

void explanation_text(const struct explanation *explanation, const struct ruleset *rules, struct buf *out)
{
    explained_text(&explanation->there, rules, "packet", out);
    explained_text(&explanation->back, rules, "answer", out);
}
