/* The scripted machine's serial port: flood, screens, shell, boots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/amtsim/console.h"
#include "tests/amtsim/power.h"
#include "tests/amtsim/scripted_flood.h"
#include "tests/amtsim/scripted_screen.h"
#include "tests/unit/amtsim/stage.h"

/* --- flood --- */

static void flood_is_a_function_of_the_offset(void **state)
{
    struct scripted_flood whole, pieces;
    uint8_t a[1000], b[1000];
    size_t at = 0;
    (void)state;
    scripted_flood_init(&whole, 999);
    scripted_flood_init(&pieces, 999);
    assert_int_equal(scripted_flood_fill(&whole, a, sizeof(a)), 999);
    for (size_t n, piece = 1; (n = scripted_flood_fill(&pieces, b + at, piece)) > 0; piece = piece % 70 + 1)
        at += n;
    assert_int_equal(at, 999);
    assert_memory_equal(a, b, 999);
    assert_memory_equal(a + 64, "000000000001 abc", 16);
    assert_memory_equal(a + 126, "\r\n000000000002", 14);
}

/* --- screens --- */

static enum screen_event press(struct scripted_screen *s, const char *key, struct buf *out)
{
    enum screen_event event = SCREEN_STAYS;
    for (const char *p = key; *p != '\0'; p++)
        event = scripted_screen_key(s, *p, out);
    return event;
}

static void keys_move_and_choose(void **state)
{
    static const char *const entries[] = {"one", "two", "three", NULL};
    struct scripted_screen s;
    struct buf out = buf_init(65536);
    (void)state;
    scripted_screen_show(&s, "List", entries, "hint", &out);
    assert_non_null(strstr(buf_str(&out), "* one"));
    assert_int_equal(press(&s, "\x1b[B", &out), SCREEN_STAYS);
    assert_int_equal(s.selected, 1);
    press(&s, "\x1bOB", &out);
    press(&s, "\x1b[B", &out);
    assert_int_equal(s.selected, 0);
    press(&s, "\x1b[A", &out);
    assert_int_equal(s.selected, 2);
    buf_reset(&out);
    assert_int_equal(press(&s, "x", &out), SCREEN_STAYS);
    assert_non_null(strstr(buf_str(&out), "key: 78"));
    assert_int_equal(press(&s, "\x1b[9", &out), SCREEN_STAYS); /* no key: shown and forgotten */
    assert_int_equal(press(&s, "\x1b[21~", &out), SCREEN_SAVED);
    assert_int_equal(press(&s,
                           "\x1b"
                           "0",
                           &out),
                     SCREEN_SAVED);
    assert_int_equal(press(&s, "\r", &out), SCREEN_CHOSEN);
    buf_free(&out);
}

/* --- the port --- */

static void type(const char *what)
{
    struct machine *m = device->machine;
    assert_int_equal(m->ops->console_write(m, what, strlen(what)), strlen(what));
}

/* What the port said, until it holds text; ten seconds at most. */
static void expect(const char *what)
{
    struct buf tail = buf_init(CONSOLE_KEPT);
    bool found = false;
    uint64_t end = uv_now(&sim.loop) + 10000;
    for (;;) {
        buf_reset(&tail);
        console_tail(device->console, &tail);
        found = tail.len > 0 && memmem(tail.p, tail.len, what, strlen(what)) != NULL;
        if (found || uv_now(&sim.loop) > end)
            break;
        uv_update_time(&sim.loop);
        sim_turn(&sim);
    }
    if (!found)
        fail_msg("'%s' did not come; the port said: %s", what, buf_str(&tail));
    buf_free(&tail);
}

static void shell_edits_lines(void **state)
{
    (void)state;
    type("echo hxx\x7f\x08i\r");
    expect("echo hxx\b \b\b \bi\r\nhi\r\nroot@pc0001:/# ");
    type("echo gr\xc3\xbc\x7f\xc3\xbcn\r\n");
    expect("\r\ngr\xc3\xbcn\r\n");
    type("nonsense\n");
    expect("nonsense: not found");
    type("half a line\x03");
    expect("half a line^C\r\nroot@pc0001:/# ");
    type("hostname\r");
    expect("\r\npc0001\r\n");
}

static void commands_for_drives(void **state)
{
    static const char *const bad[] = {"cdb\r",        "cdb cd\r",
                                      "cdb cd 0\r",   "cdb cd 000\r",
                                      "cdb dvd 00\r", "cdb cd 00 00 00 00 00 00 00 00 00 00 00 00 00\r"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        type(bad[i]);
        expect("cdb: expected cd or floppy and 1 to 12 bytes in hexadecimal\r\n");
        console_free(device->console);
        device->console = NULL;
    }
    type("cdb floppy 00 00\r");
    expect("cdb: no such device\r\nroot@");
    type("sha256sum cd\r");
    expect("sha256sum: no such device\r\nroot@");
}

static void flood_can_be_held_and_stopped(void **state)
{
    struct machine *m = device->machine;
    (void)state;
    type("flood 1000\r");
    expect("000000000015 abcdefghijklmnopqrstuvwxyz0root@pc0001:/# ");
    type("flood 1000000000\r");
    sim_turn(&sim);
    m->ops->console_flow(m, false);
    uint64_t said = console_total(device->console);
    for (unsigned i = 0; i < 5; i++)
        sim_turn(&sim);
    assert_int_equal(console_total(device->console), said);
    m->ops->console_flow(m, true);
    for (unsigned i = 0; i < 5; i++)
        sim_turn(&sim);
    assert_true(console_total(device->console) > said);
    type("\x03");
    expect("^C\r\nroot@pc0001:/# ");
}

static void boot_is_silent_without_sol(void **state)
{
    struct buf tail = buf_init(CONSOLE_KEPT);
    struct machine *m = device->machine;
    (void)state;
    m->ops->console_listen(m, true);
    assert_int_equal(power_request(device, 10), 0);
    sim_run_until_boot(&sim, device, 2);
    assert_false(m->lines.owned);
    assert_int_equal(m->ops->console_write(m, "x", 1), 0);
    expect("Boot menu");
    console_tail(device->console, &tail);
    assert_null(memmem(tail.p, tail.len, "BIOS", 4));
    type("\x1b[B\r");
    expect("pc0001, boot 2, single-user mode, system from disk");
    expect("root@pc0001:/# ");
    buf_free(&tail);
}

static void bios_speaks_when_told(void **state)
{
    (void)state;
    device->redirection.bios_speaks = true;
    device->machine->ops->console_listen(device->machine, true);
    assert_int_equal(power_request(device, 5), 0);
    sim_run_until_boot(&sim, device, 2);
    assert_true(device->machine->lines.owned);
    expect("\xBA amtsim BIOS 1.0");
    expect("Boot menu");
}

int main(void)
{
#define WITH_FLEET(test) cmocka_unit_test_setup_teardown(test, stage_16, stage_clear)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flood_is_a_function_of_the_offset),
        cmocka_unit_test(keys_move_and_choose),
        WITH_FLEET(shell_edits_lines),
        WITH_FLEET(commands_for_drives),
        WITH_FLEET(flood_can_be_held_and_stopped),
        WITH_FLEET(boot_is_silent_without_sol),
        WITH_FLEET(bios_speaks_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
