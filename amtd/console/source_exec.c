#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "amtd/console/child.h"
#include "amtd/console/sources.h"
#include "base/xalloc.h"

#define LAST_WORDS_MS 500 /* what a program wrote before it ended is waited for so long */
#define LAST_EXIT_MS  500 /* a program whose terminal is closed is given so long to end by itself */

struct exec_source {
    struct source base;
    uv_loop_t *loop;
    struct streams *streams;
    const struct source_settings *settings;
    struct stream *stream;
    struct child *child;
    uv_timer_t timer;
    bool wants;
    bool over, good; /* the program has ended */
    char how[80];
};

static struct exec_source *self(struct source *source)
{
    return (struct exec_source *)source;
}

static void end(struct exec_source *x)
{
    uv_timer_stop(&x->timer);
    stream_close(x->stream, 0);
    x->stream = NULL;
    if (x->child)
        child_forget(x->child);
    x->child = NULL;
    x->wants = false;
}

/* Both the terminal and the program are at their end, or have had their time. */
static void report(struct exec_source *x)
{
    struct err why = ERR_INIT;
    bool good = x->over && x->good;

    err_set(&why, CAUSE_DROPPED, "%s", x->over ? x->how : "the program closed its terminal");
    end(x);
    x->base.events.down(x->base.events.arg, good ? NULL : &why);
}

static void on_timer(uv_timer_t *timer)
{
    report(timer->data);
}

static void on_ended(void *arg, bool good, const char *how)
{
    struct exec_source *x = arg;

    x->child = NULL;
    x->over = true;
    x->good = good;
    snprintf(x->how, sizeof(x->how), "%s", how);
    if (x->stream)
        uv_timer_start(&x->timer, on_timer, LAST_WORDS_MS, 0);
    else
        report(x);
}

static void on_up(void *arg)
{
    struct exec_source *x = arg;

    x->base.events.up(x->base.events.arg);
}

static void on_bytes(void *arg, const uint8_t *p, size_t n)
{
    struct exec_source *x = arg;

    x->base.events.bytes(x->base.events.arg, p, n);
}

static void on_drained(void *arg)
{
    struct exec_source *x = arg;

    if (x->wants) {
        x->wants = false;
        x->base.events.drained(x->base.events.arg);
    }
}

static void on_down(void *arg, const struct err *failure)
{
    struct exec_source *x = arg;

    (void)failure;
    stream_close(x->stream, 0);
    x->stream = NULL;
    if (x->over)
        report(x);
    else
        uv_timer_start(&x->timer, on_timer, LAST_EXIT_MS, 0);
}

static int exec_open(struct source *source, struct err *err)
{
    struct exec_source *x = self(source);
    const struct stream_events events = {x, on_up, on_bytes, on_drained, on_down};
    int fd;

    x->over = false;
    x->child = child_start(x->loop, x->settings->command, &fd, on_ended, x, err);
    if (!x->child)
        return -1;
    x->stream = stream_adopt(x->streams, fd, 0, &events, err);
    if (!x->stream) {
        end(x);
        return -1;
    }
    return 0;
}

static void exec_close(struct source *source)
{
    end(self(source));
}

static size_t exec_write(struct source *source, const void *p, size_t n)
{
    struct exec_source *x = self(source);
    size_t taken = x->stream ? stream_write(x->stream, p, n) : 0;

    x->wants = x->wants || taken < n;
    return taken;
}

static int exec_break(struct source *source, int64_t ms, struct err *err)
{
    (void)source;
    (void)ms;
    return err_set(err, CAUSE_UNSUPPORTED, "a command has no break of its own; configure one as text");
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void exec_destroy(struct source *source)
{
    exec_close(source);
    uv_close((uv_handle_t *)&self(source)->timer, on_closed);
}

static const struct source_ops ops = {"exec", exec_open, exec_close, exec_write, exec_break, exec_destroy};

static struct source *create(void *context, const struct source_settings *settings,
                             const struct source_events *events, struct err *err)
{
    struct exec_source *x = xcalloc(1, sizeof(*x));

    (void)err;
    x->base.ops = &ops;
    x->base.events = *events;
    x->streams = context;
    x->loop = streams_loop(context);
    x->settings = settings;
    uv_timer_init(x->loop, &x->timer);
    x->timer.data = x;
    return &x->base;
}

struct source_kind source_exec_kind(struct streams *streams)
{
    return (struct source_kind){SOURCE_EXEC, create, streams};
}
