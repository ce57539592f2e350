/* Every command of the reference on both drives, as a table: command, answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "sol/ider_scsi.h"
#include "tests/unit/sol/tape.h"

#define CD      0x57800 /* blocks of a 700 MB image */
#define DISK144 2880
#define LS120   246528

#define NO_MEDIUM "02 3a 00"
#define UNKNOWN   "05 20 00"
#define BAD_FIELD "05 24 00"
#define PROTECTED "07 27 00"
#define BEYOND    "05 21 00"

struct row {
    enum ider_drive drive;
    uint32_t blocks;
    const char *cdb;
    const char *sense; /* NULL: none */
    const char *data;  /* NULL: none */
};

#define ALL_FEATURES                                                                                         \
    ("00 00 00 3c 00 00 00 08 00 00 03 04 00 08 01 00 00 01 03 04 00 00 00 02 00 02 03 04 00 00 00 00 "      \
     "00 03 03 04 29 00 00 02 00 10 01 08 00 00 08 00 00 01 00 00 00 1e 03 00 01 00 03 00 01 05 03 00")
#define PAGE_2A "2a 18 00 00 00 00 20 00 00 00 00 00 00 80 00 00 00 00 00 00 00 00 00 00 00 00"
#define PAGE_144                                                                                             \
    ("00 26 24 80 00 00 00 00 05 1e 04 b0 02 12 02 00 00 50 00 00 00 00 00 00 00 00 00 00 28 00 00 00 "      \
     "00 00 00 00 02 d0 00 00")
#define PAGE_LS120                                                                                           \
    ("00 26 31 80 00 00 00 00 05 1e 10 a9 08 20 02 00 03 c3 00 00 00 00 00 00 00 00 00 00 28 00 00 00 "      \
     "00 00 00 00 02 d0 00 00")
#define CD_PAGES                                                                                             \
    ("00 40 01 80 00 00 00 00 01 06 00 ff 00 00 00 00 1a 0a 00 00 00 00 00 00 00 00 00 00 1d 0a 00 00 00 "   \
     "00 00 00 00 00 00 00 2a 18 00 00 00 00 20 00 00 00 00 00 00 80 00 00 00 00 00 00 00 00 00 00 00 00")
#define DISK_PAGES                                                                                           \
    ("00 32 24 80 00 00 00 00 01 0a 00 01 00 00 00 00 02 00 00 00 05 1e 04 b0 02 12 02 00 00 50 00 00 00 "   \
     "00 00 00 00 00 00 00 28 00 00 00 00 00 00 00 02 d0 00 00")
#define INQUIRY_CD   "05 80 00 21 1f 00 00 00 'amtd    Redirected      1.00'"
#define INQUIRY_DISK "00 80 00 21 1f 00 00 00 'amtd    Redirected      1.00'"

