#include "sol/ider_scsi.h"

#include <string.h>

#define FLOPPY_BLOCKS 2880 /* of a 1.44 MB disk; larger ones are LS-120 */

#define WRITE_PROTECT 0x80

const struct ider_sense ider_sense_none = {0, 0, 0};
const struct ider_sense ider_sense_no_medium = {0x02, 0x3a, 0x00};
const struct ider_sense ider_sense_unreadable = {0x03, 0x11, 0x00};
const struct ider_sense ider_sense_out_of_range = {0x05, 0x21, 0x00};
static const struct ider_sense not_known = {0x05, 0x20, 0x00};
static const struct ider_sense bad_field = {0x05, 0x24, 0x00};
static const struct ider_sense bad_parameter = {0x05, 0x26, 0x01};
static const struct ider_sense changed = {0x06, 0x28, 0x00};
static const struct ider_sense write_protected = {0x07, 0x27, 0x00};

uint32_t ider_block_size(enum ider_drive drive)
{
    return drive == IDER_CD ? IDER_CD_BLOCK : IDER_FLOPPY_BLOCK;
}

/* A command at work. */
struct command {
    struct ider_medium *medium;
    const uint8_t *cdb;
    struct ider_answer *answer;
};

/* --- fields of a command; data of an answer --- */

static struct rd field(const struct command *c, size_t at)
{
    struct rd r = rd_init(c->cdb, IDER_CDB);

    rd_skip(&r, at);
    return r;
}

static uint8_t field8(const struct command *c, size_t at)
{
    struct rd r = field(c, at);

    return rd_u8(&r);
}

static uint16_t field16(const struct command *c, size_t at)
{
    struct rd r = field(c, at);

    return rd_be16(&r);
}

static uint32_t field32(const struct command *c, size_t at)
{
    struct rd r = field(c, at);

    return rd_be32(&r);
}

static void add(struct command *c, const void *p, size_t n)
{
    struct ider_answer *a = c->answer;

    if (n <= sizeof(a->data) - a->n) { /* IDER_ANSWER_MAX holds the longest */
        memcpy(a->data + a->n, p, n);
        a->n += n;
    }
}

static void add8(struct command *c, uint8_t v)
{
    add(c, &v, 1);
}

static void add32(struct command *c, uint32_t v)
{
    const uint8_t bytes[] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

    add(c, bytes, sizeof(bytes));
}

/* The host has room for so many bytes. */
static struct ider_sense cut(struct command *c, size_t room)
{
    if (c->answer->n > room)
        c->answer->n = room;
    return ider_sense_none;
}

/* --- commands --- */

static struct ider_sense good(struct command *c)
{
    (void)c;
    return ider_sense_none;
}

static struct ider_sense refuse_write(struct command *c)
{
    (void)c;
    return write_protected;
}

/* The firmware itself answers the host's REQUEST SENSE from the end of the command before; if it ever asks,
 * all is well since. */
static struct ider_sense request_sense(struct command *c)
{
    static const uint8_t none[18] = {0x70, [7] = 10};

    add(c, none, sizeof(none));
    return cut(c, field8(c, 4));
}

static struct ider_sense inquiry(struct command *c)
{
    static const char name[] = "amtd    Redirected      1.00"; /* maker, product, revision */
    const uint8_t head[8] = {c->medium->drive == IDER_CD ? 0x05 : 0x00, 0x80, 0x00, 0x21, 31, 0, 0, 0};

    if (field8(c, 1) & 3)
        return bad_field;
    add(c, head, sizeof(head));
    add(c, name, sizeof(name) - 1);
    return cut(c, field16(c, 3));
}

static struct ider_sense read_blocks(struct command *c, uint32_t lba, uint32_t count)
{
    if ((uint64_t)lba + count > c->medium->blocks)
        return ider_sense_out_of_range;
    c->answer->read = count > 0;
    c->answer->lba = lba;
    c->answer->count = count;
    return ider_sense_none;
}

static struct ider_sense read6(struct command *c)
{
    uint32_t count = field8(c, 4);

    return read_blocks(c, field32(c, 0) & 0x1fffff, count > 0 ? count : 256);
}

static struct ider_sense read10(struct command *c)
{
    return read_blocks(c, field32(c, 2), field16(c, 7));
}

static struct ider_sense read12(struct command *c)
{
    return read_blocks(c, field32(c, 2), field32(c, 6));
}

static struct ider_sense read_capacity(struct command *c)
{
    add32(c, c->medium->blocks - 1);
    add32(c, ider_block_size(c->medium->drive));
    return ider_sense_none;
}

static struct ider_sense read_format_capacities(struct command *c)
{
    add32(c, 8);
    add32(c, c->medium->blocks);
    add32(c, 0x02u << 24 | ider_block_size(c->medium->drive)); /* 2: formatted medium */
    return cut(c, field16(c, 7));
}

