/* The presence ping of RMCP and ASF: how devices are found without a login. (reference wsman.md, 1.6) */
#ifndef AMTSIM_RMCP_H
#define AMTSIM_RMCP_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tests/amtsim/fleet.h"

#define RMCP_PONG_LEN 28

/* The device's answer to a datagram of n bytes: RMCP_PONG_LEN bytes into out. 0: it says nothing. */
size_t rmcp_answer(const struct device *device, const void *p, size_t n, uint8_t out[RMCP_PONG_LEN]);

struct rmcp;
/* Answers pings to all devices on options.rmcp_port, each from its own address, peers on loopback only. NULL
 * and err (system) when the port cannot be had. */
struct rmcp *rmcp_new(struct fleet *fleet, struct err *err);
void rmcp_free(struct rmcp *rmcp); /* NULL is fine; frees later, from the loop */

#endif
