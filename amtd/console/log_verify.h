/* Proving that a log is what was logged: every segment against its signed record, the records against each
 * other. Reads everything; any thread. */
#ifndef AMTD_CONSOLE_LOG_VERIFY_H
#define AMTD_CONSOLE_LOG_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/console/node_key.h"
#include "base/err.h"

enum verify_state {
    VERIFY_INTACT,
    VERIFY_UNSIGNED, /* no signature covers it yet: the newest bytes */
    VERIFY_EXPIRED,  /* removed by the rules of keeping, which a signed record says */
    VERIFY_GAP,      /* bytes that were never in the log, or were lost before they were signed */
    VERIFY_HISTORY,  /* left out in front of a new history (lives.h) */
    VERIFY_DAMAGED,
    VERIFY_STATES,
};
const char *verify_state_name(enum verify_state state);

struct verify_finding {
    enum verify_state state;
    uint64_t first, end; /* of the log; as near as can be told */
    const char *file;    /* "00000000000000000000.log.zst", "chain", ... */
    const char *text;    /* what is wrong; "" */
};

struct verify_result {
    size_t damages;
    uint64_t signed_to; /* behind the last byte that a signature covers */
    uint64_t end;
};

/* found is called for every stretch of the log in order, and for every damage; from inside this call. The log
 * may go on meanwhile: what looks damaged is looked at again when segments were closed or compressed since.
 * path: the log's directory; name: the console that it must be of. -1 and err: it could not be read, so
 * nothing is proved. */
int log_verify(const char *path, const char *name, const struct node_key *key,
               void (*found)(void *arg, const struct verify_finding *finding), void *arg,
               struct verify_result *result, struct err *err);

#endif
