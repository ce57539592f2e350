/* Hardware inventory over the SOAP interface: the structures that the BIOS leaves at every boot, as SMBIOS
 * has them (DSP0134). The same make of PC as class_hardware.c shows. (reference eoi.md, 3.4) */
#include <simH.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "tests/amtsim/eoi_internal.h"

#define TABLE_MAX 256
#define STRINGS   8

struct table {
    struct buf fixed; /* header and formatted part */
    const char *strings[STRINGS];
    uint8_t count;
};

static void begin(struct table *t, uint8_t type, uint8_t handle)
{
    t->fixed = buf_init(TABLE_MAX);
    wr_u8(&t->fixed, type);
    wr_u8(&t->fixed, 0); /* the length: known at the end */
    wr_le16(&t->fixed, handle);
}

static void text(struct table *t, const char *string)
{
    t->strings[t->count] = string;
    wr_u8(&t->fixed, ++t->count);
}

static void zeros(struct table *t, size_t n)
{
    while (n-- > 0)
        wr_u8(&t->fixed, 0);
}

/* Adds the table to the answer. */
static void end(struct soap *soap, struct table *t, struct _hwa__GetAssetDataResponse *out)
{
    t->fixed.p[1] = (uint8_t)t->fixed.len;
    for (uint8_t i = 0; i < t->count; i++)
        wr_bytes(&t->fixed, t->strings[i], strlen(t->strings[i]) + 1);
    wr_u8(&t->fixed, 0);
    if (t->count == 0)
        wr_u8(&t->fixed, 0);
    struct xsd__base64Binary *to = &out->AssetData[out->__sizeAssetData++];
    soap_default_xsd__base64Binary(soap, to);
    to->__ptr = soap_malloc(soap, t->fixed.len);
    to->__size = (int)t->fixed.len;
    memcpy(to->__ptr, t->fixed.p, t->fixed.len);
    buf_free(&t->fixed);
}

static void bios(struct soap *soap, struct device *d, unsigned i, struct _hwa__GetAssetDataResponse *out)
{
    struct table t = {0};
    (void)d;
    (void)i;
    begin(&t, 0, 0);
    text(&t, "Example Firmware");
    text(&t, "EXBIOS70.0054.2020.0810.2227");
    wr_le16(&t.fixed, 0xe000);
    text(&t, "08/10/2020");
    zeros(&t, 9);
    end(soap, &t, out);
}

static void machine(struct soap *soap, struct device *d, unsigned i, struct _hwa__GetAssetDataResponse *out)
{
    struct table t = {0};
    uint8_t uuid[16];
    char serial[16];
    (void)i;
    device_uuid(d, uuid);
    snprintf(serial, sizeof(serial), "%08u", d->index + 1);
    begin(&t, 1, 1);
    text(&t, "Example Computers");
    text(&t, "Desk 1");
    text(&t, "K47174-402");
    text(&t, serial);
    wr_bytes(&t.fixed, uuid, sizeof(uuid));
    wr_u8(&t.fixed, 6); /* woken by the power switch */
    end(soap, &t, out);
}

static void board(struct soap *soap, struct device *d, unsigned i, struct _hwa__GetAssetDataResponse *out)
{
    struct table t = {0};
    char serial[16];
    (void)i;
    snprintf(serial, sizeof(serial), "BRD%06u", d->index + 1);
    begin(&t, 2, 2);
    text(&t, "Example Boards");
    text(&t, "Board 1");
    text(&t, "K47180-402");
    text(&t, serial);
    end(soap, &t, out);
}

static void processor(struct soap *soap, struct device *d, unsigned i, struct _hwa__GetAssetDataResponse *out)
{
    struct table t = {0};
    (void)d;
    (void)i;
    begin(&t, 4, 4);
    text(&t, "CPU 0");
    wr_u8(&t.fixed, 3);   /* central processor */
    wr_u8(&t.fixed, 198); /* family */
    text(&t, "Example Silicon");
    wr_le32(&t.fixed, 0x000006fd); /* signature: stepping 13 */
    wr_le32(&t.fixed, 0);
    text(&t, "Example CPU @ 2.60GHz");
    wr_u8(&t.fixed, 0x8d); /* voltage */
    wr_le16(&t.fixed, 100);
    wr_le16(&t.fixed, 4600);
    wr_le16(&t.fixed, 2600);
    wr_u8(&t.fixed, 0x41); /* socket populated, enabled */
    wr_u8(&t.fixed, 2);
    zeros(&t, 9); /* caches, serial, asset tag, part */
    wr_u8(&t.fixed, 2);
    wr_u8(&t.fixed, 2);
    end(soap, &t, out);
}

static void memory(struct soap *soap, struct device *d, unsigned i, struct _hwa__GetAssetDataResponse *out)
{
    struct table t = {0};
    char serial[16], slot[16], bank[16];
    snprintf(serial, sizeof(serial), "00%06u", d->index * 2 + i);
    snprintf(slot, sizeof(slot), "DIMM %u", i);
    snprintf(bank, sizeof(bank), "BANK %u", i);
    begin(&t, 17, (uint8_t)(16 + i));
    zeros(&t, 4);
    wr_le16(&t.fixed, 64);
    wr_le16(&t.fixed, 64);
    wr_le16(&t.fixed, 1024); /* MB */
    wr_u8(&t.fixed, 9);      /* DIMM */
    wr_u8(&t.fixed, 0);
    text(&t, slot);
    text(&t, bank);
    wr_u8(&t.fixed, 19); /* DDR2 */
    wr_le16(&t.fixed, 0x80);
    wr_le16(&t.fixed, 667);
    text(&t, "Example Memory");
    text(&t, serial);
    zeros(&t, 1);
    text(&t, "EM-1G        ");
    end(soap, &t, out);
}

static const struct {
    unsigned type;
    unsigned count;
    void (*write)(struct soap *soap, struct device *d, unsigned i, struct _hwa__GetAssetDataResponse *out);
} tables[] = {{0, 1, bios}, {1, 1, machine}, {2, 1, board}, {4, 1, processor}, {17, 2, memory}};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

int __hwa__EnumerateAssetTypes(struct soap *soap, struct _hwa__EnumerateAssetTypes *in,
                               struct _hwa__EnumerateAssetTypesResponse *out)
{
    struct device *d = eoi_enter(soap, "EnumerateAssetTypes", false, &out->Status);
    (void)in;
    if (d == NULL)
        return SOAP_OK;
    out->AssetTypes = soap_malloc(soap, TABLES * sizeof(*out->AssetTypes));
    for (size_t i = 0; i < TABLES && d->machine->boot_count > 0; i++)
        out->AssetTypes[out->__sizeAssetTypes++] = tables[i].type;
    return SOAP_OK;
}

int __hwa__GetAssetData(struct soap *soap, struct _hwa__GetAssetData *in,
                        struct _hwa__GetAssetDataResponse *out)
{
    struct device *d = eoi_enter(soap, "GetAssetData", false, &out->Status);
    size_t at = 0;
    if (d == NULL)
        return SOAP_OK;
    if (in->AssetType == NULL)
        return eoi_leave(soap, &out->Status, PT_INVALID_PARAMETER);
    while (at < TABLES && tables[at].type != *in->AssetType)
        at++;
    if (at == TABLES || d->machine->boot_count == 0)
        return eoi_leave(soap, &out->Status, PT_INVALID_INDEX);
    out->AssetData = soap_malloc(soap, tables[at].count * sizeof(*out->AssetData));
    for (unsigned i = 0; i < tables[at].count; i++)
        tables[at].write(soap, d, i, out);
    return SOAP_OK;
}
