/* A server that says the same to whoever connects, as fast as it is taken: a whole console session of a
 * device, its answers to a login first (no client is waited for), then messages with output until the given
 * size, then it closes. A client of the protocol lives through a session; socat and openssl move the same
 * bytes.
 *
 *   redir_pump PORT MIB [CERT KEY]        TLS with these */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/text.h"

#define MESSAGE 1000 /* bytes of output in one, as the most used client asks for */
#define BLOCK   (64 * 1024)

static const uint8_t login[] = {
    0x11, 0, 0, 0, 1, 0, 16, 0, 0x57, 1, 0,   0, 0,                                            /* started */
    0x14, 0, 0, 0, 0, 1, 0,  0, 0,    4,                                                       /* digest */
    0x14, 1, 0, 0, 4, 9, 0,  0, 0,    1, 'r', 1, 'n', 4, 'a', 'u', 't', 'h',                   /* challenge */
    0x14, 0, 0, 0, 4, 0, 0,  0, 0,                                                             /* accepted */
    0x21, 0, 0, 0, 0, 0, 0,  0, 1,    0, 1,   0, 0,   0, 0,   1,   0,   0,   0x57, 1, 0, 0, 0, /* open */
};

static bool say(int fd, SSL *ssl, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t k = ssl ? SSL_write(ssl, p, (int)n) : write(fd, p, n);

        if (k <= 0)
            return false;
        p += k;
        n -= (size_t)k;
    }
    return true;
}

static void serve(int fd, SSL_CTX *tls, const struct buf *block, size_t total)
{
    SSL *ssl = tls ? SSL_new(tls) : NULL;
    bool ok = !ssl || (SSL_set_fd(ssl, fd) == 1 && SSL_accept(ssl) == 1);

    ok = ok && say(fd, ssl, login, sizeof(login));
    for (size_t sent = 0; ok && sent < total; sent += block->len)
        ok = say(fd, ssl, block->p, block->len);
    if (ssl) {
        SSL_shutdown(ssl);
        SSL_free(ssl);
    }
    shutdown(fd, SHUT_WR);
    for (char rest[4096]; read(fd, rest, sizeof(rest)) > 0;) /* what it wrote must not make a reset of this */
        ;
    close(fd);
}

static SSL_CTX *load(const char *cert, const char *key)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());

    if (!tls || SSL_CTX_use_certificate_file(tls, cert, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
        return NULL;
    return tls;
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct buf block = buf_init(BLOCK + MESSAGE);
    uint64_t port, mib;
    SSL_CTX *tls = NULL;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    if ((argc != 3 && argc != 5) || !text_u64(argv[1], 1, 65535, &port) ||
        !text_u64(argv[2], 1, 1 << 20, &mib))
        return 2;
    if (argc == 5 && !(tls = load(argv[3], argv[4])))
        return 1;
    while (block.len + MESSAGE + 10 <= BLOCK) {
        wr_le64(&block, 0x2a);
        wr_le16(&block, MESSAGE);
        for (int i = 0; i < MESSAGE; i++)
            wr_u8(&block, (uint8_t)(i % 80 == 79 ? '\n' : 'a' + i % 26));
    }
    signal(SIGPIPE, SIG_IGN);
    at.sin_port = htons((uint16_t)port);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 4) != 0) {
        perror("redir_pump");
        return 1;
    }
    puts("ready");
    fflush(stdout);
    for (int peer; (peer = accept(fd, NULL, NULL)) >= 0;)
        serve(peer, tls, &block, (size_t)mib << 20);
    return 0;
}
