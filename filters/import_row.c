#include "filters/import_row.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "filters/item.h"

#define KEY_MAX     64
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

struct import_name {
    UT_hash_handle hh;
    char name[];
};

/* --- what fields mean --- */

static const struct {
    const char *key;
    enum import_field field;
} plain_fields[] = {
    {"name", FIELD_NAME},
    {"title", FIELD_NAME},
    {"description", FIELD_NAME},
    {"policyname", FIELD_NAME},
    {"enabled", FIELD_ENABLED},
    {"active", FIELD_ENABLED},
    {"direction", FIELD_DIRECTION},
    {"filterdirection", FIELD_DIRECTION},
    {"type", FIELD_DIRECTION},
    {"protocol", FIELD_PROTOCOL},
    {"proto", FIELD_PROTOCOL},
    {"ipprotocol", FIELD_PROTOCOL},
    {"hdrprotocolid", FIELD_PROTOCOL},
    {"ethertype", FIELD_ETHERTYPE},
    {"hdrprotocolid8021", FIELD_ETHERTYPE},
    {"ip", FIELD_OF(SIDE_REMOTE, PROPERTY_ADDRESS)},
    {"ipversion", FIELD_IP},
    {"hdripversion", FIELD_IP},
    {"action", FIELD_ACTION},
    {"filtertype", FIELD_ACTION},
    {"profile", FIELD_ACTION},
    {"filterprofile", FIELD_ACTION},
    {"rate", FIELD_RATE},
    {"limit", FIELD_RATE},
    {"pps", FIELD_RATE},
    {"profiledata", FIELD_RATE},
    {"filterprofiledata", FIELD_RATE},
    {"count", FIELD_COUNT},
    {"counter", FIELD_COUNT},
    {"event", FIELD_EVENT},
    {"log", FIELD_EVENT},
    {"eventonmatch", FIELD_EVENT},
    {"actioneventonmatch", FIELD_EVENT},
    {"comment", FIELD_COMMENT},
    {"remark", FIELD_COMMENT},
    {"note", FIELD_COMMENT},
    {"notes", FIELD_COMMENT},
    {"server", FIELD_OF(SIDE_REMOTE, PROPERTY_ADDRESS)},
    {"remote", FIELD_OF(SIDE_REMOTE, PROPERTY_ADDRESS)},
    {"local", FIELD_OF(SIDE_LOCAL, PROPERTY_ADDRESS)},
    {"source", FIELD_OF(SIDE_SOURCE, PROPERTY_ADDRESS)},
    {"destination", FIELD_OF(SIDE_DESTINATION, PROPERTY_ADDRESS)},
};

static const struct {
    const char *word;
    enum import_side side;
    bool first; /* only at the beginning */
} side_words[] = {
    {"source", SIDE_SOURCE, false},
    {"src", SIDE_SOURCE, false},
    {"sending", SIDE_SOURCE, false},
    {"from", SIDE_SOURCE, true},
    {"destination", SIDE_DESTINATION, false},
    {"dest", SIDE_DESTINATION, false},
    {"dst", SIDE_DESTINATION, false},
    {"receiving", SIDE_DESTINATION, false},
    {"to", SIDE_DESTINATION, true},
    {"local", SIDE_LOCAL, false},
    {"client", SIDE_LOCAL, false},
    {"pc", SIDE_LOCAL, true},
    {"remote", SIDE_REMOTE, false},
    {"server", SIDE_REMOTE, false},
    {"peer", SIDE_REMOTE, false},
};

static const char *const port_ends[] = {"end", "max", "high", "last"};

static bool holds_one(const char *key, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(key, words[i]))
            return true;
    return false;
}

static int property_of(const char *key)
{
    static const char *const addresses[] = {"address", "addr", "ip"};

    if (strstr(key, "mask") || strstr(key, "subnet"))
        return PROPERTY_MASK;
    if (strstr(key, "port"))
        return holds_one(key, port_ends, COUNT_OF(port_ends)) ? PROPERTY_PORT_END : PROPERTY_PORT;
    return holds_one(key, addresses, COUNT_OF(addresses)) ? PROPERTY_ADDRESS : -1;
}

