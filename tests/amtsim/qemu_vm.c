#include "tests/amtsim/qemu_vm.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/xalloc.h"

#define WRITE_QUEUE_MAX ((size_t)65536)
#define STDERR_KEPT     256u
#define HOW_MAX         512u

struct vm_stream {
    uv_pipe_t pipe;
    struct qemu_vm *vm;
    void (*take)(struct qemu_vm *vm, const struct vm_stream *stream, const void *p, size_t n);
    enum qemu_port port; /* of take_port */
};

struct qemu_vm {
    struct qemu_vm_events events;
    uv_process_t process;
    struct vm_stream streams[QEMU_FD_COUNT]; /* by qemu_fd; the others stay unused */
    struct qmp *qmp;
    unsigned open;  /* handles not closed yet */
    bool abandoned; /* nobody listens */
    bool dead;      /* the process has ended */
    int64_t exit_code;
    int exit_signal;
    char complaint[STDERR_KEPT]; /* the end of what it wrote to stderr */
    size_t complaint_len;
    uint8_t in[16384];
};

/* --- ending --- */

static void describe_end(const struct qemu_vm *vm, struct buf *how)
{
    const char *line = vm->complaint;
    size_t n = vm->complaint_len;
    const char *eol;

    if (vm->exit_signal != 0)
        buf_printf(how, "killed by signal %d", vm->exit_signal);
    else
        buf_printf(how, "exit code %lld", (long long)vm->exit_code);
    while (n > 0 && line[n - 1] == '\n')
        n--;
    if ((eol = memrchr(line, '\n', n)) != NULL) {
        n -= (size_t)(eol + 1 - line);
        line = eol + 1;
    }
    if (n > 0) {
        buf_puts(how, ": ");
        text_printable(how, line, n);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct qemu_vm *vm = handle->data;
    struct buf how = buf_init(HOW_MAX);

    if (--vm->open > 0)
        return;
    if (!vm->abandoned) {
        describe_end(vm, &how);
        vm->events.gone(vm->events.arg, buf_str(&how));
        buf_free(&how);
    }
    qmp_free(vm->qmp);
    free(vm);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, on_closed);
}

static void on_process_exit(uv_process_t *process, int64_t exit_code, int exit_signal)
{
    struct qemu_vm *vm = process->data;

    vm->dead = true;
    vm->exit_code = exit_code;
    vm->exit_signal = exit_signal;
    close_handle((uv_handle_t *)process);
}

void qemu_vm_kill(struct qemu_vm *vm)
{
    if (!vm->dead)
        uv_process_kill(&vm->process, SIGKILL);
}

void qemu_vm_abandon(struct qemu_vm *vm)
{
    if (vm == NULL)
        return;
    vm->abandoned = true;
    qemu_vm_kill(vm);
}

/* --- bytes in --- */

static void take_stderr(struct qemu_vm *vm, const struct vm_stream *stream, const void *p, size_t n)
{
    const char *bytes = p;
    size_t drop;

    (void)stream;
    if (n > STDERR_KEPT) {
        bytes += n - STDERR_KEPT;
        n = STDERR_KEPT;
    }
    drop = vm->complaint_len + n > STDERR_KEPT ? vm->complaint_len + n - STDERR_KEPT : 0;
    memmove(vm->complaint, vm->complaint + drop, vm->complaint_len - drop);
    memcpy(vm->complaint + vm->complaint_len - drop, bytes, n);
    vm->complaint_len += n - drop;
}

static void take_qmp(struct qemu_vm *vm, const struct vm_stream *stream, const void *p, size_t n)
{
    struct err err = ERR_INIT;

    (void)stream;
    if (vm->dead || qmp_feed(vm->qmp, p, n, &err) == 0)
        return;
    /* Without QMP it cannot be governed: better off than out of control. */
    take_stderr(vm, NULL, err.text, strlen(err.text));
    qemu_vm_kill(vm);
}

