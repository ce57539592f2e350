/* Hardware inventory: one make of PC for each generation of firmware, its serial numbers by device; every
 * tenth is a portable one. (reference wsman.md, 3.17)
 *
 * The tables come from the last POST: before the first boot they are empty. */
#include "tests/amtsim/class_tables.h"

#define GIB (UINT64_C(1) << 30)

struct make {
    unsigned generation;
    const char *model, *bios;
    int64_t bios_date_ms;
    const char *cpu;
    unsigned family, mhz, max_mhz; /* SMBIOS number */
    unsigned memory_type, memory_mhz;
    uint64_t module_bytes;
    uint64_t drives[2]; /* 1000-byte units */
};

static const struct make makes[] = {
    {6,
     "Desk 1",
     "EXBIOS60.0031.2011.0323.1012",
     1300838400000,
     "Example CPU 650 @ 3.20GHz",
     205,
     3200,
     3460,
     24,
     1333,
     2 * GIB,
     {250059350, 0}},
    {9,
     "Desk 2",
     "EXBIOS90.0044.2014.0611.0908",
     1402444800000,
     "Example CPU 4770 @ 3.40GHz",
     198,
     3400,
     3900,
     24,
     1600,
     4 * GIB,
     {500107862, 0}},
    {11,
     "Desk 3",
     "EXBIOS11.0054.2018.0810.2227",
     1533859200000,
     "Example CPU 7700 @ 3.60GHz",
     198,
     3600,
     4200,
     26,
     2400,
     8 * GIB,
     {500107862, 256060514}},
    {16,
     "Desk 4",
     "EXBIOS70.0054.2022.0810.2227",
     1660089600000,
     "Example CPU 12700 @ 2.10GHz",
     198,
     2100,
     4900,
     34,
     4800,
     16 * GIB,
     {960197124, 500107862}},
    {21,
     "Desk 5",
     "EXBIOS80.0012.2025.0402.1530",
     1743552000000,
     "Example CPU 285 @ 2.50GHz",
     198,
     2500,
     5600,
     34,
     5600,
     32 * GIB,
     {1920383410, 0}},
};

static const struct make *make_of(const struct device *d)
{
    for (size_t i = 1; i < sizeof(makes) / sizeof(makes[0]); i++)
        if (makes[i].generation == d->generation->number)
            return &makes[i];
    return &makes[0];
}

static bool is_portable(const struct device *d)
{
    return d->index % 10 == 9;
}

static unsigned after_boot(const struct device *d, unsigned n)
{
    return d->machine->boot_count > 0 ? n : 0;
}

static unsigned one(const struct device *d)
{
    return after_boot(d, 1);
}

static unsigned processors(const struct device *d)
{
    return d->generation->number >= 21 ? 0 : after_boot(d, 1);
}

static unsigned three(const struct device *d)
{
    return after_boot(d, 3);
}

static unsigned two(const struct device *d)
{
    return after_boot(d, 2);
}

static unsigned none(const struct device *d)
{
    (void)d;
    return 0;
}

static unsigned drives(const struct device *d)
{
    return after_boot(d, make_of(d)->drives[1] != 0 ? 2 : 1);
}

static unsigned batteries(const struct device *d)
{
    return after_boot(d, is_portable(d) ? 1 : 0);
}

static void chassis(struct device *d, unsigned i, struct out *o)
{
    (void)i;
    out_num(o, "ChassisPackageType", 0);
    out_str(o, "CreationClassName", "CIM_Chassis");
    out_str(o, "ElementName", "Managed System Chassis");
    out_str(o, "Manufacturer", "Example Computers");
    out_str(o, "Model", make_of(d)->model);
    out_num(o, "OperationalStatus", 0);
    out_num(o, "PackageType", 3);
    out_fmt(o, "SerialNumber", "%08u", d->index + 1);
    out_str(o, "Tag", "CIM_Chassis");
    out_str(o, "Version", "K47174-402");
}

static void card(struct device *d, unsigned i, struct out *o)
{
    (void)i;
    out_bool(o, "CanBeFRUed", true);
    out_str(o, "CreationClassName", "CIM_Card");
    out_str(o, "ElementName", "Managed System Base Board");
    out_str(o, "Manufacturer", "Example Boards");
    out_str(o, "Model", "Board 1");
    out_num(o, "OperationalStatus", 0);
    out_num(o, "PackageType", 9);
    out_fmt(o, "SerialNumber", "BRD%06u", d->index + 1);
    out_str(o, "Tag", "CIM_Card");
    out_str(o, "Version", "K47180-402");
}

