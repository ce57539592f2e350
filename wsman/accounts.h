/* The accounts of a device: reading them, and making them what they should be. (reference wsman.md,
 * section 3.9)
 *
 * All are read, compared with what is wanted, and corrected one by one: added, changed, and (when nothing
 * else may be there) removed. The administrator's account and those of Kerberos are only read. */
#ifndef WSMAN_ACCOUNTS_H
#define WSMAN_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "wsman/password.h"

#define ACCOUNT_NAME_MAX 16 /* bytes; firmware takes no more */
#define ACCOUNTS_MAX     64
#define ACCOUNT_SID_MAX  28 /* bytes, binary */

enum account_access { ACCOUNT_LOCAL, ACCOUNT_NETWORK, ACCOUNT_ANY };
extern const char *const account_access_names[]; /* ended by NULL */

/* A realm is a bit, by its number. The name is "remote-control" and so on; NULL: that number has none. */
const char *account_realm_name(unsigned number);
/* The number of a name, or -1. */
int account_realm_number(const char *name);
/* "remote-control, redirection"; appended. */
void account_realms_say(uint32_t realms, struct buf *out);

struct account {
    char name[ACCOUNT_NAME_MAX + 1];
    uint32_t realms; /* bits */
    enum account_access access;
};

enum account_change {
    ACCOUNT_SAME,
    ACCOUNT_ADD,
    ACCOUNT_CORRECT,
    ACCOUNT_ENABLE, /* right, but switched off */
    ACCOUNT_REMOVE,
    ACCOUNT_OTHER, /* not wanted, and left alone */
};
extern const char *const account_change_names[];

/* One that is there, or is to be. */
struct account_row {
    struct account account; /* as it is, or (ACCOUNT_ADD) is to be; name "" for Kerberos */
    struct account wanted;  /* ACCOUNT_CORRECT: what it is to be */
    char sid[100];          /* "S-1-5-21-...", of a Kerberos account; else "" */
    uint32_t handle;
    bool disabled;
    enum account_change change;
    bool done; /* the device took the change */
};

/* Borrowed for the time of the sequence. */
struct accounts_request {
    const struct account *wanted;
    size_t count;
    bool exact;       /* no other digest accounts */
    bool apply;       /* else only compared */
    bool renew;       /* of those wanted that are there the passwords, and nothing else */
    const char *self; /* the account that is logged in: it is neither changed nor removed; NULL: none */
    /* MD5(user:realm:password) of the password for an account that is added or changed, since firmware takes
     * no change without one: 0, or -1 with err. */
    int (*hash)(void *arg, const char *user, const char *realm, uint8_t out[PASSWORD_HASH_LEN],
                struct err *err);
    /* An earlier change of its password was cut off, so nobody knows which one it has: it gets another.
     * NULL: that is so of none. */
    bool (*doubtful)(void *arg, const char *user);
    void *arg;
};

struct accounts_seq {
    struct seq seq; /* first */
    struct accounts_request request;
    char admin[ACCOUNT_NAME_MAX + 1]; /* "" unknown */
    struct account_row rows[ACCOUNTS_MAX];
    size_t count;
    /* private */
    uint32_t total;
    size_t at;
    char realm[64];
};

/* Causes of its own: limit-exceeded (no room for another account), invalid-argument (self, or the
 * administrator), bad-answer. */
void accounts_seq_init(struct accounts_seq *as, const struct accounts_request *request);
/* What differs from what is wanted, whether or not it was corrected. */
size_t accounts_differ(const struct accounts_seq *as);

#endif
