/* The Kerberos login of one redirection session: the token that the core asks for, and the device's proof.
 *
 * The service is HTTP/<host>:<port of the connection>, or HTTP/<host> where the KDC has only that, as for
 * WS-Management (wsman/http_kerberos.h). Getting a ticket may ask a KDC and happens on another thread. Loop's
 * thread only. */
#ifndef AMTD_REDIRECT_TICKET_H
#define AMTD_REDIRECT_TICKET_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/bytes.h"
#include "base/err.h"

struct ticket;

/* token: the raw bytes, borrowed until the call returns; or failure (no-ticket). */
typedef void ticket_done(void *arg, struct view token, const struct err *failure);

/* Begins to get one; done follows, never from inside this call. host is the name that the KDC knows it by;
 * ccache NULL: that of the process. */
struct ticket *ticket_get(uv_loop_t *loop, const char *host, uint16_t port, const char *ccache,
                          ticket_done *done, void *arg);
/* What the device gave back for the token; empty: nothing, which is fine. -1 and err (auth-failed): it does
 * not hold the service's key. Does not block. */
int ticket_prove(struct ticket *ticket, struct view answer, struct err *err);
void ticket_free(struct ticket *ticket); /* done does not follow any more. NULL is fine */

#endif
