#include "amtd/fleet/subnets.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/xalloc.h"

struct subnet {
    uint8_t key[SUBNET_KEY_LEN];
    uint32_t used;
    UT_hash_handle hh;
};

struct subnets {
    uint32_t limit;
    struct subnet *table;
};

struct subnets *subnets_new(uint32_t per_subnet)
{
    struct subnets *subnets = xcalloc(1, sizeof(*subnets));

    subnets->limit = per_subnet;
    return subnets;
}

void subnets_free(struct subnets *subnets)
{
    struct subnet *s, *next;

    if (!subnets)
        return;
    HASH_ITER(hh, subnets->table, s, next)
    {
        HASH_DEL(subnets->table, s);
        free(s);
    }
    free(subnets);
}

bool subnet_key(const char *address, uint8_t key[SUBNET_KEY_LEN])
{
    struct in_addr v4;
    struct in6_addr v6;

    memset(key, 0, SUBNET_KEY_LEN);
    if (inet_pton(AF_INET, address, &v4) == 1)
        memcpy(key + SUBNET_KEY_LEN - 3, &v4, 3); /* IPv6 prefixes of zeros are not in use */
    else if (inet_pton(AF_INET6, address, &v6) == 1)
        memcpy(key, &v6, SUBNET_KEY_LEN);
    else
        return false;
    return true;
}

static struct subnet *find(const struct subnets *subnets, const uint8_t key[SUBNET_KEY_LEN])
{
    struct subnet *s;

    HASH_FIND(hh, subnets->table, key, SUBNET_KEY_LEN, s);
    return s;
}

bool subnets_enter(struct subnets *subnets, const char *address)
{
    uint8_t key[SUBNET_KEY_LEN];
    struct subnet *s;

    if (subnets->limit == 0 || !subnet_key(address, key))
        return true;
    s = find(subnets, key);
    if (!s) {
        s = xcalloc(1, sizeof(*s));
        memcpy(s->key, key, sizeof(key));
        HASH_ADD(hh, subnets->table, key, SUBNET_KEY_LEN, s);
    }
    if (s->used >= subnets->limit)
        return false;
    s->used++;
    return true;
}

void subnets_leave(struct subnets *subnets, const char *address)
{
    uint8_t key[SUBNET_KEY_LEN];
    struct subnet *s;

    if (subnets->limit == 0 || !subnet_key(address, key))
        return;
    s = find(subnets, key);
    if (s && s->used > 0)
        s->used--;
}
