/* System Defense: the two kinds of filters, and what they counted. (reference system-defense.md, 2.1
 * - 2.3, 2.5) */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tests/amtsim/class_defense.h"
#include "tests/amtsim/class_tables.h"

#define TCP_FLAGS 6

/* --- reading a new one --- */

uint64_t class_need_num(struct call *c, const char *name, uint64_t max)
{
    uint64_t n = 0;
    const char *text = call_text(c, name);
    if (text == NULL)
        c->fault = SOAP_SCHEMA;
    else if (!text_u64(text, 0, max, &n))
        c->fault = SOAP_INVALID_PARAMETER;
    return n;
}

bool class_need_bool(struct call *c, const char *name)
{
    bool value = false;
    if (!call_has(c, name))
        c->fault = SOAP_SCHEMA;
    else if (!call_bool(c, name, &value))
        c->fault = SOAP_INVALID_PARAMETER;
    return value;
}

void class_need_name(struct call *c, const char *name, char out[DEFENSE_NAME_MAX + 1])
{
    const char *text = call_text(c, name);
    if (text == NULL)
        c->fault = SOAP_SCHEMA;
    else if (text[0] == '\0' || strlen(text) > DEFENSE_NAME_MAX)
        c->fault = SOAP_INVALID_PARAMETER;
    else
        snprintf(out, DEFENSE_NAME_MAX + 1, "%s", text);
}

static bool maybe_num(struct call *c, const char *name, uint64_t max, uint64_t *out)
{
    if (!call_has(c, name))
        return false;
    *out = class_need_num(c, name, max);
    return true;
}

/* What the firmware has in its schema and does not do. */
static void refuse(struct call *c, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (call_has(c, *names))
            c->fault = SOAP_UNSUPPORTED;
    }
}

/* What both kinds have. */
static void read_common(struct call *c, struct defense_filter *f)
{
    static const char *const keys[] = {"SystemCreationClassName", "SystemName", "CreationClassName",
                                       "InstanceID", NULL};
    bool negated = false;
    uint64_t limit = 0;
    for (const char *const *key = keys; *key != NULL; key++) {
        if (!call_has(c, *key))
            c->fault = SOAP_SCHEMA;
    }
    class_need_name(c, "Name", f->name);
    f->profile = (uint8_t)class_need_num(c, "FilterProfile", DEFENSE_PROFILES - 1);
    f->direction = (uint8_t)class_need_num(c, "FilterDirection", DEFENSE_DIRECTIONS - 1);
    f->event = class_need_bool(c, "ActionEventOnMatch");
    bool has_limit = maybe_num(c, "FilterProfileData", UINT32_MAX, &limit);
    if (f->profile == DEFENSE_LIMIT && limit == 0)
        c->fault = has_limit ? SOAP_INVALID_PARAMETER : SOAP_SCHEMA;
    f->limit = f->profile == DEFENSE_LIMIT ? (uint32_t)limit : 0;
    if (call_has(c, "IsNegated") && call_bool(c, "IsNegated", &negated) && negated)
        c->fault = SOAP_UNSUPPORTED;
}

static bool read_hex(struct call *c, const char *name, size_t n, uint8_t *out)
{
    const char *text = call_text(c, name);
    if (text == NULL)
        return false;
    for (size_t i = 0; i < 2 * n; i++) {
        unsigned char ch = (unsigned char)text[i];
        if (!isxdigit(ch)) {
            c->fault = SOAP_INVALID_PARAMETER;
            return true;
        }
        int digit = isdigit(ch) ? ch - '0' : tolower(ch) - 'a' + 10;
        out[i / 2] = (uint8_t)(out[i / 2] << 4 | digit);
    }
    if (text[2 * n] != '\0')
        c->fault = SOAP_INVALID_PARAMETER;
    return true;
}

