#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "tests/amtsim/qmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard {
    struct buf text;
    struct qmp *qmp;
};

static void on_send(void *arg, const void *p, size_t n)
{
    struct heard *h = arg;

    buf_add(&h->text, p, n);
}

static void on_reply(void *arg, const json_t *result, const struct err *err)
{
    struct heard *h = arg;

    (void)result;
    buf_puts(&h->text, err != NULL ? err->text : "done");
}

static void on_ready(void *arg)
{
    struct heard *h = arg;

    if (qmp_execute(h->qmp, "cont", NULL, on_reply, h, NULL) != 0)
        abort();
}

static void on_event(void *arg, const char *name, const json_t *data)
{
    struct heard *h = arg;

    if (!json_is_object(data))
        abort();
    buf_puts(&h->text, name);
}

static struct heard hear(const uint8_t *data, size_t size, size_t step)
{
    struct heard h = {.text = buf_init(1 << 20)};
    struct qmp_events events = {&h, on_send, on_ready, on_event};

    h.qmp = qmp_new(&events);
    for (size_t i = 0; i < size; i += step)
        if (qmp_feed(h.qmp, data + i, size - i < step ? size - i : step, NULL) != 0)
            break;
    qmp_free(h.qmp);
    return h;
}

/* One byte at a time is understood as all at once. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heard whole = hear(data, size, size > 0 ? size : 1);
    struct heard bytes = hear(data, size, 1);

    if (whole.text.len != bytes.text.len ||
        (whole.text.len > 0 && memcmp(whole.text.p, bytes.text.p, whole.text.len) != 0))
        abort();
    buf_free(&whole.text);
    buf_free(&bytes.text);
    return 0;
}
