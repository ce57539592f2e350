/* One redirection connection, the device's end, without I/O: session start, login, then SOL or IDE-R.
 * (reference redirection.md, sections 1, 5, 7)
 *
 * Fed bytes of the client, yields bytes for it; time is the device's clock. A session that has logged in
 * holds its type on the device (device.sessions) until it ends: there is one of a kind. KVM is not simulated:
 * a start of it is answered with `unsupported`. */
#ifndef AMTSIM_REDIR_SESSION_H
#define AMTSIM_REDIR_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "tests/amtsim/device.h"
#include "tests/amtsim/machine.h"

struct redir_session; /* opaque */

/* changed: output, fate or deadline may be others than before, from outside of feed, sent and tick. It may be
 * called inside them too, and must not call back. */
struct redir_session *redir_session_new(struct device *device, void (*changed)(void *arg), void *arg);
void redir_session_free(struct redir_session *session); /* NULL is fine */

void redir_session_feed(struct redir_session *session, const void *p, size_t n);
/* What may go to the client now. Borrowed until the next call. */
struct view redir_session_output(struct redir_session *session);
void redir_session_sent(struct redir_session *session, size_t n);
/* True when nothing is left to go out. */
bool redir_session_drained(const struct redir_session *session);
/* When tick wants to be called; INT64_MAX: not at all. */
int64_t redir_session_deadline(const struct redir_session *session);
void redir_session_tick(struct redir_session *session);

/* True once when a fault wants new TLS keys now. */
bool redir_session_renews(struct redir_session *session);

enum redir_fate {
    REDIR_GOES_ON,
    REDIR_ENDS,   /* close when all output has gone */
    REDIR_BREAKS, /* reset the connection now */
};
enum redir_fate redir_session_fate(const struct redir_session *session);
/* False: the device does not read for now. */
bool redir_session_reads(const struct redir_session *session);

/* --- what happens to a device, for its sessions --- */

/* The machine's first serial port said something. */
void redir_console(struct device *device, const void *p, size_t n);
/* Power or serial lines of the machine have changed. */
void redir_machine_changed(struct device *device);
/* The machine begins a boot. */
void redir_machine_reset(struct device *device);
/* The machine gives a command to a redirected drive (as machine_events.drive). */
bool redir_drive(struct device *device, const struct drive_request *request);
/* Whether the machine has redirected drives. */
bool redir_has_drives(const struct device *device);
/* Ends the session of that kind. False: there is none. */
bool redir_terminate(struct device *device, enum redir_kind kind);
#endif
