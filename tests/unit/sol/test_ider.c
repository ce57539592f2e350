/* The drives' session: the reference's recorded exchanges, reads in parts, resets, media, ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sol/tape.h"

#define OPENING "C 40 00 00 00 00 00 00 00 30 75 00 00 20 4e 01 00 00 00"
#define OPENED  ("D 41 00 00 00 00 00 00 00 01 00 01 00 00 00 00 00 00 20 00 20 00 00 00 00 00 57 01 00 00 00")
#define UP      "up protocol 1.0 firmware 12.0 oem 343 method 4\n"
/* A command: number, feature and drive registers, then the CDB. */
#define COMMAND(seq, cdb)      "D 50 00 00 00 " seq " 00 00 00 00 00 00 00 00 20 b0 a0 " cdb
#define COMMAND_DMA(seq, cdb)  "D 50 00 00 00 " seq " 00 00 00 00 01 00 00 00 08 b0 a0 " cdb
#define COMMAND_DISK(seq, cdb) "D 50 00 00 00 " seq " 00 00 00 00 00 00 00 00 20 a0 a0 " cdb
#define GOOD(seq)                                                                                            \
    "C 51 00 00 02 " seq " 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 85 00 03 00 00 00 b0 50 00 00 00"
#define SENSE(seq, error, drive, sense)                                                                      \
    "C 51 00 00 02 " seq " 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 87 " error " 03 00 00 00 " drive     \
    " 51 " sense

static const size_t pieces[] = {100000, 1, 7};

static void open_drives(struct tape *t, size_t piece, uint64_t cd, uint64_t floppy)
{
    tape_begin(t, TAPE_IDER, NULL, piece);
    if (cd > 0)
        assert_int_equal(ider_insert(t->ider, IDER_CD, cd, NULL), 0);
    if (floppy > 0)
        assert_int_equal(ider_insert(t->ider, IDER_FLOPPY, floppy, NULL), 0);
    tape_login_by_digest(t, TAPE_START_IDER);
    tape_run(t, (const char *const[]){OPENING, OPENED, NULL});
    tape_logged(t, UP);
}

static void fails(struct tape *t, const char *line, enum cause cause, const char *text)
{
    struct err err = ERR_INIT;

    assert_int_equal(tape_play(t, (const char *const[]){line, NULL}, &err), -1);
    assert_int_equal(err.cause, cause);
    assert_string_equal(err.text, text);
}

/* The recorded session of a stock client with a CD of 1,400 blocks: every answer byte for byte, but for our
 * own opening (that client's is known to be wrong) and the numbers, which count as they should. */
static void test_recorded(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct tape t;

        tape_begin(&t, TAPE_IDER, NULL, pieces[i]);
        assert_int_equal(ider_insert(t.ider, IDER_CD, 1400, NULL), 0);
        ider_enable(t.ider, IDER_NOW);
        tape_login_by_digest(&t, TAPE_START_IDER);
        tape_run(
            &t,
            (const char *const[]){
                OPENING,
                OPENED,
                "C 48 00 00 00 01 00 00 00 03 19 00 00 00",
                "D 49 00 00 00 01 00 00 00 03 01 00 00 00",
                COMMAND("02", "00 00 00 00 00 00 00 00 00 00 00 00"),
                GOOD("02"),
                COMMAND("03", "25 00 00 00 00 00 00 00 00 00 00 00"),
                ("C 54 00 00 02 03 00 00 00 00 08 00 00 b5 00 02 00 08 00 b0 58 85 00 03 00 00 00 b0 50 00 "
                 "00 00 00 00 00 00 00 05 77 00 00 08 00"),
                COMMAND("04", "43 02 00 00 00 00 00 00 14 00 00 00"),
                ("C 54 00 00 02 04 00 00 00 00 14 00 00 b5 00 02 00 14 00 b0 58 85 00 03 00 00 00 b0 50 00 "
                 "00 00 00 00 00 00 12 01 01 00 14 01 00 00 00 02 00 00 14 aa 00 00 00 34 13"),
                COMMAND("05", "ff 00 00 00 00 00 00 00 00 00 00 00"),
                SENSE("05", "50", "b0", "05 20 00"),
                COMMAND("06", "28 00 00 00 05 db 00 00 01 00 00 00"),
                SENSE("06", "50", "b0", "05 21 00"),
                NULL,
            });
        tape_logged(&t, UP "switched on done 1\n");
        assert_int_equal(ider_stats(t.ider, IDER_CD)->commands, 5);
        assert_int_equal(ider_stats(t.ider, IDER_CD)->errors, 2);
        redir_stop(t.redir, t.now_ms);
        tape_run(&t, (const char *const[]){"C 42 00 00 00 07 00 00 00", "D 43 00 00 00 07 00 00 00",
                                           "C 12 00 00 00", NULL});
        tape_logged(&t, "ended\n");
        tape_end(&t);
    }
}

