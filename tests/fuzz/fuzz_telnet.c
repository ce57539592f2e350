/* Telnet: any bytes are taken, all at once gives the same data as one at a time, and what it answers is
 * bounded. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/console/telnet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_data(void *arg, const uint8_t *p, size_t n)
{
    if (n == 0)
        abort();
    buf_add(arg, p, n);
}

static void on_signals(void *arg, unsigned known, unsigned on)
{
    (void)arg;
    if ((on & ~known) != 0)
        abort();
}

static struct buf run(const uint8_t *data, size_t size, size_t step, struct buf *answer)
{
    struct buf out = buf_init(1 << 24);
    const struct telnet_port port = {true, 9600, 8, 1, 0, 0};
    const struct telnet_events events = {&out, on_data, on_signals};
    struct telnet *t = telnet_new(&port, &events);
    const uint8_t *p;
    size_t n;

    for (size_t at = 0; at < size; at += step)
        telnet_feed(t, data + at, size - at < step ? size - at : step);
    p = telnet_output(t, &n);
    *answer = buf_init(1 << 24);
    buf_add(answer, p, n);
    telnet_free(t);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf answer1, answer2, whole = run(data, size, size > 0 ? size : 1, &answer1);
    struct buf single = run(data, size, 1, &answer2);

    if (whole.len != single.len || (whole.len > 0 && memcmp(whole.p, single.p, whole.len) != 0) ||
        answer1.len != answer2.len || memcmp(answer1.p, answer2.p, answer1.len) != 0)
        abort();
    buf_free(&whole);
    buf_free(&single);
    buf_free(&answer1);
    buf_free(&answer2);
    return 0;
}
