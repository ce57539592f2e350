/* One echo request and its answer, over the kernel's own ping sockets: no privilege, no raw packets. Where
 * the system lets nobody use them (net.ipv4.ping_group_range), a ping cannot be begun. Loop's thread only. */
#ifndef AMTD_NET_PING_H
#define AMTD_NET_PING_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct ping;

/* address is numeric. done(arg, answered) is called once, never from inside this call. NULL: pings cannot be
 * sent from here, or not there. */
struct ping *ping_start(uv_loop_t *loop, const char *address, int64_t timeout_ms,
                        void (*done)(void *arg, bool answered), void *arg);
/* Ends it without calling back. NULL is fine. */
void ping_cancel(struct ping *ping);

#endif
