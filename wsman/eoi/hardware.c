/* The hardware inventory: SMBIOS structures shown as the CIM classes that newer firmware has of them.
 * (reference eoi.md, 3.4; SMBIOS: DSP0134, chapter 7) */
#include <eoiH.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "wsman/eoi/eoi_internal.h"
#include "wsman/eoi/smbios.h"
#include "wsman/names.h"

#define EXTENDED_SIZE 0x7fff /* of memory: the size stands elsewhere */

static void show_string(struct eoi *eoi, const char *name, const struct smbios *table, size_t offset)
{
    char text[SMBIOS_TEXT_MAX];

    eoi_show_text(eoi, name, smbios_text(table, offset, text));
}

static void show_u8(struct eoi *eoi, const char *name, const struct smbios *table, size_t offset)
{
    uint32_t value;

    if (smbios_u8(table, offset, &value))
        eoi_show_number(eoi, name, value);
}

static void show_u16(struct eoi *eoi, const char *name, const struct smbios *table, size_t offset)
{
    uint32_t value;

    if (smbios_u16(table, offset, &value) && value != 0) /* 0: unknown */
        eoi_show_number(eoi, name, value);
}

/* --- one structure of a type --- */

/* "08/10/2020" as a time. */
static void show_date(struct eoi *eoi, const struct smbios *table)
{
    char text[SMBIOS_TEXT_MAX];
    const char *date = smbios_text(table, 8, text);
    unsigned month, day, year;
    char end;

    if (!date || sscanf(date, "%2u/%2u/%4u%c", &month, &day, &year, &end) != 3 || month - 1 > 11 ||
        day - 1 > 30)
        return;
    if (year < 100) /* of the last century, by the standard */
        year += 1900;
    buf_printf(&eoi->items,
               "<ReleaseDate><c:Datetime xmlns:c=\"" NS_COMMON
               "\">%04u-%02u-%02uT00:00:00Z</c:Datetime></ReleaseDate>",
               year, month, day);
}

static void show_bios(struct eoi *eoi, const struct smbios *table, unsigned i)
{
    (void)i;
    show_string(eoi, "Manufacturer", table, 4);
    show_string(eoi, "Version", table, 5);
    show_date(eoi, table);
}

static void show_make(struct eoi *eoi, const struct smbios *table, unsigned i)
{
    (void)i;
    show_string(eoi, "Manufacturer", table, 4);
    show_string(eoi, "Model", table, 5);
    show_string(eoi, "Version", table, 6);
    show_string(eoi, "SerialNumber", table, 7);
}

static void show_guid(struct eoi *eoi, const struct smbios *table, unsigned i)
{
    struct rd in = rd_init(table->fixed.p, table->fixed.n);
    struct buf text = buf_init(40);
    struct view guid;

    (void)i;
    rd_skip(&in, 8);
    guid = rd_bytes(&in, 16);
    if (rd_ok(&in)) {
        text_hex(&text, guid.p, guid.n, true);
        eoi_show_text(eoi, "PlatformGUID", buf_str(&text));
    }
    buf_free(&text);
}

static void show_chip(struct eoi *eoi, const struct smbios *table, unsigned i)
{
    (void)i;
    eoi_show_text(eoi, "CreationClassName", "CIM_Chip");
    show_string(eoi, "Manufacturer", table, 7);
    show_string(eoi, "Version", table, 0x10);
}

static void show_processor(struct eoi *eoi, const struct smbios *table, unsigned i)
{
    char text[16];
    uint32_t value;

    snprintf(text, sizeof(text), "CPU %u", i);
    eoi_show_text(eoi, "DeviceID", text);
    show_u8(eoi, "Family", table, 6);
    show_u16(eoi, "ExternalBusClockSpeed", table, 0x12);
    show_u16(eoi, "MaxClockSpeed", table, 0x14);
    show_u16(eoi, "CurrentClockSpeed", table, 0x16);
    if (smbios_u8(table, 0x18, &value))
        eoi_show_number(eoi, "CPUStatus", value & 7);
    show_u8(eoi, "NumberOfEnabledCores", table, 0x24);
    if (smbios_u32(table, 8, &value)) { /* the lowest bits of the signature */
        snprintf(text, sizeof(text), "%u", value & 15);
        eoi_show_text(eoi, "Stepping", text);
    }
}

/* MB, or with the highest bit KB. */
static void show_capacity(struct eoi *eoi, const struct smbios *table)
{
    uint32_t size = 0, extended = 0;
    uint64_t bytes;

    if (!smbios_u16(table, 0xc, &size) || size == 0xffff)
        return;
    bytes = size & 0x8000 ? (uint64_t)(size & 0x7fff) << 10 : (uint64_t)size << 20;
    if (size == EXTENDED_SIZE && smbios_u32(table, 0x1c, &extended))
        bytes = (uint64_t)(extended & 0x7fffffff) << 20;
    buf_printf(&eoi->items, "<Capacity>%llu</Capacity>", (unsigned long long)bytes);
}

