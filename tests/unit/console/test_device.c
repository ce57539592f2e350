/* What a serial line tells of the machine behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "amtd/console/device.h"
#include "amtd/console/source.h"

#define ALL (SOURCE_DCD | SOURCE_DSR | SOURCE_CTS | SOURCE_RI)

/* Three wires, or a machine that was off from the beginning: nobody knows. */
static void lines_never_on(void **state)
{
    struct device d = {0};

    (void)state;
    assert_false(device_lines(&d, ALL, 0));
    assert_false(device_lines(&d, ALL, SOURCE_CTS | SOURCE_RI));
    assert_false(device_lines(&d, 0, ALL)); /* not known to the port */
    assert_int_equal(d.state, DEVICE_UNKNOWN);
    assert_string_equal(device_state_name(d.state), "");
}

static void on_and_off(void **state)
{
    struct device d = {0};

    (void)state;
    assert_true(device_lines(&d, ALL, SOURCE_DSR));
    assert_int_equal(d.state, DEVICE_CONNECTED);
    assert_false(device_lines(&d, ALL, SOURCE_DCD | SOURCE_CTS));
    assert_true(device_lines(&d, ALL, SOURCE_CTS));
    assert_string_equal(device_state_name(d.state), "powered off");
    assert_true(device_lines(&d, ALL, SOURCE_DCD));
    assert_string_equal(device_state_name(d.state), "connected");
}

static void port_comes_and_goes(void **state)
{
    struct device d = {0};

    (void)state;
    assert_true(device_down(&d, true));
    assert_string_equal(device_state_name(d.state), "unplugged");
    assert_false(device_down(&d, true));
    assert_true(device_down(&d, false));
    assert_true(device_lines(&d, ALL, SOURCE_DCD));
    assert_true(device_down(&d, true));
    assert_true(device_lines(&d, ALL, 0)); /* plugged in again, with the machine off */
    assert_int_equal(d.state, DEVICE_POWERED_OFF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_never_on),
        cmocka_unit_test(on_and_off),
        cmocka_unit_test(port_comes_and_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
