#include "amtd/node/peers.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/xalloc.h"

struct peers {
    struct identity *identity;
    struct peer *items;
    size_t count;
    struct peers_listener *listeners;
};

struct peers *peers_new(struct identity *identity, struct peer *list, size_t count)
{
    struct peers *peers = xcalloc(1, sizeof(*peers));

    peers->identity = identity;
    peers->items = list;
    peers->count = count;
    return peers;
}

void peers_free(struct peers *peers)
{
    if (!peers)
        return;
    for (size_t i = 0; i < peers->count; i++)
        peer_clear(&peers->items[i]);
    free(peers->items);
    identity_free(peers->identity);
    free(peers);
}

const struct identity *peers_identity(const struct peers *peers)
{
    return peers->identity;
}

void peers_set_identity(struct peers *peers, struct identity *identity)
{
    identity_free(peers->identity);
    peers->identity = identity;
}

const struct peer *peers_all(const struct peers *peers, size_t *count)
{
    *count = peers->count;
    return peers->items;
}

static struct peer *find(const struct peers *peers, enum peer_kind kind, const char *name)
{
    for (size_t i = 0; i < peers->count; i++)
        if (peers->items[i].kind == kind && strcmp(peers->items[i].name, name) == 0)
            return &peers->items[i];
    return NULL;
}

const struct peer *peers_find(const struct peers *peers, enum peer_kind kind, const char *name)
{
    return find(peers, kind, name);
}

const struct peer *peers_by_pin(const struct peers *peers, const uint8_t pin[PEER_PIN], bool servers)
{
    for (size_t i = 0; i < peers->count; i++)
        if ((peers->items[i].kind == PEER_SERVER) == servers &&
            memcmp(peers->items[i].pin, pin, PEER_PIN) == 0)
            return &peers->items[i];
    return NULL;
}

static int compare(const void *a, const void *b)
{
    const struct peer *x = a, *y = b;

    return x->kind != y->kind ? (int)x->kind - (int)y->kind : strcmp(x->name, y->name);
}

void peers_put(struct peers *peers, const struct peer *peer)
{
    struct peer *there = find(peers, peer->kind, peer->name);
    struct peers_listener *l, *next;

    if (there) {
        char *consoles = peer->consoles ? NULL : xstrdup(there->consoles);

        peer_clear(there);
        peer_copy(there, peer);
        if (consoles)
            there->consoles = consoles;
    } else {
        peers->items = xreallocarray(peers->items, peers->count + 1, sizeof(*peers->items));
        peer_copy(&peers->items[peers->count++], peer);
        qsort(peers->items, peers->count, sizeof(*peers->items), compare);
    }
    DL_FOREACH_SAFE(peers->listeners, l, next)
    if (l->put)
        l->put(l->arg, find(peers, peer->kind, peer->name));
}

void peers_remove(struct peers *peers, enum peer_kind kind, const char *name)
{
    struct peer *there = find(peers, kind, name);
    struct peers_listener *l, *next;
    size_t i;

    if (!there)
        return;
    DL_FOREACH_SAFE(peers->listeners, l, next)
    if (l->removed)
        l->removed(l->arg, there);
    i = (size_t)(there - peers->items);
    peer_clear(there);
    memmove(there, there + 1, (peers->count - i - 1) * sizeof(*there));
    peers->count--;
}

void peers_set_consoles(struct peers *peers, const char *node, const char *consoles)
{
    struct peer *there = find(peers, PEER_NODE, node);

    if (there)
        xreplace(&there->consoles, consoles);
}

void peers_listen(struct peers *peers, struct peers_listener *listener)
{
    DL_APPEND(peers->listeners, listener);
}

void peers_unlisten(struct peers *peers, struct peers_listener *listener)
{
    DL_DELETE(peers->listeners, listener);
}
