/* Telnet as a client of a terminal server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/console/settings.h"
#include "amtd/console/source.h"
#include "amtd/console/telnet.h"

static struct buf data;
static unsigned known, on;

static void on_data(void *arg, const uint8_t *p, size_t n)
{
    (void)arg;
    assert_true(n > 0);
    buf_add(&data, p, n);
}

static void on_signals(void *arg, unsigned k, unsigned o)
{
    (void)arg;
    known = k;
    on = o;
}

static struct telnet *begin(int64_t speed)
{
    const struct telnet_port port = {speed > 0, (uint32_t)speed, 7, 2, PARITY_EVEN, FLOW_HARDWARE};
    const struct telnet_events events = {NULL, on_data, on_signals};

    buf_free(&data);
    data = buf_init(1 << 20);
    known = on = 0;
    return telnet_new(&port, &events);
}

static void feed(struct telnet *t, const char *hex)
{
    for (; *hex; hex += *hex == ' ') {
        char digits[3] = {hex[0], hex[1], 0};
        uint8_t byte = (uint8_t)strtol(digits, NULL, 16);

        telnet_feed(t, &byte, 1);
        hex += 2;
    }
}

/* What it wants to send since the last time. */
static void expect_sent(struct telnet *t, const char *hex)
{
    struct buf spaced = buf_init(1000);
    size_t n;
    const uint8_t *p = telnet_output(t, &n);

    for (size_t i = 0; i < n; i++)
        buf_printf(&spaced, "%s%02x", i > 0 ? " " : "", p[i]);
    telnet_sent(t, n);
    assert_string_equal(buf_str(&spaced), hex);
    buf_free(&spaced);
}

static void expect_data(const char *text)
{
    assert_string_equal(buf_str(&data), text);
    buf_reset(&data);
}

static void asks_for_what_it_wants(void **state)
{
    struct telnet *t = begin(0);

    (void)state;
    expect_sent(t, "ff fd 03 ff fb 03 ff fd 00 ff fb 00");
    telnet_free(t);
    t = begin(9600);
    expect_sent(t, "ff fd 03 ff fb 03 ff fd 00 ff fb 00 ff fb 2c");
    telnet_free(t);
}

static void data_passes_and_quotes_are_undone(void **state)
{
    struct telnet *t = begin(0);

    (void)state;
    feed(t, "68 69 ff ff 0d 00 0d 0a 78 00 79");
    assert_int_equal(data.len, 9);
    assert_memory_equal(data.p, "hi\xff\r\r\nx\0y", 9);
    buf_reset(&data);
    telnet_feed(t, (const uint8_t *)"one\xff\xf1two\xff\xfa\x18\x01\xff\xf0three", 20);
    expect_data("onetwothree");
    telnet_free(t);
}

static void agrees_only_to_what_it_knows(void **state)
{
    struct telnet *t = begin(0);

    (void)state;
    expect_sent(t, "ff fd 03 ff fb 03 ff fd 00 ff fb 00");
    feed(t, "ff fb 01"); /* WILL ECHO */
    expect_sent(t, "ff fd 01");
    feed(t, "ff fb 01"); /* again: no loop */
    expect_sent(t, "");
    feed(t, "ff fd 18"); /* DO TERMINAL-TYPE */
    expect_sent(t, "ff fc 18");
    feed(t, "ff fb 05");
    expect_sent(t, "ff fe 05");
    feed(t, "ff fd 2c"); /* RFC 2217 is not wanted here */
    expect_sent(t, "ff fc 2c");
    feed(t, "ff fb 03 ff fd 03"); /* the answers to what was asked */
    expect_sent(t, "");
    feed(t, "ff fc 01"); /* WONT ECHO */
    expect_sent(t, "ff fe 01");
    telnet_free(t);
}

static void endless_talk_ends(void **state)
{
    struct telnet *t = begin(0);
    size_t n;

    (void)state;
    telnet_output(t, &n);
    telnet_sent(t, n);
    for (int i = 0; i < 10000; i++)
        feed(t, "ff fb 18");
    telnet_output(t, &n);
    assert_int_equal(n, 64 * 3);
    telnet_free(t);
}

