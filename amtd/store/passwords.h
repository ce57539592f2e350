/* Passwords that hosts have of their own: one that is proven, one on its way to the device, and all that were
 * before. None is ever overwritten: whatever happened on the way, the one that the device has is here.
 * Store thread only. */
#ifndef AMTD_STORE_PASSWORDS_H
#define AMTD_STORE_PASSWORDS_H

#include "amtd/store/store.h"

enum password_state {
    PASSWORD_PROVEN, /* the device has it */
    PASSWORD_NEXT,   /* on its way to the device; the next login shows whether it arrived */
    PASSWORD_FORMER, /* the device had it, or never took it */
};

struct password_row {
    char *host; /* its name when the password was made: that of a removed host stays */
    char *user;
    enum password_state state;
    struct secret *password; /* NULL unless asked for, or when the seal does not open */
    int64_t at_ms;           /* when it came to that state */
    int64_t run;             /* the run that made it */
};
void password_row_clear(struct password_row *row);

/* A new password of the host's account is about to be sent. One that was on its way becomes a former one. */
int tx_password_next(struct tx *tx, int64_t host_id, const char *user, const struct secret *password,
                     int64_t run, int64_t at_ms, struct err *err);
/* A login showed which one the device has. Nothing happens when none is on its way. */
int tx_password_settle(struct tx *tx, int64_t host_id, const char *user, bool has_new, int64_t at_ms,
                       struct err *err);
/* The host goes back to its profile's passwords; its own become former ones. *count: how many. */
int tx_password_forget(struct tx *tx, int64_t host_id, int64_t at_ms, size_t *count, struct err *err);
/* The same for one account, which the device does not have any more. */
int tx_password_forget_user(struct tx *tx, int64_t host_id, const char *user, int64_t at_ms, struct err *err);
/* By name and state; newest first within. host NULL: all. former: also those that were before. open: with the
 * passwords themselves. *rows is the caller's array. */
int tx_passwords(struct tx *tx, const char *host, bool former, bool open, struct password_row **rows,
                 size_t *count, struct err *err);
/* Somebody has the passwords of a host of that name, as they were at known_ms. */
int tx_passwords_seen(struct tx *tx, const char *host, int64_t known_ms, int64_t at_ms, struct err *err);
/* An account of the host whose password nobody has looked at: *user (caller's), or NULL. */
int tx_password_unseen(struct tx *tx, int64_t host_id, char **user, struct err *err);
/* Those of one host; the caller's. */
int tx_host_passwords(struct tx *tx, int64_t host_id, struct own_passwords *out, struct err *err);
/* Gives the hosts (in ascending order of id) their passwords. */
int tx_load_passwords(struct tx *tx, struct hosts *hosts, struct err *err);

#endif
