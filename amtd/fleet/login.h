/* Logins: the ways to log in to a host, in the order in which they are tried. */
#ifndef AMTD_FLEET_LOGIN_H
#define AMTD_FLEET_LOGIN_H

#include <stddef.h>

#include "amtd/store/model.h"
#include "base/err.h"

/* A profile and the password that goes with it. All is borrowed from the profile and the host. */
struct login {
    const struct profile *profile;  /* NULL: none */
    const struct secret *password;  /* of digest logins; NULL none */
    const struct own_password *own; /* where the password comes from, NULL: from the profile */
    const struct own_password
        *unsettled; /* whose `next` the device has or has not: who is let in knows. Also
                       where the profile's is the one it may have replaced. NULL: none */
    bool unproven;  /* own->next: nobody knows yet whether the device has it */
};

/* The k-th login: those of `ordered` (a profile's name) or of the host's own profile alone, else of the
 * profile that worked before, then of the others in their order. A profile with a password whose way to the
 * device was cut off gives two: the new password goes first, since the old one would be the wrong one if it
 * arrived. False when there are no more. */
bool login_at(const struct profiles *profiles, const struct host *host, const char *ordered, size_t k,
              struct login *out);
/* The login with a profile's password as it was proven last. */
struct login login_proven(const struct host *host, const struct profile *profile);

/* What makes it unusable for this host, before anything is sent: seal-broken, tls-untrusted. */
int login_check(const struct login *login, const struct host *host, struct err *err);
/* A device that was talked to over TLS is never talked to without it, whatever profiles there are: somebody
 * on the way could otherwise provoke it. */
bool login_would_downgrade(const struct login *login, const struct host *host, const char *ordered);
/* The failures after which another login may fit. Those of trust are not among them. */
bool login_another_may_fit(enum cause cause);
/* Of several logins' failures, the one that got farther. */
const struct err *login_telling(const struct err *before, const struct err *now);

#endif
