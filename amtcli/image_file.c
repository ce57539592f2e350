#include "amtcli/image_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/xalloc.h"

#define SIZE_MAX_ALLOWED ((uint64_t)4 << 30)
#define READ_MAX         65536
#define ASK_LEN          16
#define ASKS_MAX         65536 /* bytes of asks that have come in one piece */
#define SIGNAL_END       1

enum { ANSWER_OK = 0, ANSWER_FAILED = 1 };

struct image_file {
    int fd;
    uint64_t size;
    char *name; /* without its directory */
    struct client *client;
    uint32_t channel;
    struct buf in;
    uint8_t bytes[READ_MAX];
};

/* --- opening --- */

static int check(struct image_file *file, const char *path, struct err *err)
{
    struct stat st;
    off_t size;

    if (fstat(file->fd, &st) != 0)
        return err_set_errno(err, CAUSE_INVALID_ARGUMENT, errno, "%s", path);
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "%s is neither a file nor a block device", path);
    size = lseek(file->fd, 0, SEEK_END);
    if (size < 0)
        return err_set_errno(err, CAUSE_INVALID_ARGUMENT, errno, "%s", path);
    if (size == 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "%s is empty", path);
    if ((uint64_t)size > SIZE_MAX_ALLOWED)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "%s has %lld bytes; an image may have at most 4 GiB",
                       path, (long long)size);
    file->size = (uint64_t)size;
    if (pread(file->fd, file->bytes, 1, 0) != 1)
        return err_set_errno(err, CAUSE_INVALID_ARGUMENT, errno, "%s cannot be read", path);
    return 0;
}

struct image_file *image_file_open(const char *path, struct err *err)
{
    struct image_file *file = xcalloc(1, sizeof(*file));
    const char *slash = strrchr(path, '/');

    file->name = xstrdup(slash && slash[1] ? slash + 1 : path);
    file->in = buf_init(ASKS_MAX);
    file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file->fd < 0)
        err_set_errno(err, CAUSE_INVALID_ARGUMENT, errno, "%s", path);
    if (file->fd >= 0 && check(file, path, err) == 0)
        return file;
    image_file_close(file);
    return NULL;
}

void image_file_close(struct image_file *file)
{
    if (!file)
        return;
    if (file->client)
        client_channel_close(file->client, file->channel);
    if (file->fd >= 0)
        close(file->fd);
    buf_free(&file->in);
    free(file->name);
    free(file);
}

/* --- serving --- */

static void answer(struct image_file *file, uint32_t tag, uint32_t status, const void *p, size_t n)
{
    struct buf out = buf_init(ASK_LEN + READ_MAX);

    wr_be32(&out, tag);
    wr_be32(&out, status);
    wr_be32(&out, (uint32_t)n);
    wr_bytes(&out, p, n);
    client_channel_write(file->client, file->channel, out.p, out.len);
    buf_free(&out);
}

static void answer_failure(struct image_file *file, uint32_t tag, const char *why)
{
    char *text = xasprintf("%s %s", file->name, why);

    answer(file, tag, ANSWER_FAILED, text, strlen(text));
    free(text);
}

static void answer_ask(struct image_file *file, uint32_t tag, uint32_t n, uint64_t offset)
{
    size_t got = 0;

    if (n > READ_MAX || offset >= file->size || n > file->size - offset) {
        answer_failure(file, tag, "was asked for bytes that it does not have");
        return;
    }
    while (got < n) {
        ssize_t part = pread(file->fd, file->bytes + got, n - got, (off_t)(offset + got));

        if (part < 0 && errno == EINTR)
            continue;
        if (part < 0) {
            char *why = xasprintf("cannot be read: %s", strerror(errno));

            answer_failure(file, tag, why);
            free(why);
            return;
        }
        if (part == 0) {
            answer_failure(file, tag, "has become shorter since it was opened");
            return;
        }
        got += (size_t)part;
    }
    answer(file, tag, ANSWER_OK, file->bytes, n);
}

static void on_data(void *arg, const uint8_t *p, size_t n)
{
    struct image_file *file = arg;

    buf_add(&file->in, p, n);
    while (file->in.len >= ASK_LEN) {
        struct rd r = rd_init(file->in.p, file->in.len);
        uint32_t tag = rd_be32(&r), size = rd_be32(&r);
        uint64_t offset = rd_be64(&r);

        buf_consume(&file->in, ASK_LEN);
        answer_ask(file, tag, size, offset);
    }
}

static void on_ended(void *arg, const char *reason)
{
    struct image_file *file = arg;

    (void)reason; /* the call that named the channel fails, and says more */
    file->channel = 0;
}

uint32_t image_file_serve(struct image_file *file, struct client *client)
{
    const struct client_channel_events events = {file, on_data, on_ended};

    file->client = client;
    file->channel = client_channel_open(
        client, "image", json_pack("{s:s, s:I}", "name", file->name, "size", (json_int_t)file->size),
        &events);
    return file->channel;
}

void image_file_end(struct image_file *file)
{
    if (file->channel != 0)
        client_channel_signal(file->client, file->channel, SIGNAL_END);
}
