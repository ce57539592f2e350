/* Agent presence: watchdogs over programs on the machine, and what the device does when one falls silent.
 * (reference wsman.md, section 3.14; system-defense.md, 1.9)
 *
 * A sequence that reads all watchdogs with their actions, and adds or removes some. The policy that actions
 * activate is one for all watchdogs, enabled on each port by SD_AGENT (system_defense.h). No I/O, no clock.
 */
#ifndef WSMAN_AGENT_PRESENCE_H
#define WSMAN_AGENT_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wsman/seq.h"

#define AGENTS_MAX        16 /* watchdogs that are looked at; firmware holds no more */
#define AGENT_RULES_MAX   8  /* of one watchdog */
#define AGENT_NAME_MAX    16
#define AGENT_GUID_TEXT   40 /* room for "d5a1c5a0-..." */
#define AGENT_SECONDS_MAX 65535

/* CurrentState; as bits, the states from and to which a rule speaks. */
enum agent_state {
    AGENT_NOT_STARTED = 1,
    AGENT_STOPPED = 2,
    AGENT_RUNNING = 4,
    AGENT_EXPIRED = 8,
    AGENT_SUSPENDED = 16,
    AGENT_ANY = 31,
};
/* "not-started", "stopped", ...; "unknown". Static. */
const char *agent_state_name(uint32_t state);

enum agent_effect { AGENT_ACTIVATES, AGENT_DEACTIVATES, AGENT_LEAVES };

/* What happens when the state changes from one of `from` to one of `to`. */
struct agent_rule {
    uint32_t from, to; /* bits of enum agent_state */
    bool event;
    enum agent_effect effect; /* on the policy */
};

struct agent_watchdog {
    char guid[AGENT_GUID_TEXT]; /* of the program, lower case */
    char name[AGENT_NAME_MAX + 1];
    uint32_t startup_s, timeout_s; /* until its first sign of life, and between two */
    uint32_t state;                /* as read */
    struct agent_rule rules[AGENT_RULES_MAX];
    size_t rule_count;
};

enum agent_action { AGENT_READ, AGENT_ADD, AGENT_REMOVE, AGENT_REMOVE_ALL };

struct agent_request {
    enum agent_action action;
    struct agent_watchdog watchdog; /* AGENT_ADD: all but the state; AGENT_REMOVE: guid */
};

struct agent_seq {
    struct seq seq; /* first */
    struct agent_request request;
    bool there;                  /* the firmware has agent presence */
    uint32_t most, most_actions; /* watchdogs, actions of all; 0: it did not tell */
    struct agent_watchdog dogs[AGENTS_MAX];
    size_t count;
    bool changed; /* something was not as wanted, and is now */
    /* private */
    struct agent_link *links; /* conditions as read, by name */
    size_t link_count, rule_at;
    size_t remove_at;
    bool created;
    struct err why;
};

/* A GUID in any case, with hyphens; false: it is none. out in lower case. */
bool agent_guid_read(const char *text, char out[AGENT_GUID_TEXT]);

/* Adding a watchdog that is there with other settings makes it anew; one that is there as wanted changes
 * nothing, as does removing what is not there. limit-exceeded, unsupported, and what calls fail with. */
void agent_seq_init(struct agent_seq *as, const struct agent_request *request);
void agent_seq_clear(struct agent_seq *as);

#endif
