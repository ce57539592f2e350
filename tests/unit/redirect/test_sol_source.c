/* Consoles of kind `amt` against amtsim: coming up, bytes, power, what firmware refuses, and bad days. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/redirect/sol_source.h"
#include "base/buf.h"
#include "tests/unit/redirect/redirect_bench.h"

#define GOT_MAX (256 * 1024 * 1024)
#define GOOD    "P@ssw0rd1"

struct scene {
    struct redirect_bench b;
    struct source_kind kind;
    struct source_settings settings;
    struct source *source;
    int ups, downs;
    struct err why;
    struct buf got, notes;
    unsigned signals;
    const char *wanted; /* text that is waited for */
    bool destroy_in_bytes;
};

/* --- the console's part --- */

static void on_up(void *arg)
{
    ((struct scene *)arg)->ups++;
}

static void on_down(void *arg, const struct err *why)
{
    struct scene *s = arg;

    s->downs++;
    s->why = why ? *why : (struct err)ERR_INIT;
}

static void on_bytes(void *arg, const uint8_t *p, size_t n)
{
    struct scene *s = arg;

    buf_add(&s->got, p, n);
    if (s->destroy_in_bytes) {
        s->source->ops->destroy(s->source);
        s->source = NULL;
    }
}

static void on_drained(void *arg)
{
    (void)arg;
}

static void on_signals(void *arg, unsigned known, unsigned on)
{
    assert_int_equal(known, SOURCE_DSR);
    ((struct scene *)arg)->signals = on;
}

static void on_note(void *arg, const char *text)
{
    struct scene *s = arg;

    buf_puts(&s->notes, text);
    buf_puts(&s->notes, "\n");
}

static struct source *make(struct scene *s)
{
    const struct source_events events = {s, on_up, on_down, on_bytes, on_drained, on_signals, on_note};
    struct err err = ERR_INIT;

    return s->kind.create(s->kind.context, &s->settings, &events, &err);
}

static void begin(struct scene *s, const char *device, const char *password)
{
    memset(s, 0, sizeof(*s));
    redirect_bench_init(&s->b, device, password);
    s->got = buf_init(GOT_MAX);
    s->notes = buf_init(4096);
    s->kind = sol_source_kind(s->b.redirect);
    s->settings.host = (char *)"pc1";
    s->source = make(s);
    assert_non_null(s->source);
    assert_int_equal(s->source->ops->open(s->source, NULL), 0);
}

static void end(struct scene *s)
{
    if (s->source)
        s->source->ops->destroy(s->source);
    redirect_bench_clear(&s->b);
    buf_free(&s->got);
    buf_free(&s->notes);
}

static bool is_decided(const void *arg)
{
    const struct scene *s = arg;

    return s->ups > 0 || s->downs > 0;
}

static bool is_down(const void *arg)
{
    return ((const struct scene *)arg)->downs > 0;
}

static bool has_wanted(const void *arg)
{
    const struct scene *s = arg;

    return s->downs > 0 ||
           (s->got.len > 0 && memmem(s->got.p, s->got.len, s->wanted, strlen(s->wanted)) != NULL);
}

static bool has_noted(const void *arg)
{
    const struct scene *s = arg;

    return s->downs > 0 || strstr(buf_str(&s->notes), s->wanted) != NULL;
}

static void comes_up(struct scene *s)
{
    redirect_bench_until(&s->b, is_decided, s);
    if (s->downs > 0)
        fail_msg("%s: %s", cause_name(s->why.cause), s->why.text);
}

static void types(struct scene *s, const char *text)
{
    assert_int_equal(s->source->ops->write(s->source, text, strlen(text)), strlen(text));
}

static void sees(struct scene *s, const char *text)
{
    s->wanted = text;
    redirect_bench_until(&s->b, has_wanted, s);
    if (s->downs > 0)
        fail_msg("%s: %s", cause_name(s->why.cause), s->why.text);
}

static void notes(struct scene *s, const char *text)
{
    s->wanted = text;
    redirect_bench_until(&s->b, has_noted, s);
    if (s->downs > 0)
        fail_msg("%s: %s", cause_name(s->why.cause), s->why.text);
}

/* --- good days --- */

static void speaks_with_the_machine(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, "generation: 16", GOOD);
    comes_up(&s);
    assert_int_equal(s.source->ops->send_break(s.source, 100, &s.why), -1);
    assert_int_equal(s.why.cause, CAUSE_UNSUPPORTED);
    types(&s, "\r");
    sees(&s, "# ");
    types(&s, "echo so far away\r");
    sees(&s, "\nso far away");
    assert_int_equal(s.signals, SOURCE_DSR);
    s.source->ops->close(s.source);
    assert_int_equal(s.source->ops->write(s.source, "x", 1), 0);
    s.source->ops->open(s.source, NULL);
    redirect_bench_until(&s.b, is_decided, &s);
    assert_int_equal(s.downs, 0);
    end(&s);
}

