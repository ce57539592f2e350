/* How long a byte is on its way to an attached reader: is the source of a console and reads what its reader
 * was given.
 *
 *   console_lag SOCKET SECONDS < WHAT-THE-READER-GETS
 *
 * Listens at SOCKET and writes a line with the time every 5 ms to whoever connects; takes the lines again
 * from its standard input. After so many seconds of them prints percentiles in microseconds, and how late its
 * own timer was. */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define STEP_US 5000
#define MOST    100000

struct sample {
    int64_t us[MOST];
    size_t count;
};

static struct sample lags, own;

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void take(struct sample *s, int64_t us)
{
    if (s->count < MOST)
        s->us[s->count++] = us;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void tell(const char *what, struct sample *s)
{
    qsort(s->us, s->count, sizeof(s->us[0]), compare);
    if (s->count > 0)
        printf("%-8s p50 %lld  p90 %lld  p99 %lld  most %lld  of %zu\n", what, (long long)s->us[s->count / 2],
               (long long)s->us[s->count * 9 / 10], (long long)s->us[s->count * 99 / 100],
               (long long)s->us[s->count - 1], s->count);
}

/* The times in what came, a line each; what is cut short waits. */
static void read_lines(void)
{
    static char text[65536];
    static size_t have;
    ssize_t n = read(STDIN_FILENO, text + have, sizeof(text) - 1 - have);
    int64_t now = now_us();
    char *line = text, *end;

    if (n <= 0)
        return;
    have += (size_t)n;
    text[have] = '\0';
    while ((end = strchr(line, '\n'))) {
        long long sent;

        if (sscanf(line, "T%lld", &sent) == 1)
            take(&lags, now - sent);
        line = end + 1;
    }
    have -= (size_t)(line - text);
    memmove(text, line, have);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    unlink(path);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 1) != 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

static void write_time(int fd, int64_t due)
{
    char line[40];
    int n = snprintf(line, sizeof(line), "T%lld\n", (long long)now_us());

    take(&own, now_us() - due);
    if (write(fd, line, (size_t)n) != n)
        exit(1);
}

int main(int argc, char **argv)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    int64_t due, end = 0, wanted;
    int fd;

    if (argc != 3)
        return 2;
    wanted = strtol(argv[2], NULL, 10) * 1000000;
    fd = accept(listen_at(argv[1]), NULL, NULL);
    due = now_us() + STEP_US;
    while (end == 0 || now_us() < end) {
        int64_t left = due - now_us();
        struct timespec wait = {0, left > 0 ? left * 1000 : 0};

        if (ppoll(&in, 1, &wait, NULL) > 0) {
            read_lines();
            if (end == 0 && lags.count > 0)
                end = now_us() + wanted;
        }
        if (now_us() >= due) {
            write_time(fd, due);
            due += STEP_US;
        }
    }
    tell("reader", &lags);
    tell("timer", &own);
    return 0;
}