static void read_address(struct call *c, const char *name, const char *mask, size_t n,
                         struct defense_address *a)
{
    a->given = read_hex(c, name, n, a->address);
    bool masked = read_hex(c, mask, n, a->mask);
    if (masked && !a->given)
        c->fault = SOAP_INVALID_PARAMETER;
    if (a->given && !masked)
        memset(a->mask, 0xff, n);
}

static void read_range(struct call *c, const char *start, const char *end, struct defense_range *r)
{
    uint64_t from = 0, to = 0;
    bool has_from = maybe_num(c, start, UINT16_MAX, &from), has_to = maybe_num(c, end, UINT16_MAX, &to);
    r->given = has_from || has_to;
    if (has_from != has_to || from > to)
        c->fault = SOAP_INVALID_PARAMETER;
    r->start = (uint16_t)from;
    r->end = (uint16_t)to;
}

static void read_flags(struct call *c, const char *name, uint8_t *flags)
{
    struct xml_el el = xml_child(c->in, NULL, name);
    for (; el.node != NULL; el = xml_next(el, NULL, name)) {
        uint64_t bit;
        if (text_u64(xml_text(c->message->doc, el), 0, TCP_FLAGS - 1, &bit))
            *flags |= (uint8_t)(1u << bit);
        else
            c->fault = SOAP_INVALID_PARAMETER;
    }
}

/* What the hardware compares, after MeshCommander's page: one port on either side, or a range on one and
 * nothing on the other; and only with a protocol that has them. */
static void check_ports(struct call *c, const struct defense_filter *f)
{
    const struct defense_range *s = &f->source_ports, *d = &f->destination_ports;
    bool s_range = s->given && s->start != s->end, d_range = d->given && d->start != d->end;
    bool tcp = f->has_protocol && f->protocol == 6, udp = f->has_protocol && f->protocol == 17;
    if ((s_range && d->given) || (d_range && s->given))
        c->fault = SOAP_UNSUPPORTED;
    if (((s->given || d->given) && !tcp && !udp) || ((f->flags_on != 0 || f->flags_off != 0) && !tcp))
        c->fault = SOAP_INVALID_PARAMETER;
}

static void read_ip(struct call *c, struct defense_filter *f)
{
    static const char *const unsupported[] = {"HdrSrcAddressEndOfRange", "HdrDestAddressEndOfRange",
                                              "HdrDSCP", "HdrFlowLabel", NULL};
    uint64_t protocol = 0;
    f->ip = true;
    f->version = (uint8_t)class_need_num(c, "HdrIPVersion", UINT8_MAX);
    if (f->version != 4 && f->version != 6 && c->fault == SOAP_OK)
        c->fault = SOAP_INVALID_PARAMETER;
    size_t n = f->version == 6 ? 16 : 4;
    f->has_protocol = maybe_num(c, "HdrProtocolID", UINT8_MAX, &protocol);
    f->protocol = (uint8_t)protocol;
    read_address(c, "HdrSrcAddress", "HdrSrcMask", n, &f->source);
    read_address(c, "HdrDestAddress", "HdrDestMask", n, &f->destination);
    read_range(c, "HdrSrcPortStart", "HdrSrcPortEnd", &f->source_ports);
    read_range(c, "HdrDestPortStart", "HdrDestPortEnd", &f->destination_ports);
    read_flags(c, "TCPFlagsOn", &f->flags_on);
    read_flags(c, "TCPFlagsOff", &f->flags_off);
    if (c->fault == SOAP_OK)
        check_ports(c, f);
    refuse(c, unsupported);
}

static void read_ethernet(struct call *c, struct defense_filter *f)
{
    static const char *const unsupported[] = {"HdrSrcMACAddr8021",
                                              "HdrSrcMACMask8021",
                                              "HdrDestMACAddr8021",
                                              "HdrDestMACMask8021",
                                              "HdrPriorityValue8021",
                                              "HdrVLANID8021",
                                              NULL};
    f->ethertype = (uint16_t)class_need_num(c, "HdrProtocolID8021", UINT16_MAX);
    refuse(c, unsupported);
}

