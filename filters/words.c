#include "filters/words.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hostlist.h"
#include "base/text.h"
#include "base/xalloc.h"

#define SEPARATORS    " \t\r\n,"
#define PORT_MAX      65535
#define ETHERTYPE_MIN 1536 /* below it the field is a length (IEEE 802.3) */
#define WORD_MAX      300

struct word {
    unsigned value;
    const char *word;
};

static const struct word protocols[] = {{1, "icmp"}, {2, "igmp"}, {6, "tcp"},     {17, "udp"}, {47, "gre"},
                                        {50, "esp"}, {51, "ah"},  {58, "icmpv6"}, {0, NULL}};
static const struct word ethertypes[] = {{0x0800, "ipv4"},  {0x0806, "arp"},  {0x86dd, "ipv6"},
                                         {0x888e, "eapol"}, {0x88cc, "lldp"}, {0, NULL}};
static const struct word flags[] = {{1, "fin"},  {2, "syn"},  {4, "rst"}, {8, "psh"},
                                    {16, "ack"}, {32, "urg"}, {0, NULL}};

static const struct word *by_word(const struct word *table, const char *word)
{
    for (; table->word; table++)
        if (strcmp(table->word, word) == 0)
            return table;
    return NULL;
}

static const char *by_value(const struct word *table, unsigned value)
{
    for (; table->word; table++)
        if (table->value == value)
            return table->word;
    return NULL;
}

/* The next word of a list into `word`; false at the end. Longer words are cut, and then mean nothing. */
static bool next_word(const char **text, char word[WORD_MAX])
{
    size_t n;

    *text += strspn(*text, SEPARATORS);
    n = strcspn(*text, SEPARATORS);
    if (n == 0)
        return false;
    snprintf(word, WORD_MAX, "%.*s", (int)(n < WORD_MAX ? n : WORD_MAX - 1), *text);
    *text += n;
    return true;
}

int words_each_name(const char *text, int (*fn)(void *arg, const char *name), void *arg)
{
    char word[WORD_MAX];
    int rc = 0;

    while (rc == 0 && next_word(&text, word))
        if (word[0] == '@')
            rc = fn(arg, word + 1);
    return rc;
}

/* --- addresses --- */

static bool read_address(const char *text, uint8_t *version, net_number *out)
{
    uint8_t bytes[16];

    if (inet_pton(AF_INET, text, bytes) == 1)
        *version = 4;
    else if (inet_pton(AF_INET6, text, bytes) == 1)
        *version = 6;
    else
        return false;
    *out = net_from_bytes(bytes, *version);
    return true;
}

/* "24", "255.255.255.0" or "ffff::" as a number of bits. */
static bool read_mask(const char *text, uint8_t version, uint8_t *bits)
{
    uint8_t width = version == 4 ? 32 : 128, mask_version;
    net_number mask;
    uint64_t number;

    if (text_u64(text, 0, width, &number)) {
        *bits = (uint8_t)number;
        return true;
    }
    if (!read_address(text, &mask_version, &mask) || mask_version != version)
        return false;
    for (*bits = 0; *bits < width && net_mask(version, *bits) != mask; (*bits)++)
        ;
    return net_mask(version, *bits) == mask;
}

static int add_network(const char *address, const char *mask, const char *word, struct nets *out,
                       struct err *err)
{
    struct net net = {0};
    struct buf right = buf_init(100);

    if (!read_address(address, &net.version, &net.address))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected an IPv4 or IPv6 address before the '/'",
                       word);
    if (!read_mask(mask, net.version, &net.bits))
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'%s': expected after the '/' a number up to %d, or a mask of ones followed by zeros",
                       word, net.version == 4 ? 32 : 128);
    if ((net.address & ~net_mask(net.version, net.bits)) != 0) {
        net.address &= net_mask(net.version, net.bits);
        net_text(&net, &right);
        err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': the address has bits outside its mask; the network is %s",
                word, buf_str(&right));
        buf_free(&right);
        return -1;
    }
    return nets_add(out, &net, err);
}

static int add_span(const char *first, const char *last, const char *word, struct nets *out, struct err *err)
{
    uint8_t from_version = 0, to_version = 0;
    net_number from = 0, to = 0;

    if (!read_address(first, &from_version, &from) || !read_address(last, &to_version, &to) ||
        from_version != to_version || from > to)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected FIRST-LAST, two addresses of one kind",
                       word);
    return nets_add_range(out, from_version, from, to, err);
}

