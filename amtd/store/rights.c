#include "amtd/store/rights.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/store/reach.h"
#include "base/xalloc.h"

#define NAMED_MOST 400 /* bytes of names in an error */

/* --- roles --- */

static const char *const roles[] = {"watch", "operate", "quarantine", "administer"};

const char *role_name(enum api_role role)
{
    return role < ROLE_WATCH ? "nothing" : roles[role];
}

bool role_by_name(const char *name, enum api_role *role)
{
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (strcmp(name, roles[i]) == 0) {
            *role = (enum api_role)i;
            return true;
        }
    }
    return false;
}

/* --- users --- */

struct user *user_copy(const struct user *user)
{
    struct user *copy = xcalloc(1, sizeof(*copy));

    copy->name = xstrdup(user->name);
    copy->role = user->role;
    copy->groups = xcalloc(user->group_count + 1, sizeof(*copy->groups));
    for (size_t i = 0; i < user->group_count; i++)
        copy->groups[copy->group_count++] = xstrdup(user->groups[i]);
    return copy;
}

void user_free(struct user *user)
{
    if (!user)
        return;
    for (size_t i = 0; i < user->group_count; i++)
        free(user->groups[i]);
    free(user->groups);
    free(user->name);
    free(user);
}

bool user_is_in(const struct user *user, const char *group)
{
    for (size_t i = 0; i < user->group_count; i++)
        if (strcmp(user->groups[i], group) == 0)
            return true;
    return false;
}

bool grant_is_for(const struct grant *grant, const struct user *user)
{
    return grant->group ? user_is_in(user, grant->name) : strcmp(grant->name, user->name) == 0;
}

void grant_clear(struct grant *grant)
{
    free(grant->name);
    free(grant->collection);
    memset(grant, 0, sizeof(*grant));
}

/* --- reach --- */

struct reach_host {
    char *name;
    enum api_role role;
};

struct reach {
    enum api_role everywhere;
    enum api_role highest;
    struct reach_host *hosts; /* sorted by name, unique */
    size_t count;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct reach_host *)a)->name, ((const struct reach_host *)b)->name);
}

struct reach *reach_new(enum api_role everywhere)
{
    struct reach *reach = xcalloc(1, sizeof(*reach));

    reach->everywhere = reach->highest = everywhere;
    return reach;
}

void reach_add(struct reach *reach, const struct hosts *hosts, enum api_role role)
{
    size_t kept = 0;

    if (role <= reach->everywhere)
        return;
    reach->hosts = xreallocarray(reach->hosts, reach->count + hosts->count + 1, sizeof(*reach->hosts));
    for (size_t i = 0; i < hosts->count; i++)
        reach->hosts[reach->count++] = (struct reach_host){xstrdup(hosts->items[i].name), role};
    qsort(reach->hosts, reach->count, sizeof(*reach->hosts), by_name);
    for (size_t i = 0; i < reach->count; i++) {
        struct reach_host *last = kept > 0 ? &reach->hosts[kept - 1] : NULL;

        if (!last || strcmp(last->name, reach->hosts[i].name) != 0) {
            reach->hosts[kept++] = reach->hosts[i];
        } else {
            if (reach->hosts[i].role > last->role)
                last->role = reach->hosts[i].role;
            free(reach->hosts[i].name);
        }
    }
    reach->count = kept;
    if (hosts->count > 0 && role > reach->highest)
        reach->highest = role;
}

void reach_free(struct reach *reach)
{
    if (!reach)
        return;
    for (size_t i = 0; i < reach->count; i++)
        free(reach->hosts[i].name);
    free(reach->hosts);
    free(reach);
}

enum api_role reach_everywhere(const struct reach *reach)
{
    return reach->everywhere;
}

enum api_role reach_highest(const struct reach *reach)
{
    return reach->highest;
}

enum api_role reach_on(const struct reach *reach, const char *host)
{
    struct reach_host key = {(char *)host, ROLE_NONE};
    const struct reach_host *found = NULL;

    if (reach->count > 0)
        found = bsearch(&key, reach->hosts, reach->count, sizeof(key), by_name);
    return found && found->role > reach->everywhere ? found->role : reach->everywhere;
}

int actor_check(const struct actor *actor, const struct hosts *hosts, struct err *err)
{
    struct hostlist *outside = hostlist_new();
    struct buf names = buf_init(1 << 20);
    size_t count;

    for (size_t i = 0; i < hosts->count; i++)
        if (reach_on(actor->reach, hosts->items[i].name) < actor->need)
            hostlist_add(outside, hosts->items[i].name, NULL);
    count = hostlist_count(outside);
    if (count > 0) {
        hostlist_fold(outside, &names);
        err_set(err, CAUSE_DENIED,
                "this needs the role '%s', which %s does not have on %zu of %zu hosts: %.*s%s",
                role_name(actor->need), actor->who, count, hosts->count, NAMED_MOST, buf_str(&names),
                names.len > NAMED_MOST ? "..." : "");
    }
    buf_free(&names);
    hostlist_free(outside);
    return count > 0 ? -1 : 0;
}
