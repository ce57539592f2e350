/* What the mux protocol costs: bytes of many ports over one TLS connection, as channels, or (the floor) one
 * after the other as they are.
 *
 *   mux_tls mux|plain PORTS BYTES-AT-A-TIME TOTAL-MB
 *
 * Every turn each port has so many bytes; the sender hands on what a turn gave, as an event loop does. A
 * child sends, the parent receives; both look at every byte once. Prints: CPU seconds of both, seconds. */
#include <fcntl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "amtd/mux/mux.h"
#include "amtd/peer/identity.h"
#include "base/text.h"
#include "base/xalloc.h"

#define BATCH (128 * 1024)

struct end {
    SSL *ssl;
    struct mux *mux;
    uint32_t *channels;
    size_t ports;
    uint64_t bytes, sum, total;
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_of(int who)
{
    struct rusage u;

    getrusage(who, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

__attribute__((noreturn)) static void die(const char *what)
{
    fprintf(stderr, "mux_tls: %s\n", what);
    exit(1);
}

static void send_all(SSL *ssl, const uint8_t *p, size_t n)
{
    while (n > 0) {
        size_t put = 0;

        if (SSL_write_ex(ssl, p, n, &put) != 1)
            die("the connection broke");
        p += put;
        n -= put;
    }
}

static void look_at(struct end *e, const uint8_t *p, size_t n)
{
    e->bytes += n;
    e->sum += p[0] + p[n - 1];
}

/* --- plain --- */

static void plain_send(struct end *e, const uint8_t *line, size_t n)
{
    struct buf out = buf_init(4 * BATCH);

    while (e->bytes < e->total) {
        for (size_t i = 0; i < e->ports; i++) {
            buf_add(&out, line, n);
            look_at(e, line, n);
            if (out.len >= BATCH) {
                send_all(e->ssl, out.p, out.len);
                buf_reset(&out);
            }
        }
        send_all(e->ssl, out.p, out.len);
        buf_reset(&out);
    }
    buf_free(&out);
}

static void plain_receive(struct end *e)
{
    static uint8_t in[65536];
    size_t n;

    while (e->bytes < e->total && SSL_read_ex(e->ssl, in, sizeof(in), &n) == 1)
        look_at(e, in, n);
}

/* --- mux --- */

static void on_open(void *arg, uint32_t channel, struct view kind, struct view params)
{
    struct end *e = arg;

    (void)kind;
    (void)params;
    mux_accept(e->mux, channel);
}

static void on_data(void *arg, uint32_t channel, const uint8_t *p, size_t n)
{
    struct end *e = arg;

    look_at(e, p, n);
    mux_consumed(e->mux, channel, n);
}

static void flush(struct end *e)
{
    struct view out;

    while ((out = mux_output(e->mux)).n > 0) {
        send_all(e->ssl, out.p, out.n);
        mux_sent(e->mux, out.n);
    }
}

static void feed(struct end *e, bool wait)
{
    static uint8_t in[65536];
    int fd = SSL_get_fd(e->ssl);
    struct err err = ERR_INIT;
    size_t n;

    for (;;) {
        uint8_t byte;

        if (!wait && !SSL_has_pending(e->ssl) && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0)
            return;
        if (SSL_read_ex(e->ssl, in, sizeof(in), &n) != 1)
            die("the connection broke");
        if (mux_feed(e->mux, in, n, 0, &err) != 0)
            die(err.text);
        wait = false;
    }
}

static void mux_send(struct end *e, const uint8_t *line, size_t n)
{
    for (size_t i = 0; i < e->ports; i++)
        e->channels[i] = mux_open(e->mux, "replica", "", 0);
    flush(e);
    while (e->bytes < e->total) {
        size_t stuck = 0;

        for (size_t i = 0; i < e->ports; i++) {
            if (mux_backlog(e->mux, e->channels[i]) > 2 * n + BATCH) {
                stuck++;
                continue;
            }
            mux_write(e->mux, e->channels[i], line, n);
            look_at(e, line, n);
        }
        flush(e);
        feed(e, stuck == e->ports);
    }
    flush(e);
}

static void mux_receive(struct end *e)
{
    while (e->bytes < e->total) {
        feed(e, true);
        flush(e);
    }
}

/* --- both --- */

static void run(const char *how, bool sends, int fd, struct end *e, size_t n)
{
    const struct mux_events events = {.arg = e, .open = on_open, .data = on_data};
    uint8_t *line = xmalloc(n);
    struct err err = ERR_INIT;
    struct identity *identity;
    char *key;

    key = xasprintf("/tmp/mux_tls.%ld.pem", (long)getpid());
    identity = identity_open(key, NULL, &err);
    if (!identity)
        die(err.text);
    unlink(key);
    free(key);
    memset(line, 'x', n);
    e->channels = xcalloc(e->ports, sizeof(*e->channels));
    e->ssl = SSL_new(identity_context(identity, !sends));
    SSL_set_read_ahead(e->ssl, 1);
    SSL_set_fd(e->ssl, fd);
    if ((sends ? SSL_connect(e->ssl) : SSL_accept(e->ssl)) != 1)
        die("no handshake");
    e->mux = mux_new(sends, &events, e->ports + 1, 0);
    if (strcmp(how, "plain") == 0)
        sends ? plain_send(e, line, n) : plain_receive(e);
    else
        sends ? mux_send(e, line, n) : mux_receive(e);
    free(line);
}

int main(int argc, char **argv)
{
    uint64_t ports, n, mb;
    struct end e = {0};
    int ends[2];
    double begin = now();
    pid_t child = -1;

    if (argc != 5 || !text_u64(argv[2], 1, 1000000, &ports) || !text_u64(argv[3], 1, 65536, &n) ||
        !text_u64(argv[4], 1, 1000000, &mb)) {
        fputs("usage: mux_tls mux|plain PORTS BYTES-AT-A-TIME TOTAL-MB\n", stderr);
        return 2;
    }
    e.ports = ports;
    e.total = mb * 1000000 / (ports * n) * (ports * n);
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || (child = fork()) < 0)
        die("no child");
    run(argv[1], child == 0, ends[child != 0], &e, n);
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    printf("%.3f %.3f\n", cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN), now() - begin);
    return 0;
}