struct epr class_filter_epr(const struct defense_filter *f, char id[CLASS_ID_MAX])
{
    const char *class_name = f->ip ? "AMT_IPHeadersFilter" : "AMT_Hdr8021Filter";
    snprintf(id, CLASS_ID_MAX, "%u", f->handle);
    return (struct epr){
        .class_name = class_name,
        .pairs = {{"CreationClassName", class_name},
                  {"InstanceID", id},
                  {"Name", f->name},
                  {"SystemCreationClassName", "CIM_ComputerSystem"},
                  {"SystemName", "Intel(r) AMT"}},
        .count = 5,
    };
}

static void add(struct call *c, struct defense_filter *f, struct epr *epr)
{
    static char id[CLASS_ID_MAX]; /* until the answer is written */
    read_common(c, f);
    if (c->fault == SOAP_OK && fault_strike(c->device, FAULT_FLASH_WORN, c->row->name, NULL) != NULL)
        c->fault = SOAP_FLASH_WORN;
    if (c->fault != SOAP_OK)
        return;
    uint32_t handle = defense_filter_add(c->device, f);
    if (handle == 0) {
        c->fault = SOAP_NO_ROOM;
        return;
    }
    *epr = class_filter_epr(defense_filter(c->device, handle), id);
}

static void add_ethernet(struct call *c, struct epr *epr)
{
    struct defense_filter f = {0};
    read_ethernet(c, &f);
    add(c, &f, epr);
}

static void add_ip(struct call *c, struct epr *epr)
{
    struct defense_filter f = {0};
    read_ip(c, &f);
    add(c, &f, epr);
}

static void drop(struct call *c, bool ip)
{
    uint32_t handle = defense_filter_at(c->device, ip, c->instance)->handle;
    if (defense_filter_used(c->device, handle))
        c->fault = SOAP_IN_USE;
    else
        defense_filter_remove(c->device, handle);
}

static void drop_ethernet(struct call *c)
{
    drop(c, false);
}

static void drop_ip(struct call *c)
{
    drop(c, true);
}

/* --- showing --- */

static unsigned ethernet_count(const struct device *d)
{
    return (unsigned)defense_filter_count(d, false);
}

static unsigned ip_count(const struct device *d)
{
    return (unsigned)defense_filter_count(d, true);
}

static void write_head(struct out *o, const struct defense_filter *f)
{
    out_bool(o, "ActionEventOnMatch", f->event);
    out_str(o, "CreationClassName", f->ip ? "AMT_IPHeadersFilter" : "AMT_Hdr8021Filter");
    out_num(o, "FilterDirection", f->direction);
    out_num(o, "FilterProfile", f->profile);
    if (f->profile == DEFENSE_LIMIT)
        out_num(o, "FilterProfileData", f->limit);
}

static void write_tail(struct out *o, const struct defense_filter *f)
{
    out_num(o, "InstanceID", f->handle);
    out_bool(o, "IsNegated", false);
    out_str(o, "Name", f->name);
    out_str(o, "SystemCreationClassName", "CIM_ComputerSystem");
    out_str(o, "SystemName", "Intel(r) AMT");
}

static void ethernet(struct device *d, unsigned i, struct out *o)
{
    const struct defense_filter *f = defense_filter_at(d, false, i);
    write_head(o, f);
    out_num(o, "HdrProtocolID8021", f->ethertype);
    write_tail(o, f);
}

static void out_hex(struct out *o, const char *name, const uint8_t *p, size_t n)
{
    struct buf text = buf_init(64);
    text_hex(&text, p, n, true);
    out_str(o, name, buf_str(&text));
    buf_free(&text);
}

static void write_flags(struct out *o, const char *name, uint8_t flags)
{
    for (unsigned bit = 0; bit < TCP_FLAGS; bit++) {
        if ((flags & 1u << bit) != 0)
            out_num(o, name, bit);
    }
}

