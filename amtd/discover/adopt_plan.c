#include "amtd/discover/adopt_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "amtd/discover/addrset.h"
#include "amtd/discover/found.h"
#include "base/hostlist.h"
#include "base/xalloc.h"

static bool host_address(const struct host *host, uint32_t *address)
{
    return addrset_from_text(host->address ? host->address : host->name, address);
}

/* --- the index: two sorted arrays --- */

struct by_address {
    uint32_t address;
    const struct host *host;
};

struct by_uuid {
    char uuid[40];
    const struct host *host;
};

struct by_realm {
    const char *realm; /* of the host */
    const struct host *host;
};

struct adopt_index {
    struct by_address *addresses;
    struct by_uuid *uuids;
    struct by_realm *realms;
    size_t address_count, uuid_count, realm_count;
};

static int order_addresses(const void *a, const void *b)
{
    const struct by_address *x = a, *y = b;

    return (x->address > y->address) - (x->address < y->address);
}

static int order_uuids(const void *a, const void *b)
{
    return strcmp(((const struct by_uuid *)a)->uuid, ((const struct by_uuid *)b)->uuid);
}

static int order_realms(const void *a, const void *b)
{
    return strcmp(((const struct by_realm *)a)->realm, ((const struct by_realm *)b)->realm);
}

struct adopt_index *adopt_index_new(const struct hosts *hosts)
{
    struct adopt_index *index = xcalloc(1, sizeof(*index));

    index->addresses = xcalloc(hosts->count + 1, sizeof(*index->addresses));
    index->uuids = xcalloc(hosts->count + 1, sizeof(*index->uuids));
    index->realms = xcalloc(hosts->count + 1, sizeof(*index->realms));
    for (size_t i = 0; i < hosts->count; i++) {
        const struct host *host = &hosts->items[i];
        const char *uuid = pairs_get(&host->facts, "amt.uuid");
        const char *realm = pairs_get(&host->facts, "amt.realm");
        struct by_uuid *u = &index->uuids[index->uuid_count];
        uint32_t address;

        if (host_address(host, &address))
            index->addresses[index->address_count++] = (struct by_address){address, host};
        if (uuid && (size_t)snprintf(u->uuid, sizeof(u->uuid), "%s", uuid) < sizeof(u->uuid)) {
            u->host = host;
            index->uuid_count++;
        }
        if (realm)
            index->realms[index->realm_count++] = (struct by_realm){realm, host};
    }
    qsort(index->addresses, index->address_count, sizeof(*index->addresses), order_addresses);
    qsort(index->uuids, index->uuid_count, sizeof(*index->uuids), order_uuids);
    qsort(index->realms, index->realm_count, sizeof(*index->realms), order_realms);
    return index;
}

void adopt_index_free(struct adopt_index *index)
{
    if (!index)
        return;
    free(index->addresses);
    free(index->uuids);
    free(index->realms);
    free(index);
}

const struct host *adopt_host_at(const struct adopt_index *index, uint32_t address)
{
    const struct by_address key = {.address = address};
    const struct by_address *found =
        bsearch(&key, index->addresses, index->address_count, sizeof(key), order_addresses);

    return found ? found->host : NULL;
}

static bool have_same(const struct host *a, const struct host *b, const char *fact)
{
    const char *one = pairs_get(&a->facts, fact), *other = pairs_get(&b->facts, fact);

    return one && other && strcasecmp(one, other) == 0;
}

static bool have_different(const struct host *a, const struct host *b, const char *fact)
{
    return pairs_get(&a->facts, fact) && pairs_get(&b->facts, fact) && !have_same(a, b, fact);
}

/* Another host with that UUID: the one with the same realm before the one with the same network port before
 * others; facts may have changed since the index was made. */
static const struct host *twin_of(const struct adopt_index *index, const struct host *host, const char *uuid)
{
    const struct host *best = NULL, *twin;
    int best_rank = 0, rank;
    size_t low = 0, high = index->uuid_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(index->uuids[middle].uuid, uuid) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < index->uuid_count && strcmp(index->uuids[low].uuid, uuid) == 0; low++) {
        twin = index->uuids[low].host;
        if (twin->id == host->id || !pairs_get(&twin->facts, "amt.uuid"))
            continue;
        rank = have_same(host, twin, "amt.realm") ? 3 : have_same(host, twin, "amt.mac") ? 2 : 1;
        if (rank > best_rank) {
            best = twin;
            best_rank = rank;
        }
    }
    return best;
}

