/* The machine behind a simulated device: what AMT firmware switches on and off.
 *
 * A device talks to its machine through these operations and hears of it through the events; it does not know
 * whether a timer (scripted) or a virtual PC (qemu) stands behind. All calls are on the loop's thread;
 * operations return at once and report later. */
#ifndef AMTSIM_MACHINE_H
#define AMTSIM_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct machine; /* first member of every kind's own struct */

enum machine_state {
    MACHINE_OFF,       /* S5 */
    MACHINE_ON,        /* S0 */
    MACHINE_SLEEP,     /* S3 */
    MACHINE_HIBERNATE, /* S4 */
};

enum machine_command {
    MACHINE_POWER_ON,
    MACHINE_POWER_OFF,   /* hard */
    MACHINE_POWER_CYCLE, /* hard off, then on */
    MACHINE_RESET,       /* hard */
    MACHINE_NMI,
    MACHINE_ASK_SHUTDOWN, /* through the OS: ACPI power button */
    MACHINE_ASK_RESTART,  /* through the OS */
    MACHINE_ASK_SLEEP,
    MACHINE_ASK_HIBERNATE,
};

/* What the firmware tells a boot to do; valid for one. All zero: nothing. */
struct machine_boot {
    char source[24]; /* "", "pxe", "disk", "cd", "diagnostics" */
    uint16_t media_index;
    bool bios_setup, bios_pause, use_sol, use_ider, safe_mode;
    uint8_t ider_device; /* 0 floppy, 1 CD */
};

/* What the machine does with the lines of its first serial port. */
struct machine_lines {
    bool owned; /* somebody there has opened the port: firmware, boot loader or system */
    bool rts, dtr, brk;
};

/* A redirected drive's answer to an ATAPI command. data is borrowed until the call returns. */
struct drive_answer {
    bool gone;                /* no session, reset, or the session ended: no answer came */
    uint8_t sense, asc, ascq; /* 0 0 0: good */
    const uint8_t *data;
    size_t n;
};

enum drive { DRIVE_FLOPPY, DRIVE_CD, DRIVE_COUNT };

struct drive_request {
    enum drive drive;
    uint8_t cdb[12];
    uint32_t expect;     /* most bytes the command may deliver */
    const uint8_t *data; /* of a command that writes: copied; NULL: none */
    uint32_t data_len;
    void (*done)(void *arg, const struct drive_answer *answer); /* once, after the request was taken */
    void *arg;
};

struct machine_events {
    void *arg;
    /* The power state changed, by a command or by itself (a guest that shuts down). */
    void (*state)(void *arg, enum machine_state state);
    /* A boot is about to begin, whoever caused it: the firmware's settings for it into *boot, which is
     * zeroed. Redirected drives that waited for a reset may come inside. */
    void (*settings)(void *arg, struct machine_boot *boot);
    /* POST begins: the settings have been taken over, boot_count counts from 1. */
    void (*booted)(void *arg, uint32_t boot_count);
    /* The machine cannot do what was asked (qemu died, ...): one line. */
    void (*trouble)(void *arg, const struct err *err);
    /* Bytes from the machine's first serial port; NULL: nobody listens. */
    void (*console)(void *arg, const void *p, size_t n);
    /* The lines of that port have changed; NULL: nobody looks. */
    void (*lines)(void *arg);
    /* Gives a command to a redirected drive; false: it is not there (any more), `done` is not called. NULL:
     * there are none. */
    bool (*drive)(void *arg, const struct drive_request *request);
};

struct machine_ops {
    const char *kind; /* "scripted", "qemu" */
    /* Starts. Returns 0, or -1 when the machine cannot do that now. */
    int (*command)(struct machine *m, enum machine_command command);
    /* Bytes to its first serial port. Returns how many it took; the rest may be offered again. */
    size_t (*console_write)(struct machine *m, const void *p, size_t n);
    /* Whether it may speak on that port: false makes it wait in the middle of its output. NULL: no. */
    void (*console_flow)(struct machine *m, bool go);
    /* Somebody begins (each time once) or ceases to listen to that port. NULL: does not matter. */
    void (*console_listen)(struct machine *m, bool listen);
    /* Redirected drives have come (bits of enum drive) or gone. NULL: it has no place for them. */
    void (*drives)(struct machine *m, unsigned present);
    bool (*has_agent)(const struct machine *m); /* the OS can obey ASK_ commands now */
    /* Ends and frees; no events after. */
    void (*destroy)(struct machine *m);
};

struct machine {
    const struct machine_ops *ops;
    struct machine_events events;
    enum machine_state state;
    struct machine_lines lines;
    uint32_t boot_count;
};

#endif
