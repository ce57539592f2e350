/* log.show: the bytes of a log, in a form, perhaps following what comes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/api/console_json.h"
#include "amtd/api/log_range.h"
#include "amtd/console/hub.h"
#include "amtd/console/log_dir.h"
#include "amtd/console/text/export.h"
#include "amtd/daemon.h"
#include "base/clock.h"
#include "base/xalloc.h"

#define PORTION (64 * 1024)  /* bytes in one event, before they are put into a form */
#define TURN    (512 * 1024) /* bytes read in one go by the other thread */

struct piece {
    uint64_t offset, skipped_to; /* skipped_to 0: bytes */
    size_t begin, n;             /* in `out` */
    char why[120];
};

struct show {
    struct api_request *rq;
    struct hub *hub;
    char *name, *path;
    struct log_range range;
    bool resolved, follow, plain, gone, working, over;
    struct log_reader *reader;
    struct log_times *times;
    struct export *form;
    uint64_t at, began;
    struct buf out; /* in its form */
    struct piece pieces[2 * TURN / PORTION + 4];
    size_t count;
    struct attachment *attachment; /* while following */
    int status;
    struct err err;
};

static void show_free(struct show *s)
{
    attachment_close(s->attachment);
    log_reader_free(s->reader);
    log_times_free(s->times);
    export_free(s->form);
    buf_free(&s->out);
    free(s->name);
    free(s->path);
    free(s);
}

/* --- on the other thread --- */

static void add_out(void *arg, const void *p, size_t n)
{
    buf_add(&((struct show *)arg)->out, p, n);
}

static void end_piece(struct show *s, uint64_t offset, size_t begin)
{
    if (s->out.len > begin && s->count < sizeof(s->pieces) / sizeof(s->pieces[0]))
        s->pieces[s->count++] = (struct piece){.offset = offset, .begin = begin, .n = s->out.len - begin};
}

static void skip(struct show *s, uint64_t to, const struct err *why)
{
    struct piece *piece = &s->pieces[s->count++];
    const char *text = why ? why->text : "not in the log any more, or never";

    *piece = (struct piece){.offset = s->at, .skipped_to = to};
    snprintf(piece->why, sizeof(piece->why), "%.100s", text);
    export_gap(s->form, log_times_at(s->times, s->at), text);
    s->at = to;
}

static void read_on(struct show *s)
{
    uint8_t *portion = xmalloc(PORTION);
    size_t done = 0;

    while (s->at < s->range.to && done < TURN && s->count + 2 < sizeof(s->pieces) / sizeof(s->pieces[0])) {
        size_t want = s->range.to - s->at < PORTION ? (size_t)(s->range.to - s->at) : PORTION;
        struct err err = ERR_INIT;
        uint64_t at = s->at;
        long n = log_reader_read(s->reader, s->at, &at, portion, want, &err);

        if (n <= 0 && at <= s->at)
            at = s->range.to; /* nothing more can be had */
        if (at > s->at)
            skip(s, at < s->range.to ? at : s->range.to, n < 0 ? &err : NULL);
        if (n > 0 && s->at + (uint64_t)n > s->range.to)
            n = (long)(s->range.to - s->at);
        if (n > 0) {
            size_t begin = s->out.len;

            export_bytes(s->form, log_times_at(s->times, s->at), portion, (size_t)n);
            end_piece(s, s->at, begin);
            s->at += (uint64_t)n;
            done += (size_t)n;
        }
    }
    free(portion);
}

static void show_run(void *arg)
{
    struct show *s = arg;
    size_t begin;

    if (!s->resolved) {
        s->times = log_times_new(s->path, &s->err);
        s->reader = log_reader_new(s->path);
        s->status = s->times ? log_range_resolve(&s->range, s->times, &s->err) : -1;
        s->resolved = true;
        s->at = s->began = s->range.from;
    }
    if (s->status == 0)
        read_on(s);
    if (s->at >= s->range.to && !s->follow && s->status == 0) {
        begin = s->out.len;
        export_end(s->form);
        end_piece(s, s->at, begin);
        s->over = true;
    }
}

/* --- on the loop's thread --- */

static void show_go_on(struct show *s);

static void emit(struct show *s)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct piece *piece = &s->pieces[i];
        json_t *event = json_pack("{s:I}", "offset", (json_int_t)piece->offset);

        if (piece->skipped_to > 0) {
            json_object_set_new(event, "skipped_to", json_integer((json_int_t)piece->skipped_to));
            json_object_set_new(event, "why", json_string(piece->why));
        } else {
            json_put_bytes(event, s->out.p + piece->begin, piece->n);
        }
        api_event(s->rq, event);
    }
    s->count = 0;
    buf_reset(&s->out);
}