static void test_no_medium(void **state)
{
    struct tape t;

    (void)state;
    open_drives(&t, 1, 0, 0);
    tape_run(&t, (const char *const[]){COMMAND_DISK("01", "00 00 00 00 00 00 00 00 00 00 00 00"),
                                       SENSE("01", "20", "a0", "02 3a 00"), NULL});
    assert_int_equal(ider_stats(t.ider, IDER_FLOPPY)->errors, 0);
    tape_end(&t);
}

/* A line of the device whose answer is looked at in other ways. */
static void give_line(struct tape *t, const char *line)
{
    struct buf bytes = buf_init(4096);
    struct err err = ERR_INIT;

    tape_bytes(&bytes, line + 1);
    if (redir_feed(t->redir, bytes.p, bytes.len, t->now_ms, &err) < 0)
        fail_msg("%s", err.text);
    buf_free(&bytes);
}

/* What one 0x54 carries and says, taken from the output. */
static void take_part(struct tape *t, uint32_t seq, bool dma, bool last, bool cd, uint16_t n, uint8_t byte)
{
    struct view out = redir_output(t->redir);
    struct rd r = rd_init(out.p, out.n);

    assert_int_equal(rd_u8(&r), 0x54);
    assert_int_equal(rd_le16(&r), 0);
    assert_int_equal(rd_u8(&r), (dma ? 1 : 0) | (last ? 2 : 0));
    assert_int_equal(rd_le32(&r), seq);
    assert_int_equal(rd_u8(&r), 0);
    assert_int_equal(rd_le16(&r), n);
    assert_int_equal(rd_u8(&r), 0);
    assert_int_equal(rd_u8(&r), dma ? 0xb4 : 0xb5);
    assert_int_equal(rd_u8(&r), 0);
    assert_int_equal(rd_u8(&r), 2);
    assert_int_equal(rd_u8(&r), 0);
    assert_int_equal(rd_le16(&r), dma ? 0 : n);
    assert_int_equal(rd_u8(&r), cd ? 0xb0 : 0xa0);
    assert_int_equal(rd_u8(&r), 0x58);
    assert_true(rd_be64(&r) == (!last ? 0 : cd ? 0x850003000000b050 : 0x850003000000a050));
    assert_int_equal(rd_le32(&r), 0);
    assert_int_equal(rd_le16(&r), 0);
    for (uint16_t i = 0; i < n; i++)
        assert_int_equal(rd_u8(&r), byte);
    assert_true(rd_ok(&r));
    redir_sent(t->redir, 34 + (size_t)n, t->now_ms);
}

static void test_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct tape t;

        open_drives(&t, pieces[i], 0x57800, 2880);
        tape_run(&t,
                 (const char *const[]){COMMAND("01", "25 00 00 00 00 00 00 00 00 00 00 00"),
                                       ("C 54 00 00 02 01 00 00 00 00 08 00 00 b5 00 02 00 08 00 b0 58 85 "
                                        "00 03 00 00 00 b0 50 00 00 00 00 00 00 00 05 77 ff 00 00 08 00"),
                                       NULL});
        give_line(&t, COMMAND_DMA("02", "28 00 00 00 00 10 00 00 01 00 00 00"));
        take_part(&t, 2, true, true, true, 2048, tape_block_byte(IDER_CD, 16));
        give_line(&t, COMMAND_DISK("03", "28 00 00 00 00 03 00 00 01 00 00 00"));
        take_part(&t, 3, false, true, false, 512, tape_block_byte(IDER_FLOPPY, 3));
        tape_silent(&t);
        tape_logged(&t, "read cd 16+1\nread floppy 3+1\n");
        assert_int_equal(ider_stats(t.ider, IDER_CD)->bytes, 2048);
        assert_int_equal(ider_stats(t.ider, IDER_CD)->reads, 1);
        tape_end(&t);
    }
}

