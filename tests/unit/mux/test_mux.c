/* Two ends back to back: bytes arrive whole, one at a time, and in random pieces; flow control; what is
 * wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/mux/mux.h"
#include "base/xalloc.h"

struct end {
    struct mux *mux;
    struct buf got; /* all data of all channels, in order of arrival */
    size_t per_channel[64];
    uint32_t opened, accepted, rejected, closed, drained, signalled;
    uint32_t last_open;
    bool consume;
    bool refuse;
};

static void on_open(void *arg, uint32_t channel, struct view kind, struct view params)
{
    struct end *e = arg;

    assert_true(view_eq(kind, "call"));
    assert_true(view_eq(params, "{}"));
    e->opened++;
    e->last_open = channel;
    if (e->refuse)
        mux_reject(e->mux, channel, "not today");
    else
        mux_accept(e->mux, channel);
}

static void on_accepted(void *arg, uint32_t channel)
{
    (void)channel;
    ((struct end *)arg)->accepted++;
}

static void on_rejected(void *arg, uint32_t channel, struct view reason)
{
    (void)channel;
    assert_true(view_eq(reason, "not today"));
    ((struct end *)arg)->rejected++;
}

static void on_data(void *arg, uint32_t channel, const uint8_t *p, size_t n)
{
    struct end *e = arg;

    e->per_channel[channel % 64] += n;
    buf_add(&e->got, p, n);
    if (e->consume)
        mux_consumed(e->mux, channel, n);
}

static void on_signal(void *arg, uint32_t channel, uint32_t number)
{
    (void)channel;
    ((struct end *)arg)->signalled = number;
}

static void on_closed(void *arg, uint32_t channel)
{
    (void)channel;
    ((struct end *)arg)->closed++;
}

static void on_drained(void *arg, uint32_t channel)
{
    (void)channel;
    ((struct end *)arg)->drained++;
}

static void end_open(struct end *e, bool connected)
{
    const struct mux_events events = {e,       on_open,   on_accepted, on_rejected,
                                      on_data, on_signal, on_closed,   on_drained};

    memset(e, 0, sizeof(*e));
    e->consume = true;
    e->got = buf_init(64 << 20);
    e->mux = mux_new(connected, &events, 8, 0);
}

static void end_close(struct end *e)
{
    mux_free(e->mux);
    buf_free(&e->got);
}

/* Carries bytes from a to b, at most `piece` at a time; false when there were none. */
static bool carry(struct end *a, struct end *b, size_t piece)
{
    struct view out = mux_output(a->mux);
    struct err err = ERR_INIT;
    uint8_t *copy;

    if (out.n == 0)
        return false;
    if (out.n > piece)
        out.n = piece;
    copy = xmalloc(out.n);
    memcpy(copy, out.p, out.n);
    mux_sent(a->mux, out.n);
    if (mux_feed(b->mux, copy, out.n, 0, &err) != 0)
        fail_msg("%s", err.text);
    free(copy);
    return true;
}

static void settle(struct end *a, struct end *b, size_t piece)
{
    bool more = true;

    while (more) {
        more = carry(a, b, piece);
        more |= carry(b, a, piece);
    }
}

static void a_call(size_t piece)
{
    struct end client, server;
    uint32_t channel;

    end_open(&client, true);
    end_open(&server, false);
    channel = mux_open(client.mux, "call", "{}", 2);
    assert_int_equal(channel, 1);
    assert_true(mux_write(client.mux, channel, "request\n", 8)); /* waits for the ACCEPT by itself */
    settle(&client, &server, piece);
    assert_int_equal(server.opened, 1);
    assert_int_equal(client.accepted, 1);
    assert_string_equal(buf_str(&server.got), "request\n");
    assert_true(mux_write(server.mux, 1, "reply\n", 6));
    mux_signal(server.mux, 1, 42);
    mux_close(server.mux, 1);
    assert_false(mux_write(server.mux, 1, "late", 4));
    settle(&client, &server, piece);
    assert_string_equal(buf_str(&client.got), "reply\n");
    assert_int_equal(client.signalled, 42);
    assert_int_equal(client.closed, 1);
    assert_int_equal(server.closed, 1);
    assert_false(mux_write(client.mux, 1, "gone", 4));
    assert_int_equal(mux_open(server.mux, "call", "{}", 2), 2);
    settle(&client, &server, piece);
    assert_int_equal(client.opened, 1);
    end_close(&client);
    end_close(&server);
}

static void whole_and_byte_by_byte(void **state)
{
    (void)state;
    a_call(1 << 20);
    a_call(1);
    a_call(3);
}