static struct ider_sense start_stop(struct command *c)
{
    c->answer->eject = (field8(c, 4) & 3) == 2;
    return ider_sense_none;
}

static struct ider_sense read_toc(struct command *c)
{
    static const uint8_t by_lba[] = {0x00, 0x12, 0x01, 0x01, 0x00, 0x14, 0x01, 0x00, 0x00, 0x00,
                                     0x00, 0x00, 0x00, 0x14, 0xaa, 0x00, 0x00, 0x00, 0x00, 0x00};
    static const uint8_t by_time[] = {0x00, 0x12, 0x01, 0x01, 0x00, 0x14, 0x01, 0x00, 0x00, 0x00,
                                      0x02, 0x00, 0x00, 0x14, 0xaa, 0x00, 0x00, 0x00, 0x34, 0x13};
    static const uint8_t sessions[] = {0x00, 0x0a, 0x01, 0x01, 0x00, 0x14,
                                       0x01, 0x00, 0x00, 0x00, 0x00, 0x00};
    uint8_t format = field8(c, 2) & 0x0f;

    if (format == 0)
        format = field8(c, 9) >> 6; /* where the first CD drives had it */
    if (format == 0)
        add(c, field8(c, 1) & 2 ? by_time : by_lba, sizeof(by_lba));
    else if (format == 1)
        add(c, sessions, sizeof(sessions));
    else
        return bad_field;
    return cut(c, field16(c, 7));
}

/* Features by their number, which is in their first two bytes; sizes by MMC: four and what the fourth says.
 */
static const uint8_t features[][12] = {
    {0x00, 0x00, 0x03, 0x04, 0x00, 0x08, 0x01, 0x00},                         /* profiles: CD-ROM */
    {0x00, 0x01, 0x03, 0x04, 0x00, 0x00, 0x00, 0x02},                         /* core, ATAPI */
    {0x00, 0x02, 0x03, 0x04},                                                 /* morphing */
    {0x00, 0x03, 0x03, 0x04, 0x29, 0x00, 0x00, 0x02},                         /* removable medium */
    {0x00, 0x10, 0x01, 0x08, 0x00, 0x00, 0x08, 0x00, 0x00, 0x01, 0x00, 0x00}, /* random readable */
    {0x00, 0x1e, 0x03, 0x00},                                                 /* CD read */
    {0x01, 0x00, 0x03, 0x00},                                                 /* power management */
    {0x01, 0x05, 0x03, 0x00},                                                 /* time-outs */
};
#define FEATURES (sizeof(features) / sizeof(features[0]))

static struct ider_sense get_configuration(struct command *c)
{
    static const uint8_t head[8] = {0, 0, 0, 0, 0, 0, 0x00, 0x08};
    bool one = (field8(c, 1) & 3) == 2;
    uint16_t first = field16(c, 2);

    add(c, head, sizeof(head));
    for (size_t i = 0; i < FEATURES; i++) {
        uint16_t number = (uint16_t)(features[i][0] << 8 | features[i][1]);

        if (one ? number == first : number >= first)
            add(c, features[i], 4 + (size_t)features[i][3]);
    }
    c->answer->data[3] = (uint8_t)(c->answer->n - 4);
    return cut(c, field16(c, 7));
}

/* The short form of four bytes is what hosts are known to take. */
static struct ider_sense get_event_status(struct command *c)
{
    if ((field8(c, 1) & 1) == 0 || (field8(c, 4) & 0x10) == 0)
        return bad_parameter;
    add8(c, 0x00);
    add8(c, c->medium->blocks > 0 ? 0x02 : 0x00);
    add8(c, 0x80);
    add8(c, 0x00);
    return cut(c, field16(c, 7));
}

/* One track of data in one complete session, closed for writing. */
static struct ider_sense read_disc_information(struct command *c)
{
    static const uint8_t disc[34] = {0x00, 0x20, 0x0e, 0x01, 0x01, 0x01, 0x01};

    add(c, disc, sizeof(disc));
    return cut(c, field16(c, 7));
}

static struct ider_sense get_performance(struct command *c)
{
    static const uint8_t none[] = {0x00, 0x00, 0x00, 0x04, 0x02, 0x00, 0x00, 0x00};

    add(c, none, sizeof(none));
    return ider_sense_none;
}

/* --- mode pages: which drive, and for floppies which medium has them --- */

enum disk { DISK_CD = 1, DISK_144 = 2, DISK_LS120 = 4 };

static enum disk disk_of(const struct ider_medium *medium)
{
    if (medium->drive == IDER_CD)
        return DISK_CD;
    return medium->blocks <= FLOPPY_BLOCKS ? DISK_144 : DISK_LS120;
}

