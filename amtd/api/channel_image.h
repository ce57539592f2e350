/* The kind `image` of channels: a file that the client has open and serves (docs/mux.md). */
#ifndef AMTD_API_CHANNEL_IMAGE_H
#define AMTD_API_CHANNEL_IMAGE_H

#include "amtd/api/channel.h"

extern const struct channel_kind channel_image;

struct image_channel; /* lives as long as its channel, or until it is let go, whichever is later */

struct image_user {
    void *arg;
    /* What was asked for: n bytes; p NULL: failure says why not. */
    void (*arrived)(void *arg, uint32_t tag, const void *p, size_t n, const struct err *failure);
    /* The client wants an end, in good order. */
    void (*end)(void *arg);
    /* The client has gone, and what was asked for will not come. */
    void (*gone)(void *arg);
};

uint64_t image_channel_size(const struct image_channel *image);
const char *image_channel_name(const struct image_channel *image);
/* One user at a time: -1 and err (in-use). */
int image_channel_take(struct image_channel *image, const struct image_user *user, struct err *err);
void image_channel_release(struct image_channel *image); /* NULL is fine */
/* Asks for n bytes from offset on, at most 65536; `arrived` answers, from inside when the client has gone. */
void image_channel_fetch(struct image_channel *image, uint32_t tag, uint64_t offset, uint32_t n);

#endif
