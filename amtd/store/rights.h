/* Rights: who may do what with which hosts.
 *
 * A role is granted to a user or a group of UNIX, on one collection or on every host; a higher role includes
 * the lower ones. Collections are looked at when somebody asks for something, in the transaction that does
 * it: a host that has left a collection is out of reach from that moment on.
 *
 * What somebody may is a `reach`. It decides twice: hosts below the role `watch` are not there for him (not
 * shown, not found, not in any range or query), and a target that holds one host below the role that a call
 * needs is refused as a whole. */
#ifndef AMTD_STORE_RIGHTS_H
#define AMTD_STORE_RIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/store/model.h"
#include "base/err.h"
#include "base/hostlist.h"

enum api_role { ROLE_NONE = -1, ROLE_WATCH, ROLE_OPERATE, ROLE_QUARANTINE, ROLE_ADMINISTER };

/* "watch"; static; "nothing" for ROLE_NONE. */
const char *role_name(enum api_role role);
bool role_by_name(const char *name, enum api_role *role);

/* Somebody, as far as rights are concerned. */
struct user {
    char *name;
    char **groups; /* names; those that have none are left out */
    size_t group_count;
    enum api_role
        role; /* on every host, by what he is or the configuration says; ROLE_NONE: by grants only */
};
struct user *user_copy(const struct user *user);
void user_free(struct user *user); /* NULL is fine */
bool user_is_in(const struct user *user, const char *group);

/* One line of the table. Strings are owned. */
struct grant {
    bool group;
    char *name;
    enum api_role role;
    char *collection; /* NULL: every host */
};
bool grant_is_for(const struct grant *grant, const struct user *user);
void grant_clear(struct grant *grant);

/* What one user may. Immutable once made, so any thread may use it. */
struct reach;

void reach_free(struct reach *reach);                      /* NULL is fine */
enum api_role reach_everywhere(const struct reach *reach); /* on every host, those to come included */
enum api_role reach_highest(const struct reach *reach);    /* on any host at all */
enum api_role reach_on(const struct reach *reach, const char *host); /* on this one */

struct tx;

/* What he may at this moment. -1 and err. */
int tx_reach(struct tx *tx, const struct user *user, struct reach **out, struct err *err);

/* For whom the transaction works: from tx_as on, targets and hosts by name are what `reach` leaves of them,
 * and those below `need` are denied. */
struct actor {
    const char *who; /* as in runs and activities */
    const struct reach *reach;
    enum api_role need;
    struct hostlist *touched; /* the hosts of targets, and those that are added or changed, come in; NULL:
                                 nobody wants to know */
};
/* Borrowed until tx_as(tx, NULL), which works for amtd itself again. */
void tx_as(struct tx *tx, const struct actor *actor);
/* tx_target for a user as he is now: what he may watch of it, -1 and err (denied) where he lacks `need` on
 * one of them. *everywhere (may be NULL): his role on every host. user NULL: amtd itself. */
int tx_target_of(struct tx *tx, const char *target, const char *who, const struct user *user,
                 enum api_role need, struct hosts *out, enum api_role *everywhere, struct err *err);
/* For whom it works now; NULL: for amtd itself. */
const struct actor *tx_actor(const struct tx *tx);
/* 0, or -1 and err (denied) where the actor lacks what he needs on one of the hosts. */
int actor_check(const struct actor *actor, const struct hosts *hosts, struct err *err);
/* The same for whoever the transaction works for, with another role. */
int tx_may(const struct tx *tx, enum api_role need, const struct hosts *hosts, struct err *err);
/* Whether it is his own, or he sees everything. */
bool tx_is_his(const struct tx *tx, const char *who);
/* The actor's text when he does not see everything, and thus only what is his own; else NULL. */
const char *tx_only(const struct tx *tx);

/* not-found: no such collection; exists: that grant is there. */
int tx_grant_add(struct tx *tx, const struct grant *grant, struct err *err);
/* not-found: there is none. */
int tx_grant_remove(struct tx *tx, const struct grant *grant, struct err *err);
/* By name, users first. *out is an owned array. */
int tx_grants(struct tx *tx, struct grant **out, size_t *count, struct err *err);

#endif