/* Lower case, letters and digits only. */
static void plain_key(const char *key, char out[KEY_MAX])
{
    size_t n = 0;

    for (; *key && n + 1 < KEY_MAX; key++)
        if (isalnum((unsigned char)*key))
            out[n++] = (char)tolower((unsigned char)*key);
    out[n] = '\0';
}

int import_field_of(const char *key)
{
    char plain[KEY_MAX];
    int property;

    plain_key(key, plain);
    for (size_t i = 0; i < COUNT_OF(plain_fields); i++)
        if (strcmp(plain_fields[i].key, plain) == 0)
            return plain_fields[i].field;
    property = property_of(plain);
    if (property < 0)
        return -1;
    for (size_t i = 0; i < COUNT_OF(side_words); i++) {
        const char *at = strstr(plain, side_words[i].word);

        if (at && (!side_words[i].first || at == plain))
            return FIELD_OF(side_words[i].side, property);
    }
    return FIELD_OF(SIDE_REMOTE, property);
}

bool import_key_is_side(const char *key)
{
    static const char *const words[] = {"source",     "src",       "sender",   "from",   "destination",
                                        "dest",       "dst",       "receiver", "to",     "local",
                                        "localside",  "localhost", "localend", "remote", "remoteside",
                                        "remotehost", "remoteend"};
    char plain[KEY_MAX];

    plain_key(key, plain);
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strcmp(words[i], plain) == 0)
            return true;
    return false;
}

bool import_field_is_end(int field)
{
    return field >= FIELD_SIDES;
}

void import_row_set(struct import_row *row, enum import_field field, const char *value)
{
    value += strspn(value, " \t\r\n");
    if (value[0] == '\0')
        return;
    if (row->values[field] && field == FIELD_NAME)
        field = FIELD_COMMENT; /* a name and a description */
    if (!row->values[field])
        row->values[field] = xstrdup(value);
}

void import_row_clear(struct import_row *row)
{
    for (size_t i = 0; i < FIELDS; i++)
        free(row->values[i]);
    *row = (struct import_row){0};
}

/* --- what is told --- */

__attribute__((format(printf, 4, 0))) static void tell(struct import *import, enum finding_level level,
                                                       int line, const char *fmt, va_list ap)
{
    findings_vadd(import->findings, level, (struct place){import->file->path, line}, NULL, fmt, ap);
}

void import_warn(struct import *import, int line, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    tell(import, FINDING_WARNING, line, fmt, ap);
    va_end(ap);
}

void import_note(struct import *import, int line, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    tell(import, FINDING_NOTE, line, fmt, ap);
    va_end(ap);
}

/* --- values --- */

/* Words of others for words of ours. */
struct translation {
    const char *theirs, *ours;
};
static const struct translation directions[] = {
    {"in", "in"},    {"inbound", "in"},   {"incoming", "in"},
    {"rx", "in"},    {"receive", "in"},   {"1", "in"},
    {"out", "out"},  {"outbound", "out"}, {"outgoing", "out"},
    {"tx", "out"},   {"transmit", "out"}, {"send", "out"},
    {"0", "out"},    {"both", "both"},    {"any", "both"},
    {"all", "both"}, {"inout", "both"},   {"bidirectional", "both"},
    {NULL, NULL}};
static const struct translation actions[] = {
    {"pass", "pass"},   {"allow", "pass"},  {"permit", "pass"},     {"accept", "pass"},
    {"0", "pass"},      {"3", "pass"},      {"drop", "drop"},       {"block", "drop"},
    {"deny", "drop"},   {"reject", "drop"}, {"1", "drop"},          {"4", "drop"},
    {"limit", "limit"}, {"2", "limit"},     {"ratelimit", "limit"}, {NULL, NULL}};
