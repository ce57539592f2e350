/* A client of redirection sessions for tests: bytes in and out of a session in memory, time by the fake
 * clock. */
#ifndef TEST_REDIR_CLIENT_H
#define TEST_REDIR_CLIENT_H

#include "base/buf.h"
#include "tests/amtsim/redir_session.h"
#include "tests/unit/amtsim/sim.h"

struct client {
    struct sim *sim;
    struct device *device;
    struct redir_session *session;
    size_t piece;   /* bytes fed at a time; 0: all at once */
    struct buf got; /* what the device said and nobody has looked at yet */
};

void client_open(struct client *c, struct sim *sim, struct device *device);
void client_close(struct client *c);
/* Says bytes, and takes what is answered, pauses included. */
void client_say(struct client *c, const void *p, size_t n);
void client_say_hex(struct client *c, const char *hex);
/* Lets time pass in steps as the session's deadlines ask for; takes what is said meanwhile. */
void client_wait(struct client *c, int64_t ms);
/* What was said begins with these bytes, which are taken off ("--" matches any byte). */
void client_expect(struct client *c, const char *hex);
void client_expect_nothing(struct client *c);
/* Login by digest (type 4, or 3) with that password; the answer stays in `got`. */
void client_login(struct client *c, unsigned type, const char *user, const char *password);
/* Start, login, open: ready to talk. type "SOL " or "IDER". */
void client_start(struct client *c, const char *type);

#endif
