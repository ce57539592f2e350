/* Reading a declared configuration. */
#include "amtd/fleet/declaration.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/config_reader.h"
#include "base/text.h"
#include "base/xalloc.h"

struct reading {
    struct config_reader reader; /* first: the tables' functions get it */
    struct declaration *to;
    const yaml_node_t *places[SETTINGS]; /* of the values, for what is wrong with several of them together */
    json_t *mistakes;
};

/* --- one value --- */

static void take(struct reading *rd, int id, const char *value)
{
    xreplace(&rd->to->values[id], value);
}

static void read_choice(struct reading *rd, int id, const yaml_node_t *node)
{
    const struct setting *s = &settings[id];
    const struct option option = {.name = s->name, .type = OPTION_CHOICE, .choices = s->choices};
    bool is_switch = strcmp(s->choices[0], "off") == 0 && strcmp(s->choices[1], "on") == 0;
    const struct option flag = {.name = s->name, .type = OPTION_BOOLEAN};
    size_t before = rd->reader.count;
    bool on = false;
    int at = 0;

    config_set(&rd->reader, is_switch ? &flag : &option, node, is_switch ? (void *)&on : (void *)&at);
    if (rd->reader.count == before)
        take(rd, id, s->choices[is_switch ? on : at]);
}

/* Letters, digits and '-', in labels parted by dots. */
static bool is_dns_name(const char *text, size_t max, bool dots)
{
    size_t n = strlen(text), label = 0;

    if (n == 0 || n > max || text[n - 1] == '-' || text[n - 1] == '.')
        return false;
    for (const char *p = text; *p; p++) {
        bool dash = *p == '-', dot = *p == '.';

        if ((dot && (!dots || label == 0 || p[-1] == '-')) || (dash && label == 0) || label > 63)
            return false;
        if (!dash && !dot && !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", *p))
            return false;
        label = dot ? 0 : label + 1;
    }
    return label <= 63;
}

static bool is_own(int id, const char *text)
{
    return settings[id].own && strcmp(text, "own") == 0;
}

static void read_name(struct reading *rd, int id, const yaml_node_t *node)
{
    const struct setting *s = &settings[id];
    const char *text = config_scalar(node);

    if (text && (is_own(id, text) || is_dns_name(text, (size_t)s->max, s->max > 63)))
        take(rd, id, text);
    else
        config_complain(&rd->reader, node,
                        "'%s': expected %s of letters, digits and '-', at most %lld bytes%s", s->name,
                        s->max > 63 ? "names" : "a name", (long long)s->max, s->own ? ", or 'own'" : "");
}

static void read_ipv4(struct reading *rd, int id, const yaml_node_t *node)
{
    const char *text = config_scalar(node);
    char spelled[INET_ADDRSTRLEN];
    struct in_addr address;

    if (text && is_own(id, text))
        take(rd, id, text);
    else if (text && inet_pton(AF_INET, text, &address) == 1 &&
             inet_ntop(AF_INET, &address, spelled, sizeof(spelled)))
        take(rd, id, spelled);
    else
        config_complain(&rd->reader, node, "'%s': expected an IPv4 address such as 192.0.2.7%s",
                        settings[id].name, settings[id].own ? ", or 'own'" : "");
}

/* One that a machine can have. */
static bool is_machine(const struct in6_addr *address)
{
    return !IN6_IS_ADDR_UNSPECIFIED(address) && !IN6_IS_ADDR_LOOPBACK(address) &&
           !IN6_IS_ADDR_MULTICAST(address) && !IN6_IS_ADDR_V4MAPPED(address);
}

static void read_ipv6(struct reading *rd, int id, const yaml_node_t *node)
{
    const char *text = config_scalar(node);
    char spelled[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (text && (is_own(id, text) || strcmp(text, "none") == 0))
        take(rd, id, text);
    else if (text && inet_pton(AF_INET6, text, &address) == 1 && is_machine(&address) &&
             !(id == SETTING_IPV6_ADDRESS && IN6_IS_ADDR_LINKLOCAL(&address)) &&
             inet_ntop(AF_INET6, &address, spelled, sizeof(spelled)))
        take(rd, id, spelled);
    else
        config_complain(
            &rd->reader, node,
            "'%s': expected an IPv6 address such as 2001:db8::7, without prefix length%s, or 'none'",
            settings[id].name, settings[id].own ? ", 'own'" : "");
}

static void read_vlan(struct reading *rd, int id, const yaml_node_t *node)
{
    const struct setting *s = &settings[id];
    const char *text = config_scalar(node);
    char spelled[16];
    uint64_t tag;

    if (text && (strcmp(text, "off") == 0 || strcmp(text, "no") == 0 || strcmp(text, "false") == 0)) {
        take(rd, id, "off");
    } else if (text && text_u64(text, (uint64_t)s->min, (uint64_t)s->max, &tag)) {
        snprintf(spelled, sizeof(spelled), "%u", (unsigned)tag);
        take(rd, id, spelled);
    } else {
        config_complain(&rd->reader, node, "'%s': expected a number from %lld to %lld, or 'off'", s->name,
                        (long long)s->min, (long long)s->max);
    }
}

static void read_time(struct reading *rd, int id, const yaml_node_t *node)
{
    const struct setting *s = &settings[id];
    int64_t unit_ms = s->unit[0] == 'm' ? 60000 : 1000, ms = -1;
    const struct option option = {
        .name = s->name, .type = OPTION_DURATION, .min = s->min * unit_ms, .max = s->max * unit_ms};
    size_t before = rd->reader.count;
    char text[32];

    config_set(&rd->reader, &option, node, &ms);
    if (rd->reader.count > before)
        return;
    snprintf(text, sizeof(text), "%lld%s", (long long)(ms / unit_ms), s->unit);
    if (ms % unit_ms == 0)
        take(rd, id, text);
    else
        config_complain(&rd->reader, node, "'%s': devices keep it in whole %s", s->name,
                        s->unit[0] == 'm' ? "minutes" : "seconds");
}

static bool mark_choice(const struct setting *s, const char *text, bool *marks)
{
    for (int i = 0; text && s->choices[i]; i++)
        if (strcmp(text, s->choices[i]) == 0)
            return marks[i] = true;
    return false;
}

static void read_set(struct reading *rd, int id, const yaml_node_t *node)
{
    const struct setting *s = &settings[id];
    const struct option one = {.name = s->name, .type = OPTION_CHOICE, .choices = s->choices};
    bool marks[8] = {false};
    size_t before = rd->reader.count;
    struct buf text = buf_init(200);
    int unused;

    if (node->type != YAML_SEQUENCE_NODE) {
        config_complain(&rd->reader, node, "'%s': expected a list", s->name);
        buf_free(&text);
        return;
    }
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
        const yaml_node_t *item = yaml_document_get_node(rd->reader.doc, *i);

        if (!mark_choice(s, config_scalar(item), marks))
            config_set(&rd->reader, &one, item, &unused); /* complains */
    }
    for (int i = 0; s->choices[i]; i++)
        if (marks[i])
            buf_printf(&text, "%s%s", text.len > 0 ? "," : "", s->choices[i]);
    if (rd->reader.count == before)
        take(rd, id, buf_str(&text));
    buf_free(&text);
}

static void (*const readers[])(struct reading *rd, int id, const yaml_node_t *node) = {
    [SETTING_IS_CHOICE] = read_choice, [SETTING_IS_NAME] = read_name, [SETTING_IS_IPV4] = read_ipv4,
    [SETTING_IS_TIME] = read_time,     [SETTING_IS_SET] = read_set,   [SETTING_IS_IPV6] = read_ipv6,
    [SETTING_IS_VLAN] = read_vlan,
};

/* --- the file --- */

/* base is the value's place in the declaration, which tells which setting it is. */
static void read_value(struct config_reader *r, const yaml_node_t *node, void *base)
{
    struct reading *rd = (struct reading *)r;
    int id = (int)((char **)base - rd->to->values);

    rd->places[id] = node;
    readers[settings[id].type](rd, id, node);
}

static void read_section(struct config_reader *r, const yaml_node_t *node, const char *section)
{
    struct reading *rd = (struct reading *)r;
    struct option table[SETTINGS];
    size_t count = 0;

    for (size_t i = 0; i < SETTINGS; i++)
        if (strcmp(settings[i].section, section) == 0)
            table[count++] =
                (struct option){settings[i].name, OPTION_OTHER, i * sizeof(char *), 0, 0, NULL, read_value};
    config_read_map(r, node, table, count, rd->to->values, 0);
}

static bool is_section(const char *name)
{
    for (size_t i = 0; i < SETTINGS; i++)
        if (strcmp(settings[i].section, name) == 0)
            return true;
    return false;
}

static void read_root_pair(struct reading *rd, const yaml_node_t *root, const yaml_node_pair_t *pair)
{
    static const struct option texts[] = {
        {"name", OPTION_TEXT, offsetof(struct declaration, name)},
        {"description", OPTION_TEXT, offsetof(struct declaration, text)},
    };
    struct config_reader *r = &rd->reader;
    const yaml_node_t *key = yaml_document_get_node(r->doc, pair->key);
    const yaml_node_t *value = yaml_document_get_node(r->doc, pair->value);
    const char *name = config_scalar(key);

    if (name && config_find(r, root, name) != value) {
        config_complain(r, key, "'%s' is given twice", name);
        return;
    }
    for (size_t i = 0; name && i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(name, texts[i].name) == 0) {
            config_set(r, &texts[i], value, (char *)rd->to + texts[i].offset);
            return;
        }
    }
    if (name && is_section(name))
        read_section(r, value, name);
    else
        config_complain(r, key, "there is no '%.60s' in a configuration", name ? name : "?");
}