static const struct translation booleans[] = {{"yes", "yes"}, {"true", "yes"}, {"1", "yes"},    {"on", "yes"},
                                              {"x", "yes"},   {"no", "no"},    {"false", "no"}, {"0", "no"},
                                              {"off", "no"},  {NULL, NULL}};
static const struct translation protocols[] = {{"ip", "any"},     {"all", "any"},      {"both", "any"},
                                               {"tcpudp", "any"}, {"icmp6", "icmpv6"}, {"ipv6icmp", "icmpv6"},
                                               {NULL, NULL}};

static const char *translate(const struct translation *table, const char *plain)
{
    for (; table->theirs; table++)
        if (strcmp(table->theirs, plain) == 0)
            return table->ours;
    return NULL;
}

/* A value by a table; false and a warning when it is not in it. NULL values stay NULL. */
static bool take(struct import *import, const struct import_row *row, enum import_field field,
                 const char *what, const struct translation *table, const char **out)
{
    char plain[KEY_MAX];

    *out = NULL;
    if (!row->values[field])
        return true;
    plain_key(row->values[field], plain);
    *out = translate(table, plain);
    if (!*out)
        import_warn(import, row->line, "%s '%s' is not understood: the row is not carried over", what,
                    row->values[field]);
    return *out != NULL;
}

static bool is_any(const char *text)
{
    static const char *const words[] = {"any", "*", "all", "0.0.0.0", "::", "0", "-"};

    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strcmp(words[i], text) == 0)
            return true;
    return false;
}

/* "C0A80100" as objects of AMT have it. */
static bool hex_address(const char *text, struct buf *out)
{
    size_t n = strlen(text);
    uint8_t bytes[16] = {0};

    if ((n != 8 && n != 32) || strspn(text, "0123456789abcdefABCDEF") != n)
        return false;
    for (size_t i = 0; i < n / 2; i++) {
        char two[3] = {text[2 * i], text[2 * i + 1], '\0'};

        bytes[i] = (uint8_t)strtoul(two, NULL, 16);
    }
    net_address_text(net_from_bytes(bytes, n == 8 ? 4 : 6), n == 8 ? 4 : 6, out);
    return true;
}

/* One address with its mask; the bits outside of it go. */
static void masked_text(const char *address, const char *mask, struct buf *out)
{
    uint8_t a[4], m[4];

    if (inet_pton(AF_INET, address, a) == 1 && inet_pton(AF_INET, mask, m) == 1) {
        net_address_text(net_from_bytes(a, 4) & net_from_bytes(m, 4), 4, out);
        buf_printf(out, "/%s", mask);
    } else {
        buf_printf(out, "%s/%s", address, mask);
    }
}

/* The value of an address attribute; "" for any. */
static void address_text(struct import *import, const struct import_row *row, enum import_side side,
                         struct buf *out)
{
    const char *text = row->values[FIELD_OF(side, PROPERTY_ADDRESS)];
    const char *mask = row->values[FIELD_OF(side, PROPERTY_MASK)];
    struct buf address = buf_init(1000), bits = buf_init(100);

    if (text && !is_any(text)) {
        bool hex = hex_address(text, &address);

        if (!hex)
            buf_puts(&address, text);
        if (mask && !hex_address(mask, &bits))
            buf_puts(&bits, mask);
        if (!hex && text[0] != '@' && !strpbrk(text, ".:,")) {
            import_warn(import, row->line, "'%s' stands where an address is expected: taken for @management",
                        text);
            buf_puts(out, "@management");
        } else if (mask && !strpbrk(text, "/-, ")) {
            masked_text(buf_str(&address), buf_str(&bits), out);
        } else {
            buf_puts(out, buf_str(&address));
        }
    }
    buf_free(&address);
    buf_free(&bits);
}

