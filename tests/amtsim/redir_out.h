/* What a redirection session has to say, and the pauses in it.
 *
 * amtterm reads into 64 bytes and, after some messages, throws away all that came with them (reference
 * redirection.md, 8.2): a device keeps a pause after those, so that the next message comes by itself. */
#ifndef AMTSIM_REDIR_OUT_H
#define AMTSIM_REDIR_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

#define REDIR_PAUSE_MS 100
#define REDIR_PAUSE_LONG_MS                                                                                  \
    400 /* for who may be amtterm: it must have read one message when the next comes */
#define REDIR_PAUSES    8
#define REDIR_OUT_MAX   ((size_t)1 << 20)
#define REDIR_OUT_ROOMY ((size_t)65536) /* below this many bytes, data may be added */

struct redir_out {
    struct buf bytes;            /* messages are appended here */
    size_t pauses[REDIR_PAUSES]; /* offsets in bytes before which there is one, rising */
    unsigned count;
    int64_t until_ms; /* end of the pause under way; 0: none */
    int64_t pause_ms; /* REDIR_PAUSE_MS, or long ones */
};

void redir_out_init(struct redir_out *out);
void redir_out_clear(struct redir_out *out);
/* Nothing of what is appended from now on goes out together with what is there. */
void redir_out_pause(struct redir_out *out);
/* What may go out now. Borrowed until the next call. */
struct view redir_out_ready(struct redir_out *out, int64_t now_ms);
void redir_out_sent(struct redir_out *out, size_t n, int64_t now_ms);
/* When more may be ready; INT64_MAX: nothing waits for its time. */
int64_t redir_out_deadline(const struct redir_out *out);
bool redir_out_roomy(const struct redir_out *out);

#endif
