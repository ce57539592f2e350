/* Agent presence: no agents are watched. (reference wsman.md, 3.14) */
#include "tests/amtsim/class_tables.h"

static unsigned none(const struct device *d)
{
    (void)d;
    return 0;
}

static const char *const capabilities[] = {"ElementName",
                                           "Intel(r) AMT:Agent Presence Capabilities",
                                           "InstanceID",
                                           "Intel(r) AMT:Agent Presence Capabilities",
                                           "MaxEacAgents",
                                           "0",
                                           "MaxTotalActions",
                                           "64",
                                           "MaxTotalAgents",
                                           "16",
                                           "MinGuaranteedActionListSize",
                                           "4",
                                           NULL};

static const char *const watchdog_action[] = {"AgentPresenceWatchDogExpirationAction",
                                              "0",
                                              "ElementName",
                                              "Intel(r) WatchDog Action",
                                              "HeciWatchDogExpirationAction",
                                              "0",
                                              "InstanceID",
                                              "Intel(r) WatchDog Action",
                                              NULL};

const struct class_row class_agent_rows[] = {
    {.name = "AMT_AgentPresenceCapabilities", .fixed = capabilities},
    {.name = "AMT_AgentPresenceWatchdog", .datetime = true, .count = none},
    {.name = "AMT_AgentPresenceWatchdogAction", .count = none},
    {.name = "AMT_StateTransitionCondition", .count = none},
    {.name = "CIM_ConcreteDependency", .count = none},
    {.name = "IPS_WatchDogAction", .since = 11, .fixed = watchdog_action},
    {0},
};
