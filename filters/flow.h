/* Packets as people write them: "tcp 10.0.0.7:51234 > 10.1.1.9:445".
 *
 *   [out|in] PROTOCOL ADDRESS[:PORT] > ADDRESS[:PORT] [flags FLAG...]
 *   [out|in] ETHERTYPE
 *
 * PROTOCOL and ETHERTYPE as in filter files; an IPv6 address with a port stands in brackets. tcp and udp need
 * both ports. Without flags a TCP packet is the first of its connection: syn. */
#ifndef FILTERS_FLOW_H
#define FILTERS_FLOW_H

#include <stdbool.h>

#include "base/err.h"
#include "filters/packet.h"
#include "wsman/system_defense_objects.h"

#define FLOW_TEXT_MAX 300

struct flow {
    struct packet packet;
    bool direction_given;
    enum sd_direction direction; /* SD_TX where it was not given */
};

/* invalid-argument says what was expected instead of which word. */
int flow_parse(const char *text, struct flow *out, struct err *err);
/* The packet that answers: ends swapped, other direction; a SYN is answered with SYN and ACK. */
struct flow flow_answer(const struct flow *flow);

#endif
