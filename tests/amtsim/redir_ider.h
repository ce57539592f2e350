/* IDE redirection, the device's end of an open session: the machine's drives on one side, messages on the
 * other. (reference redirection.md, section 3)
 *
 * The machine gives ATAPI commands; each goes to the client as 0x50 and is answered by parts of data, by a
 * status, or both. A drive has one command under way, the others wait. No I/O. */
#ifndef AMTSIM_REDIR_IDER_H
#define AMTSIM_REDIR_IDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/amtsim/device.h"
#include "tests/amtsim/redir_msg.h"
#include "tests/amtsim/redir_out.h"

struct redir_ider; /* opaque */

/* An open session; answers 0x41 into out, which is borrowed. */
struct redir_ider *redir_ider_new(struct device *device, const struct ider_settings *settings,
                                  struct redir_out *out);
/* The drives are taken from the machine; commands under way are answered with `gone`. NULL is fine. */
void redir_ider_free(struct redir_ider *ider);

/* One message of an open session. False: it is not what the protocol allows now. */
bool redir_ider_take(struct redir_ider *ider, const struct redir_msg *m);
/* A command of the machine. False: the drives are not given to it. */
bool redir_ider_command(struct redir_ider *ider, const struct drive_request *request);
/* Whether the machine has the drives. */
bool redir_ider_enabled(const struct redir_ider *ider);
/* The machine was reset: commands under way are gone, the client is told. */
void redir_ider_reset(struct redir_ider *ider);

void redir_ider_tick(struct redir_ider *ider, int64_t heard_ms);
int64_t redir_ider_deadline(const struct redir_ider *ider, int64_t heard_ms);

/* The number of the session's next message, which is then taken. */
uint32_t redir_ider_number(struct redir_ider *ider);

#endif
