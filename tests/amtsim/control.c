#include "tests/amtsim/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <utlist.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/xalloc.h"
#include "tests/amtsim/console.h"
#include "tests/amtsim/control_set.h"
#include "tests/amtsim/defense.h"
#include "tests/amtsim/record.h"
#include "tests/amtsim/selection.h"

#define LINE_MAX_BYTES (1u << 20)

/* --- commands --- */

static json_t *failure(const struct err *err)
{
    return json_pack("{s:b, s:s}", "ok", 0, "error", err->text);
}

/* "device" may be a number, an address or a list as text; "all": true means all. */
static int read_devices(struct fleet *fleet, const json_t *request, struct selection *s, struct err *err)
{
    char text[24];
    const json_t *device = json_object_get(request, "device");
    const char *list = json_is_true(json_object_get(request, "all")) ? "all" : json_string_value(device);
    if (json_is_integer(device)) {
        snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(device));
        list = text;
    }
    if (list == NULL) {
        *s = (struct selection){0};
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "expected \"device\": a number, an address or a list; or \"all\": true");
    }
    return selection_parse(s, fleet, list, err);
}

static json_t *do_get(struct device *d)
{
    return control_get(d);
}

static json_t *do_record(struct device *d)
{
    char address[16];
    json_t *o = record_json(d);
    json_object_set_new(o, "device", json_integer((json_int_t)d->index + 1));
    json_object_set_new(o, "address", json_string(device_address(d, address)));
    return o;
}

/* A serial port speaks bytes, JSON speaks text: what is no UTF-8 (the kept part may begin inside a character)
 * becomes '?', as NUL does. */
static json_t *text_of(struct buf *b)
{
    bool whole = text_is_utf8(b->p, b->len);
    for (size_t i = 0; i < b->len; i++) {
        if (b->p[i] == 0 || (b->p[i] >= 0x80 && !whole))
            b->p[i] = '?';
    }
    return json_stringn(buf_str(b), b->len);
}

static json_t *do_console(struct device *d)
{
    struct buf tail = buf_init(CONSOLE_KEPT);
    if (d->machine->ops->console_listen != NULL)
        d->machine->ops->console_listen(d->machine, true);
    console_tail(d->console, &tail);
    json_t *o = json_pack("{s:i, s:I, s:o}", "device", (int)d->index + 1, "bytes",
                          (json_int_t)console_total(d->console), "console", text_of(&tail));
    buf_free(&tail);
    return o;
}

static json_t *do_defense(struct device *d)
{
    return defense_json(d);
}

static json_t *do_clear(struct device *d)
{
    record_clear(d);
    return json_pack("{s:i}", "device", (int)d->index + 1);
}

static const struct {
    const char *name;
    json_t *(*run)(struct device *d);
} reads[] = {
    {"get", do_get},         {"record", do_record},   {"clear", do_clear},
    {"console", do_console}, {"defense", do_defense},
};

static json_t *fleet_json(const struct fleet *f)
{
    return json_pack("{s:b, s:i, s:I, s:I}", "ok", 1, "devices", (int)f->count, "peers_refused",
                     (json_int_t)f->peers_refused, "no_device", (json_int_t)f->no_device);
}

static json_t *run_on(struct fleet *fleet, struct listener *listener, const json_t *request,
                      const struct selection *s)
{
    struct err err = ERR_INIT;
    json_t *list = json_array(), *changes = json_object_get(request, "set");
    for (size_t i = 0; i < s->count && changes != NULL; i++) {
        if (!json_is_object(changes))
            err_set(&err, CAUSE_INVALID_ARGUMENT, "set: expected an object");
        if (err.cause == CAUSE_NONE)
            control_set(s->devices[i], changes, &err);
    }
    if (changes != NULL && err.cause == CAUSE_NONE && listener != NULL)
        listener_update(listener, &err);
    (void)fleet;
    for (size_t k = 0; k < sizeof(reads) / sizeof(reads[0]) && err.cause == CAUSE_NONE; k++) {
        if (!json_is_true(json_object_get(request, reads[k].name)))
            continue;
        for (size_t i = 0; i < s->count; i++)
            json_array_append_new(list, reads[k].run(s->devices[i]));
    }
    if (err.cause == CAUSE_NONE)
        return json_pack("{s:b, s:o}", "ok", 1, "devices", list);
    json_decref(list);
    return failure(&err);
}

json_t *control_run(struct fleet *fleet, struct listener *listener, const char *line, size_t n)
{
    json_error_t e;
    struct err err = ERR_INIT;
    struct selection s;
    json_t *request = json_loadb(line, n, JSON_REJECT_DUPLICATES, &e), *answer;
    if (!json_is_object(request)) {
        err_set(&err, CAUSE_INVALID_ARGUMENT, "expected a JSON object on one line: %s", e.text);
        json_decref(request);
        return failure(&err);
    }
    if (json_is_true(json_object_get(request, "fleet"))) {
        answer = fleet_json(fleet);
    } else {
        answer = read_devices(fleet, request, &s, &err) == 0 ? run_on(fleet, listener, request, &s)
                                                             : failure(&err);
        selection_clear(&s);
    }
    json_decref(request);
    return answer;
}