static void bios(struct device *d, unsigned i, struct out *o)
{
    (void)i;
    out_str(o, "ElementName", "Primary BIOS");
    out_str(o, "Manufacturer", "Example Firmware");
    out_str(o, "Name", "Primary BIOS");
    out_num(o, "OperationalStatus", 0);
    out_bool(o, "PrimaryBIOS", true);
    out_time(o, "ReleaseDate", make_of(d)->bios_date_ms);
    out_str(o, "SoftwareElementID", make_of(d)->bios);
    out_num(o, "SoftwareElementState", 2);
    out_num(o, "TargetOperatingSystem", 66);
    out_str(o, "Version", make_of(d)->bios);
}

static void chip(struct device *d, unsigned i, struct out *o)
{
    static const char *const tags[] = {"CPU 0", "9876543210 (#0)", "9876543210 (#1)"};
    out_bool(o, "CanBeFRUed", true);
    out_str(o, "CreationClassName", i == 0 ? "CIM_Chip" : "CIM_PhysicalMemory");
    out_str(o, "ElementName", i == 0 ? "Managed System Processor Chip" : "Managed System Memory Chip");
    out_str(o, "Manufacturer", i == 0 ? "Example Silicon" : "Example Memory");
    out_num(o, "OperationalStatus", 0);
    out_str(o, "Tag", tags[i]);
    out_str(o, "Version", i == 0 ? make_of(d)->cpu : NULL);
}

static void processor(struct device *d, unsigned i, struct out *o)
{
    (void)i;
    out_num(o, "CPUStatus", 1);
    out_str(o, "CreationClassName", "CIM_Processor");
    out_num(o, "CurrentClockSpeed", make_of(d)->mhz);
    out_str(o, "DeviceID", "CPU 0");
    out_str(o, "ElementName", "Managed System CPU");
    out_num(o, "EnabledState", 2);
    out_num(o, "ExternalBusClockSpeed", 100);
    out_num(o, "Family", make_of(d)->family);
    out_num(o, "HealthState", 0);
    out_num(o, "MaxClockSpeed", make_of(d)->max_mhz);
    out_num(o, "OperationalStatus", 0);
    out_num(o, "RequestedState", 12);
    out_str(o, "Role", "Central");
    out_str(o, "Stepping", "13");
    out_str(o, "SystemCreationClassName", "CIM_ComputerSystem");
    out_str(o, "SystemName", "ManagedSystem");
    out_num(o, "UpgradeMethod", 2);
}

static void memory(struct device *d, unsigned i, struct out *o)
{
    const struct make *make = make_of(d);
    out_fmt(o, "BankLabel", "BANK %u", i);
    out_num(o, "Capacity", make->module_bytes);
    out_num(o, "ConfiguredMemoryClockSpeed", make->memory_mhz);
    out_str(o, "CreationClassName", "CIM_PhysicalMemory");
    out_str(o, "ElementName", "Managed System Memory");
    out_num(o, "FormFactor", is_portable(d) ? 13 : 9);
    out_bool(o, "IsSpeedInMhz", true);
    out_str(o, "Manufacturer", "Example Memory");
    out_num(o, "MaxMemorySpeed", make->memory_mhz);
    out_num(o, "MemoryType", make->memory_type);
    out_fmt(o, "PartNumber", "EM-%uG        ",
            (unsigned)(make->module_bytes / GIB)); /* SMBIOS pads with blanks */
    out_fmt(o, "SerialNumber", "00%06u", d->index * 2 + i);
    out_num(o, "Speed", 0);
    out_fmt(o, "Tag", "9876543210 (#%u)", i);
}

static void drive(struct device *d, unsigned i, struct out *o)
{
    out_num(o, "Capabilities", 4);
    out_str(o, "CreationClassName", "CIM_MediaAccessDevice");
    out_fmt(o, "DeviceID", "MEDIA DEV %u", i);
    out_str(o, "ElementName", "Managed System Media Access Device");
    out_num(o, "EnabledDefault", 2);
    out_num(o, "EnabledState", 0);
    out_num(o, "MaxMediaSize", make_of(d)->drives[i]);
    out_num(o, "OperationalStatus", 0);
    out_num(o, "RequestedState", 12);
    out_num(o, "Security", 2);
    out_str(o, "SystemCreationClassName", "CIM_ComputerSystem");
    out_str(o, "SystemName", "ManagedSystem");
}

