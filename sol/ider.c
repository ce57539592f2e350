#include "sol/ider.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "sol/ider_scsi.h"
#include "sol/redir_internal.h"

#define START     0x40
#define STOP      0x42
#define PONG      0x45
#define RESET_OK  0x47
#define SWITCH    0x48
#define HEARTBEAT 0x4b
#define END       0x51
#define DATA      0x54

#define VERSION     1
#define SWITCH_SET  3 /* sub-code: set the register state */
#define SWITCH_ON   1
#define ATA_PACKET  0xa0
#define DRIVE_CD    0x10 /* bit of the drive select register */
#define PART_MAX    8192 /* most data in one message that clients are known to send */
#define PARTS_ASKED 16   /* blocks are asked for by about so many messages' worth */
#define QUEUE_MAX   4    /* commands waiting; a host has one open for each drive */
#define DEAD_MIN_MS 15000
/* Data waiting for the connection, beyond which no more is asked of the owner. */
#define BACKLOG_MAX (2 * IDER_READ_MAX)
#define OUT_MAX     (1024 * 1024)

enum { OPENING, OPEN, CLOSING };

/* Registers at the end of a command and while data moves (reference section 3.2). */
enum {
    MASK_END = 0x85,    /* interrupt, reason, status */
    MASK_FAILED = 0x87, /* and error */
    MASK_PIO = 0xb5,    /* interrupt, reason, byte count, status */
    MASK_DMA = 0xb4,    /* the same without interrupt */
    REASON_IN = 0x02,
    REASON_DONE = 0x03,
    STATUS_GOOD = 0x50,
    STATUS_FAILED = 0x51,
    STATUS_DATA = 0x58,
    ERROR_ABORTED = 0x04,
    ATTRIBUTE_DMA = 0x01,
    ATTRIBUTE_LAST = 0x02,
};

struct request {
    enum ider_drive drive;
    bool dma;
    bool packet; /* a SCSI command; else an ATA command, which is none of ours */
    uint8_t cdb[IDER_CDB];
};

struct ider {
    struct redir *redir;
    struct ider_settings settings;
    struct ider_events events;
    struct ider_medium media[IDER_DRIVES];
    struct ider_stats stats[IDER_DRIVES];
    uint32_t seq_out, seq_in;
    bool seq_odd;
    uint16_t part_max; /* data of one message, as the device wants it */
    /* register state */
    bool switch_kept; /* asked for before the session was up */
    bool switch_on;   /* what was asked for last */
    enum ider_when switch_when;
    /* commands: the one at work, and those behind it */
    struct request queue[QUEUE_MAX];
    size_t queued;
    bool busy; /* `now` is a read at work */
    struct request now;
    uint32_t lba, left; /* blocks still to be asked for */
    uint32_t op;        /* asked of the owner; 0: nothing is */
    uint32_t op_count;
    uint32_t op_last;
    bool asking;
};

const struct ider_settings ider_settings_default = {30000, 20000};

/* --- messages to the device --- */

static struct buf *put_head(struct ider *ider, uint8_t code)
{
    struct buf *out = redir_out(ider->redir);

    wr_le32(out, code);
    wr_le32(out, ider->seq_out++);
    return out;
}

static void begin(void *owner)
{
    struct ider *ider = owner;
    struct buf *out = put_head(ider, START);

    wr_le16(out, ider->settings.silence_ms);
    wr_le16(out, 0); /* the other direction's limit is ours to watch */
    wr_le16(out, ider->settings.heartbeat_ms);
    wr_le32(out, VERSION);
}

static void beat(void *owner)
{
    put_head(owner, HEARTBEAT);
}

static void put_switch(struct ider *ider)
{
    struct buf *out = put_head(ider, SWITCH);

    wr_u8(out, SWITCH_SET);
    wr_le32(out, (uint32_t)ider->switch_when | (ider->switch_on ? SWITCH_ON : 0));
}

static uint8_t drive_register(enum ider_drive drive)
{
    return drive == IDER_CD ? 0xb0 : 0xa0;
}