static void take_port(struct qemu_vm *vm, const struct vm_stream *stream, const void *p, size_t n)
{
    vm->events.port(vm->events.arg, stream->port, p, n);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct qemu_vm *vm = handle->data;

    (void)suggested;
    *buf = uv_buf_init((char *)vm->in, sizeof vm->in);
}

static void on_read(uv_stream_t *handle, ssize_t n, const uv_buf_t *buf)
{
    struct vm_stream *stream = (struct vm_stream *)handle;

    if (n < 0)
        close_handle((uv_handle_t *)handle);
    else if (n > 0 && !stream->vm->abandoned)
        stream->take(stream->vm, stream, buf->base, (size_t)n);
}

/* --- bytes out --- */

struct vm_write {
    uv_write_t request;
    char bytes[];
};

static void on_written(uv_write_t *request, int status)
{
    (void)status; /* a broken pipe is seen by the reader */
    free(request->data);
}

static void stream_write(struct vm_stream *stream, const void *p, size_t n)
{
    struct vm_write *w;
    uv_buf_t buf;

    if (uv_is_closing((uv_handle_t *)&stream->pipe))
        return;
    w = xmalloc(sizeof *w + n);
    memcpy(w->bytes, p, n);
    buf = uv_buf_init(w->bytes, (unsigned)n);
    w->request.data = w;
    if (uv_write(&w->request, (uv_stream_t *)&stream->pipe, &buf, 1, on_written) != 0)
        free(w);
}

static void send_qmp(void *arg, const void *p, size_t n)
{
    struct qemu_vm *vm = arg;

    stream_write(&vm->streams[QEMU_FD_QMP], p, n);
}

static struct vm_stream *serial_port(struct qemu_vm *vm, enum qemu_port port)
{
    return &vm->streams[port == QEMU_CONSOLE ? QEMU_FD_CONSOLE : QEMU_FD_AGENT];
}

size_t qemu_vm_write(struct qemu_vm *vm, enum qemu_port port, const void *p, size_t n)
{
    struct vm_stream *stream = serial_port(vm, port);
    size_t queued = uv_stream_get_write_queue_size((uv_stream_t *)&stream->pipe);
    size_t room = WRITE_QUEUE_MAX - (queued < WRITE_QUEUE_MAX ? queued : WRITE_QUEUE_MAX);

    if (n > room)
        n = room;
    if (n > 0)
        stream_write(stream, p, n);
    return n;
}

void qemu_vm_flow(struct qemu_vm *vm, enum qemu_port port, bool go)
{
    struct vm_stream *stream = serial_port(vm, port);

    if (uv_is_closing((uv_handle_t *)&stream->pipe))
        return;
    if (go)
        uv_read_start((uv_stream_t *)&stream->pipe, on_alloc, on_read);
    else if (!vm->dead)
        uv_read_stop((uv_stream_t *)&stream->pipe);
}

int qemu_vm_execute(struct qemu_vm *vm, const char *command, json_t *arguments, qmp_reply *reply, void *arg,
                    struct err *err)
{
    return qmp_execute(vm->qmp, command, arguments, reply, arg, err);
}

int qemu_vm_pid(const struct qemu_vm *vm)
{
    return vm->process.pid;
}

/* --- starting --- */

static void vm_ready(void *arg)
{
    struct qemu_vm *vm = arg;

    vm->events.ready(vm->events.arg);
}

static void vm_event(void *arg, const char *name, const json_t *data)
{
    struct qemu_vm *vm = arg;

    vm->events.event(vm->events.arg, name, data);
}

