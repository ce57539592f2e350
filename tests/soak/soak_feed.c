/* Feeds consoles that may be killed: listens at DIR/0.sock, DIR/1.sock, ... and writes numbered lines to
 * whoever connects, as fast as they are taken; goes on with the next line when another one connects.
 *
 *   soak_feed DIR COUNT GRACE_MS
 *
 * Commands on standard input, each answered by a line: `run MS BYTES` (until one of the two is used up:
 * "half" when half of the bytes were taken, at the end "ran BYTES"), `up` (waits until all are connected),
 * `end` (waits until all was read: "end BYTES"; closes).
 *
 * For every connection that has ended, DIR/links gets a line: console, link, its first line, how many lines
 * are sure, the next line. Lines are sure that whoever was connected had read from its socket GRACE_MS before
 * the end: it promises to have written those. */
#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tests/soak/soak_line.h"

#define SAMPLES   64
#define SAMPLE_MS 100
#define LINES     100 /* in a block */

struct sample {
    int64_t at_ms;
    uint64_t read; /* lines that were read from the socket by then */
};

struct feed {
    int listener, fd;
    unsigned link;
    uint64_t line;  /* the next one to be put into a block */
    uint64_t first; /* of this link */
    uint64_t sent;  /* bytes of this link, its mark included */
    struct sample samples[SAMPLES];
    unsigned sampled;
    char block[SOAK_LINE * LINES + 1];
    size_t at, n;
};

static struct feed *feeds;
static unsigned count;
static int64_t grace_ms, sampled_ms;
static uint64_t total; /* bytes that were taken */
static FILE *links;

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int listen_at(const char *dir, unsigned i)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s/%u.sock", dir, i);
    unlink(address.sun_path);
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 4) != 0) {
        perror(address.sun_path);
        exit(1);
    }
    return fd;
}

/* Lines of a link that were wholly read by the other side when so many bytes of it were. */
static uint64_t whole_lines(const struct feed *f, uint64_t bytes)
{
    return f->first + (bytes > SOAK_MARK ? (bytes - SOAK_MARK) / SOAK_LINE : 0);
}

/* What the kernel counts as waiting in the socket is never less than the bytes that wait. */
static int waiting(const struct feed *f)
{
    int n = 0;

    return ioctl(f->fd, SIOCOUTQ, &n) == 0 ? n : 0;
}

static void sample(struct feed *f, int64_t now)
{
    uint64_t unread = (uint64_t)waiting(f);

    f->samples[f->sampled++ % SAMPLES] =
        (struct sample){now, whole_lines(f, f->sent > unread ? f->sent - unread : 0)};
}

static void link_ended(struct feed *f, bool whole)
{
    int64_t before = now_ms() - grace_ms;
    uint64_t sure = f->first;

    f->line = whole_lines(f, f->sent); /* the first of which nothing was sent */
    if (f->sent > SOAK_MARK && (f->sent - SOAK_MARK) % SOAK_LINE > 0)
        f->line++;
    for (unsigned i = 0; i < SAMPLES && i < f->sampled; i++)
        if (f->samples[i].at_ms <= before && f->samples[i].read > sure)
            sure = f->samples[i].read;
    if (whole)
        sure = f->line;
    fprintf(links, "%u %u %llu %llu %llu\n", (unsigned)(f - feeds), f->link, (unsigned long long)f->first,
            (unsigned long long)sure, (unsigned long long)f->line);
    close(f->fd);
    f->fd = -1;
}

static void link_began(struct feed *f, int fd)
{
    f->fd = fd;
    f->link++;
    f->first = f->line;
    f->sent = f->sampled = 0;
    f->at = 0;
    f->n = SOAK_MARK;
    soak_mark(f->block, (unsigned)(f - feeds), f->link, f->line);
}

