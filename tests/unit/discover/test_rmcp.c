#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "amtd/discover/rmcp.h"

/* As the reference has it (wsman.md, 1.6): AMT 9.1, both ports, set up. */
static const uint8_t old_pong[] = {6, 0,    0,    6,    0,    0,    0x11, 0xBE, 0x40, 7, 0, 16, 0, 0,
                                   1, 0x57, 0x42, 0x60, 0x91, 0x06, 0,    0x20, 0,    0, 0, 0,  0, 0};
static const uint8_t new_pong[] = {6, 0,    0,    6,    0, 0,    0x11, 0xBE, 0x40, 7, 0, 16, 0, 0,
                                   1, 0x57, 0x42, 0x61, 0, 0x02, 0,    0x20, 16,   1, 0, 0,  0, 0};

static void asks_as_the_reference_says(void **state)
{
    static const uint8_t want[] = {6, 0, 0, 6, 0, 0, 0x11, 0xBE, 0x80, 0x5A, 0, 0};
    uint8_t ping[RMCP_PING_LEN];

    (void)state;
    rmcp_ping(0x5A, ping);
    assert_memory_equal(ping, want, sizeof(want));
}

static void reads_both_ways_to_say_a_version(void **state)
{
    struct rmcp_pong pong;

    (void)state;
    assert_int_equal(rmcp_pong_read(old_pong, sizeof(old_pong), &pong), DECODE_DONE);
    assert_true(pong.intel && pong.both && pong.dash);
    assert_int_equal(pong.tag, 7);
    assert_int_equal(pong.port, 16992);
    assert_int_equal(pong.state, 2);
    assert_int_equal(pong.major, 9);
    assert_int_equal(pong.minor, 1);
    assert_int_equal(rmcp_pong_read(new_pong, sizeof(new_pong), &pong), DECODE_DONE);
    assert_int_equal(pong.major, 16);
    assert_int_equal(pong.minor, 1);
    assert_false(pong.both);
    /* MeshCentral takes 22 bytes; the late version is then unknown */
    assert_int_equal(rmcp_pong_read(new_pong, 22, &pong), DECODE_DONE);
    assert_int_equal(pong.major, 0);
}

static void takes_nothing_else(void **state)
{
    struct rmcp_pong pong;
    uint8_t bytes[sizeof(old_pong)];

    (void)state;
    for (size_t n = 0; n < 22; n++)
        assert_int_equal(rmcp_pong_read(old_pong, n, &pong), DECODE_BAD);
    for (size_t i = 0; i < 9; i++) {
        if (i == 1 || i == 2) /* reserved, sequence */
            continue;
        memcpy(bytes, old_pong, sizeof(bytes));
        bytes[i] ^= 0x10;
        assert_int_equal(rmcp_pong_read(bytes, sizeof(bytes), &pong), DECODE_BAD);
    }
    memcpy(bytes, old_pong, sizeof(bytes));
    bytes[15] = 0;
    assert_int_equal(rmcp_pong_read(bytes, sizeof(bytes), &pong), DECODE_DONE);
    assert_false(pong.intel);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_as_the_reference_says),
        cmocka_unit_test(reads_both_ways_to_say_a_version),
        cmocka_unit_test(takes_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
