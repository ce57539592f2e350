#include "filters/item.h"

#include <string.h>

#include "base/text.h"
#include "filters/words.h"

#define PROTOCOL_ICMP   1
#define PROTOCOL_TCP    6
#define PROTOCOL_UDP    17
#define PROTOCOL_ICMPV6 58

/* One attribute's value into the rule. */
typedef int attribute_fn(const char *text, struct names *names, struct rule *out, struct err *err);

static int read_name(const char *text, struct names *names, struct rule *out, struct err *err)
{
    (void)names;
    if (!name_is_valid(text) || strlen(text) > RULE_NAME_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected 1 to %d letters, digits, '.', '_' or '-'",
                       text, RULE_NAME_MAX);
    memcpy(out->name, text, strlen(text) + 1);
    return 0;
}

static int read_enabled(const char *text, struct names *names, struct rule *out, struct err *err)
{
    bool enabled;

    (void)names;
    (void)out;
    return words_yesno(text, &enabled, err);
}

static int read_direction(const char *text, struct names *names, struct rule *out, struct err *err)
{
    (void)names;
    out->match.out = strcmp(text, "in") != 0;
    out->match.in = strcmp(text, "out") != 0;
    if (strcmp(text, "both") == 0 || out->match.out != out->match.in)
        return 0;
    return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected both, out or in", text);
}

static int read_ip(const char *text, struct names *names, struct rule *out, struct err *err)
{
    (void)names;
    out->match.v4 = strcmp(text, "6") != 0;
    out->match.v6 = strcmp(text, "4") != 0;
    if (strcmp(text, "both") == 0 || out->match.v4 != out->match.v6)
        return 0;
    return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected 4, 6 or both", text);
}

static int read_protocol(const char *text, struct names *names, struct rule *out, struct err *err)
{
    (void)names;
    return words_protocol(text, &out->match.protocol, err);
}

static int read_ethertype(const char *text, struct names *names, struct rule *out, struct err *err)
{
    (void)names;
    return words_ethertype(text, &out->match.ethertype, err);
}

static int read_local(const char *text, struct names *names, struct rule *out, struct err *err)
{
    return words_addresses(text, names, &out->match.local.any, &out->match.local.nets, err);
}

static int read_local_ports(const char *text, struct names *names, struct rule *out, struct err *err)
{
    return words_ports(text, names, &out->match.local.ports, err);
}

static int read_remote(const char *text, struct names *names, struct rule *out, struct err *err)
{
    return words_addresses(text, names, &out->match.remote.any, &out->match.remote.nets, err);
}

static int read_remote_ports(const char *text, struct names *names, struct rule *out, struct err *err)
{
    return words_ports(text, names, &out->match.remote.ports, err);
}

static int read_tcp_flags(const char *text, struct names *names, struct rule *out, struct err *err)
{
    (void)names;
    return words_tcp_flags(text, &out->match.tcp_on, &out->match.tcp_off, err);
}

static int read_action(const char *text, struct names *names, struct rule *out, struct err *err)
{
    static const char *const words[] = {"pass", "drop", "limit"};

    (void)names;
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(text, words[i]) == 0) {
            out->action = (enum rule_action)i;
            return 0;
        }
    }
    return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected pass, drop or limit", text);
}

static int read_rate(const char *text, struct names *names, struct rule *out, struct err *err)
{
    const char *value = text;
    uint64_t rate;

    if (text[0] == '@') {
        if (!name_is_valid(text + 1))
            return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected a name behind the '@'", text);
        if (!names)
            return 0;
        value = names_get(names, text + 1);
        if (!value)
            return err_set(err, CAUSE_INVALID_ARGUMENT, "%s is not set", text);
    }
    /* the highest value is left out as consoles of the device do */
    if (!text_u64(value, 1, UINT32_MAX - 1, &rate))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected 1 to %u packets each second", value,
                       UINT32_MAX - 1);
    out->rate = (uint32_t)rate;
    return 0;
}

static int read_count(const char *text, struct names *names, struct rule *out, struct err *err)
{
    (void)names;
    return words_yesno(text, &out->count, err);
}

static int read_event(const char *text, struct names *names, struct rule *out, struct err *err)
{
    (void)names;
    return words_yesno(text, &out->event, err);
}

static attribute_fn *const readers[ATTRIBUTES] = {
    [ATTRIBUTE_NAME] = read_name,           [ATTRIBUTE_ENABLED] = read_enabled,
    [ATTRIBUTE_DIRECTION] = read_direction, [ATTRIBUTE_IP] = read_ip,
    [ATTRIBUTE_PROTOCOL] = read_protocol,   [ATTRIBUTE_ETHERTYPE] = read_ethertype,
    [ATTRIBUTE_LOCAL] = read_local,         [ATTRIBUTE_LOCAL_PORTS] = read_local_ports,
    [ATTRIBUTE_REMOTE] = read_remote,       [ATTRIBUTE_REMOTE_PORTS] = read_remote_ports,
    [ATTRIBUTE_TCP_FLAGS] = read_tcp_flags, [ATTRIBUTE_ACTION] = read_action,
    [ATTRIBUTE_RATE] = read_rate,           [ATTRIBUTE_COUNT] = read_count,
    [ATTRIBUTE_EVENT] = read_event,
};

