#include "amtd/store/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/hostlist.h"
#include "base/xalloc.h"

/* Where name stands or would stand. */
static size_t place(const struct pairs *pairs, const char *name, bool *found)
{
    size_t low = 0, high = pairs->count;

    *found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(pairs->items[middle].name, name);

        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const char *pairs_get(const struct pairs *pairs, const char *name)
{
    bool found;
    size_t i = place(pairs, name, &found);

    return found ? pairs->items[i].value : NULL;
}

void pairs_set(struct pairs *pairs, const char *name, const char *value)
{
    bool found;
    size_t i = place(pairs, name, &found);
    struct pair *at;

    if (found && value) {
        xreplace(&pairs->items[i].value, value);
    } else if (found) {
        free(pairs->items[i].name);
        free(pairs->items[i].value);
        pairs->count--;
        memmove(&pairs->items[i], &pairs->items[i + 1], (pairs->count - i) * sizeof(*at));
    } else if (value) {
        pairs->items = xreallocarray(pairs->items, pairs->count + 1, sizeof(*at));
        at = &pairs->items[i];
        memmove(at + 1, at, (pairs->count - i) * sizeof(*at));
        at->name = xstrdup(name);
        at->value = xstrdup(value);
        pairs->count++;
    }
}

void pairs_clear(struct pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        free(pairs->items[i].name);
        free(pairs->items[i].value);
    }
    free(pairs->items);
    memset(pairs, 0, sizeof(*pairs));
}

const struct own_password *own_password(const struct own_passwords *own, const char *user)
{
    for (size_t i = 0; user && i < own->count; i++)
        if (strcmp(own->items[i].user, user) == 0)
            return &own->items[i];
    return NULL;
}

void own_passwords_clear(struct own_passwords *own)
{
    for (size_t i = 0; i < own->count; i++) {
        free(own->items[i].user);
        secret_free(own->items[i].proven);
        secret_free(own->items[i].next);
    }
    free(own->items);
    memset(own, 0, sizeof(*own));
}

void host_clear(struct host *host)
{
    free(host->name);
    free(host->address);
    free(host->profile);
    pairs_clear(&host->tags);
    pairs_clear(&host->facts);
    own_passwords_clear(&host->passwords);
    memset(host, 0, sizeof(*host));
}

void hosts_clear(struct hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++)
        host_clear(&hosts->items[i]);
    free(hosts->items);
    memset(hosts, 0, sizeof(*hosts));
}

bool hosts_reach(const struct hosts *hosts, size_t *at, const char *name)
{
    int order = 1;

    while (*at < hosts->count && (order = hostlist_compare_names(hosts->items[*at].name, name)) < 0)
        (*at)++;
    return order == 0;
}

void collection_clear(struct collection *collection)
{
    free(collection->name);
    free(collection->list);
    free(collection->where);
    memset(collection, 0, sizeof(*collection));
}

void profile_clear(struct profile *profile)
{
    free(profile->name);
    free(profile->user);
    secret_free(profile->password);
    free(profile->ccache);
    free(profile->ca_file);
    free(profile->client_cert_file);
    free(profile->client_key_file);
    memset(profile, 0, sizeof(*profile));
}

void profiles_clear(struct profiles *profiles)
{
    for (size_t i = 0; i < profiles->count; i++)
        profile_clear(&profiles->items[i]);
    free(profiles->items);
    memset(profiles, 0, sizeof(*profiles));
}

void run_clear(struct run *run)
{
    free(run->task);
    free(run->args);
    free(run->target);
    free(run->who);
    memset(run, 0, sizeof(*run));
}

void operation_clear(struct operation *operation)
{
    free(operation->host);
    free(operation->from);
    free(operation->to);
    free(operation->cause);
    free(operation->code);
    free(operation->message);
    free(operation->detail);
    memset(operation, 0, sizeof(*operation));
}

void activity_clear(struct activity *activity)
{
    free(activity->who);
    free(activity->by);
    free(activity->what);
    free(activity->target);
    free(activity->hosts);
    free(activity->key);
    free(activity->result);
    free(activity->detail);
    memset(activity, 0, sizeof(*activity));
}

/* UUIDs that board makers put there when they do not put one: the same in many machines. Also those of one
 * digit alone, such as zeros. */
static bool is_nobodys(const char *uuid)
{
    static const char *const known[] = {
        "03000200-0400-0500-0006-000700080009", /* AMI's sample, and as it reads in the other byte order */
        "00020003-0004-0005-0006-000700080009",
        "12345678-1234-5678-90ab-cddeefaabbcc",
        "01234567-89ab-cdef-0123-456789abcdef",
    };
    const char digits[] = {uuid[0], '-', '\0'};

    if (strspn(uuid, digits) == strlen(uuid))
        return true;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcasecmp(known[i], uuid) == 0)
            return true;
    return false;
}

bool host_uuid_is_shared(const struct host *host)
{
    const char *uuid = pairs_get(&host->facts, "amt.uuid");

    return uuid && (pairs_get(&host->facts, "amt.uuid.shared") || is_nobodys(uuid));
}
