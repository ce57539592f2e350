/* A TCP relay that makes every byte late: what arrives is sent on after half the given time, each way, in
 * order and without a limit of rate.
 *
 *   redir_relay PORT TARGET TARGET-PORT DELAY-MS */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "base/xalloc.h"

#define CHUNK 65536

struct chunk {
    struct chunk *next;
    struct timespec due;
    size_t n; /* 0: the end */
    unsigned char bytes[];
};

/* One direction: a thread that reads, and one that waits and writes. */
struct lane {
    int from, to;
    long delay_ns;
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct chunk *first, **last;
};

static void put(struct lane *lane, const unsigned char *p, size_t n)
{
    struct chunk *c = xmalloc(sizeof(*c) + n);

    c->next = NULL;
    c->n = n;
    if (n > 0)
        memcpy(c->bytes, p, n);
    clock_gettime(CLOCK_MONOTONIC, &c->due);
    c->due.tv_nsec += lane->delay_ns;
    c->due.tv_sec += c->due.tv_nsec / 1000000000;
    c->due.tv_nsec %= 1000000000;
    pthread_mutex_lock(&lane->lock);
    *lane->last = c;
    lane->last = &c->next;
    pthread_cond_signal(&lane->filled);
    pthread_mutex_unlock(&lane->lock);
}

static void *reads(void *arg)
{
    struct lane *lane = arg;
    unsigned char bytes[CHUNK];
    ssize_t n;

    while ((n = read(lane->from, bytes, sizeof(bytes))) > 0)
        put(lane, bytes, (size_t)n);
    put(lane, NULL, 0);
    return NULL;
}

static struct chunk *take(struct lane *lane)
{
    struct chunk *c;

    pthread_mutex_lock(&lane->lock);
    while (!lane->first)
        pthread_cond_wait(&lane->filled, &lane->lock);
    c = lane->first;
    lane->first = c->next;
    if (!lane->first)
        lane->last = &lane->first;
    pthread_mutex_unlock(&lane->lock);
    return c;
}

static void *writes(void *arg)
{
    struct lane *lane = arg;

    for (;;) {
        struct chunk *c = take(lane);
        size_t n = c->n;

        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &c->due, NULL) != 0)
            ;
        for (size_t at = 0; at < n;) {
            ssize_t k = write(lane->to, c->bytes + at, n - at);

            if (k <= 0)
                break;
            at += (size_t)k;
        }
        free(c);
        if (n == 0)
            break;
    }
    shutdown(lane->to, SHUT_WR);
    return NULL;
}

static void begin(int from, int to, long delay_ns)
{
    struct lane *lane = xcalloc(1, sizeof(*lane)); /* lives as long as the program, which is short */
    pthread_t thread;
    int on = 1;

    setsockopt(to, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    lane->from = from;
    lane->to = to;
    lane->delay_ns = delay_ns;
    lane->last = &lane->first;
    pthread_mutex_init(&lane->lock, NULL);
    pthread_cond_init(&lane->filled, NULL);
    if (pthread_create(&thread, NULL, reads, lane) != 0 || pthread_detach(thread) != 0 ||
        pthread_create(&thread, NULL, writes, lane) != 0 || pthread_detach(thread) != 0)
        abort();
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in target = {.sin_family = AF_INET};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    uint64_t port, target_port, ms;

    if (argc != 5 || !text_u64(argv[1], 1, 65535, &port) ||
        inet_pton(AF_INET, argv[2], &target.sin_addr) != 1 || !text_u64(argv[3], 1, 65535, &target_port) ||
        !text_u64(argv[4], 0, 60000, &ms))
        return 2;
    signal(SIGPIPE, SIG_IGN);
    at.sin_port = htons((uint16_t)port);
    target.sin_port = htons((uint16_t)target_port);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 16) != 0) {
        perror("redir_relay");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    for (int peer; (peer = accept(fd, NULL, NULL)) >= 0;) {
        int there = socket(AF_INET, SOCK_STREAM, 0);

        if (connect(there, (struct sockaddr *)&target, sizeof(target)) != 0) {
            close(there);
            close(peer);
            continue;
        }
        begin(peer, there, (long)ms * 500000);
        begin(there, peer, (long)ms * 500000);
    }
    return 0;
}
