#include "amtd/api/account.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "base/xalloc.h"

#define ENTRY_MAX  65536 /* bytes of one entry of the directory */
#define GROUPS_MAX 1024

struct waiter {
    void (*known)(void *arg);
    void *arg;
    struct waiter *prev, *next;
};

struct account {
    unsigned refs;
    bool known;
    char *who;
    struct user *user;
    struct waiter *waiters;
    /* while it is looked up: of the other thread */
    uv_work_t work;
    const struct config *config;
    bool local; /* has a number here */
    uid_t uid;
    gid_t gid;
    char *found_who;
    struct user *found;
};

/* --- on another thread --- */

static char *group_name(gid_t gid, char *entry)
{
    struct group group, *found = NULL;

    return getgrgid_r(gid, &group, entry, ENTRY_MAX, &found) == 0 && found ? xstrdup(group.gr_name) : NULL;
}

static void find_groups(struct user *user, gid_t primary)
{
    gid_t *groups = xcalloc(GROUPS_MAX, sizeof(*groups));
    char *entry = xmalloc(ENTRY_MAX);
    int count = GROUPS_MAX;

    if (getgrouplist(user->name, primary, groups, &count) < 0)
        count = GROUPS_MAX; /* those that fit are there */
    user->groups = xcalloc((size_t)count + 1, sizeof(*user->groups));
    for (int i = 0; i < count; i++) {
        char *name = group_name(groups[i], entry);

        if (name)
            user->groups[user->group_count++] = name;
    }
    free(entry);
    free(groups);
}

static void allow(struct user *user, const struct config *config)
{
    for (size_t i = 0; i < config->allow_count; i++) {
        const struct config_allow *a = &config->allow[i];
        bool fits = (a->user && strcmp(a->user, user->name) == 0) || (a->group && user_is_in(user, a->group));

        if (fits && (enum api_role)a->role > user->role)
            user->role = (enum api_role)a->role;
    }
}

static void look_up(uv_work_t *work)
{
    struct account *id = work->data;
    char *entry = xmalloc(ENTRY_MAX);
    struct passwd account, *found = NULL;

    id->found = xcalloc(1, sizeof(*id->found));
    id->found->role = ROLE_NONE;
    if (getpwuid_r(id->uid, &account, entry, ENTRY_MAX, &found) == 0 && found) {
        id->found->name = xstrdup(account.pw_name);
        id->found_who = xasprintf("uid %u (%s)", id->uid, account.pw_name);
        find_groups(id->found, id->gid == ACCOUNT_OWN_GROUP ? account.pw_gid : id->gid);
        allow(id->found, id->config);
    } else { /* an account that is gone: no name of the configuration is its */
        id->found->name = xstrdup("");
        id->found_who = xasprintf("uid %u (?)", id->uid);
    }
    if (id->uid == 0 || id->uid == geteuid())
        id->found->role = ROLE_ADMINISTER;
    free(entry);
}

/* --- on the loop's --- */

static void looked_up(uv_work_t *work, int status)
{
    struct account *id = work->data;
    struct waiter *w, *next;

    (void)status;
    id->known = true;
    user_free(id->user);
    id->user = id->found;
    free(id->who);
    id->who = id->found_who;
    DL_FOREACH_SAFE(id->waiters, w, next)
    {
        DL_DELETE(id->waiters, w);
        w->known(w->arg);
        free(w);
    }
    account_unref(id);
}

struct account *account_of_name(const char *who, const char *name, enum api_role role)
{
    const struct user user = {.name = (char *)name, .role = role};
    struct account *id = xcalloc(1, sizeof(*id));

    id->refs = 1;
    id->known = true;
    id->who = xstrdup(who);
    id->user = user_copy(&user);
    return id;
}

struct account *account_of_uid(uv_loop_t *loop, const struct config *config, uid_t uid, gid_t gid)
{
    char *who = xasprintf("uid %u", uid);
    struct account *id = account_of_name(who, "", ROLE_NONE);

    free(who);
    id->known = false;
    id->config = config;
    id->local = true;
    id->uid = uid;
    id->gid = gid;
    id->work.data = account_ref(id);
    if (uv_queue_work(loop, &id->work, look_up, looked_up) != 0) {
        id->known = true; /* nobody, who may do nothing */
        account_unref(id);
    }
    return id;
}

struct account *account_ref(struct account *id)
{
    id->refs++;
    return id;
}

void account_unref(struct account *id)
{
    if (!id || --id->refs > 0)
        return;
    user_free(id->user);
    free(id->who);
    free(id);
}

void account_wait(struct account *id, void (*known)(void *arg), void *arg)
{
    struct waiter *w;

    if (id->known) {
        known(arg);
        return;
    }
    w = xcalloc(1, sizeof(*w));
    w->known = known;
    w->arg = arg;
    DL_APPEND(id->waiters, w);
}

const char *account_who(const struct account *id)
{
    return id->who;
}

int64_t account_uid(const struct account *id)
{
    return id->local ? (int64_t)id->uid : -1;
}

const struct user *account_user(const struct account *id)
{
    return id->user;
}