/* --- what is wrong with several values together --- */

static bool is_mask(const char *text)
{
    struct in_addr address;
    uint32_t holes;

    if (inet_pton(AF_INET, text, &address) != 1)
        return false;
    holes = ~ntohl(address.s_addr);
    return (holes & (holes + 1)) == 0 && address.s_addr != 0;
}

/* The router is in another network than the address that is spelled out. */
static bool is_apart(char *const *values)
{
    struct in_addr address, mask, gateway;

    return values[SETTING_ADDRESS] && inet_pton(AF_INET, values[SETTING_ADDRESS], &address) == 1 &&
           values[SETTING_MASK] && inet_pton(AF_INET, values[SETTING_MASK], &mask) == 1 &&
           values[SETTING_GATEWAY] && inet_pton(AF_INET, values[SETTING_GATEWAY], &gateway) == 1 &&
           gateway.s_addr != 0 && ((gateway.s_addr ^ address.s_addr) & mask.s_addr) != 0;
}

static void check_addresses(struct reading *rd)
{
    static const int of_static[] = {SETTING_ADDRESS, SETTING_MASK, SETTING_GATEWAY, SETTING_DNS,
                                    SETTING_DNS_2};
    char *const *values = rd->to->values;
    bool is_static = values[SETTING_IPV4] && strcmp(values[SETTING_IPV4], "static") == 0;

    for (size_t i = 0; i < sizeof(of_static) / sizeof(of_static[0]); i++)
        if (!is_static && rd->places[of_static[i]])
            config_complain(&rd->reader, rd->places[of_static[i]], "'%s' goes with 'ipv4: static'",
                            settings[of_static[i]].name);
    if (is_static && (!rd->places[SETTING_ADDRESS] || !rd->places[SETTING_MASK]))
        config_complain(&rd->reader, rd->places[SETTING_IPV4], "'ipv4: static' needs 'address' and 'mask'");
    if (is_apart(values))
        config_complain(&rd->reader, rd->places[SETTING_GATEWAY], "'gateway': %s is not in the network of %s",
                        values[SETTING_GATEWAY], values[SETTING_ADDRESS]);
    if (values[SETTING_MASK] && !is_mask(values[SETTING_MASK]))
        config_complain(&rd->reader, rd->places[SETTING_MASK], "'mask': '%s' is none", values[SETTING_MASK]);
}

