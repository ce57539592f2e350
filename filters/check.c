#include "filters/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "filters/box.h"
#include "filters/cover.h"
#include "filters/sentence.h"
#include "filters/shadow.h"

#define PROTOCOL_TCP     6
#define ANSWERS_WORK_MAX 200000 /* rules compared with rules: of long files the first ones */

/* What amtd depends on, in the words of its own files. The server comes first: it says which IP version
 * counts. */
static const struct own_way {
    const char *need; /* name and attributes */
    bool vital;       /* counts as cut off where a name in it is not set */
    uint8_t version;  /* only where the server is reached by it; 0: always */
} own_ways[] = {
    {"name=\"server\" protocol=\"tcp\" remote=\"@management\" remote-ports=\"@" NAME_MANAGEMENT_PORTS "\"",
     true, 0},
    {"name=\"arp\" ethertype=\"arp\"", true, 4},
    {"name=\"nd\" protocol=\"icmpv6\"", true, 6},
    {"name=\"dhcp\" ip=\"4\" protocol=\"udp\" local-ports=\"68\" remote-ports=\"67\"", true, 0},
    {"name=\"dns\" protocol=\"udp\" remote=\"@dns\" remote-ports=\"53\"", false, 0},
};

/* --- ways --- */

static void name_rules(const struct covered *covered, const struct ruleset *rules, struct buf *out)
{
    for (size_t i = 0; i < covered->rule_count; i++) {
        const struct rule *rule = &rules->rules[covered->rules[i]];

        buf_printf(out, "%s'%s' (%s:%d)",
                   i > 0                     ? ", "
                   : covered->rule_count > 1 ? "rules "
                                             : "rule ",
                   rule->name, rule->place.file, rule->place.line);
    }
}

/* One box of a way: joins its verdict to the way's. Only the first reason against it is told. */
static void join_box(const struct box *box, const struct boxes *boxes, const struct ruleset *rules,
                     struct way *way, struct covered *passing)
{
    struct covered covered;
    struct buf why = buf_init(2000);

    box_cover(box, boxes, &rules->policy, &covered);
    if (covered.passes) {
        way->limited |= covered.limited;
        for (size_t i = 0; i < covered.rule_count && passing->rule_count < COVER_RULES_MAX; i++) {
            size_t j = 0;

            while (j < passing->rule_count && passing->rules[j] != covered.rules[i])
                j++;
            if (j == passing->rule_count)
                passing->rules[passing->rule_count++] = covered.rules[i];
        }
    } else if (way->passes) {
        way->passes = false;
        buf_printf(&why, "%s%s: dropped by ", box->direction == SD_TX ? "out" : "in",
                   covered.partly ? ", in part" : "");
        if (covered.by_rule)
            name_rules(&covered, rules, &why);
        else
            buf_puts(&why, "default: no rule passes it");
        xreplace(&way->why, buf_str(&why));
    }
    buf_free(&why);
}

static void check_way(const struct need *need, enum way_origin origin, const struct boxes *boxes,
                      const struct ruleset *rules, struct check_report *report)
{
    static const struct box_options any_ports = {.any_ports = true};
    struct rule as_rule = {.action = RULE_PASS, .place = need->place, .match = need->match};
    struct boxes wanted = {0};
    struct covered passing = {0};
    struct buf text = buf_init(2000);
    struct way *way;

    memcpy(as_rule.name, need->name, sizeof(as_rule.name));
    for (enum sd_direction d = SD_TX; d <= SD_RX; d++)
        boxes_of_rule(&as_rule, 0, d, &any_ports, &wanted, NULL);
    report->ways = xreallocarray(report->ways, report->way_count + 1, sizeof(*report->ways));
    way = &report->ways[report->way_count++];
    match_sentence(&need->match, &text);
    *way = (struct way){origin, xstrdup(need->name), xstrdup(buf_str(&text)), true, false, NULL};
    for (size_t i = 0; i < wanted.count; i++)
        join_box(&wanted.items[i], boxes, rules, way, &passing);
    if (way->passes) {
        buf_reset(&text);
        buf_puts(&text, "passed by ");
        if (passing.rule_count > 0)
            name_rules(&passing, rules, &text);
        else
            buf_puts(&text, "default");
        xreplace(&way->why, buf_str(&text));
    }
    report->cut += !way->passes;
    boxes_free(&wanted);
    buf_free(&text);
}

