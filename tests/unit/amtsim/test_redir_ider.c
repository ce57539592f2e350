/* IDE-R sessions of a device: its machine's drive on one side, a client's answers on the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/amtsim/consent.h"
#include "tests/amtsim/drive_io.h"
#include "tests/amtsim/record.h"
#include "tests/unit/amtsim/redir_client.h"

static struct sim sim;
static struct device *device;
static struct client client;

/* What the machine's side was told. */
static struct {
    unsigned done;
    enum drive_result result;
    size_t bytes;
    uint8_t first, last;
} seen;

static struct drive_io *io;

static void on_data(void *arg, const uint8_t *p, size_t n)
{
    (void)arg;
    if (seen.bytes == 0)
        seen.first = p[0];
    seen.last = p[n - 1];
    seen.bytes += n;
}

static void on_done(void *arg, enum drive_result result)
{
    (void)arg;
    seen.done++;
    seen.result = result;
}

static void open_drive(enum drive drive)
{
    struct drive_io_events events = {NULL, on_data, on_done};
    drive_io_free(io);
    io = drive_io_new(&device->machine->events, drive, &events);
}

static int start(unsigned generation)
{
    sim_start(&sim, 1, generation);
    device = &sim.fleet->devices[0];
    client.piece = 0;
    client_open(&client, &sim, device);
    memset(&seen, 0, sizeof(seen));
    open_drive(DRIVE_CD);
    return 0;
}

/* Without USB storage: nothing but the machine's own commands. */
static int start_9(void **state)
{
    (void)state;
    return start(9);
}

static int start_16(void **state)
{
    (void)state;
    return start(16);
}

static int stop(void **state)
{
    (void)state;
    client_close(&client);
    drive_io_free(io);
    io = NULL;
    sim_stop(&sim);
    return 0;
}

static void enable_now(void)
{
    client_start(&client, "IDER");
    client_say_hex(&client, "48 00 00 00 01 00 00 00 03 19 00 00 00");
    client_expect(&client, "49 00 00 00 01 00 00 00 03 01 00 00 00");
}

#define GOOD "51 00 00 02 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 85 00 03 00 00 00 b0 50 00 00 00"

/* A medium of 1,401 blocks of 2,048 bytes is found. */
static void find_medium(void)
{
    drive_io_open(io);
    client_wait(&client, 200);
    client_expect(&client,
                  "50 00 00 00 -- 00 00 00 00 00 00 00 00 00 b0 a0 00 00 00 00 00 00 00 00 00 00 00 00");
    client_say_hex(&client, GOOD);
    client_expect(&client,
                  "50 00 00 00 -- 00 00 00 00 00 00 00 08 00 b0 a0 25 00 00 00 00 00 00 00 00 00 00 00");
    client_say_hex(&client,
                   "54 00 00 02 08 00 00 00 00 08 00 00 b5 00 02 00 08 00 b0 58 85 00 03 00 00 00 b0 50 "
                   "00 00 00 00 00 00 00 00 05 78 00 00 08 00");
    assert_int_equal(seen.done, 1);
    assert_int_equal(seen.result, DRIVE_OK);
    assert_int_equal(drive_io_blocks(io), 1401);
    assert_int_equal(drive_io_block_size(io), 2048);
    seen.done = 0;
}

/* A part of an answer: n bytes of that value. */
static void say_part(uint8_t value, uint16_t n, bool last)
{
    static const uint8_t end[] = {0x85, 0, 3, 0, 0, 0, 0xB0, 0x50};
    static uint8_t p[34 + 8192];
    memset(p, 0, 34);
    p[0] = 0x54;
    p[3] = last ? 3 : 1;
    p[9] = (uint8_t)n;
    p[10] = (uint8_t)(n >> 8);
    p[12] = 0xB4;
    p[18] = 0xB0;
    p[19] = 0x58;
    if (last)
        memcpy(p + 20, end, sizeof(end));
    memset(p + 34, value, n);
    client_say(&client, p, 34u + n);
}

static void a_read_comes_in_parts(void **state)
{
    (void)state;
    for (client.piece = 0; client.piece < 3000; client.piece += 999) {
        size_t piece = client.piece;
        client.piece = 0;
        enable_now();
        client.piece = piece;
        find_medium();
        memset(&seen, 0, sizeof(seen));
        drive_io_read(io, 16, 65);
        client_wait(&client, 200);
        client_expect(&client,
                      "50 00 00 00 -- 00 00 00 00 01 00 00 fe ff b0 a0 28 00 00 00 00 10 00 00 40 00 00 00");
        for (unsigned i = 0; i < 16; i++)
            say_part((uint8_t)i, 8192, i == 15);
        client_expect(&client,
                      "50 00 00 00 -- 00 00 00 00 01 00 00 00 08 b0 a0 28 00 00 00 00 50 00 00 01 00 00 00");
        say_part(0x77, 2048, true);
        assert_int_equal(seen.done, 1);
        assert_int_equal(seen.result, DRIVE_OK);
        assert_int_equal(seen.bytes, 65 * 2048);
        assert_int_equal(seen.first, 0);
        assert_int_equal(seen.last, 0x77);
        client_close(&client);
        client_open(&client, &sim, device);
        seen.done = 0;
    }
    assert_int_equal(record_counter_get(device, RECORD_IDER_COMMANDS), 16);
}

