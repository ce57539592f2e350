#include "amtd/discover/addrset.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/hostlist.h"
#include "base/text.h"
#include "base/xalloc.h"

#define HOSTS 256 /* of a subnet */

struct subnet {
    uint32_t base; /* address >> 8 */
    uint64_t bits[HOSTS / 64];
};

struct list {
    struct subnet *items; /* sorted by base once finished */
    size_t count, room;
};

struct addrset {
    struct list in, out;
    size_t count;
};

struct addrset *addrset_new(void)
{
    return xcalloc(1, sizeof(struct addrset));
}

void addrset_free(struct addrset *ranges)
{
    if (!ranges)
        return;
    free(ranges->in.items);
    free(ranges->out.items);
    free(ranges);
}

const char *addrset_text(uint32_t address, char *out)
{
    struct in_addr a = {.s_addr = htonl(address)};

    return inet_ntop(AF_INET, &a, out, ADDRSET_TEXT_MAX);
}

bool addrset_from_text(const char *text, uint32_t *address)
{
    struct in_addr a;

    if (inet_pton(AF_INET, text, &a) != 1)
        return false;
    *address = ntohl(a.s_addr);
    return true;
}

static int too_many(struct err *err)
{
    return err_set(
        err, CAUSE_INVALID_ARGUMENT,
        "a sweep goes through at most %d subnets of 256 addresses, as many as a /12 has: go through "
        "them in parts",
        ADDRSET_SUBNETS_MAX);
}

/* --- adding --- */

static struct subnet *subnet_for(struct list *list, uint32_t base, struct err *err)
{
    /* Words mostly go upwards: the last one is it, or a new one. Doubles are joined at the end. */
    if (list->count > 0 && list->items[list->count - 1].base == base)
        return &list->items[list->count - 1];
    if (list->count == 2 * ADDRSET_SUBNETS_MAX) {
        too_many(err);
        return NULL;
    }
    if (list->count == list->room) {
        list->room = list->room > 0 ? 2 * list->room : 16;
        list->items = xreallocarray(list->items, list->room, sizeof(*list->items));
    }
    list->items[list->count] = (struct subnet){.base = base};
    return &list->items[list->count++];
}

/* Of this network, multicast, and what is for nobody: no machine has one of these, and asking them asks
 * others.
 */
static bool is_nobodys(uint32_t address)
{
    return address >> 24 == 0 || address >> 24 >= 224;
}

static int add_interval(struct list *list, uint32_t from, uint32_t to, struct err *err)
{
    if ((to - from) / HOSTS >= 2 * ADDRSET_SUBNETS_MAX)
        return too_many(err);
    if (is_nobodys(from) || is_nobodys(to))
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "0.0.0.0/8 and what comes from 224.0.0.0 on are no addresses of machines");
    for (uint64_t at = from; at <= to; at++) {
        struct subnet *s = subnet_for(list, (uint32_t)(at >> 8), err);

        if (!s)
            return -1;
        s->bits[(at & 255) / 64] |= UINT64_C(1) << (at & 63);
    }
    return 0;
}

static int add_cidr(struct list *list, const char *word, size_t n, struct err *err)
{
    char *text = xstrndup(word, n);
    uint64_t length;
    uint32_t address, mask;
    bool good = addrset_from_text(text, &address) && text_u64(word + n + 1, 0, 32, &length);

    free(text);
    if (!good)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected ADDRESS/LENGTH, as 10.0.0.0/16", word);
    mask = length == 0 ? 0 : UINT32_MAX << (32 - length);
    return add_interval(list, address & mask, address | ~mask, err);
}

/* "10.0.0.1-10.0.3.255", "10.0.0.1-99". False: it is no such word. */
static bool read_span(const char *word, uint32_t *from, uint32_t *to)
{
    const char *dash = strchr(word, '-');
    char *text;
    uint64_t last;
    bool good;

    if (!dash || strchr(word, '['))
        return false;
    text = xstrndup(word, (size_t)(dash - word));
    good = addrset_from_text(text, from);
    free(text);
    if (!good)
        return false;
    if (text_u64(dash + 1, 0, 255, &last)) {
        *to = (*from & ~UINT32_C(255)) | (uint32_t)last;
        return true;
    }
    return addrset_from_text(dash + 1, to);
}

static int add_hosts(struct list *list, const char *word, struct err *err)
{
    struct hostlist *names = hostlist_parse(word, err);
    int status = names ? 0 : -1;

    for (size_t i = 0; status == 0 && i < hostlist_count(names); i++) {
        uint32_t address;

        if (!addrset_from_text(hostlist_name(names, i), &address))
            status = err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' is no IPv4 address", hostlist_name(names, i));
        else
            status = add_interval(list, address, address, err);
    }
    hostlist_free(names);
    return status;
}

static int add_part(struct list *list, const char *word, struct err *err)
{
    const char *slash = strchr(word, '/');
    uint32_t from, to;

    if (strchr(word, ':'))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': sweeps go through IPv4 addresses only", word);
    if (slash)
        return add_cidr(list, word, (size_t)(slash - word), err);
    if (!read_span(word, &from, &to))
        return add_hosts(list, word, err);
    if (from > to)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': the last address comes before the first", word);
    return add_interval(list, from, to, err);
}

