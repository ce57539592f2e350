/* A console with a source that does what it is told, and a clock that stands still until told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/console/console_internal.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "tests/unit/console/log_bench.h"

static struct log_bench b;
static struct timers timers;
static struct console_env env;
static struct traffic total;
static const struct traffic_marks marks = {.window_ms = 10000};
static struct console_settings settings;
static struct console *console;
static uint64_t last_id;
static int connects; /* that the hub lets begin */

/* --- the source --- */

struct fake {
    struct source base;
    int opened, closed, breaks;
    bool fails;
    size_t room;
    struct buf typed;
};
static struct fake *fake;

static int fake_open(struct source *s, struct err *err)
{
    struct fake *f = (struct fake *)s;

    f->opened++;
    return f->fails ? err_set(err, CAUSE_REFUSED, "no such thing") : 0;
}

static void fake_close(struct source *s)
{
    ((struct fake *)s)->closed++;
}

static size_t fake_write(struct source *s, const void *p, size_t n)
{
    struct fake *f = (struct fake *)s;
    size_t taken = n < f->room ? n : f->room;

    buf_add(&f->typed, p, taken);
    f->room -= taken;
    return taken;
}

static int fake_break(struct source *s, int64_t ms, struct err *err)
{
    (void)ms;
    (void)err;
    ((struct fake *)s)->breaks++;
    return 0;
}

static void fake_destroy(struct source *s)
{
    buf_free(&((struct fake *)s)->typed);
    free(s);
}

static struct source *fake_create(void *context, const struct source_settings *set,
                                  const struct source_events *events, struct err *err)
{
    static const struct source_ops ops = {"fake",     fake_open,  fake_close,
                                          fake_write, fake_break, fake_destroy};

    (void)context;
    (void)set;
    (void)err;
    fake = xcalloc(1, sizeof(*fake));
    fake->base.ops = &ops;
    fake->base.events = *events;
    fake->room = 1000;
    fake->typed = buf_init(10000);
    return &fake->base;
}

static void up(void)
{
    fake->base.events.up(fake->base.events.arg);
}

static void down(const char *text)
{
    struct err err = ERR_INIT;

    err_set(&err, CAUSE_DROPPED, "%s", text);
    fake->base.events.down(fake->base.events.arg, &err);
}

static void says(const char *text)
{
    fake->base.events.bytes(fake->base.events.arg, (const uint8_t *)text, strlen(text));
    console_flush(console);
}

/* --- the hub --- */

static const struct source_kind *kind(void *arg, enum source_type type)
{
    static const struct source_kind fake_kind = {SOURCE_TEST, fake_create, NULL};

    (void)arg;
    return type == SOURCE_TEST ? &fake_kind : NULL;
}

static bool may_connect(void *arg, struct console *c, bool retry)
{
    (void)arg;
    (void)c;
    (void)retry;
    return connects-- > 0;
}

static void noted(void *arg)
{
    (void)arg;
}

static void nothing(void *arg, struct console *c)
{
    (void)arg;
    (void)c;
}

static char happened[4000];

static void on_event(void *arg, struct console *c, const struct console_event *e)
{
    (void)arg;
    (void)c;
    snprintf(happened + strlen(happened), sizeof(happened) - strlen(happened), "%s:%s ",
             e->what == CONSOLE_DID ? journal_kind_name(e->kind) : "is", console_state_name(e->state));
}

static uint64_t next_id(void *arg)
{
    (void)arg;
    return ++last_id;
}

static uint32_t middle(void *arg, uint32_t below)
{
    (void)arg;
    return below / 2;
}

static int setup(void **state)
{
    (void)state;
    bench_setup(&b);
    memset(&timers, 0, sizeof(timers));
    env = (struct console_env){.clock = &b.clock,
                               .total = &total,
                               .total_marks = &marks,
                               .timers = &timers,
                               .store = b.store,
                               .kind = kind,
                               .connect = may_connect,
                               .connected = nothing,
                               .hurry = nothing,
                               .noted = noted,
                               .dirty = nothing,
                               .behind = nothing,
                               .event = on_event,
                               .next_id = next_id,
                               .random = middle};
    console_settings_init(&settings);
    settings.name = strdup("c0");
    happened[0] = '\0';
    connects = 1000;
    return 0;
}

