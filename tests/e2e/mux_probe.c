/* A bare client of amtd, for tests: one call, or one console.
 *
 *   mux_probe SOCKET call NAME [PARAMS]      events and the reply, one JSON object a line; exit 1 on a
 * failure mux_probe SOCKET console PARAMS          bytes from and to standard output and input; what happens
 * goes to standard error, one JSON object a line. Ends with its input, or when the console ends it. A line
 * "!CALL PARAMS" on descriptor 3 is a call on the same connection; in PARAMS, CHANNEL stands for its channel
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "amtd/mux/mux.h"
#include "base/clock.h"
#include "base/xalloc.h"

struct probe {
    struct mux *mux;
    int fd;
    uint32_t console, events;
    bool accepted, over, input_over;
    int status;
    struct buf request, command;
};

/* CHANNEL stands for the console's channel. */
static void write_call(const struct probe *p, struct buf *out, const char *name, const char *params)
{
    const char *mark = strstr(params, "CHANNEL");

    buf_printf(out, "{\"call\": \"%s\", \"params\": ", name);
    if (mark)
        buf_printf(out, "%.*s%u%s}\n", (int)(mark - params), params, p->console, mark + 7);
    else
        buf_printf(out, "%s}\n", params);
}

static void on_accepted(void *arg, uint32_t channel)
{
    struct probe *p = arg;

    if (channel == p->console) {
        p->accepted = true;
        p->events = mux_open(p->mux, "call", "", 0);
    } else if (channel == p->events) {
        buf_reset(&p->request);
        write_call(p, &p->request, "console.events", "{\"channel\": CHANNEL}");
        mux_write(p->mux, channel, p->request.p, p->request.len);
    } else {
        mux_write(p->mux, channel, p->request.p, p->request.len);
    }
}

static void on_rejected(void *arg, uint32_t channel, struct view reason)
{
    struct probe *p = arg;

    (void)channel;
    fprintf(stderr, "rejected: %.*s\n", (int)reason.n, (const char *)reason.p);
    p->status = 1;
    p->over = true;
}

static void on_data(void *arg, uint32_t channel, const uint8_t *data, size_t n)
{
    struct probe *p = arg;
    FILE *out = p->console != 0 && channel != p->console ? stderr : stdout;

    fwrite(data, 1, n, out);
    fflush(out);
    mux_consumed(p->mux, channel, n);
    if (!p->console && memmem(data, n, "{\"failure\"", 10))
        p->status = 1;
}

static void on_closed(void *arg, uint32_t channel)
{
    struct probe *p = arg;

    if (channel == p->console || p->console == 0)
        p->over = true;
}

static int dial(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    exit(2);
}

static void flush(struct probe *p)
{
    struct view out;

    while ((out = mux_output(p->mux)).n > 0) {
        ssize_t n = write(p->fd, out.p, out.n);

        if (n <= 0) {
            p->over = true;
            return;
        }
        mux_sent(p->mux, (size_t)n);
    }
}

static void read_commands(struct probe *p)
{
    char block[4096];
    ssize_t n = read(3, block, sizeof(block));
    char *end;

    buf_add(&p->command, block, n > 0 ? (size_t)n : 0);
    while (p->command.len > 0 && (end = memchr(p->command.p, '\n', p->command.len))) {
        char *line = xstrndup((const char *)p->command.p, (size_t)(end - (char *)p->command.p));
        char *blank = strchr(line, ' ');

        buf_consume(&p->command, strlen(line) + 1);
        if (line[0] == '!' && blank) {
            *blank = '\0';
            buf_reset(&p->request);
            write_call(p, &p->request, line + 1, blank + 1);
            mux_open(p->mux, "call", "", 0);
        } else if (strcmp(line, "break") == 0) {
            mux_signal(p->mux, p->console, 1);
        }
        free(line);
    }
}

static void turn(struct probe *p, bool commands)
{
    char block[65536];
    struct pollfd fds[3] = {{p->fd, POLLIN, 0},
                            {p->console && p->accepted && !p->input_over ? STDIN_FILENO : -1, POLLIN, 0},
                            {commands && p->accepted ? 3 : -1, POLLIN, 0}};
    struct err err = ERR_INIT;
    ssize_t n;

    flush(p);
    if (p->over || poll(fds, 3, 1000) < 0)
        return;
    if (fds[0].revents) {
        n = read(p->fd, block, sizeof(block));
        if (n <= 0 || mux_feed(p->mux, block, (size_t)n, clock_mono(clock_system()), &err) != 0) {
            p->status = n == 0 && p->console ? 0 : 2;
            p->over = true;
        }
    }
    if (fds[1].revents) {
        n = read(STDIN_FILENO, block, sizeof(block));
        if (n > 0)
            mux_write(p->mux, p->console, block, (size_t)n);
        else
            p->input_over = true;
        if (n <= 0)
            mux_close(p->mux, p->console);
    }
    if (fds[2].revents & POLLIN)
        read_commands(p);
}

int main(int argc, char **argv)
{
    struct probe p = {.request = buf_init(1 << 20), .command = buf_init(1 << 16)};
    const struct mux_events events = {
        .arg = &p, .accepted = on_accepted, .rejected = on_rejected, .data = on_data, .closed = on_closed};

    if (argc < 4) {
        fputs("usage: mux_probe SOCKET call NAME [PARAMS] | console PARAMS\n", stderr);
        return 2;
    }
    p.fd = dial(argv[1]);
    p.mux = mux_new(true, &events, 64, clock_mono(clock_system()));
    if (strcmp(argv[2], "console") == 0) {
        p.console = mux_open(p.mux, "console", argv[3], strlen(argv[3]));
    } else {
        write_call(&p, &p.request, argv[3], argc > 4 ? argv[4] : "{}");
        mux_open(p.mux, "call", "", 0);
    }
    while (!p.over)
        turn(&p, fcntl(3, F_GETFD) >= 0 && p.fd != 3);
    flush(&p);
    mux_free(p.mux);
    buf_free(&p.request);
    buf_free(&p.command);
    return p.status;
}