static struct filter_file *own_file(const struct own_way *way)
{
    struct findings findings = {0};
    struct buf text = buf_init(2000);
    struct filter_file *file;

    buf_printf(&text,
               "<network-filters xmlns=\"" FILTER_NAMESPACE "\" name=\"amtd\">"
               "<variable name=\"" NAME_MANAGEMENT_PORTS
               "\" default=\"443,8689\"/><need %s/></network-filters>",
               way->need);
    file = filter_file_parse("amtd's own ways", buf_str(&text), text.len, NULL, NULL, &findings);
    findings_clear(&findings);
    buf_free(&text);
    return file;
}

/* A way nobody can judge, because the address at its end is not known. */
static void unjudged(const struct own_way *own, const struct filter_file *file, const struct findings *why,
                     struct check_report *report, struct findings *findings)
{
    const char *name = file->items[file->count - 1].values[ATTRIBUTE_NAME];
    const char *text = why->count > 0 ? why->items[0].text : "";
    struct way *way;

    findings_add(findings, own->vital ? FINDING_WARNING : FINDING_NOTE, (struct place){NULL, 0}, NULL,
                 "whether amtd's own way '%s' stays open cannot be told: %s", name, text);
    if (!own->vital)
        return;
    report->ways = xreallocarray(report->ways, report->way_count + 1, sizeof(*report->ways));
    way = &report->ways[report->way_count++];
    *way = (struct way){WAY_OWN, xstrdup(name), xstrdup("the way to the management server"),
                        false,   false,         xasprintf("cannot be told: %s", text)};
    report->cut++;
}

static void check_own(const struct boxes *boxes, const struct ruleset *rules, struct names *names,
                      struct check_report *report, struct findings *findings)
{
    bool versions[2] = {true, true}; /* 4, 6: the server is reached by it; both while that is not known */

    for (size_t i = 0; i < sizeof(own_ways) / sizeof(own_ways[0]); i++) {
        const struct own_way *way = &own_ways[i];
        struct findings why = {0};
        struct filter_file *file = own_file(way);
        struct ruleset *own = filter_bind(file, names, &why);

        if (i == 0 && own) {
            versions[0] = nets_has_version(&own->needs[0].match.remote.nets, 4);
            versions[1] = nets_has_version(&own->needs[0].match.remote.nets, 6);
        }
        if (!own)
            unjudged(way, file, &why, report, findings);
        else if (way->version == 0 || versions[way->version == 6])
            check_way(&own->needs[0], WAY_OWN, boxes, rules, report);
        findings_clear(&why);
        ruleset_free(own);
        filter_file_free(file);
    }
}

static void check_file_needs(const struct filter_file *file, struct names *names, const struct boxes *boxes,
                             const struct ruleset *rules, struct check_report *report,
                             struct findings *findings)
{
    struct ruleset *others = file ? filter_bind(file, names, findings) : NULL;

    for (size_t i = 0; others && i < others->need_count; i++)
        check_way(&others->needs[i], WAY_NEED, boxes, rules, report);
    ruleset_free(others);
}

/* --- answers --- */

/* Rules know no connections. False: nothing of what answers this rule's packets passes. */
static bool answers_pass(const struct rule *rule, uint32_t index, const struct boxes *boxes,
                         const struct ruleset *rules)
{
    static const struct box_options any_ports = {.any_ports = true};
    struct rule answer = *rule;
    struct boxes back = {0};
    bool pass = false;

    answer.match.out = rule->match.in;
    answer.match.in = rule->match.out;
    answer.match.tcp_on = answer.match.tcp_off = 0;
    for (enum sd_direction d = SD_TX; d <= SD_RX; d++)
        boxes_of_rule(&answer, index, d, &any_ports, &back, NULL);
    for (size_t i = 0; i < back.count && !pass; i++) {
        struct covered covered;

        box_cover(&back.items[i], boxes, &rules->policy, &covered);
        pass = covered.passes || covered.partly;
    }
    pass |= back.count == 0;
    boxes_free(&back);
    return pass;
}