/* --- judging --- */

bool adopt_is_it(const struct host *host, const struct sweep_found *row)
{
    const char *realm = pairs_get(&host->facts, "amt.realm");

    return !realm || !row->realm || strcmp(realm, row->realm) == 0;
}

static int order_rows(const void *a, const void *b)
{
    const struct sweep_found *x = a, *y = b;

    return (x->address > y->address) - (x->address < y->address);
}

static const struct sweep_found *row_at(const struct sweep_founds *rows, uint32_t address)
{
    const struct sweep_found key = {.address = address};

    return rows->count > 0 ? bsearch(&key, rows->items, rows->count, sizeof(key), order_rows) : NULL;
}

static bool is_alone(const struct adopt_index *index, const struct by_realm *r)
{
    const struct by_realm *end = index->realms + index->realm_count;

    return (r == index->realms || strcmp(r[-1].realm, r->realm) != 0) &&
           (r + 1 == end || strcmp(r[1].realm, r->realm) != 0);
}

const struct host *adopt_moved_by_realm(const struct adopt_index *index, const struct sweep_founds *rows,
                                        const struct sweep_found *row)
{
    const struct by_realm key = {.realm = row->realm};
    const struct by_realm *found;
    const struct sweep_found *old;
    uint32_t address;

    if (!row->realm)
        return NULL;
    found = bsearch(&key, index->realms, index->realm_count, sizeof(key), order_realms);
    if (!found || !is_alone(index, found) || !host_address(found->host, &address))
        return NULL;
    old = row_at(rows, address);
    return old && old->realm && strcmp(old->realm, row->realm) == 0 ? NULL : found->host;
}

/* That they have one UUID is all that speaks for one machine: a host that moved and was provisioned anew
 * meanwhile keeps its network port. What is taken for another one by mistake is a host too many; what is
 * taken for the same by mistake is the wrong machine. */
static bool may_be_another(const struct host *newcomer, const struct host *other)
{
    if (have_same(newcomer, other, "amt.mac"))
        return false;
    return have_different(newcomer, other, "amt.mac") || have_different(newcomer, other, "amt.realm") ||
           host_uuid_is_shared(other);
}

/* What is at the other one's own address now? */
static enum adopt_verdict judge_other(const struct host *newcomer, const struct host *other,
                                      const struct sweep_founds *rows,
                                      bool (*inside)(const void *arg, uint32_t address), const void *arg)
{
    bool same_realm = have_same(newcomer, other, "amt.realm");
    const struct sweep_found *row;
    uint32_t address;

    if (!same_realm && may_be_another(newcomer, other))
        return ADOPT_DUPLICATE;
    if (!host_address(other, &address))
        return ADOPT_ASK;
    row = row_at(rows, address);
    if (!row && inside(arg, address))
        return ADOPT_MOVED;
    if (!row)
        return ADOPT_ASK;
    if (!found_is_amt((enum found_kind)row->kind) || !adopt_is_it(other, row))
        return ADOPT_MOVED;
    return same_realm ? ADOPT_SAME : ADOPT_DUPLICATE;
}

enum adopt_verdict adopt_judge(const struct adopt_index *index, const struct host *newcomer,
                               const struct sweep_founds *rows,
                               bool (*inside)(const void *arg, uint32_t address), const void *arg,
                               const struct host **other)
{
    const char *uuid = pairs_get(&newcomer->facts, "amt.uuid");

    *other = uuid ? twin_of(index, newcomer, uuid) : NULL;
    return *other ? judge_other(newcomer, *other, rows, inside, arg) : ADOPT_NEW;
}

const char *adopt_free_name(const struct hosts *hosts, const struct host *newcomer)
{
    const char *name = pairs_get(&newcomer->facts, "amt.name");
    struct hostlist *list;
    bool good;

    if (!name || !name[0])
        return NULL;
    list = hostlist_new();
    good = hostlist_add(list, name, NULL) == 0 && !target_has_word(name);
    hostlist_free(list);
    for (size_t i = 0; good && i < hosts->count; i++)
        good = strcmp(hosts->items[i].name, name) != 0;
    return good ? name : NULL;
}