/* --- the socket --- */

struct client {
    uv_pipe_t pipe; /* first */
    struct control *control;
    struct buf in;
    struct client *prev, *next;
};

struct control {
    uv_pipe_t pipe; /* first: freed in its close callback */
    struct fleet *fleet;
    struct listener *listener;
    struct client *clients;
};

struct reply {
    uv_write_t req; /* first */
    char *text;
};

static void on_client_closed(uv_handle_t *handle)
{
    struct client *c = (struct client *)handle;
    buf_free(&c->in);
    free(c);
}

static void drop(struct client *c)
{
    if (uv_is_closing((uv_handle_t *)&c->pipe))
        return;
    DL_DELETE(c->control->clients, c);
    uv_close((uv_handle_t *)&c->pipe, on_client_closed);
}

static void on_replied(uv_write_t *req, int status)
{
    struct reply *r = (struct reply *)req;
    (void)status;
    free(r->text);
    free(r);
}

static void answer_line(struct client *c, const char *line, size_t n)
{
    json_t *answer = control_run(c->control->fleet, c->control->listener, line, n);
    struct reply *r = xcalloc(1, sizeof(*r));
    char *text = json_dumps(answer, JSON_COMPACT);
    json_decref(answer);
    r->text = xasprintf("%s\n", text != NULL ? text : "{\"ok\":false}");
    free(text);
    uv_buf_t b = uv_buf_init(r->text, (unsigned)strlen(r->text));
    if (uv_write(&r->req, (uv_stream_t *)&c->pipe, &b, 1, on_replied) != 0) {
        free(r->text);
        free(r);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *b)
{
    struct client *c = (struct client *)handle;
    (void)suggested;
    uint8_t *room = buf_room(&c->in, 4096);
    *b = uv_buf_init((char *)room, room != NULL ? 4096 : 0);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
    struct client *c = (struct client *)stream;
    const char *end;
    (void)b;
    if (n < 0) {
        drop(c);
        return;
    }
    buf_added(&c->in, (size_t)n);
    while (c->in.len > 0 && (end = memchr(c->in.p, '\n', c->in.len)) != NULL) {
        size_t line = (size_t)(end - (const char *)c->in.p);
        answer_line(c, (const char *)c->in.p, line);
        buf_consume(&c->in, line + 1);
    }
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct control *control = (struct control *)stream;
    if (status != 0)
        return;
    struct client *c = xcalloc(1, sizeof(*c));
    c->control = control;
    c->in = buf_init(LINE_MAX_BYTES);
    uv_pipe_init(control->fleet->loop, &c->pipe, 0);
    DL_APPEND(control->clients, c);
    if (uv_accept(stream, (uv_stream_t *)&c->pipe) != 0 ||
        uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read) != 0)
        drop(c);
}

/* A socket file nobody listens on any more is removed. */
static int clear_path(const char *path, struct err *err)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct stat st;
    if (strlen(path) >= sizeof(a.sun_path))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "--control %s: longer than %zu bytes", path,
                       sizeof(a.sun_path) - 1);
    if (lstat(path, &st) != 0)
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "--control %s: something else is there", path);
    memcpy(a.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool alive = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
    if (fd >= 0)
        close(fd);
    if (alive)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "--control %s: another amtsim listens there", path);
    unlink(path);
    return 0;
}

static void on_control_closed(uv_handle_t *handle)
{
    free(handle);
}

struct control *control_new(struct fleet *fleet, struct listener *listener, const char *path, struct err *err)
{
    if (clear_path(path, err) != 0)
        return NULL;
    struct control *c = xcalloc(1, sizeof(*c));
    c->fleet = fleet;
    c->listener = listener;
    uv_pipe_init(fleet->loop, &c->pipe, 0);
    mode_t old = umask(0177);
    int e = uv_pipe_bind(&c->pipe, path);
    umask(old);
    if (e == 0)
        e = uv_listen((uv_stream_t *)&c->pipe, 16, on_connection);
    if (e == 0)
        return c;
    err_set(err, CAUSE_SYSTEM, "--control %s: %s", path, uv_strerror(e));
    uv_close((uv_handle_t *)&c->pipe, on_control_closed);
    return NULL;
}

void control_free(struct control *control)
{
    struct client *c, *tmp;
    if (control == NULL)
        return;
    DL_FOREACH_SAFE(control->clients, c, tmp)
    {
        drop(c);
    }
    uv_close((uv_handle_t *)&control->pipe, on_control_closed); /* libuv removes the path */
}