static void ip(struct device *d, unsigned i, struct out *o)
{
    const struct defense_filter *f = defense_filter_at(d, true, i);
    size_t n = f->version == 6 ? 16 : 4;
    write_head(o, f);
    if (f->destination.given) {
        out_hex(o, "HdrDestAddress", f->destination.address, n);
        out_hex(o, "HdrDestMask", f->destination.mask, n);
    }
    if (f->destination_ports.given) {
        out_num(o, "HdrDestPortEnd", f->destination_ports.end);
        out_num(o, "HdrDestPortStart", f->destination_ports.start);
    }
    out_num(o, "HdrIPVersion", f->version);
    if (f->has_protocol)
        out_num(o, "HdrProtocolID", f->protocol);
    if (f->source.given) {
        out_hex(o, "HdrSrcAddress", f->source.address, n);
        out_hex(o, "HdrSrcMask", f->source.mask, n);
    }
    if (f->source_ports.given) {
        out_num(o, "HdrSrcPortEnd", f->source_ports.end);
        out_num(o, "HdrSrcPortStart", f->source_ports.start);
    }
    write_tail(o, f);
    write_flags(o, "TCPFlagsOff", f->flags_off);
    write_flags(o, "TCPFlagsOn", f->flags_on);
}

/* --- the device's own entries: defaults and anti-spoofing that count or tell --- */

static const struct own {
    uint32_t row;
    const char *name;
} own_rows[] = {
    {DEFENSE_ROW_TX, "Tx Default"}, {DEFENSE_ROW_RX, "Rx Default"}, {DEFENSE_ROW_SPOOF, "Anti Spoofing"}};
#define OWN_ROWS (sizeof(own_rows) / sizeof(own_rows[0]))

static bool row_shows(const struct defense_policy *p, uint32_t row)
{
    if (row == DEFENSE_ROW_SPOOF)
        return p->anti_spoof != 0;
    const struct defense_rest *rest = &p->rest[row == DEFENSE_ROW_TX ? DEFENSE_TX : DEFENSE_RX];
    return rest->count || rest->event;
}

static const struct own *own_at(const struct device *d, unsigned i, const struct defense_policy **policy)
{
    for (size_t k = 0; (*policy = defense_policy_at(d, k)) != NULL; k++) {
        for (size_t r = 0; r < OWN_ROWS; r++) {
            if (row_shows(*policy, own_rows[r].row) && i-- == 0)
                return &own_rows[r];
        }
    }
    return NULL;
}

static unsigned own_count(const struct device *d)
{
    const struct defense_policy *p;
    unsigned n = 0;
    while (own_at(d, n, &p) != NULL)
        n++;
    return n;
}

static struct epr own_epr(const struct own *own, const struct defense_policy *p, char id[CLASS_ID_MAX])
{
    snprintf(id, CLASS_ID_MAX, "%u", p->handle);
    return (struct epr){
        .class_name = "AMT_NetworkFilter",
        .pairs = {{"CreationClassName", "AMT_NetworkFilter"},
                  {"Name", own->name},
                  {"OwnerID", id},
                  {"SystemCreationClassName", "CIM_ComputerSystem"},
                  {"SystemName", "Intel(r) AMT"}},
        .count = 5,
    };
}

static void network_filter(struct device *d, unsigned i, struct out *o)
{
    const struct defense_policy *p;
    const struct own *own = own_at(d, i, &p);
    out_str(o, "CreationClassName", "AMT_NetworkFilter");
    out_str(o, "Name", own->name);
    out_num(o, "OwnerID", p->handle);
    out_str(o, "SystemCreationClassName", "CIM_ComputerSystem");
    out_str(o, "SystemName", "Intel(r) AMT");
}

/* --- what was counted: rows of the active policies that count or tell --- */

static bool counted(const struct device *d, const struct defense_policy *p, uint32_t of)
{
    const struct defense_filter *f = defense_filter(d, of);
    return f != NULL ? f->profile <= DEFENSE_LIMIT || f->event : of >= DEFENSE_ROW_TX && row_shows(p, of);
}

