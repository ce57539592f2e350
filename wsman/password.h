/* The password of the account that is logged in. (reference wsman.md, section 3.9)
 *
 * Reads which account it is (the administrator's, or one of the user accounts, whose rights stay as they are)
 * and the device's digest realm, and then sets the password in one call. Whether the device took it is proved
 * by logging in with it over a new connection: that is the owner's business, since a sequence has one
 * session. */
#ifndef WSMAN_PASSWORD_H
#define WSMAN_PASSWORD_H

#include <stdbool.h>
#include <stdint.h>

#include "wsman/seq.h"

#define PASSWORD_HASH_LEN   16
#define PASSWORD_REALMS_MAX 32
#define PASSWORD_USERS_MAX  128 /* user accounts looked at, at most; firmware has up to 48 */

/* Who it is, and the hash of the new password. Borrowed for the time of the sequence. */
struct password_request {
    const char *user;
    /* MD5(user:realm:new password) into out: 0, or -1 with err. */
    int (*hash)(void *arg, const char *realm, uint8_t out[PASSWORD_HASH_LEN], struct err *err);
    void *arg;
};

struct password_seq {
    struct seq seq; /* first */
    struct password_request request;
    bool is_admin;
    bool asked;  /* the change was sent: from here on either password may be the right one */
    bool denied; /* ... and the device said that it did not take it */
    /* private */
    char realm[64];
    uint32_t handles[PASSWORD_USERS_MAX];
    uint32_t handle_count, total, at;
    uint32_t access;
    uint32_t realms[PASSWORD_REALMS_MAX];
    uint32_t realm_count;
};

/* Causes of its own: not-found (no such account on the device), bad-answer. */
void password_seq_init(struct password_seq *ps, const struct password_request *request);

#endif
