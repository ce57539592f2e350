/* Events on a real store: raised, told in order, found again by filters, removed by age and size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "amtd/store/event.h"
#include "base/log.h"
#include "base/xalloc.h"

#define HEARD_MAX 64

struct scene {
    char dir[64];
    struct seal *seal;
    struct store *store;
    uv_loop_t loop;
    uv_async_t wake;
    struct clock_fake fake;
    struct clock clock;
    struct events *events;
    struct event_listener listener;
    int64_t ids[HEARD_MAX];
    size_t heard, unwritten;
    bool quiet;
    /* a question to the store */
    struct event_filter filter;
    size_t limit;
    struct event *found;
    size_t count;
    bool over;
};

static void wakes(void *arg)
{
    struct scene *s = arg;

    uv_async_send(&s->wake);
}

static void on_wake(uv_async_t *async)
{
    struct scene *s = async->data;

    store_reap(s->store);
}

static void hear(void *arg, const struct event *event)
{
    struct scene *s = arg;

    if (s->quiet) { /* only counted */
        s->unwritten += event->id == 0;
        s->heard++;
        return;
    }
    assert_true(s->heard < HEARD_MAX);
    s->ids[s->heard++] = event->id;
}

static int setup(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));
    const struct event_limits limits = {0, 0};
    char *path, *key;

    strncpy(s->dir, "/tmp/amtd-test-event.XXXXXX", sizeof(s->dir) - 1);
    assert_non_null(mkdtemp(s->dir));
    path = xasprintf("%s/amtd.db", s->dir);
    key = xasprintf("%s/key", s->dir);
    uv_loop_init(&s->loop);
    uv_async_init(&s->loop, &s->wake, on_wake);
    s->wake.data = s;
    s->seal = seal_open(key, 1, NULL);
    s->store = store_open(path, s->seal, wakes, s, NULL);
    assert_non_null(s->store);
    s->fake.wall = 1000000;
    s->clock = clock_fake_init(&s->fake);
    s->events = events_new(&s->loop, s->store, &s->clock, &limits);
    s->listener.event = hear;
    s->listener.arg = s;
    events_listen(s->events, &s->listener);
    free(path);
    free(key);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"amtd.db", "amtd.db-wal", "amtd.db-shm", "key"};
    struct scene *s = *state;

    events_free(s->events);
    store_close(s->store);
    uv_close((uv_handle_t *)&s->wake, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    uv_loop_close(&s->loop);
    seal_free(s->seal);
    for (size_t i = 0; i < 4; i++) {
        char *path = xasprintf("%s/%s", s->dir, names[i]);

        unlink(path);
        free(path);
    }
    rmdir(s->dir);
    free(s);
    return 0;
}

static void raise_one(struct scene *s, enum event_kind kind, enum severity severity, const char *host,
                      const char *console, const char *text)
{
    event_raise(s->events, &(struct event_report){.kind = kind,
                                                  .severity = severity,
                                                  .host = host,
                                                  .console = console,
                                                  .guarded = console && strcmp(console, "safe") == 0,
                                                  .text = text,
                                                  .data = json_pack("{s:s}", "of", text)});
}

static void wait_for(struct scene *s, size_t heard)
{
    while (s->heard < heard)
        uv_run(&s->loop, UV_RUN_ONCE);
}

static int ask_work(struct tx *tx, void *data, struct err *err)
{
    struct scene *s = data;

    return tx_events(tx, &s->filter, s->limit, &s->found, &s->count, err);
}

static void asked(void *data, const struct err *failure)
{
    struct scene *s = data;

    assert_null(failure);
    s->over = true;
}

/* The texts of what the store finds, one after the other. The filter's references are taken over. */
static const char *ask(struct scene *s, struct event_filter filter, size_t limit)
{
    static char out[1000];

    s->filter = filter;
    s->limit = limit;
    s->over = false;
    store_submit(s->store, ask_work, asked, s);
    while (!s->over)
        uv_run(&s->loop, UV_RUN_ONCE);
    out[0] = '\0';
    for (size_t i = 0; i < s->count; i++) {
        assert_string_equal(json_string_value(json_object_get(s->found[i].data, "of")), s->found[i].text);
        strncat(out, s->found[i].text, 20);
        assert_true(event_matches(&filter, &s->found[i]));
        event_clear(&s->found[i]);
    }
    free(s->found);
    json_decref((json_t *)filter.kinds);
    json_decref((json_t *)filter.hosts);
    json_decref((json_t *)filter.consoles);
    json_decref((json_t *)filter.visible);
    json_decref((json_t *)filter.known);
    return out;
}