/* As recorded of a portable machine. */
static void battery(struct device *d, unsigned i, struct out *o)
{
    (void)d;
    (void)i;
    out_num(o, "BatteryStatus", 2);
    out_num(o, "ChargingStatus", 0);
    out_num(o, "Chemistry", 2);
    out_str(o, "CreationClassName", "CIM_Battery");
    out_num(o, "DesignCapacity", 5601);
    out_num(o, "DesignVoltage", 11550);
    out_str(o, "DeviceID", "EB03056XL");
    out_str(o, "ElementName", "");
    out_num(o, "EnabledState", 2);
    out_num(o, "EstimatedChargeRemaining", 0);
    out_num(o, "FullChargeCapacity", 0);
    out_num(o, "HealthState", 0);
    out_num(o, "RequestedState", 12);
    out_str(o, "SystemCreationClassName", "CIM_ComputerSystem");
    out_str(o, "SystemName", "ManagedSystem");
}

static void package(struct device *d, unsigned i, struct out *o)
{
    static const char *const names[] = {"CIM_Chassis", "CIM_Card"};
    (void)d;
    out_str(o, "CreationClassName", names[i]);
    out_str(o, "ElementName", i == 0 ? "Managed System Chassis" : "Managed System Base Board");
    out_num(o, "OperationalStatus", 0);
    out_num(o, "PackageType", i == 0 ? 3 : 9);
    out_str(o, "Tag", names[i]);
}

static const char *const bios_feature[] = {"Characteristics",
                                           "7",
                                           "Characteristics",
                                           "11",
                                           "Characteristics",
                                           "12",
                                           "ElementName",
                                           "Primary BIOS Features",
                                           "IdentifyingNumber",
                                           "1",
                                           "Name",
                                           "Primary BIOS Features",
                                           "OperationalStatus",
                                           "0",
                                           "ProductName",
                                           "Desk 1",
                                           "Vendor",
                                           "Example Computers",
                                           "Version",
                                           "1",
                                           NULL};

static const char *const assets[] = {
    SERVICE_KEYS("AMT_AssetTableService", "Intel(r) AMT Asset Table Service"),
    "TableTypes",
    "SMbios:130",
    "TableTypes",
    "SMbios:131",
    NULL};

static const char *const sensor[] = {"CreationClassName",
                                     "CIM_Sensor",
                                     "CurrentState",
                                     "Unknown",
                                     "DeviceID",
                                     "Sensor 1",
                                     "ElementName",
                                     "Sensor",
                                     "EnabledState",
                                     "5",
                                     "HealthState",
                                     "5",
                                     "OperationalStatus",
                                     "2",
                                     "PossibleStates",
                                     "Bad",
                                     "PossibleStates",
                                     "Good",
                                     "PossibleStates",
                                     "Unknown",
                                     "RequestedState",
                                     "12",
                                     "SensorType",
                                     "0",
                                     "SystemCreationClassName",
                                     "CIM_ComputerSystem",
                                     "SystemName",
                                     "ManagedSystem",
                                     NULL};

static const char *const fan[] = {"ActiveCooling",
                                  "true",
                                  "CreationClassName",
                                  "CIM_Fan",
                                  "DesiredSpeed",
                                  "0",
                                  "DeviceID",
                                  "Fan 0",
                                  "ElementName",
                                  "Fan",
                                  "EnabledState",
                                  "5",
                                  "HealthState",
                                  "5",
                                  "OperationalStatus",
                                  "2",
                                  "RequestedState",
                                  "12",
                                  "SystemCreationClassName",
                                  "CIM_ComputerSystem",
                                  "SystemName",
                                  "ManagedSystem",
                                  "VariableSpeed",
                                  "false",
                                  NULL};

const struct class_row class_hardware_rows[] = {
    {.name = "AMT_AssetTable", .count = none},
    {.name = "AMT_AssetTableService", .fixed = assets},
    {.name = "CIM_BIOSElement", .datetime = true, .instance = bios, .count = one},
    {.name = "CIM_BIOSFeature", .datetime = true, .fixed = bios_feature},
    {.name = "CIM_Battery", .datetime = true, .instance = battery, .count = batteries},
    {.name = "CIM_Card", .datetime = true, .instance = card, .count = one},
    {.name = "CIM_Chassis", .datetime = true, .instance = chassis, .count = one},
    {.name = "CIM_Chip", .datetime = true, .instance = chip, .count = three},
    {.name = "CIM_Fan", .datetime = true, .fixed = fan},
    {.name = "CIM_MediaAccessDevice", .datetime = true, .instance = drive, .count = drives},
    {.name = "CIM_PhysicalMemory", .datetime = true, .instance = memory, .count = two},
    {.name = "CIM_PhysicalPackage", .datetime = true, .instance = package, .count = two},
    {.name = "CIM_Processor", .datetime = true, .instance = processor, .count = processors},
    {.name = "CIM_Sensor", .datetime = true, .fixed = sensor},
    {0},
};
