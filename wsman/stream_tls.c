#include "wsman/stream_tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

#include "base/xalloc.h"

struct stream_tls {
    struct http_trust *trust; /* NULL: the owner judges the peer */
    SSL_CTX *ctx;
    SSL *ssl;
    bool shaken;
    bool broken; /* nothing may be sent any more, not even a good-bye */
};

/* The rest of making one, with tls->ctx set. Frees it when OpenSSL does not start. */
static struct stream_tls *begin(struct stream_tls *tls, bool accepts, int fd, const char *sni,
                                struct err *err)
{
    if (tls->ctx)
        tls->ssl = SSL_new(tls->ctx);
    if (!tls->ssl || SSL_set_fd(tls->ssl, fd) != 1 || (sni && SSL_set_tlsext_host_name(tls->ssl, sni) != 1)) {
        const char *reason = ERR_reason_error_string(ERR_peek_error());

        err_set(err, CAUSE_SYSTEM, "OpenSSL does not start: %s", reason ? reason : "unknown reason");
        stream_tls_free(tls);
        return NULL;
    }
    /* Idle sessions are many: their record buffers are given back. */
    SSL_set_mode(tls->ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                               SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_set_read_ahead(tls->ssl, 1);
    if (accepts)
        SSL_set_accept_state(tls->ssl);
    else
        SSL_set_connect_state(tls->ssl);
    return tls;
}

struct stream_tls *stream_tls_new(struct http_trust *trust, int fd, const char *sni, struct err *err)
{
    struct stream_tls *tls = xcalloc(1, sizeof(*tls));

    tls->trust = trust;
    ERR_clear_error();
    tls->ctx = SSL_CTX_new(TLS_client_method());
    if (tls->ctx && http_trust_prepare(trust, tls->ctx) != 0) {
        SSL_CTX_free(tls->ctx);
        tls->ctx = NULL;
    }
    return begin(tls, false, fd, sni, err);
}

struct stream_tls *stream_tls_new_by(SSL_CTX *ctx, bool accepts, int fd, const char *sni, struct err *err)
{
    struct stream_tls *tls = xcalloc(1, sizeof(*tls));

    ERR_clear_error();
    SSL_CTX_up_ref(ctx);
    tls->ctx = ctx;
    return begin(tls, accepts, fd, sni, err);
}

const SSL *stream_tls_ssl(const struct stream_tls *tls)
{
    return tls->ssl;
}

void stream_tls_free(struct stream_tls *tls)
{
    if (!tls)
        return;
    if (tls->shaken && !tls->broken)
        SSL_shutdown(tls->ssl);
    SSL_free(tls->ssl);
    SSL_CTX_free(tls->ctx);
    ERR_clear_error();
    free(tls);
}

static enum stream_io failed(struct stream_tls *tls, int number, struct err *err)
{
    unsigned long why = ERR_peek_error();

    tls->broken = true;
    if (tls->trust && http_trust_failure(tls->trust, err) < 0)
        return STREAM_IO_FAILED;
    if (!tls->shaken && !tls->trust && why)
        err_set(err, CAUSE_TLS_FAILED, "the TLS handshake failed: %s", ERR_reason_error_string(why));
    else if (!tls->shaken && !tls->trust)
        err_set(err, CAUSE_DROPPED, "the peer closed the connection during the TLS handshake");
    else if (!tls->shaken)
        err_set(err, CAUSE_DROPPED, "the device closed the connection during the TLS handshake");
    else if (why)
        err_set(err, CAUSE_TLS_FAILED, "the TLS connection broke: %s", ERR_reason_error_string(why));
    else if (number)
        err_set_errno(err, CAUSE_DROPPED, number, "the connection broke");
    else
        err_set(err, CAUSE_DROPPED, "the connection broke");
    return STREAM_IO_FAILED;
}

/* The end of the bytes: in good order, unless the device hung up because of what it thinks of us. */
static enum stream_io ended(struct stream_tls *tls, struct err *err)
{
    if (!tls->shaken || (tls->trust && http_trust_failure(tls->trust, err) < 0))
        return failed(tls, 0, err);
    return STREAM_IO_END;
}

static enum stream_io outcome(struct stream_tls *tls, int result, int number, struct err *err)
{
    switch (SSL_get_error(tls->ssl, result)) {
    case SSL_ERROR_NONE:
        return STREAM_IO_DONE;
    case SSL_ERROR_WANT_READ:
        return STREAM_IO_WANT_READ;
    case SSL_ERROR_WANT_WRITE:
        return STREAM_IO_WANT_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return ended(tls, err);
    default:
        return failed(tls, number, err);
    }
}

enum stream_io stream_tls_handshake(struct stream_tls *tls, struct err *err)
{
    enum stream_io io;
    int result;

    ERR_clear_error();
    errno = 0;
    result = SSL_do_handshake(tls->ssl);
    io = outcome(tls, result, errno, err);
    if (io == STREAM_IO_DONE)
        tls->shaken = true;
    return io;
}

enum stream_io stream_tls_read(struct stream_tls *tls, void *p, size_t n, size_t *got, struct err *err)
{
    int result;

    *got = 0;
    ERR_clear_error();
    errno = 0;
    result = SSL_read_ex(tls->ssl, p, n, got);
    if (result == 1 && tls->trust)
        http_trust_answered(tls->trust);
    return outcome(tls, result, errno, err);
}

enum stream_io stream_tls_write(struct stream_tls *tls, const void *p, size_t n, size_t *sent,
                                struct err *err)
{
    int result;

    *sent = 0;
    ERR_clear_error();
    errno = 0;
    result = SSL_write_ex(tls->ssl, p, n, sent);
    return outcome(tls, result, errno, err);
}

bool stream_tls_holds(const struct stream_tls *tls)
{
    return SSL_has_pending(tls->ssl) == 1;
}
