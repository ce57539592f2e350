/* Messages of redirection, against the examples of the reference (redirection.md). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/amtsim/redir_msg.h"

/* "10 00" as bytes. */
static size_t bytes_of(const char *hex, uint8_t *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (const char *p = hex; *p != '\0'; p += p[2] == ' ' ? 3 : 2)
        out[n++] = (uint8_t)((strchr(digits, p[0]) - digits) << 4 | (strchr(digits, p[1]) - digits));
    return n;
}

static void same(const struct buf *b, const char *hex)
{
    uint8_t want[256];
    size_t n = bytes_of(hex, want);
    assert_int_equal(b->len, n);
    assert_memory_equal(b->p, want, n);
}

/* A message is not done before its last byte, and what follows it does not matter. */
static void check_size(const char *hex, size_t payload)
{
    uint8_t p[256];
    struct redir_msg m;
    size_t n = bytes_of(hex, p);
    memset(p + n, 0xEE, 8);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(redir_msg_decode(&m, p, i), DECODE_MORE);
    assert_int_equal(redir_msg_decode(&m, p, n + 8), DECODE_DONE);
    assert_int_equal(m.code, p[0]);
    assert_int_equal(m.size, n);
    assert_int_equal(m.payload.n, payload);
}

static void sizes(void **state)
{
    (void)state;
    check_size("10 00 00 00 53 4f 4c 20", 0);
    check_size("12 00 00 00", 0);
    check_size("13 00 00 00 00 00 00 00 00", 0);
    check_size("13 00 00 00 01 0f 00 00 00 05 61 64 6d 69 6e 08 50 40 73 73 77 30 72 64", 15);
    check_size("20 00 00 00 00 00 00 00 e8 03 64 00 00 00 10 27 00 00 88 13 00 00 00 00", 0);
    check_size("22 00 00 00 00 00 00 00", 0);
    check_size("27 00 00 00 05 00 00 00 00 00 1b 00 00 00", 0);
    check_size("28 00 00 00 02 00 00 00 05 00 68 65 6c 6c 6f", 5);
    check_size("2b 00 00 00 00 00 00 00", 0);
    check_size("40 00 00 00 00 00 00 00 30 75 00 00 20 4e 01 00 00 00", 0);
    check_size("48 00 00 00 01 00 00 00 03 19 00 00 00", 0);
    check_size("48 00 00 00 01 00 00 00 01", 0);
    check_size("47 00 00 00 01 00 00 00", 0);
    check_size("51 00 00 02 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 85 00 03 00 00 00 b0 50 00 00 00",
               0);
    check_size(
        "54 00 00 02 08 00 00 00 00 08 00 00 b5 00 02 00 08 00 b0 58 85 00 03 00 00 00 b0 50 00 00 00 00 00 "
        "00 00 05 77 ff 00 00 08 00",
        8);
}

static void bounds(void **state)
{
    static const char *const bad[] = {
        "00",
        "11 00 00 00", /* a device's message */
        "13 00 00 00 04 01 08 00 00",
        "13 00 00 00 01 ff ff ff ff",
        "13 00 00 00 02 01 40 00 00",
        "54 00 00 00 00 00 00 00 00 01 20",
    };
    static const char *const good[] = {
        "13 00 00 00 04 00 08 00 00",
        "13 00 00 00 02 00 40 00 00",
        "54 00 00 00 00 00 00 00 00 00 20",
        "28 00 00 00 00 00 00 00 ff ff",
    };
    uint8_t p[64];
    struct redir_msg m;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(redir_msg_decode(&m, p, bytes_of(bad[i], p)), DECODE_BAD);
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(redir_msg_decode(&m, p, bytes_of(good[i], p)), DECODE_MORE);
}

static struct redir_msg message(const char *hex)
{
    static uint8_t p[512];
    struct redir_msg m;
    assert_int_equal(redir_msg_decode(&m, p, bytes_of(hex, p)), DECODE_DONE);
    return m;
}

static void login_fields(void **state)
{
    struct redir_login login;
    (void)state;
    struct redir_msg m = message("13 00 00 00 01 0f 00 00 00 05 61 64 6d 69 6e 08 50 40 73 73 77 30 72 64");
    assert_true(redir_login_read(&m, &login));
    assert_int_equal(login.type, LOGIN_BASIC);
    assert_string_equal(login.user, "admin");
    assert_string_equal(login.password, "P@ssw0rd");
    m = message(
        "13 00 00 00 04 20 00 00 00 05 61 64 6d 69 6e 00 00 13 2f 52 65 64 69 72 65 63 74 69 6f 6e 53 65 72 "
        "76 69 63 65 00 00 00 00");
    assert_true(redir_login_read(&m, &login));
    assert_string_equal(login.uri, "/RedirectionService");
    assert_string_equal(login.nonce, "");
    /* one field too few, a field that is longer than the data, a byte too many, a NUL */
    static const char *const bad[] = {
        "13 00 00 00 01 01 00 00 00 00",
        "13 00 00 00 01 03 00 00 00 00 05 61",
        "13 00 00 00 01 03 00 00 00 00 00 61",
        "13 00 00 00 01 03 00 00 00 01 00 00",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        m = message(bad[i]);
        assert_false(redir_login_read(&m, &login));
    }
}