static void show_memory(struct eoi *eoi, const struct smbios *table, unsigned i)
{
    (void)i;
    show_string(eoi, "BankLabel", table, 0x11);
    show_capacity(eoi, table);
    show_u8(eoi, "FormFactor", table, 0xe);
    show_u8(eoi, "MemoryType", table, 0x12);
    show_u16(eoi, "MaxMemorySpeed", table, 0x15);
    show_u16(eoi, "ConfiguredMemoryClockSpeed", table, 0x20);
    show_string(eoi, "Manufacturer", table, 0x17);
    show_string(eoi, "SerialNumber", table, 0x18);
    show_string(eoi, "PartNumber", table, 0x1a);
}

/* An empty slot has a structure too. */
static bool is_there(const struct smbios *table)
{
    uint32_t size;

    return table->type != 17 || !smbios_u16(table, 0xc, &size) || size != 0;
}

/* --- the classes --- */

static const struct {
    const char *class_name;
    uint8_t type;
    void (*show)(struct eoi *eoi, const struct smbios *table, unsigned i);
} classes[] = {
    {"CIM_BIOSElement", 0, show_bios},
    {"CIM_ComputerSystemPackage", 1, show_guid},
    {"CIM_Chassis", 1, show_make},
    {"CIM_Card", 2, show_make},
    {"CIM_Chip", 4, show_chip},
    {"CIM_Processor", 4, show_processor},
    {"CIM_PhysicalMemory", 17, show_memory},
};

static size_t class_index(const struct eoi *eoi)
{
    const char *name = wsman_request_class(eoi_request(eoi));
    size_t i = 0;

    while (strcmp(classes[i].class_name, name) != 0)
        i++;
    return i;
}

static int take_types(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _hwa__EnumerateAssetTypesResponse *answer = out;

    (void)err;
    for (int i = 0; i < answer->__sizeAssetTypes; i++)
        if (answer->AssetTypes[i] == classes[class_index(eoi)].type)
            eoi->handle_count = 1;
    return EOI_NEXT;
}

/* Before the first boot there is none, and none is asked for. */
static int fill_type(struct eoi *eoi, void *out, struct err *err)
{
    struct _hwa__GetAssetData *in = out;

    (void)err;
    if (eoi->handle_count == 0)
        return EOI_PASS;
    in->AssetType = eoi_number(eoi, classes[class_index(eoi)].type);
    return EOI_ASK;
}

static int take_data(struct eoi *eoi, const void *out, struct err *err)
{
    const struct _hwa__GetAssetDataResponse *answer = out;
    size_t at = class_index(eoi);
    unsigned shown = 0;

    for (int i = 0; i < answer->__sizeAssetData; i++) {
        const struct xsd__base64Binary *data = &answer->AssetData[i];
        struct smbios table;

        if (!smbios_read(&table, data->__ptr, data->__size > 0 ? (size_t)data->__size : 0) ||
            table.type != classes[at].type)
            return err_set(err, CAUSE_BAD_ANSWER, "%s: the device's table %d is none of SMBIOS type %u",
                           classes[at].class_name, i, classes[at].type);
        if (!is_there(&table))
            continue;
        eoi_show(eoi, classes[at].class_name);
        classes[at].show(eoi, &table, shown++);
        eoi_shown(eoi, classes[at].class_name);
    }
    return EOI_NEXT;
}

static const struct eoi_step asset_steps[] = {
    {EOI_EnumerateAssetTypes, .take = take_types},
    {EOI_GetAssetData, .fill = fill_type, .take = take_data},
};

const struct eoi_row eoi_hardware_rows[] = {
    {WSMAN_ENUMERATE, "CIM_BIOSElement", NULL, EOI_STEPS(asset_steps)},
    {WSMAN_ENUMERATE, "CIM_ComputerSystemPackage", NULL, EOI_STEPS(asset_steps)},
    {WSMAN_ENUMERATE, "CIM_Chassis", NULL, EOI_STEPS(asset_steps)},
    {WSMAN_ENUMERATE, "CIM_Card", NULL, EOI_STEPS(asset_steps)},
    {WSMAN_ENUMERATE, "CIM_Chip", NULL, EOI_STEPS(asset_steps)},
    {WSMAN_ENUMERATE, "CIM_Processor", NULL, EOI_STEPS(asset_steps)},
    {WSMAN_ENUMERATE, "CIM_PhysicalMemory", NULL, EOI_STEPS(asset_steps)},
    {0},
};