/* Of a list whose parts are parted by commas; those within brackets are a part's own. */
static size_t part_length(const char *word)
{
    size_t n = 0;
    int depth = 0;

    for (; word[n] != '\0' && (word[n] != ',' || depth > 0); n++)
        depth += (word[n] == '[') - (word[n] == ']');
    return n;
}

int addrset_add(struct addrset *ranges, const char *word, struct err *err)
{
    struct list *list = word[0] == '!' ? &ranges->out : &ranges->in;
    int status = 0;

    for (word += word[0] == '!'; status == 0; word++) {
        size_t n = part_length(word), spaces = strspn(word, " ");
        char *part = spaces < n ? xstrndup(word + spaces, n - spaces) : NULL;

        for (size_t end = part ? strlen(part) : 0; end > 0 && part[end - 1] == ' '; end--)
            part[end - 1] = '\0';
        if (part)
            status = add_part(list, part, err);
        free(part);
        word += n;
        if (word[0] == '\0')
            break;
    }
    return status;
}

/* --- the finished set --- */

static int by_base(const void *a, const void *b)
{
    const struct subnet *x = a, *y = b;

    return (x->base > y->base) - (x->base < y->base);
}

static void sort_and_join(struct list *list)
{
    size_t n = 0;

    if (list->count == 0)
        return;
    qsort(list->items, list->count, sizeof(*list->items), by_base);
    for (size_t i = 1; i < list->count; i++) {
        if (list->items[i].base != list->items[n].base)
            list->items[++n] = list->items[i];
        else
            for (size_t k = 0; k < HOSTS / 64; k++)
                list->items[n].bits[k] |= list->items[i].bits[k];
    }
    list->count = n + 1;
}

static struct subnet *find(const struct list *list, uint32_t base)
{
    const struct subnet key = {.base = base};

    return list->count > 0 ? bsearch(&key, list->items, list->count, sizeof(key), by_base) : NULL;
}

static size_t size_of(const struct subnet *s)
{
    size_t n = 0;

    for (size_t k = 0; k < HOSTS / 64; k++)
        n += (size_t)__builtin_popcountll(s->bits[k]);
    return n;
}

int addrset_finish(struct addrset *ranges, struct err *err)
{
    size_t kept = 0;

    sort_and_join(&ranges->in);
    sort_and_join(&ranges->out);
    ranges->count = 0;
    for (size_t i = 0; i < ranges->in.count; i++) {
        struct subnet *s = &ranges->in.items[i];
        const struct subnet *gone = find(&ranges->out, s->base);
        size_t n;

        for (size_t k = 0; gone && k < HOSTS / 64; k++)
            s->bits[k] &= ~gone->bits[k];
        n = size_of(s);
        if (n > 0)
            ranges->in.items[kept++] = *s;
        ranges->count += n;
    }
    ranges->in.count = kept;
    if (ranges->count == 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "no addresses are left to go through");
    if (kept > ADDRSET_SUBNETS_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "a sweep goes through at most %d subnets of 256 addresses; these are %zu",
                       ADDRSET_SUBNETS_MAX, kept);
    return 0;
}

size_t addrset_count(const struct addrset *ranges)
{
    return ranges->count;
}

static bool has(const struct subnet *s, unsigned host)
{
    return (s->bits[host / 64] >> (host % 64) & 1) != 0;
}

bool addrset_contain(const struct addrset *ranges, uint32_t address)
{
    const struct subnet *s = find(&ranges->in, address >> 8);

    return s && has(s, address & 255);
}

/* The host that all subnets come to in a round: the bits of its number the other way round, so that
 * neighbours lie far apart. */
static unsigned host_of_round(uint64_t round)
{
    unsigned host = 0;

    for (unsigned i = 0; i < 8; i++)
        host |= (unsigned)(round >> i & 1) << (7 - i);
    return host;
}

bool addrset_next(const struct addrset *ranges, uint64_t *cursor, uint32_t *address)
{
    uint64_t n = ranges->in.count;

    for (; *cursor < HOSTS * n; (*cursor)++) {
        const struct subnet *s = &ranges->in.items[*cursor % n];
        unsigned host = host_of_round(*cursor / n);

        if (!has(s, host))
            continue;
        *address = s->base << 8 | host;
        return true;
    }
    return false;
}

size_t addrset_breadth(const struct addrset *ranges, uint64_t cursor)
{
    size_t n = 0;

    if (ranges->in.count == 0 || cursor >= HOSTS * (uint64_t)ranges->in.count)
        return 0;
    for (size_t i = 0; i < ranges->in.count; i++)
        n += has(&ranges->in.items[i], host_of_round(cursor / ranges->in.count));
    return n;
}

size_t addrset_slots(const struct addrset *ranges)
{
    return ranges->in.count * HOSTS;
}

size_t addrset_slot(const struct addrset *ranges, uint32_t address)
{
    const struct subnet *s = find(&ranges->in, address >> 8);

    return s ? (size_t)(s - ranges->in.items) * HOSTS + (address & 255) : 0;
}

bool addrset_slot_address(const struct addrset *ranges, size_t slot, uint32_t *address)
{
    const struct subnet *s = &ranges->in.items[slot / HOSTS];

    if (slot >= addrset_slots(ranges) || !has(s, slot % HOSTS))
        return false;
    *address = s->base << 8 | (uint32_t)(slot % HOSTS);
    return true;
}
