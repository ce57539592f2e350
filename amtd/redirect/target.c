#include "amtd/redirect/target.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/link.h"
#include "base/log.h"
#include "base/xalloc.h"

#define PORT_ABOVE 2 /* 16992 to 16994, 16993 to 16995 */

struct target_lookup {
    char *name;
    struct target *target;
    target_done *done; /* NULL: forgotten */
    void *arg;
};

void target_clear(struct target *target)
{
    if (!target)
        return;
    host_clear(&target->host);
    profile_clear(&target->profile);
    free(target);
}

bool target_is_known(const struct target *target)
{
    return target->profile.name != NULL;
}

bool target_is_unsettled(const struct target *target)
{
    return login_proven(&target->host, &target->profile).unsettled != NULL;
}

struct http_settings target_settings(const struct target *target)
{
    struct login login = login_proven(&target->host, &target->profile);
    struct http_settings settings = link_settings(&target->host, &login);

    settings.port = (uint16_t)(settings.port + PORT_ABOVE);
    return settings;
}

/* --- reading --- */

/* A profile that would talk in clear to a device that was reached over TLS is left to the way that chooses
 * profiles for WS-Management, which knows when that is meant so. */
static bool would_downgrade(const struct target *target, const struct profile *profile)
{
    return !target->host.profile && profile->tls == PROFILE_TLS_NONE &&
           pairs_get(&target->host.facts, "tls.pin");
}

static void take_profile(struct target *target, struct profiles *profiles)
{
    const char *name =
        target->host.profile ? target->host.profile : pairs_get(&target->host.facts, "profile");

    for (size_t i = 0; name && i < profiles->count; i++) {
        if (strcmp(profiles->items[i].name, name) != 0 || would_downgrade(target, &profiles->items[i]))
            continue;
        target->profile = profiles->items[i];
        memset(&profiles->items[i], 0, sizeof(profiles->items[i]));
    }
}

static int check_profile(const struct target *target, struct err *err)
{
    struct login login = login_proven(&target->host, &target->profile);

    return login_check(&login, &target->host, err);
}

static int read_target(struct tx *tx, void *data, struct err *err)
{
    struct target_lookup *lookup = data;
    struct profiles profiles = {0};
    struct target *target = xcalloc(1, sizeof(*target));

    lookup->target = target;
    if (tx_host_get(tx, lookup->name, &target->host, err) != 0 || tx_profiles(tx, &profiles, err) != 0)
        return -1;
    take_profile(target, &profiles);
    profiles_clear(&profiles);
    return check_profile(target, err);
}

static void target_read(void *data, const struct err *failure)
{
    struct target_lookup *lookup = data;
    struct target *target = lookup->target;

    if (lookup->done && !failure)
        lookup->done(lookup->arg, target, NULL);
    else
        target_clear(target);
    if (lookup->done && failure)
        lookup->done(lookup->arg, NULL, failure);
    free(lookup->name);
    free(lookup);
}

struct target_lookup *target_look_up(struct redirect *redirect, const char *host, target_done *done,
                                     void *arg)
{
    struct target_lookup *lookup = xcalloc(1, sizeof(*lookup));

    lookup->name = xstrdup(host);
    lookup->done = done;
    lookup->arg = arg;
    store_submit(redirect_parts(redirect)->store, read_target, target_read, lookup);
    return lookup;
}

void target_forget(struct target_lookup *lookup)
{
    if (lookup)
        lookup->done = NULL;
}

/* --- learning --- */

struct lesson {
    int64_t host_id;
    struct pairs facts;
};

static int write_facts(struct tx *tx, void *data, struct err *err)
{
    const struct lesson *lesson = data;

    return tx_host_facts(tx, lesson->host_id, &lesson->facts, err);
}

static void facts_written(void *data, const struct err *failure)
{
    struct lesson *lesson = data;

    if (failure)
        log_warn(NULL, "facts of host %lld not written down: %s", (long long)lesson->host_id, failure->text);
    pairs_clear(&lesson->facts);
    free(lesson);
}

void target_learn(struct redirect *redirect, int64_t host_id, struct pairs *facts)
{
    struct lesson *lesson;

    if (facts->count == 0)
        return;
    lesson = xcalloc(1, sizeof(*lesson));
    lesson->host_id = host_id;
    lesson->facts = *facts;
    memset(facts, 0, sizeof(*facts));
    store_submit(redirect_parts(redirect)->store, write_facts, facts_written, lesson);
}
