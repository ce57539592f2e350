#include "amtd/fleet/login.h"

#include <string.h>

/* The k-th profile to try. */
static const struct profile *profile_at(const struct profiles *all, const struct host *host,
                                        const char *ordered, size_t k)
{
    const char *only = ordered ? ordered : host->profile;
    const char *first = only ? only : pairs_get(&host->facts, "profile");
    const struct profile *known = NULL;

    for (size_t i = 0; first && i < all->count; i++)
        if (strcmp(all->items[i].name, first) == 0)
            known = &all->items[i];
    if (only)
        return k == 0 ? known : NULL;
    if (known && k == 0)
        return known;
    if (known)
        k--;
    for (size_t i = 0; i < all->count; i++) {
        if (&all->items[i] == known)
            continue;
        if (k-- == 0)
            return &all->items[i];
    }
    return NULL;
}

static const struct own_password *own_of(const struct host *host, const struct profile *profile)
{
    return profile->auth == PROFILE_AUTH_DIGEST ? own_password(&host->passwords, profile->user) : NULL;
}

struct login login_proven(const struct host *host, const struct profile *profile)
{
    const struct own_password *own = own_of(host, profile);
    const struct own_password *unsettled = own && own->next ? own : NULL;

    if (own && (own->proven || own->seal_broken))
        return (struct login){profile, own->proven, own, unsettled, false};
    return (struct login){profile, profile->password, NULL, unsettled, false};
}

bool login_at(const struct profiles *profiles, const struct host *host, const char *ordered, size_t k,
              struct login *out)
{
    const struct profile *profile;

    for (size_t i = 0; (profile = profile_at(profiles, host, ordered, i)); i++) {
        const struct own_password *own = own_of(host, profile);

        if (own && own->next && k-- == 0) {
            *out = (struct login){profile, own->next, own, own, true};
            return true;
        }
        if (k-- == 0) {
            *out = login_proven(host, profile);
            return true;
        }
    }
    *out = (struct login){NULL};
    return false;
}

int login_check(const struct login *login, const struct host *host, struct err *err)
{
    if (login->own && login->own->seal_broken)
        return err_set(err, CAUSE_SEAL_BROKEN, "the password of its own that %s has cannot be opened",
                       host->name);
    if (!login->own && login->profile->seal_broken)
        return err_set(err, CAUSE_SEAL_BROKEN, "the password of profile '%s' cannot be opened",
                       login->profile->name);
    if (login->profile->old_tls && !pairs_get(&host->facts, "tls.pin"))
        return err_set(
            err, CAUSE_TLS_UNTRUSTED,
            "old TLS is spoken only with a device whose certificate was pinned before: amtcli host set %s "
            "--pin SHA256",
            host->name);
    return 0;
}

bool login_would_downgrade(const struct login *login, const struct host *host, const char *ordered)
{
    return login->profile->tls == PROFILE_TLS_NONE && pairs_get(&host->facts, "tls.pin") && !ordered &&
           !host->profile;
}

bool login_another_may_fit(enum cause cause)
{
    return cause == CAUSE_AUTH_FAILED || cause == CAUSE_AUTH_UNSUPPORTED || cause == CAUSE_REFUSED ||
           cause == CAUSE_TLS_VERSION || cause == CAUSE_SEAL_BROKEN;
}

/* How much a failure tells. */
static int weight(enum cause cause)
{
    switch (cause) {
    case CAUSE_NONE:
        return 0;
    case CAUSE_REFUSED:
        return 1;
    case CAUSE_TLS_VERSION:
        return 2;
    default:
        return 3;
    }
}

const struct err *login_telling(const struct err *before, const struct err *now)
{
    return weight(before->cause) > weight(now->cause) ? before : now;
}
