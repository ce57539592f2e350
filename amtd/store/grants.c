/* Grants, and what they come to for one user. */
#include <stdlib.h>
#include <string.h>

#include "amtd/store/internal.h"
#include "amtd/store/reach.h"
#include "base/xalloc.h"

static const char *named(const struct grant *grant)
{
    return grant->group ? "group" : "user";
}

static sqlite3_stmt *prepare_grant(struct tx *tx, const char *sql, const struct grant *grant, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(tx, sql, err);

    if (!st)
        return NULL;
    sqlite3_bind_int(st, 1, grant->group);
    bind_text(st, 2, grant->name);
    sqlite3_bind_int(st, 3, (int)grant->role);
    bind_text(st, 4, grant->collection);
    return st;
}

int tx_grant_add(struct tx *tx, const struct grant *grant, struct err *err)
{
    sqlite3_stmt *st =
        prepare_grant(tx,
                      "INSERT INTO grants(is_group, name, role, collection) SELECT ?1, ?2, ?3, ?4"
                      " WHERE NOT EXISTS (SELECT 1 FROM grants WHERE is_group = ?1 AND name = ?2"
                      " AND role = ?3 AND collection IS ?4)",
                      grant, err);

    if (!st)
        return -1;
    if (tx_run_statement(tx, st, err) != 0) {
        if (sqlite3_extended_errcode(tx->db) == SQLITE_CONSTRAINT_FOREIGNKEY)
            err_set(err, CAUSE_NOT_FOUND, "there is no collection '%s'", grant->collection);
        return -1;
    }
    if (sqlite3_changes(tx->db) == 0)
        return err_set(err, CAUSE_EXISTS, "%s '%s' has that role there already", named(grant), grant->name);
    return 0;
}

int tx_grant_remove(struct tx *tx, const struct grant *grant, struct err *err)
{
    sqlite3_stmt *st = prepare_grant(
        tx, "DELETE FROM grants WHERE is_group = ?1 AND name = ?2 AND role = ?3 AND collection IS ?4", grant,
        err);

    if (!st || tx_run_statement(tx, st, err) != 0)
        return -1;
    if (sqlite3_changes(tx->db) == 0)
        return err_set(err, CAUSE_NOT_FOUND, "%s '%s' was not granted the role '%s' there", named(grant),
                       grant->name, role_name(grant->role));
    return 0;
}

int tx_grants(struct tx *tx, struct grant **out, size_t *count, struct err *err)
{
    sqlite3_stmt *st = tx_prepare(
        tx, "SELECT is_group, name, role, collection FROM grants ORDER BY is_group, name, collection, role",
        err);
    int row;

    *out = NULL;
    *count = 0;
    if (!st)
        return -1;
    while ((row = tx_step(tx, st, err)) > 0) {
        struct grant *g;

        *out = xreallocarray(*out, *count + 1, sizeof(**out));
        g = &(*out)[(*count)++];
        g->group = sqlite3_column_int(st, 0) != 0;
        g->name = column_text(st, 1);
        g->role = (enum api_role)sqlite3_column_int(st, 2);
        g->collection = column_text(st, 3);
    }
    return row;
}

static int add_collection(struct tx *tx, struct reach *reach, const struct grant *grant, struct err *err)
{
    char *target = xasprintf("@%s", grant->collection);
    struct hosts hosts;
    int status = tx_target_bare(tx, target, &hosts, err);

    if (status == 0) {
        reach_add(reach, &hosts, grant->role);
        hosts_clear(&hosts);
    }
    free(target);
    return status;
}

int tx_reach(struct tx *tx, const struct user *user, struct reach **out, struct err *err)
{
    const struct actor *actor = tx->actor;
    enum api_role everywhere = user->role;
    struct grant *grants;
    size_t count;
    int status = tx_grants(tx, &grants, &count, err);

    for (size_t i = 0; i < count; i++)
        if (!grants[i].collection && grant_is_for(&grants[i], user) && grants[i].role > everywhere)
            everywhere = grants[i].role;
    *out = reach_new(everywhere);
    tx->actor = NULL; /* what a collection holds is nobody's view */
    for (size_t i = 0; i < count; i++) {
        if (status == 0 && grants[i].collection && grants[i].role > everywhere &&
            grant_is_for(&grants[i], user))
            status = add_collection(tx, *out, &grants[i], err);
        grant_clear(&grants[i]);
    }
    tx->actor = actor;
    free(grants);
    if (status != 0) {
        reach_free(*out);
        *out = NULL;
    }
    return status;
}

int tx_target_of(struct tx *tx, const char *target, const char *who, const struct user *user,
                 enum api_role need, struct hosts *out, enum api_role *everywhere, struct err *err)
{
    struct actor actor = {.who = who, .need = need};
    struct reach *reach;
    int status;

    memset(out, 0, sizeof(*out));
    if (everywhere)
        *everywhere = ROLE_ADMINISTER;
    if (!user)
        return tx_target(tx, target, out, err);
    if (tx_reach(tx, user, &reach, err) != 0)
        return -1;
    actor.reach = reach;
    tx_as(tx, &actor);
    status = tx_target(tx, target, out, err);
    tx_as(tx, NULL);
    if (everywhere)
        *everywhere = reach_everywhere(reach);
    reach_free(reach);
    return status;
}

bool tx_sees(const struct tx *tx, const char *host)
{
    return !tx->actor || reach_on(tx->actor->reach, host) >= ROLE_WATCH;
}

int tx_see(struct tx *tx, struct hosts *hosts, struct err *err)
{
    const struct actor *actor = tx->actor;
    size_t kept = 0;

    if (!actor)
        return 0;
    for (size_t i = 0; i < hosts->count; i++) {
        if (tx_sees(tx, hosts->items[i].name))
            hosts->items[kept++] = hosts->items[i];
        else
            host_clear(&hosts->items[i]);
    }
    hosts->count = kept;
    for (size_t i = 0; actor->touched && i < kept; i++)
        hostlist_add(actor->touched, hosts->items[i].name, NULL);
    if (actor_check(actor, hosts, err) == 0)
        return 0;
    hosts_clear(hosts);
    return -1;
}

void tx_as(struct tx *tx, const struct actor *actor)
{
    tx->actor = actor;
}

const struct actor *tx_actor(const struct tx *tx)
{
    return tx->actor;
}

const char *tx_only(const struct tx *tx)
{
    return tx->actor && reach_everywhere(tx->actor->reach) < ROLE_WATCH ? tx->actor->who : NULL;
}

bool tx_is_his(const struct tx *tx, const char *who)
{
    const char *only = tx_only(tx);

    return !only || strcmp(only, who) == 0;
}

int tx_may(const struct tx *tx, enum api_role need, const struct hosts *hosts, struct err *err)
{
    struct actor actor;

    if (!tx->actor)
        return 0;
    actor = *tx->actor;
    actor.need = need;
    return actor_check(&actor, hosts, err);
}
