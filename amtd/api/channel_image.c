#include "amtd/api/channel_image.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/redirect/image.h"
#include "base/buf.h"
#include "base/text.h"
#include "base/xalloc.h"

#define ASK_LEN      16
#define ANSWER_LEN   12
#define NAME_LEN_MAX 200
#define SIGNAL_END   1

struct image_channel {
    struct channel *channel; /* NULL: the client has gone */
    struct image_user user;
    bool taken;
    uint64_t size;
    char *name;
    struct buf in; /* an answer, until it is whole */
};

static void image_channel_free(struct image_channel *image)
{
    buf_free(&image->in);
    free(image->name);
    free(image);
}

/* --- the channel --- */

static int open_image(struct channel *channel, struct view params, struct err *err)
{
    json_t *json = json_loadb((const char *)params.p, params.n, JSON_REJECT_DUPLICATES, NULL);
    json_int_t size = json_integer_value(json_object_get(json, "size"));
    const char *name = json_string_value(json_object_get(json, "name"));
    struct image_channel *image;

    if (size < 1 || (uint64_t)size > IMAGE_SIZE_MAX || !name || strlen(name) > NAME_LEN_MAX) {
        json_decref(json);
        return err_set(err, CAUSE_INVALID_ARGUMENT, "an image needs a name and a size of 1 byte to 4 GiB");
    }
    image = xcalloc(1, sizeof(*image));
    image->channel = channel;
    image->size = (uint64_t)size;
    image->name = xstrdup(name);
    image->in = buf_init(ANSWER_LEN + IMAGE_CHUNK);
    json_decref(json);
    channel_set(channel, image);
    channel_accept(channel);
    return 0;
}

static void answer(struct image_channel *image, uint32_t tag, bool good, struct view body)
{
    struct err err = ERR_INIT;
    struct buf text = buf_init(ERR_TEXT_MAX - 1);

    if (!image->taken)
        return;
    if (good) {
        image->user.arrived(image->user.arg, tag, body.p, body.n, NULL);
        return;
    }
    text_printable(&text, body.p, body.n < ERR_TEXT_MAX / 2 ? body.n : ERR_TEXT_MAX / 2);
    err_set(&err, CAUSE_SYSTEM, "%s", buf_str(&text));
    buf_free(&text);
    image->user.arrived(image->user.arg, tag, NULL, 0, &err);
}

/* Takes one whole answer from the front. False: there is none yet, or the client does not keep to the
 * protocol (err). */
static bool take_answer(struct image_channel *image, struct err *err)
{
    struct rd r = rd_init(image->in.p, image->in.len);
    uint32_t tag = rd_be32(&r), status = rd_be32(&r), n = rd_be32(&r);
    struct view body = rd_bytes(&r, n);

    if (image->in.len >= ANSWER_LEN && n > IMAGE_CHUNK)
        err_set(err, CAUSE_PROTOCOL, "an answer of %u bytes", n);
    if (!rd_ok(&r) || err->cause != CAUSE_NONE)
        return false;
    answer(image, tag, status == 0, body);
    buf_consume(&image->in, ANSWER_LEN + (size_t)n);
    return true;
}

/* The channel is gone. */
static void lose(struct image_channel *image)
{
    image->channel = NULL;
    if (image->taken)
        image->user.gone(image->user.arg);
    else
        image_channel_free(image);
}

static void image_data(struct channel *channel, const uint8_t *p, size_t n)
{
    struct image_channel *image = channel_arg(channel);
    struct err err = ERR_INIT;

    channel_consumed(channel, n);
    while (n > 0) {
        size_t room = ANSWER_LEN + IMAGE_CHUNK - image->in.len, part = n < room ? n : room;

        buf_add(&image->in, p, part);
        p += part;
        n -= part;
        while (take_answer(image, &err))
            continue;
        if (err.cause != CAUSE_NONE) {
            channel_close(channel);
            lose(image);
            return;
        }
    }
}

static void image_closed(struct channel *channel)
{
    lose(channel_arg(channel));
}

static void image_signal(struct channel *channel, uint32_t number)
{
    const struct image_channel *image = channel_arg(channel);

    if (number == SIGNAL_END && image->taken)
        image->user.end(image->user.arg);
}

const struct channel_kind channel_image = {
    .name = "image",
    .role = ROLE_OPERATE,
    .open = open_image,
    .data = image_data,
    .signal = image_signal,
    .closed = image_closed,
};

/* --- for its user --- */

uint64_t image_channel_size(const struct image_channel *image)
{
    return image->size;
}

const char *image_channel_name(const struct image_channel *image)
{
    return image->name;
}

int image_channel_take(struct image_channel *image, const struct image_user *user, struct err *err)
{
    if (image->taken)
        return err_set(err, CAUSE_IN_USE, "the image %s is served already", image->name);
    image->taken = true;
    image->user = *user;
    return 0;
}

void image_channel_release(struct image_channel *image)
{
    if (!image)
        return;
    image->taken = false;
    if (!image->channel)
        image_channel_free(image);
}

void image_channel_fetch(struct image_channel *image, uint32_t tag, uint64_t offset, uint32_t n)
{
    struct buf ask = buf_init(ASK_LEN);
    struct err err = ERR_INIT;

    wr_be32(&ask, tag);
    wr_be32(&ask, n);
    wr_be64(&ask, offset);
    if (!image->channel || !channel_write(image->channel, ask.p, ask.len)) {
        err_set(&err, CAUSE_DROPPED, "%s is no longer served", image->name);
        image->user.arrived(image->user.arg, tag, NULL, 0, &err);
    }
    buf_free(&ask);
}
