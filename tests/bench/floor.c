/* The floor under amtd's speed: a bare epoll client that plays the same HTTP exchanges against the same
 * devices and does nothing else: no results kept, no XML read, no errors named. What amtd needs above it is
 * what amtd costs. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "base/xalloc.h"

#define ANSWER_MAX 65536
#define BODIES_MAX 256

struct device {
    uint32_t address;
    int fd; /* -1 none */
    SSL *ssl;
    bool connected;
    bool handshaken;
    size_t body; /* which exchange */
    uint32_t nc;
    char realm[48], nonce[64];
    char *out;
    size_t out_len, out_at;
    char *in;
    size_t in_len;
};

static struct {
    const char *user;
    char password[128];
    uint16_t port;
    SSL_CTX *tls;
    char *bodies[BODIES_MAX];
    size_t body_count;
    int epoll;
    size_t done, failed, exchanges, connections;
} g;

static void md5_hex(const char *text, size_t n, char out[33])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    EVP_Digest(text, n, digest, &size, EVP_md5(), NULL);
    for (unsigned i = 0; i < 16; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static void watch(struct device *d, uint32_t events, int op)
{
    struct epoll_event event = {.events = events, .data.ptr = d};

    epoll_ctl(g.epoll, op, d->fd, &event);
}

static void hang_up(struct device *d)
{
    if (d->ssl)
        SSL_free(d->ssl);
    d->ssl = NULL;
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
    d->connected = d->handshaken = false;
}

static int dial(struct device *d)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(g.port), .sin_addr.s_addr = htonl(d->address)};
    int on = 1;

    d->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (d->fd < 0)
        return -1;
    g.connections++;
    setsockopt(d->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(d->fd, (struct sockaddr *)&address, sizeof(address)) != 0 && errno != EINPROGRESS)
        return -1;
    if (g.tls) {
        d->ssl = SSL_new(g.tls);
        SSL_set_fd(d->ssl, d->fd);
        SSL_set_connect_state(d->ssl);
    }
    watch(d, EPOLLOUT, EPOLL_CTL_ADD);
    return 0;
}

static void authorize(struct device *d, char *out, size_t size)
{
    char text[512], a1[33], a2[33], response[33];
    int n;

    n = snprintf(text, sizeof(text), "%s:%s:%s", g.user, d->realm, g.password);
    md5_hex(text, (size_t)n, a1);
    md5_hex("POST:/wsman", 11, a2);
    d->nc++;
    n = snprintf(text, sizeof(text), "%s:%s:%08x:0123456789abcdef:auth:%s", a1, d->nonce, d->nc, a2);
    md5_hex(text, (size_t)n, response);
    snprintf(
        out, size,
        "Authorization: Digest username=\"%s\",realm=\"%s\",nonce=\"%s\",uri=\"/wsman\",qop=auth,nc=%08x,"
        "cnonce=\"0123456789abcdef\",response=\"%s\"\r\n",
        g.user, d->realm, d->nonce, d->nc, response);
}

static void ask(struct device *d)
{
    const char *body = g.bodies[d->body];
    char authorization[512] = "";

    if (d->nonce[0])
        authorize(d, authorization, sizeof(authorization));
    free(d->out);
    d->out = xasprintf(
        "POST /wsman HTTP/1.1\r\nHost: device\r\n%sContent-Type: application/soap+xml;charset=UTF-8\r\n"
        "Content-Length: %zu\r\n\r\n%s",
        authorization, strlen(body), body);
    d->out_len = strlen(d->out);
    d->out_at = 0;
    d->in_len = 0;
    g.exchanges++;
}

static void copy_quoted(const char *from, const char *name, char *out, size_t size)
{
    const char *p = strcasestr(from, name);
    const char *end = p ? strchr(p + strlen(name), '"') : NULL;

    if (end && (size_t)(end - p) - strlen(name) < size)
        snprintf(out, size, "%.*s", (int)(end - p - (int)strlen(name)), p + strlen(name));
}

static void end(struct device *d, bool well)
{
    hang_up(d);
    free(d->out);
    free(d->in);
    d->out = d->in = NULL;
    g.done++;
    g.failed += !well;
}

/* One answer is complete. True: go on with this connection. */
static bool answered(struct device *d)
{
    uint64_t status = 0;
    char digits[4] = "";

    if (d->in_len > 12)
        memcpy(digits, d->in + 9, 3);
    text_u64(digits, 100, 599, &status);

    if (status == 401 && d->nc == 0) {
        copy_quoted(d->in, "realm=\"", d->realm, sizeof(d->realm));
        copy_quoted(d->in, "nonce=\"", d->nonce, sizeof(d->nonce));
        hang_up(d);
        ask(d);
        if (dial(d) != 0)
            end(d, false);
        return false;
    }
    if (status != 200 || ++d->body == g.body_count) {
        end(d, status == 200);
        return false;
    }
    ask(d);
    return true;
}

/* Content-Length, chunked or until close: enough to know where an answer ends. */
static bool is_complete(const struct device *d, bool closed)
{
    const char *body = strstr(d->in, "\r\n\r\n");
    const char *length;
    char digits[12] = "";
    uint64_t want = 0;

    if (!body)
        return false;
    body += 4;
    if (strcasestr(d->in, "transfer-encoding: chunked"))
        return d->in_len >= 5 && memcmp(d->in + d->in_len - 5, "0\r\n\r\n", 5) == 0;
    length = strcasestr(d->in, "content-length: ");
    if (!length || length > body)
        return closed;
    snprintf(digits, sizeof(digits), "%.*s", (int)strspn(length + 16, "0123456789"), length + 16);
    return text_u64(digits, 0, ANSWER_MAX, &want) && d->in_len - (size_t)(body - d->in) >= want;
}

