/* Where a host's redirection port is, and how to log in there: what the store says of it. */
#ifndef AMTD_REDIRECT_TARGET_H
#define AMTD_REDIRECT_TARGET_H

#include "amtd/redirect/redirect.h"
#include "amtd/store/model.h"
#include "wsman/http.h"

struct target {
    struct host host;
    struct profile profile; /* the host's own, or the one that worked last; zeroed: none is known yet */
};
void target_clear(struct target *target);
bool target_is_known(const struct target *target);
/* A new password was on its way to the device: which it has is not known. */
bool target_is_unsettled(const struct target *target);
/* Settings for TLS and login; strings are borrowed from target. The port is the redirection port: two above
 * that of WS-Management, as 16994 is above 16992. */
struct http_settings target_settings(const struct target *target);

/* target is the callee's to clear; NULL with failure (not-found, seal-broken, tls-untrusted, store-failed).
 */
typedef void target_done(void *arg, struct target *target, const struct err *failure);

struct target_lookup;
/* Reads it from the store; done follows, never from inside this call. */
struct target_lookup *target_look_up(struct redirect *redirect, const char *host, target_done *done,
                                     void *arg);
/* Nobody wants to know any more. NULL is fine. */
void target_forget(struct target_lookup *lookup);

/* Adds to what is known of the host; nobody waits for it. facts is taken over. */
void target_learn(struct redirect *redirect, int64_t host_id, struct pairs *facts);

#endif
