/* Presence pings and what they find. (reference wsman.md, 1.6) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/amtsim/rmcp.h"
#include "tests/unit/amtsim/sim.h"

static const uint8_t ping[] = {6, 0, 0, 6, 0, 0, 0x11, 0xbe, 0x80, 0x2a, 0, 0};

static void says_who_it_is(void **state)
{
    static const uint8_t pong_9[] = {6,    0,    0,    6,    0,    0, 0x11, 0xbe, 0x40, 0x2a, 0, 16, 0, 0,
                                     0x01, 0x57, 0x42, 0x60, 0x90, 2, 0,    0x20, 0,    0,    0, 0,  0, 0};
    struct sim sim;
    uint8_t out[RMCP_PONG_LEN];

    (void)state;
    sim_start(&sim, 1, 9);
    struct device *device = &sim.fleet->devices[0];
    assert_int_equal(rmcp_answer(device, ping, sizeof(ping), out), sizeof(pong_9));
    out[18] &= 0xf0; /* the minor version */
    assert_memory_equal(out, pong_9, sizeof(pong_9));
    device->tls = DEVICE_TLS_SERVER;
    assert_int_equal(rmcp_answer(device, ping, sizeof(ping), out), RMCP_PONG_LEN);
    assert_int_equal(out[17], 0x61);
    sim_stop(&sim);

    sim_start(&sim, 1, 16);
    assert_int_equal(rmcp_answer(&sim.fleet->devices[0], ping, sizeof(ping), out), RMCP_PONG_LEN);
    assert_int_equal(out[18], 0);
    assert_int_equal(out[22], 16);
    sim_stop(&sim);
}

static void not_set_up_it_has_no_port(void **state)
{
    struct sim sim;
    uint8_t out[RMCP_PONG_LEN];
    struct plan *plan = plan_new();

    (void)state;
    sim_start(&sim, 1, 11);
    struct device *device = &sim.fleet->devices[0];
    plan->faults[plan->count++] = (struct fault){.kind = FAULT_NOT_PROVISIONED};
    fault_plan_set(device, plan);
    assert_int_equal(rmcp_answer(device, ping, sizeof(ping), out), RMCP_PONG_LEN);
    assert_int_equal(out[16] | out[17] | out[19], 0);
    device->settings.dhcp = false;
    assert_int_equal(rmcp_answer(device, ping, sizeof(ping), out), 0);
    sim_stop(&sim);
}

static void is_silent_when_it_should(void **state)
{
    struct sim sim;
    uint8_t out[RMCP_PONG_LEN], other[sizeof(ping)];

    (void)state;
    sim_start(&sim, 1, 16);
    struct device *device = &sim.fleet->devices[0];
    for (size_t n = 0; n < sizeof(ping); n++)
        assert_int_equal(rmcp_answer(device, ping, n, out), 0);
    static const size_t fixed[] = {0, 3, 4, 5, 6, 7, 8};
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        memcpy(other, ping, sizeof(ping));
        other[fixed[i]] ^= 1;
        assert_int_equal(rmcp_answer(device, other, sizeof(other), out), 0);
    }
    device->settings.rmcp_ping = false;
    assert_int_equal(rmcp_answer(device, ping, sizeof(ping), out), 0);
    sim_stop(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_who_it_is),
        cmocka_unit_test(not_set_up_it_has_no_port),
        cmocka_unit_test(is_silent_when_it_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