static int teardown(void **state)
{
    console_free(console, "the test ends");
    console_settings_clear(&settings);
    timers_clear(&timers);
    (void)state;
    bench_teardown(&b);
    return 0;
}

static void begin(void)
{
    struct err err = ERR_INIT;

    console = console_new(&env, &settings, &err);
    assert_non_null(console);
    console_start(console);
}

static void pass(int64_t ms)
{
    b.fake.mono += ms;
    b.fake.wall += ms;
    timers_run(&timers, b.fake.mono);
}

static enum console_state state_of(void)
{
    return console_info(console).state;
}

/* --- somebody attached --- */

struct person {
    struct attachment *attachment;
    struct buf seen;
    size_t room;
    char heard[2000];
    bool ended;
};

static size_t person_room(void *arg)
{
    return ((struct person *)arg)->room;
}

static void person_bytes(void *arg, uint64_t offset, const uint8_t *p, size_t n)
{
    (void)offset;
    buf_add(&((struct person *)arg)->seen, p, n);
}

static void person_event(void *arg, const struct console_event *e)
{
    static const char *const names[] = {"is", "did", "wanted", "dropped"};
    struct person *p = arg;

    snprintf(p->heard + strlen(p->heard), sizeof(p->heard) - strlen(p->heard), "%s ",
             e->what == CONSOLE_DID ? journal_kind_name(e->kind) : names[e->what]);
}

static void person_closed(void *arg, const char *reason)
{
    struct person *p = arg;

    (void)reason;
    p->attachment = NULL;
    p->ended = true;
}

static struct attachment *come(struct person *p, const char *who, enum attach_mode mode,
                               enum console_right right)
{
    const struct attach_sink sink = {p, person_room, person_bytes, person_event, NULL, person_closed};
    const struct attach_request request = {.who = who, .from = "test", .right = right, .mode = mode};

    *p = (struct person){.seen = buf_init(100000), .room = 1000};
    p->attachment = console_attach(console, &request, &sink, NULL);
    return p->attachment;
}

static void go(struct person *p)
{
    attachment_close(p->attachment);
    buf_free(&p->seen);
}

/* --- the link --- */

static void connects_and_logs(void **state)
{
    (void)state;
    begin();
    assert_int_equal(state_of(), CONSOLE_CONNECTING);
    up();
    assert_int_equal(state_of(), CONSOLE_UP);
    says("hello\n");
    assert_int_equal(clog_end(console_log(console)), 6);
    assert_string_equal(happened, "is:connecting up:up ");
}

/* 1, 2, 4, ... 60 s, and only a link that stayed up for a while begins anew. */
static void waits_grow_until_the_link_is_stable(void **state)
{
    static const int64_t waits[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000};

    (void)state;
    begin();
    for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
        up();
        pass(29999); /* not long enough */
        down("cut");
        assert_int_equal(state_of(), CONSOLE_WAITING);
        pass(waits[i] - 2);
        assert_int_equal(state_of(), CONSOLE_WAITING);
        pass(3);
        assert_int_equal(state_of(), CONSOLE_CONNECTING);
    }
    up();
    pass(30000);
    down("cut");
    pass(1001);
    assert_int_equal(state_of(), CONSOLE_CONNECTING);
}

static void failures_are_told_once(void **state)
{
    (void)state;
    begin();
    down("refused");
    for (int i = 0; i < 5; i++) {
        pass(120000);
        down("refused");
    }
    assert_null(strstr(strstr(happened, "down:") + 5, "down:")); /* one of them only */
    pass(120000);
    down("no route");
    assert_non_null(strstr(strstr(happened, "down:") + 5, "down:"));
}

static void stands_in_line_when_the_hub_says_so(void **state)
{
    (void)state;
    connects = 0;
    begin();
    assert_int_equal(fake->opened, 0);
    assert_int_equal(state_of(), CONSOLE_CONNECTING);
    console_granted(console);
    assert_int_equal(fake->opened, 1);
}

static void cannot_even_begin(void **state)
{
    (void)state;
    connects = 0;
    begin();
    fake->fails = true;
    console_granted(console);
    assert_int_equal(state_of(), CONSOLE_WAITING);
    assert_string_equal(console_info(console).reason, "no such thing");
}

