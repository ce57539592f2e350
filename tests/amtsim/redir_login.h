/* Who may begin a redirection session: the login exchange of 0x13 and 0x14. (reference redirection.md, 1.3)
 *
 * Accounts, lock and wrong-password faults are those of WS-Man. */
#ifndef AMTSIM_REDIR_LOGIN_H
#define AMTSIM_REDIR_LOGIN_H

#include <stdint.h>

#include "base/buf.h"
#include "tests/amtsim/device.h"
#include "tests/amtsim/redir_msg.h"

#define REDIR_NONCE_LEN 32 /* hex digits */

struct redir_auth { /* zeroed at the start of a connection */
    char nonce[REDIR_NONCE_LEN + 1];
    int64_t nonce_ms; /* when it was made */
    uint8_t wrong;    /* refused logins on this connection */
};

enum redir_verdict {
    REDIR_LOGIN_GOES_ON, /* answered; the client may try (again) */
    REDIR_LOGIN_OK,
    REDIR_LOGIN_OVER, /* answered; the connection ends */
    REDIR_LOGIN_BAD,  /* not answered: not what the protocol allows */
};

/* Answers one 0x13 by appending the 0x14 to out. */
enum redir_verdict redir_login_answer(struct redir_auth *auth, struct device *device,
                                      const struct redir_msg *m, struct buf *out);

#endif
