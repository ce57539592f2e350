#include "filters/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "filters/box.h"
#include "filters/cover.h"
#include "filters/sentence.h"
#include "filters/shadow.h"

/* What amtd depends on, in the words of its own files. */
static const char own_ways[] =
    "<network-filters xmlns=\"" FILTER_NAMESPACE "\" name=\"amtd\">"
    "<variable name=\"management-ports\" default=\"443,8689\"/>"
    "<need name=\"dhcp\"   ip=\"4\" protocol=\"udp\" local-ports=\"68\" remote-ports=\"67\"/>"
    "<need name=\"dns\"    protocol=\"udp\" remote=\"@dns\" remote-ports=\"53\"/>"
    "<need name=\"arp\"    ethertype=\"arp\"/>"
    "<need name=\"nd\"     protocol=\"icmpv6\"/>"
    "<need name=\"server\" protocol=\"tcp\" remote=\"@management\" remote-ports=\"@management-ports\"/>"
    "</network-filters>";

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

/* Neighbour discovery only where the server is reached by IPv6, ARP where by IPv4. */
static bool way_applies(const struct need *need, const struct ruleset *own)
{
    const struct nets *server = &own->needs[own->need_count - 1].match.remote.nets;

    if (strcmp(need->name, "nd") == 0)
        return nets_has_version(server, 6);
    return strcmp(need->name, "arp") != 0 || nets_has_version(server, 4);
}

static void check_own(const struct boxes *boxes, const struct ruleset *rules, struct names *names,
                      struct check_report *report, struct findings *findings)
{
    struct findings own_findings = {0};
    struct filter_file *file =
        filter_file_parse("amtd's own ways", own_ways, sizeof(own_ways) - 1, NULL, NULL, &own_findings);
    struct ruleset *own = file ? filter_bind(file, names, &own_findings) : NULL;

    for (size_t i = 0; own && i < own->need_count; i++)
        if (way_applies(&own->needs[i], own))
            check_way(&own->needs[i], WAY_OWN, boxes, rules, report);
    for (size_t i = 0; i < own_findings.count; i++)
        findings_add(findings, own_findings.items[i].level, (struct place){"amtd's own ways", 0},
                     own_findings.items[i].rule, "%s", own_findings.items[i].text);
    findings_clear(&own_findings);
    ruleset_free(own);
    filter_file_free(file);
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
