#include "tests/amtsim/agents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tests/amtsim/alerts.h"
#include "tests/amtsim/defense.h"
#include "tests/amtsim/machine.h"

struct agents {
    struct agent list[AGENTS_MAX];
    size_t count;
    uint32_t last_number;
};

static struct agents *agents_of(struct device *d)
{
    if (d->agents == NULL)
        d->agents = xcalloc(1, sizeof(*d->agents));
    return d->agents;
}

/* --- states --- */

static void tell(struct device *d, uint16_t state)
{
    static const struct {
        uint16_t state;
        enum alert alert;
    } alerts[] = {{AGENT_NOT_STARTED, ALERT_AGENT_NOT_STARTED},
                  {AGENT_STOPPED, ALERT_AGENT_STOPPED},
                  {AGENT_RUNNING, ALERT_AGENT_RUNNING},
                  {AGENT_EXPIRED, ALERT_AGENT_EXPIRED},
                  {AGENT_SUSPENDED, ALERT_AGENT_SUSPENDED}};
    for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++) {
        if (alerts[i].state == state)
            alert_raise(d, alerts[i].alert);
    }
}

static void become(struct device *d, struct agent *a, uint16_t state)
{
    uint16_t was = a->state;
    a->state = state;
    for (size_t i = 0; was != state && i < a->action_count; i++) {
        const struct agent_action *action = &a->actions[i];
        if ((action->from & was) == 0 || (action->to & state) == 0)
            continue;
        if (action->policy != AGENT_LEAVES)
            defense_set_agent(d, action->policy == AGENT_ACTIVATE);
        if (action->event)
            tell(d, state);
    }
}

static void await(struct device *d, struct agent *a, uint32_t seconds)
{
    a->due_ms = defense_now_ms(d) + (int64_t)seconds * 1000;
}

static bool is_waiting(const struct agent *a)
{
    return a->state == AGENT_NOT_STARTED || a->state == AGENT_RUNNING;
}

static void settle_one(struct device *d, struct agent *a)
{
    bool on = d->machine == NULL || d->machine->state == MACHINE_ON;
    if (!on) {
        become(d, a, AGENT_SUSPENDED);
        return;
    }
    if (a->state == AGENT_SUSPENDED) {
        become(d, a, AGENT_NOT_STARTED);
        await(d, a, a->startup_s);
    }
    if (is_waiting(a) && defense_now_ms(d) >= a->due_ms) {
        a->expired_ms = device_wall_ms(d);
        become(d, a, AGENT_EXPIRED);
    }
}

void agents_settle(struct device *d)
{
    for (size_t i = 0; d->agents != NULL && i < d->agents->count; i++)
        settle_one(d, &d->agents->list[i]);
}

/* --- agents --- */

size_t agents_count(struct device *d)
{
    agents_settle(d);
    return d->agents != NULL ? d->agents->count : 0;
}

struct agent *agents_at(struct device *d, size_t i)
{
    return &d->agents->list[i];
}

struct agent *agents_find(struct device *d, const uint8_t guid[AGENT_GUID_BYTES])
{
    for (size_t i = 0; i < agents_count(d); i++) {
        if (memcmp(d->agents->list[i].guid, guid, AGENT_GUID_BYTES) == 0)
            return &d->agents->list[i];
    }
    return NULL;
}

size_t agents_actions(const struct device *d)
{
    size_t n = 0;
    for (size_t i = 0; d->agents != NULL && i < d->agents->count; i++)
        n += d->agents->list[i].action_count;
    return n;
}

struct agent *agents_add(struct device *d, const struct agent *agent)
{
    struct agents *all = agents_of(d);
    if (all->count == AGENTS_MAX)
        return NULL;
    struct agent *a = &all->list[all->count++];
    *a = *agent;
    a->state = AGENT_NOT_STARTED;
    await(d, a, a->startup_s);
    return a;
}

void agents_remove(struct device *d, const struct agent *agent)
{
    struct agents *all = d->agents;
    size_t i = (size_t)(agent - all->list);
    memmove(&all->list[i], &all->list[i + 1], (all->count - i - 1) * sizeof(*agent));
    all->count--;
}

bool agents_add_action(struct device *d, struct agent *a, const struct agent_action *action)
{
    if (a->action_count == AGENT_ACTIONS_MAX || agents_actions(d) == AGENT_ACTIONS_ALL)
        return false;
    a->actions[a->action_count] = *action;
    a->actions[a->action_count++].number = ++agents_of(d)->last_number;
    return true;
}

void agents_free(struct device *d)
{
    free(d->agents);
    d->agents = NULL;
}

/* --- the programs --- */

int agents_set(struct device *d, const json_t *o, struct err *err)
{
    const char *name = json_string_value(json_object_get(o, "agent"));
    const char *does = json_string_value(json_object_get(o, "does"));
    bool run = does != NULL && strcmp(does, "run") == 0;
    if (name == NULL || does == NULL || (!run && strcmp(does, "stop") != 0))
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "agents: expected {\"agent\": NAME, \"does\": \"run\" or \"stop\"}");
    for (size_t i = 0; i < agents_count(d); i++) {
        struct agent *a = agents_at(d, i);
        if (strcmp(a->name, name) != 0)
            continue;
        become(d, a, run ? AGENT_RUNNING : AGENT_STOPPED);
        await(d, a, a->timeout_s);
        return 0;
    }
    return err_set(err, CAUSE_NOT_FOUND, "agents: nobody watches over '%s'", name);
}
