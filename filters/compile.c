#include "filters/compile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "filters/box.h"
#include "filters/conflict.h"
#include "filters/join.h"
#include "filters/room.h"
#include "filters/widen.h"

#define PREFIX_MAX 4

/* --- boxes --- */

/* Addresses without a protocol, in any version. */
static bool needs_protocols(const struct match *match)
{
    uint16_t ethertype;

    return match->ethertype == 0 && match->protocol < 0 &&
           ((match->v4 && !match_is_ethertype(match, 4, &ethertype)) ||
            (match->v6 && !match_is_ethertype(match, 6, &ethertype)));
}

static void lower(const struct ruleset *rules, const struct compile_options *options, struct boxes *boxes,
                  struct findings *findings)
{
    struct box_options how = {.name_protocols = options->name_protocols, .widen_ports = options->widen};

    for (uint32_t i = 0; i < rules->count; i++) {
        for (enum sd_direction d = SD_TX; d <= SD_RX; d++)
            boxes_of_rule(&rules->rules[i], i, d, &how, boxes, findings);
        if (how.name_protocols && needs_protocols(&rules->rules[i].match))
            findings_add(
                findings, FINDING_WARNING, rules->rules[i].place, rules->rules[i].name,
                "the device wants a protocol with an address: of others than TCP, UDP and ICMP nothing fits");
    }
}

/* What is exceeded, on any port. */
static int check_ports(const struct boxes *boxes, const struct ruleset *rules,
                       const struct compile_options *options, struct findings *findings)
{
    int rc = 0;

    if (options->port_count == 0)
        return room_check(boxes, rules, options->device, NULL, "", findings);
    for (size_t i = 0; i < options->port_count; i++) {
        char who[32] = "";

        if (options->port_count > 1)
            snprintf(who, sizeof(who), "port %zu: ", i);
        if (room_check(boxes, rules, options->device, &options->ports[i], who, findings) != 0)
            rc = -1;
    }
    return rc;
}

/* Drops what the default does anyway. Where there is still no room: makes it fit when that is wanted; else
 * says what is exceeded, and what it would take. */
static void fit(struct boxes *boxes, const struct ruleset *rules, const struct compile_options *options,
                struct findings *findings)
{
    struct findings exceeded = {0};
    struct boxes wider;
    int rc;

    boxes_copy(&wider, boxes);
    boxes_drop_idle(boxes, &rules->policy);
    if (check_ports(boxes, rules, options, &exceeded) == 0) {
        boxes_free(&wider);
        return;
    }
    rc = boxes_widen(&wider, rules, options->device, options->ports, options->port_count);
    if (rc == 0 && options->widen) {
        widen_tell(&wider, boxes, rules, FINDING_WARNING, "are", findings);
        boxes_free(boxes);
        *boxes = wider;
    } else {
        check_ports(boxes, rules, options, findings);
        if (rc == 0)
            widen_tell(&wider, boxes, rules, FINDING_NOTE, "with --widen would be", findings);
        else if (options->widen)
            findings_add(
                findings, FINDING_NOTE, rules->policy.place, NULL,
                "--widen does not help: only rules that pass, without event or limit, can be widened");
        boxes_free(&wider);
    }
    findings_clear(&exceeded);
}

static void check_anti_spoofing(const struct ruleset *rules, const struct compile_options *options,
                                struct findings *findings)
{
    for (size_t i = 0; i < options->port_count && rules->policy.anti_spoof != SD_ANTI_SPOOF_OFF; i++) {
        const struct sd_port_limits *port = &options->ports[i];

        if (!port->ipv4_anti_spoof)
            findings_add(findings, FINDING_ERROR, rules->policy.place, NULL,
                         "anti-spoofing: the device's port cannot do it");
        else if (!port->ipv6_anti_spoof)
            findings_add(findings, FINDING_NOTE, rules->policy.place, NULL,
                         "anti-spoofing: the device's port does it for IPv4 only");
    }
}

/* --- names --- */

static bool name_taken(const struct compiled *compiled, const char *name)
{
    for (size_t i = 0; i < compiled->count; i++)
        if (strcmp(compiled->filters[i].filter.name, name) == 0)
            return true;
    return false;
}

/* "dns-tx", "dns-tx2", …: the rule's name is cut where the whole would be too long. */
static void name_filter(const struct compiled *compiled, const char *prefix, const char *rule,
                        struct sd_filter *filter)
{
    const char *way = filter->direction == SD_TX ? "-tx" : "-rx";
    struct buf name = buf_init(SD_NAME_MAX), tail = buf_init(SD_NAME_MAX);

    for (unsigned number = 1; number == 1 || name_taken(compiled, filter->name); number++) {
        buf_reset(&name);
        buf_reset(&tail);
        buf_puts(&tail, way);
        if (number > 1)
            buf_printf(&tail, "%u", number);
        buf_puts(&name, prefix);
        buf_printf(&name, "%.*s%s", (int)(SD_NAME_MAX - name.len - tail.len), rule, buf_str(&tail));
        memcpy(filter->name, buf_str(&name), name.len + 1);
    }
    buf_free(&name);
    buf_free(&tail);
}

