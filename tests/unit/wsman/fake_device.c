#include "tests/unit/wsman/fake_device.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"

#define CONNECTIONS_MAX 256
#define REQUEST_MAX     65536

static const char firmware_challenge[] =
    "WWW-Authenticate: Digest realm=\"%1$s\", nonce=\"%2$s\",stale=\"%3$s\",qop=\"auth\"\r\n";

/* In our words: one page for a first challenge, a wrong password and a lock. */
static const char firmware_page[] =
    "<html><head><title>Log on</title></head><body><p>Log on failed. User name or password "
    "is incorrect, or the account is temporarily locked.</p></body></html>";

struct connection {
    struct fake_device *device;
    pthread_t thread;
    int fd; /* -1: slot not in use, or closed */
    bool joinable;
    SSL *ssl;
};

struct fake_device {
    pthread_mutex_t lock; /* all below */
    struct fake_script script;
    struct fake_seen seen;
    SSL_CTX *ctx;
    struct connection connections[CONNECTIONS_MAX];
    char nonce[48];
    unsigned nonce_used;
    unsigned nonce_counter;
    bool stopping;
    /* not changed after start */
    pthread_t thread;
    int listener;
    int stop_pipe[2];
    uint16_t port;
};

struct request {
    char text[REQUEST_MAX + 1];
    size_t head; /* bytes of request line and headers */
    size_t body;
};

/* --- bytes --- */

static long receive(struct connection *c, char *p, size_t n)
{
    return c->ssl ? SSL_read(c->ssl, p, (int)n) : recv(c->fd, p, n, 0);
}