static void told_in_order_and_found_again(void **state)
{
    struct scene *s = *state;

    raise_one(s, EVENT_PATTERN, SEVERITY_CRITICAL, "pc1", "pc1", "a");
    raise_one(s, EVENT_FLOOD, SEVERITY_WARNING, NULL, "rack1-b", "b");
    s->fake.wall += 1000;
    raise_one(s, EVENT_STEADY, SEVERITY_INFO, NULL, "rack2", "c");
    raise_one(s, EVENT_ACTION, SEVERITY_WARNING, "pc2", NULL, "d");
    raise_one(s, EVENT_PATTERN, SEVERITY_WARNING, NULL, "safe", "e");
    assert_int_equal(s->heard, 0);
    wait_for(s, 5);
    for (int64_t i = 0; i < 5; i++)
        assert_int_equal(s->ids[i], i + 1);

    assert_string_equal(ask(s, (struct event_filter){0}, 100), "abcde");
    assert_string_equal(ask(s, (struct event_filter){0}, 2), "de");
    assert_string_equal(ask(s, (struct event_filter){.after_id = 1}, 2), "bc");
    assert_string_equal(ask(s, (struct event_filter){.before_id = 4}, 2), "bc");
    assert_string_equal(ask(s, (struct event_filter){.since_ms = 1001000}, 100), "cde");
    assert_string_equal(ask(s, (struct event_filter){.until_ms = 1001000}, 100), "ab");
    assert_string_equal(ask(s, (struct event_filter){.severity = SEVERITY_WARNING}, 100), "abde");
    assert_string_equal(ask(s, (struct event_filter){.kinds = json_pack("[ss]", "pattern", "steady")}, 100),
                        "ace");
    assert_string_equal(ask(s, (struct event_filter){.hosts = json_pack("[s]", "pc*")}, 100), "ad");
    assert_string_equal(ask(s, (struct event_filter){.consoles = json_pack("[ss]", "rack?-*", "pc1")}, 100),
                        "ab");
}

static void who_may_not_watch_sees_nothing(void **state)
{
    struct scene *s = *state;

    raise_one(s, EVENT_FLOOD, SEVERITY_INFO, NULL, NULL, "a");
    raise_one(s, EVENT_FLOOD, SEVERITY_INFO, NULL, "mine", "b");
    raise_one(s, EVENT_FLOOD, SEVERITY_INFO, NULL, "theirs", "c");
    raise_one(s, EVENT_FLOOD, SEVERITY_INFO, NULL, "gone", "d");
    raise_one(s, EVENT_FLOOD, SEVERITY_INFO, NULL, "safe", "e");
    wait_for(s, 5);
    assert_string_equal(ask(s,
                            (struct event_filter){.visible = json_pack("[s]", "mine"),
                                                  .known = json_pack("[ss]", "mine", "theirs")},
                            100),
                        "abd");
}

/* Ten thousand in a moment: all are told in their order, what is too much for the store is told as well, and
 * the oldest go in portions while others come. */
static void a_flood(void **state)
{
    struct scene *s = *state;

    s->quiet = true;
    log_set_level(LOG_LEVEL_ERR);
    events_set_limits(s->events, &(struct event_limits){.keep_bytes = 100000});
    for (int i = 0; i < 12000; i++)
        raise_one(s, EVENT_PATTERN, SEVERITY_INFO, NULL, "c", "a line that was found in a console");
    wait_for(s, 12000);
    assert_int_equal(s->unwritten, 2000);
    for (int i = 0; i < 10; i++) { /* and it goes on after that */
        raise_one(s, EVENT_PATTERN, SEVERITY_INFO, NULL, "c", "z");
        wait_for(s, 12001 + (size_t)i);
    }
    while (ask(s, (struct event_filter){.before_id = 9000}, 1)[0])
        ;
    s->quiet = false;
    log_set_level(LOG_LEVEL_INFO);
    assert_string_equal(ask(s, (struct event_filter){0}, 3), "zzz");
}

static void the_oldest_go(void **state)
{
    struct scene *s = *state;
    char text[EVENT_TEXT_MAX + 100];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    raise_one(s, EVENT_FLOOD, SEVERITY_INFO, NULL, NULL, "a");
    s->fake.wall += 5000;
    raise_one(s, EVENT_FLOOD, SEVERITY_INFO, NULL, NULL, "b");
    raise_one(s, EVENT_FLOOD, SEVERITY_INFO, NULL, NULL, "c");
    wait_for(s, 3);
    events_set_limits(s->events, &(struct event_limits){.keep_ms = 3000});
    assert_string_equal(ask(s, (struct event_filter){0}, 100), "bc");
    events_set_limits(s->events, &(struct event_limits){.keep_bytes = 100});
    assert_string_equal(ask(s, (struct event_filter){0}, 100), "c");
    /* and by itself, when what comes is too much; never used again is a number */
    event_raise(s->events, &(struct event_report){.kind = EVENT_FLOOD, .text = text});
    wait_for(s, 4);
    assert_string_equal(ask(s, (struct event_filter){0}, 100), "");
    raise_one(s, EVENT_FLOOD, SEVERITY_INFO, NULL, NULL, "d");
    wait_for(s, 5);
    assert_int_equal(s->ids[4], 5);
    assert_string_equal(ask(s, (struct event_filter){0}, 100), "d");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(told_in_order_and_found_again, setup, teardown),
        cmocka_unit_test_setup_teardown(who_may_not_watch_sees_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_flood, setup, teardown),
        cmocka_unit_test_setup_teardown(the_oldest_go, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
