/* Serial over LAN, the device's end of an open session: the machine's first serial port on one side, messages
 * on the other. (reference redirection.md, section 2)
 *
 * What the machine says is collected in the transmit buffer; when the client does not read and the buffer is
 * full, the machine has to wait, or loses output when the client asked for that. What the client types waits
 * in the port's receive buffer until the machine reads it, or is thrown away after a while. No I/O. */
#ifndef AMTSIM_REDIR_SOL_H
#define AMTSIM_REDIR_SOL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "tests/amtsim/device.h"
#include "tests/amtsim/redir_msg.h"
#include "tests/amtsim/redir_out.h"

struct redir_sol; /* opaque */

/* An open session; answers 0x21 and the first 0x29 into out, which is borrowed. Machine and device state are
 * the device's. */
struct redir_sol *redir_sol_new(struct device *device, const struct sol_settings *settings,
                                struct redir_out *out);
/* The machine is let go. NULL is fine. */
void redir_sol_free(struct redir_sol *sol);

/* From the machine. */
void redir_sol_from_host(struct redir_sol *sol, const void *p, size_t n);
/* Power or lines of the machine have changed. */
void redir_sol_changed(struct redir_sol *sol);
/* From the client: the payload of 0x28. */
void redir_sol_to_host(struct redir_sol *sol, const void *p, size_t n);
void redir_sol_pong(struct redir_sol *sol, uint32_t seq);

/* Moves collected output on as time and room in `out` allow. */
void redir_sol_flush(struct redir_sol *sol);
/* Sends what is due: collected output, a heartbeat. */
void redir_sol_tick(struct redir_sol *sol);
int64_t redir_sol_deadline(const struct redir_sol *sol);

#endif
