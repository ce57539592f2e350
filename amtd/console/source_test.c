#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/console/sources.h"
#include "base/xalloc.h"

#define STEP_MS  20 /* between two portions of lines */
#define ECHO_MAX 65536

struct test_source {
    struct source base;
    const struct source_settings *settings;
    uv_timer_t timer;
    bool open, up;
    uint64_t line, begun_ms, written;
    char echo[ECHO_MAX];
    size_t echo_n;
};

static struct test_source *self(struct source *source)
{
    return (struct test_source *)source;
}

/* What the rate has earned since the link came up, in whole lines. */
static void write_lines(struct test_source *t)
{
    uint64_t gone = uv_now(t->timer.loop) - t->begun_ms;
    uint64_t due = (uint64_t)t->settings->rate * gone / 1000;
    char text[8192];
    size_t n = 0;

    while (t->written < due && n + 100 < sizeof(text)) {
        int part = snprintf(text + n, sizeof(text) - n,
                            "line %010" PRIu64 " of the test source, which writes by itself\r\n", t->line++);

        n += (size_t)part;
        t->written += (size_t)part;
    }
    if (n > 0)
        t->base.events.bytes(t->base.events.arg, (const uint8_t *)text, n);
}

static void on_timer(uv_timer_t *timer)
{
    struct test_source *t = timer->data;
    char echo[ECHO_MAX];
    size_t n = t->echo_n;

    if (!t->up) {
        t->up = true;
        t->begun_ms = uv_now(timer->loop);
        t->written = 0;
        uv_timer_stop(timer);
        if (t->settings->rate > 0)
            uv_timer_start(timer, on_timer, STEP_MS, STEP_MS);
        t->base.events.up(t->base.events.arg);
        return;
    }
    if (n > 0) {
        memcpy(echo, t->echo, n);
        t->echo_n = 0;
        t->base.events.bytes(t->base.events.arg, (const uint8_t *)echo, n);
        if (t->open && n == ECHO_MAX)
            t->base.events.drained(t->base.events.arg);
    }
    if (t->open && t->settings->rate > 0)
        write_lines(t);
}

static int test_open(struct source *source, struct err *err)
{
    struct test_source *t = self(source);

    (void)err;
    t->open = true;
    t->up = false;
    t->echo_n = 0;
    uv_timer_start(&t->timer, on_timer, 0, 0);
    return 0;
}

static void test_close(struct source *source)
{
    self(source)->open = self(source)->up = false;
    uv_timer_stop(&self(source)->timer);
}

static size_t test_write(struct source *source, const void *p, size_t n)
{
    struct test_source *t = self(source);
    size_t room = ECHO_MAX - t->echo_n, taken = n < room ? n : room;

    if (!t->up)
        return 0;
    if (!t->settings->echo)
        return n;
    memcpy(t->echo + t->echo_n, p, taken);
    t->echo_n += taken;
    if (t->settings->rate == 0)
        uv_timer_start(&t->timer, on_timer, 0, 0);
    return taken;
}

static int test_break(struct source *source, int64_t ms, struct err *err)
{
    static const char text[] = "<break>\r\n";

    (void)ms;
    (void)err;
    test_write(source, text, sizeof(text) - 1);
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void test_destroy(struct source *source)
{
    test_close(source);
    uv_close((uv_handle_t *)&self(source)->timer, on_closed);
}

static const struct source_ops ops = {"test", test_open, test_close, test_write, test_break, test_destroy};

static struct source *create(void *context, const struct source_settings *settings,
                             const struct source_events *events, struct err *err)
{
    struct test_source *t = xcalloc(1, sizeof(*t));

    (void)err;
    t->base.ops = &ops;
    t->base.events = *events;
    t->settings = settings;
    uv_timer_init(context, &t->timer);
    t->timer.data = t;
    return &t->base;
}

struct source_kind source_test_kind(uv_loop_t *loop)
{
    return (struct source_kind){SOURCE_TEST, create, loop};
}
