/* Worm detection: the heuristic packet filter of AMT 3 to 11, on the wired port. (reference
 * system-defense.md, 1.11)
 *
 * It counts what leaves the machine for one port number at ever new hosts; too many within a time is a
 * breach, and then it blocks that port, or everything, and the policy that SD_HEURISTICS enables
 * (system_defense.h) becomes active. It watches while there is such a policy. No I/O, no clock. */
#ifndef WSMAN_WORM_H
#define WSMAN_WORM_H

#include <stdbool.h>
#include <stdint.h>

#include "wsman/seq.h"

/* Ranges of the time within which packets count: few milliseconds, or many seconds; nothing between. */
#define WORM_FAST_MS_MIN 10
#define WORM_FAST_MS_MAX 1000
#define WORM_SLOW_MS_MIN 10000
#define WORM_SLOW_MS_MAX 50000
#define WORM_TIME_MAX    32

enum worm_block { WORM_BLOCKS_NOTHING, WORM_BLOCKS_PORT, WORM_BLOCKS_ALL };
enum worm_state { WORM_WATCHES, WORM_BREACH, WORM_OFF };

struct worm_settings {
    uint32_t packets; /* to so many hosts at one port is a breach; 0: not set yet */
    uint32_t within_ms;
    enum worm_block block;
    uint32_t lasts_s; /* until a breach is over by itself; 0: until it is reset */
};

enum worm_action { WORM_READ, WORM_SET, WORM_RESET };

struct worm_request {
    enum worm_action action;
    struct worm_settings settings; /* WORM_SET */
};

struct worm_seq {
    struct seq seq; /* first */
    struct worm_request request;
    bool there; /* the firmware has it */
    bool changed;
    struct worm_settings settings; /* as they are then */
    enum worm_state state;
    uint32_t reason;           /* of a breach: 1 the slow count, 2 the fast one, 3 the factory's own */
    bool blocks_all;           /* now */
    uint32_t port, protocol;   /* blocked now; 0 none */
    char since[WORM_TIME_MAX]; /* of the breach, as the device says it */
    /* private */
    struct wsman_request *put;
};

/* 0, or invalid-argument: the time is in neither range, or no packets. */
int worm_settings_check(const struct worm_settings *settings, struct err *err);
void worm_seq_init(struct worm_seq *ws, const struct worm_request *request);
void worm_seq_clear(struct worm_seq *ws);

#endif