/* Takes connections and notices those that have ended. How many are connected. */
static unsigned look(void)
{
    unsigned connected = 0;
    int64_t now = now_ms();

    for (unsigned i = 0; i < count; i++) {
        struct feed *f = &feeds[i];
        char byte;
        int fd;

        if (f->fd >= 0 && recv(f->fd, &byte, 1, MSG_DONTWAIT) == 0)
            link_ended(f, false);
        if (f->fd < 0 && (fd = accept4(f->listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
            link_began(f, fd);
        if (f->fd >= 0) {
            sample(f, now);
            connected++;
        }
    }
    sampled_ms = now;
    return connected;
}

/* False: it takes no more now. */
static bool push(struct feed *f)
{
    ssize_t n;

    if (f->at == f->n) {
        for (f->n = 0; f->n < SOAK_LINE * LINES; f->n += SOAK_LINE)
            soak_line(f->block + f->n, (unsigned)(f - feeds), f->line++);
        f->at = 0;
    }
    n = send(f->fd, f->block + f->at, f->n - f->at, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN)
        link_ended(f, false);
    if (n <= 0)
        return false;
    f->at += (size_t)n;
    f->sent += (uint64_t)n;
    total += (uint64_t)n;
    return f->at == f->n;
}

static void run(int64_t ms, uint64_t bytes)
{
    int64_t until = now_ms() + ms;
    uint64_t most = total + bytes, half = total + bytes / 2;

    for (int64_t now; (now = now_ms()) < until && total < most;) {
        bool idle = true;

        if (now >= sampled_ms + SAMPLE_MS)
            look();
        for (unsigned i = 0; i < count && total < most; i++)
            if (feeds[i].fd >= 0 && push(&feeds[i]))
                idle = false;
        if (total >= half) {
            puts("half");
            half = UINT64_MAX;
        }
        if (idle)
            usleep(500);
    }
}

/* Writes what is left of begun blocks, and waits until it was read, and as long as is promised for writing.
 */
static void finish(void)
{
    for (bool left = true; left;) {
        left = look() < count;
        for (unsigned i = 0; i < count; i++) {
            struct feed *f = &feeds[i];

            if (f->fd >= 0 && f->at < f->n)
                push(f);
            left = left || f->fd < 0 || f->at < f->n || waiting(f) > 0;
        }
        usleep(20000);
    }
    usleep((useconds_t)(1000 * grace_ms));
    for (unsigned i = 0; i < count; i++)
        link_ended(&feeds[i], true);
    fclose(links);
}

static bool command(const char *line)
{
    long long ms, bytes;

    if (sscanf(line, "run %lld %lld", &ms, &bytes) == 2) {
        run(ms, (uint64_t)bytes);
        printf("ran %llu\n", (unsigned long long)total);
    } else if (strncmp(line, "up", 2) == 0) {
        while (look() < count)
            usleep(20000);
        puts("up");
    } else if (strncmp(line, "end", 3) == 0) {
        finish();
        printf("end %llu\n", (unsigned long long)total);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct rlimit files = {1 << 20, 1 << 20};
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    char line[80], path[200];

    if (argc != 4)
        return 2;
    setrlimit(RLIMIT_NOFILE, &files);
    count = (unsigned)strtoul(argv[2], NULL, 10);
    grace_ms = strtol(argv[3], NULL, 10);
    snprintf(path, sizeof(path), "%s/links", argv[1]);
    links = fopen(path, "w");
    feeds = calloc(count, sizeof(*feeds));
    if (!links || !feeds)
        return 1;
    for (unsigned i = 0; i < count; i++) {
        feeds[i].listener = listen_at(argv[1], i);
        feeds[i].fd = -1;
    }
    setvbuf(stdin, NULL, _IONBF, 0); /* poll sees what there is */
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("listening");
    for (bool more = true; more;) {
        if (poll(&in, 1, SAMPLE_MS) == 0)
            look();
        else
            more = fgets(line, sizeof(line), stdin) && command(line);
    }
    return 0;
}
