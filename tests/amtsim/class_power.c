/* Power classes. (reference wsman.md, 3.2) */
#include <string.h>

#include "tests/amtsim/class_tables.h"
#include "tests/amtsim/power.h"

#define SERVICE "Intel(r) AMT Power Management Service"

static void associated_power(struct device *d, unsigned i, struct out *o)
{
    uint16_t available[POWER_VALUES_MAX];
    size_t n = power_available(d, available);
    struct epr service = epr_service("CIM_PowerManagementService", SERVICE);
    struct epr system = epr_computer("ManagedSystem");
    (void)i;
    out_nums(o, "AvailableRequestedPowerStates", available, n);
    out_num(o, "PowerState", power_value(d->machine->state));
    out_num(o, "RequestedPowerState", d->requested_power != 0 ? d->requested_power : 2);
    out_epr(o, "ServiceProvided", &service);
    out_epr(o, "UserOfService", &system);
}

/* The EPR must mean the PC: AMT does not switch itself. */
static bool is_managed_system(struct call *c)
{
    struct epr epr;
    if (!call_epr(c, "ManagedElement", &epr))
        return false;
    const char *name = epr_value(&epr, "Name");
    return name != NULL && strcmp(epr.class_name, "CIM_ComputerSystem") == 0 &&
           strcmp(name, "ManagedSystem") == 0;
}

static uint32_t request_power(struct call *c)
{
    uint64_t value;
    if (call_has(c, "TimeoutPeriod"))
        return 4098;
    if (!call_num(c, "PowerState", UINT16_MAX, &value)) {
        if (c->fault == SOAP_OK)
            c->fault = SOAP_MISSING_VALUES;
        return RET_INVALID_PARAMETER;
    }
    return is_managed_system(c) ? power_request(c->device, (uint16_t)value) : RET_INVALID_PARAMETER;
}

static uint32_t request_saving(struct call *c)
{
    uint64_t value;
    if (!call_num(c, "OSPowerSavingState", UINT16_MAX, &value)) {
        if (c->fault == SOAP_OK)
            c->fault = SOAP_MISSING_VALUES;
        return RET_INVALID_PARAMETER;
    }
    return is_managed_system(c) ? power_saving_request(c->device, (uint16_t)value) : RET_INVALID_PARAMETER;
}

static void power_capabilities(struct device *d, unsigned i, struct out *o)
{
    static const uint16_t changes[] = {2, 3, 4, 7, 8}, states[] = {5, 8, 2, 10, 11, 12, 14};
    size_t n = d->generation->graceful ? 7 : 4;
    (void)i;
    out_str(o, "ElementName", "Power Management Capabilities");
    out_str(o, "InstanceID", "Intel(r) AMT:PowerManagementCapabilities 0");
    out_str(o, "OtherPowerChangeCapabilities", "");
    out_nums(o, "PowerChangeCapabilities", changes, d->generation->graceful ? 5 : 4);
    out_nums(o, "PowerStatesSupported", states, n);
    out_nums(o, "RequestedPowerStatesSupported", states, n);
}

static const char *const power_service[] = {"CreationClassName",
                                            "CIM_PowerManagementService",
                                            "ElementName",
                                            SERVICE,
                                            "EnabledState",
                                            "5",
                                            "Name",
                                            SERVICE,
                                            "RequestedState",
                                            "12",
                                            "SystemCreationClassName",
                                            "CIM_ComputerSystem",
                                            "SystemName",
                                            "Intel(r) AMT",
                                            NULL};

static uint16_t saving_state(const struct device *d)
{
    if (d->machine->state != MACHINE_ON)
        return 0;
    return d->standby ? 3 : 2;
}

static void saving_service(struct device *d, unsigned i, struct out *o)
{
    (void)i;
    out_str(o, "CreationClassName", "IPS_PowerManagementService");
    out_str(o, "ElementName", SERVICE);
    out_num(o, "EnabledState", 5);
    out_str(o, "Name", SERVICE);
    out_num(o, "OSPowerSavingState", saving_state(d));
    out_num(o, "RequestedState", 12);
    out_str(o, "SystemCreationClassName", "CIM_ComputerSystem");
    out_str(o, "SystemName", "Intel(r) AMT");
}

static const char *const saving_capabilities[] = {"ElementName",
                                                  "Intel(r) AMT Power Management Capabilities",
                                                  "InstanceID",
                                                  "Intel(r) AMT:IPS PowerManagementCapabilities 0",
                                                  "OSPowerSavingStateChangeSupported",
                                                  "1",
                                                  "OSPowerSavingStateSupported",
                                                  "1",
                                                  NULL};

static const struct class_method power_methods[] = {{"RequestPowerStateChange", request_power}, {0}};
static const struct class_method saving_methods[] = {{"RequestOSPowerSavingStateChange", request_saving},
                                                     {0}};

const struct class_row class_power_rows[] = {
    {.name = "CIM_AssociatedPowerManagementService",
     .parent = "CIM_ServiceAvailableToElement",
     .datetime = true,
     .instance = associated_power},
    {.name = "CIM_ServiceAvailableToElement", .abstract_only = true},
    {.name = "CIM_PowerManagementCapabilities", .instance = power_capabilities},
    {.name = "CIM_PowerManagementService", .fixed = power_service, .methods = power_methods},
    {.name = "IPS_PowerManagementCapabilities", .since = 10, .fixed = saving_capabilities},
    {.name = "IPS_PowerManagementService",
     .since = 10,
     .instance = saving_service,
     .methods = saving_methods},
    {0},
};