/* A receiver that does not consume holds the sender at the window, and only in that channel. */
static void flow_control_holds_one_channel_only(void **state)
{
    struct end client, server;
    size_t big = 3 * MUX_WINDOW;
    uint8_t *bytes = xcalloc(1, big);

    (void)state;
    end_open(&client, true);
    end_open(&server, false);
    mux_open(client.mux, "call", "{}", 2);
    mux_open(client.mux, "call", "{}", 2);
    settle(&client, &server, 1 << 20);
    server.consume = false;
    assert_true(mux_write(client.mux, 1, bytes, big));
    settle(&client, &server, 1 << 20);
    assert_int_equal(server.per_channel[1], MUX_WINDOW);
    assert_int_equal(mux_backlog(client.mux, 1), big - MUX_WINDOW);
    assert_true(mux_write(client.mux, 3, bytes, 1000));
    settle(&client, &server, 1 << 20);
    assert_int_equal(server.per_channel[3], 1000);
    mux_consumed(server.mux, 1, MUX_WINDOW);
    server.consume = true;
    settle(&client, &server, 1 << 20);
    assert_int_equal(server.per_channel[1], big);
    assert_int_equal(client.drained, 1); /* what need not wait is not told of */
    free(bytes);
    end_close(&client);
    end_close(&server);
}

/* Random writes in random channels, carried in random pieces: everything arrives, per channel in order. */
static void random_traffic_arrives(void **state)
{
    struct end client, server;
    size_t sent[64] = {0};
    unsigned seed = 99;

    (void)state;
    end_open(&client, true);
    end_open(&server, false);
    for (int i = 0; i < 5; i++)
        mux_open(client.mux, "call", "{}", 2);
    for (int round = 0; round < 2000; round++) {
        uint32_t channel;
        uint8_t bytes[3000] = {0};
        size_t n;

        seed = seed * 1103515245u + 12345u;
        channel = 1 + 2 * ((seed >> 8) % 5);
        n = (seed >> 12) % sizeof(bytes);
        assert_true(mux_write(client.mux, channel, bytes, n));
        sent[channel] += n;
        carry(&client, &server, 1 + (seed >> 16) % 5000);
        carry(&server, &client, 1 + (seed >> 20) % 50);
    }
    settle(&client, &server, 4096);
    for (uint32_t channel = 1; channel < 11; channel += 2)
        assert_int_equal(server.per_channel[channel], sent[channel]);
    end_close(&client);
    end_close(&server);
}

static void a_refused_channel_and_too_many(void **state)
{
    struct end client, server;

    (void)state;
    end_open(&client, true);
    end_open(&server, false);
    server.refuse = true;
    mux_open(client.mux, "call", "{}", 2);
    settle(&client, &server, 1 << 20);
    assert_int_equal(client.rejected, 1);
    server.refuse = false;
    for (int i = 0; i < 8; i++)
        assert_int_not_equal(mux_open(client.mux, "call", "{}", 2), 0);
    assert_int_equal(mux_open(client.mux, "call", "{}", 2), 0);
    end_close(&client);
    end_close(&server);
}

static void silence_is_noticed(void **state)
{
    struct end client, server;
    struct err err = ERR_INIT;

    (void)state;
    end_open(&client, true);
    end_open(&server, false);
    settle(&client, &server, 1 << 20);
    assert_int_equal(mux_tick(client.mux, MUX_PING_MS, &err), 0);
    assert_true(mux_output(client.mux).n > 0);
    settle(&client, &server, 1 << 20); /* the PONG counts as heard, at time 0 */
    assert_int_equal(mux_tick(client.mux, MUX_SILENCE_MS, &err), -1);
    assert_int_equal(err.cause, CAUSE_TIMEOUT);
    end_close(&client);
    end_close(&server);
}

#define HELLO "\x00\x00\x02\x01\x00\x00\x00\x00\x00\x01"

static void what_is_wrong_drops_the_connection(void **state)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t n;
    } rows[] = {
        {"no HELLO", "\x00\x00\x00\x07\x00\x00\x00\x01", 8},
        {"another version", "\x00\x00\x02\x01\x00\x00\x00\x00\x00\x09", 10},
        {"two HELLOs", HELLO HELLO, 20},
        {"unknown type", HELLO "\x00\x00\x00\x63\x00\x00\x00\x01", 18},
        {"too long", HELLO "\xff\xff\xff\x05\x00\x00\x00\x01", 18},
        {"DATA on no channel", HELLO "\x00\x00\x01\x05\x00\x00\x00\x01x", 19},
        {"OPEN with our number",
         HELLO "\x00\x00\x09\x02\x00\x00\x00\x02\x00\x00\x10\x00\x04"
               "call",
         27},
        {"OPEN cut short", HELLO "\x00\x00\x02\x02\x00\x00\x00\x01\x00\x00", 20},
        {"ACCEPT of nothing", HELLO "\x00\x00\x04\x03\x00\x00\x00\x02\x00\x00\x10\x00", 22},
        {"PING without cookie", HELLO "\x00\x00\x00\x09\x00\x00\x00\x00", 18},
        {"garbage", "GET / HTTP/1.1\r\n\r\n", 18},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct end server;
        struct err err = ERR_INIT;

        end_open(&server, false);
        if (mux_feed(server.mux, rows[i].bytes, rows[i].n, 0, &err) == 0)
            fail_msg("%s was taken", rows[i].name);
        assert_int_equal(err.cause, CAUSE_PROTOCOL);
        end_close(&server);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_and_byte_by_byte), cmocka_unit_test(flow_control_holds_one_channel_only),
        cmocka_unit_test(random_traffic_arrives), cmocka_unit_test(a_refused_channel_and_too_many),
        cmocka_unit_test(silence_is_noticed),     cmocka_unit_test(what_is_wrong_drops_the_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