static const struct {
    unsigned disks;
    uint8_t page[32]; /* two bytes and what the second says */
} pages[] = {
    {DISK_CD, {0x01, 0x06, 0x00, 0xff}},
    {DISK_144 | DISK_LS120, {0x01, 0x0a, 0x00, 0x01, [8] = 0x02}},
    /* rate, heads, sectors, bytes of one, cylinders; ...; rotations a minute */
    {DISK_144, {0x05, 0x1e, 0x04, 0xb0, 0x02, 0x12, 0x02, 0x00, 0x00, 0x50, [20] = 0x28, [28] = 0x02, 0xd0}},
    {DISK_LS120,
     {0x05, 0x1e, 0x10, 0xa9, 0x08, 0x20, 0x02, 0x00, 0x03, 0xc3, [20] = 0x28, [28] = 0x02, 0xd0}},
    {DISK_CD, {0x1a, 0x0a}},
    {DISK_CD, {0x1d, 0x0a}},
    {DISK_CD, {0x2a, 0x18, [6] = 0x20, [13] = 0x80}},
};
#define PAGES (sizeof(pages) / sizeof(pages[0]))

static bool add_pages(struct command *c, uint8_t wanted)
{
    enum disk disk = disk_of(c->medium);
    size_t before = c->answer->n;

    for (size_t i = 0; i < PAGES; i++) {
        if ((pages[i].disks & disk) && (wanted == 0x3f || wanted == pages[i].page[0]))
            add(c, pages[i].page, 2 + (size_t)pages[i].page[1]);
    }
    return c->answer->n > before;
}

static struct ider_sense mode_sense6(struct command *c)
{
    if (field8(c, 2) != 0x3f || field8(c, 3) != 0)
        return bad_field;
    add8(c, 0x00);
    add8(c, c->medium->drive == IDER_CD ? 0x05 : 0x00);
    add8(c, WRITE_PROTECT);
    add8(c, 0x00);
    return cut(c, field8(c, 4));
}

static struct ider_sense mode_sense10(struct command *c)
{
    static const uint8_t types[] = {[DISK_CD] = 0x01, [DISK_144] = 0x24, [DISK_LS120] = 0x31};
    const uint8_t head[8] = {0, 0, types[disk_of(c->medium)], WRITE_PROTECT, 0, 0, 0, 0};

    add(c, head, sizeof(head));
    if (!add_pages(c, field8(c, 2) & 0x3f))
        return bad_field;
    c->answer->data[1] = (uint8_t)(c->answer->n - 2); /* what follows it */
    return cut(c, field16(c, 7));
}

/* --- the table --- */

enum {
    EMPTY_TOO = 1, /* answered by an empty drive as well; others say 02/3a/00 */
    CD_ONLY = 2,   /* a floppy drive does not know it */
    QUIET = 4,     /* a changed medium is not told by this one (SPC: INQUIRY and its like) */
};

typedef struct ider_sense handler(struct command *c);

static const struct {
    handler *handle; /* NULL: not known */
    unsigned flags;
} commands[256] = {
    [0x00] = {good, 0}, /* TEST UNIT READY */
    [0x03] = {request_sense, EMPTY_TOO | QUIET},
    [0x08] = {read6, 0},
    [0x0a] = {refuse_write, 0}, /* WRITE (6) */
    [0x12] = {inquiry, EMPTY_TOO | QUIET},
    [0x1a] = {mode_sense6, 0},
    [0x1b] = {start_stop, EMPTY_TOO | QUIET},
    [0x1e] = {good, 0}, /* PREVENT ALLOW MEDIUM REMOVAL */
    [0x23] = {read_format_capacities, 0},
    [0x25] = {read_capacity, 0},
    [0x28] = {read10, 0},
    [0x2a] = {refuse_write, 0}, /* WRITE (10) */
    [0x2e] = {refuse_write, 0}, /* WRITE AND VERIFY (10) */
    [0x43] = {read_toc, CD_ONLY},
    [0x46] = {get_configuration, EMPTY_TOO | QUIET},
    [0x4a] = {get_event_status, EMPTY_TOO | QUIET},
    [0x51] = {read_disc_information, CD_ONLY},
    [0x5a] = {mode_sense10, 0},
    [0xa8] = {read12, 0},
    [0xac] = {get_performance, EMPTY_TOO},
};

static struct ider_sense run(struct command *c)
{
    struct ider_medium *medium = c->medium;
    unsigned flags = commands[c->cdb[0]].flags;
    handler *handle = commands[c->cdb[0]].handle;

    if (!handle || ((flags & CD_ONLY) && medium->drive != IDER_CD))
        return not_known;
    if (medium->changed && !(flags & QUIET)) {
        medium->changed = false;
        if (medium->blocks > 0)
            return changed;
    }
    if (medium->blocks == 0 && !(flags & EMPTY_TOO))
        return ider_sense_no_medium;
    return handle(c);
}

void ider_scsi_answer(struct ider_medium *medium, const uint8_t cdb[IDER_CDB], struct ider_answer *answer)
{
    struct command c = {medium, cdb, answer};

    memset(answer, 0, sizeof(*answer));
    answer->sense = run(&c);
    if (answer->sense.key != 0)
        answer->n = 0;
}