static void check_ipv6(struct reading *rd)
{
    char *const *values = rd->to->values;
    bool off = values[SETTING_IPV6] && strcmp(values[SETTING_IPV6], "off") == 0;

    for (int id = SETTING_IPV6_ADDRESS; off && id <= SETTING_IPV6_DNS_2; id++)
        if (values[id] && strcmp(values[id], "none") != 0)
            config_complain(&rd->reader, rd->places[id], "'%s' does not go with 'ipv6: off'",
                            settings[id].name);
}

static bool is_name(const char *text)
{
    size_t n = strlen(text);

    return n > 0 && n <= DECLARATION_NAME_MAX &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] == '\0';
}

static void check_whole(struct reading *rd, const yaml_node_t *root)
{
    struct config_reader *r = &rd->reader;
    bool any = false;

    check_addresses(rd);
    check_ipv6(rd);
    for (size_t i = 0; i < SETTINGS; i++)
        any = any || rd->places[i];
    if (!any)
        config_complain(r, root, "nothing is declared: give a section such as 'network' or 'redirection'");
    if (rd->to->name && !is_name(rd->to->name))
        config_complain(r, config_find(r, root, "name"),
                        "'name': expected letters, digits, '-', '_' and '.', at most %d",
                        DECLARATION_NAME_MAX);
    if (rd->to->text && !text_is_utf8(rd->to->text, strlen(rd->to->text)))
        config_complain(r, config_find(r, root, "description"), "'description': expected text");
}

