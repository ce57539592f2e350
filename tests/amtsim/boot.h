/* What the next boot is told to do, for one boot. (reference wsman.md, 3.3) */
#ifndef AMTSIM_BOOT_H
#define AMTSIM_BOOT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/amtsim/device.h"
#include "tests/amtsim/machine.h"

/* What a command of the SOAP interface (EOI) wants of the next boot. */
struct boot_wish {
    const char *source; /* "pxe", "disk", "cd", "diagnostics"; NULL: none is forced */
    uint16_t media_index;
    bool setup, pause, sol, ider, ider_cd; /* ider_cd: the CD, not the floppy */
    bool lock_keyboard, password_bypass, progress_events;
};
void boot_wish(struct device *device, const struct boot_wish *wish);

/* The settings as the machine gets them when it boots. */
void boot_for_machine(const struct device *device, struct machine_boot *out);
/* The BIOS has read them: all go back to their defaults. */
void boot_taken(struct device *device);

/* For the record: the forced source's InstanceID, "" for none (source as in device_boot); names of set flags.
 */
const char *boot_source_word(uint32_t source);
json_t *boot_flags_json(uint32_t flags);

#endif