static void on_demand_only_while_somebody_is_there(void **state)
{
    struct person p;

    (void)state;
    settings.on_demand = true;
    begin();
    assert_int_equal(state_of(), CONSOLE_IDLE);
    come(&p, "anna", ATTACH_WATCH, RIGHT_WRITE);
    assert_int_equal(state_of(), CONSOLE_CONNECTING);
    up();
    go(&p);
    assert_int_equal(state_of(), CONSOLE_IDLE);
    assert_int_equal(fake->closed, 1);
}

static void taken_down_stays_down(void **state)
{
    (void)state;
    begin();
    up();
    console_down(console, "anna");
    assert_int_equal(state_of(), CONSOLE_DOWN);
    pass(1000000);
    assert_int_equal(state_of(), CONSOLE_DOWN);
    console_up(console, "anna");
    assert_int_equal(state_of(), CONSOLE_CONNECTING);
}

static void silence_is_answered(void **state)
{
    (void)state;
    settings.idle_ms = 5000;
    settings.idle_text = strdup("\\r?");
    settings.initial_text = strdup("^C");
    begin();
    up();
    assert_memory_equal(fake->typed.p, "\003", 1);
    pass(4999);
    assert_int_equal(fake->typed.len, 1);
    pass(1);
    assert_string_equal(buf_str(&fake->typed), "\003\r?");
    says("x");
    pass(4999);
    assert_int_equal(fake->typed.len, 3);
}

static void silence_without_text_connects_again(void **state)
{
    (void)state;
    settings.idle_ms = 5000;
    begin();
    up();
    pass(5000);
    assert_int_equal(state_of(), CONSOLE_WAITING);
    assert_int_equal(fake->closed, 1);
}

static void break_as_configured(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    settings.break_text = strdup("a\\z\\d#.\\z");
    begin();
    assert_int_equal(console_break(console, "anna", '0', 0, &err), -1);
    up();
    assert_int_equal(console_break(console, "anna", '0', 0, &err), 0);
    assert_int_equal(fake->breaks, 1);
    assert_string_equal(buf_str(&fake->typed), "a");
    assert_int_equal(console_break(console, "anna", '0', 0, &err), -1); /* one at a time */
    pass(250);
    assert_int_equal(fake->breaks, 2);
    assert_string_equal(buf_str(&fake->typed), "a#.");
}

static void breaks_by_key(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    console_settings_break(&settings, '2', "\\r~^b");
    console_settings_break(&settings, 'a', "\\z\\z");
    begin();
    up();
    assert_int_equal(console_break(console, "anna", '2', 0, &err), 0);
    assert_string_equal(buf_str(&fake->typed), "\r~\002");
    assert_int_equal(console_break(console, "anna", 'a', 1000, &err), 0);
    assert_int_equal(fake->breaks, 2);
    assert_int_equal(console_break(console, "anna", '3', 0, &err), -1);
    assert_int_equal(err.cause, CAUSE_NOT_FOUND);
}

static void signals_are_told(void **state)
{
    (void)state;
    begin();
    up();
    fake->base.events.signals(fake->base.events.arg, SOURCE_DCD | SOURCE_DSR, SOURCE_DSR);
    assert_non_null(strstr(happened, "signals:"));
    assert_int_equal(console_info(console).signals_on, SOURCE_DSR);
}

/* --- sharing --- */

