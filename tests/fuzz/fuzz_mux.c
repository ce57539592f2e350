#include <stdint.h>

#include "amtd/mux/mux.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mux *current;

static void on_open(void *arg, uint32_t channel, struct view kind, struct view params)
{
    (void)arg;
    (void)params;
    if (kind.n % 2)
        mux_reject(current, channel, "odd");
    else
        mux_accept(current, channel);
    mux_write(current, channel, "hello", 5);
}

static void on_data(void *arg, uint32_t channel, const uint8_t *p, size_t n)
{
    (void)arg;
    mux_write(current, channel, p, n);
    mux_consumed(current, channel, n);
    if (n % 5 == 0)
        mux_close(current, channel);
}

/* The first byte says which side this is and how the rest is cut into pieces. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct mux_events events = {.open = on_open, .data = on_data};
    struct err err = ERR_INIT;
    size_t piece = size > 0 ? 1 + data[0] / 2 : 1;
    struct mux *mux = mux_new(size > 0 && data[0] % 2, &events, 4, 0);

    current = mux;
    if (size > 0 && data[0] % 2)
        mux_open(mux, "call", "x", 1);
    for (size_t at = 1; at < size; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        struct view out;

        if (mux_feed(mux, data + at, n, (int64_t)at, &err) != 0)
            break;
        out = mux_output(mux);
        mux_sent(mux, out.n / 2);
    }
    mux_free(mux);
    return 0;
}