static void a_read_without_its_data_failed(void **state)
{
    (void)state;
    enable_now();
    find_medium();
    drive_io_read(io, 0, 2);
    client_say_hex(&client, GOOD);
    assert_int_equal(seen.result, DRIVE_FAILED);
}

static void more_than_asked_breaks(void **state)
{
    (void)state;
    enable_now();
    find_medium();
    drive_io_read(io, 0, 1);
    say_part(1, 2048, false);
    say_part(1, 1, true);
    assert_int_equal(redir_session_fate(client.session), REDIR_BREAKS);
    assert_int_equal(seen.done, 1);
    assert_int_equal(seen.result, DRIVE_GONE);
}

static void no_medium_in_the_floppy(void **state)
{
    (void)state;
    enable_now();
    open_drive(DRIVE_FLOPPY);
    drive_io_open(io);
    client_wait(&client, 200);
    client_expect(&client, "50 00 00 00 -- 00 00 00 00 00 00 00 00 00 a0 a0 00");
    client_say_hex(
        &client,
        "51 00 00 02 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 87 20 03 00 00 00 a0 51 02 3a 00");
    assert_int_equal(seen.result, DRIVE_NO_MEDIUM);
}

static void changed_medium_is_asked_again(void **state)
{
    (void)state;
    enable_now();
    drive_io_open(io);
    client_wait(&client, 200);
    client_expect(&client,
                  "50 00 00 00 02 00 00 00 00 00 00 00 00 00 b0 a0 00 00 00 00 00 00 00 00 00 00 00 00");
    client_say_hex(
        &client,
        "51 00 00 02 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 87 60 03 00 00 00 b0 51 06 28 00");
    client_expect(&client,
                  "50 00 00 00 03 00 00 00 00 00 00 00 00 00 b0 a0 00 00 00 00 00 00 00 00 00 00 00 00");
    assert_int_equal(seen.done, 0);
}

/* 0x46 ends what is under way; nothing is asked before 0x47. */
static void reset_holds_commands(void **state)
{
    (void)state;
    enable_now();
    drive_io_open(io);
    client_wait(&client, 200);
    buf_reset(&client.got);
    redir_machine_reset(device);
    assert_int_equal(seen.result, DRIVE_GONE);
    drive_io_open(io);
    client_wait(&client, 1000);
    client_expect(&client, "46 00 00 00 03 00 00 00 03");
    client_expect_nothing(&client);
    client_say_hex(&client, "47 00 00 00 01 00 00 00");
    client_expect(&client, "50 00 00 00 04 00 00 00");
}

static void enabled_at_the_next_reset(void **state)
{
    (void)state;
    client_start(&client, "IDER");
    client_say_hex(&client, "48 00 00 00 01 00 00 00 03 09 00 00 00");
    client_expect(&client, "49 00 00 00 01 00 00 00 03 01 00 00 00");
    client_say_hex(&client,
                   "48 00 00 00 02 00 00 00 02 00 00 00 00"); /* with the value that need not be there */
    client_expect(&client, "49 00 00 00 02 00 00 00 02 00 00 00 00");
    drive_io_open(io);
    assert_int_equal(seen.result, DRIVE_GONE);
    redir_machine_reset(device);
    client_wait(&client, 1000);
    client_expect(&client, "46 00 00 00 03 00 00 00 03");
    client_say_hex(&client, "47 00 00 00 03 00 00 00");
    client_say_hex(&client, "48 00 00 00 02 00 00 00 02");
    client_expect(&client, "49 00 00 00 04 00 00 00 02 02 00 00 00");
}

/* A client that says nothing by itself lives from its answers to pings; every number is counted. */
static void pings_and_heartbeats_count(void **state)
{
    (void)state;
    client_start(&client, "IDER");
    client_wait(&client, 15001);
    client_expect(&client, "44 00 00 00 01 00 00 00");
    client_say_hex(&client, "45 00 00 00 09 00 00 00");
    client_wait(&client, 15001);
    client_expect(&client, "44 00 00 00 02 00 00 00");
    client_say_hex(&client, "44 00 00 00 09 00 00 00"); /* amtider's answer */
    client_expect(&client, "45 00 00 00 03 00 00 00");
    client_wait(&client, 31000);
    assert_int_equal(redir_session_fate(client.session), REDIR_ENDS);
}

static void end_takes_the_drives_away(void **state)
{
    (void)state;
    enable_now();
    drive_io_open(io);
    client_wait(&client, 200);
    buf_reset(&client.got);
    client_say_hex(&client, "42 00 00 00 07 00 00 00");
    client_expect(&client, "43 00 00 00 03 00 00 00");
    assert_int_equal(seen.result, DRIVE_GONE);
    drive_io_open(io);
    assert_int_equal(seen.done, 2);
    assert_int_equal(seen.result, DRIVE_GONE);
}