static bool put(struct connection *c, const char *p, size_t n)
{
    while (n) {
        long sent = c->ssl ? SSL_write(c->ssl, p, (int)n) : send(c->fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool puts_to(struct connection *c, const char *text)
{
    return put(c, text, strlen(text));
}

/* Until the peer or the test hangs up. */
static void wait_for_end(struct connection *c)
{
    char byte[256];

    while (receive(c, byte, sizeof(byte)) > 0)
        ;
}

/* --- requests --- */

static bool header(const struct request *rq, const char *name, char *out, size_t size)
{
    const char *line = rq->text;
    size_t length = strlen(name);

    while ((line = strstr(line, "\r\n")) && line < rq->text + rq->head) {
        line += 2;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            const char *value = line + length + 1;
            value += strspn(value, " ");
            snprintf(out, size, "%.*s", (int)strcspn(value, "\r"), value);
            return true;
        }
    }
    if (out && size)
        out[0] = '\0';
    return false;
}

static bool read_request(struct connection *c, struct request *rq)
{
    size_t n = 0, want = REQUEST_MAX;
    char length[32];

    rq->head = 0;
    while (n < want) {
        long got = receive(c, rq->text + n, want - n);
        if (got <= 0)
            return false;
        n += (size_t)got;
        rq->text[n] = '\0';
        char *end = strstr(rq->text, "\r\n\r\n");
        if (rq->head || !end)
            continue;
        rq->head = (size_t)(end - rq->text) + 4;
        rq->body = header(rq, "Content-Length", length, sizeof(length)) ? strtoul(length, NULL, 10) : 0;
        want = rq->head + rq->body;
    }
    return true;
}

static void note_request(struct fake_seen *seen, const struct request *rq)
{
    char ignored[8];

    seen->requests++;
    sscanf(rq->text, "%15s %127s", seen->method, seen->uri);
    header(rq, "Host", seen->host, sizeof(seen->host));
    header(rq, "Content-Type", seen->content_type, sizeof(seen->content_type));
    header(rq, "Authorization", seen->authorization, sizeof(seen->authorization));
    seen->expect = header(rq, "Expect", ignored, sizeof(ignored));
    seen->accept = header(rq, "Accept", ignored, sizeof(ignored));
    seen->cookie = header(rq, "Cookie", ignored, sizeof(ignored));
    seen->user_agent = header(rq, "User-Agent", ignored, sizeof(ignored));
    snprintf(seen->body, sizeof(seen->body), "%.*s", (int)rq->body, rq->text + rq->head);
}

/* --- login, judged independently of the code under test --- */

static void md5(const char *text, size_t n, char out[33])
{
    unsigned char sum[EVP_MAX_MD_SIZE];

    if (EVP_Q_digest(NULL, "MD5", NULL, text, n, sum, NULL) != 1)
        abort();
    for (int i = 0; i < 16; i++)
        snprintf(out + 2 * i, 3, "%02x", sum[i]);
}

static void field(const char *authorization, const char *name, char *out, size_t size)
{
    char pattern[32];
    const char *p = authorization;

    out[0] = '\0';
    snprintf(pattern, sizeof(pattern), "%s=", name);
    while ((p = strstr(p, pattern))) {
        bool whole = p == authorization || p[-1] == ' ' || p[-1] == ',';
        p += strlen(pattern);
        if (!whole)
            continue;
        bool quoted = *p == '"';
        if (quoted)
            p++;
        snprintf(out, size, "%.*s", (int)strcspn(p, quoted ? "\"" : ", "), p);
        return;
    }
}

static void new_nonce(struct fake_device *device)
{
    unsigned char random[24];

    if (RAND_bytes(random, sizeof(random)) != 1)
        abort();
    EVP_EncodeBlock((unsigned char *)device->nonce, random, sizeof(random));
    device->nonce_used = device->nonce_counter = 0;
}

static bool response_is_right(const struct fake_script *script, const struct request *rq,
                              const char *authorization)
{
    char user[64], realm[128], nonce[64], uri[128], response[64], cnonce[64], nc[16], qop[16];
    char method[16], target[128], text[1024], ha1[33], ha2[33], entity[33], expected[33];

    field(authorization, "username", user, sizeof(user));
    field(authorization, "realm", realm, sizeof(realm));
    field(authorization, "nonce", nonce, sizeof(nonce));
    field(authorization, "uri", uri, sizeof(uri));
    field(authorization, "response", response, sizeof(response));
    field(authorization, "cnonce", cnonce, sizeof(cnonce));
    field(authorization, "nc", nc, sizeof(nc));
    field(authorization, "qop", qop, sizeof(qop));
    sscanf(rq->text, "%15s %127s", method, target);
    if (strcmp(user, FAKE_USER) != 0 || strcmp(uri, target) != 0 || strlen(response) != 32)
        return false;
    snprintf(text, sizeof(text), "%s:%s:%s", user, realm,
             script->password ? script->password : FAKE_PASSWORD);
    md5(text, strlen(text), ha1);
    snprintf(text, sizeof(text), "%s:%s", method, uri);
    if (strcmp(qop, "auth-int") == 0) {
        md5(rq->text + rq->head, rq->body, entity);
        snprintf(text, sizeof(text), "%s:%s:%s", method, uri, entity);
    }
    md5(text, strlen(text), ha2);
    if (*qop)
        snprintf(text, sizeof(text), "%s:%s:%s:%s:%s:%s", ha1, nonce, nc, cnonce, qop, ha2);
    else
        snprintf(text, sizeof(text), "%s:%s:%s", ha1, nonce, ha2);
    md5(text, strlen(text), expected);
    return strcmp(expected, response) == 0;
}

/* True when the request may pass; *stale when the nonce is not (or no longer) good. Locked. */
static bool may_pass(struct fake_device *device, const struct request *rq, bool *stale)
{
    const struct fake_script *script = &device->script;
    const char *authorization = device->seen.authorization;
    char nonce[64], nc[16];

    *stale = false;
    if (script->open)
        return true;
    if (!*authorization)
        return false;
    field(authorization, "nonce", nonce, sizeof(nonce));
    field(authorization, "qop", device->seen.qop, sizeof(device->seen.qop));
    if (strcmp(nonce, device->nonce) != 0) {
        *stale = true;
        device->seen.stale_uses++;
        return false;
    }
    if (script->refuse || !response_is_right(script, rq, authorization)) {
        device->seen.wrong_logins++;
        return false;
    }
    field(authorization, "nc", nc, sizeof(nc));
    device->seen.last_nc = (unsigned)strtoul(nc, NULL, 16);
    if (*nc && device->seen.last_nc <= device->nonce_counter)
        device->seen.bad_counters++;
    device->nonce_counter = device->seen.last_nc;
    if (script->nonce_uses && device->nonce_used >= script->nonce_uses) {
        *stale = true;
        device->seen.stale_uses++;
        return false;
    }
    device->nonce_used++;
    return true;
}

/* --- answers --- */

static void hang_up(struct connection *c, bool reset)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    if (reset)
        setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static bool put_unauthorized(struct connection *c, const struct fake_script *script, const char *nonce,
                             bool stale)
{
    const char *page = script->page ? script->page : firmware_page;
    char head[4096], challenge[2048];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(challenge, sizeof(challenge), script->challenge ? script->challenge : firmware_challenge,
             script->realm ? script->realm : FAKE_REALM, nonce,
             stale || script->always_stale ? "true" : "false");
#pragma GCC diagnostic pop
    snprintf(head, sizeof(head),
             "HTTP/1.1 401 Unauthorized\r\n%sContent-Type: text/html\r\nServer: %s\r\nContent-Length: "
             "%zu\r\n%s\r\n",
             challenge, script->server ? script->server : FAKE_SERVER, strlen(page),
             script->keep_401 ? "" : "Connection: close\r\n");
    return puts_to(c, head) && puts_to(c, page) && script->keep_401;
}

static bool put_chunked(struct connection *c, const char *content, bool bad)
{
    char size[16];

    while (*content) {
        size_t n = strlen(content) < 7 ? strlen(content) : 7;
        snprintf(size, sizeof(size), bad ? "xyz\r\n" : "%04zx\r\n", n);
        if (!puts_to(c, size) || !put(c, content, n) || !puts_to(c, "\r\n"))
            return false;
        content += n;
    }
    return puts_to(c, "0\r\n\r\n");
}

static bool put_endless(struct connection *c, const char *unit)
{
    char block[8192];
    size_t n = 0;

    while (n + strlen(unit) < sizeof(block)) {
        memcpy(block + n, unit, strlen(unit)); /* NOLINT(bugprone-not-null-terminated-result): bytes */
        n += strlen(unit);
    }
    while (put(c, block, n))
        ;
    return false;
}

static bool body_length(struct connection *c, const char *content)
{
    char head[64];

    snprintf(head, sizeof(head), "Content-Length: %zu\r\n\r\n", strlen(content));
    return puts_to(c, head) && puts_to(c, content);
}

static bool body_chunked(struct connection *c, const char *content)
{
    return puts_to(c, "Transfer-Encoding: chunked\r\n\r\n") && put_chunked(c, content, false);
}

static bool body_bad_chunk(struct connection *c, const char *content)
{
    return puts_to(c, "Transfer-Encoding: chunked\r\n\r\n") && put_chunked(c, content, true);
}

static bool body_until_close(struct connection *c, const char *content)
{
    (void)(puts_to(c, "\r\n") && puts_to(c, content));
    return false;
}

static bool body_endless(struct connection *c, const char *content)
{
    (void)content;
    return puts_to(c, "\r\n") && put_endless(c, "endless ");
}

static bool body_endless_chunked(struct connection *c, const char *content)
{
    (void)content;
    return puts_to(c, "Transfer-Encoding: chunked\r\n\r\n") && put_endless(c, "0008\r\nendless \r\n");
}

static bool body_huge_length(struct connection *c, const char *content)
{
    return puts_to(c, "Content-Length: 1073741824\r\n\r\n") && puts_to(c, content);
}

static bool body_stalled(struct connection *c, const char *content)
{
    char head[64];

    snprintf(head, sizeof(head), "Content-Length: %zu\r\n\r\n", strlen(content));
    if (puts_to(c, head) && put(c, content, strlen(content) / 2))
        wait_for_end(c);
    return false;
}

static bool body_none_yet(struct connection *c, const char *content)
{
    (void)content;
    wait_for_end(c);
    return false;
}

static bool body_endless_headers(struct connection *c, const char *content)
{
    (void)content;
    return put_endless(c, "X-More: and more\r\n");
}

static bool body_endless_line(struct connection *c, const char *content)
{
    (void)content;
    return puts_to(c, "X-More: ") && put_endless(c, "and more ");
}

static bool (*const bodies[])(struct connection *c, const char *content) = {
    [FAKE_BODY_LENGTH] = body_length,
    [FAKE_BODY_CHUNKED] = body_chunked,
    [FAKE_BODY_BAD_CHUNK] = body_bad_chunk,
    [FAKE_BODY_UNTIL_CLOSE] = body_until_close,
    [FAKE_BODY_ENDLESS] = body_endless,
    [FAKE_BODY_ENDLESS_CHUNKED] = body_endless_chunked,
    [FAKE_BODY_HUGE_LENGTH] = body_huge_length,
    [FAKE_BODY_STALLED] = body_stalled,
    [FAKE_BODY_NONE_YET] = body_none_yet,
    [FAKE_BODY_ENDLESS_HEADERS] = body_endless_headers,
    [FAKE_BODY_ENDLESS_LINE] = body_endless_line,
};

/* An answer that is cut off where the script says. */
static bool put_cut_off(struct connection *c, const struct fake_script *script)
{
    static const char *const beginnings[] = {
        [FAKE_CLOSE_REQUEST] = "",
        [FAKE_CLOSE_STATUS_LINE] = "HTTP/1.1 2",
        [FAKE_CLOSE_HEADERS] = "HTTP/1.1 200 OK\r\nServer: Intel(R) Active",
        [FAKE_CLOSE_BODY] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<a:Envelope>",
    };

    puts_to(c, beginnings[script->close]);
    hang_up(c, script->reset);
    return false;
}

static bool put_answer(struct connection *c, const struct fake_script *script)
{
    char head[512];

    if (script->close > FAKE_CLOSE_ACCEPTED && script->close < FAKE_CLOSE_ANSWER)
        return put_cut_off(c, script);
    snprintf(head, sizeof(head),
             "HTTP/1.1 %d Whatever\r\nDate: Mon, 10 Jan 2022 20:37:48 GMT\r\nServer: %s\r\nX-Frame-Options: "
             "DENY\r\n"
             "Content-Type: application/soap+xml; charset=UTF-8\r\n",
             script->status ? script->status : 200, script->server ? script->server : FAKE_SERVER);
    return puts_to(c, head) && bodies[script->body](c, script->content ? script->content : FAKE_CONTENT) &&
           script->close != FAKE_CLOSE_ANSWER;
}

/* True when the connection stays open. */
static bool serve(struct connection *c, const struct request *rq)
{
    struct fake_device *device = c->device;
    struct fake_script script;
    char nonce[sizeof(device->nonce)];
    bool stale;

    pthread_mutex_lock(&device->lock);
    script = device->script;
    note_request(&device->seen, rq);
    bool pass = may_pass(device, rq, &stale);
    if (!pass && !script.raw) {
        new_nonce(device);
        device->seen.unauthorized++;
    } else {
        device->seen.served++;
    }
    memcpy(nonce, device->nonce, sizeof(nonce));
    pthread_mutex_unlock(&device->lock);

    if (script.raw) {
        puts_to(c, script.raw);
        return false;
    }
    return pass ? put_answer(c, &script) : put_unauthorized(c, &script, nonce, stale);
}

/* --- connections --- */

/* The version a hello offers at most: bytes 9 and 10 of its record. Old stacks look at nothing else. */
static bool breaks_on_hello(struct connection *c)
{
    static const char alert[] = {0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x14};
    unsigned char hello[11];

    if (recv(c->fd, hello, sizeof(hello), MSG_PEEK | MSG_WAITALL) != sizeof(hello) || hello[10] <= 1)
        return false;
    send(c->fd, alert, sizeof(alert), MSG_NOSIGNAL);
    return true;
}

static bool handshake(struct connection *c, const struct fake_script *script, SSL_CTX *ctx)
{
    struct fake_device *device = c->device;

    if (script->raw_at_once) {
        puts_to(c, script->raw_at_once);
        return false;
    }
    if (script->no_handshake) {
        wait_for_end(c);
        return false;
    }
    if (!ctx)
        return true;
    if (script->new_hello_breaks && breaks_on_hello(c))
        return false;
    c->ssl = SSL_new(ctx);
    SSL_set_fd(c->ssl, c->fd);
    if (SSL_accept(c->ssl) != 1) {
        char byte[256];
        shutdown(c->fd,
                 SHUT_WR); /* closing with bytes unread would reset the connection, and the alert be lost */
        while (recv(c->fd, byte, sizeof(byte), 0) > 0)
            ;
        return false;
    }
    pthread_mutex_lock(&device->lock);
    const char *name = SSL_get_servername(c->ssl, TLSEXT_NAMETYPE_host_name);
    snprintf(device->seen.sni, sizeof(device->seen.sni), "%s", name ? name : "");
    device->seen.handshakes++;
    pthread_mutex_unlock(&device->lock);
    return true;
}

static void *connection_thread(void *arg)
{
    struct connection *c = arg;
    struct fake_device *device = c->device;
    struct request *rq = xmalloc(sizeof(*rq));

    pthread_mutex_lock(&device->lock);
    device->seen.connections++;
    struct fake_script script = device->script;
    SSL_CTX *ctx = device->ctx;
    pthread_mutex_unlock(&device->lock);

    if (script.close == FAKE_CLOSE_ACCEPTED)
        hang_up(c, script.reset);
    else if (handshake(c, &script, ctx))
        while (read_request(c, rq) && serve(c, rq))
            ;
    if (c->ssl && SSL_is_init_finished(c->ssl))
        SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    free(rq);
    pthread_mutex_lock(&device->lock);
    if (!script.reset && !device->script.reset)
        shutdown(c->fd, SHUT_WR);
    close(c->fd);
    c->fd = -1;
    pthread_mutex_unlock(&device->lock);
    return NULL;
}

static void start_connection(struct fake_device *device, int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    pthread_mutex_lock(&device->lock);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *c = &device->connections[i];
        if (c->fd >= 0)
            continue;
        if (c->joinable)
            pthread_join(c->thread, NULL);
        *c = (struct connection){.device = device, .fd = fd, .joinable = true};
        if (pthread_create(&c->thread, NULL, connection_thread, c) != 0)
            abort();
        fd = -1;
        break;
    }
    pthread_mutex_unlock(&device->lock);
    if (fd >= 0)
        abort(); /* more connections than any test opens */
}

static void *accept_thread(void *arg)
{
    struct fake_device *device = arg;
    struct pollfd fds[] = {{.fd = device->listener, .events = POLLIN},
                           {.fd = device->stop_pipe[0], .events = POLLIN}};

    for (;;) {
        if (poll(fds, 2, -1) < 0 || fds[1].revents)
            return NULL;
        int fd = accept4(device->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            start_connection(device, fd);
    }
}

struct fake_device *fake_device_start(const char *address, SSL_CTX *ctx)
{
    struct fake_device *device = xcalloc(1, sizeof(*device));
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t n = sizeof(in);

    pthread_mutex_init(&device->lock, NULL);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        device->connections[i].fd = -1;
    device->ctx = ctx;
    device->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (device->listener < 0 || inet_pton(AF_INET, address, &in.sin_addr) != 1 ||
        bind(device->listener, (struct sockaddr *)&in, n) < 0 || listen(device->listener, 128) < 0 ||
        getsockname(device->listener, (struct sockaddr *)&in, &n) < 0 || pipe(device->stop_pipe) < 0)
        abort();
    device->port = ntohs(in.sin_port);
    new_nonce(device);
    if (pthread_create(&device->thread, NULL, accept_thread, device) != 0)
        abort();
    return device;
}

void fake_device_hang_up(struct fake_device *device)
{
    pthread_mutex_lock(&device->lock);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (device->connections[i].fd >= 0)
            shutdown(device->connections[i].fd, SHUT_RDWR);
    pthread_mutex_unlock(&device->lock);
}

void fake_device_stop(struct fake_device *device)
{
    close(device->stop_pipe[1]);
    pthread_join(device->thread, NULL);
    fake_device_hang_up(device);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (device->connections[i].joinable)
            pthread_join(device->connections[i].thread, NULL);
    close(device->stop_pipe[0]);
    close(device->listener);
    pthread_mutex_destroy(&device->lock);
    free(device);
}

uint16_t fake_device_port(const struct fake_device *device)
{
    return device->port;
}

void fake_device_set(struct fake_device *device, const struct fake_script *script)
{
    pthread_mutex_lock(&device->lock);
    device->script = *script;
    pthread_mutex_unlock(&device->lock);
}

void fake_device_set_tls(struct fake_device *device, SSL_CTX *ctx)
{
    pthread_mutex_lock(&device->lock);
    device->ctx = ctx;
    pthread_mutex_unlock(&device->lock);
}

struct fake_seen fake_device_seen(struct fake_device *device)
{
    pthread_mutex_lock(&device->lock);
    struct fake_seen seen = device->seen;
    pthread_mutex_unlock(&device->lock);
    return seen;
}

void fake_device_forget_nonce(struct fake_device *device)
{
    pthread_mutex_lock(&device->lock);
    new_nonce(device);
    pthread_mutex_unlock(&device->lock);
}
