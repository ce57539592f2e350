/* The System Defense service against a simulated device: what is read, what is sent, and what a lost answer
 * does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/amtsim/defense.h"
#include "tests/amtsim/defense_judge.h"
#include "tests/unit/wsman/sd_bench.h"
#include "wsman/system_defense.h"

static struct sim sim;
static struct sd_bench bench;
static struct sd_seq ss;
static struct err err;
static int round_number;

static int start(void **state)
{
    (void)state;
    sim_start(&sim, 1, 16);
    memset(&bench, 0, sizeof(bench));
    bench.sim = &sim;
    bench.device = &sim.fleet->devices[0];
    bench.device->ports = 3;
    err_clear(&err);
    round_number = 0;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    sd_seq_clear(&ss);
    sim_stop(&sim);
    return 0;
}

static const struct sd_filter dns = {
    .kind = SD_IP,
    .name = "amtd-dns-tx",
    .profile = SD_PASS_COUNT,
    .direction = SD_TX,
    .ip_version = 4,
    .protocol_given = true,
    .protocol = 17,
    .destination = {.given = true, .address = {10, 0, 0, 53}, .mask = {255, 255, 255, 255}},
    .destination_ports = {true, 53, 53},
};
static const struct sd_filter six = {
    .kind = SD_IP,
    .name = "amtd-six",
    .profile = SD_RATE_LIMIT,
    .rate = 7,
    .direction = SD_RX,
    .event = true,
    .ip_version = 6,
    .protocol_given = true,
    .protocol = 6,
    .source = {.given = true, .address = {0x20, 1, 0xd, 0xb8}, .mask = {255, 255, 255, 255}},
    .source_ports = {true, 1, 1023},
    .tcp_on = SD_TCP_SYN,
    .tcp_off = SD_TCP_ACK | SD_TCP_RST,
};
static const struct sd_filter arp = {.kind = SD_ETHERNET,
                                     .name = "amtd-arp",
                                     .profile = SD_PASS,
                                     .direction = SD_TX,
                                     .ethertype = SD_ETHERTYPE_ARP};

static void want_filter(struct sd_seq *s, const struct sd_filter *filter)
{
    sd_seq_change(s, SD_CREATE_FILTER)->filter = *filter;
}

static void want_policy(struct sd_seq *s)
{
    struct sd_policy *p = &sd_seq_change(s, SD_CREATE_POLICY)->policy;

    memcpy(p->name, "amtd-test", 10);
    p->precedence = 100;
    p->anti_spoof = 3;
    p->tx = (struct sd_default){true, false, true};
    p->rx = (struct sd_default){true, true, false};
    for (size_t i = 0; i < s->state.filter_count; i++)
        p->handles[p->count++] = s->state.filters[i].handle;
}

static void want_on(struct sd_seq *s, enum sd_verb verb, enum sd_owner owner, unsigned port)
{
    struct sd_change *change = sd_seq_change(s, verb);

    change->owner = owner;
    change->port = port;
    memcpy(change->policy.id, s->state.policies[0].id, SD_ID_MAX);
}

/* Makes everything there is, one kind a round; then reads it back; then takes it away. */
static int build(struct sd_seq *s, struct err *e)
{
    (void)e;
    switch (round_number++) {
    case 0:
        want_filter(s, &dns);
        want_filter(s, &six);
        want_filter(s, &arp);
        return SD_CARRY_OUT;
    case 1:
        want_policy(s);
        return SD_CARRY_OUT;
    case 2:
        want_on(s, SD_SET_TIMEOUT, SD_CONSOLE, 0);
        s->changes[0].minutes = 30;
        want_on(s, SD_ENABLE, SD_DEFAULT, 0);
        want_on(s, SD_ENABLE, SD_CONSOLE, 0);
        want_on(s, SD_ENABLE, SD_CONSOLE, 1);
        return SD_CARRY_OUT;
    case 3:
        return SD_READ;
    default:
        return SEQ_DONE;
    }
}

