/* Agent presence: programs of the machine's own system that say now and then that they run, and what the
 * device does when one stops saying so. (reference wsman.md, 3.14; system-defense.md, 1.9)
 *
 * A watchdog waits for its agent from its creation and from every start of the machine; what it finds is
 * worked out whenever somebody looks. All agents share one policy on each port. */
#ifndef AMTSIM_AGENTS_H
#define AMTSIM_AGENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "tests/amtsim/device.h"

#define AGENTS_MAX        16
#define AGENT_ACTIONS_MAX 8  /* of one agent */
#define AGENT_ACTIONS_ALL 64 /* of the device */
#define AGENT_GUID_BYTES  16
#define AGENT_NAME_MAX    16
#define AGENT_SECONDS_MAX 65535

enum agent_state { /* CurrentState, and bits of the masks of actions */
                   AGENT_NOT_STARTED = 1,
                   AGENT_STOPPED = 2,
                   AGENT_RUNNING = 4,
                   AGENT_EXPIRED = 8,
                   AGENT_SUSPENDED = 16,
                   AGENT_ANY = 31,
};

enum agent_policy { AGENT_ACTIVATE, AGENT_DEACTIVATE, AGENT_LEAVES };

struct agent_action {
    uint16_t from, to; /* masks */
    bool event, access_control;
    uint8_t policy; /* enum agent_policy */
    uint32_t number;
};

struct agent {
    uint8_t guid[AGENT_GUID_BYTES];
    char name[AGENT_NAME_MAX + 1];
    uint32_t startup_s, timeout_s;
    uint16_t state;
    int64_t due_ms;     /* monotonic: expires then; not of stopped and expired ones */
    int64_t expired_ms; /* wall clock; 0 never */
    struct agent_action actions[AGENT_ACTIONS_MAX];
    size_t action_count;
};

/* Those of the device as of now; borrowed until the next change. */
size_t agents_count(struct device *device);
struct agent *agents_at(struct device *device, size_t i);
struct agent *agents_find(struct device *device, const uint8_t guid[AGENT_GUID_BYTES]); /* NULL: none */
size_t agents_actions(const struct device *device);

/* NULL: AGENTS_MAX are there. Its time to start begins now. */
struct agent *agents_add(struct device *device, const struct agent *agent);
void agents_remove(struct device *device, const struct agent *agent);
/* False: there is no room. */
bool agents_add_action(struct device *device, struct agent *agent, const struct agent_action *action);

/* What has become due happens: states change, actions follow. Called by whoever looks at policies, too. */
void agents_settle(struct device *device);
void agents_free(struct device *device);

/* {"agent": NAME, "does": "run" or "stop"}: what the program on the machine does. */
int agents_set(struct device *device, const json_t *o, struct err *err);

#endif