static const struct row rows[] = {
    /* TEST UNIT READY */
    {IDER_CD, CD, "00", NULL, NULL},
    {IDER_CD, 0, "00", NO_MEDIUM, NULL},
    {IDER_FLOPPY, 0, "00", NO_MEDIUM, NULL},
    /* REQUEST SENSE */
    {IDER_CD, CD, "03 00 00 00 12", NULL, "70 00 00 00 00 00 00 0a 00 00 00 00 00 00 00 00 00 00"},
    {IDER_CD, 0, "03 00 00 00 04", NULL, "70 00 00 00"},
    /* WRITE of every size */
    {IDER_CD, CD, "0a 00 00 00 01", PROTECTED, NULL},
    {IDER_FLOPPY, DISK144, "2a 00 00 00 00 00 00 00 01", PROTECTED, NULL},
    {IDER_FLOPPY, DISK144, "2e 00 00 00 00 00 00 00 01", PROTECTED, NULL},
    {IDER_FLOPPY, 0, "2a 00 00 00 00 00 00 00 01", NO_MEDIUM, NULL},
    /* INQUIRY */
    {IDER_CD, CD, "12 00 00 00 24", NULL, INQUIRY_CD},
    {IDER_FLOPPY, 0, "12 00 00 00 24", NULL, INQUIRY_DISK},
    {IDER_CD, CD, "12 00 00 00 05", NULL, "05 80 00 21 1f"},
    {IDER_CD, CD, "12 01 80 00 24", BAD_FIELD, NULL},
    /* MODE SENSE (6) */
    {IDER_CD, CD, "1a 00 3f 00 c0", NULL, "00 05 80 00"},
    {IDER_FLOPPY, DISK144, "1a 00 3f 00 c0", NULL, "00 00 80 00"},
    {IDER_CD, CD, "1a 00 3f 00 02", NULL, "00 05"},
    {IDER_CD, CD, "1a 00 08 00 c0", BAD_FIELD, NULL},
    {IDER_CD, CD, "1a 00 3f 01 c0", BAD_FIELD, NULL},
    {IDER_CD, 0, "1a 00 3f 00 c0", NO_MEDIUM, NULL},
    /* START STOP UNIT, PREVENT ALLOW */
    {IDER_CD, CD, "1b 00 00 00 01", NULL, NULL},
    {IDER_CD, 0, "1b", NULL, NULL},
    {IDER_CD, CD, "1e 00 00 00 01", NULL, NULL},
    {IDER_CD, 0, "1e 00 00 00 01", NO_MEDIUM, NULL},
    /* READ FORMAT CAPACITIES */
    {IDER_FLOPPY, DISK144, "23 00 00 00 00 00 00 00 fc", NULL, "00 00 00 08 00 00 0b 40 02 00 02 00"},
    {IDER_CD, CD, "23 00 00 00 00 00 00 00 fc", NULL, "00 00 00 08 00 05 78 00 02 00 08 00"},
    {IDER_FLOPPY, DISK144, "23 00 00 00 00 00 00 00 04", NULL, "00 00 00 08"},
    /* READ CAPACITY (10); (16) is not known */
    {IDER_CD, CD, "25", NULL, "00 05 77 ff 00 00 08 00"},
    {IDER_CD, UINT32_MAX, "25", NULL, "ff ff ff fe 00 00 08 00"},
    {IDER_FLOPPY, DISK144, "25", NULL, "00 00 0b 3f 00 00 02 00"},
    {IDER_CD, 0, "25", NO_MEDIUM, NULL},
    {IDER_CD, CD, "9e 10", UNKNOWN, NULL},
    /* READ TOC */
    {IDER_CD, CD, "43 00 00 00 00 00 00 00 ff", NULL,
     "00 12 01 01 00 14 01 00 00 00 00 00 00 14 aa 00 00 00 00 00"},
    {IDER_CD, CD, "43 02 00 00 00 00 00 00 14", NULL,
     "00 12 01 01 00 14 01 00 00 00 02 00 00 14 aa 00 00 00 34 13"},
    {IDER_CD, CD, "43 02 00 00 00 00 00 00 0c", NULL, "00 12 01 01 00 14 01 00 00 00 02 00"},
    {IDER_CD, CD, "43 00 01 00 00 00 00 00 ff", NULL, "00 0a 01 01 00 14 01 00 00 00 00 00"},
    {IDER_CD, CD, "43 00 00 00 00 00 00 00 ff 40", NULL, "00 0a 01 01 00 14 01 00 00 00 00 00"},
    {IDER_CD, CD, "43 00 02 00 00 00 00 00 ff", BAD_FIELD, NULL},
    {IDER_FLOPPY, DISK144, "43 00 00 00 00 00 00 00 ff", UNKNOWN, NULL},
    {IDER_CD, 0, "43 00 00 00 00 00 00 00 ff", NO_MEDIUM, NULL},
    /* GET CONFIGURATION */
    {IDER_CD, CD, "46 00 00 00 00 00 00 01 00", NULL, ALL_FEATURES},
    {IDER_CD, CD, "46 00 00 00 00 00 00 00 08", NULL, "00 00 00 3c 00 00 00 08"},
    {IDER_CD, CD, "46 02 00 10 00 00 00 00 ff", NULL,
     "00 00 00 10 00 00 00 08 00 10 01 08 00 00 08 00 00 01 00 00"},
    {IDER_CD, CD, "46 02 00 11 00 00 00 00 ff", NULL, "00 00 00 04 00 00 00 08"},
    {IDER_CD, CD, "46 00 01 00 00 00 00 00 ff", NULL, "00 00 00 0c 00 00 00 08 01 00 03 00 01 05 03 00"},
    {IDER_CD, CD, "46", NULL, NULL},
    /* GET EVENT STATUS NOTIFICATION */
    {IDER_CD, CD, "4a 01 00 00 10 00 00 00 08", NULL, "00 02 80 00"},
    {IDER_CD, 0, "4a 01 00 00 10 00 00 00 08", NULL, "00 00 80 00"},
    {IDER_CD, CD, "4a 00 00 00 10 00 00 00 08", "05 26 01", NULL},
    {IDER_CD, CD, "4a 01 00 00 02 00 00 00 08", "05 26 01", NULL},
    /* LOG SELECT, READ DISC and TRACK INFORMATION, MODE SELECT */
    {IDER_CD, CD, "4c", UNKNOWN, NULL},
    {IDER_CD, CD, "51 00 00 00 00 00 00 00 07", NULL, "00 20 0e 01 01 01 01"},
    {IDER_FLOPPY, DISK144, "51 00 00 00 00 00 00 00 07", UNKNOWN, NULL},
    {IDER_CD, CD, "52", UNKNOWN, NULL},
    {IDER_CD, CD, "55", UNKNOWN, NULL},
    /* MODE SENSE (10) */
    {IDER_CD, CD, "5a 00 01 00 00 00 00 00 ff", NULL, "00 0e 01 80 00 00 00 00 01 06 00 ff 00 00 00 00"},
    {IDER_CD, CD, "5a 00 1a 00 00 00 00 00 ff", NULL,
     "00 12 01 80 00 00 00 00 1a 0a 00 00 00 00 00 00 00 00 00 00"},
    {IDER_CD, CD, "5a 00 1d 00 00 00 00 00 ff", NULL,
     "00 12 01 80 00 00 00 00 1d 0a 00 00 00 00 00 00 00 00 00 00"},
    {IDER_CD, CD, "5a 00 2a 00 00 00 00 00 ff", NULL, "00 20 01 80 00 00 00 00 " PAGE_2A},
    {IDER_CD, CD, "5a 00 2a 00 00 00 00 00 08", NULL, "00 20 01 80 00 00 00 00"},
    {IDER_CD, CD, "5a 00 3f 00 00 00 00 00 ff", NULL, CD_PAGES},
    {IDER_CD, CD, "5a 00 05 00 00 00 00 00 ff", BAD_FIELD, NULL},
    {IDER_FLOPPY, DISK144, "5a 00 01 00 00 00 00 00 ff", NULL,
     "00 12 24 80 00 00 00 00 01 0a 00 01 00 00 00 00 02 00 00 00"},
    {IDER_FLOPPY, LS120, "5a 00 01 00 00 00 00 00 ff", NULL,
     "00 12 31 80 00 00 00 00 01 0a 00 01 00 00 00 00 02 00 00 00"},
    {IDER_FLOPPY, DISK144, "5a 00 05 00 00 00 00 00 ff", NULL, PAGE_144},
    {IDER_FLOPPY, DISK144 + 1, "5a 00 05 00 00 00 00 00 ff", NULL, PAGE_LS120},
    {IDER_FLOPPY, DISK144, "5a 00 3f 00 00 00 00 00 ff", NULL, DISK_PAGES},
    {IDER_FLOPPY, DISK144, "5a 00 2a 00 00 00 00 00 ff", BAD_FIELD, NULL},
    {IDER_FLOPPY, 0, "5a 00 3f 00 00 00 00 00 ff", NO_MEDIUM, NULL},
    /* GET PERFORMANCE, and what nobody knows */
    {IDER_CD, CD, "ac", NULL, "00 00 00 04 02 00 00 00"},
    {IDER_CD, CD, "ff", UNKNOWN, NULL},
    {IDER_CD, 0, "ff", UNKNOWN, NULL},
    /* READ beyond the end, in all sizes */
    {IDER_CD, 0, "28 00 00 00 00 00 00 00 01", NO_MEDIUM, NULL},
    {IDER_CD, 1400, "28 00 00 00 05 db 00 00 01", BEYOND, NULL},
    {IDER_CD, 1400, "28 00 ff ff ff ff 00 ff ff", BEYOND, NULL},
    {IDER_CD, UINT32_MAX, "28 00 ff ff ff ff 00 00 01", BEYOND, NULL},
    {IDER_CD, 1400, "a8 00 00 00 00 00 ff ff ff ff", BEYOND, NULL},
    {IDER_FLOPPY, 255, "08 00 00 00 00", BEYOND, NULL},
    /* nothing wanted */
    {IDER_CD, CD, "28 00 00 00 00 00 00 00 00", NULL, NULL},
    {IDER_CD, CD, "a8 00 00 00 00 00 00 00 00 00", NULL, NULL},
};