static void check_answers(const struct ruleset *rules, const struct boxes *boxes, struct findings *findings)
{
    size_t left = ANSWERS_WORK_MAX / (rules->count + 1);

    for (uint32_t i = 0; i < rules->count && left > 0; i++) {
        const struct rule *rule = &rules->rules[i];

        if (rule->action == RULE_DROP || rule->match.protocol != PROTOCOL_TCP ||
            rule->match.out == rule->match.in)
            continue;
        left--;
        if (!answers_pass(rule, i, boxes, rules))
            findings_add(findings, FINDING_WARNING, rule->place, rule->name,
                         "lets TCP %s, and all answers are dropped: rules know no connections; expected "
                         "direction=\"both\"",
                         rule->match.out ? "out" : "in");
    }
}

/* --- generations --- */

static bool wanted(const struct generation *generation, const struct check_options *options)
{
    if (options->version_count == 0)
        return generation->filters;
    for (size_t i = 0; i < options->version_count; i++)
        if (generation_of(options->versions[i]) == generation)
            return true;
    return false;
}

static void check_generation(const struct ruleset *rules, const struct generation *generation,
                             const struct check_options *options, struct check_report *report,
                             struct findings *findings)
{
    struct compile_options room = {.device = &generation->device,
                                   .ports = &generation->port,
                                   .port_count = 1,
                                   .only_room = true,
                                   .widen = options->widen};
    struct findings found = {0};
    struct compiled *compiled;

    if (!generation->filters) {
        findings_add(findings, FINDING_ERROR, rules->policy.place, NULL,
                     "%s: no System Defense over WS-Management; expected AMT 3 or later", generation->name);
        return;
    }
    compiled = filter_compile(rules, &room, &found);
    for (size_t i = 0; i < found.count; i++)
        findings_add(findings, found.items[i].level, (struct place){found.items[i].file, found.items[i].line},
                     found.items[i].rule, "%s: %s", generation->name, found.items[i].text);
    if (compiled && rules->policy.timeout_minutes > 0 && !generation->timeout)
        findings_add(findings, FINDING_WARNING, rules->policy.place, NULL,
                     "%s: the hardware has no time-out; amtd alone takes the policy back", generation->name);
    if (compiled) {
        report->compiled = true;
        report->out = compiled->tx;
        report->in = compiled->rx;
        report->filters = compiled->count;
    }
    compiled_free(compiled);
    findings_clear(&found);
}

/* What is wrong on every device is told once, and then no generation is looked at. */
static void check_objects(const struct ruleset *rules, const struct check_options *options,
                          struct check_report *report, struct findings *findings)
{
    struct compile_options anywhere = {.widen = options->widen};
    struct compiled *compiled = filter_compile(rules, &anywhere, findings);

    for (const struct generation *row = generations; compiled && row->name; row++)
        if (wanted(row, options))
            check_generation(rules, row, options, report, findings);
    compiled_free(compiled);
}

void filter_check(const struct ruleset *rules, struct names *names, const struct check_options *options,
                  struct check_report *report, struct findings *findings)
{
    static const struct box_options any_ports = {.any_ports = true};
    struct boxes boxes = {0};

    *report = (struct check_report){0};
    for (uint32_t i = 0; i < rules->count; i++)
        for (enum sd_direction d = SD_TX; d <= SD_RX; d++)
            boxes_of_rule(&rules->rules[i], i, d, &any_ports, &boxes, NULL);
    check_objects(rules, options, report, findings);
    shadows_find(rules, &boxes, findings);
    check_answers(rules, &boxes, findings);
    for (size_t i = 0; i < rules->need_count; i++)
        check_way(&rules->needs[i], WAY_NEED, &boxes, rules, report);
    check_file_needs(options->needs, names, &boxes, rules, report, findings);
    check_own(&boxes, rules, names, report, findings);
    boxes_free(&boxes);
}

void check_report_clear(struct check_report *report)
{
    for (size_t i = 0; i < report->way_count; i++) {
        free(report->ways[i].name);
        free(report->ways[i].what);
        free(report->ways[i].why);
    }
    free(report->ways);
    *report = (struct check_report){0};
}
