/* What a client sends on a channel of the kind `image`: its parameters up to the first NUL, then answers, cut
 * into pieces as the first byte says. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/api/channel_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- the connection, as far as the kind sees it --- */

struct channel {
    void *arg;
    bool closed;
};

void channel_set(struct channel *channel, void *arg)
{
    channel->arg = arg;
}

void *channel_arg(const struct channel *channel)
{
    return channel->arg;
}

void channel_accept(struct channel *channel)
{
    (void)channel;
}

void channel_consumed(struct channel *channel, size_t n)
{
    (void)channel;
    (void)n;
}

bool channel_write(struct channel *channel, const void *p, size_t n)
{
    (void)channel;
    (void)p;
    return n < SIZE_MAX;
}

void channel_close(struct channel *channel)
{
    channel->closed = true;
}

/* --- its user: asks again for whatever comes --- */

struct reader {
    struct image_channel *image;
    uint64_t sum;
};

static void arrived(void *arg, uint32_t tag, const void *p, size_t n, const struct err *failure)
{
    struct reader *reader = arg;

    if (!p && !failure)
        abort();
    for (size_t i = 0; p && i < n; i++)
        reader->sum += ((const uint8_t *)p)[i];
    if (tag % 2 == 0)
        image_channel_fetch(reader->image, tag + 1, 0, 512);
}

static void nothing(void *arg)
{
    (void)arg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 1 ? memchr(data + 1, 0, size - 1) : NULL;
    size_t step = size > 0 ? data[0] + 1U : 1;
    struct channel channel = {0};
    struct reader reader = {0};
    const struct image_user user = {&reader, arrived, nothing, nothing};
    struct err err = ERR_INIT;
    struct view params;

    if (!end)
        return 0;
    params = (struct view){data + 1, (size_t)(end - data) - 1};
    if (channel_image.open(&channel, params, &err) != 0)
        return 0;
    reader.image = channel_arg(&channel);
    image_channel_take(reader.image, &user, &err);
    for (const uint8_t *p = end + 1, *stop = data + size; p < stop && !channel.closed;) {
        size_t n = (size_t)(stop - p) < step ? (size_t)(stop - p) : step;

        channel_image.data(&channel, p, n);
        p += n;
    }
    channel_image.signal(&channel, 1);
    if (!channel.closed)
        channel_image.closed(&channel);
    image_channel_release(reader.image);
    return 0;
}
