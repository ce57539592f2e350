/* Watchdogs on a simulated device: added, as they were, changed, removed; refused and half-done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/wsman/sd_bench.h"
#include "wsman/agent_presence.h"

#define GUID "6a1d6f2e-0b3c-4c1e-9d55-0123456789ab"

static struct sim sim;
static struct sd_bench bench;
static struct agent_seq as;
static struct err err;

static int start(void **state)
{
    (void)state;
    sim_start(&sim, 1, 11);
    memset(&bench, 0, sizeof(bench));
    bench.sim = &sim;
    bench.device = &sim.fleet->devices[0];
    err_clear(&err);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    agent_seq_clear(&as);
    sim_stop(&sim);
    return 0;
}

static int run(const struct agent_request *request)
{
    agent_seq_clear(&as);
    agent_seq_init(&as, request);
    err_clear(&err);
    return sd_bench_run(&bench, &as.seq, &err);
}

static struct agent_request antivirus(void)
{
    return (struct agent_request){
        .action = AGENT_ADD,
        .watchdog = {.guid = GUID,
                     .name = "antivirus",
                     .startup_s = 300,
                     .timeout_s = 60,
                     .rules = {{AGENT_ANY, AGENT_EXPIRED | AGENT_STOPPED, true, AGENT_ACTIVATES},
                               {AGENT_ANY, AGENT_RUNNING, true, AGENT_DEACTIVATES}},
                     .rule_count = 2}};
}

static void guids(void **state)
{
    static const char *const bad[] = {"",
                                      "6a1d6f2e",
                                      "6a1d6f2e-0b3c-4c1e-9d55-0123456789a",
                                      "6a1d6f2e-0b3c-4c1e-9d55-0123456789abc",
                                      "6a1d6f2e0-b3c-4c1e-9d55-0123456789ab",
                                      "6a1d6f2g-0b3c-4c1e-9d55-0123456789ab"};
    char out[AGENT_GUID_TEXT];

    (void)state;
    assert_true(agent_guid_read("6A1D6F2E-0b3c-4c1e-9d55-0123456789AB", out));
    assert_string_equal(out, GUID);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(agent_guid_read(bad[i], out));
}

static void added_changed_removed(void **state)
{
    const struct agent_request list = {.action = AGENT_READ};
    struct agent_request add = antivirus();

    (void)state;
    assert_int_equal(run(&list), 0);
    assert_true(as.there);
    assert_int_equal(as.count, 0);
    assert_int_equal(as.most, 16);
    assert_int_equal(run(&add), 0);
    assert_true(as.changed);
    assert_int_equal(run(&add), 0); /* as it is wanted */
    assert_false(as.changed);
    assert_int_equal(run(&list), 0);
    assert_int_equal(as.count, 1);
    assert_string_equal(as.dogs[0].guid, GUID);
    assert_string_equal(as.dogs[0].name, "antivirus");
    assert_int_equal(as.dogs[0].startup_s, 300);
    assert_int_equal(as.dogs[0].timeout_s, 60);
    assert_string_equal(agent_state_name(as.dogs[0].state), "not-started");
    assert_int_equal(as.dogs[0].rule_count, 2);
    assert_int_equal(as.dogs[0].rules[0].to, AGENT_EXPIRED | AGENT_STOPPED);
    assert_int_equal(as.dogs[0].rules[0].effect, AGENT_ACTIVATES);
    assert_true(as.dogs[0].rules[0].event);
    assert_int_equal(as.dogs[0].rules[1].effect, AGENT_DEACTIVATES);
    add.watchdog.timeout_s = 30;
    assert_int_equal(run(&add), 0);
    assert_true(as.changed);
    assert_int_equal(run(&list), 0);
    assert_int_equal(as.count, 1);
    assert_int_equal(as.dogs[0].timeout_s, 30);
    add.action = AGENT_REMOVE;
    assert_int_equal(run(&add), 0);
    assert_true(as.changed);
    assert_int_equal(run(&add), 0); /* not there any more */
    assert_false(as.changed);
}

static void sixteen_and_no_more(void **state)
{
    const struct agent_request none = {.action = AGENT_REMOVE_ALL};
    struct agent_request add = antivirus();

    (void)state;
    for (int i = 0; i < 17; i++) {
        snprintf(add.watchdog.guid, sizeof(add.watchdog.guid), "6a1d6f2e-0b3c-4c1e-9d55-0123456789%02x", i);
        assert_int_equal(run(&add), i < 16 ? 0 : -1);
    }
    assert_int_equal(err.cause, CAUSE_LIMIT_EXCEEDED);
    assert_int_equal(run(&none), 0);
    assert_int_equal(as.count, 0);
}

/* Every change once loses its answer: what is there in the end was wanted, or nothing of it. */
static void lost_answers(void **state)
{
    const struct agent_request add = antivirus(), list = {.action = AGENT_READ};

    (void)state;
    for (size_t at = 1; at <= 3; at++) {
        stop(NULL);
        start(NULL);
        bench.lose_at = at;
        assert_int_equal(run(&add), -1);
        bench.lose_at = 0;
        assert_int_equal(run(&add), 0);
        assert_int_equal(run(&list), 0);
        assert_int_equal(as.count, 1);
        assert_int_equal(as.dogs[0].rule_count, 2);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guids),
        TEST(added_changed_removed),
        TEST(sixteen_and_no_more),
        TEST(lost_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