/* Code, attributes and number of a message that belongs to a command, into its first eight bytes. */
static void fill_head(struct ider *ider, uint8_t *head, uint8_t code, uint8_t attributes)
{
    head[0] = code;
    head[3] = attributes;
    for (int i = 0; i < 4; i++)
        head[4 + i] = (uint8_t)(ider->seq_out >> (8 * i));
    ider->seq_out++;
}

/* The end of a command that moves no (more) data. */
static void put_end(struct ider *ider, const struct request *request, struct ider_sense sense, uint8_t error)
{
    bool failed = error != 0;
    uint8_t m[31] = {[20] = failed ? MASK_FAILED : MASK_END,
                     [21] = error,
                     [22] = REASON_DONE,
                     [26] = drive_register(request->drive),
                     [27] = failed ? STATUS_FAILED : STATUS_GOOD,
                     [28] = sense.key,
                     [29] = sense.asc,
                     [30] = sense.ascq};

    fill_head(ider, m, END, ATTRIBUTE_LAST);
    wr_bytes(redir_out(ider->redir), m, sizeof(m));
}

static void put_good(struct ider *ider, const struct request *request)
{
    put_end(ider, request, ider_sense_none, 0);
}

static void put_sense(struct ider *ider, const struct request *request, struct ider_sense sense)
{
    if (sense.key != 0x06 && sense.asc != ider_sense_no_medium.asc)
        ider->stats[request->drive].errors++;
    put_end(ider, request, sense, (uint8_t)(sense.key << 4));
}

static void put_part(struct ider *ider, const struct request *request, struct view part, bool last)
{
    uint8_t drive = drive_register(request->drive);
    uint8_t low = (uint8_t)part.n, high = (uint8_t)(part.n >> 8);
    uint8_t m[34] = {[9] = low,
                     [10] = high,
                     [12] = request->dma ? MASK_DMA : MASK_PIO,
                     [14] = REASON_IN,
                     [16] = request->dma ? 0 : low,
                     [17] = request->dma ? 0 : high,
                     [18] = drive,
                     [19] = STATUS_DATA};

    if (last) {
        m[20] = MASK_END;
        m[22] = REASON_DONE;
        m[26] = drive;
        m[27] = STATUS_GOOD;
    }
    fill_head(ider, m, DATA, (request->dma ? ATTRIBUTE_DMA : 0) | (last ? ATTRIBUTE_LAST : 0));
    wr_bytes(redir_out(ider->redir), m, sizeof(m));
    wr_bytes(redir_out(ider->redir), part.p, part.n);
}

/* Data of a command in messages as large as the device takes them; last: the command ends with it. */
static void put_data(struct ider *ider, const struct request *request, const void *p, size_t n, bool last)
{
    struct rd r = rd_init(p, n);

    while (r.n > 0) {
        struct view part = rd_bytes(&r, r.n < ider->part_max ? r.n : ider->part_max);

        put_part(ider, request, part, last && r.n == 0);
    }
}

/* --- commands --- */

/* So many blocks are asked for at once that reading, sending and the host overlap. */
static uint32_t blocks_at_once(const struct ider *ider)
{
    uint32_t bytes = (uint32_t)ider->part_max * PARTS_ASKED;
    uint32_t blocks = (bytes < IDER_READ_MAX ? bytes : IDER_READ_MAX) / ider_block_size(ider->now.drive);

    return blocks > 0 ? blocks : 1;
}

/* Asks for the next blocks, as long as they come at once and the connection keeps up. An owner that answers
 * from inside comes back here through ider_complete: `asking` makes that a loop. */
static void ask(struct ider *ider)
{
    if (ider->asking)
        return;
    ider->asking = true;
    while (ider->busy && ider->op == 0 && redir_waiting(ider->redir) < BACKLOG_MAX) {
        uint32_t most = blocks_at_once(ider);

        ider->op = ++ider->op_last != 0 ? ider->op_last : ++ider->op_last;
        ider->op_count = ider->left < most ? ider->left : most;
        ider->events.read(ider->events.session.arg, ider->op, ider->now.drive, ider->lba, ider->op_count);
    }
    ider->asking = false;
}

