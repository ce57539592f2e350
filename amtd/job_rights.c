#include "amtd/job_rights.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/api/account.h"
#include "amtd/api/activity.h"
#include "amtd/api/console_json.h"
#include "amtd/daemon.h"
#include "amtd/node/peers.h"
#include "base/xalloc.h"

/* "uid 1000 (anna)", "client laptop (anna)": the name in brackets. The caller's. */
static char *name_in(const char *who)
{
    const char *open = strchr(who, '(');

    return xstrndup(open ? open + 1 : "", open ? strcspn(open + 1, ")") : 0);
}

/* A job has the rights that a console's own list gives to whoever began it, by his name alone. */
static enum console_right right_of_job(const char *who, enum api_role role,
                                       const struct console_settings *settings)
{
    struct user user = {.name = name_in(who)};
    enum console_right right =
        console_right_with(&user, strncmp(who, "uid 0 ", 6) == 0 ? ROLE_ADMINISTER : role, settings);

    free(user.name);
    return right;
}

/* --- who somebody is now --- */

struct asked {
    struct account *account;
    char *who; /* as he was called when it was ordered */
    void (*known)(void *arg, const struct user *user);
    void *arg;
};

/* A number that somebody else has got meanwhile is not him. */
static void account_known(void *arg)
{
    struct asked *a = arg;
    bool same = strcmp(account_who(a->account), a->who) == 0;

    a->known(a->arg, same ? account_user(a->account) : NULL);
    account_unref(a->account);
    free(a->who);
    free(a);
}

/* On another machine: as it is known here, or by a certificate from the CA. */
static void look_up_client(struct daemon *d, const char *who,
                           void (*known)(void *arg, const struct user *user), void *arg)
{
    const struct config *config = daemon_config(d);
    size_t n = strncmp(who, "client ", 7) == 0 ? strcspn(who + 7, " ") : 0;
    char *name = xstrndup(n > 0 ? who + 7 : "", n), *user_name = name_in(who);
    const struct peer *peer = daemon_peers(d) ? peers_find(daemon_peers(d), PEER_CLIENT, name) : NULL;
    struct user user = {.name = user_name, .role = peer ? (enum api_role)peer->role : ROLE_NONE};

    for (size_t i = 0; !peer && i < config->allow_count; i++)
        if (config->allow[i].certificate && strcmp(config->allow[i].certificate, name) == 0 &&
            config->allow[i].role > (int)user.role)
            user.role = (enum api_role)config->allow[i].role;
    known(arg, peer || user.role > ROLE_NONE ? &user : NULL);
    free(user_name);
    free(name);
}

static void look_up(void *arg, int64_t uid, const char *who,
                    void (*known)(void *known_arg, const struct user *user), void *known_arg)
{
    struct daemon *d = arg;
    struct asked *a;

    if (uid < 0) {
        look_up_client(d, who, known, known_arg);
        return;
    }
    a = xcalloc(1, sizeof(*a));
    a->who = xstrdup(who);
    a->known = known;
    a->arg = known_arg;
    a->account =
        account_of_uid(streams_loop(daemon_streams(d)), daemon_config(d), (uid_t)uid, ACCOUNT_OWN_GROUP);
    account_wait(a->account, account_known, a);
}

static void note(void *arg, const struct job_deed *deed)
{
    struct hostlist *hosts = hostlist_new();

    for (size_t i = 0; deed->hosts && i < deed->hosts->count; i++)
        hostlist_add(hosts, deed->hosts->items[i].name, NULL);
    activity_write(arg, &(struct deed){.who = deed->who,
                                       .by = deed->by,
                                       .what = deed->what,
                                       .target = deed->target,
                                       .hosts = hosts,
                                       .err = deed->err,
                                       .result = deed->result ? deed->result : "begun",
                                       .detail = deed->detail,
                                       .run = deed->run});
    hostlist_free(hosts);
}

void job_rights_fill(struct job_parts *parts, struct daemon *daemon)
{
    parts->console_right = right_of_job;
    parts->look_up = look_up;
    parts->note = note;
    parts->arg = daemon;
}
