#include "amtd/reactions/capture.h"

#include <stdlib.h>

#include "amtd/console/log_dir.h"
#include "amtd/console/text/export.h"
#include "base/buf.h"
#include "base/xalloc.h"

#define PORTION 65536

struct capture {
    uv_timer_t timer;
    struct hub *hub;
    char *console, *path;
    size_t lines;
    uint64_t from, to;
    struct buf text;
    bool begun;
    void (*done)(void *arg, const char *text);
    void *arg;
};

static void timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void capture_end(struct capture *c)
{
    c->done(c->arg, c->text.len > 0 ? buf_str(&c->text) : NULL);
    buf_free(&c->text);
    free(c->console);
    free(c->path);
    uv_close((uv_handle_t *)&c->timer, timer_closed);
}

static void add_text(void *arg, const void *p, size_t n)
{
    buf_add(arg, p, n);
}

/* On another thread. */
static void read_lines(void *job)
{
    struct capture *c = job;
    struct log_reader *reader = log_reader_new(c->path);
    struct export *form = export_new(EXPORT_STRIPPED, &(struct export_options){0}, add_text, &c->text);
    uint8_t *portion = xmalloc(PORTION);
    uint64_t at = c->from;

    while (at < c->to) {
        uint64_t begin = at;
        long n = log_reader_read(reader, at, &begin, portion, PORTION, NULL);

        if (n <= 0)
            break;
        export_bytes(form, 0, portion, (size_t)n);
        at = begin + (uint64_t)n;
    }
    export_end(form);
    export_free(form);
    log_reader_free(reader);
    free(portion);
}

static void lines_read(void *job)
{
    capture_end(job);
}

static void begin(struct capture *c)
{
    struct console *console = hub_find(c->hub, c->console);
    struct clog *log = console ? console_log(console) : NULL;

    c->begun = true;
    if (!log) {
        capture_end(c);
        return;
    }
    clog_settle(log);
    c->to = clog_end(log);
    c->from = clog_back(log, c->lines, CAPTURE_BYTES_MAX);
    c->path = xstrdup(clog_path(log));
    hub_work(c->hub, read_lines, lines_read, c);
}

static void on_timer(uv_timer_t *timer)
{
    begin(timer->data);
}

struct capture *capture_start(uv_loop_t *loop, struct hub *hub, const char *console, size_t lines,
                              int64_t wait_ms, void (*done)(void *arg, const char *text), void *arg)
{
    struct capture *c = xcalloc(1, sizeof(*c));

    c->hub = hub;
    c->console = xstrdup(console);
    c->lines = lines;
    c->text = buf_init((size_t)2 * CAPTURE_BYTES_MAX);
    c->done = done;
    c->arg = arg;
    uv_timer_init(loop, &c->timer);
    c->timer.data = c;
    uv_timer_start(&c->timer, on_timer, (uint64_t)wait_ms, 0);
    return c;
}

void capture_hurry(struct capture *c)
{
    if (c->begun)
        return;
    uv_timer_stop(&c->timer);
    begin(c);
}
