/* Proving that a replica is what the node logged: its bytes, and the times and journals that came with them,
 * against the signatures of the node (proof.h). Reads everything; any thread. */
#ifndef AMTD_CONSOLE_LOG_ORIGIN_H
#define AMTD_CONSOLE_LOG_ORIGIN_H

#include "amtd/console/log_verify.h"
#include "amtd/console/proof.h"

/* As log_verify, for what is in `origin`. 1; 0: the log in that directory is no replica; -1 and err: it could
 * not be read. */
int log_origin_verify(const char *path, struct origin *origin,
                      void (*found)(void *arg, const struct verify_finding *finding), void *arg,
                      struct verify_result *result, struct err *err);

#endif
