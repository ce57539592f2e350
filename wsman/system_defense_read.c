/* Instances of System Defense as the plain objects. (reference system-defense.md, chapter 2) */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "wsman/names.h"
#include "wsman/system_defense_internal.h"

#define TCP_FLAGS 6

/* Cut to fit; names are at most 16 characters on hardware. */
static void copy_text(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

/* The number at the end of "Intel(r) AMT Ethernet Port 0"; false: there is none. */
static bool trailing_number(const char *text, uint32_t *number)
{
    const char *p = text ? text + strlen(text) : "";
    uint64_t value;

    while (text && p > text && isdigit((unsigned char)p[-1]))
        p--;
    if (!text_u64(p, 0, UINT16_MAX, &value))
        return false;
    *number = (uint32_t)value;
    return true;
}

/* --- limits and ports --- */

void sd_read_limits(struct sd_state *state, const struct wsman_call *call)
{
    struct wsman_obj obj = wsman_call_obj(call, 0);

    wsman_u32(obj, "GlobalMaxSupportedPolicies", &state->limits.policies);
    wsman_u32(obj, "GlobalMaxSupportedFilters", &state->limits.filters);
}

/* A machine without the port shows it with an address of zeros. */
static bool has_address(struct wsman_obj obj)
{
    const char *mac = wsman_str(obj, "PermanentAddress");

    if (!mac)
        mac = wsman_str(obj, "NetworkAddresses");
    return !mac || mac[strspn(mac, "0-:")] != '\0';
}

void sd_read_ports(struct sd_state *state, const struct wsman_call *call)
{
    for (size_t i = 0; i < wsman_call_count(call) && state->port_count < SD_PORTS_MAX; i++) {
        struct wsman_obj obj = wsman_call_obj(call, i);
        const char *id = wsman_str(obj, "DeviceID");
        struct sd_port *port = &state->ports[state->port_count];
        uint32_t number;

        if (!trailing_number(id, &number) || strlen(id) >= SD_ID_MAX || !has_address(obj))
            continue;
        memset(port, 0, sizeof(*port));
        copy_text(port->id, sizeof(port->id), id);
        port->number = number;
        state->port_count++;
    }
}

static struct sd_port *port_of(struct sd_state *state, struct wsman_obj obj, size_t i)
{
    uint32_t number;

    if (!trailing_number(wsman_str(obj, "InstanceID"), &number))
        return i < state->port_count ? &state->ports[i] : NULL;
    for (size_t k = 0; k < state->port_count; k++)
        if (state->ports[k].number == number)
            return &state->ports[k];
    return NULL;
}

void sd_read_port_limits(struct sd_state *state, const struct wsman_call *call)
{
    for (size_t i = 0; i < wsman_call_count(call); i++) {
        struct wsman_obj obj = wsman_call_obj(call, i);
        struct sd_port *port = port_of(state, obj, i);
        struct sd_port_limits *l = port ? &port->limits : NULL;

        if (!l)
            continue;
        port->has_limits = true;
        wsman_u32(obj, "IPv4_MaxTxFilters", &l->ipv4_tx.filters);
        wsman_u32(obj, "IPv4_MaxTxCounters", &l->ipv4_tx.counters);
        wsman_u32(obj, "IPv4_MaxRxFilters", &l->ipv4_rx.filters);
        wsman_u32(obj, "IPv4_MaxRxCounters", &l->ipv4_rx.counters);
        wsman_u32(obj, "IPv6_MaxTxFilters", &l->ipv6_tx.filters);
        wsman_u32(obj, "IPv6_MaxTxCounters", &l->ipv6_tx.counters);
        wsman_u32(obj, "IPv6_MaxRxFilters", &l->ipv6_rx.filters);
        wsman_u32(obj, "IPv6_MaxRxCounters", &l->ipv6_rx.counters);
        wsman_u32(obj, "IPv6_to_IPv4_Ratio", &l->ipv6_ratio);
        wsman_bool(obj, "IPv4_AntiSpoofingCapable", &l->ipv4_anti_spoof);
        wsman_bool(obj, "IPv6_AntiSpoofingCapable", &l->ipv6_anti_spoof);
    }
}

/* Appends an address that says something. */
static void add_address(char out[SD_ADDRESSES_MAX], const char *address)
{
    size_t n = strlen(out);

    if (!address || !address[0] || strcmp(address, "0.0.0.0") == 0 ||
        strlen(address) + n + 2 > SD_ADDRESSES_MAX)
        return;
    snprintf(out + n, SD_ADDRESSES_MAX - n, "%s%s", n > 0 ? " " : "", address);
}

/* AMT shares the machine's settings with it. The first interface that has some counts. */
void sd_read_addresses(struct sd_state *state, const struct wsman_call *call)
{
    for (size_t i = 0; i < wsman_call_count(call) && !state->dns[0] && !state->gateway[0]; i++) {
        struct wsman_obj obj = wsman_call_obj(call, i);

        add_address(state->dns, wsman_str(obj, "PrimaryDNS"));
        add_address(state->dns, wsman_str(obj, "SecondaryDNS"));
        add_address(state->gateway, wsman_str(obj, "DefaultGateway"));
    }
}

/* --- policies --- */

static void read_default(struct wsman_obj obj, const char *way, struct sd_default *d)
{
    char name[40];

    snprintf(name, sizeof(name), "%sDefaultDrop", way);
    wsman_bool(obj, name, &d->drop);
    snprintf(name, sizeof(name), "%sDefaultMatchEvent", way);
    wsman_bool(obj, name, &d->event);
    snprintf(name, sizeof(name), "%sDefaultCount", way);
    wsman_bool(obj, name, &d->count);
}

static bool read_policy(struct wsman_obj obj, struct sd_policy *p)
{
    const char *id = wsman_str(obj, "InstanceID");

    if (!id || strlen(id) >= SD_ID_MAX)
        return false;
    memset(p, 0, sizeof(*p));
    copy_text(p->id, sizeof(p->id), id);
    copy_text(p->name, sizeof(p->name), wsman_str(obj, "PolicyName"));
    wsman_u32(obj, "PolicyPrecedence", &p->precedence);
    wsman_u32(obj, "AntiSpoofingSupport", &p->anti_spoof);
    read_default(obj, "Tx", &p->tx);
    read_default(obj, "Rx", &p->rx);
    p->count = wsman_u32_array(obj, "FilterCreationHandles", p->handles, SD_HANDLES_MAX);
    return true;
}

void sd_read_policies(struct sd_state *state, const struct wsman_call *call)
{
    size_t n = wsman_call_count(call) < SD_POLICIES_MAX ? wsman_call_count(call) : SD_POLICIES_MAX;

    state->policies = xreallocarray(state->policies, n + 1, sizeof(*state->policies));
    for (size_t i = 0; i < n; i++)
        if (read_policy(wsman_call_obj(call, i), &state->policies[state->policy_count]))
            state->policy_count++;
}

/* --- filters --- */

static bool read_hex(const char *text, size_t n, uint8_t *out)
{
    memset(out, 0, n);
    for (size_t i = 0; i < 2 * n; i++) {
        unsigned char c = (unsigned char)text[i];
        int digit = isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;

        if (!isxdigit(c))
            return false;
        out[i / 2] = (uint8_t)(out[i / 2] << 4 | digit);
    }
    return text[2 * n] == '\0';
}

static bool read_address(struct wsman_obj obj, const char *name, const char *mask_name, size_t n,
                         struct sd_address *a)
{
    const char *text = wsman_str(obj, name), *mask = wsman_str(obj, mask_name);

    a->given = text != NULL;
    if (!text)
        return true;
    memset(a->mask, 0xff, n);
    return read_hex(text, n, a->address) && (!mask || read_hex(mask, n, a->mask));
}

static bool read_ports(struct wsman_obj obj, const char *start, const char *end, struct sd_ports *p)
{
    uint32_t from = 0, to = 0;
    bool has_from = wsman_u32(obj, start, &from), has_to = wsman_u32(obj, end, &to);

    p->given = has_from || has_to;
    p->start = (uint16_t)(has_from ? from : to);
    p->end = (uint16_t)(has_to ? to : from);
    return from <= UINT16_MAX && to <= UINT16_MAX;
}

static bool read_flags(struct wsman_obj obj, const char *name, uint8_t *flags)
{
    uint32_t bits[TCP_FLAGS];
    size_t n = wsman_u32_array(obj, name, bits, TCP_FLAGS);

    for (size_t i = 0; i < n; i++) {
        if (bits[i] >= TCP_FLAGS)
            return false;
        *flags |= (uint8_t)(1u << bits[i]);
    }
    return true;
}

static bool read_ip(struct wsman_obj obj, struct sd_filter *f)
{
    const char *address = wsman_str(obj, "HdrSrcAddress");
    uint32_t version = 0, protocol = 0;
    size_t n;

    if (!address)
        address = wsman_str(obj, "HdrDestAddress");
    if (!wsman_u32(obj, "HdrIPVersion", &version))
        version = address && strlen(address) == 32 ? 6 : 4;
    n = version == 6 ? 16 : 4;
    f->ip_version = version == 6 ? 6 : 4;
    f->protocol_given = wsman_u32(obj, "HdrProtocolID", &protocol);
    f->protocol = (uint8_t)protocol;
    return protocol <= UINT8_MAX && read_address(obj, "HdrSrcAddress", "HdrSrcMask", n, &f->source) &&
           read_address(obj, "HdrDestAddress", "HdrDestMask", n, &f->destination) &&
           read_ports(obj, "HdrSrcPortStart", "HdrSrcPortEnd", &f->source_ports) &&
           read_ports(obj, "HdrDestPortStart", "HdrDestPortEnd", &f->destination_ports) &&
           read_flags(obj, "TCPFlagsOn", &f->tcp_on) && read_flags(obj, "TCPFlagsOff", &f->tcp_off);
}

static bool read_filter(struct wsman_obj obj, enum sd_filter_kind kind, struct sd_filter *f)
{
    uint32_t profile = SD_DROP + 1, direction = SD_RX + 1, type = 0;

    memset(f, 0, sizeof(*f));
    f->kind = kind;
    if (!wsman_u32(obj, "InstanceID", &f->handle) || f->handle == 0)
        return false;
    copy_text(f->name, sizeof(f->name), wsman_str(obj, "Name"));
    wsman_u32(obj, "FilterProfile", &profile);
    wsman_u32(obj, "FilterDirection", &direction);
    wsman_bool(obj, "ActionEventOnMatch", &f->event);
    f->profile = (enum sd_profile)profile;
    f->direction = (enum sd_direction)direction;
    if (profile == SD_RATE_LIMIT)
        wsman_u32(obj, "FilterProfileData", &f->rate);
    if (kind == SD_ETHERNET) {
        wsman_u32(obj, "HdrProtocolID8021", &type);
        f->ethertype = (uint16_t)type;
    } else if (!read_ip(obj, f)) {
        profile = SD_DROP + 1;
    }
    if (profile > SD_DROP || direction > SD_RX || type > UINT16_MAX)
        f->profile = (enum sd_profile)(SD_DROP + 1); /* kept as an object, the same as none of ours */
    return true;
}

void sd_read_filters(struct sd_state *state, const struct wsman_call *call, enum sd_filter_kind kind)
{
    size_t n = wsman_call_count(call);

    if (n > SD_FILTERS_MAX - state->filter_count)
        n = SD_FILTERS_MAX - state->filter_count;
    state->filters = xreallocarray(state->filters, state->filter_count + n + 1, sizeof(*state->filters));
    for (size_t i = 0; i < n; i++)
        if (read_filter(wsman_call_obj(call, i), kind, &state->filters[state->filter_count]))
            state->filter_count++;
}

/* --- associations --- */

void sd_read_enabled(struct sd_state *state, const struct wsman_call *call, enum sd_owner owner)
{
    for (size_t i = 0; i < wsman_call_count(call) && state->enabled_count < SD_ENABLED_MAX; i++) {
        struct wsman_obj obj = wsman_call_obj(call, i);
        const char *policy = wsman_epr_selector(obj, "Dependent", "InstanceID");
        struct sd_enabled *e = &state->enabled[state->enabled_count];
        uint32_t port;

        if (!policy || strlen(policy) >= SD_ID_MAX ||
            !trailing_number(wsman_epr_selector(obj, "Antecedent", "DeviceID"), &port))
            continue;
        memset(e, 0, sizeof(*e));
        e->owner = owner;
        e->port = port;
        copy_text(e->policy, sizeof(e->policy), policy);
        wsman_bool(obj, "Active", &e->active);
        e->enabled = owner == SD_DEFAULT || e->active;
        wsman_bool(obj, "Enabled", &e->enabled);
        state->enabled_count++;
    }
}

/* --- references within references --- */

/* The value element of a selector in the parameters of a reference; none when it is not there. */
static struct xml_el selector_of(struct xml_doc *doc, struct xml_el reference, const char *name)
{
    struct xml_el set =
        xml_child(xml_child(reference, NS_ADDRESSING, "ReferenceParameters"), NS_WSMAN, "SelectorSet");
    struct xml_el el = xml_child(set, NS_WSMAN, "Selector");

    for (; el.node; el = xml_next(el, NS_WSMAN, "Selector")) {
        const char *attr = xml_attr(doc, el, "Name");

        if (attr && strcmp(attr, name) == 0)
            return el;
    }
    return (struct xml_el){NULL};
}

const char *sd_read_created(struct wsman_obj obj)
{
    struct xml_el el = selector_of(obj.doc, obj.el, "InstanceID");

    return el.node ? xml_text(obj.doc, el) : NULL;
}

static void read_count(struct sd_seq *ss, struct wsman_obj obj)
{
    struct xml_el pair = xml_child(obj.el, NULL, "Dependent");
    struct xml_el filter =
        xml_child(selector_of(obj.doc, pair, "Dependent"), NS_ADDRESSING, "EndpointReference");
    struct xml_el id = selector_of(obj.doc, filter, "InstanceID");
    struct xml_el name = selector_of(obj.doc, filter, "Name");
    struct sd_count *count = &ss->counts[ss->count_count];
    uint32_t port;
    uint64_t handle = 0;

    if (!trailing_number(wsman_epr_selector(obj, "Antecedent", "DeviceID"), &port))
        return;
    if (id.node)
        text_u64(xml_text(obj.doc, id), 1, UINT32_MAX, &handle);
    memset(count, 0, sizeof(*count));
    count->port = port;
    count->handle = (uint32_t)handle;
    copy_text(count->name, sizeof(count->name), name.node ? xml_text(obj.doc, name) : NULL);
    wsman_u64(obj, "ReadCount", &count->packets);
    wsman_bool(obj, "FilterMatched", &count->matched);
    ss->count_count++;
}

void sd_read_counts(struct sd_seq *ss, const struct wsman_call *call)
{
    size_t n = wsman_call_count(call);

    ss->counts = xreallocarray(ss->counts, n + 1, sizeof(*ss->counts));
    ss->count_count = 0;
    for (size_t i = 0; i < n; i++)
        read_count(ss, wsman_call_obj(call, i));
}
