/* RMCP/ASF presence: the ping that asks and the pong of a device that is there. A core without I/O.
 * (reference wsman.md, 1.6; ASF 2.0, DSP0136, section 3.2.4) */
#ifndef AMTD_DISCOVER_RMCP_H
#define AMTD_DISCOVER_RMCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define RMCP_PORT     623
#define RMCP_PING_LEN 12
#define RMCP_PONG_MAX 512 /* longer datagrams are none */

/* What a pong says. The fields behind `intel` mean something only when it is set. */
struct rmcp_pong {
    uint8_t tag;   /* of the ping it answers */
    uint32_t iana; /* enterprise number of who answers */
    bool intel;    /* 343 */
    uint16_t port; /* where WS-Management is open; 0: AMT is there and not provisioned (6.1 and later) */
    int state;     /* 0 pre, 1 in, 2 post provisioning */
    bool both;     /* both 16992 and 16993 are open */
    bool dash;
    unsigned major, minor; /* of the firmware; 0 and 0: it does not say (before 6) */
};

/* The ping with a tag, which comes back. */
void rmcp_ping(uint8_t tag, uint8_t out[RMCP_PING_LEN]);

/* One datagram. DECODE_DONE and *pong, else DECODE_BAD: it is no presence pong. */
enum decode rmcp_pong_read(const void *p, size_t n, struct rmcp_pong *pong);

#endif
