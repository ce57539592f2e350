/* Circuit Breaker over the SOAP interface: the same objects as System Defense over WS-Management.
 * (reference eoi.md, chapter 4; system-defense.md, chapter 1) */
#include <ctype.h>
#include <simH.h>
#include <string.h>

#include "tests/amtsim/defense.h"
#include "tests/amtsim/eoi_internal.h"

#define TCP_FLAGS 0x3f

static bool is_set(const enum xsd__boolean *p)
{
    return p != NULL && *p == true_;
}

int __cb__CbQueryCapabilities(struct soap *soap, struct _cb__CbQueryCapabilities *in,
                              struct _cb__CbQueryCapabilitiesResponse *out)
{
    struct device *d = eoi_enter(soap, "CbQueryCapabilities", false, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    unsigned status = eoi_check_interface(d, in->Interface);
    if (status != PT_SUCCESS)
        return eoi_leave(soap, &out->Status, status);
    const struct defense_limits *l = defense_limits(d, *in->Interface);
    out->MaxPolicies = eoi_number(soap, DEFENSE_POLICIES_MAX);
    out->MaxFilters = eoi_number(soap, DEFENSE_FILTERS_MAX);
    out->MaxTxFilters = eoi_number(soap, l->filters[DEFENSE_TX]);
    out->MaxRxFilters = eoi_number(soap, l->filters[DEFENSE_RX]);
    out->MaxTxCounters = eoi_number(soap, l->counters[DEFENSE_TX]);
    out->MaxRxCounters = eoi_number(soap, l->counters[DEFENSE_RX]);
    out->AntiSpoofing = eoi_flag(soap, l->spoof4);
    return SOAP_OK;
}

/* --- a new filter --- */

static unsigned read_range(const unsigned *start, const unsigned *end, struct defense_range *r)
{
    r->given = start != NULL || end != NULL;
    if ((start == NULL) != (end == NULL))
        return PT_INVALID_PARAMETER;
    if (!r->given)
        return PT_SUCCESS;
    if (*start > *end || *end > UINT16_MAX)
        return PT_INVALID_PARAMETER;
    r->start = (uint16_t)*start;
    r->end = (uint16_t)*end;
    return PT_SUCCESS;
}

/* One port on either side, or a range on one and nothing on the other; with TCP or UDP, flags with TCP. */
static unsigned read_ports(const struct cb__Ports *ports, struct defense_filter *f)
{
    bool tcp = f->has_protocol && f->protocol == 6, udp = f->has_protocol && f->protocol == 17;
    struct defense_range *s = &f->source_ports, *d = &f->destination_ports;
    if (ports == NULL)
        return PT_SUCCESS;
    unsigned status = read_range(ports->SourceStart, ports->SourceEnd, s);
    if (status == PT_SUCCESS)
        status = read_range(ports->DestinationStart, ports->DestinationEnd, d);
    if (status != PT_SUCCESS)
        return status;
    if (eoi_value(ports->TcpFlagsOn) > TCP_FLAGS || eoi_value(ports->TcpFlagsOff) > TCP_FLAGS)
        return PT_INVALID_PARAMETER;
    f->flags_on = (uint8_t)eoi_value(ports->TcpFlagsOn);
    f->flags_off = (uint8_t)eoi_value(ports->TcpFlagsOff);
    if ((s->given && s->start != s->end && d->given) || (d->given && d->start != d->end && s->given))
        return PT_UNSUPPORTED;
    bool flags = f->flags_on != 0 || f->flags_off != 0;
    return ((s->given || d->given) && !tcp && !udp) || (flags && !tcp) ? PT_INVALID_PARAMETER : PT_SUCCESS;
}

static void put_number(uint8_t *to, unsigned number)
{
    to[0] = (uint8_t)(number >> 24);
    to[1] = (uint8_t)(number >> 16);
    to[2] = (uint8_t)(number >> 8);
    to[3] = (uint8_t)number;
}

static unsigned read_address4(const unsigned *address, const unsigned *mask, struct defense_address *a)
{
    a->given = address != NULL;
    if (address == NULL)
        return mask == NULL ? PT_SUCCESS : PT_INVALID_PARAMETER;
    unsigned bits = mask != NULL ? *mask : 0xffffffff;
    if ((~bits & (~bits + 1)) != 0) /* ones, then zeros */
        return PT_INVALID_NETMASK;
    if ((*address & ~bits) != 0)
        return PT_INVALID_PARAMETER;
    put_number(a->address, *address);
    put_number(a->mask, bits);
    return PT_SUCCESS;
}

static bool read_hex(const char *text, uint8_t out[16])
{
    for (size_t i = 0; i < 32; i++) {
        unsigned char c = (unsigned char)text[i];
        if (!isxdigit(c))
            return false;
        out[i / 2] = (uint8_t)(out[i / 2] << 4 | (isdigit(c) ? c - '0' : tolower(c) - 'a' + 10));
    }
    return text[32] == '\0';
}

static unsigned read_address6(const char *address, const char *mask, struct defense_address *a)
{
    a->given = address != NULL;
    if (address == NULL)
        return mask == NULL ? PT_SUCCESS : PT_INVALID_PARAMETER;
    memset(a->mask, 0xff, sizeof(a->mask));
    if (!read_hex(address, a->address))
        return PT_INVALID_PARAMETER;
    return mask == NULL || read_hex(mask, a->mask) ? PT_SUCCESS : PT_INVALID_NETMASK;
}

static unsigned read_protocol(const unsigned *protocol, struct defense_filter *f)
{
    f->ip = true;
    f->has_protocol = protocol != NULL;
    f->protocol = (uint8_t)eoi_value(protocol);
    return eoi_value(protocol) <= UINT8_MAX ? PT_SUCCESS : PT_INVALID_PARAMETER;
}

static unsigned read_ipv4(const struct cb__IPv4 *in, struct defense_filter *f)
{
    f->version = 4;
    unsigned status = read_protocol(in->Protocol, f);
    if (status == PT_SUCCESS)
        status = read_address4(in->SourceAddress, in->SourceMask, &f->source);
    if (status == PT_SUCCESS)
        status = read_address4(in->DestinationAddress, in->DestinationMask, &f->destination);
    return status == PT_SUCCESS ? read_ports(in->Ports, f) : status;
}

static unsigned read_ipv6(const struct cb__IPv6 *in, struct defense_filter *f)
{
    f->version = 6;
    unsigned status = read_protocol(in->Protocol, f);
    if (status == PT_SUCCESS)
        status = read_address6(in->SourceAddress, in->SourceMask, &f->source);
    if (status == PT_SUCCESS)
        status = read_address6(in->DestinationAddress, in->DestinationMask, &f->destination);
    return status == PT_SUCCESS ? read_ports(in->Ports, f) : status;
}

static bool read_name(const char *from, char to[DEFENSE_NAME_MAX + 1])
{
    if (from == NULL || from[0] == '\0' || strlen(from) > DEFENSE_NAME_MAX)
        return false;
    memcpy(to, from, strlen(from) + 1);
    return true;
}

static unsigned read_filter(const struct cb__Filter *in, struct defense_filter *f)
{
    if (in == NULL || !read_name(in->Name, f->name) || in->Direction == NULL || *in->Direction > DEFENSE_RX ||
        in->Profile == NULL || *in->Profile >= DEFENSE_PROFILES)
        return PT_INVALID_PARAMETER;
    if ((in->ProfileData != NULL) != (*in->Profile == DEFENSE_LIMIT))
        return PT_INVALID_PARAMETER;
    if ((in->Ethernet != NULL) + (in->IPv4 != NULL) + (in->IPv6 != NULL) != 1)
        return PT_INVALID_PARAMETER;
    f->direction = (uint8_t)*in->Direction;
    f->profile = (uint8_t)*in->Profile;
    f->limit = eoi_value(in->ProfileData);
    f->event = is_set(in->EventOnMatch);
    if (in->IPv4 != NULL)
        return read_ipv4(in->IPv4, f);
    if (in->IPv6 != NULL)
        return read_ipv6(in->IPv6, f);
    f->ethertype = (uint16_t)eoi_value(in->Ethernet->Type);
    return in->Ethernet->Type != NULL && *in->Ethernet->Type <= UINT16_MAX ? PT_SUCCESS
                                                                           : PT_INVALID_PARAMETER;
}

int __cb__CbFilterAdd(struct soap *soap, struct _cb__CbFilterAdd *in, struct _cb__CbFilterAddResponse *out)
{
    struct defense_filter f = {0};
    struct device *d = eoi_enter(soap, "CbFilterAdd", true, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    unsigned status = read_filter(in->Filter, &f);
    if (status == PT_SUCCESS &&
        fault_strike(d, FAULT_FLASH_WORN, "CircuitBreakerService", "CbFilterAdd") != NULL)
        status = PT_FLASH_WRITE_LIMIT;
    uint32_t handle = status == PT_SUCCESS ? defense_filter_add(d, &f) : 0;
    if (status == PT_SUCCESS && handle == 0)
        status = PT_MAX_LIMIT;
    if (handle != 0)
        out->FilterHandle = eoi_number(soap, handle);
    return eoi_leave(soap, &out->Status, status);
}

/* --- filters shown --- */

int __cb__CbFilterEnumerate(struct soap *soap, struct _cb__CbFilterEnumerate *in,
                            struct _cb__CbFilterEnumerateResponse *out)
{
    struct device *d = eoi_enter(soap, "CbFilterEnumerate", false, &out->Status);
    (void)in;
    if (d == NULL)
        return SOAP_OK;
    out->FilterHandle = soap_malloc(soap, DEFENSE_FILTERS_MAX * sizeof(*out->FilterHandle));
    for (int ip = 0; ip < 2; ip++) {
        for (size_t i = 0; i < defense_filter_count(d, ip != 0); i++)
            out->FilterHandle[out->__sizeFilterHandle++] = defense_filter_at(d, ip != 0, i)->handle;
    }
    return SOAP_OK;
}

static unsigned number_of(const uint8_t *p)
{
    return (unsigned)p[0] << 24 | (unsigned)p[1] << 16 | (unsigned)p[2] << 8 | p[3];
}

static char *hex_of(struct soap *soap, const uint8_t *p)
{
    char *text = soap_malloc(soap, 33);
    for (size_t i = 0; i < 16; i++) {
        text[2 * i] = "0123456789ABCDEF"[p[i] >> 4];
        text[2 * i + 1] = "0123456789ABCDEF"[p[i] & 15];
    }
    text[32] = '\0';
    return text;
}

static struct cb__Ports *show_ports(struct soap *soap, const struct defense_filter *f)
{
    if (!f->source_ports.given && !f->destination_ports.given && f->flags_on == 0 && f->flags_off == 0)
        return NULL;
    struct cb__Ports *p = soap_malloc(soap, sizeof(*p));
    soap_default_cb__Ports(soap, p);
    if (f->source_ports.given) {
        p->SourceStart = eoi_number(soap, f->source_ports.start);
        p->SourceEnd = eoi_number(soap, f->source_ports.end);
    }
    if (f->destination_ports.given) {
        p->DestinationStart = eoi_number(soap, f->destination_ports.start);
        p->DestinationEnd = eoi_number(soap, f->destination_ports.end);
    }
    if (f->flags_on != 0)
        p->TcpFlagsOn = eoi_number(soap, f->flags_on);
    if (f->flags_off != 0)
        p->TcpFlagsOff = eoi_number(soap, f->flags_off);
    return p;
}

static struct cb__IPv4 *show_ipv4(struct soap *soap, const struct defense_filter *f)
{
    struct cb__IPv4 *ip = soap_malloc(soap, sizeof(*ip));
    soap_default_cb__IPv4(soap, ip);
    if (f->source.given) {
        ip->SourceAddress = eoi_number(soap, number_of(f->source.address));
        ip->SourceMask = eoi_number(soap, number_of(f->source.mask));
    }
    if (f->destination.given) {
        ip->DestinationAddress = eoi_number(soap, number_of(f->destination.address));
        ip->DestinationMask = eoi_number(soap, number_of(f->destination.mask));
    }
    ip->Protocol = f->has_protocol ? eoi_number(soap, f->protocol) : NULL;
    ip->Ports = show_ports(soap, f);
    return ip;
}

static struct cb__IPv6 *show_ipv6(struct soap *soap, const struct defense_filter *f)
{
    struct cb__IPv6 *ip = soap_malloc(soap, sizeof(*ip));
    soap_default_cb__IPv6(soap, ip);
    if (f->source.given) {
        ip->SourceAddress = hex_of(soap, f->source.address);
        ip->SourceMask = hex_of(soap, f->source.mask);
    }
    if (f->destination.given) {
        ip->DestinationAddress = hex_of(soap, f->destination.address);
        ip->DestinationMask = hex_of(soap, f->destination.mask);
    }
    ip->Protocol = f->has_protocol ? eoi_number(soap, f->protocol) : NULL;
    ip->Ports = show_ports(soap, f);
    return ip;
}

int __cb__CbFilterGet(struct soap *soap, struct _cb__CbFilterGet *in, struct _cb__CbFilterGetResponse *out)
{
    struct device *d = eoi_enter(soap, "CbFilterGet", false, &out->Status);
    const struct defense_filter *f = d != NULL ? defense_filter(d, eoi_value(in->FilterHandle)) : NULL;
    if (d == NULL)
        return SOAP_OK;
    if (f == NULL)
        return eoi_leave(soap, &out->Status, PT_INVALID_HANDLE);
    struct cb__Filter *to = soap_malloc(soap, sizeof(*to));
    soap_default_cb__Filter(soap, to);
    to->Name = eoi_text(soap, f->name);
    to->Direction = eoi_number(soap, f->direction);
    to->Profile = eoi_number(soap, f->profile);
    to->ProfileData = f->profile == DEFENSE_LIMIT ? eoi_number(soap, f->limit) : NULL;
    to->EventOnMatch = eoi_flag(soap, f->event);
    if (!f->ip) {
        to->Ethernet = soap_malloc(soap, sizeof(*to->Ethernet));
        to->Ethernet->Type = eoi_number(soap, f->ethertype);
    } else if (f->version == 6) {
        to->IPv6 = show_ipv6(soap, f);
    } else {
        to->IPv4 = show_ipv4(soap, f);
    }
    out->Filter = to;
    return SOAP_OK;
}

int __cb__CbFilterRemove(struct soap *soap, struct _cb__CbFilterRemove *in,
                         struct _cb__CbFilterRemoveResponse *out)
{
    struct device *d = eoi_enter(soap, "CbFilterRemove", true, &out->Status);
    if (d == NULL)
        return SOAP_OK;
    if (defense_filter(d, eoi_value(in->FilterHandle)) == NULL)
        return eoi_leave(soap, &out->Status, PT_INVALID_HANDLE);
    if (defense_filter_used(d, *in->FilterHandle))
        return eoi_leave(soap, &out->Status, PT_NOT_PERMITTED);
    defense_filter_remove(d, *in->FilterHandle);
    return eoi_leave(soap, &out->Status, PT_SUCCESS);
}
