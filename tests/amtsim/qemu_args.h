/* QEMU's command line for one boot of the virtual PC.
 *
 * The firmware is SeaBIOS; the boot settings choose what it boots and whether it speaks on the first serial
 * port (use_sol). Booting from disk is direct kernel boot of the image's kernel; from CD, the firmware reads
 * the CD; with a redirected CD, the firmware reads that through IDE-R; any other source finds nothing to
 * boot, as a PC does without a boot server. */
#ifndef AMTSIM_QEMU_ARGS_H
#define AMTSIM_QEMU_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/amtsim/machine.h"

/* The process's descriptors that the command line speaks of. */
enum qemu_fd {
    QEMU_FD_STDERR = 2,
    QEMU_FD_QMP = 3,
    QEMU_FD_CONSOLE = 4,  /* first serial port */
    QEMU_FD_AGENT = 5,    /* second serial port */
    QEMU_FD_FIRMWARE = 6, /* what the firmware tells its maker (debug port) */
    QEMU_FD_NOTES = 7,    /* disk, namespace 1 */
    QEMU_FD_SWAP = 8,     /* disk, namespace 2 */
    QEMU_FD_CABLE = 9,    /* network cable */
    QEMU_FD_COUNT
};

struct qemu_args_config {
    const char *program;   /* "qemu-system-x86_64" */
    const char *image_dir; /* made by guest/build */
    const char *name;      /* for -name: letters, digits and dashes */
    const char *cd;        /* image in the CD drive, a path without comma; NULL: empty */
    bool redirected_cd;    /* a medium is in the redirected CD drive */
    const char *mac;       /* "02:16:00:00:00:00" of the network interface; NULL: it has none */
    uint32_t memory_mib;
    int parent; /* process id without which it does not start */
};

/* The boot medium that settings mean. */
enum qemu_medium { QEMU_DISK, QEMU_CD, QEMU_REDIRECTED_CD, QEMU_NOTHING };
/* redirected_cd: there is a medium in the redirected CD drive; without one the disk is booted. */
enum qemu_medium qemu_medium(const struct machine_boot *boot, bool redirected_cd);

/* The redirected CD drive: its device, and the node of the medium that QMP puts into it. */
#define QEMU_REDIRECTED_DEVICE "redirected-drive"
#define QEMU_REDIRECTED_NODE   "redirected-cd"

/* argv for execvp, NULL at the end, itself and its strings owned by the caller: qemu_args_free. boot: all
 * zero means no settings. */
char **qemu_args_new(const struct qemu_args_config *config, const struct machine_boot *boot);
void qemu_args_free(char **argv);

#endif