static void finish(struct show *s)
{
    struct api_request *rq = s->rq;

    api_on_gone(rq, NULL, NULL);
    api_on_drained(rq, NULL, NULL);
    if (s->status != 0)
        api_fail(rq, &s->err);
    else
        api_reply(rq, json_pack("{s:I, s:I}", "first", (json_int_t)s->began, "end", (json_int_t)s->at));
    show_free(s);
}

/* Following: bytes as they come. */
static size_t follow_room(void *arg)
{
    const struct show *s = arg;
    size_t backlog = api_backlog(s->rq);

    return backlog < API_HIGH_WATER ? PORTION : 0;
}

static void follow_bytes(void *arg, uint64_t offset, const uint8_t *p, size_t n)
{
    struct show *s = arg;

    export_bytes(s->form, clock_wall(clock_system()), p, n);
    end_piece(s, offset, 0);
    emit(s);
    s->at = offset + n;
}

static void follow_event(void *arg, const struct console_event *event)
{
    (void)arg;
    (void)event;
}

static void follow_closed(void *arg, const char *reason)
{
    struct show *s = arg;

    (void)reason;
    s->attachment = NULL;
    export_end(s->form);
    end_piece(s, s->at, 0);
    emit(s);
    finish(s);
}

static void follow(struct show *s)
{
    const struct attach_sink sink = {s, follow_room, follow_bytes, follow_event, NULL, follow_closed};
    struct attach_request request = {.who = api_who(s->rq),
                                     .from = "log.show",
                                     .mode = ATTACH_WATCH,
                                     .from_offset = true,
                                     .offset = s->at};
    struct console *console = hub_find(s->hub, s->name);

    if (console)
        request.right = console_right_of(api_user(s->rq), api_reach(s->rq), console_info(console).settings);
    s->attachment = console ? console_attach(console, &request, &sink, &s->err) : NULL;
    if (!s->attachment) {
        s->status = console ? -1 : 0;
        finish(s);
    }
}

static void show_done(void *arg)
{
    struct show *s = arg;

    s->working = false;
    if (!s->gone)
        emit(s);
    if (s->gone || s->status != 0 || s->over)
        finish(s);
    else
        show_go_on(s);
}

static void show_go_on(struct show *s)
{
    if (s->working || s->attachment || api_backlog(s->rq) > API_HIGH_WATER)
        return;
    if (s->resolved && s->follow && s->at >= s->range.to) {
        follow(s);
        return;
    }
    s->working = true;
    hub_work(s->hub, show_run, show_done, s);
}

static void show_drained(struct api_request *rq, void *arg)
{
    struct show *s = arg;

    (void)rq;
    if (s->attachment)
        attachment_ready(s->attachment);
    else
        show_go_on(s);
}

static void show_gone(struct api_request *rq, void *arg)
{
    struct show *s = arg;

    (void)rq;
    s->gone = true;
    if (!s->working)
        finish(s);
}

static int read_form(const json_t *params, struct show *s, struct err *err)
{
    const char *name = param_text(params, "format");
    const struct export_options options = {.title = s->name,
                                           .stamps = json_is_true(json_object_get(params, "stamps"))};
    enum export_format format = EXPORT_PLAIN;

    if (name && !export_format_by_name(name, &format))
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'format': '%s' is not one of plain, stripped, html, asciicast", name);
    s->form = export_new(format, &options, add_out, s);
    return 0;
}

void call_log_show(struct api_request *rq)
{
    const json_t *params = api_params(rq);
    struct show *s = xcalloc(1, sizeof(*s));
    struct console *console;
    struct err err = ERR_INIT;

    s->rq = rq;
    s->hub = daemon_hub(api_daemon(rq));
    s->name = xstrdup(param_text(params, "name"));
    s->out = buf_init(64 << 20);
    s->follow = json_is_true(json_object_get(params, "follow"));
    if (console_param(rq, RIGHT_WATCH, &console, &err) != 0 || log_range_read(params, &s->range, &err) != 0 ||
        read_form(params, s, &err) != 0) {
        show_free(s);
        api_fail(rq, &err);
        return;
    }
    log_range_settle(&s->range, console_log(console));
    s->path = xstrdup(clog_path(console_log(console)));
    api_on_gone(rq, show_gone, s);
    api_on_drained(rq, show_drained, s);
    show_go_on(s);
}
