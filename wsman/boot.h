/* What the next boot does, once, and the reset or power-on that starts it. (reference wsman.md, section 3.3)
 */
#ifndef WSMAN_BOOT_H
#define WSMAN_BOOT_H

#include <stdbool.h>
#include <stdint.h>

#include "wsman/power.h"
#include "wsman/seq.h"

/* Where to boot to. Rows of boot_goals in boot.c. */
enum boot_goal {
    BOOT_NORMAL,
    BOOT_BIOS,
    BOOT_BIOS_PAUSE,
    BOOT_PXE,
    BOOT_DISK,
    BOOT_CD,
    BOOT_DIAGNOSTICS,
    BOOT_SAFE_MODE,
    BOOT_IDER_CD,
    BOOT_IDER_FLOPPY,
    BOOT_GOALS,
};
const char *boot_goal_name(enum boot_goal goal); /* "bios", "ider-cd" */
const char *boot_goal_text(enum boot_goal goal); /* "firmware setup" */

/* Flags of AMT_BootSettingData that may be set besides the goal's own; bits. */
enum boot_flag {
    BOOT_USE_SOL = 1 << 0,
    BOOT_LOCK_KEYBOARD = 1 << 1,
    BOOT_LOCK_POWER_BUTTON = 1 << 2,
    BOOT_LOCK_RESET_BUTTON = 1 << 3,
    BOOT_LOCK_SLEEP_BUTTON = 1 << 4,
    BOOT_PASSWORD_BYPASS = 1 << 5,
    BOOT_PROGRESS_EVENTS = 1 << 6,
    BOOT_SECURE_BOOT = 1 << 7,
};
enum boot_verbosity { BOOT_VERBOSITY_DEFAULT, BOOT_QUIET, BOOT_VERBOSE, BOOT_BLANK };

struct boot_request {
    enum boot_goal goal;
    unsigned flags; /* enum boot_flag */
    enum boot_verbosity verbosity;
    uint16_t media_index; /* disk, cd: 0 default, 1 first, ... */
    bool start;    /* reset the machine, or power it on when it is off; else only set for the next boot */
    bool graceful; /* with start: ask the OS to restart */
    bool sol_if_offered; /* BOOT_USE_SOL where the device has it */
};

/* The settings first, then the power action: power's report tells what became of it. */
struct boot_seq {
    struct power_seq power; /* first: a boot that starts the machine goes on as a power action */
    struct boot_request boot;
    /* private */
    struct wsman_request *put; /* ready to be sent */
    bool settings_done;
};

void boot_seq_init(struct boot_seq *bs, const struct boot_request *request, const struct quirks *quirks);
void boot_seq_clear(struct boot_seq *bs);

/* For boot_sol.c. What is read of AMT_BootSettingData and may not be put; ended by NULL. */
extern const char *const boot_settings_not_in_put[];
/* SetBootConfigRole: the settings hold for the next boot, once. */
struct wsman_request *boot_make_next(void);

#endif