static void start(struct ider *ider, const struct request *request)
{
    struct ider_stats *stats = &ider->stats[request->drive];
    struct ider_answer answer;

    stats->commands++;
    if (!request->packet) {
        redir_note(ider->redir, "the host sent a drive an ATA command, which was refused");
        put_end(ider, request, ider_sense_none, ERROR_ABORTED);
        return;
    }
    ider_scsi_answer(&ider->media[request->drive], request->cdb, &answer);
    if (answer.sense.key != 0) {
        put_sense(ider, request, answer.sense);
    } else if (answer.read) {
        stats->reads++;
        ider->busy = true;
        ider->now = *request;
        ider->lba = answer.lba;
        ider->left = answer.count;
        ask(ider);
    } else if (answer.n > 0) {
        put_data(ider, request, answer.data, answer.n, true);
    } else {
        put_good(ider, request);
    }
    if (answer.eject && ider->events.eject_wanted)
        ider->events.eject_wanted(ider->events.session.arg, request->drive);
}

static void go_on(struct ider *ider)
{
    while (!ider->busy && ider->queued > 0) {
        struct request request = ider->queue[0];

        ider->queued--;
        memmove(ider->queue, ider->queue + 1, ider->queued * sizeof(ider->queue[0]));
        start(ider, &request);
    }
}

/* The read at work is not wanted any more. */
static void drop_read(struct ider *ider)
{
    uint32_t op = ider->op;

    ider->busy = false;
    ider->op = 0;
    if (op != 0 && ider->events.cancelled)
        ider->events.cancelled(ider->events.session.arg, op);
}

static void drop_all(struct ider *ider)
{
    ider->queued = 0;
    drop_read(ider);
}

static void fail_read(struct ider *ider, struct ider_sense sense)
{
    struct request request = ider->now;

    drop_read(ider);
    put_sense(ider, &request, sense);
}

void ider_complete(struct ider *ider, uint32_t op, const void *p, size_t n, struct ider_sense sense)
{
    size_t size = (size_t)ider->op_count * ider_block_size(ider->now.drive);
    struct request request = ider->now;
    bool last = ider->left == ider->op_count;

    if (!ider->busy || op == 0 || op != ider->op)
        return;
    ider->op = 0;
    if (!p || n != size) {
        fail_read(ider, !p && sense.key != 0 ? sense : ider_sense_unreadable);
        go_on(ider);
        return;
    }
    ider->lba += ider->op_count;
    ider->left -= ider->op_count;
    ider->busy = !last;
    ider->stats[request.drive].bytes += n;
    put_data(ider, &request, p, n, last);
    if (last)
        go_on(ider);
    else
        ask(ider);
}

/* --- messages of the device --- */

/* Firmware counts its messages; a gap is worth a line, not a session. */
static void check_seq(void *owner, struct view message)
{
    struct ider *ider = owner;
    struct rd r = rd_init(message.p, message.n);
    uint32_t seq;

    rd_skip(&r, 4);
    seq = rd_le32(&r);
    if (!rd_ok(&r))
        return;
    if (seq != ider->seq_in && !ider->seq_odd) {
        ider->seq_odd = true;
        redir_note(ider->redir, "the device numbers a message %u where %u was due", seq, ider->seq_in);
    }
    ider->seq_in = seq + 1;
}

static int refused(uint8_t status, struct err *err)
{
    err_set(err, CAUSE_CONSENT_REQUIRED,
            "the device refused the drives after the login, most likely for want of the user's consent");
    return err_code(err, "redirection open %u", status);
}

static int on_opened(void *owner, struct view message, struct err *err)
{
    struct ider *ider = owner;
    struct rd r = rd_init(message.p, message.n);
    uint16_t part_max;
    uint8_t protocol;

    if (redir_status(message) != 0)
        return refused(redir_status(message), err);
    rd_skip(&r, 16);
    part_max = rd_le16(&r);
    rd_skip(&r, 3); /* what it sends at once, and a byte of unknown meaning */
    protocol = rd_u8(&r);
    if (protocol != 0)
        return err_set(err, CAUSE_BAD_ANSWER, "the device speaks protocol %u of IDE redirection, not 0",
                       protocol);
    if (part_max == 0)
        return err_set(err, CAUSE_BAD_ANSWER, "the device has no room for data");
    ider->part_max = part_max < PART_MAX ? part_max : PART_MAX;
    redir_set_state(ider->redir, OPEN);
    redir_set_life(ider->redir, ider->settings.silence_ms / 3,
                   ider->settings.heartbeat_ms * 3 > DEAD_MIN_MS ? ider->settings.heartbeat_ms * 3
                                                                 : DEAD_MIN_MS);
    redir_up(ider->redir);
    if (ider->switch_kept && redir_is_in(ider->redir, OPEN))
        put_switch(ider);
    ider->switch_kept = false;
    return 0;
}

