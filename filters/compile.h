/* Rules as objects of a device: a policy and the fewest filters that mean the same.
 *
 * What the hardware cannot say is refused, with the rules named: a pass inside what another rule drops (drop
 * always wins), a limit that takes several filters, ports on both sides in too many pairs. So is what it has
 * no room for; then an offer says which rules would have to be widened, and what would pass that should not.
 */
#ifndef FILTERS_COMPILE_H
#define FILTERS_COMPILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "filters/findings.h"
#include "filters/rules.h"
#include "wsman/system_defense_objects.h"

struct compile_options {
    const struct sd_limits *device;     /* NULL: the device did not tell */
    const struct sd_port_limits *ports; /* of all ports that shall take the policy; NULL: not known */
    size_t port_count;
    const char *prefix; /* in front of every name, at most 4 characters; NULL: none */
    bool only_room;     /* tell only of room: everything else was told by a compilation before */
    bool widen;         /* where there is no room, let pass rules pass more */
    bool *no_room;      /* set when it is refused for want of room, and for nothing else; NULL: nobody asks */
    bool name_protocols; /* for devices that refuse an address without protocol: TCP, UDP and ICMP instead */
};

/* What a policy takes of a port's room in one direction, the default included. */
struct compiled_use {
    uint32_t filters, filters_ipv6; /* filters: by EtherType and IPv4 */
    uint32_t counters, counters_ipv6;
};

struct compiled_filter {
    struct sd_filter filter; /* handle 0; its name is unique in the policy */
    uint32_t *rules;         /* owned: indexes of the rules it stands for, ascending; at least one */
    size_t rule_count;
};

struct compiled {
    struct sd_policy policy; /* id "", no handles: they come from the device */
    uint32_t timeout_minutes;
    struct compiled_filter *filters; /* owned */
    size_t count;
    struct compiled_use tx, rx;
};

/* NULL when findings got an error. Free with compiled_free. */
struct compiled *filter_compile(const struct ruleset *rules, const struct compile_options *options,
                                struct findings *findings);
void compiled_free(struct compiled *compiled); /* NULL is fine */

/* Appends a table for people: one line a filter, with the names of its rules. */
void compiled_text(const struct compiled *compiled, const struct ruleset *rules, struct buf *out);

#endif
