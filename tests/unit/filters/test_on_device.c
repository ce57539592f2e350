/* The whole way: random rules become objects, go to a simulated device by WS-Management, and random frames
 * are judged there and by the definition. Nothing is shared between the two but the bytes: the device has its
 * own reader of frames and its own judgement, by its own objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/fleet/filter_work.h"
#include "base/xml.h"
#include "filters/compile.h"
#include "filters/evaluate.h"
#include "filters/explain.h"
#include "tests/amtsim/defense_judge.h"
#include "tests/unit/filters/random_rules.h"
#include "tests/unit/filters/text_file.h"
#include "tests/unit/wsman/sd_bench.h"

#define SETS   400
#define FRAMES 80
#define RULES  8

static struct sim sim;
static struct sd_bench bench;
static struct nets own; /* the host's addresses, as both sides know them */

static const struct net own4 = {.version = 4, .bits = 32, .address = 0x0a000003};
static const struct net own6 = {.version = 6, .bits = 128, .address = (net_number)0x20010db8 << 96 | 3};

static int start(void **state)
{
    static const uint8_t address4[4] = {10, 0, 0, 3};
    static const uint8_t address6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 3};

    (void)state;
    sim_start(&sim, 1, 16);
    bench = (struct sd_bench){.sim = &sim, .device = &sim.fleet->devices[0]};
    assert_true(defense_limits(bench.device, 0)->spoof4 && defense_limits(bench.device, 0)->spoof6);
    defense_learn(bench.device, 0, address4, 4);
    defense_learn(bench.device, 0, address6, 16);
    own = (struct nets){0};
    return nets_add(&own, &own4, NULL) == 0 ? nets_add(&own, &own6, NULL) : -1;
}

static int stop(void **state)
{
    (void)state;
    nets_free(&own);
    sim_stop(&sim);
    return 0;
}

/* The limits are those that the device reports: what was compiled for them it must take. */
static struct compiled *compile_for_device(const struct ruleset *rules, struct findings *findings)
{
    const struct defense_limits *l = defense_limits(bench.device, 0);
    struct sd_port_limits port = {
        .ipv4_tx = {l->filters[DEFENSE_TX], l->counters[DEFENSE_TX]},
        .ipv4_rx = {l->filters[DEFENSE_RX], l->counters[DEFENSE_RX]},
        .ipv6_tx = {l->filters6[DEFENSE_TX], l->counters6[DEFENSE_TX]},
        .ipv6_rx = {l->filters6[DEFENSE_RX], l->counters6[DEFENSE_RX]},
        .ipv6_ratio = l->ratio,
        .ipv4_anti_spoof = l->spoof4,
        .ipv6_anti_spoof = l->spoof6,
    };
    struct compile_options options = {.ports = &port, .port_count = 1, .prefix = FILTER_OURS};

    return filter_compile(rules, &options, findings);
}

static void put_there(const char *body, const struct compiled *compiled)
{
    struct filter_work work;
    struct sd_filter *filters = calloc(compiled->count + 1, sizeof(*filters));
    struct err err = ERR_INIT;

    assert_non_null(filters);
    for (size_t i = 0; i < compiled->count; i++)
        filters[i] = compiled->filters[i].filter;
    filter_work_init(&work, FILTER_APPLY);
    work.goal =
        (struct filter_goal){.policy = compiled->policy, .filters = filters, .count = compiled->count};
    if (sd_bench_run(&bench, &work.sd.seq, &err) != 0)
        fail_msg("the device does not take it: %s\n%s", err.text, body);
    filter_work_clear(&work);
    free(filters);
}

static void say(const char *body, const struct ruleset *rules, const struct compiled *compiled,
                enum sd_direction direction, const struct packet *packet, const struct verdict *verdict)
{
    struct buf text = buf_init(100000);

    compiled_text(compiled, rules, &text);
    buf_puts(&text, direction == SD_TX ? "out " : "in ");
    packet_text(packet, &text);
    buf_puts(&text, "\nby the rules: ");
    verdict_text(verdict, rules, &text);
    fail_msg("the device decides otherwise\n%s\n%s", body, buf_str(&text));
}

static void judge_frames(const char *body, const struct ruleset *rules, const struct compiled *compiled,
                         uint64_t *seed)
{
    struct limits limits = limits_init(rules);

    for (int i = 0; i < FRAMES; i++) {
        enum sd_direction direction = (enum sd_direction)random_below(seed, 2);
        struct buf frame = buf_init(1000);
        struct packet meant, packet;
        struct verdict verdict;
        bool passes;

        sim.time.mono += random_below(seed, 60);
        random_packet(seed, &meant);
        random_frame(seed, &meant, &frame);
        assert_true(packet_decode(&packet, frame.p, frame.len));
        assert_memory_equal(&packet, &meant, sizeof(packet));
        verdict = evaluate(rules, &own, &limits, direction, &packet, device_mono_ms(bench.device));
        passes =
            defense_judge(bench.device, 0, direction == SD_TX ? DEFENSE_TX : DEFENSE_RX, frame.p, frame.len);
        if (passes == verdict.drop)
            say(body, rules, compiled, direction, &packet, &verdict);
        buf_free(&frame);
    }
    limits_free(&limits);
}

static uint64_t there;

static void try_file(const char *body, const struct ruleset *rules, uint64_t *seed)
{
    struct findings findings = {0};
    struct compiled *compiled = compile_for_device(rules, &findings);

    if (compiled) {
        there++;
        put_there(body, compiled);
        sim.time.mono += 1000; /* limits begin with a second of their own */
        judge_frames(body, rules, compiled, seed);
    }
    compiled_free(compiled);
    findings_clear(&findings);
}

static void devices_decide_as_rules_say(void **state)
{
    uint64_t sets = random_files(SETS, 20260215, RULES, try_file);

    (void)state;
    print_message("%llu of %llu files were on the device\n", (unsigned long long)there,
                  (unsigned long long)sets);
    assert_true(there > sets / 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(devices_decide_as_rules_say, start, stop),
    };

    xml_library_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
