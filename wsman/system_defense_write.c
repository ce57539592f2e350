/* The calls that change System Defense. (reference system-defense.md, 3.2 - 3.6) */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "wsman/system_defense_internal.h"

#define TCP_FLAGS 6
#define KEYS_MAX  5

const char *sd_owner_class(enum sd_owner owner)
{
    static const char *const classes[SD_OWNERS] = {
        [SD_CONSOLE] = "AMT_NetworkPortSystemDefensePolicy",
        [SD_DEFAULT] = "AMT_NetworkPortDefaultSystemDefensePolicy",
        [SD_AGENT] = "AMT_AgentPresenceInterfacePolicy",
        [SD_ENVIRONMENT] = "AMT_EnvironmentDetectionInterfacePolicy",
        [SD_HEURISTICS] = "AMT_HeuristicPacketFilterInterfacePolicy",
    };

    return classes[owner];
}

/* --- filters --- */

static void add_hex(struct wsman_request *rq, const char *name, const uint8_t *p, size_t n)
{
    struct buf text = buf_init(64);

    text_hex(&text, p, n, true);
    wsman_add_str(rq, name, buf_str(&text));
    buf_free(&text);
}

/* Address and mask always together, and nothing outside the mask: what every firmware takes. */
static void add_address(struct wsman_request *rq, const char *name, const char *mask,
                        const struct sd_address *a, uint8_t version)
{
    size_t n = version == 6 ? 16 : 4;

    if (!a->given)
        return;
    add_hex(rq, name, a->address, n);
    add_hex(rq, mask, a->mask, n);
}

static void add_ports(struct wsman_request *rq, const char *start, const char *end, const struct sd_ports *p)
{
    if (!p->given)
        return;
    wsman_add_u32(rq, start, p->start);
    wsman_add_u32(rq, end, p->end);
}

static void add_flags(struct wsman_request *rq, const char *name, uint8_t flags)
{
    for (uint32_t bit = 0; bit < TCP_FLAGS; bit++)
        if (flags & 1u << bit)
            wsman_add_u32(rq, name, bit);
}

static void add_ip(struct wsman_request *rq, const struct sd_filter *f)
{
    wsman_add_u32(rq, "HdrIPVersion", f->ip_version);
    if (f->protocol_given)
        wsman_add_u32(rq, "HdrProtocolID", f->protocol);
    add_address(rq, "HdrSrcAddress", "HdrSrcMask", &f->source, f->ip_version);
    add_address(rq, "HdrDestAddress", "HdrDestMask", &f->destination, f->ip_version);
    add_ports(rq, "HdrSrcPortStart", "HdrSrcPortEnd", &f->source_ports);
    add_ports(rq, "HdrDestPortStart", "HdrDestPortEnd", &f->destination_ports);
    add_flags(rq, "TCPFlagsOn", f->tcp_on);
    add_flags(rq, "TCPFlagsOff", f->tcp_off);
}

static const char *filter_class(enum sd_filter_kind kind)
{
    return kind == SD_ETHERNET ? "AMT_Hdr8021Filter" : "AMT_IPHeadersFilter";
}

static struct wsman_request *create_filter(const struct sd_change *change)
{
    const struct sd_filter *f = &change->filter;
    struct wsman_request *rq = wsman_request_new(WSMAN_CREATE, filter_class(f->kind), NULL);

    wsman_add_str(rq, "InstanceID", "0"); /* the device gives it; other values trouble some versions */
    wsman_add_str(rq, "Name", f->name);
    wsman_add_str(rq, "SystemCreationClassName", "n/a");
    wsman_add_str(rq, "SystemName", "n/a");
    wsman_add_str(rq, "CreationClassName", "n/a");
    if (f->kind == SD_ETHERNET)
        wsman_add_u32(rq, "HdrProtocolID8021", f->ethertype);
    else
        add_ip(rq, f);
    wsman_add_u32(rq, "FilterProfile", (uint32_t)f->profile);
    if (f->profile == SD_RATE_LIMIT)
        wsman_add_u32(rq, "FilterProfileData", f->rate);
    wsman_add_u32(rq, "FilterDirection", (uint32_t)f->direction);
    wsman_add_bool(rq, "ActionEventOnMatch", f->event);
    return rq;
}

static struct wsman_request *delete_filter(const struct sd_change *change)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_DELETE, filter_class(change->filter.kind), NULL);
    char handle[12];

    snprintf(handle, sizeof(handle), "%u", change->filter.handle);
    wsman_select(rq, "InstanceID", handle);
    return rq;
}

/* --- policies --- */

