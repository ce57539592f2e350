/* System Defense of a device: reading what it holds, and carrying out changes one call at a time. (reference
 * system-defense.md, chapter 3)
 *
 * The service knows what each call means and in which order nothing is lost; what is wanted is decided by its
 * owner: a sequence reads the device, asks `decide` for changes, carries them out, and asks again, until
 * `decide` is content. The state is kept up to date with every change that succeeded; after one that failed
 * the device is read anew before `decide` is asked, so that it always decides on what is really there. No
 * I/O, no clock. */
#ifndef WSMAN_SYSTEM_DEFENSE_H
#define WSMAN_SYSTEM_DEFENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "wsman/seq.h"
#include "wsman/system_defense_objects.h"

/* Who enables policies: at most one each on a port. */
enum sd_owner {
    SD_CONSOLE,     /* us and other consoles */
    SD_DEFAULT,     /* active while nothing else is enabled */
    SD_AGENT,       /* agent presence */
    SD_ENVIRONMENT, /* environment detection */
    SD_HEURISTICS,  /* worm detection; firmware before 12 */
    SD_OWNERS
};
/* "a console", "the default", "agent presence", ... Static. */
const char *sd_owner_name(enum sd_owner owner);

struct sd_enabled {
    enum sd_owner owner;
    unsigned port;          /* sd_port.number */
    char policy[SD_ID_MAX]; /* its id */
    bool enabled;           /* false: its owner or its time-out holds it back */
    bool active;            /* decides about packets now */
};

#define SD_ADDRESSES_MAX 96
#define SD_ENABLED_MAX   ((size_t)SD_OWNERS * SD_PORTS_MAX)

/* What a device holds. Arrays are owned. */
struct sd_state {
    bool absent; /* the device does not offer System Defense (now) */
    struct sd_limits limits;
    struct sd_port ports[SD_PORTS_MAX];
    size_t port_count;
    struct sd_policy *policies;
    size_t policy_count;
    struct sd_filter *filters;
    size_t filter_count;
    struct sd_enabled enabled[SD_ENABLED_MAX];
    size_t enabled_count;
    char dns[SD_ADDRESSES_MAX];     /* the machine's name servers, parted by blanks; "": not known */
    char gateway[SD_ADDRESSES_MAX]; /* its router */
};
void sd_state_clear(struct sd_state *state);
void sd_state_copy(struct sd_state *to, const struct sd_state *from); /* to is cleared before */
/* Borrowed; NULL when it is not there. */
const struct sd_policy *sd_state_policy(const struct sd_state *state, const char *id);
const struct sd_filter *sd_state_filter(const struct sd_state *state, uint32_t handle);
const struct sd_enabled *sd_state_enabled(const struct sd_state *state, enum sd_owner owner, unsigned port);
/* The one that decides on the port, or NULL: everything passes. */
const struct sd_enabled *sd_state_active(const struct sd_state *state, unsigned port);

enum sd_verb {
    SD_CREATE_FILTER,     /* filter: all but the handle */
    SD_CREATE_POLICY,     /* policy: all but the id */
    SD_SET_TIMEOUT,       /* policy.id, minutes */
    SD_ENABLE,            /* policy.id, owner (console, default or agent), port */
    SD_DISABLE,           /* policy.id, owner, port; of environment detection: on every port */
    SD_DELETE_POLICY,     /* policy.id */
    SD_DELETE_FILTER,     /* filter.kind, filter.handle */
    SD_UPDATE_STATISTICS, /* policy.id, port: counters so far become readable, events come again */
};

struct sd_change {
    enum sd_verb verb;
    bool optional; /* a refusal is remembered (sd_seq.passed_over) and no failure */
    struct sd_filter filter;
    struct sd_policy policy;
    enum sd_owner owner;
    unsigned port;
    uint32_t minutes;
};
/* Appends what it does, for people: "create filter amtd-dns-tx". */
void sd_change_text(const struct sd_change *change, const struct sd_state *state, struct buf *out);

/* The state after a change that succeeded; for created objects with the handle or id that the device gave.
 * Which policy is active is worked out by precedence. */
void sd_state_apply(struct sd_state *state, const struct sd_change *change, uint32_t handle, const char *id);

/* What a filter of an active policy counted, as of the last SD_UPDATE_STATISTICS. */
struct sd_count {
    unsigned port;
    uint32_t handle; /* 0: an entry of the device's own */
    char name[40];   /* of the filter, or of the device's entry ("Tx Default") */
    uint64_t packets;
    bool matched;
};

enum {
    SD_READ = -10, /* decide: read the device again, then ask again */
    SD_CARRY_OUT = -11,
    SD_READ_COUNTS = -12,
    SD_HOLD = -13, /* let the owner of the runner do something (seq_hold), then ask again */
};

struct sd_seq {
    struct seq seq; /* first */
    struct sd_state state;
    /* To be set by decide, in order; owned by the sequence, from sd_seq_change. */
    struct sd_change *changes;
    size_t count, at;
    struct sd_count *counts; /* owned */
    size_t count_count;
    /* How the last change failed, and whether it may have been carried out all the same; cleared by decide.
     */
    struct err failure;
    bool uncertain;
    bool changed;     /* something was changed, or may have been */
    bool passed_over; /* an optional change was refused */
    size_t reads;     /* how often the device was read */
    /* Asked after reading and after all changes were carried out. Returns SD_READ, SD_CARRY_OUT,
     * SD_READ_COUNTS, SD_HOLD, SEQ_DONE, or SEQ_FAIL with err. */
    int (*decide)(struct sd_seq *ss, struct err *err);
};

void sd_seq_init(struct sd_seq *ss, int (*decide)(struct sd_seq *ss, struct err *err));
void sd_seq_clear(struct sd_seq *ss);
/* Appends a zeroed change to the list; borrowed until the next one. sd_seq_no_changes empties it. */
struct sd_change *sd_seq_change(struct sd_seq *ss, enum sd_verb verb);
void sd_seq_no_changes(struct sd_seq *ss);

#endif