static int on_switched(void *owner, struct view message, struct err *err)
{
    struct ider *ider = owner;
    struct rd r = rd_init(message.p, message.n);
    uint8_t sub;
    uint32_t value;

    (void)err;
    rd_skip(&r, 8);
    sub = rd_u8(&r);
    value = rd_le32(&r);
    if (sub != SWITCH_SET)
        redir_note(ider->redir, "the device reports feature %u with %u, unasked", sub, value);
    else if (ider->events.switched)
        ider->events.switched(ider->events.session.arg, ider->switch_on, value == 1, value);
    return 0;
}

static int on_reset(void *owner, struct view message, struct err *err)
{
    struct ider *ider = owner;
    struct rd r = rd_init(message.p, message.n);
    uint8_t mask;

    (void)err;
    rd_skip(&r, 8);
    mask = rd_u8(&r);
    drop_all(ider);
    put_head(ider, RESET_OK);
    for (int i = 0; i < IDER_DRIVES; i++)
        ider->stats[i].resets += (mask >> i) & 1;
    if (ider->events.reset)
        ider->events.reset(ider->events.session.arg, mask);
    return 0;
}

static int on_error(void *owner, struct view message, struct err *err)
{
    struct ider *ider = owner;
    struct rd r = rd_init(message.p, message.n);

    (void)err;
    rd_skip(&r, 8);
    if (ider->events.device_error)
        ider->events.device_error(ider->events.session.arg, rd_u8(&r));
    return 0;
}

static int on_command(void *owner, struct view message, struct err *err)
{
    struct ider *ider = owner;
    struct rd r = rd_init(message.p, message.n);
    struct request *request = &ider->queue[ider->queued];

    if (ider->queued == QUEUE_MAX)
        return err_set(err, CAUSE_BAD_ANSWER, "the device sends more commands than two drives can have open");
    rd_skip(&r, 9);
    request->dma = rd_u8(&r) & 1;
    rd_skip(&r, 4);
    request->drive = rd_u8(&r) & DRIVE_CD ? IDER_CD : IDER_FLOPPY;
    request->packet = rd_u8(&r) == ATA_PACKET;
    rd_copy(&r, request->cdb, IDER_CDB);
    ider->queued++;
    go_on(ider);
    return 0;
}

static int on_ping(void *owner, struct view message, struct err *err)
{
    (void)message;
    (void)err;
    put_head(owner, PONG);
    return 0;
}

static const struct redir_message messages[] = {
    {0x41, "the answer to the opening", 30, 29, 1, 255, 8, false, {[OPENING] = on_opened}},
    {0x50, "a command of the host", 28, 0, 0, 0, 0, false, {[OPEN] = on_command, [CLOSING] = redir_on_life}},
    {0x46, "a reset", 9, 0, 0, 0, 0, false, {[OPEN] = on_reset, [CLOSING] = redir_on_life}},
    {0x44, "a ping", 8, 0, 0, 0, 0, false, {[OPEN] = on_ping, [CLOSING] = redir_on_life}},
    {0x45, "the answer to a ping", 8, 0, 0, 0, 0, false, {[OPEN] = redir_on_life, [CLOSING] = redir_on_life}},
    {0x4b, "a heartbeat", 8, 0, 0, 0, 0, false, {[OPEN] = redir_on_life, [CLOSING] = redir_on_life}},
    {0x49, "the register state", 13, 0, 0, 0, 0, false, {[OPEN] = on_switched, [CLOSING] = redir_on_life}},
    {0x4a, "an error", 11, 0, 0, 0, 0, false, {[OPEN] = on_error, [CLOSING] = redir_on_life}},
    {0x53, "data of the host, which nobody asked for", 14, 9, 2, 65535, 0, false, {0}},
    {0x43, "the answer to the end", 8, 0, 0, 0, 0, false, {[OPEN] = redir_on_end, [CLOSING] = redir_on_end}},
    {REDIR_END,
     "the end of the session",
     4,
     0,
     0,
     0,
     0,
     false,
     {[OPENING] = redir_on_end, [OPEN] = redir_on_end, [CLOSING] = redir_on_end}},
};

