/* What of a file's needs the server can try itself, from its own end, when the filters are in place.
 *
 * The evaluator says what rules mean; whether the device in its network does the same (addresses that are
 * translated on the way, a port that is filtered nowhere else) only shows when packets are sent. A need can
 * be tried when the server may begin: the packets come in, from one of its addresses. */
#ifndef FILTERS_REACH_H
#define FILTERS_REACH_H

#include <stddef.h>
#include <stdint.h>

#include "filters/net.h"

#define REACH_WAYS_MAX 8
#define REACH_NAME_MAX 12 /* RULE_NAME_MAX */

struct ruleset;

struct reach_way {
    char need[REACH_NAME_MAX + 1];
    uint16_t port; /* TCP of the host; 0: a ping */
};

/* The ways to try for a server with that address (version 4 or 6), each once, at most REACH_WAYS_MAX: of TCP
 * needs the first ports of the host, where any will do those of remote login and file sharing; a ping for
 * those of ICMP or of any protocol. Returns how many. */
size_t reach_ways(const struct ruleset *rules, uint8_t version, net_number server,
                  struct reach_way out[REACH_WAYS_MAX]);

#endif
