/* Who is at the other end of a connection: found out once, away from the loop, because names of users and
 * groups may come from a directory that is slow today. Whoever needs to know waits for it. Loop's thread
 * only. */
#ifndef AMTD_API_ACCOUNT_H
#define AMTD_API_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "amtd/config.h"
#include "amtd/store/rights.h"

struct account;

#define ACCOUNT_OWN_GROUP ((gid_t)-1) /* the one that the account has */

/* A user of this machine; one reference, for the caller. Root and the user that amtd runs as administer every
 * host, others what `allow` of the configuration says, and what is granted to them. config is borrowed. */
struct account *account_of_uid(uv_loop_t *loop, const struct config *config, uid_t uid, gid_t gid);
/* Somebody who has no account here; `who` is how he is called in logs. */
struct account *account_of_name(const char *who, const char *name, enum api_role role);
struct account *account_ref(struct account *account);
void account_unref(struct account *account); /* NULL is fine */

/* Calls known(arg) when it is known, at once when it is known already; in the order of waiting. */
void account_wait(struct account *account, void (*known)(void *arg), void *arg);
/* "uid 1000 (anna)"; before it is known, "uid 1000". Kept by the account; changes once. */
const char *account_who(const struct account *account);
/* His number on this machine; -1: he has none here. */
int64_t account_uid(const struct account *account);
/* Meaningful once it is known. */
const struct user *account_user(const struct account *account);

#endif