static int add_values(const char *what, const char *values, struct names *names, struct nets *out,
                      struct err *err);

static bool is_host_name(const char *word)
{
    size_t n = strlen(word);
    bool letter = false;

    for (size_t i = 0; i < n; i++) {
        letter |= isalpha((unsigned char)word[i]) != 0;
        if (!isalnum((unsigned char)word[i]) && (!strchr(".-_", word[i]) || i == 0))
            return false;
    }
    return letter && n <= HOSTLIST_NAME_MAX;
}

static int add_host(const char *host, struct names *names, struct nets *out, struct err *err)
{
    struct buf addresses = buf_init(65536);
    int rc;

    if (!names)
        return 0;
    rc = names_resolve(names, host, &addresses, err);
    if (rc == 0)
        rc = add_values(host, buf_str(&addresses), NULL, out, err);
    buf_free(&addresses);
    return rc;
}

static int add_name(const char *name, struct names *names, struct nets *out, struct err *err)
{
    const char *value;

    if (!name_is_valid(name))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'@%s': expected a name behind the '@'", name);
    if (!names)
        return 0;
    value = names_get_or_placeholder(names, name);
    if (!value)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "@%s is not set", name_canonical(name));
    return add_values(name, value, names, out, err);
}

static int add_word(const char *word, struct names *names, struct nets *out, struct err *err)
{
    char *parts = xstrdup(word), *cut;
    struct net net = {0};
    int rc;

    if (word[0] == '@') {
        rc = add_name(word + 1, names, out, err);
    } else if ((cut = strchr(parts, '/')) != NULL) {
        *cut = '\0';
        rc = add_network(parts, cut + 1, word, out, err);
    } else if (read_address(word, &net.version, &net.address)) {
        net.bits = net.version == 4 ? 32 : 128;
        rc = nets_add(out, &net, err);
    } else if ((cut = strchr(parts, '-')) != NULL &&
               strspn(word, "0123456789abcdefABCDEF:.-") == strlen(word) && strpbrk(parts, ".:") != NULL) {
        *cut = '\0';
        rc = add_span(parts, cut + 1, word, out, err);
    } else if (is_host_name(word)) {
        rc = add_host(word, names, out, err);
    } else {
        rc =
            err_set(err, CAUSE_INVALID_ARGUMENT,
                    "'%s': expected any, @name, an address, ADDRESS/BITS, ADDRESS/MASK, FIRST-LAST or a host "
                    "name",
                    word);
    }
    free(parts);
    return rc;
}

/* What a name or a resolver gave: no further names. */
static int add_values(const char *what, const char *values, struct names *names, struct nets *out,
                      struct err *err)
{
    char word[WORD_MAX];

    while (next_word(&values, word)) {
        if (word[0] == '@')
            return err_set(err, CAUSE_INVALID_ARGUMENT, "%s: '%s' is no address", what, word);
        if (add_word(word, names, out, err) != 0)
            return err_context(err, "%s", what);
    }
    return 0;
}

int words_addresses(const char *text, struct names *names, bool *any, struct nets *out, struct err *err)
{
    const char *rest = text;
    char word[WORD_MAX];
    size_t words = 0;

    *any = false;
    while (next_word(&rest, word)) {
        words++;
        if (strcmp(word, "any") == 0)
            *any = true;
        else if (add_word(word, names, out, err) != 0)
            return -1;
    }
    if (words == 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "expected any or at least one address");
    if (*any && words > 1)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': any stands alone", text);
    nets_normalise(out);
    return 0;
}

/* --- ports --- */

static int add_port(const char *word, struct ranges *out, struct err *err)
{
    char *parts = xstrdup(word), *dash = strchr(parts, '-');
    uint64_t first = 0, last = 0;
    bool good;

    if (dash)
        *dash = '\0';
    good = text_u64(parts, 0, PORT_MAX, &first) && text_u64(dash ? dash + 1 : parts, 0, PORT_MAX, &last) &&
           first <= last;
    free(parts);
    if (!good)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'%s': expected any, a port from 0 to 65535, or FIRST-LAST", word);
    return ranges_add(out, (unsigned)first, (unsigned)last, err);
}

static int add_named_ports(const char *name, struct names *names, struct ranges *out, struct err *err)
{
    const char *value;
    char word[WORD_MAX];

    if (!name_is_valid(name))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'@%s': expected a name behind the '@'", name);
    if (!names)
        return 0;
    value = names_get(names, name);
    if (!value)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "@%s is not set", name);
    while (next_word(&value, word))
        if (add_port(word, out, err) != 0)
            return err_context(err, "@%s", name);
    return 0;
}