static void one_writes_others_watch(void **state)
{
    struct person anna, ben, eve;
    struct err err = ERR_INIT;

    (void)state;
    begin();
    up();
    come(&anna, "anna", ATTACH_WRITE, RIGHT_CONTROL);
    come(&ben, "ben", ATTACH_WRITE, RIGHT_WRITE);
    come(&eve, "eve", ATTACH_WATCH, RIGHT_WRITE);
    assert_string_equal(console_info(console).writer, "anna");
    assert_int_equal(attachment_write(anna.attachment, "ls\r", 3), 3);
    assert_int_equal(attachment_write(ben.attachment, "rm\r", 3), 3); /* taken, and dropped */
    assert_int_equal(attachment_write(eve.attachment, "rm\r", 3), 3);
    assert_string_equal(buf_str(&fake->typed), "ls\r");
    assert_non_null(strstr(ben.heard, "dropped"));
    assert_non_null(strstr(anna.heard, "wanted")); /* ben stands in line */
    assert_int_equal(attachment_request(eve.attachment, &err), -1);
    assert_int_equal(err.cause, CAUSE_DENIED);
    assert_int_equal(attachment_force(eve.attachment, &err), -1);
    assert_int_equal(err.cause, CAUSE_DENIED);
    assert_int_equal(attachment_force(ben.attachment, &err), -1); /* he may write, when nobody does */
    assert_int_equal(err.cause, CAUSE_DENIED);
    says("file\n");
    assert_string_equal(buf_str(&anna.seen), "file\n");
    assert_string_equal(buf_str(&eve.seen), "file\n");
    attachment_release(anna.attachment, &err);
    assert_string_equal(console_info(console).writer, "ben");
    attachment_force(anna.attachment, &err);
    assert_string_equal(console_info(console).writer, "anna");
    go(&anna);
    assert_string_equal(console_info(console).writer, "ben");
    assert_int_equal(console_disconnect(console, attachment_id(ben.attachment), "root", &err), 0);
    assert_true(ben.ended);
    assert_string_equal(console_info(console).writer, ""); /* never eve, who only watches */
    go(&ben);
    go(&eve);
}

static void rights_are_kept(void **state)
{
    struct person p;

    (void)state;
    begin();
    assert_null(come(&p, "eve", ATTACH_WATCH, RIGHT_NONE));
    buf_free(&p.seen);
    assert_null(come(&p, "eve", ATTACH_FORCE, RIGHT_WATCH));
    buf_free(&p.seen);
    assert_null(come(&p, "eve", ATTACH_FORCE, RIGHT_WRITE));
    buf_free(&p.seen);
    assert_null(come(&p, "eve", ATTACH_WRITE, RIGHT_WATCH));
    buf_free(&p.seen);
    assert_non_null(come(&p, "eve", ATTACH_WATCH, RIGHT_WATCH));
    go(&p);
}

static void slow_typing_is_held_back(void **state)
{
    struct person p;

    (void)state;
    begin();
    up();
    come(&p, "anna", ATTACH_WRITE, RIGHT_WRITE);
    fake->room = 2;
    assert_int_equal(attachment_write(p.attachment, "abc", 3), 2);
    go(&p);
}

static void slow_reader_catches_up_and_dead_one_is_ended(void **state)
{
    struct person slow;

    (void)state;
    begin();
    up();
    come(&slow, "slow", ATTACH_WATCH, RIGHT_WATCH);
    slow.room = 0;
    for (int i = 0; i < 100; i++)
        says("0123456789");
    assert_int_equal(slow.seen.len, 0);
    slow.room = 100000;
    while (console_pump(console))
        ;
    assert_int_equal(slow.seen.len, 1000);
    assert_int_equal(console_disconnect(console, attachment_id(slow.attachment), "root", NULL), 0);
    go(&slow);
}

static void messages_reach_those_they_are_for(void **state)
{
    struct person anna, ben;

    (void)state;
    begin();
    come(&anna, "anna", ATTACH_WATCH, RIGHT_WATCH);
    come(&ben, "ben", ATTACH_WATCH, RIGHT_WATCH);
    anna.heard[0] = ben.heard[0] = '\0';
    assert_int_equal(console_message(console, "ben", "hi", attachment_id(anna.attachment), NULL), 0);
    assert_string_equal(anna.heard, "message ");
    assert_string_equal(ben.heard, "");
    assert_int_equal(console_message(console, "ben", "hi", 999, NULL), -1);
    go(&anna);
    go(&ben);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(connects_and_logs),
        T(waits_grow_until_the_link_is_stable),
        T(failures_are_told_once),
        T(stands_in_line_when_the_hub_says_so),
        T(cannot_even_begin),
        T(on_demand_only_while_somebody_is_there),
        T(taken_down_stays_down),
        T(silence_is_answered),
        T(silence_without_text_connects_again),
        T(break_as_configured),
        T(breaks_by_key),
        T(signals_are_told),
        T(one_writes_others_watch),
        T(rights_are_kept),
        T(slow_typing_is_held_back),
        T(slow_reader_catches_up_and_dead_one_is_ended),
        T(messages_reach_those_they_are_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