/* --- objects --- */

static void take_rule(void *arg, uint32_t rule)
{
    struct compiled_filter *filter = arg;

    filter->rules = xreallocarray(filter->rules, filter->rule_count + 1, sizeof(*filter->rules));
    filter->rules[filter->rule_count++] = rule;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* In the order of the file, so that the same file always gives the same objects. */
static int by_rule(const void *a, const void *b)
{
    const struct box *x = a, *y = b;

    if (x->rule != y->rule)
        return x->rule < y->rule ? -1 : 1;
    if (x->direction != y->direction)
        return x->direction < y->direction ? -1 : 1;
    if (x->version != y->version)
        return x->version < y->version ? -1 : 1;
    if (x->destination.address != y->destination.address)
        return x->destination.address < y->destination.address ? -1 : 1;
    if (x->source.address != y->source.address)
        return x->source.address < y->source.address ? -1 : 1;
    if (x->protocol != y->protocol)
        return x->protocol < y->protocol ? -1 : 1;
    if (x->destination_ports.first != y->destination_ports.first)
        return x->destination_ports.first < y->destination_ports.first ? -1 : 1;
    return (x->source_ports.first > y->source_ports.first) - (x->source_ports.first < y->source_ports.first);
}

static void set_policy(const struct ruleset *rules, const char *prefix, struct compiled *out)
{
    const struct rules_policy *policy = &rules->policy;

    snprintf(out->policy.name, sizeof(out->policy.name), "%.4s%.12s", prefix, rules->name);
    out->policy.precedence = policy->precedence;
    out->policy.anti_spoof = policy->anti_spoof;
    out->policy.tx = (struct sd_default){policy->out.drop, policy->out.event, policy->out.count};
    out->policy.rx = (struct sd_default){policy->in.drop, policy->in.event, policy->in.count};
    out->timeout_minutes = policy->timeout_minutes;
}

static struct compiled *make_objects(const struct ruleset *rules, const struct compile_options *options,
                                     struct boxes *boxes)
{
    const char *prefix = options->prefix ? options->prefix : "";
    struct compiled *out = xcalloc(1, sizeof(*out));

    if (boxes->count > 0)
        qsort(boxes->items, boxes->count, sizeof(*boxes->items), by_rule);
    set_policy(rules, prefix, out);
    out->tx = room_used(boxes, &rules->policy, SD_TX);
    out->rx = room_used(boxes, &rules->policy, SD_RX);
    out->filters = xcalloc(boxes->count + 1, sizeof(*out->filters));
    for (size_t i = 0; i < boxes->count; i++) {
        struct compiled_filter *filter = &out->filters[i];

        box_to_filter(&boxes->items[i], &filter->filter);
        boxes_each_rule(boxes, &boxes->items[i], take_rule, filter);
        qsort(filter->rules, filter->rule_count, sizeof(*filter->rules), by_number);
        name_filter(out, prefix, rules->rules[filter->rules[0]].name, &filter->filter);
        out->count++;
    }
    return out;
}

struct compiled *filter_compile(const struct ruleset *rules, const struct compile_options *options,
                                struct findings *findings)
{
    struct compiled *compiled = NULL;
    struct findings told = {0};
    struct boxes boxes = {0};
    size_t errors = findings->errors;

    if (options->prefix && strlen(options->prefix) > PREFIX_MAX)
        findings_add(findings, FINDING_ERROR, (struct place){NULL, 0}, NULL,
                     "the prefix '%s' of names is longer than %d", options->prefix, PREFIX_MAX);
    lower(rules, options, &boxes, &told);
    conflicts_find(rules, &boxes, &told);
    findings_move(options->only_room && told.errors == 0 ? NULL : findings, &told);
    if (findings->errors == errors) {
        boxes_reduce(&boxes);
        fit(&boxes, rules, options, findings);
        if (options->no_room)
            *options->no_room = findings->errors > errors;
        check_anti_spoofing(rules, options, findings);
    }
    if (findings->errors == errors)
        compiled = make_objects(rules, options, &boxes);
    boxes_free(&boxes);
    return compiled;
}

void compiled_free(struct compiled *compiled)
{
    if (!compiled)
        return;
    for (size_t i = 0; i < compiled->count; i++)
        free(compiled->filters[i].rules);
    free(compiled->filters);
    free(compiled);
}

void compiled_text(const struct compiled *compiled, const struct ruleset *rules, struct buf *out)
{
    for (size_t i = 0; i < compiled->count; i++) {
        const struct compiled_filter *filter = &compiled->filters[i];

        buf_printf(out, "%-16s  ", filter->filter.name);
        sd_filter_text(&filter->filter, out);
        for (size_t j = 0; filter->rule_count > 1 && j < filter->rule_count; j++)
            buf_printf(out, "%s%s", j == 0 ? "  (" : ", ", rules->rules[filter->rules[j]].name);
        buf_puts(out, filter->rule_count > 1 ? ")\n" : "\n");
    }
}