int words_ports(const char *text, struct names *names, struct ranges *out, struct err *err)
{
    const char *rest = text;
    char word[WORD_MAX];
    size_t words = 0;
    bool any = false;

    while (next_word(&rest, word)) {
        words++;
        if (strcmp(word, "any") == 0)
            any = true;
        else if ((word[0] == '@' ? add_named_ports(word + 1, names, out, err) : add_port(word, out, err)) !=
                 0)
            return -1;
    }
    if (words == 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "expected any or at least one port");
    if (any && words > 1)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': any stands alone", text);
    ranges_normalise(out);
    return 0;
}

/* --- single words --- */

int words_protocol(const char *text, int *out, struct err *err)
{
    const struct word *row = by_word(protocols, text);
    uint64_t number;

    if (row)
        *out = (int)row->value;
    else if (strcmp(text, "any") == 0)
        *out = -1;
    else if (text_u64(text, 0, 255, &number))
        *out = (int)number;
    else
        return err_set(
            err, CAUSE_INVALID_ARGUMENT,
            "'%s': expected any, tcp, udp, icmp, icmpv6, igmp, gre, esp, ah, or a number up to 255", text);
    return 0;
}

int words_ethertype(const char *text, uint16_t *out, struct err *err)
{
    const struct word *row = by_word(ethertypes, text);
    uint64_t number = 0;

    if (row) {
        *out = (uint16_t)row->value;
        return 0;
    }
    if (strncmp(text, "0x", 2) == 0 && strlen(text) == 6 && strspn(text + 2, "0123456789abcdefABCDEF") == 4)
        number = strtoul(text + 2, NULL, 16);
    else if (!text_u64(text, ETHERTYPE_MIN, UINT16_MAX, &number))
        number = 0;
    if (number < ETHERTYPE_MIN)
        return err_set(
            err, CAUSE_INVALID_ARGUMENT,
            "'%s': expected ipv4, ipv6, arp, eapol, lldp, a number from 1536 to 65535, or 0x0600 to "
            "0xffff",
            text);
    *out = (uint16_t)number;
    return 0;
}

int words_tcp_flags(const char *text, uint8_t *on, uint8_t *off, struct err *err)
{
    const char *rest = text;
    char word[WORD_MAX];

    *on = *off = 0;
    while (next_word(&rest, word)) {
        bool clear = word[0] == '!';
        const struct word *row = by_word(flags, clear ? word + 1 : word);

        if (!row)
            return err_set(
                err, CAUSE_INVALID_ARGUMENT,
                "'%s': expected fin, syn, rst, psh, ack or urg, each with '!' when it must be clear", word);
        *(clear ? off : on) |= (uint8_t)row->value;
    }
    if ((*on | *off) == 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "expected at least one TCP flag");
    if (*on & *off)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': a flag cannot be both set and clear", text);
    return 0;
}

int words_yesno(const char *text, bool *out, struct err *err)
{
    static const char *const words[] = {"no", "yes", "false", "true"};

    for (size_t i = 0; i < 4; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i % 2 == 1;
            return 0;
        }
    }
    return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected yes or no", text);
}

/* --- text --- */

void protocol_text(int protocol, struct buf *out)
{
    if (protocol >= 0 && !by_value(protocols, (unsigned)protocol))
        buf_puts(out, "protocol ");
    protocol_word(protocol, out);
}

void protocol_word(int protocol, struct buf *out)
{
    const char *word = protocol < 0 ? "any" : by_value(protocols, (unsigned)protocol);

    if (word)
        buf_puts(out, word);
    else
        buf_printf(out, "%d", protocol);
}

void ethertype_text(uint16_t ethertype, struct buf *out)
{
    const char *word = by_value(ethertypes, ethertype);

    if (word)
        buf_puts(out, word);
    else
        buf_printf(out, "EtherType 0x%04x", ethertype);
}

void tcp_flags_text(uint8_t on, uint8_t off, struct buf *out)
{
    const char *gap = "";

    for (const struct word *row = flags; row->word; row++) {
        if (!((on | off) & row->value))
            continue;
        buf_printf(out, "%s%s%s", gap, off & row->value ? "!" : "", row->word);
        gap = " ";
    }
}
