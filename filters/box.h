/* Boxes: what one filter of the hardware can say. Rules become boxes, boxes are compared, joined, and become
 * filters.
 *
 * A box has one direction, one EtherType or IP version, one network on each side, and ports as the hardware
 * allows them: one port on one side or on both, or one range on one side and none on the other. Internal to
 * filters/. */
#ifndef FILTERS_BOX_H
#define FILTERS_BOX_H

#include "filters/findings.h"
#include "filters/rules.h"
#include "wsman/system_defense_objects.h"

#define BOX_UNFOLD_MAX 64 /* filters that one pair of port lists may unfold to */

struct box_ports {
    bool given; /* false: every packet, with ports or without */
    uint16_t first, last;
};

struct box {
    enum sd_direction direction;
    enum sd_profile profile;
    uint32_t rate; /* SD_RATE_LIMIT */
    bool event;
    uint8_t version;                /* 4 or 6; 0: by EtherType only */
    uint16_t ethertype;             /* always */
    int protocol;                   /* -1: any */
    struct net source, destination; /* bits 0: every address */
    struct box_ports source_ports, destination_ports;
    uint8_t tcp_on, tcp_off;
    bool widened;  /* says more than its rules do */
    uint32_t rule; /* the rule it came from; joined boxes: the first of them */
    uint32_t next; /* joined boxes: index + 1 into the links of struct boxes; 0: no more rules */
};

struct boxes {
    struct box *items; /* owned */
    size_t count, cap;
    struct box_link {
        uint32_t rule, next;
    } * links; /* owned: further rules of joined boxes */
    size_t link_count, link_cap;
};

struct box_options {
    bool name_protocols; /* an address without protocol becomes TCP, UDP and ICMP */
    bool any_ports;      /* ranges on both sides as they are: for comparing, not for hardware */
    bool widen_ports; /* where both sides have ports that cannot be unfolded, the local ones are given up */
};

/* Appends the boxes of one rule in one direction. What the hardware cannot say is an error in
 * findings (NULL: not told). */
void boxes_of_rule(const struct rule *rule, uint32_t index, enum sd_direction direction,
                   const struct box_options *options, struct boxes *out, struct findings *findings);
void boxes_add(struct boxes *boxes, const struct box *box);
/* `into` now stands for the rules of `from` too. */
void boxes_join_rules(struct boxes *boxes, struct box *into, const struct box *from);
/* Calls fn for every rule a box stands for. */
void boxes_each_rule(const struct boxes *boxes, const struct box *box, void (*fn)(void *arg, uint32_t rule),
                     void *arg);
void boxes_copy(struct boxes *to, const struct boxes *from);
void boxes_free(struct boxes *boxes);

/* Which packets: every packet of `inner` is one of `outer`; of one direction. */
bool box_contains(const struct box *outer, const struct box *inner);
/* Some packet fits both; of one direction. */
bool box_overlaps(const struct box *a, const struct box *b);
/* Neither counted nor limited nor told: only its verdict matters, so boxes like it may be joined. */
bool box_is_plain(const struct box *box);
bool box_drops(const struct box *box);
void box_to_filter(const struct box *box, struct sd_filter *out); /* all but handle and name */

#endif
