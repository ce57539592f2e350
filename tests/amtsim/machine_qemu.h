/* A machine that is a virtual PC: QEMU with Debian's kernel and the small system made by guest/build.
 *
 * Off is no process; a boot is a new one; hard off is its death. The power button, NMI and wake-up go through
 * QMP, requests to the running system (other than shutdown) through the guest's agent on the second serial
 * port. A guest that powers off, restarts, sleeps or hibernates by itself is reported as any other change.
 * The disk lives as long as the machine, so that the guest's boot counter and a hibernated system survive
 * power-off. */
#ifndef AMTSIM_MACHINE_QEMU_H
#define AMTSIM_MACHINE_QEMU_H

#include <stdint.h>

#include <uv.h>

#include "base/err.h"
#include "tests/amtsim/machine.h"

struct machine_qemu_config {
    uv_loop_t *loop;
    const char *image_dir; /* OUTDIR of guest/build; copied */
    const char *program;   /* NULL: qemu-system-x86_64 from PATH; copied */
    const char *cd;        /* image of the disc in the CD drive, NULL: none; copied; no comma in it */
    const char *name;      /* for `qemu -name` and log lines: "amtsim-3"; letters, digits, dashes; copied */
    uint32_t memory_mib;   /* 0: 192; below that the guest cannot wake from hibernation */
    const char *mac;       /* of the network interface; copied; NULL: it has none */
    int cable_fd;          /* its cable, a frame each datagram; borrowed; with mac only */
    uint32_t cycle_ms;     /* time without power in a power cycle; 0: 1500 */
};

/* A machine that is off. NULL and err (not-found: no image in image_dir; system). Events are copied. Freed by
 * its destroy operation; the loop must go on running until it has nothing left to do. The program ignores
 * SIGPIPE. */
struct machine *machine_qemu_new(const struct machine_qemu_config *config,
                                 const struct machine_events *events, struct err *err);

/* The process id of QEMU while there is one, else 0: for tests that kill it from outside. */
int machine_qemu_pid(const struct machine *machine);

#endif