static void read_root(void *arg)
{
    struct reading *rd = arg;
    struct config_reader *r = &rd->reader;
    const yaml_node_t *root = yaml_document_get_root_node(r->doc);
    const yaml_mark_t start = {0};

    if (!root) {
        config_complain_at(r, &start, "the file is empty");
        return;
    }
    if (root->type != YAML_MAPPING_NODE) {
        config_complain(r, root, "expected names with values, 'name: value'");
        return;
    }
    for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top; p++)
        read_root_pair(rd, root, p);
    check_whole(rd, root);
}

static void add_mistake(void *arg, size_t line, size_t column, const char *text)
{
    struct reading *rd = arg;
    struct buf said = buf_init(4096);

    text_printable(&said, text, strlen(text));
    json_array_append_new(rd->mistakes, json_pack("{s:I, s:I, s:s}", "line", (json_int_t)line, "column",
                                                  (json_int_t)column, "text", buf_str(&said)));
    buf_free(&said);
}

static void set_hash(struct declaration *d, const void *text, size_t n)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct buf hex = buf_init(2 * sizeof(digest) + 1);
    unsigned size = 0;

    if (EVP_Digest(text, n, digest, &size, EVP_sha256(), NULL) != 1)
        size = 0;
    text_hex(&hex, digest, size, false);
    snprintf(d->hash, sizeof(d->hash), "%s", buf_str(&hex));
    buf_free(&hex);
}

struct declaration *declaration_read(const char *fallback, const void *text, size_t n, json_t **mistakes)
{
    struct buf unused = buf_init(1);
    struct reading rd = {.reader = {.path = fallback, .mistakes = &unused, .tell = add_mistake},
                         .to = xcalloc(1, sizeof(*rd.to)),
                         .mistakes = json_array()};

    rd.reader.tell_arg = &rd;
    if (n > DECLARATION_BYTES_MAX)
        add_mistake(&rd, 0, 0, "a configuration is at most 64 KiB large");
    else
        config_load_text(&rd.reader, text, n, read_root, &rd);
    buf_free(&unused);
    *mistakes = rd.mistakes;
    if (json_array_size(rd.mistakes) > 0) {
        declaration_free(rd.to);
        return NULL;
    }
    if (!rd.to->name)
        rd.to->name = xstrdup(fallback);
    set_hash(rd.to, text, n);
    return rd.to;
}

void declaration_free(struct declaration *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < SETTINGS; i++)
        free(d->values[i]);
    free(d->name);
    free(d->text);
    free(d);
}

void declaration_complain(const char *name, const json_t *mistakes, struct err *err)
{
    struct buf text = buf_init(400);
    const json_t *one = json_array_get(mistakes, 0);
    size_t more = json_array_size(mistakes) > 1 ? json_array_size(mistakes) - 1 : 0;

    buf_printf(&text, "%s:%lld:%lld: %.200s", name,
               (long long)json_integer_value(json_object_get(one, "line")),
               (long long)json_integer_value(json_object_get(one, "column")),
               json_string_value(json_object_get(one, "text")));
    if (more > 0)
        buf_printf(&text, " (and %zu more mistakes)", more);
    err_set(err, CAUSE_INVALID_ARGUMENT, "%s", buf_str(&text));
    buf_free(&text);
}

json_t *declaration_json(const struct declaration *d)
{
    json_t *values = json_object();

    for (size_t i = 0; i < SETTINGS; i++) {
        char name[64];

        if (!d->values[i])
            continue;
        snprintf(name, sizeof(name), "%s.%s", settings[i].section, settings[i].name);
        json_object_set_new(values, name, json_string(d->values[i]));
    }
    return json_pack("{s:s, s:s*, s:s, s:o}", "name", d->name, "text", d->text, "hash", d->hash, "settings",
                     values);
}