static void port_text(const struct import_row *row, enum import_side side, struct buf *out)
{
    const char *first = row->values[FIELD_OF(side, PROPERTY_PORT)];
    const char *last = row->values[FIELD_OF(side, PROPERTY_PORT_END)];

    if (!first || is_any(first))
        return;
    for (const char *p = first; *p; p++)
        buf_putc(out, *p == ':' ? '-' : *p == ';' ? ',' : *p);
    if (last && !is_any(last) && strcmp(first, last) != 0 && !strpbrk(first, "-:,;"))
        buf_printf(out, "-%s", last);
}

/* --- names --- */

static bool name_taken(struct import *import, const char *name)
{
    struct import_name *found;

    HASH_FIND_STR(import->names, name, found);
    return found != NULL;
}

/* The row's name in our letters, cut, and unlike all others. */
static void name_text(struct import *import, const struct import_row *row, char out[RULE_NAME_MAX + 1])
{
    const char *wanted = row->values[FIELD_NAME];
    char base[RULE_NAME_MAX + 1] = "", tail[RULE_NAME_MAX] = "";
    struct import_name *name;
    size_t n = 0;

    for (; wanted && *wanted && n < RULE_NAME_MAX; wanted++)
        if (isalnum((unsigned char)*wanted) || strchr("._-", *wanted))
            base[n++] = *wanted;
        else if (n > 0 && base[n - 1] != '-')
            base[n++] = '-';
    if (n == 0)
        snprintf(base, sizeof(base), "rule-%u", ++import->unnamed % 1000000);
    for (unsigned number = 1;; number++) {
        if (number > 1)
            snprintf(tail, sizeof(tail), "%u", number % 1000000);
        snprintf(out, RULE_NAME_MAX + 1, "%.*s%s", (int)(RULE_NAME_MAX - strlen(tail)), base, tail);
        if (!name_taken(import, out))
            break;
    }
    name = xcalloc(1, sizeof(*name) + RULE_NAME_MAX + 1);
    memcpy(name->name, out, strlen(out) + 1);
    HASH_ADD_STR(import->names, name, name);
}

/* --- a row as a rule --- */

static void set(struct filter_item *item, enum filter_attribute attribute, const char *value)
{
    if (value && value[0] != '\0')
        xreplace(&item->values[attribute], value);
}

static void drop_last(struct filter_file *file)
{
    struct filter_item *item = &file->items[--file->count];

    for (size_t i = 0; i < ATTRIBUTES; i++)
        free(item->values[i]);
    free(item->remark);
}

/* What the words say. False: it was said why the row is left out. */
static bool fill_words(struct import *import, const struct import_row *row, struct filter_item *item)
{
    const char *direction, *action, *enabled, *event, *count;

    if (!take(import, row, FIELD_DIRECTION, "direction", directions, &direction) ||
        !take(import, row, FIELD_ACTION, "action", actions, &action) ||
        !take(import, row, FIELD_ENABLED, "enabled", booleans, &enabled) ||
        !take(import, row, FIELD_EVENT, "event", booleans, &event) ||
        !take(import, row, FIELD_COUNT, "count", booleans, &count))
        return false;
    if (!action && row->values[FIELD_RATE] && strcmp(row->values[FIELD_RATE], "0") != 0)
        action = "limit";
    if (direction && strcmp(direction, "both") != 0)
        set(item, ATTRIBUTE_DIRECTION, direction);
    if (action && strcmp(action, "pass") != 0)
        set(item, ATTRIBUTE_ACTION, action);
    if (action && strcmp(action, "limit") == 0)
        set(item, ATTRIBUTE_RATE, row->values[FIELD_RATE]);
    if (enabled && strcmp(enabled, "no") == 0)
        set(item, ATTRIBUTE_ENABLED, "no");
    if (event && strcmp(event, "yes") == 0)
        set(item, ATTRIBUTE_EVENT, "yes");
    if (count && strcmp(count, "yes") == 0)
        set(item, ATTRIBUTE_COUNT, "yes");
    set(item, ATTRIBUTE_ETHERTYPE, row->values[FIELD_ETHERTYPE]);
    set(item, ATTRIBUTE_IP, row->values[FIELD_IP]);
    set(item, ATTRIBUTE_COMMENT, row->values[FIELD_COMMENT]);
    return true;
}

