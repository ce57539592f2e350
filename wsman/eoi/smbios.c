#include "wsman/eoi/smbios.h"

#include <string.h>

#define HEADER 4

bool smbios_read(struct smbios *table, const void *p, size_t n)
{
    struct rd in = rd_init(p, n);
    uint8_t type = rd_u8(&in), length = rd_u8(&in);

    if (!rd_ok(&in) || length < HEADER)
        return false;
    in = rd_init(p, n);
    table->type = type;
    table->fixed = rd_bytes(&in, length);
    table->strings = rd_bytes(&in, in.n);
    return rd_ok(&in);
}

static bool member(const struct smbios *table, size_t offset, size_t size, uint32_t *out)
{
    struct rd in = rd_init(table->fixed.p, table->fixed.n);
    uint32_t value;

    rd_skip(&in, offset);
    value = size == 1 ? rd_u8(&in) : size == 2 ? rd_le16(&in) : rd_le32(&in);
    if (!rd_ok(&in))
        return false;
    *out = value;
    return true;
}

bool smbios_u8(const struct smbios *table, size_t offset, uint32_t *out)
{
    return member(table, offset, 1, out);
}

bool smbios_u16(const struct smbios *table, size_t offset, uint32_t *out)
{
    return member(table, offset, 2, out);
}

bool smbios_u32(const struct smbios *table, size_t offset, uint32_t *out)
{
    return member(table, offset, 4, out);
}

const char *smbios_text(const struct smbios *table, size_t offset, char out[SMBIOS_TEXT_MAX])
{
    struct rd in = rd_init(table->strings.p, table->strings.n);
    struct view text = {NULL, 0};
    uint32_t number;

    if (!smbios_u8(table, offset, &number) || number == 0)
        return NULL;
    while (number-- > 0)
        text = rd_until(&in, '\0');
    if (!rd_ok(&in))
        return NULL;
    while (text.n > 0 && text.p[text.n - 1] == ' ')
        text.n--;
    if (text.n >= SMBIOS_TEXT_MAX)
        text.n = SMBIOS_TEXT_MAX - 1;
    if (text.n > 0)
        memcpy(out, text.p, text.n);
    out[text.n] = '\0';
    for (size_t i = 0; i < text.n; i++) /* ASCII by the standard */
        if (out[i] < ' ' || out[i] > '~')
            out[i] = '?';
    return text.n > 0 ? out : NULL;
}