static void ask(struct ider_medium *medium, const char *text, struct ider_answer *answer)
{
    struct buf cdb = buf_init(IDER_CDB);

    tape_bytes(&cdb, text);
    while (cdb.len < IDER_CDB)
        wr_u8(&cdb, 0);
    ider_scsi_answer(medium, cdb.p, answer);
    buf_free(&cdb);
}

static void test_commands(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct ider_medium medium = {row->drive, false, row->blocks};
        struct ider_answer answer;
        struct buf want = buf_init(256), sense = buf_init(3), got = buf_init(1024);

        ask(&medium, row->cdb, &answer);
        tape_bytes(&want, row->data ? row->data : "");
        tape_bytes(&sense, row->sense ? row->sense : "00 00 00");
        text_hex(&got, answer.data, answer.n, false);
        if (answer.n != want.len || (want.len && memcmp(answer.data, want.p, want.len) != 0))
            fail_msg("%s: %s", row->cdb, buf_str(&got));
        if (answer.sense.key != sense.p[0] || answer.sense.asc != sense.p[1] ||
            answer.sense.ascq != sense.p[2])
            fail_msg("%s: sense %02x/%02x/%02x", row->cdb, answer.sense.key, answer.sense.asc,
                     answer.sense.ascq);
        assert_false(answer.read);
        buf_free(&want);
        buf_free(&sense);
        buf_free(&got);
    }
}