static void sees_the_boot_that_power_starts(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, "generation: 16", GOOD);
    comes_up(&s);
    buf_reset(&s.got);
    assert_int_equal(redirect_bench_power(&s.b, "cycle"), CAUSE_NONE);
    assert_string_equal(s.b.announced, "pc1 test power cycle");
    sees(&s, "BIOS"); /* shown with UseSOL alone */
    sees(&s, "# ");
    assert_int_equal(s.downs, 0);
    assert_int_equal(s.ups, 1);
    assert_int_equal(redirect_bench_power(&s.b, "off"), CAUSE_NONE);
    assert_int_equal(s.downs, 0);
    end(&s);
}

static void steps_aside_where_firmware_holds_power(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, "generation: 6, session-holds-power: true", GOOD);
    comes_up(&s);
    buf_reset(&s.got);
    assert_int_equal(redirect_bench_power(&s.b, "cycle"), CAUSE_NONE);
    notes(&s, "set aside");
    notes(&s, "the console is back");
    sees(&s, "BIOS");
    assert_int_equal(s.ups, 1);
    assert_int_equal(s.downs, 0);
    types(&s, "\r");
    sees(&s, "# ");
    end(&s);
}

static void switches_on_what_is_off(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, "generation: 11, redirection: none, listener: false", GOOD);
    comes_up(&s);
    assert_non_null(strstr(buf_str(&s.notes), "switched on, its listener opened"));
    end(&s);
}

/* --- refusals --- */

static void a_wrong_password(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, "generation: 16", "wrong");
    redirect_bench_until(&s.b, is_decided, &s);
    assert_int_equal(s.downs, 1);
    assert_int_equal(s.why.cause, CAUSE_AUTH_FAILED);
    end(&s);
}

static void one_session_at_a_time(void **state)
{
    struct scene s;
    struct source *second;

    (void)state;
    begin(&s, "generation: 16", GOOD);
    comes_up(&s);
    second = make(&s);
    second->ops->open(second, NULL);
    redirect_bench_until(&s.b, is_down, &s);
    assert_int_equal(s.why.cause, CAUSE_IN_USE);
    second->ops->destroy(second);
    end(&s);
}

/* --- bad days --- */

static void falls(const char *device, enum cause cause)
{
    struct scene s;

    begin(&s, device, GOOD);
    redirect_bench_until(&s.b, is_down, &s);
    if (s.why.cause != cause)
        fail_msg("%s: %s: %s", device, cause_name(s.why.cause), s.why.text);
    end(&s);
}

static void the_line_breaks(void **state)
{
    (void)state;
    falls("generation: 16, faults: [{fault: redirection-drop, at: open}]", CAUSE_DROPPED);
    falls("generation: 16, faults: [{fault: redirection-drop, at: login}]", CAUSE_DROPPED);
}

static void nonsense_comes(void **state)
{
    (void)state;
    falls("generation: 16, faults: [{fault: redirection-garbage, at: start}]", CAUSE_BAD_ANSWER);
    falls("generation: 16, faults: [{fault: redirection-false-length, at: login}]", CAUSE_BAD_ANSWER);
}

static void the_device_stalls(void **state)
{
    (void)state;
    falls("generation: 16, faults: [{fault: redirection-stall, at: login}]", CAUSE_TIMEOUT);
    falls("generation: 16, faults: [{fault: redirection-half-open, at: start}]", CAUSE_TIMEOUT);
}

static void heartbeats_stop(void **state)
{
    (void)state;
    falls("generation: 16, faults: [{fault: redirection-no-heartbeat}]", CAUSE_TIMEOUT);
}

static void a_flood_arrives_whole(void **state)
{
    struct scene s;
    size_t n = 20 * 1000 * 1000;

    (void)state;
    begin(&s, "generation: 16", GOOD);
    comes_up(&s);
    types(&s, "\r");
    sees(&s, "# ");
    buf_reset(&s.got);
    types(&s, "flood 20000000\r");
    while (s.got.len < n && s.downs == 0)
        uv_run(&s.b.loop, UV_RUN_ONCE);
    assert_int_equal(s.downs, 0);
    buf_reset(&s.got);
    types(&s, "\x03\recho all there\r");
    sees(&s, "\nall there");
    end(&s);
}

static void may_be_destroyed_while_bytes_come(void **state)
{
    struct scene s;

    (void)state;
    begin(&s, "generation: 16", GOOD);
    comes_up(&s);
    types(&s, "\r");
    sees(&s, "# ");
    s.destroy_in_bytes = true;
    types(&s, "flood 1000000\r");
    while (s.source)
        uv_run(&s.b.loop, UV_RUN_ONCE);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speaks_with_the_machine),
        cmocka_unit_test(sees_the_boot_that_power_starts),
        cmocka_unit_test(steps_aside_where_firmware_holds_power),
        cmocka_unit_test(switches_on_what_is_off),
        cmocka_unit_test(a_wrong_password),
        cmocka_unit_test(one_session_at_a_time),
        cmocka_unit_test(the_line_breaks),
        cmocka_unit_test(nonsense_comes),
        cmocka_unit_test(the_device_stalls),
        cmocka_unit_test(heartbeats_stop),
        cmocka_unit_test(a_flood_arrives_whole),
        cmocka_unit_test(may_be_destroyed_while_bytes_come),
    };

    return cmocka_run_group_tests_name("sol_source", tests, NULL, NULL);
}