static const struct redir_stage stage = {
    messages,
    sizeof(messages) / sizeof(messages[0]),
    check_seq,
    {
        [OPENING] = {"opening the drives", REDIR_STEP_MS, false, false, NULL, CAUSE_CONSENT_REQUIRED,
                     "the device closed the connection in place of opening the drives, most likely for want "
                     "of the user's consent"},
        [OPEN] = {"the drives are open", 0, false, true, NULL, CAUSE_DROPPED,
                  "the device closed the connection"},
        [CLOSING] = {"closing the drives", REDIR_CLOSE_MS, true, false, NULL, CAUSE_NONE, ""},
    },
};

/* --- what the owner does --- */

static void sent(void *owner)
{
    ask(owner);
}

static void stop(void *owner)
{
    struct ider *ider = owner;

    if (!redir_is_in(ider->redir, OPEN)) {
        redir_end_soon(ider->redir);
        return;
    }
    drop_all(ider);
    put_head(ider, STOP);
    redir_set_state(ider->redir, CLOSING);
}

static size_t memory(const void *owner)
{
    return sizeof(*(const struct ider *)owner);
}

static const struct redir_kind kind = {
    .name = "IDE redirection",
    .type = {'I', 'D', 'E', 'R'},
    .stage = &stage,
    .out_max = OUT_MAX,
    .begin = begin,
    .beat = beat,
    .sent = sent,
    .stop = stop,
    .destroy = free,
    .memory = memory,
};

struct ider *ider_new(const struct redir_login *login, const struct ider_settings *settings,
                      const struct ider_events *events, int64_t now_ms, struct err *err)
{
    struct ider *ider;

    if (settings->silence_ms < 10000 || settings->heartbeat_ms < 1000 || settings->heartbeat_ms > 20000 ||
        !events->read) {
        err_set(err, CAUSE_INVALID_ARGUMENT, "IDE redirection: a setting is outside its range");
        return NULL;
    }
    ider = xcalloc(1, sizeof(*ider));
    ider->settings = *settings;
    ider->events = *events;
    ider->media[IDER_FLOPPY].drive = IDER_FLOPPY;
    ider->media[IDER_CD].drive = IDER_CD;
    ider->redir = redir_new(&kind, ider, login, &ider->events.session, now_ms, err);
    if (!ider->redir) {
        free(ider);
        return NULL;
    }
    return ider;
}

struct redir *ider_session(struct ider *ider)
{
    return ider->redir;
}

static void change_medium(struct ider *ider, enum ider_drive drive, uint32_t blocks)
{
    ider->media[drive].blocks = blocks;
    ider->media[drive].changed = redir_is_in(ider->redir, OPEN);
    if (ider->busy && ider->now.drive == drive) {
        fail_read(ider, ider_sense_no_medium);
        go_on(ider);
    }
}

int ider_insert(struct ider *ider, enum ider_drive drive, uint64_t blocks, struct err *err)
{
    if (blocks == 0 || blocks > UINT32_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "an image of %llu blocks cannot be offered to a host",
                       (unsigned long long)blocks);
    change_medium(ider, drive, (uint32_t)blocks);
    return 0;
}

void ider_eject(struct ider *ider, enum ider_drive drive)
{
    change_medium(ider, drive, 0);
}

static void set_switch(struct ider *ider, bool on, enum ider_when when)
{
    ider->switch_on = on;
    ider->switch_when = when;
    if (redir_is_in(ider->redir, OPEN))
        put_switch(ider);
    else
        ider->switch_kept = true;
}

void ider_enable(struct ider *ider, enum ider_when when)
{
    set_switch(ider, true, when);
}

void ider_disable(struct ider *ider, enum ider_when when)
{
    set_switch(ider, false, when);
}

const struct ider_stats *ider_stats(const struct ider *ider, enum ider_drive drive)
{
    return &ider->stats[drive];
}
