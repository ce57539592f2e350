/* The hash of logs against the test vectors that BLAKE3's authors publish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/text.h"

#define LONGEST 102400

static uint8_t input[LONGEST];

static const struct {
    size_t n;
    const char *sum;
} vectors[] = {
    {0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"},
    {1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"},
    {1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"},
    {1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"},
    {LONGEST, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"},
};

static int fill(void **state)
{
    (void)state;
    for (size_t i = 0; i < LONGEST; i++)
        input[i] = (uint8_t)(i % 251);
    return 0;
}

static void assert_sum(const uint8_t sum[HASH_LEN], const char *expected)
{
    struct buf hex = buf_init((size_t)2 * HASH_LEN);

    text_hex(&hex, sum, HASH_LEN, false);
    assert_string_equal(buf_str(&hex), expected);
    buf_free(&hex);
}

static void published(void **state)
{
    uint8_t sum[HASH_LEN];

    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        hash_bytes(input, vectors[i].n, sum);
        assert_sum(sum, vectors[i].sum);
    }
}

/* However they are cut, and what was asked for in between. */
static void pieces(void **state)
{
    struct hash *hash = hash_new();
    uint8_t sum[HASH_LEN];

    (void)state;
    for (size_t step = 1; step < 40000; step = step * 3 + 1) {
        hash_begin(hash);
        for (size_t at = 0; at < LONGEST; at += step) {
            hash_add(hash, input + at, LONGEST - at < step ? LONGEST - at : step);
            if (step > 1000)
                hash_end(hash, sum);
        }
        hash_end(hash, sum);
        assert_sum(sum, vectors[sizeof(vectors) / sizeof(vectors[0]) - 1].sum);
    }
    hash_free(hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published),
        cmocka_unit_test(pieces),
    };

    return cmocka_run_group_tests(tests, fill, NULL);
}
