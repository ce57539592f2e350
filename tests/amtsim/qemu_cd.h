/* The medium in a running QEMU's redirected CD drive: put in and taken out through QMP, one step after
 * another. */
#ifndef AMTSIM_QEMU_CD_H
#define AMTSIM_QEMU_CD_H

#include <stdbool.h>

#include "tests/amtsim/qemu_vm.h"

struct qemu_cd; /* opaque; belongs to a machine, outlives its processes */

/* socket: abstract name of the NBD server, borrowed. name: for log lines, borrowed. */
struct qemu_cd *qemu_cd_new(const char *socket, const char *name);
void qemu_cd_free(struct qemu_cd *cd); /* NULL is fine */

/* A process has begun (its drive is empty), or ended (NULL). */
void qemu_cd_vm(struct qemu_cd *cd, struct qemu_vm *vm);
/* Whether a medium is to be in the drive; done (or NULL) is called when it is so, or cannot be, unless the
 * process ends before. */
void qemu_cd_want(struct qemu_cd *cd, bool medium, void (*done)(void *arg), void *arg);

#endif