static void check_built(void)
{
    static const struct sd_filter *const made[] = {&arp, &dns, &six}; /* Ethernet filters are read first */

    assert_int_equal(ss.state.filter_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(sd_filter_same(&ss.state.filters[i], made[i]));
        assert_string_equal(ss.state.filters[i].name, made[i]->name);
    }
    assert_int_equal(ss.state.policy_count, 1);
    assert_string_equal(ss.state.policies[0].name, "amtd-test");
    assert_int_equal(ss.state.policies[0].count, 3);
    assert_int_equal(ss.state.policies[0].anti_spoof, 3);
    assert_true(ss.state.policies[0].rx.event && !ss.state.policies[0].rx.count);
    assert_true(sd_state_enabled(&ss.state, SD_CONSOLE, 0)->active);
    assert_true(sd_state_enabled(&ss.state, SD_CONSOLE, 1)->active);
    assert_false(sd_state_enabled(&ss.state, SD_DEFAULT, 0)->active);
}

static void everything_is_read_back_as_it_was_made(void **state)
{
    (void)state;
    sd_seq_init(&ss, build);
    assert_int_equal(sd_bench_run(&bench, &ss.seq, &err), 0);
    check_built();
    assert_int_equal(ss.state.limits.policies, 8);
    assert_int_equal(ss.state.limits.filters, 80);
    assert_int_equal(ss.state.port_count, 2);
    assert_string_equal(ss.state.ports[1].id, "Intel(r) AMT Ethernet Port 1");
    assert_true(ss.state.ports[0].has_limits);
    assert_int_equal(ss.state.ports[0].limits.ipv4_rx.filters, 32);
    assert_int_equal(ss.state.ports[0].limits.ipv6_ratio, 4);
    assert_int_equal(ss.reads, 2);
    assert_true(ss.changed);
    assert_int_equal(defense_policy_at(bench.device, 0)->minutes, 30);
    assert_non_null(
        strstr(bench.last, "<w:Selector Name=\"DeviceID\">Intel(r) AMT Ethernet Port 1</w:Selector>"));
}

/* The state kept up to date is the one that is read. */
static void the_state_follows_the_changes(void **state)
{
    struct sd_state kept = {0};

    (void)state;
    sd_seq_init(&ss, build);
    round_number = 0;
    assert_int_equal(sd_bench_run(&bench, &ss.seq, &err), 0);
    sd_state_copy(&kept, &ss.state);
    for (size_t i = 0; i < 3; i++)
        assert_true(sd_filter_same(&kept.filters[i], &ss.state.filters[i]));
    want_on(&ss, SD_DISABLE, SD_CONSOLE, 0);
    sd_state_apply(&kept, &ss.changes[ss.count - 1], 0, NULL);
    assert_null(sd_state_enabled(&kept, SD_CONSOLE, 0));
    assert_int_equal(sd_state_active(&kept, 0)->owner, SD_DEFAULT);
    sd_state_clear(&kept);
}

static int tear_down(struct sd_seq *s, struct err *e)
{
    (void)e;
    if (round_number++ > 0)
        return s->failure.cause == CAUSE_NONE && round_number < 3 ? SD_READ : SEQ_DONE;
    want_on(s, SD_DELETE_POLICY, SD_CONSOLE, 0); /* in use: refused */
    s->changes[0].optional = true;
    want_on(s, SD_DISABLE, SD_CONSOLE, 0);
    want_on(s, SD_DISABLE, SD_CONSOLE, 1);
    want_on(s, SD_DISABLE, SD_DEFAULT, 0);
    want_on(s, SD_DELETE_POLICY, SD_CONSOLE, 0);
    for (size_t i = 0; i < s->state.filter_count; i++)
        sd_seq_change(s, SD_DELETE_FILTER)->filter = s->state.filters[i];
    return SD_CARRY_OUT;
}