static uint8_t written_sense;

static void on_written(void *arg, const struct drive_answer *answer)
{
    (void)arg;
    written_sense = answer->sense;
}

static void a_write_to_the_floppy(void **state)
{
    static uint8_t data[1024];
    (void)state;
    enable_now();
    data[0] = 0xAB;
    data[512] = 0xCD;
    struct drive_request r = {.drive = DRIVE_FLOPPY,
                              .cdb = {0x2A, 0, 0, 0, 0, 5, 0, 0, 2},
                              .data = data,
                              .data_len = sizeof(data),
                              .done = on_written};
    assert_true(redir_drive(device, &r));
    client_wait(&client, 200);
    client_expect(&client,
                  "50 00 00 00 02 00 00 00 00 00 00 00 00 00 a0 a0 2a 00 00 00 00 05 00 00 02 00 00 00");
    for (unsigned i = 0; i < 2; i++) {
        client_say_hex(
            &client,
            "52 00 00 00 09 00 00 00 00 00 02 00 b5 00 00 00 00 02 a0 58 00 00 00 00 00 00 00 00 00 00 00");
        client_expect(&client, i == 0 ? "53 00 00 00 03 00 00 00 00 00 02 00 00 00 ab"
                                      : "53 00 00 00 04 00 00 00 00 00 02 00 00 00 cd");
        buf_consume(&client.got, 511);
    }
    client_say_hex(
        &client,
        "51 00 00 02 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 87 70 03 00 00 00 a0 51 07 27 00");
    assert_int_equal(written_sense, 7);
}

static void consent_is_asked_for(void **state)
{
    (void)state;
    device->client_mode = true;
    client_say(&client, "\x10\0\0\0IDER", 8);
    buf_reset(&client.got);
    client_login(&client, 4, "admin", "P@ssw0rd1");
    client_expect(&client, "14 00 00 00 04 00 00 00 00");
    client_say_hex(&client, "40 00 00 00 00 00 00 00 30 75 00 00 20 4e 01 00 00 00");
    client_expect(&client, "41 01");
    assert_int_equal(redir_session_fate(client.session), REDIR_ENDS);
}

#define FLOPPY_READY "50 00 00 00 -- 00 00 00 00 00 00 00 00 00 a0 a0 00 00 00 00 00 00 00 00 00 00 00 00"
#define FLOPPY_EMPTY                                                                                         \
    "51 00 00 02 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 87 20 03 00 00 00 a0 51 02 3a 00"
#define FLOPPY_GOOD                                                                                          \
    "51 00 00 02 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 85 00 03 00 00 00 a0 50 00 00 00"

/* Firmware since 11: no medium in the floppy drive, and the device is reset again and again. */
static void usb_storage_wants_a_floppy_too(void **state)
{
    (void)state;
    enable_now();
    drive_io_open(io); /* of the CD: it waits */
    client_wait(&client, 200);
    client_expect(&client, FLOPPY_READY);
    client_say_hex(&client, FLOPPY_EMPTY);
    for (unsigned i = 0; i < 2; i++) {
        client_wait(&client, 2200);
        client_expect(&client, "46 00 00 00 -- 00 00 00 03");
        client_say_hex(&client, "47 00 00 00 01 00 00 00");
        client_wait(&client, 200);
        client_expect(&client, FLOPPY_READY);
        client_say_hex(&client, i == 0 ? FLOPPY_EMPTY : FLOPPY_GOOD);
    }
    client_expect(&client,
                  "50 00 00 00 -- 00 00 00 00 00 00 00 08 00 a0 a0 25 00 00 00 00 00 00 00 00 00 00 00");
    assert_int_equal(seen.done, 0);
    client_say_hex(&client,
                   "54 00 00 02 08 00 00 00 00 08 00 00 b5 00 02 00 08 00 a0 58 85 00 03 00 00 00 a0 50 "
                   "00 00 00 00 00 00 00 00 0b 3f 00 00 02 00");
    client_expect(&client, "50 00 00 00 -- 00 00 00 00 00 00 00 00 00 b0 a0 00"); /* now the CD */
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, start_9, stop)
    const struct CMUnitTest tests[] = {
        WITH(a_read_comes_in_parts),
        WITH(a_read_without_its_data_failed),
        WITH(more_than_asked_breaks),
        WITH(no_medium_in_the_floppy),
        WITH(changed_medium_is_asked_again),
        WITH(reset_holds_commands),
        WITH(enabled_at_the_next_reset),
        WITH(pings_and_heartbeats_count),
        WITH(end_takes_the_drives_away),
        WITH(a_write_to_the_floppy),
        WITH(consent_is_asked_for),
        cmocka_unit_test_setup_teardown(usb_storage_wants_a_floppy_too, start_16, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
