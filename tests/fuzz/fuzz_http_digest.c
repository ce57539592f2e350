/* The headers of an unauthenticated device: WWW-Authenticate (any number, one a line), then a Server header.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wsman/http.h"
#include "wsman/http_digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer(const struct http_challenge *challenge)
{
    struct http_md5 md5;
    struct http_digest digest;
    struct buf out = buf_init(8192);
    struct err err = ERR_INIT;
    struct secret *password = secret_new("password", 8);
    struct view body = {(const uint8_t *)"body", 4};

    http_digest_init(&digest, "admin", password);
    if (http_md5_init(&md5, &err) < 0 || http_digest_accept(&digest, &md5, challenge, "cnonce", &err) < 0 ||
        http_digest_answer(&digest, &md5, "POST", "/wsman", body, &out, &err) < 0 || !buf_ok(&out))
        abort();
    /* What the device sent comes back to it, and must not break out of its header. */
    if (strpbrk(buf_str(&out), "\r\n"))
        abort();
    http_digest_clear(&digest);
    http_md5_clear(&md5);
    secret_free(password);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_challenge challenge = {0};
    struct rd r = rd_init(data, size);
    char version[32];

    while (r.n) {
        struct rd ahead = r;
        struct view line = rd_until(&ahead, '\n');
        if (ahead.bad)
            line = rd_bytes(&r, r.n);
        else
            r = ahead;
        http_challenge_read(&challenge, line.p, line.n);
    }
    if (challenge.answerable)
        answer(&challenge);
    if (challenge.answerable && http_realm_is_amt(challenge.realm) && strlen(challenge.realm) != 39)
        abort();

    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    (void)http_server_version(text, version, sizeof(version));
    if (strspn(version, "0123456789.") != strlen(version))
        abort();
    free(text);
    return 0;
}
