/* Systems and what relates them. (reference wsman.md, 2.3, 3.17, 6.5) */
#include "tests/amtsim/class_tables.h"

#include "tests/amtsim/fleet.h"

static const char *const system_names[] = {"Intel(r) AMT", "ManagedSystem"};

static unsigned system_count(const struct device *d)
{
    (void)d;
    return 2;
}

static void computer_system(struct device *d, unsigned i, struct out *o)
{
    bool up = i == 0 || d->machine->state == MACHINE_ON;
    out_str(o, "CreationClassName", "CIM_ComputerSystem");
    out_str(o, "ElementName", i == 0 ? "Intel(r) AMT Subsystem" : "Managed System");
    out_num(o, "EnabledDefault", 5);
    out_num(o, "EnabledState", up ? 5 : 3);
    out_str(o, "Name", system_names[i]);
    out_num(o, "OperationalStatus", up ? 2 : 0);
    out_num(o, "RequestedState", 12);
}

static void system_package(struct device *d, unsigned i, struct out *o)
{
    uint8_t uuid[16];
    char hex[33];
    struct epr chassis = {.class_name = "CIM_Chassis",
                          .pairs = {{"CreationClassName", "CIM_Chassis"}, {"Tag", "CIM_Chassis"}},
                          .count = 2};
    struct epr system = epr_computer("ManagedSystem");
    (void)i;
    device_uuid(d, uuid);
    for (unsigned k = 0; k < 16; k++) {
        hex[2 * k] = "0123456789ABCDEF"[uuid[k] >> 4];
        hex[2 * k + 1] = "0123456789ABCDEF"[uuid[k] & 15];
    }
    hex[32] = '\0';
    out_epr(o, "Antecedent", &chassis);
    out_epr(o, "Dependent", &system);
    out_str(o, "PlatformGUID", hex);
}

const struct class_row class_system_rows[] = {
    {.name = "CIM_ComputerSystem", .datetime = true, .instance = computer_system, .count = system_count},
    {.name = "CIM_ComputerSystemPackage", .parent = "CIM_SystemPackaging", .instance = system_package},
    {.name = "CIM_SystemPackaging", .abstract_only = true},
    {0},
};
