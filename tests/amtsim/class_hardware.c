/* Hardware inventory: one make of PC for all, its serial numbers by device. (reference wsman.md, 3.17)
 *
 * The tables come from the last POST: before the first boot they are empty. */
#include "tests/amtsim/class_tables.h"

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

static void chassis(struct device *d, unsigned i, struct out *o)
{
    (void)i;
    out_num(o, "ChassisPackageType", 0);
    out_str(o, "CreationClassName", "CIM_Chassis");
    out_str(o, "ElementName", "Managed System Chassis");
    out_str(o, "Manufacturer", "Example Computers");
    out_str(o, "Model", "Desk 1");
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
    (void)d;
    (void)i;
    out_str(o, "ElementName", "Primary BIOS");
    out_str(o, "Manufacturer", "Example Firmware");
    out_str(o, "Name", "Primary BIOS");
    out_num(o, "OperationalStatus", 0);
    out_bool(o, "PrimaryBIOS", true);
    out_time(o, "ReleaseDate", 1597017600000);
    out_str(o, "SoftwareElementID", "EXBIOS70.0054.2020.0810.2227");
    out_num(o, "SoftwareElementState", 2);
    out_num(o, "TargetOperatingSystem", 66);
    out_str(o, "Version", "EXBIOS70.0054.2020.0810.2227");
}

#define CPU_NAME "Example CPU @ 2.60GHz"

static void chip(struct device *d, unsigned i, struct out *o)
{
    static const char *const tags[] = {"CPU 0", "9876543210 (#0)", "9876543210 (#1)"};
    (void)d;
    out_bool(o, "CanBeFRUed", true);
    out_str(o, "CreationClassName", i == 0 ? "CIM_Chip" : "CIM_PhysicalMemory");
    out_str(o, "ElementName", i == 0 ? "Managed System Processor Chip" : "Managed System Memory Chip");
    out_str(o, "Manufacturer", i == 0 ? "Example Silicon" : "Example Memory");
    out_num(o, "OperationalStatus", 0);
    out_str(o, "Tag", tags[i]);
    out_str(o, "Version", i == 0 ? CPU_NAME : NULL);
}

static void processor(struct device *d, unsigned i, struct out *o)
{
    static const char *const all[] = {"CPUStatus",
                                      "1",
                                      "CreationClassName",
                                      "CIM_Processor",
                                      "CurrentClockSpeed",
                                      "2600",
                                      "DeviceID",
                                      "CPU 0",
                                      "ElementName",
                                      "Managed System CPU",
                                      "EnabledState",
                                      "2",
                                      "ExternalBusClockSpeed",
                                      "100",
                                      "Family",
                                      "198",
                                      "HealthState",
                                      "0",
                                      "MaxClockSpeed",
                                      "4600",
                                      "OperationalStatus",
                                      "0",
                                      "RequestedState",
                                      "12",
                                      "Role",
                                      "Central",
                                      "Stepping",
                                      "13",
                                      "SystemCreationClassName",
                                      "CIM_ComputerSystem",
                                      "SystemName",
                                      "ManagedSystem",
                                      "UpgradeMethod",
                                      "2",
                                      NULL};
    (void)d;
    (void)i;
    out_fixed(o, all);
}

static void memory(struct device *d, unsigned i, struct out *o)
{
    bool ddr5 = d->generation->number >= 16;
    out_fmt(o, "BankLabel", "BANK %u", i);
    out_num(o, "Capacity", 8589934592u);
    out_num(o, "ConfiguredMemoryClockSpeed", ddr5 ? 4800 : 2667);
    out_str(o, "CreationClassName", "CIM_PhysicalMemory");
    out_str(o, "ElementName", "Managed System Memory");
    out_num(o, "FormFactor", 13);
    out_bool(o, "IsSpeedInMhz", true);
    out_str(o, "Manufacturer", "Example Memory");
    out_num(o, "MaxMemorySpeed", ddr5 ? 4800 : 2667);
    out_num(o, "MemoryType", ddr5 ? 34 : 26);
    out_str(o, "PartNumber", "EM-8G        "); /* SMBIOS pads with blanks */
    out_fmt(o, "SerialNumber", "00%06u", d->index * 2 + i);
    out_num(o, "Speed", 0);
    out_fmt(o, "Tag", "9876543210 (#%u)", i);
}

static void drive(struct device *d, unsigned i, struct out *o)
{
    static const uint64_t sizes[] = {960197124, 500107862}; /* 1000-byte units */
    (void)d;
    out_num(o, "Capabilities", 4);
    out_str(o, "CreationClassName", "CIM_MediaAccessDevice");
    out_fmt(o, "DeviceID", "MEDIA DEV %u", i);
    out_str(o, "ElementName", "Managed System Media Access Device");
    out_num(o, "EnabledDefault", 2);
    out_num(o, "EnabledState", 0);
    out_num(o, "MaxMediaSize", sizes[i]);
    out_num(o, "OperationalStatus", 0);
    out_num(o, "RequestedState", 12);
    out_num(o, "Security", 2);
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
    {.name = "CIM_Battery", .count = none},
    {.name = "CIM_Card", .datetime = true, .instance = card, .count = one},
    {.name = "CIM_Chassis", .datetime = true, .instance = chassis, .count = one},
    {.name = "CIM_Chip", .datetime = true, .instance = chip, .count = three},
    {.name = "CIM_Fan", .datetime = true, .fixed = fan},
    {.name = "CIM_MediaAccessDevice", .datetime = true, .instance = drive, .count = two},
    {.name = "CIM_PhysicalMemory", .datetime = true, .instance = memory, .count = two},
    {.name = "CIM_PhysicalPackage", .datetime = true, .instance = package, .count = two},
    {.name = "CIM_Processor", .datetime = true, .instance = processor, .count = processors},
    {.name = "CIM_Sensor", .datetime = true, .fixed = sensor},
    {0},
};
