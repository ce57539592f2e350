#include "amtcli/remote_line.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"

#define CONNECT_MS 10000

struct remote_line {
    int fd;
    SSL *ssl;
};

static int64_t now_ms(void)
{
    return clock_mono(clock_system());
}

/* --- connecting --- */

/* False when the time is over. */
static bool wait_for(int fd, short events, int64_t until)
{
    struct pollfd one = {.fd = fd, .events = events};
    int64_t left;

    while ((left = until - now_ms()) > 0) {
        int ready = poll(&one, 1, (int)left);

        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
    errno = ETIMEDOUT;
    return false;
}

static int connect_one(const struct addrinfo *address, int64_t until)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1, number = 0;
    socklen_t size = sizeof(number);

    if (fd < 0)
        return -1;
    if (connect(fd, address->ai_addr, address->ai_addrlen) == 0 ||
        (errno == EINPROGRESS && wait_for(fd, POLLOUT, until) &&
         getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size) == 0 && number == 0)) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
        return fd;
    }
    number = number != 0 ? number : errno;
    close(fd);
    errno = number;
    return -1;
}

static int connect_any(const struct remote *remote, int64_t until, struct err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    char port[8];
    int fd = -1, status;

    snprintf(port, sizeof(port), "%u", remote->port);
    status = getaddrinfo(remote->host, port, &hints, &list);
    if (status != 0)
        return err_set(err, CAUSE_NAME_UNKNOWN, "%s: %s", remote->host, gai_strerror(status));
    for (const struct addrinfo *one = list; one && fd < 0; one = one->ai_next)
        fd = connect_one(one, until);
    if (fd < 0)
        err_set_errno(err, CAUSE_NO_DAEMON, errno, "%s, port %u", remote->host, remote->port);
    freeaddrinfo(list);
    return fd;
}

/* --- TLS --- */

static int shake(const struct remote_line *line, int64_t until, struct err *err)
{
    for (;;) {
        int result, why;

        ERR_clear_error();
        errno = 0;
        result = SSL_do_handshake(line->ssl);
        if (result == 1)
            return 0;
        why = SSL_get_error(line->ssl, result);
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
            const char *reason = ERR_reason_error_string(ERR_peek_error());

            return err_set(err, CAUSE_TLS_FAILED, "the TLS handshake failed: %s",
                           reason  ? reason
                           : errno ? strerror(errno)
                                   : "the server closed the connection");
        }
        if (!wait_for(line->fd, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, until))
            return err_set(err, CAUSE_TIMEOUT, "no end of the TLS handshake");
    }
}

static int check_server(const struct remote *remote, const struct identity *identity, const SSL *ssl,
                        struct err *err)
{
    char name[PEER_NAME_MAX + 1];
    uint8_t pin[PEER_PIN];

    if (remote->by_ca) {
        if (peer_ca_name(identity, ssl, false, name, err) != 0)
            return -1;
        return peer_has_name(ssl, remote->host)
                   ? 0
                   : err_set(err, CAUSE_PEER_UNKNOWN, "the certificate is that of %s, not of %s", name,
                             remote->host);
    }
    if (peer_pin(ssl, pin) && memcmp(pin, remote->pin, PEER_PIN) == 0)
        return 0;
    return err_set(err, CAUSE_PEER_UNKNOWN,
                   "what answers at %s, port %u has another key than the server that was joined",
                   remote->host, remote->port);
}

struct remote_line *remote_line_open(const struct remote *remote, const struct identity *identity,
                                     struct err *err)
{
    struct remote_line *line = xcalloc(1, sizeof(*line));
    int64_t until = now_ms() + CONNECT_MS;

    line->fd = connect_any(remote, until, err);
    if (line->fd >= 0) {
        line->ssl = SSL_new(identity_context(identity, false));
        SSL_set_fd(line->ssl, line->fd);
        SSL_set_connect_state(line->ssl);
        if (shake(line, until, err) == 0 && check_server(remote, identity, line->ssl, err) == 0)
            return line;
    }
    remote_line_close(line);
    return NULL;
}

void remote_line_close(struct remote_line *line)
{
    if (line->ssl && SSL_is_init_finished(line->ssl))
        SSL_shutdown(line->ssl);
    SSL_free(line->ssl);
    ERR_clear_error();
    if (line->fd >= 0)
        close(line->fd);
    free(line);
}

int remote_line_fd(const struct remote_line *line)
{
    return line->fd;
}

/* --- bytes --- */

static ssize_t outcome(const struct remote_line *line, int result, size_t n)
{
    int saved = errno;

    if (result == 1)
        return (ssize_t)n;
    switch (SSL_get_error(line->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        errno = EAGAIN;
        return -1;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    default:
        errno = saved != 0 ? saved : ECONNRESET;
        return -1;
    }
}

ssize_t remote_line_read(struct remote_line *line, void *p, size_t n)
{
    size_t got = 0;
    int result;

    ERR_clear_error();
    errno = 0;
    result = SSL_read_ex(line->ssl, p, n, &got);
    return outcome(line, result, got);
}

ssize_t remote_line_write(struct remote_line *line, const void *p, size_t n)
{
    size_t put = 0;
    int result;

    ERR_clear_error();
    errno = 0;
    result = SSL_write_ex(line->ssl, p, n, &put);
    return outcome(line, result, put);
}