static void fill_side(struct import *import, const struct import_row *row, enum import_side side,
                      enum filter_attribute address, enum filter_attribute ports, struct filter_item *item)
{
    struct buf text = buf_init(65536);

    address_text(import, row, side, &text);
    set(item, address, buf_str(&text));
    buf_reset(&text);
    port_text(row, side, &text);
    set(item, ports, buf_str(&text));
    buf_free(&text);
}

static void fill_sides(struct import *import, const struct import_row *row, struct filter_item *item)
{
    const char *direction = item->values[ATTRIBUTE_DIRECTION];
    bool enters = direction && strcmp(direction, "in") == 0;

    fill_side(import, row, SIDE_LOCAL, ATTRIBUTE_LOCAL, ATTRIBUTE_LOCAL_PORTS, item);
    fill_side(import, row, SIDE_REMOTE, ATTRIBUTE_REMOTE, ATTRIBUTE_REMOTE_PORTS, item);
    fill_side(import, row, enters ? SIDE_DESTINATION : SIDE_SOURCE, ATTRIBUTE_LOCAL, ATTRIBUTE_LOCAL_PORTS,
              item);
    fill_side(import, row, enters ? SIDE_SOURCE : SIDE_DESTINATION, ATTRIBUTE_REMOTE, ATTRIBUTE_REMOTE_PORTS,
              item);
}

static void add_as(struct import *import, const struct import_row *row, const char *protocol)
{
    struct filter_item *item = filter_file_add(import->file, ELEMENT_RULE, row->line);
    struct findings wrong = {0};
    struct rule rule = {0};
    char name[RULE_NAME_MAX + 1];

    if (!fill_words(import, row, item)) {
        drop_last(import->file);
        return;
    }
    name_text(import, row, name);
    set(item, ATTRIBUTE_NAME, name);
    fill_sides(import, row, item);
    if (protocol && strcmp(protocol, "any") != 0)
        set(item, ATTRIBUTE_PROTOCOL, protocol);
    item_rule(item, NULL, &rule, &wrong);
    match_clear(&rule.match);
    for (size_t i = 0; i < wrong.count; i++)
        import_warn(import, row->line, "row '%s' is not carried over: %s",
                    row->values[FIELD_NAME] ? row->values[FIELD_NAME] : name, wrong.items[i].text);
    if (wrong.errors > 0)
        drop_last(import->file);
    findings_clear(&wrong);
}

static bool has_ports(const struct import_row *row)
{
    for (enum import_side side = SIDE_LOCAL; side < SIDES; side++) {
        const char *port = row->values[FIELD_OF(side, PROPERTY_PORT)];

        if (port && !is_any(port))
            return true;
    }
    return false;
}

void import_row_add(struct import *import, const struct import_row *row)
{
    char plain[KEY_MAX] = "any";
    const char *protocol;

    if (import->file->count >= RULES_MAX) {
        if (!import->full)
            import_warn(import, row->line, "more than %d rows: the rest is not carried over", RULES_MAX);
        import->full = true;
        return;
    }
    if (row->values[FIELD_PROTOCOL])
        plain_key(row->values[FIELD_PROTOCOL], plain);
    protocol = translate(protocols, plain) ? translate(protocols, plain) : plain;
    if (strcmp(protocol, "any") != 0 || !has_ports(row)) {
        add_as(import, row, row->values[FIELD_ETHERTYPE] ? NULL : protocol);
        return;
    }
    import_note(import, row->line, "ports without a protocol: made a rule for tcp and one for udp");
    add_as(import, row, "tcp");
    add_as(import, row, "udp");
}

void import_end(struct import *import)
{
    struct import_name *name, *next;

    HASH_ITER(hh, import->names, name, next)
    {
        HASH_DEL(import->names, name);
        free(name);
    }
}
