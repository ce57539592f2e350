/* Feeds consoles: listens at DIR/0.sock, DIR/1.sock, ... and writes numbered lines to whoever connects.
 *
 *   console_feed DIR COUNT LINES_PER_S SECONDS
 *
 * LINES_PER_S 0: as fast as they are taken. The clock starts when all are connected; prints then "ready" and
 * when that was, in seconds since 1970, and at the end the bytes that were taken and the seconds. On its
 * standard input a line ends the wait at the end: so that what was written can be read before the connections
 * close. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define LINE 81

struct feed {
    int listener, fd;
    uint64_t line, taken;
    int64_t due_us;
    char block[LINE * 200];
    size_t at, n;
};

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int listen_at(const char *dir, int i)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%d.sock", dir, i);
    unlink(address.sun_path);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 4) != 0) {
        perror(address.sun_path);
        exit(1);
    }
    return fd;
}

/* The next lines of a feed, as many as asked for. */
static void fill(struct feed *f, size_t lines)
{
    f->at = 0;
    f->n = lines * LINE;
    for (size_t i = 0; i < lines; i++)
        snprintf(f->block + i * LINE, LINE + 1,
                 "%012llu the quick brown fox jumps over the lazy dog and away again %s\r\n",
                 (unsigned long long)f->line++, "....");
}

/* False: it takes no more now. */
static bool push(struct feed *f)
{
    ssize_t n = send(f->fd, f->block + f->at, f->n - f->at, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n <= 0)
        return false;
    f->at += (size_t)n;
    f->taken += (uint64_t)n;
    return f->at == f->n;
}

static void serve(struct feed *feeds, int count, int64_t rate, int64_t until)
{
    int64_t step = rate > 0 ? 1000000 / rate : 0, start = now_us();

    for (int i = 0; i < count; i++)
        feeds[i].due_us = start + (rate > 0 ? step * i / count : 0);
    for (int64_t now; (now = now_us()) < until;) {
        bool idle = true;

        for (int i = 0; i < count; i++) {
            struct feed *f = &feeds[i];

            if (rate > 0 && now < f->due_us)
                continue;
            if (f->at == f->n) {
                fill(f, rate > 0 ? 1 : 200);
                f->due_us += step;
            }
            if (push(f))
                idle = false;
        }
        if (idle)
            usleep(500);
    }
}

/* Whoever is up is told of within microseconds. */
static void accept_all(struct feed *feeds, int count)
{
    int epoll = epoll_create1(0), connected = 0;

    for (int i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};

        epoll_ctl(epoll, EPOLL_CTL_ADD, feeds[i].listener, &event);
    }
    while (connected < count) {
        struct epoll_event events[256];
        int n = epoll_wait(epoll, events, 256, -1);

        for (int i = 0; i < n; i++) {
            struct feed *f = &feeds[events[i].data.u32];

            f->fd = accept(f->listener, NULL, NULL);
            connected += f->fd >= 0;
            close(f->listener); /* two descriptors each would be too many for ten thousand */
        }
    }
    close(epoll);
}

int main(int argc, char **argv)
{
    struct rlimit files = {1 << 20, 1 << 20};
    struct feed *feeds;
    uint64_t taken = 0;
    int count;
    int64_t rate, begin, seconds;
    struct timespec ready;
    char line[8];

    if (argc < 5)
        return 2;
    setrlimit(RLIMIT_NOFILE, &files);
    count = (int)strtol(argv[2], NULL, 10);
    rate = strtol(argv[3], NULL, 10);
    seconds = strtol(argv[4], NULL, 10);
    feeds = calloc((size_t)count, sizeof(*feeds));
    for (int i = 0; i < count; i++) {
        feeds[i].listener = listen_at(argv[1], i);
        feeds[i].fd = -1;
    }
    puts("listening");
    fflush(stdout);
    accept_all(feeds, count);
    clock_gettime(CLOCK_REALTIME, &ready);
    printf("ready %lld.%06ld\n", (long long)ready.tv_sec, ready.tv_nsec / 1000);
    fflush(stdout);
    begin = now_us();
    serve(feeds, count, rate, begin + seconds * 1000000);
    for (int i = 0; i < count; i++)
        taken += feeds[i].taken;
    printf("%llu %.3f\n", (unsigned long long)taken, (double)(now_us() - begin) / 1e6);
    fflush(stdout);
    if (!fgets(line, sizeof(line), stdin))
        return 0;
    return 0;
}