static const struct defense_row *row_at(struct device *d, unsigned i, unsigned *port)
{
    for (*port = 0; *port < DEFENSE_PORTS; (*port)++) {
        const struct defense_live *live = defense_live(d, *port);
        const struct defense_policy *p = defense_policy(d, live->policy);
        for (size_t k = 0; p != NULL && k < live->count; k++) {
            if (counted(d, p, live->rows[k].of) && i-- == 0)
                return &live->rows[k];
        }
    }
    return NULL;
}

static unsigned row_count(const struct device *d)
{
    unsigned n = 0, port;
    while (row_at((struct device *)d, n, &port) != NULL) /* time-outs are noticed by looking */
        n++;
    return n;
}

static void statistics(struct device *d, unsigned i, struct out *o)
{
    unsigned port;
    char policy_id[CLASS_ID_MAX], filter_id[CLASS_ID_MAX];
    const struct defense_row *row = row_at(d, i, &port);
    const struct defense_live *live = defense_live(d, port);
    const struct defense_policy *p = defense_policy(d, live->policy);
    const struct defense_filter *f = defense_filter(d, row->of);
    const struct own *own = own_rows;
    while (f == NULL && own->row != row->of)
        own++;
    struct epr policy =
        epr_one("AMT_SystemDefensePolicy", "InstanceID", class_policy_id(live->policy, policy_id));
    struct epr filter = f != NULL ? class_filter_epr(f, filter_id) : own_epr(own, p, filter_id);
    struct epr in_policy = epr_association("AMT_FilterInSystemDefensePolicy", &policy, &filter);
    struct epr on = epr_ethernet_port(port);
    out_time(o, "ActivationTime", live->since_ms);
    out_epr(o, "Antecedent", &on);
    out_epr(o, "Dependent", &in_policy);
    out_bool(o, "FilterMatched", row->shown_matched);
    out_time(o, "LastResetTime", live->reset_ms);
    out_num(o, "ReadCount", row->shown);
}

/* --- which filter belongs to which policy --- */

static unsigned pair_count(const struct device *d)
{
    unsigned n = 0;
    for (size_t i = 0; i < defense_policy_count(d); i++)
        n += (unsigned)defense_policy_at(d, i)->count;
    return n;
}

static void pair(struct device *d, unsigned i, struct out *o)
{
    const struct defense_policy *p;
    char policy_id[CLASS_ID_MAX], filter_id[CLASS_ID_MAX];
    size_t k = 0;
    while (i >= (p = defense_policy_at(d, k))->count) {
        i -= (unsigned)p->count;
        k++;
    }
    struct epr policy =
        epr_one("AMT_SystemDefensePolicy", "InstanceID", class_policy_id(p->handle, policy_id));
    struct epr filter = class_filter_epr(defense_filter(d, p->handles[i]), filter_id);
    out_epr(o, "Antecedent", &policy);
    out_epr(o, "Dependent", &filter);
}

const struct class_row class_filter_rows[] = {
    {.name = "AMT_ActiveFilterStatistics",
     .admin = true,
     .exact = true,
     .datetime = true,
     .instance = statistics,
     .count = row_count},
    {.name = "AMT_FilterInSystemDefensePolicy",
     .admin = true,
     .exact = true,
     .instance = pair,
     .count = pair_count},
    {.name = "AMT_Hdr8021Filter",
     .admin = true,
     .exact = true,
     .instance = ethernet,
     .count = ethernet_count,
     .create = add_ethernet,
     .remove = drop_ethernet},
    {.name = "AMT_IPHeadersFilter",
     .admin = true,
     .exact = true,
     .instance = ip,
     .count = ip_count,
     .create = add_ip,
     .remove = drop_ip},
    {.name = "AMT_NetworkFilter",
     .admin = true,
     .exact = true,
     .instance = network_filter,
     .count = own_count},
    {0},
};
