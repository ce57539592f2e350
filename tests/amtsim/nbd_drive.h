/* A redirected drive as a block device for QEMU: an NBD server on an abstract UNIX socket, whose reads become
 * ATAPI reads of the drive, one after the other.
 *
 * Only the process it is made for may connect. A read that a reset of the machine cancelled is tried again
 * while the drive is there. */
#ifndef AMTSIM_NBD_DRIVE_H
#define AMTSIM_NBD_DRIVE_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"
#include "tests/amtsim/machine.h"

struct nbd_drive; /* opaque */

struct nbd_drive_config {
    uv_loop_t *loop;
    const char *name;                    /* of the machine, for log lines; borrowed */
    const struct machine_events *events; /* borrowed */
    enum drive drive;
    void *arg;
    /* The medium has been found and can be attached, or there is none (any more). */
    void (*changed)(void *arg, bool medium);
    /* The process that may connect now. */
    int (*peer)(void *arg);
};

/* NULL and err (system). config is copied. */
struct nbd_drive *nbd_drive_new(const struct nbd_drive_config *config, struct err *err);
/* Connections end; memory goes when the loop runs next. NULL is fine. */
void nbd_drive_free(struct nbd_drive *drive);

/* The drive has come: its medium is looked for. Or it has gone: reads under way fail, connections end. */
void nbd_drive_present(struct nbd_drive *drive, bool present);
/* True while it is not known yet whether there is a medium. */
bool nbd_drive_looks(const struct nbd_drive *drive);
/* The medium found, if there is one. */
bool nbd_drive_medium(const struct nbd_drive *drive);
/* The socket's abstract name. Borrowed. */
const char *nbd_drive_socket(const struct nbd_drive *drive);

#endif
