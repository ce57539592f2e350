/* The block device's server, by the words of its protocol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/buf.h"
#include "tests/amtsim/nbd.h"

static struct {
    unsigned count;
    uint64_t handle, offset;
    uint32_t n;
} asked;

static void on_read(void *arg, uint64_t handle, uint64_t offset, uint32_t n)
{
    (void)arg;
    asked.count++;
    asked.handle = handle;
    asked.offset = offset;
    asked.n = n;
}

static struct nbd *open_nbd(void)
{
    const struct nbd_config config = {.size = 10 * 2048, .block_size = 2048, .read = on_read};
    memset(&asked, 0, sizeof(asked));
    return nbd_new(&config);
}

static void expect(struct nbd *nbd, const void *p, size_t n)
{
    struct view v = nbd_output(nbd);
    assert_int_equal(v.n, n);
    assert_memory_equal(v.p, p, n);
    nbd_sent(nbd, n);
}

static int say(struct nbd *nbd, const struct buf *b, size_t piece)
{
    int r = 0;
    for (size_t at = 0; at < b->len && r == 0; at += piece)
        r = nbd_feed(nbd, b->p + at, b->len - at < piece ? b->len - at : piece, NULL);
    return r;
}

static void put_option(struct buf *b, uint32_t option, const void *data, uint32_t n)
{
    wr_bytes(b, "IHAVEOPT", 8);
    wr_be32(b, option);
    wr_be32(b, n);
    wr_bytes(b, data, n);
}

static void put_request(struct buf *b, uint16_t type, uint64_t handle, uint64_t offset, uint32_t n)
{
    wr_be32(b, 0x25609513);
    wr_be16(b, 0);
    wr_be16(b, type);
    wr_be64(b, handle);
    wr_be64(b, offset);
    wr_be32(b, n);
}

/* As QEMU does it: structured replies are asked for and not to be had, then go. */
static void put_negotiation(struct buf *b)
{
    wr_be32(b, 3);
    put_option(b, 8, "", 0);
    put_option(b, 7, "\0\0\0\2cd\0\1\0\3", 10);
}

static void expect_negotiation(struct nbd *nbd)
{
    static const char want[] = "NBDMAGICIHAVEOPT\0\3"
                               "\0\3\xe8\x89\4\x55\x65\xa9\0\0\0\x8\x80\0\0\1\0\0\0\0"
                               "\0\3\xe8\x89\4\x55\x65\xa9\0\0\0\7\0\0\0\3\0\0\0\xc"
                               "\0\0\0\0\0\0\0\0\x50\0\0\3"
                               "\0\3\xe8\x89\4\x55\x65\xa9\0\0\0\7\0\0\0\3\0\0\0\xe"
                               "\0\3\0\0\x8\0\0\1\0\0\0\x10\0\0"
                               "\0\3\xe8\x89\4\x55\x65\xa9\0\0\0\7\0\0\0\1\0\0\0\0";
    expect(nbd, want, sizeof(want) - 1);
}

static void reads_in_any_pieces(void **state)
{
    struct buf b = buf_init(4096);
    uint8_t data[4096];
    (void)state;
    put_negotiation(&b);
    put_request(&b, 0, 0x1122334455667788, 2048, 4096);
    for (size_t piece = 1; piece <= b.len; piece++) {
        struct nbd *nbd = open_nbd();
        assert_int_equal(say(nbd, &b, piece), 0);
        expect_negotiation(nbd);
        assert_int_equal(asked.count, 1);
        assert_true(asked.handle == 0x1122334455667788 && asked.offset == 2048 && asked.n == 4096);
        memset(data, 7, sizeof(data));
        nbd_answer(nbd, asked.handle, NBD_OK, data, sizeof(data));
        assert_memory_equal(nbd_output(nbd).p, "\x67\x44\x66\x98\0\0\0\0\x11\x22\x33\x44\x55\x66\x77\x88\7",
                            17);
        assert_int_equal(nbd_output(nbd).n, 16 + 4096);
        nbd_free(nbd);
    }
    buf_free(&b);
}

static void what_is_refused(void **state)
{
    static const struct {
        uint16_t type;
        uint64_t offset;
        uint32_t n;
        uint8_t error;
    } cases[] = {
        {0, 0, 0, 22},
        {0, 1, 2048, 22},
        {0, 0, 2047, 22},
        {0, 20480, 2048, 22},
        {0, 18432, 4096, 22},
        {0, 0, 1u << 31, 22},
        {0, UINT64_MAX - 2047, 2048, 22},
        {4, 0, 2048, 95},
        {3, 0, 0, 0},
        {1, 0, 5, 1},
    };
    struct nbd *nbd = open_nbd();
    struct buf b = buf_init(4096);
    (void)state;
    put_negotiation(&b);
    say(nbd, &b, b.len);
    nbd_sent(nbd, nbd_output(nbd).n);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t want[16] = {0x67, 0x44, 0x66, 0x98, 0, 0, 0, cases[i].error, 0, 0, 0, 0, 0, 0, 0, (uint8_t)i};
        buf_reset(&b);
        put_request(&b, cases[i].type, i, cases[i].offset, cases[i].n);
        assert_int_equal(say(nbd, &b, b.len), 0);
        expect(nbd, want, sizeof(want));
    }
    buf_reset(&b); /* the five bytes of the write are no request */
    wr_bytes(&b, "12345", 5);
    put_request(&b, 3, 99, 0, 0);
    assert_int_equal(say(nbd, &b, 1), 0);
    assert_int_equal(nbd_output(nbd).n, 16);
    assert_int_equal(asked.count, 0);
    buf_reset(&b);
    put_request(&b, 2, 0, 0, 0); /* goodbye */
    assert_int_equal(say(nbd, &b, b.len), -1);
    nbd_free(nbd);
    buf_free(&b);
}

static void old_clients_get_the_size(void **state)
{
    static const char want[] = "\0\0\0\0\0\0\x50\0\0\3";
    struct nbd *nbd = open_nbd();
    struct buf b = buf_init(4096);
    (void)state;
    nbd_sent(nbd, nbd_output(nbd).n);
    wr_be32(&b, 1);
    put_option(&b, 1, "any", 3);
    assert_int_equal(say(nbd, &b, 2), 0);
    assert_int_equal(nbd_output(nbd).n, 10 + 124);
    assert_memory_equal(nbd_output(nbd).p, want, 10);
    nbd_free(nbd);
    buf_free(&b);
}

static void nonsense_is_dropped(void **state)
{
    struct buf b = buf_init(4096);
    (void)state;
    struct nbd *nbd = open_nbd();
    wr_be32(&b, 0x40);
    assert_int_equal(say(nbd, &b, 4), -1);
    nbd_free(nbd);
    nbd = open_nbd();
    buf_reset(&b);
    wr_be32(&b, 3);
    wr_bytes(&b, "IHAVEOPT\0\0\0\7\xff\xff\xff\xff", 16);
    assert_int_equal(say(nbd, &b, 1), -1);
    nbd_free(nbd);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_in_any_pieces),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(old_clients_get_the_size),
        cmocka_unit_test(nonsense_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