/* The streams of the process, and who takes what it says there. */
static const struct {
    void (*take)(struct qemu_vm *vm, const struct vm_stream *stream, const void *p, size_t n);
    enum qemu_fd fd;
    enum qemu_port port; /* of take_port */
} plan[] = {
    {.take = take_stderr, .fd = QEMU_FD_STDERR},
    {.take = take_qmp, .fd = QEMU_FD_QMP},
    {.take = take_port, .fd = QEMU_FD_CONSOLE, .port = QEMU_CONSOLE},
    {.take = take_port, .fd = QEMU_FD_AGENT, .port = QEMU_AGENT},
    {.take = take_port, .fd = QEMU_FD_FIRMWARE, .port = QEMU_FIRMWARE},
};
#define PLAN_COUNT (sizeof plan / sizeof plan[0])

static int spawn(struct qemu_vm *vm, char **argv, const struct qemu_vm_config *config)
{
    uv_stdio_container_t stdio[QEMU_FD_COUNT] = {{.flags = UV_IGNORE}, {.flags = UV_IGNORE}};
    uv_process_options_t options = {
        .file = argv[0],
        .args = argv,
        .stdio = stdio,
        .stdio_count = QEMU_FD_COUNT,
        .exit_cb = on_process_exit,
        /* Out of our process group: Ctrl-C at the terminal ends us, and we end it. */
        .flags = UV_PROCESS_DETACHED,
    };

    for (size_t i = 0; i < PLAN_COUNT; i++) {
        stdio[plan[i].fd].flags = UV_CREATE_PIPE | UV_READABLE_PIPE | UV_WRITABLE_PIPE;
        stdio[plan[i].fd].data.stream = (uv_stream_t *)&vm->streams[plan[i].fd].pipe;
    }
    stdio[QEMU_FD_NOTES].flags = UV_INHERIT_FD;
    stdio[QEMU_FD_NOTES].data.fd = config->notes_fd;
    stdio[QEMU_FD_SWAP].flags = UV_INHERIT_FD;
    stdio[QEMU_FD_SWAP].data.fd = config->swap_fd;
    stdio[QEMU_FD_CABLE].flags = config->cable_fd >= 0 ? UV_INHERIT_FD : UV_IGNORE;
    stdio[QEMU_FD_CABLE].data.fd = config->cable_fd;
    return uv_spawn(config->loop, &vm->process, &options);
}

static struct qemu_vm *vm_new(const struct qemu_vm_config *config, const struct qemu_vm_events *events)
{
    struct qemu_vm *vm = xcalloc(1, sizeof *vm);
    struct qmp_events qmp = {.arg = vm, .send = send_qmp, .ready = vm_ready, .event = vm_event};

    vm->events = *events;
    vm->qmp = qmp_new(&qmp);
    vm->process.data = vm;
    for (size_t i = 0; i < PLAN_COUNT; i++) {
        struct vm_stream *stream = &vm->streams[plan[i].fd];

        uv_pipe_init(config->loop, &stream->pipe, 0);
        stream->pipe.data = vm;
        stream->vm = vm;
        stream->take = plan[i].take;
        stream->port = plan[i].port;
    }
    vm->open = PLAN_COUNT + 1;
    return vm;
}

struct qemu_vm *qemu_vm_start(const struct qemu_vm_config *config, const struct machine_boot *boot,
                              const struct qemu_vm_events *events, struct err *err)
{
    struct qemu_vm *vm = vm_new(config, events);
    struct qemu_args_config args = config->args;
    char **argv;
    int rc;

    args.parent = (int)getpid();
    argv = qemu_args_new(&args, boot);
    rc = spawn(vm, argv, config);
    qemu_args_free(argv);
    if (rc != 0) {
        err_set(err, CAUSE_SYSTEM, "cannot start setpriv (util-linux): %s", uv_strerror(rc));
        vm->dead = vm->abandoned = true;
        close_handle((uv_handle_t *)&vm->process);
        for (size_t i = 0; i < PLAN_COUNT; i++)
            close_handle((uv_handle_t *)&vm->streams[plan[i].fd].pipe);
        return NULL;
    }
    for (size_t i = 0; i < PLAN_COUNT; i++)
        uv_read_start((uv_stream_t *)&vm->streams[plan[i].fd].pipe, on_alloc, on_read);
    return vm;
}
