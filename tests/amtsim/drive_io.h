/* A redirected drive as a host's driver uses it: is there a medium, how large is it, read a range.
 *
 * One operation at a time; a range goes as READ(10)s of at most 64 blocks, one after the other, as hosts do
 * it. Without I/O: commands go through machine_events.drive. (reference redirection.md, 3.6) */
#ifndef AMTSIM_DRIVE_IO_H
#define AMTSIM_DRIVE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/amtsim/machine.h"

#define DRIVE_READ_BLOCKS 64

struct drive_io; /* opaque */

enum drive_result {
    DRIVE_OK,
    DRIVE_NO_MEDIUM,
    DRIVE_FAILED, /* any other sense, or an answer that is none */
    DRIVE_GONE,   /* no such drive, reset, or the session ended */
};

struct drive_io_events {
    void *arg;
    /* Blocks that were read, in order; borrowed. */
    void (*data)(void *arg, const uint8_t *p, size_t n);
    /* The operation is over; another one may be begun from here. */
    void (*done)(void *arg, enum drive_result result);
};

/* machine_events are borrowed and must outlive it; the others are copied. */
struct drive_io *drive_io_new(const struct machine_events *machine, enum drive drive,
                              const struct drive_io_events *events);
/* Nothing is reported after. NULL is fine. */
void drive_io_free(struct drive_io *io);

/* Finds medium and size. Not while another operation is under way; `done` follows. */
void drive_io_open(struct drive_io *io);
/* Reads blocks of an open drive, the range inside it, blocks > 0. The same. */
void drive_io_read(struct drive_io *io, uint32_t block, uint32_t blocks);

/* Of the last drive_io_open that was DRIVE_OK. */
uint32_t drive_io_blocks(const struct drive_io *io);
uint32_t drive_io_block_size(const struct drive_io *io);

#endif
