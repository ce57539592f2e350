/* What the files of System Defense share. */
#ifndef AMTSIM_DEFENSE_INTERNAL_H
#define AMTSIM_DEFENSE_INTERNAL_H

#include "tests/amtsim/defense.h"

#define DEFENSE_ADDRESSES6 4

struct binding {
    uint32_t policy; /* 0: none */
    bool armed;      /* was active: its time-out runs */
    bool expired;
    int64_t armed_ms; /* monotonic */
};

struct defense {
    uint32_t last_handle;
    struct defense_filter *filters;
    size_t filter_count;
    struct defense_policy policies[DEFENSE_POLICIES_MAX];
    size_t policy_count;
    struct binding bindings[DEFENSE_OWNERS][DEFENSE_PORTS];
    enum defense_owner winner[DEFENSE_PORTS];
    struct defense_live live[DEFENSE_PORTS];
    struct defense_heuristics heuristics;
    bool agent;         /* the logical state of agent presence asks for its policy */
    bool outside;       /* environment detection: not at home */
    int64_t skipped_ms; /* time that somebody let pass */
    bool has_address4[DEFENSE_PORTS];
    uint8_t address4[DEFENSE_PORTS][4];
    uint8_t address6[DEFENSE_PORTS][DEFENSE_ADDRESSES6][16];
};

#endif
