/* Scenarios and the control socket's commands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/amtsim/control.h"
#include "tests/amtsim/scenario.h"
#include "tests/unit/amtsim/sim.h"

static struct sim sim;
static struct buf report;

static int start(void **state)
{
    (void)state;
    sim_start(&sim, 20, 16);
    report = buf_init(65536);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    buf_free(&report);
    sim_stop(&sim);
    return 0;
}

static int apply(const char *yaml)
{
    struct err err = ERR_INIT;
    buf_reset(&report);
    return scenario_apply_text(sim.fleet, yaml, strlen(yaml), "s.yaml", &report, &err);
}

static void devices_differ(void **state)
{
    (void)state;
    assert_int_equal(apply("devices:\n"
                           "  - select: 2-3,127.16.0.9\n"
                           "    generation: 9\n"
                           "    control-mode: client\n"
                           "    faults:\n"
                           "      - {fault: drop, at: after-change, first: 2, on: RequestPowerStateChange}\n"
                           "      - {fault: slow}\n"
                           "  - select: '[5-6]'\n"
                           "    standby: true\n"),
                     0);
    const struct device *d = &sim.fleet->devices[8];
    assert_int_equal(d->generation->number, 9);
    assert_true(d->client_mode);
    assert_int_equal(d->plan->count, 2);
    assert_int_equal(d->plan->faults[0].at, FAULT_AT_CHANGE);
    assert_int_equal(d->plan->faults[0].first, 2);
    assert_int_equal(d->plan->faults[1].ms, 3000);
    assert_ptr_equal(d->plan, sim.fleet->devices[1].plan);
    assert_null(sim.fleet->devices[3].plan);
    assert_true(sim.fleet->devices[5].standby);
}

/* Scenario and control socket know the same faults. */
static void every_fault_has_its_name(void **state)
{
    char yaml[128];
    (void)state;
    for (int i = 0; i < FAULT_KIND_COUNT; i++) {
        snprintf(yaml, sizeof(yaml), "devices:\n  - {select: 1, faults: [{fault: %s}]}\n",
                 fault_kind_names[i]);
        assert_int_equal(apply(yaml), 0);
        assert_int_equal(sim.fleet->devices[0].plan->faults[0].kind, i);
    }
}

static void all_mistakes_at_once_with_their_place(void **state)
{
    (void)state;
    assert_int_equal(apply("devices:\n"
                           "  - select: 21\n"
                           "    generation: 10\n"
                           "    fautls: []\n"
                           "    faults:\n"
                           "      - fault: slowly\n"
                           "        ms: 0\n"
                           "  - agent: perhaps\n"),
                     -1);
    static const char *const lines[] = {
        "s.yaml:2:13: select: '21': expected devices of the fleet",
        "s.yaml:3:17: generation: '10': expected 2, 5, 6, 9, 11, 16 or 21\n",
        "s.yaml:4:5: 'fautls' is not known here: expected one of select, generation",
        "s.yaml:6:16: fault: 'slowly': expected unreachable, refused",
        "s.yaml:7:13: ms: '0': expected milliseconds from 1 to 3600000\n",
        "s.yaml:8:12: agent: 'perhaps': expected true or false\n",
        "s.yaml:8:5: 'select' is missing\n",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (strstr(buf_str(&report), lines[i]) == NULL)
            fail_msg("no '%s' in %s", lines[i], buf_str(&report));
    }
    assert_int_equal(sim.fleet->devices[0].generation->number, 16);
}

static void not_yaml(void **state)
{
    (void)state;
    assert_int_equal(apply("devices: [\n"), -1);
    assert_non_null(strstr(buf_str(&report), "s.yaml:2:1: "));
    assert_int_equal(apply(""), -1);
    assert_int_equal(apply("- 1\n"), -1);
    assert_non_null(strstr(buf_str(&report), "expected a mapping"));
}

static json_t *control(const char *line)
{
    return control_run(sim.fleet, NULL, line, strlen(line));
}

static void control_reads_and_changes(void **state)
{
    (void)state;
    json_t *a =
        control("{\"device\":\"127.16.0.3\",\"set\":{\"power\":\"off\",\"faults\":[{\"fault\":\"busy\","
                "\"how\":\"quota\",\"first\":1}]},\"get\":true}");
    assert_true(json_is_true(json_object_get(a, "ok")));
    json_t *d = json_array_get(json_object_get(a, "devices"), 0);
    assert_int_equal(json_integer_value(json_object_get(d, "device")), 3);
    assert_string_equal(json_string_value(json_object_get(d, "power")), "off");
    json_decref(a);
    assert_int_equal(sim.fleet->devices[2].machine->state, MACHINE_OFF);

    const char *text;
    assert_int_equal(
        sim_ask(&sim, &sim.fleet->devices[2], sim_request("Get", "AMT_GeneralSettings", "", ""), &text), 400);
    assert_non_null(strstr(text, "e:QuotaLimit"));
    assert_int_equal(
        sim_ask(&sim, &sim.fleet->devices[2], sim_request("Get", "AMT_GeneralSettings", "", ""), &text), 200);

    a = control("{\"device\":3,\"record\":true}");
    d = json_array_get(json_object_get(a, "devices"), 0);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(d, "classes"), "AMT_GeneralSettings")), 2);
    assert_int_equal(json_array_size(json_object_get(d, "events")), 1);
    json_decref(a);
}

static void control_says_what_is_wrong(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "",
        "[1]",
        "{\"device\":99,\"get\":true}",
        "{\"get\":true}",
        "{\"device\":1,\"set\":{\"colour\":1}}",
        "{\"device\":1,\"set\":{\"faults\":[{\"fault\":\"none\"}]}}",
        "{\"device\":1,\"set\":3}",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        json_t *a = control(lines[i]);
        assert_true(json_is_false(json_object_get(a, "ok")));
        assert_true(strlen(json_string_value(json_object_get(a, "error"))) > 10);
        json_decref(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(devices_differ, start, stop),
        cmocka_unit_test_setup_teardown(every_fault_has_its_name, start, stop),
        cmocka_unit_test_setup_teardown(all_mistakes_at_once_with_their_place, start, stop),
        cmocka_unit_test_setup_teardown(not_yaml, start, stop),
        cmocka_unit_test_setup_teardown(control_reads_and_changes, start, stop),
        cmocka_unit_test_setup_teardown(control_says_what_is_wrong, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