static void add_default(struct wsman_request *rq, const char *way, const struct sd_default *d)
{
    char name[40];

    snprintf(name, sizeof(name), "%sDefaultDrop", way);
    wsman_add_bool(rq, name, d->drop);
    snprintf(name, sizeof(name), "%sDefaultMatchEvent", way);
    wsman_add_bool(rq, name, d->event);
    snprintf(name, sizeof(name), "%sDefaultCount", way);
    wsman_add_bool(rq, name, d->count);
}

static struct wsman_request *create_policy(const struct sd_change *change)
{
    const struct sd_policy *p = &change->policy;
    struct wsman_request *rq = wsman_request_new(WSMAN_CREATE, "AMT_SystemDefensePolicy", NULL);

    wsman_add_str(rq, "InstanceID", "0");
    wsman_add_str(rq, "PolicyName", p->name);
    wsman_add_u32(rq, "PolicyPrecedence", p->precedence);
    wsman_add_u32(rq, "AntiSpoofingSupport", p->anti_spoof);
    for (size_t i = 0; i < p->count; i++) /* one element each: a list with commas is a flaw of one client */
        wsman_add_u32(rq, "FilterCreationHandles", p->handles[i]);
    add_default(rq, "Tx", &p->tx);
    add_default(rq, "Rx", &p->rx);
    return rq;
}

static struct wsman_request *delete_policy(const struct sd_change *change)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_DELETE, "AMT_SystemDefensePolicy", NULL);

    wsman_select(rq, "InstanceID", change->policy.id);
    return rq;
}

static struct wsman_request *set_timeout(const struct sd_change *change)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_INVOKE, "AMT_SystemDefensePolicy", "SetTimeout");

    wsman_select(rq, "InstanceID", change->policy.id);
    wsman_add_u32(rq, "Timeout", change->minutes);
    return rq;
}

/* --- where they hold --- */

struct ends {
    char device[SD_ID_MAX];
    struct wsman_selector port[KEYS_MAX], policy[2];
};

static void fill_ends(struct ends *e, const struct sd_change *change)
{
    const struct wsman_selector port[KEYS_MAX] = {{"CreationClassName", "CIM_EthernetPort"},
                                                  {"DeviceID", e->device},
                                                  {"SystemCreationClassName", "CIM_ComputerSystem"},
                                                  {"SystemName", "Intel(r) AMT"},
                                                  {NULL, NULL}};

    snprintf(e->device, sizeof(e->device), "Intel(r) AMT Ethernet Port %u", change->port);
    memcpy(e->port, port, sizeof(port));
    e->policy[0] = (struct wsman_selector){"InstanceID", change->policy.id};
    e->policy[1] = (struct wsman_selector){NULL, NULL};
}

static struct wsman_request *enable(const struct sd_change *change)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_CREATE, sd_owner_class(change->owner), NULL);
    struct ends ends;

    fill_ends(&ends, change);
    wsman_add_epr(rq, "Antecedent", "CIM_EthernetPort", ends.port);
    wsman_add_epr(rq, "Dependent", "AMT_SystemDefensePolicy", ends.policy);
    return rq;
}

static struct wsman_request *disable(const struct sd_change *change)
{
    struct wsman_request *rq;
    struct ends ends;

    if (change->owner == SD_ENVIRONMENT) /* without a policy: none any more */
        return wsman_request_new(WSMAN_INVOKE, "AMT_EnvironmentDetectionSettingData",
                                 "SetSystemDefensePolicy");
    rq = wsman_request_new(WSMAN_DELETE, sd_owner_class(change->owner), NULL);
    fill_ends(&ends, change);
    wsman_select_epr(rq, "Antecedent", "CIM_EthernetPort", ends.port);
    wsman_select_epr(rq, "Dependent", "AMT_SystemDefensePolicy", ends.policy);
    return rq;
}

static struct wsman_request *update_statistics(const struct sd_change *change)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_INVOKE, "AMT_SystemDefensePolicy", "UpdateStatistics");
    struct ends ends;

    fill_ends(&ends, change);
    wsman_select(rq, "InstanceID", change->policy.id);
    wsman_add_epr(rq, "NetworkInterface", "CIM_EthernetPort", ends.port);
    wsman_add_bool(rq, "ResetOnRead", false);
    return rq;
}

struct wsman_request *sd_write_change(const struct sd_change *change)
{
    static struct wsman_request *(*const writers[])(const struct sd_change *change) = {
        [SD_CREATE_FILTER] = create_filter,
        [SD_CREATE_POLICY] = create_policy,
        [SD_SET_TIMEOUT] = set_timeout,
        [SD_ENABLE] = enable,
        [SD_DISABLE] = disable,
        [SD_DELETE_POLICY] = delete_policy,
        [SD_DELETE_FILTER] = delete_filter,
        [SD_UPDATE_STATISTICS] = update_statistics,
    };

    return writers[change->verb](change);
}
