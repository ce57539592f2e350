/* Platform event traps, byte by byte. (RFC 1157; reference wsman.md, section 3.8) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/alerts/trap.h"

/* One of a chassis that was opened, as snmptrap (net-snmp) sends it. */
static const uint8_t intrusion[] = {
    0x30, 0x69, 0x02, 0x01, 0x00, 0x04, 0x06, 0x70, 0x75, 0x62, 0x6c, 0x69, 0x63, 0xa4, 0x5c, 0x06,
    0x09, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x98, 0x6f, 0x01, 0x01, 0x40, 0x04, 0x0a, 0x00, 0x00, 0x07,
    0x02, 0x01, 0x06, 0x02, 0x03, 0x05, 0x6f, 0x80, 0x43, 0x01, 0x00, 0x30, 0x3e, 0x30, 0x3c, 0x06,
    0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x98, 0x6f, 0x01, 0x01, 0x01, 0x04, 0x2e, 0x56, 0x4d, 0x0a,
    0x4f, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44, 0x44, 0x44, 0x44, 0x44, 0x00, 0x07, 0x00,
    0x00, 0x00, 0x3c, 0x00, 0x3c, 0x50, 0x20, 0x10, 0xff, 0x07, 0x17, 0x01, 0x01, 0x02, 0x03, 0x04,
    0x05, 0x06, 0x07, 0x08, 0x00, 0x00, 0x00, 0x01, 0x57, 0x00, 0x00};

static void a_trap_is_read(void **state)
{
    struct buf said = buf_init(200);
    char sent[37], swapped[37];
    struct err err = ERR_INIT;
    struct trap trap;

    (void)state;
    if (trap_read(&trap, intrusion, sizeof(intrusion), &err) != 0)
        fail_msg("%s", err.text);
    assert_string_equal(trap.agent, "10.0.0.7");
    assert_int_equal(trap.sequence, 7);
    assert_int_equal(trap.at_s, 883612800 + 60 - 3600);
    assert_int_equal(trap.sensor_type, 5);
    assert_int_equal(trap.event_type, 0x6f);
    assert_int_equal(trap.offset, 0x80);
    assert_int_equal(trap.severity_code, 16);
    assert_int_equal(trap.severity, SEVERITY_CRITICAL);
    assert_int_equal(trap.sensor, 7);
    assert_int_equal(trap.entity, 0x17);
    assert_int_equal(trap.entity_instance, 1);
    assert_int_equal(trap.data[7], 8);
    trap_say(&trap, &said);
    assert_string_equal(buf_str(&said), "case intrusion is over");
    trap_guids(&trap, sent, swapped);
    assert_string_equal(sent, "564d0a4f-1111-2222-3333-444444444444");
    assert_string_equal(swapped, "4f0a4d56-1111-2222-3333-444444444444");
    buf_free(&said);
}

/* No beginning of it is one, and no byte of its frame may be another. */
static void anything_else_is_refused(void **state)
{
    static const size_t frame[] = {0, 1, 2, 4, 13, 15, 17, 25, 34, 43, 45, 47, 58, 59};
    uint8_t bytes[sizeof(intrusion)];
    struct trap trap;

    (void)state;
    for (size_t n = 0; n < sizeof(intrusion); n++) {
        struct err err = ERR_INIT;

        assert_int_equal(trap_read(&trap, intrusion, n, &err), -1);
        assert_int_equal(err.cause, CAUSE_BAD_ANSWER);
    }
    for (size_t i = 0; i < sizeof(frame) / sizeof(frame[0]); i++) {
        struct err err = ERR_INIT;

        memcpy(bytes, intrusion, sizeof(bytes));
        bytes[frame[i]] ^= 0x01;
        if (trap_read(&trap, bytes, sizeof(bytes), &err) == 0)
            fail_msg("byte %zu may be anything", frame[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trap_is_read),
        cmocka_unit_test(anything_else_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