static void removing_in_order(void **state)
{
    (void)state;
    sd_seq_init(&ss, build);
    assert_int_equal(sd_bench_run(&bench, &ss.seq, &err), 0);
    sd_seq_clear(&ss);
    round_number = 0;
    sd_seq_init(&ss, tear_down);
    assert_int_equal(sd_bench_run(&bench, &ss.seq, &err), 0);
    assert_true(ss.passed_over);
    assert_int_equal(ss.state.filter_count + ss.state.policy_count + ss.state.enabled_count, 0);
    assert_int_equal(defense_policy_count(bench.device), 0);
}

static int one_filter(struct sd_seq *s, struct err *e)
{
    (void)e;
    if (round_number++ > 0)
        return SEQ_DONE;
    want_filter(s, &dns);
    want_filter(s, &arp);
    return SD_CARRY_OUT;
}

static void a_lost_answer_is_looked_up(void **state)
{
    (void)state;
    bench.lose_at = 1;
    sd_seq_init(&ss, one_filter);
    assert_int_equal(sd_bench_run(&bench, &ss.seq, &err), 0);
    assert_int_equal(ss.failure.cause, CAUSE_DROPPED);
    assert_true(ss.uncertain);
    assert_int_equal(ss.state.filter_count, 1); /* it was made, and the second one was not tried */
    assert_int_equal(ss.reads, 2);
}

static void a_refusal_is_no_uncertainty(void **state)
{
    struct plan *plan = plan_new();

    (void)state;
    plan->faults[plan->count++] = (struct fault){.kind = FAULT_FLASH_WORN};
    fault_plan_set(bench.device, plan);
    sd_seq_init(&ss, one_filter);
    assert_int_equal(sd_bench_run(&bench, &ss.seq, &err), 0);
    assert_int_equal(ss.failure.cause, CAUSE_FAULT);
    assert_false(ss.uncertain);
    assert_non_null(strstr(ss.failure.text, "0x26"));
    assert_int_equal(ss.state.filter_count, 0);
}

static void client_control_mode_offers_nothing(void **state)
{
    (void)state;
    bench.device->client_mode = true;
    round_number = 9;
    sd_seq_init(&ss, build);
    assert_int_equal(sd_bench_run(&bench, &ss.seq, &err), 0);
    assert_true(ss.state.absent);
}

static int count(struct sd_seq *s, struct err *e)
{
    (void)e;
    if (round_number == 0)
        want_on(s, SD_UPDATE_STATISTICS, SD_CONSOLE, 1);
    return round_number++ == 0 ? SD_CARRY_OUT : round_number == 2 ? SD_READ_COUNTS : SEQ_DONE;
}

static void counts_by_filter(void **state)
{
    uint8_t frame[60] = {[12] = 8, 6};

    (void)state;
    sd_seq_init(&ss, build);
    assert_int_equal(sd_bench_run(&bench, &ss.seq, &err), 0);
    sd_seq_clear(&ss);
    for (int i = 0; i < 3; i++)
        defense_judge(bench.device, 1, DEFENSE_TX, "no frame of anybody's, dropped", 30);
    assert_true(defense_judge(bench.device, 1, DEFENSE_TX, frame, sizeof(frame)));
    round_number = 0;
    sd_seq_init(&ss, count);
    assert_int_equal(sd_bench_run(&bench, &ss.seq, &err), 0);
    size_t seen = 0;
    for (size_t i = 0; i < ss.count_count; i++)
        seen += ss.counts[i].port == 1 && strcmp(ss.counts[i].name, "Tx Default") == 0 &&
                ss.counts[i].packets == 3;
    assert_int_equal(seen, 1);
    assert_false(ss.changed);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(everything_is_read_back_as_it_was_made),
        TEST(the_state_follows_the_changes),
        TEST(removing_in_order),
        TEST(a_lost_answer_is_looked_up),
        TEST(a_refusal_is_no_uncertainty),
        TEST(client_control_mode_offers_nothing),
        TEST(counts_by_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
