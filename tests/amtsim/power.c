#include "tests/amtsim/power.h"

#include <string.h>

#include "base/log.h"
#include "tests/amtsim/alerts.h"
#include "tests/amtsim/boot.h"
#include "tests/amtsim/class.h"
#include "tests/amtsim/defense.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/record.h"

#define BIT(state) (1u << (state))
#define AWAKE      BIT(MACHINE_ON)
#define ASLEEP     BIT(MACHINE_SLEEP)
#define DOWN       (BIT(MACHINE_OFF) | BIT(MACHINE_HIBERNATE))
#define ALIVE      (AWAKE | ASLEEP)

/* What each requested PowerState does, and from where; the rows stand in the order in which the firmware
 * lists the values as available. */
static const struct transition {
    uint16_t value;
    unsigned from; /* machine states it is possible in */
    bool by_os;    /* needs the agent in a running OS, and a generation that has it */
    bool nmi;      /* needs a generation that has it */
    bool offered;  /* listed when possible; others are obeyed without being listed */
    enum machine_command command;
    enum alert alert; /* by_os: what the agent hears */
} transitions[] = {
    {10, ALIVE, false, false, true, MACHINE_RESET},
    {8, ALIVE, false, false, true, MACHINE_POWER_OFF},
    {5, ALIVE, false, false, true, MACHINE_POWER_CYCLE},
    {11, AWAKE, false, true, true, MACHINE_NMI},
    {4, AWAKE, true, false, true, MACHINE_ASK_SLEEP, ALERT_GRACEFUL_SLEEP},
    {7, AWAKE, true, false, true, MACHINE_ASK_HIBERNATE, ALERT_GRACEFUL_HIBERNATE},
    {14, AWAKE, true, false, true, MACHINE_ASK_RESTART, ALERT_GRACEFUL_REBOOT},
    {12, AWAKE, true, false, true, MACHINE_ASK_SHUTDOWN, ALERT_GRACEFUL_SHUTDOWN},
    {2, ASLEEP | DOWN, false, false, true, MACHINE_POWER_ON},
    {6, ALIVE, false, false, false, MACHINE_POWER_OFF},
    {9, ALIVE, false, false, false, MACHINE_POWER_CYCLE},
};

#define TRANSITIONS (sizeof(transitions) / sizeof(transitions[0]))

static const char *const state_words[] = {
    [MACHINE_OFF] = "off",
    [MACHINE_ON] = "on",
    [MACHINE_SLEEP] = "sleep",
    [MACHINE_HIBERNATE] = "hibernate",
};

uint16_t power_value(enum machine_state state)
{
    static const uint16_t values[] = {
        [MACHINE_OFF] = 8, [MACHINE_ON] = 2, [MACHINE_SLEEP] = 4, [MACHINE_HIBERNATE] = 7};
    return values[state];
}

const char *power_state_word(uint32_t state)
{
    return state < sizeof(state_words) / sizeof(state_words[0]) ? state_words[state] : "?";
}

int power_state_by_word(const char *word)
{
    for (int i = 0; i < (int)(sizeof(state_words) / sizeof(state_words[0])); i++) {
        if (strcmp(state_words[i], word) == 0)
            return i;
    }
    return -1;
}

static bool has_agent(const struct device *d)
{
    return d->agent && !d->standby && d->machine->ops->has_agent(d->machine);
}

/* Whether this device offers it at all, in whatever state. */
static bool offers(const struct device *d, const struct transition *t)
{
    return (!t->by_os || d->generation->graceful) && (!t->nmi || d->generation->nmi);
}

static bool possible(const struct device *d, const struct transition *t)
{
    return offers(d, t) && (t->from & BIT(d->machine->state)) != 0 && (!t->by_os || has_agent(d));
}

size_t power_available(const struct device *d, uint16_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < TRANSITIONS; i++) {
        if (transitions[i].offered && possible(d, &transitions[i]))
            out[n++] = transitions[i].value;
    }
    return n;
}

static const struct transition *find(uint16_t value)
{
    for (size_t i = 0; i < TRANSITIONS; i++) {
        if (transitions[i].value == value)
            return &transitions[i];
    }
    return NULL;
}

/* On while on, off while off: old firmware says yes and does nothing. */
static bool is_idle_request(const struct device *d, uint16_t value)
{
    return (value == 2 && d->machine->state == MACHINE_ON) ||
           ((value == 8 || value == 6) && (BIT(d->machine->state) & DOWN) != 0);
}

/* Firmware that does not take power away from under a console. (reference redirection.md, 7.2) */
static bool held_by_session(const struct device *d, const struct transition *t)
{
    return d->redirection.holds_power && d->sessions[REDIR_SOL] != NULL && !t->by_os &&
           (t->command == MACHINE_POWER_OFF || t->command == MACHINE_POWER_CYCLE ||
            t->command == MACHINE_RESET);
}

static uint32_t carry_out(struct device *d, const struct transition *t)
{
    if (t->by_os)
        alert_raise(d, t->alert);
    if (fault_strike(d, FAULT_IGNORE, "CIM_PowerManagementService", "RequestPowerStateChange") != NULL ||
        (t->by_os && d->os_hangs))
        return RET_OK;
    return d->machine->ops->command(d->machine, t->command) == 0 ? RET_OK : RET_CANNOT_NOW;
}

static uint32_t decide(struct device *d, uint16_t value)
{
    const struct transition *t = find(value);
    const struct fault *refuse =
        fault_strike(d, FAULT_REFUSE, "CIM_PowerManagementService", "RequestPowerStateChange");
    if (refuse != NULL)
        return refuse->value != 0 ? refuse->value : RET_CANNOT_NOW;
    if (value == 0 || value > 16)
        return RET_INVALID_PARAMETER;
    if (t == NULL || !offers(d, t))
        return RET_NOT_SUPPORTED;
    if (is_idle_request(d, value))
        return d->generation->idle_power_ok ? RET_OK : RET_CANNOT_NOW;
    if (!possible(d, t))
        return RET_CANNOT_NOW;
    if (held_by_session(d, t))
        return RET_IN_USE;
    return carry_out(d, t);
}

uint32_t power_request(struct device *d, uint16_t value)
{
    uint32_t result = decide(d, value);
    if (result == RET_OK)
        d->requested_power = value;
    record_event(d, RECORD_POWER, value, result);
    return result;
}

uint32_t power_saving_request(struct device *d, uint16_t value)
{
    uint32_t result = RET_OK;
    if (value != 2 && value != 3)
        result = RET_INVALID_PARAMETER;
    else if (d->machine->state != MACHINE_ON)
        result = RET_CANNOT_NOW;
    else if (fault_strike(d, FAULT_IGNORE, "IPS_PowerManagementService", "RequestOSPowerSavingStateChange") ==
             NULL)
        d->standby = value == 3;
    record_event(d, RECORD_WAKE, value, result);
    return result;
}

void power_on_state(void *arg, enum machine_state state)
{
    struct device *d = arg;
    if (state != MACHINE_ON)
        d->standby = false;
    if (state == MACHINE_OFF)
        defense_power_lost(d);
    record_event(d, RECORD_STATE, state, 0);
}

void power_on_booted(void *arg, uint32_t boot_count)
{
    struct device *d = arg;
    record_boot(d, boot_count, d->boot.flags, d->boot.source);
    boot_taken(d);
}