/* Attributes that cannot stand beside an ethertype. */
static const enum filter_attribute ip_attributes[] = {
    ATTRIBUTE_IP,     ATTRIBUTE_PROTOCOL,     ATTRIBUTE_LOCAL,    ATTRIBUTE_LOCAL_PORTS,
    ATTRIBUTE_REMOTE, ATTRIBUTE_REMOTE_PORTS, ATTRIBUTE_TCP_FLAGS};

#define MISTAKE(...)                                                                                         \
    findings_add(findings, FINDING_ERROR, item->place, item->values[ATTRIBUTE_NAME], __VA_ARGS__)

/* What the single values do not show. */
static void check_combination(const struct filter_item *item, const struct rule *rule,
                              struct findings *findings)
{
    const struct match *match = &rule->match;
    bool transport = match->protocol == PROTOCOL_TCP || match->protocol == PROTOCOL_UDP;

    for (size_t i = 0; match->ethertype != 0 && i < sizeof(ip_attributes) / sizeof(ip_attributes[0]); i++)
        if (item->values[ip_attributes[i]])
            MISTAKE("ethertype stands alone: expected no %s beside it",
                    filter_attribute_names[ip_attributes[i]]);
    if (!transport && (item->values[ATTRIBUTE_LOCAL_PORTS] || item->values[ATTRIBUTE_REMOTE_PORTS]))
        MISTAKE("ports need protocol=\"tcp\" or \"udp\"");
    if (match->protocol != PROTOCOL_TCP && item->values[ATTRIBUTE_TCP_FLAGS])
        MISTAKE("tcp-flags need protocol=\"tcp\"");
    if (match->protocol == PROTOCOL_ICMP && item->values[ATTRIBUTE_IP] && !match->v4)
        MISTAKE("icmp is of IPv4: expected ip=\"4\", or protocol=\"icmpv6\"");
    if (match->protocol == PROTOCOL_ICMPV6 && item->values[ATTRIBUTE_IP] && !match->v6)
        MISTAKE("icmpv6 is of IPv6: expected ip=\"6\", or protocol=\"icmp\"");
    if (rule->action == RULE_LIMIT && !item->values[ATTRIBUTE_RATE])
        MISTAKE("action=\"limit\" needs rate=\"PACKETS EACH SECOND\"");
    if (rule->action != RULE_LIMIT && item->values[ATTRIBUTE_RATE])
        MISTAKE("rate needs action=\"limit\"");
}

/* The versions that are left when protocol and addresses have had their say. */
static void settle_versions(struct match *match)
{
    const struct side *sides[] = {&match->local, &match->remote};

    if (match->protocol == PROTOCOL_ICMP)
        match->v6 = false;
    if (match->protocol == PROTOCOL_ICMPV6)
        match->v4 = false;
    for (size_t i = 0; i < 2; i++) {
        if (sides[i]->any)
            continue;
        match->v4 &= nets_has_version(&sides[i]->nets, 4);
        match->v6 &= nets_has_version(&sides[i]->nets, 6);
    }
    if (match->ethertype != 0)
        match->v4 = match->v6 = false;
}

static void check_bound(const struct filter_item *item, const struct rule *rule, struct findings *findings)
{
    const struct match *match = &rule->match;
    size_t combined = match_combinations(match);

    if (combined > RULE_COMBINED_MAX)
        MISTAKE("%zu combinations of addresses and ports; expected at most %d", combined, RULE_COMBINED_MAX);
    if (match->ethertype == 0 && !match->v4 && !match->v6)
        findings_add(findings, FINDING_WARNING, item->place, item->values[ATTRIBUTE_NAME],
                     "never fits: no IP version has addresses on both sides");
}

void item_values(const struct filter_item *item, struct names *names, struct rule *out,
                 struct findings *findings)
{
    out->place = item->place;
    out->comment = item->values[ATTRIBUTE_COMMENT];
    out->action = RULE_PASS;
    out->match = (struct match){.out = true, .in = true, .v4 = true, .v6 = true, .protocol = -1};
    out->match.local.any = out->match.remote.any = true;
    for (size_t i = 0; i < ATTRIBUTES; i++) {
        struct err err = ERR_INIT;

        if (item->values[i] && readers[i] && readers[i](item->values[i], names, out, &err) != 0)
            MISTAKE("%s: %s", filter_attribute_names[i], err.text);
    }
}

void item_rule(const struct filter_item *item, struct names *names, struct rule *out,
               struct findings *findings)
{
    size_t errors = findings->errors;

    item_values(item, names, out, findings);
    if (findings->errors != errors)
        return;
    check_combination(item, out, findings);
    if (!names)
        return;
    settle_versions(&out->match);
    check_bound(item, out, findings);
}

bool item_is_off(const struct filter_item *item)
{
    bool enabled = true;

    if (item->values[ATTRIBUTE_ENABLED])
        words_yesno(item->values[ATTRIBUTE_ENABLED], &enabled, NULL);
    return !enabled;
}
