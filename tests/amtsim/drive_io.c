#include "tests/amtsim/drive_io.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/xalloc.h"

#define READY_TRIES 4 /* "medium has changed" is said once, and is no failure */

enum { OP_TEST_UNIT_READY = 0x00, OP_READ_CAPACITY = 0x25, OP_READ_10 = 0x28 };
enum { SENSE_NOT_READY = 2, SENSE_UNIT_ATTENTION = 6 };

struct drive_io {
    const struct machine_events *machine;
    enum drive drive;
    struct drive_io_events events;
    uint32_t blocks, block_size;
    unsigned tries;
    uint32_t next, left; /* of the range being read */
    bool waiting;        /* for an answer */
    bool orphan;         /* freed meanwhile */
    void (*take)(struct drive_io *io, const struct drive_answer *answer);
};

static void finish(struct drive_io *io, enum drive_result result)
{
    io->events.done(io->events.arg, result);
}

static void on_answer(void *arg, const struct drive_answer *answer)
{
    struct drive_io *io = arg;
    io->waiting = false;
    if (io->orphan)
        free(io);
    else
        io->take(io, answer);
}

static void command(struct drive_io *io, const uint8_t cdb[10], uint32_t expect,
                    void (*take)(struct drive_io *io, const struct drive_answer *answer))
{
    struct drive_request r = {.drive = io->drive, .expect = expect, .done = on_answer, .arg = io};
    for (size_t i = 0; i < 10; i++)
        r.cdb[i] = cdb[i];
    io->take = take;
    io->waiting = true;
    if (io->machine->drive != NULL && io->machine->drive(io->machine->arg, &r))
        return;
    io->waiting = false;
    finish(io, DRIVE_GONE);
}

static enum drive_result result_of(const struct drive_answer *a)
{
    if (a->gone)
        return DRIVE_GONE;
    if (a->sense == 0)
        return DRIVE_OK;
    return a->sense == SENSE_NOT_READY && a->asc == 0x3A ? DRIVE_NO_MEDIUM : DRIVE_FAILED;
}

/* --- opening --- */

static void test_ready(struct drive_io *io);

static void take_capacity(struct drive_io *io, const struct drive_answer *a)
{
    struct rd r = rd_init(a->data, a->n);
    uint32_t last = rd_be32(&r), size = rd_be32(&r);
    enum drive_result result = result_of(a);
    if (result == DRIVE_OK && (!rd_ok(&r) || last == UINT32_MAX || size < 512 || size > 4096))
        result = DRIVE_FAILED;
    if (result == DRIVE_OK) {
        io->blocks = last + 1;
        io->block_size = size;
    }
    finish(io, result);
}

static void take_ready(struct drive_io *io, const struct drive_answer *a)
{
    static const uint8_t capacity[10] = {OP_READ_CAPACITY};
    if (!a->gone && a->sense == SENSE_UNIT_ATTENTION && ++io->tries < READY_TRIES)
        test_ready(io);
    else if (result_of(a) != DRIVE_OK)
        finish(io, result_of(a));
    else
        command(io, capacity, 8, take_capacity);
}

static void test_ready(struct drive_io *io)
{
    static const uint8_t ready[10] = {OP_TEST_UNIT_READY};
    command(io, ready, 0, take_ready);
}

void drive_io_open(struct drive_io *io)
{
    io->tries = 0;
    test_ready(io);
}

/* --- reading --- */

static uint32_t part_of(const struct drive_io *io)
{
    return io->left < DRIVE_READ_BLOCKS ? io->left : DRIVE_READ_BLOCKS;
}

static void read_next(struct drive_io *io);

static void take_blocks(struct drive_io *io, const struct drive_answer *a)
{
    uint32_t part = part_of(io);
    enum drive_result result = result_of(a);
    if (result == DRIVE_OK && a->n != (size_t)part * io->block_size)
        result = DRIVE_FAILED; /* good, but without the data */
    if (result != DRIVE_OK) {
        finish(io, result);
        return;
    }
    io->next += part;
    io->left -= part;
    io->events.data(io->events.arg, a->data, a->n);
    if (io->left > 0)
        read_next(io);
    else
        finish(io, DRIVE_OK);
}

static void read_next(struct drive_io *io)
{
    uint32_t part = part_of(io), at = io->next;
    const uint8_t cdb[10] = {OP_READ_10,  0, (uint8_t)(at >> 24),  (uint8_t)(at >> 16), (uint8_t)(at >> 8),
                             (uint8_t)at, 0, (uint8_t)(part >> 8), (uint8_t)part,       0};
    command(io, cdb, part * io->block_size, take_blocks);
}

void drive_io_read(struct drive_io *io, uint32_t block, uint32_t blocks)
{
    io->next = block;
    io->left = blocks;
    read_next(io);
}

/* --- birth and death --- */

uint32_t drive_io_blocks(const struct drive_io *io)
{
    return io->blocks;
}

uint32_t drive_io_block_size(const struct drive_io *io)
{
    return io->block_size;
}

struct drive_io *drive_io_new(const struct machine_events *machine, enum drive drive,
                              const struct drive_io_events *events)
{
    struct drive_io *io = xcalloc(1, sizeof(*io));
    io->machine = machine;
    io->drive = drive;
    io->events = *events;
    return io;
}

void drive_io_free(struct drive_io *io)
{
    if (io == NULL)
        return;
    if (io->waiting)
        io->orphan = true; /* its answer is still to come */
    else
        free(io);
}
