/* A power action that starts the machine, with the firmware's screen on the serial console from the first
 * moment on (UseSOL). (reference redirection.md, section 8.3; wsman.md, section 3.3)
 *
 * The power action is what was asked for: everything else of the coming boot stays as it was set, and where
 * UseSOL cannot be set the action is done without it. When the action turns out to need no boot, the flag
 * holds for the next one. */
#ifndef WSMAN_BOOT_SOL_H
#define WSMAN_BOOT_SOL_H

#include <stdbool.h>

#include "wsman/power.h"

struct boot_sol_seq {
    struct power_seq power; /* first: its report tells what became of the action */
    bool set;               /* the coming boot uses the console */
    /* private */
    struct power_request request;
    struct wsman_request *put;
};

void boot_sol_seq_init(struct boot_sol_seq *bs, const struct power_request *request,
                       const struct quirks *quirks);
void boot_sol_seq_clear(struct boot_sol_seq *bs);

#endif
