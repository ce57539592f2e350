/* What a device shows of certificates, public keys and signed requests. The first byte says which. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/peer/authority.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"pc7", "127.0.0.1", NULL};

static void certificate(const uint8_t *p, size_t n)
{
    struct err err = ERR_INIT;
    struct leaf leaf;
    int status = leaf_read(&leaf, p, n, &err);

    if ((status == 0) != (err.cause == CAUSE_NONE) || (status == 0 && strlen(leaf.pin) != AUTHORITY_PIN))
        abort();
    if (status != 0 && (leaf_carries(p, n, names) || leaf.subject))
        abort();
    leaf_clear(&leaf);
}

static void key(const uint8_t *p, size_t n)
{
    struct err err = ERR_INIT;
    struct buf out = buf_init(AUTHORITY_DER_MAX);

    if ((authority_request(names, p, n, &out, &err) == 0) != (out.len > 0))
        abort();
    buf_free(&out);
}

/* A CA, made once, is asked to sign for the request's own key. */
static void request(const uint8_t *p, size_t n)
{
    static struct buf ca, public_key;
    static struct secret *ca_key;
    struct buf private_key = buf_init(AUTHORITY_DER_MAX), asked = buf_init(2 * AUTHORITY_DER_MAX);
    struct buf out = buf_init(AUTHORITY_DER_MAX);
    struct leaf_order order = {
        .names = names, .until_ms = 86400000, .public_key = &public_key, .request = &asked};
    struct err err = ERR_INIT;

    if (!ca_key) {
        ca = buf_init(AUTHORITY_DER_MAX);
        public_key = buf_init(AUTHORITY_DER_MAX);
        if (authority_make(0, &ca, &ca_key, &err) != 0 || authority_key(&private_key, &public_key, &err) != 0)
            abort();
    }
    buf_add(&asked, p, n);
    if (n > 0 && authority_issue(&ca, ca_key, &order, &out, &err) == 0)
        abort(); /* nobody signs for a key that was made just now */
    buf_free(&private_key);
    buf_free(&asked);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const kinds[])(const uint8_t *, size_t) = {certificate, key, request};

    if (size > 0)
        kinds[data[0] % 3](data + 1, size - 1);
    return 0;
}