/* All output is taken as parts: how many, and how many bytes of data. Only the last one ends the command. */
static void take_all(struct tape *t, size_t *parts, size_t *bytes)
{
    struct view out;
    bool last = false;

    *parts = *bytes = 0;
    while ((out = redir_output(t->redir)).n > 0) {
        struct rd r = rd_init(out.p, out.n);
        size_t n;

        assert_false(last);
        assert_int_equal(rd_u8(&r), 0x54);
        rd_skip(&r, 2);
        last = rd_u8(&r) & 2;
        rd_skip(&r, 5);
        n = rd_le16(&r);
        assert_true(out.n >= 34 + n);
        redir_sent(t->redir, 34 + n, t->now_ms);
        ++*parts;
        *bytes += n;
    }
    assert_true(last);
}

/* A read of 64 blocks: asked for in two goes, sent in 16 parts of 8 KiB, all of them at once. */
static void test_parts(void **state)
{
    struct tape t;
    size_t parts, bytes;

    (void)state;
    open_drives(&t, 1, 0x57800, 0);
    give_line(&t, COMMAND("01", "28 00 00 00 00 10 00 00 40 00 00 00"));
    tape_logged(&t, "read cd 16+32\nread cd 48+32\n");
    assert_int_equal(redir_output(t.redir).n, 16 * (34 + 8192));
    take_all(&t, &parts, &bytes);
    assert_int_equal(parts, 16);
    assert_int_equal(bytes, 64 * 2048);
    tape_end(&t);
}

/* The largest read there is: memory stays bounded, and everything comes. */
static void test_large(void **state)
{
    struct tape t;
    size_t parts, bytes;

    (void)state;
    open_drives(&t, 1, 0x57800, 0);
    give_line(&t, COMMAND("01", "28 00 00 00 00 00 00 ff ff 00 00 00"));
    assert_true(redir_memory(t.redir) < 8 * IDER_READ_MAX);
    take_all(&t, &parts, &bytes);
    assert_int_equal(bytes, 65535 * 2048);
    assert_int_equal(parts, 65535 / 4 + 1);
    assert_true(redir_memory(t.redir) < 4096);
    tape_end(&t);
}

/* A device with a small buffer gets small parts. */
static void test_small_buffer(void **state)
{
    struct tape t;
    size_t parts, bytes;

    (void)state;
    tape_begin(&t, TAPE_IDER, NULL, 1);
    assert_int_equal(ider_insert(t.ider, IDER_CD, 100, NULL), 0);
    tape_login_by_digest(&t, TAPE_START_IDER);
    tape_run(&t, (const char *const[]){
                     OPENING,
                     ("D 41 00 00 00 00 00 00 00 01 00 01 00 00 00 00 00 e8 03 00 20 00 00 00 00 "
                      "00 57 01 00 00 02 aa bb"),
                     NULL});
    give_line(&t, COMMAND("01", "28 00 00 00 00 00 00 00 02 00 00 00"));
    take_all(&t, &parts, &bytes);
    assert_int_equal(bytes, 4096);
    assert_int_equal(parts, 5); /* of 1000 */
    tape_end(&t);
}