static ssize_t take(struct device *d)
{
    size_t room = ANSWER_MAX - 1 - d->in_len;
    int n;

    if (!d->in)
        d->in = xmalloc(ANSWER_MAX);
    if (!d->ssl)
        return recv(d->fd, d->in + d->in_len, room, 0);
    n = SSL_read(d->ssl, d->in + d->in_len, (int)room);
    if (n > 0)
        return n;
    errno = SSL_get_error(d->ssl, n) == SSL_ERROR_WANT_READ ? EAGAIN : EIO;
    return SSL_get_error(d->ssl, n) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
}

static void readable(struct device *d)
{
    for (;;) {
        ssize_t n = take(d);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n > 0)
            d->in_len += (size_t)n;
        d->in[d->in_len] = '\0';
        if (is_complete(d, n <= 0)) {
            if (answered(d))
                watch(d, EPOLLOUT, EPOLL_CTL_MOD);
            return;
        }
        if (n <= 0 || d->in_len == ANSWER_MAX - 1) {
            end(d, false);
            return;
        }
    }
}

static bool shake_hands(struct device *d)
{
    int n = SSL_do_handshake(d->ssl);

    if (n == 1) {
        d->handshaken = true;
        return true;
    }
    switch (SSL_get_error(d->ssl, n)) {
    case SSL_ERROR_WANT_READ:
        watch(d, EPOLLIN, EPOLL_CTL_MOD);
        break;
    case SSL_ERROR_WANT_WRITE:
        watch(d, EPOLLOUT, EPOLL_CTL_MOD);
        break;
    default:
        end(d, false);
    }
    return false;
}

static void writable(struct device *d)
{
    size_t left = d->out_len - d->out_at;
    ssize_t n = d->ssl ? SSL_write(d->ssl, d->out + d->out_at, (int)left)
                       : send(d->fd, d->out + d->out_at, left, MSG_NOSIGNAL);

    if (n <= 0) {
        end(d, false);
        return;
    }
    d->out_at += (size_t)n;
    if (d->out_at == d->out_len)
        watch(d, EPOLLIN, EPOLL_CTL_MOD);
}

static void event(struct device *d)
{
    if (d->ssl && !d->handshaken && !shake_hands(d))
        return;
    if (d->out_at < d->out_len)
        writable(d);
    else
        readable(d);
}

static void run(uint32_t first, size_t count, size_t parallel)
{
    struct device *devices = xcalloc(count, sizeof(*devices));
    struct epoll_event events[256];
    size_t begun = 0;

    while (g.done < count) {
        int n;

        while (begun < count && begun - g.done < parallel) {
            struct device *d = &devices[begun];

            d->address = first + (uint32_t)begun++;
            d->fd = -1;
            ask(d);
            if (dial(d) != 0)
                end(d, false);
        }
        n = epoll_wait(g.epoll, events, 256, 1000);
        for (int i = 0; i < n; i++)
            event(events[i].data.ptr);
    }
    free(devices);
}

static char *slurp(const char *path)
{
    struct buf text = buf_init(ANSWER_MAX);
    char block[4096];
    FILE *file = fopen(path, "r");
    size_t n;

    if (!file) {
        perror(path);
        exit(2);
    }
    while ((n = fread(block, 1, sizeof(block), file)) > 0)
        buf_add(&text, block, n);
    fclose(file);
    return buf_take(&text);
}

static int64_t now_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void usage(void)
{
    fputs("usage: floor --address A --count N --user U --password-file F [--parallel N] [--tls] BODY...\n",
          stderr);
    exit(2);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"address", 1, NULL, 'a'},  {"count", 1, NULL, 'n'},         {"user", 1, NULL, 'u'},
        {"parallel", 1, NULL, 'p'}, {"password-file", 1, NULL, 'f'}, {"tls", 0, NULL, 't'},
        {NULL, 0, NULL, 0}};
    struct in_addr address = {htonl(0x7f100001)};
    struct rlimit files;
    uint64_t count = 1, parallel = 256;
    int64_t began;
    int option;

    g.port = 16992;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'a':
            if (inet_pton(AF_INET, optarg, &address) != 1)
                usage();
            break;
        case 'n':
            if (!text_u64(optarg, 1, 1000000, &count))
                usage();
            break;
        case 'p':
            if (!text_u64(optarg, 1, 100000, &parallel))
                usage();
            break;
        case 'u':
            g.user = optarg;
            break;
        case 'f': {
            char *password = slurp(optarg);

            snprintf(g.password, sizeof(g.password), "%.*s", (int)strcspn(password, "\n"), password);
            free(password);
            break;
        }
        case 't':
            g.tls = SSL_CTX_new(TLS_client_method());
            SSL_CTX_set_mode(g.tls, SSL_MODE_ENABLE_PARTIAL_WRITE);
            g.port = 16993;
            break;
        default:
            usage();
        }
    }
    for (; optind < argc && g.body_count < BODIES_MAX; optind++)
        g.bodies[g.body_count++] = slurp(argv[optind]);
    if (!g.user || g.body_count == 0)
        usage();
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    g.epoll = epoll_create1(EPOLL_CLOEXEC);
    began = now_us();
    run(ntohl(address.s_addr), count, parallel);
    printf("%.3f s, %zu devices, %zu failed, %zu exchanges, %zu connections\n",
           (double)(now_us() - began) / 1e6, g.done, g.failed, g.exchanges, g.connections);
    return g.failed > 0;
}
