/* A scripted amtd where the connection would be: answers calls by name and keeps what was asked. */
#ifndef TEST_FAKE_CLIENT_H
#define TEST_FAKE_CLIENT_H

#include "base/cause.h"

struct fake_answer {
    const char *call;
    const char *events; /* a JSON array, of which {"row": …} is a row; NULL: none */
    const char *reply;  /* JSON; of a failure its details, or NULL */
    enum cause cause;   /* of the failure; CAUSE_NONE: it succeeds */
};

/* answers: ended by one without a call; each is given once, in this order. Forgets what was asked. */
void fake_client_script(const struct fake_answer *answers);
/* What was asked since: "CALL PARAMS" a line, members sorted. Borrowed, until the next script. */
const char *fake_client_asked(void);

#endif