/* Blocks that come later; commands meanwhile wait their turn. */
static void test_later(void **state)
{
    struct tape t;
    uint8_t block[IDER_CD_BLOCK] = {0};
    uint32_t op;

    (void)state;
    open_drives(&t, 1, 100, 2880);
    t.no_blocks = true;
    tape_run(&t, (const char *const[]){COMMAND("01", "28 00 00 00 00 05 00 00 01 00 00 00"),
                                       COMMAND_DISK("02", "00 00 00 00 00 00 00 00 00 00 00 00"), NULL});
    op = t.op;
    ider_complete(t.ider, op + 1, block, sizeof(block), ider_sense_none); /* nobody asked for that */
    tape_silent(&t);
    ider_complete(t.ider, op, block, sizeof(block), ider_sense_none);
    take_part(&t, 1, false, true, true, 2048, 0);
    tape_run(&t,
             (const char *const[]){("C 51 00 00 02 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 85 00 03 "
                                    "00 00 00 a0 50 00 00 00"),
                                   NULL});
    ider_complete(t.ider, op, block, sizeof(block), ider_sense_none); /* twice */
    tape_silent(&t);

    /* unreadable; of a wrong size */
    tape_run(&t, (const char *const[]){COMMAND("03", "28 00 00 00 00 05 00 00 01 00 00 00"), NULL});
    ider_complete(t.ider, t.op, NULL, 0, ider_sense_unreadable);
    tape_run(&t, (const char *const[]){SENSE("03", "30", "b0", "03 11 00"), NULL});
    tape_run(&t, (const char *const[]){COMMAND("04", "28 00 00 00 00 05 00 00 01 00 00 00"), NULL});
    ider_complete(t.ider, t.op, block, 100, ider_sense_none);
    tape_run(&t, (const char *const[]){SENSE("04", "30", "b0", "03 11 00"), NULL});
    assert_int_equal(ider_stats(t.ider, IDER_CD)->errors, 2);
    tape_end(&t);
}

static void test_too_many(void **state)
{
    struct err err = ERR_INIT;
    struct tape t;
    int status = 0;

    (void)state;
    open_drives(&t, 1, 100, 0);
    t.no_blocks = true;
    for (int i = 0; i < 5; i++)
        tape_run(&t, (const char *const[]){COMMAND("01", "28 00 00 00 00 05 00 00 01 00 00 00"), NULL});
    status = tape_play(&t, (const char *const[]){COMMAND("01", "00 00 00 00 00 00 00 00 00 00 00 00"), NULL},
                       &err);
    assert_int_equal(status, -1);
    assert_string_equal(err.text,
                        "IDE redirection: the device sends more commands than two drives can have open");
    tape_end(&t);
}

static void test_reset(void **state)
{
    struct tape t;
    uint8_t block[IDER_CD_BLOCK] = {0};

    (void)state;
    open_drives(&t, 1, 100, 2880);
    tape_run(&t, (const char *const[]){"D 46 00 00 00 01 00 00 00 03", "C 47 00 00 00 01 00 00 00", NULL});
    tape_logged(&t, "reset 3\n");
    t.no_blocks = true;
    tape_run(&t, (const char *const[]){COMMAND("02", "28 00 00 00 00 05 00 00 01 00 00 00"),
                                       COMMAND_DISK("03", "00 00 00 00 00 00 00 00 00 00 00 00"),
                                       "D 46 00 00 00 04 00 00 00 02", "C 47 00 00 00 02 00 00 00", NULL});
    tape_logged(&t, "read cd 5+1\ncancelled\nreset 2\n");
    ider_complete(t.ider, t.op, block, sizeof(block), ider_sense_none); /* too late: nothing comes of it */
    tape_run(&t,
             (const char *const[]){COMMAND("05", "00 00 00 00 00 00 00 00 00 00 00 00"), GOOD("03"), NULL});
    assert_int_equal(ider_stats(t.ider, IDER_CD)->resets, 2);
    assert_int_equal(ider_stats(t.ider, IDER_FLOPPY)->resets, 1);
    tape_end(&t);
}