static void typed_bytes_are_quoted(void **state)
{
    struct telnet *t = begin(0);

    (void)state;
    expect_sent(t, "ff fd 03 ff fb 03 ff fd 00 ff fb 00");
    assert_int_equal(telnet_write(t, (const uint8_t *)"a\xff\r", 3), 3);
    expect_sent(t, "61 ff ff 0d 00");
    feed(t, "ff fd 00"); /* binary from now on */
    assert_int_equal(telnet_write(t, (const uint8_t *)"\r", 1), 1);
    expect_sent(t, "0d");
    telnet_free(t);
}

static void never_takes_more_than_it_has_room_for(void **state)
{
    struct telnet *t = begin(0);
    uint8_t *much = malloc(1 << 20);
    size_t taken, n;

    (void)state;
    memset(much, 0xff, 1 << 20);
    taken = telnet_write(t, much, 1 << 20);
    assert_true(taken > 1000 && taken < 40000);
    assert_int_equal(telnet_write(t, much, 1), 0);
    telnet_output(t, &n);
    telnet_sent(t, n);
    assert_true(telnet_write(t, much, 1 << 20) > 1000);
    free(much);
    telnet_free(t);
}

static void sets_the_port_and_hears_its_lines(void **state)
{
    struct telnet *t = begin(115200);

    (void)state;
    expect_sent(t, "ff fd 03 ff fb 03 ff fd 00 ff fb 00 ff fb 2c");
    feed(t, "ff fd 2c");
    expect_sent(t, "ff fa 2c 01 00 01 c2 00 ff f0 ff fa 2c 02 07 ff f0 ff fa 2c 03 03 ff f0 "
                   "ff fa 2c 04 02 ff f0 ff fa 2c 05 03 ff f0 ff fa 2c 0b f0 ff f0");
    feed(t, "ff fa 2c 6b a0 ff f0");
    assert_int_equal(known, SOURCE_DCD | SOURCE_DSR | SOURCE_CTS | SOURCE_RI);
    assert_int_equal(on, SOURCE_DCD | SOURCE_DSR);
    assert_true(telnet_break(t, true));
    expect_sent(t, "ff fa 2c 05 05 ff f0");
    assert_true(telnet_break(t, false));
    expect_sent(t, "ff fa 2c 05 06 ff f0");
    telnet_free(t);
}

static void break_without_rfc2217(void **state)
{
    struct telnet *t = begin(0);

    (void)state;
    expect_sent(t, "ff fd 03 ff fb 03 ff fd 00 ff fb 00");
    assert_false(telnet_break(t, true));
    expect_sent(t, "ff f3");
    telnet_free(t);
}

/* The same bytes one at a time and all at once. */
static void portions_make_no_difference(void **state)
{
    static const uint8_t bytes[] =
        "hello\r\n\xff\xfb\x01w\xff\xffrld\r\0x\xff\xfa\x2c\x6b\x10\xff\xff\xff\xf0!\r";
    struct telnet *t = begin(9600);
    struct buf whole;

    (void)state;
    telnet_feed(t, bytes, sizeof(bytes) - 1);
    telnet_free(t);
    whole = data;
    data = buf_init(1);
    t = begin(9600);
    for (size_t i = 0; i < sizeof(bytes) - 1; i++)
        telnet_feed(t, bytes + i, 1);
    assert_int_equal(data.len, whole.len);
    assert_memory_equal(data.p, whole.p, whole.len);
    buf_free(&whole);
    buf_free(&data);
    telnet_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_what_it_wants),
        cmocka_unit_test(data_passes_and_quotes_are_undone),
        cmocka_unit_test(agrees_only_to_what_it_knows),
        cmocka_unit_test(endless_talk_ends),
        cmocka_unit_test(typed_bytes_are_quoted),
        cmocka_unit_test(never_takes_more_than_it_has_room_for),
        cmocka_unit_test(sets_the_port_and_hears_its_lines),
        cmocka_unit_test(break_without_rfc2217),
        cmocka_unit_test(portions_make_no_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
