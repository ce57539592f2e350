/* Digests of blocks, however their bytes came: the same as from the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "amtd/console/blocks.h"

#define SIZE  (20 * BLOCK_SIZE + 12345)
#define WHOLE (SIZE / BLOCK_SIZE)

static uint8_t *bytes;
static int fd;
static uint8_t expected[HASH_LEN]; /* the sum, read from the file */
static struct buf read_back;

static int setup(void **state)
{
    char name[] = "/tmp/amtd-blocks-XXXXXX";
    uint32_t x = 1;

    (void)state;
    bytes = malloc(SIZE);
    fd = mkstemp(name);
    if (!bytes || fd < 0)
        return -1;
    unlink(name);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24);
    read_back = buf_init(SIZE);
    return write(fd, bytes, SIZE) == SIZE ? blocks_hash(fd, SIZE, &read_back, NULL, expected, NULL) : -1;
}

static int teardown(void **state)
{
    (void)state;
    close(fd);
    free(bytes);
    buf_free(&read_back);
    return 0;
}

/* So many blocks were seen, and with the rest from the file they give what the file alone gives. */
static void assert_seen(struct blocks *b, size_t count)
{
    struct buf seen = blocks_take(b), digests = buf_init(SIZE);
    uint8_t sum[HASH_LEN];

    assert_int_equal(seen.len, count * 40);
    assert_int_equal(blocks_hash(fd, SIZE, &digests, &seen, sum, NULL), 0);
    assert_memory_equal(sum, expected, HASH_LEN);
    assert_int_equal(digests.len, read_back.len);
    assert_memory_equal(digests.p, read_back.p, digests.len);
    buf_free(&seen);
    buf_free(&digests);
}

static void any_pieces(void **state)
{
    static const size_t steps[] = {1000, 16384, 48600, BLOCK_SIZE, BLOCK_SIZE + 1, 200000, SIZE};
    struct blocks b = {0};

    (void)state;
    for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
        for (size_t at = 0; at < SIZE; at += steps[s])
            blocks_add(&b, at, bytes + at, SIZE - at < steps[s] ? SIZE - at : steps[s]);
        assert_seen(&b, WHOLE);
        blocks_clear(&b);
    }
}

/* What was passed over is read back, and nothing else. */
static void holes(void **state)
{
    struct blocks b = {0};
    size_t at = 0;

    (void)state;
    for (size_t i = 0; at < SIZE; i++) {
        size_t n = SIZE - at < 30000 ? SIZE - at : 30000;

        if (i % 7 != 3)
            blocks_add(&b, at, bytes + at, n);
        if (i == 20)
            blocks_rest(&b);
        at += n;
    }
    assert_true(b.seen.len > 0 && b.seen.len < WHOLE * (size_t)40);
    assert_seen(&b, b.seen.len / 40);
    blocks_clear(&b);
}

/* The file is read only where nothing was seen: a descriptor that cannot be read shows it. */
static void nothing_is_read(void **state)
{
    struct blocks b = {0};
    struct buf seen, digests = buf_init(SIZE);
    uint8_t sum[HASH_LEN];
    struct err err = ERR_INIT;

    (void)state;
    blocks_add(&b, 0, bytes, WHOLE * (size_t)BLOCK_SIZE);
    seen = blocks_take(&b);
    assert_int_equal(blocks_hash(-1, WHOLE * (uint64_t)BLOCK_SIZE, &digests, &seen, sum, &err), 0);
    assert_memory_equal(digests.p, read_back.p, digests.len);
    buf_reset(&digests);
    assert_int_equal(blocks_hash(-1, SIZE, &digests, &seen, sum, &err), -1);
    buf_free(&seen);
    buf_free(&digests);
    blocks_clear(&b);
}

/* With nobody who takes them, no more than the bound waits. */
static void bounded(void **state)
{
    struct blocks b = {0};

    (void)state;
    for (uint64_t i = 0; i < 2 * BLOCKS_SEEN_MAX; i++) {
        assert_int_equal(blocks_many(&b), i >= BLOCKS_SEEN_MAX / 2);
        blocks_add(&b, i * BLOCK_SIZE, bytes, BLOCK_SIZE);
    }
    assert_int_equal(b.seen.len, BLOCKS_SEEN_MAX * 40);
    blocks_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_pieces),
        cmocka_unit_test(holes),
        cmocka_unit_test(nothing_is_read),
        cmocka_unit_test(bounded),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