static void test_reads(void **state)
{
    static const struct {
        enum ider_drive drive;
        const char *cdb;
        uint32_t lba, count;
    } reads[] = {
        {IDER_CD, "28 00 00 00 00 10 00 00 01", 16, 1},
        {IDER_CD, "28 00 00 05 77 ff 00 00 01", CD - 1, 1},
        {IDER_CD, "28 00 00 01 02 03 00 ff ff", 0x10203, 65535},
        {IDER_CD, "a8 00 00 00 00 10 00 01 00 00", 16, 65536},
        {IDER_CD, "08 03 02 01 10", 0x30201, 16},
        {IDER_FLOPPY, "08 e0 00 05 00", 5, 256}, /* the upper bits once were a unit's number */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
        struct ider_medium medium = {reads[i].drive, false, CD};
        struct ider_answer answer;

        ask(&medium, reads[i].cdb, &answer);
        assert_int_equal(answer.sense.key, 0);
        assert_true(answer.read);
        assert_int_equal(answer.lba, reads[i].lba);
        assert_int_equal(answer.count, reads[i].count);
        assert_int_equal(answer.n, 0);
    }
}

static void test_change(void **state)
{
    struct ider_medium medium = {IDER_CD, true, CD};
    struct ider_answer answer;

    (void)state;
    ask(&medium, "12 00 00 00 24", &answer); /* INQUIRY does not tell it */
    assert_int_equal(answer.sense.key, 0);
    ask(&medium, "28 00 00 00 00 10 00 00 01", &answer);
    assert_int_equal(answer.sense.key, 0x06);
    assert_int_equal(answer.sense.asc, 0x28);
    assert_false(answer.read);
    ask(&medium, "28 00 00 00 00 10 00 00 01", &answer);
    assert_true(answer.read);

    medium.changed = true;
    medium.blocks = 0;
    ask(&medium, "00", &answer);
    assert_int_equal(answer.sense.asc, 0x3a);
    ask(&medium, "1b 00 00 00 02", &answer);
    assert_true(answer.eject);
    ask(&medium, "1b 00 00 00 03", &answer);
    assert_false(answer.eject);
}

/* Every command with every first field gives an answer of bounded length; none is both data and a read. */
static void test_all(void **state)
{
    (void)state;
    for (unsigned op = 0; op < 256; op++) {
        for (unsigned a = 0; a < 256; a++) {
            uint8_t cdb[IDER_CDB] = {(uint8_t)op, (uint8_t)a, (uint8_t)a, 0, (uint8_t)a, 0, 0, 0xff, 0xff};
            struct ider_medium medium = {(enum ider_drive)(a & 1), a & 2, a & 4 ? 5000 : 0};
            struct ider_answer answer;

            ider_scsi_answer(&medium, cdb, &answer);
            assert_true(answer.n <= IDER_ANSWER_MAX);
            assert_false(answer.read && (answer.n > 0 || answer.sense.key != 0));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_change),
        cmocka_unit_test(test_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
