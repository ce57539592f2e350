/* One SMBIOS structure: its formatted part and its strings. Every byte comes from a device. (DSP0134, 6.1) */
#ifndef WSMAN_EOI_SMBIOS_H
#define WSMAN_EOI_SMBIOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

#define SMBIOS_TEXT_MAX 128

struct smbios {
    uint8_t type;
    struct view fixed;   /* from the header on, so that offsets are those of the standard */
    struct view strings; /* each ends with a NUL */
};

/* False: p is no such structure. What is read keeps pointing into p. */
bool smbios_read(struct smbios *table, const void *p, size_t n);
/* Little-endian members; false when the structure is too short to have them. */
bool smbios_u8(const struct smbios *table, size_t offset, uint32_t *out);
bool smbios_u16(const struct smbios *table, size_t offset, uint32_t *out);
bool smbios_u32(const struct smbios *table, size_t offset, uint32_t *out);
/* The string whose number stands at the offset, cut to fit, without blanks at its ends; NULL: none. */
const char *smbios_text(const struct smbios *table, size_t offset, char out[SMBIOS_TEXT_MAX]);

#endif
