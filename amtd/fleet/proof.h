/* Proof: after a device was told to take a new password, which of the two it has, found out by logging in
 * anew. The one that is likely goes first; the other follows after a pause, since a wrong password counts. */
#ifndef AMTD_FLEET_PROOF_H
#define AMTD_FLEET_PROOF_H

#include "amtd/fleet/login.h"
#include "wsman/identity.h"

struct proof {
    struct identity_seq seq;   /* what is asked when logged in */
    struct login before;       /* the login that made the change */
    struct own_password fresh; /* its account with the new password; owned */
    bool fresh_first;
    bool failed;        /* the change itself seemed to fail */
    struct err failure; /* ... with this */
};

/* failure: that of the change, or NULL. likely: the device probably has the new password. Both passwords are
 * copied or borrowed from the login's owners. */
struct proof *proof_new(const struct login *before, const struct secret *fresh, bool likely,
                        const struct err *failure);
void proof_free(struct proof *proof); /* NULL is fine */
/* The k-th login to try, of two. */
bool proof_login(const struct proof *proof, size_t k, struct login *out);

#endif
