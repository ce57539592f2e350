/* One run of QEMU: from process start to process end, which is one boot of the virtual PC.
 *
 * Everything between us and the process goes through descriptors it inherits: QMP, the serial ports and
 * stderr are socket pairs, the disk is memory files. So nothing is left on any file system, no other process
 * can connect, and the end of the process is the end of all of them. The kernel kills the process when we die
 * (PR_SET_PDEATHSIG). */
#ifndef AMTSIM_QEMU_VM_H
#define AMTSIM_QEMU_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <uv.h>

#include "base/err.h"
#include "tests/amtsim/machine.h"
#include "tests/amtsim/qemu_args.h"
#include "tests/amtsim/qmp.h"

enum qemu_port {
    QEMU_CONSOLE,  /* first serial port */
    QEMU_AGENT,    /* second serial port: the guest's agent */
    QEMU_FIRMWARE, /* the firmware's debug port; read only */
};

struct qemu_vm; /* opaque; exists until `gone` has been called */

struct qemu_vm_config {
    uv_loop_t *loop;
    struct qemu_args_config args; /* but for `parent`, which is us */
    int notes_fd;                 /* disk, namespace 1; borrowed, as is the next */
    int swap_fd;                  /* disk, namespace 2 */
    int cable_fd;                 /* network cable; -1: none. Borrowed */
};

/* All on the loop's thread. */
struct qemu_vm_events {
    void *arg;
    /* QMP answers; the processor stands still until qemu_vm_execute "cont". */
    void (*ready)(void *arg);
    /* As qmp.h. */
    void (*event)(void *arg, const char *name, const json_t *data);
    /* Bytes from a port. */
    void (*port)(void *arg, enum qemu_port port, const void *p, size_t n);
    /* The process has ended and all it wrote has been passed on; the vm is freed when this returns. `how`
     * says in what way it ended ("killed by signal 9", "exit code 1: LAST LINE OF STDERR"). */
    void (*gone)(void *arg, const char *how);
};

/* Starts the process with the settings of this boot (all zero: none). NULL and err (system) when it cannot be
 * started; a program that is missing is found out later, by `gone`. */
struct qemu_vm *qemu_vm_start(const struct qemu_vm_config *config, const struct machine_boot *boot,
                              const struct qemu_vm_events *events, struct err *err);

/* Pulls the power cord (SIGKILL); `gone` follows. */
void qemu_vm_kill(struct qemu_vm *vm);

/* The same, but nothing is reported any more: the vm ends by itself while the loop runs. NULL is fine. */
void qemu_vm_abandon(struct qemu_vm *vm);

/* As qmp_execute. */
int qemu_vm_execute(struct qemu_vm *vm, const char *command, json_t *arguments, qmp_reply *reply, void *arg,
                    struct err *err);

/* Bytes to a serial port. Returns how many fit into the port's 64 KiB; the rest is lost or offered again. */
size_t qemu_vm_write(struct qemu_vm *vm, enum qemu_port port, const void *p, size_t n);

/* Whether a serial port's bytes are taken; while they are not, the guest waits. */
void qemu_vm_flow(struct qemu_vm *vm, enum qemu_port port, bool go);

/* The process id. */
int qemu_vm_pid(const struct qemu_vm *vm);

#endif