static void settings(void **state)
{
    struct sol_settings sol;
    struct ider_settings ider;
    uint8_t sub;
    uint32_t value;
    (void)state;
    struct redir_msg m = message("20 00 00 00 00 00 00 00 e8 03 64 00 00 00 10 27 00 00 88 13 00 00 00 00");
    sol_settings_read(&m, &sol);
    assert_int_equal(sol.buffer, 1000);
    assert_int_equal(sol.buffer_timeout, 100);
    assert_int_equal(sol.overflow_timeout, 0);
    assert_int_equal(sol.rx_timeout, 10000);
    assert_int_equal(sol.flush_timeout, 0);
    assert_int_equal(sol.heartbeat, 5000);
    m = message("40 00 00 00 00 00 00 00 30 75 00 00 20 4e 01 00 00 00");
    ider_settings_read(&m, &ider);
    assert_int_equal(ider.rx_timeout, 30000);
    assert_int_equal(ider.heartbeat, 20000);
    assert_int_equal(ider.version, 1);
    m = message("48 00 00 00 01 00 00 00 03 19 00 00 00");
    ider_features_read(&m, &sub, &value);
    assert_int_equal(sub, 3);
    assert_int_equal(value, 0x19);
}

static void ends_of_commands(void **state)
{
    struct ider_end end;
    uint16_t want;
    bool cd;
    (void)state;
    struct redir_msg m = message(
        "51 00 00 02 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 87 20 03 00 00 00 a0 51 02 3a 00");
    ider_status_read(&m, &end);
    assert_false(end.cd);
    assert_int_equal(end.status, 0x51);
    assert_int_equal(end.sense, 2);
    assert_int_equal(end.asc, 0x3a);
    m = message("54 00 00 02 08 00 00 00 00 08 00 00 b5 00 02 00 08 00 b0 58 85 00 03 00 00 00 b0 50 00 00 "
                "00 00 00 00 "
                "00 05 77 ff 00 00 08 00");
    ider_data_read(&m, &end);
    assert_true(end.cd);
    assert_true(end.last);
    assert_int_equal(end.status, 0x50);
    m = message(
        "52 00 00 00 09 00 00 00 00 00 02 00 b5 00 00 00 00 02 a0 58 00 00 00 00 00 00 00 00 00 00 00");
    ider_want_read(&m, &want, &cd);
    assert_int_equal(want, 512);
    assert_false(cd);
}

static void what_the_device_says(void **state)
{
    struct buf b = buf_init(4096);
    (void)state;
    redir_put_start_reply(&b, 0, 12, 0);
    same(&b, "11 00 00 00 01 00 0c 00 57 01 00 00 00");
    buf_reset(&b);
    redir_put_login_reply(&b, 0, 0, "\4", 1);
    same(&b, "14 00 00 00 00 01 00 00 00 04");
    buf_reset(&b);
    redir_put_login_reply(&b, 2, 1, NULL, 0);
    same(&b, "14 02 00 00 01 00 00 00 00");
    buf_reset(&b);
    sol_put_open_reply(&b, 0, 0);
    same(&b, "21 00 00 00 00 00 00 00 01 00 01 00 00 00 00 01 00 00 57 01 00 00 00");
    buf_reset(&b);
    sol_put_controls(&b, 1, SOL_RTS | SOL_DTR, SOL_STATUS_POWERED);
    same(&b, "29 00 00 00 01 00 00 00 03 04");
    buf_reset(&b);
    sol_put_data(&b, 1, "hello", 5);
    same(&b, "2a 00 00 00 01 00 00 00 05 00 68 65 6c 6c 6f");
    buf_reset(&b);
    ider_put_open_reply(&b, 0, 0, 1, 0);
    same(&b, "41 00 00 00 00 00 00 00 01 00 01 00 00 00 00 00 00 20 00 20 00 00 00 00 00 57 01 00 00 00");
    buf_reset(&b);
    ider_put_features_reply(&b, 1, 3, 1);
    same(&b, "49 00 00 00 01 00 00 00 03 01 00 00 00");
    buf_reset(&b);
    ider_put_reset(&b, 2, 3);
    same(&b, "46 00 00 00 02 00 00 00 03");
    buf_reset(&b);
    struct ider_command read = {
        .cd = true, .dma = true, .byte_limit = 0x0800, .cdb = {0x28, 0, 0, 0, 0, 0x10, 0, 0, 1}};
    ider_put_command(&b, 7, &read);
    same(&b, "50 00 00 00 07 00 00 00 00 01 00 00 00 08 b0 a0 28 00 00 00 00 10 00 00 01 00 00 00");
    buf_reset(&b);
    redir_put_short(&b, SOL_HEARTBEAT, 3);
    same(&b, "2b 00 00 00 03 00 00 00");
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(bounds),
        cmocka_unit_test(login_fields),
        cmocka_unit_test(settings),
        cmocka_unit_test(ends_of_commands),
        cmocka_unit_test(what_the_device_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