static void test_media(void **state)
{
    struct err err = ERR_INIT;
    struct tape t;

    (void)state;
    open_drives(&t, 1, 100, 0);
    assert_int_equal(ider_insert(t.ider, IDER_CD, 0, &err), -1);
    assert_int_equal(ider_insert(t.ider, IDER_CD, (uint64_t)UINT32_MAX + 1, &err), -1);
    assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
    /* no attention for the medium that was there from the beginning */
    tape_run(&t,
             (const char *const[]){COMMAND("01", "00 00 00 00 00 00 00 00 00 00 00 00"), GOOD("01"), NULL});
    assert_int_equal(ider_insert(t.ider, IDER_CD, 200, NULL), 0);
    tape_run(&t,
             (const char *const[]){COMMAND("02", "00 00 00 00 00 00 00 00 00 00 00 00"),
                                   SENSE("02", "60", "b0", "06 28 00"),
                                   COMMAND("03", "00 00 00 00 00 00 00 00 00 00 00 00"), GOOD("03"), NULL});
    ider_eject(t.ider, IDER_CD);
    tape_run(&t,
             (const char *const[]){COMMAND("04", "00 00 00 00 00 00 00 00 00 00 00 00"),
                                   SENSE("04", "20", "b0", "02 3a 00"),
                                   COMMAND("05", "1b 00 00 00 02 00 00 00 00 00 00 00"), GOOD("05"), NULL});
    tape_logged(&t, "eject cd\n");
    /* taken out in the middle of a read */
    assert_int_equal(ider_insert(t.ider, IDER_FLOPPY, 2880, NULL), 0);
    tape_run(&t, (const char *const[]){COMMAND_DISK("06", "00 00 00 00 00 00 00 00 00 00 00 00"),
                                       SENSE("06", "60", "a0", "06 28 00"), NULL});
    t.no_blocks = true;
    tape_run(&t, (const char *const[]){COMMAND_DISK("07", "28 00 00 00 00 05 00 00 01 00 00 00"), NULL});
    ider_eject(t.ider, IDER_FLOPPY);
    tape_run(&t, (const char *const[]){SENSE("07", "20", "a0", "02 3a 00"), NULL});
    tape_logged(&t, "read floppy 5+1\ncancelled\n");
    tape_end(&t);
}

static void test_switch(void **state)
{
    struct tape t;

    (void)state;
    open_drives(&t, 1, 100, 0);
    ider_enable(t.ider, IDER_AT_RESET);
    tape_run(&t, (const char *const[]){"C 48 00 00 00 01 00 00 00 03 09 00 00 00",
                                       "D 49 00 00 00 01 00 00 00 03 01 00 00 00", NULL});
    ider_enable(t.ider, IDER_GRACEFUL);
    tape_run(&t, (const char *const[]){"C 48 00 00 00 02 00 00 00 03 11 00 00 00",
                                       "D 49 00 00 00 02 00 00 00 03 02 00 00 00", NULL});
    ider_disable(t.ider, IDER_NOW);
    tape_run(&t, (const char *const[]){"C 48 00 00 00 03 00 00 00 03 18 00 00 00",
                                       ("D 49 00 00 00 03 00 00 00 03 01 00 00 00 "
                                        "49 00 00 00 04 00 00 00 01 01 00 00 00"),
                                       NULL});
    tape_logged(&t, "switched on done 1\nswitched on refused 2\nswitched off done 1\n"
                    "note: the device reports feature 1 with 1, unasked\n");
    tape_end(&t);
}

static void test_life(void **state)
{
    struct err err = ERR_INIT;
    struct tape t;
    int64_t begin;

    (void)state;
    open_drives(&t, 1, 100, 0);
    begin = t.now_ms;
    tape_run(&t, (const char *const[]){"D 44 00 00 00 01 00 00 00", "C 45 00 00 00 01 00 00 00",
                                       "D 4b 00 00 00 02 00 00 00 45 00 00 00 03 00 00 00",
                                       "D 4a 00 00 00 04 00 00 00 07 00 00", NULL});
    tape_logged(&t, "device error 7\n");
    t.now_ms = begin + 10000;
    assert_int_equal(redir_tick(t.redir, t.now_ms, &err), 0);
    tape_run(&t, (const char *const[]){"C 4b 00 00 00 02 00 00 00", NULL});
    assert_int_equal(redir_tick(t.redir, begin + 59999, &err), 0);
    assert_int_equal(redir_tick(t.redir, begin + 60000, &err), -1);
    assert_string_equal(err.text, "IDE redirection: nothing was heard of the device for 60 s");
    tape_end(&t);
}

