/* A capture run through a file's rules: what would have passed, what would have been lost, and by which rule.
 */
#ifndef FILTERS_REPLAY_H
#define FILTERS_REPLAY_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "filters/rules.h"
#include "wsman/system_defense_objects.h"

struct replay_count { /* one direction */
    uint64_t packets, bytes;
    uint64_t dropped, dropped_bytes;
    uint64_t by_default; /* packets that no rule fits */
};

struct replay_rule {
    uint64_t hits[2];  /* enum sd_direction: packets it fits */
    uint64_t drops[2]; /* of those, dropped by it */
};

struct replay {
    uint64_t packets;            /* in the capture */
    uint64_t others;             /* between others, or not to be read: not judged */
    struct replay_count ways[2]; /* enum sd_direction */
    uint64_t spoofed;
    struct replay_rule *rules; /* owned; as many as the ruleset has */
    struct buf host;           /* who the host is taken for */
    bool host_guessed;
    int64_t first_ms, last_ms; /* time of the first and last packet */
};

/* own: the host's addresses; NULL or empty: guessed from the capture. lost: a new capture for the packets
 * that would be dropped; NULL: none. Limits go by the capture's clock. -1 and err: a file cannot be read or
 * written; what was counted up to there is in *out. Free with replay_clear in any case. */
int replay_capture(const struct ruleset *rules, const char *path, const struct nets *own, const char *lost,
                   struct replay *out, struct err *err);
void replay_clear(struct replay *replay);

#endif