/* Odd, and harmless: numbers that jump (told once), an ATA command. */
static void test_oddities(void **state)
{
    struct tape t;

    (void)state;
    open_drives(&t, 1, 100, 0);
    tape_run(&t, (const char *const[]){
                     "D 4b 00 00 00 05 00 00 00 4b 00 00 00 07 00 00 00",
                     ("D 50 00 00 00 08 00 00 00 00 00 00 00 00 20 b0 ec 00 00 00 00 00 00 00 00 "
                      "00 00 00 00"),
                     SENSE("01", "04", "b0", "00 00 00"), NULL});
    tape_logged(&t, "note: the device numbers a message 5 where 1 was due\n"
                    "note: the host sent a drive an ATA command, which was refused\n");
    tape_end(&t);
}

static void test_refused(void **state)
{
    static const struct {
        const char *line;
        enum cause cause;
        const char *text;
    } refusals[] = {
        {"D 41 03 00 00 00 00 00 00", CAUSE_CONSENT_REQUIRED,
         ("IDE redirection: the device refused the drives after the login, most likely for want of the "
          "user's "
          "consent")},
        {"D 41 00 00 00 00 00 00 00 01 00 01 00 00 00 00 00 00 20 00 20 00 05 00 00 00 57 01 00 00 00",
         CAUSE_BAD_ANSWER, "IDE redirection: the device speaks protocol 5 of IDE redirection, not 0"},
        {"D 41 00 00 00 00 00 00 00 01 00 01 00 00 00 00 00 00 00 00 20 00 00 00 00 00 57 01 00 00 00",
         CAUSE_BAD_ANSWER, "IDE redirection: the device has no room for data"},
        {"D 50", CAUSE_BAD_ANSWER,
         ("IDE redirection: a command of the host (message 0x50) is out of turn, while opening the drives, "
          "at "
          "byte 119 of the stream")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        for (size_t k = 0; k < 3; k++) {
            struct tape t;

            tape_begin(&t, TAPE_IDER, NULL, pieces[k]);
            tape_login_by_digest(&t, TAPE_START_IDER);
            tape_run(&t, (const char *const[]){OPENING, NULL});
            fails(&t, refusals[i].line, refusals[i].cause, refusals[i].text);
            tape_end(&t);
        }
    }
}

static void test_wrong_turns(void **state)
{
    struct tape t;

    (void)state;
    open_drives(&t, 1, 100, 0);
    fails(
        &t, "D 53 00 00 00 01", CAUSE_BAD_ANSWER,
        "IDE redirection: data of the host, which nobody asked for (message 0x53) is out of turn, while the "
        "drives are open, at byte 149 of the stream");
    tape_end(&t);
    open_drives(&t, 1, 100, 0);
    fails(&t, "D 43 00 00 00 01 00 00 00", CAUSE_DROPPED, "IDE redirection: the device ended the session");
    tape_end(&t);
}

/* The end: commands that still come are not answered; a device that says nothing is left after 2 s. */
static void test_stop(void **state)
{
    struct err err = ERR_INIT;
    struct tape t;

    (void)state;
    open_drives(&t, 1, 100, 0);
    t.no_blocks = true;
    tape_run(&t, (const char *const[]){COMMAND("01", "28 00 00 00 00 05 00 00 01 00 00 00"), NULL});
    redir_stop(t.redir, t.now_ms);
    tape_run(&t, (const char *const[]){"C 42 00 00 00 01 00 00 00",
                                       COMMAND("02", "28 00 00 00 00 05 00 00 01 00 00 00"),
                                       "D 46 00 00 00 03 00 00 00 03 44 00 00 00 04 00 00 00", NULL});
    tape_logged(&t, "read cd 5+1\ncancelled\n");
    assert_int_equal(redir_tick(t.redir, t.now_ms + 1999, &err), 0);
    assert_int_equal(redir_tick(t.redir, t.now_ms + 2000, &err), 0);
    tape_logged(&t, "ended\n");
    tape_run(&t, (const char *const[]){"C 12 00 00 00", NULL});
    tape_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded),    cmocka_unit_test(test_no_medium),
        cmocka_unit_test(test_read),        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_large),       cmocka_unit_test(test_small_buffer),
        cmocka_unit_test(test_later),       cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_reset),       cmocka_unit_test(test_media),
        cmocka_unit_test(test_switch),      cmocka_unit_test(test_life),
        cmocka_unit_test(test_oddities),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_wrong_turns), cmocka_unit_test(test_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
