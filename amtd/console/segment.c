#include "amtd/console/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/file.h"
#include "base/xalloc.h"

/* The seek table is a skippable frame at the end of the file. */
#define TABLE_MAGIC  0x184D2A5Eu
#define FOOTER_MAGIC 0x8F92EAB1u
#define TABLE_HEAD   8
#define TABLE_FOOTER 9
#define TABLE_ENTRY  8
#define FRAMES_MAX   (4 * 1024 * 1024)
#define FRAME_MAX    (16 * 1024 * 1024) /* of a file that another program wrote in the same format */

struct frame {
    uint64_t at;    /* in the file */
    uint64_t first; /* in the segment, from its beginning */
};

struct segment {
    int fd;
    uint64_t first;
    bool compressed;
    char *name;
    struct frame *frames; /* and one more, behind the last */
    size_t count;
    ZSTD_DCtx *zstd;
    size_t loaded; /* which frame `bytes` holds; count: none */
    uint8_t *bytes;
};

/* --- opening --- */

static int read_at(int fd, uint64_t at, void *p, size_t n, const char *name, struct err *err)
{
    size_t done = 0;

    while (done < n) {
        ssize_t got = pread(fd, (uint8_t *)p + done, n - done, (off_t)(at + done));

        if (got == 0)
            return err_set(err, CAUSE_BAD_ANSWER, "%s is shorter than it says", name);
        if (got < 0 && errno != EINTR)
            return err_set_errno(err, CAUSE_SYSTEM, errno, "%s", name);
        if (got > 0)
            done += (size_t)got;
    }
    return 0;
}

static int bad_table(const struct segment *s, struct err *err)
{
    return err_set(err, CAUSE_BAD_ANSWER, "%s has no valid seek table at its end: cut or damaged", s->name);
}

/* The entries of the table give the frames' places; they must fill the file exactly. */
static int read_entries(struct segment *s, struct rd *r, size_t entry, uint64_t table_at, struct err *err)
{
    uint64_t at = 0, first = 0;

    s->frames = xcalloc(s->count + 1, sizeof(*s->frames));
    for (size_t i = 0; i < s->count; i++) {
        uint32_t packed = rd_le32(r), plain = rd_le32(r);

        rd_skip(r, entry - TABLE_ENTRY);
        if (!rd_ok(r) || packed == 0 || plain == 0 || plain > FRAME_MAX || packed > table_at - at)
            return bad_table(s, err);
        s->frames[i] = (struct frame){at, first};
        at += packed;
        first += plain;
    }
    s->frames[s->count] = (struct frame){at, first};
    return at == table_at ? 0 : bad_table(s, err);
}

static int read_table(struct segment *s, uint64_t size, struct err *err)
{
    uint8_t footer[TABLE_FOOTER] = {0};
    struct rd r = rd_init(footer, sizeof(footer));
    uint32_t count, magic;
    uint8_t descriptor, *table;
    size_t entry, n;
    int status;

    if (size < TABLE_HEAD + TABLE_FOOTER)
        return bad_table(s, err);
    if (read_at(s->fd, size - sizeof(footer), footer, sizeof(footer), s->name, err) != 0)
        return -1;
    count = rd_le32(&r);
    descriptor = rd_u8(&r);
    magic = rd_le32(&r);
    entry = descriptor & 0x80 ? TABLE_ENTRY + 4 : TABLE_ENTRY;
    if (magic != FOOTER_MAGIC || (descriptor & 0x7c) != 0 || count > FRAMES_MAX)
        return bad_table(s, err);
    n = TABLE_HEAD + (size_t)count * entry + TABLE_FOOTER;
    if (n > size)
        return bad_table(s, err);
    table = xmalloc(n);
    status = read_at(s->fd, size - n, table, n, s->name, err);
    if (status == 0) {
        r = rd_init(table, n);
        s->count = count;
        if (rd_le32(&r) != TABLE_MAGIC || rd_le32(&r) != n - TABLE_HEAD)
            status = bad_table(s, err);
        else
            status = read_entries(s, &r, entry, size - n, err);
    }
    free(table);
    return status;
}

struct segment *segment_open(const char *path, uint64_t first, bool compressed, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    const char *name = strrchr(path, '/');
    struct segment *s;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        if (fd >= 0)
            close(fd);
        err_set_errno(err, errno == ENOENT ? CAUSE_NOT_FOUND : CAUSE_SYSTEM, errno, "%s", path);
        return NULL;
    }
    s = xcalloc(1, sizeof(*s));
    s->fd = fd;
    s->first = first;
    s->compressed = compressed;
    s->name = xstrdup(name ? name + 1 : path);
    if (compressed && read_table(s, (uint64_t)st.st_size, err) != 0) {
        segment_close(s);
        return NULL;
    }
    s->loaded = s->count;
    return s;
}

void segment_close(struct segment *s)
{
    if (!s)
        return;
    close(s->fd);
    ZSTD_freeDCtx(s->zstd);
    free(s->bytes);
    free(s->frames);
    free(s->name);
    free(s);
}

uint64_t segment_end(struct segment *s)
{
    struct stat st;

    if (s->compressed)
        return s->first + s->frames[s->count].first;
    return fstat(s->fd, &st) == 0 ? s->first + (uint64_t)st.st_size : s->first;
}

/* --- reading --- */

/* The frame that has the byte `from` of the segment. */
static size_t find_frame(const struct segment *s, uint64_t from)
{
    size_t low = 0, high = s->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (s->frames[middle + 1].first <= from)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int load_frame(struct segment *s, size_t i, struct err *err)
{
    size_t packed = (size_t)(s->frames[i + 1].at - s->frames[i].at);
    size_t plain = (size_t)(s->frames[i + 1].first - s->frames[i].first);
    uint8_t *in;
    size_t got;
    int status;

    if (s->loaded == i)
        return 0;
    s->loaded = s->count;
    if (packed > ZSTD_compressBound(FRAME_MAX))
        return err_set(err, CAUSE_BAD_ANSWER, "%s: frame %zu is larger than any", s->name, i);
    in = xmalloc(packed);
    status = read_at(s->fd, s->frames[i].at, in, packed, s->name, err);
    if (status == 0) {
        if (!s->zstd)
            s->zstd = ZSTD_createDCtx();
        s->bytes = xrealloc(s->bytes, plain);
        got = ZSTD_decompressDCtx(s->zstd, s->bytes, plain, in, packed);
        if (ZSTD_isError(got) || got != plain)
            status = err_set(err, CAUSE_BAD_ANSWER,
                             "%s: frame %zu, bytes %" PRIu64 " to %" PRIu64 ", is damaged: %s", s->name, i,
                             s->first + s->frames[i].first, s->first + s->frames[i + 1].first,
                             ZSTD_isError(got) ? ZSTD_getErrorName(got) : "too short");
    }
    free(in);
    if (status == 0)
        s->loaded = i;
    return status;
}

static ssize_t read_frames(struct segment *s, uint64_t from, void *p, size_t n, uint64_t *next,
                           struct err *err)
{
    size_t done = 0;

    while (done < n && from < s->frames[s->count].first) {
        size_t i = find_frame(s, from), part;

        if (done > 0 && s->loaded != i) /* a damaged frame must not cost what is good in front of it */
            break;
        if (load_frame(s, i, err) != 0) {
            *next = s->first + s->frames[i + 1].first;
            return -1;
        }
        part = (size_t)(s->frames[i + 1].first - from);
        if (part > n - done)
            part = n - done;
        memcpy((uint8_t *)p + done, s->bytes + (from - s->frames[i].first), part);
        done += part;
        from += part;
    }
    return (ssize_t)done;
}

ssize_t segment_read(struct segment *s, uint64_t offset, void *p, size_t n, uint64_t *next, struct err *err)
{
    ssize_t got;

    if (offset < s->first)
        return 0;
    if (s->compressed)
        return read_frames(s, offset - s->first, p, n, next, err);
    do
        got = pread(s->fd, p, n, (off_t)(offset - s->first));
    while (got < 0 && errno == EINTR);
    if (got < 0) {
        err_set_errno(err, CAUSE_SYSTEM, errno, "%s at byte %llu", s->name, (unsigned long long)offset);
        *next = (offset / 4096 + 1) * 4096; /* what a disk loses at a time */
    }
    return got;
}

/* --- compressing --- */

struct packer {
    ZSTD_CCtx *zstd;
    uint8_t *plain, *packed;
    size_t bound;
    struct buf table;
    uint32_t count;
    int out;
};

static int pack(struct packer *k, int fd, uint64_t size, const char *path, struct err *err)
{
    for (uint64_t at = 0; at < size; k->count++) {
        size_t n = size - at < SEGMENT_FRAME ? (size_t)(size - at) : SEGMENT_FRAME;
        size_t packed;

        if (read_at(fd, at, k->plain, n, path, err) != 0)
            return -1;
        packed = ZSTD_compress2(k->zstd, k->packed, k->bound, k->plain, n);
        if (ZSTD_isError(packed))
            return err_set(err, CAUSE_SYSTEM, "%s: zstd: %s", path, ZSTD_getErrorName(packed));
        if (file_write(k->out, k->packed, packed, path, err) != 0)
            return -1;
        wr_le32(&k->table, (uint32_t)packed);
        wr_le32(&k->table, (uint32_t)n);
        at += n;
    }
    return 0;
}

static int write_table(struct packer *k, const char *path, struct err *err)
{
    struct buf head = buf_init(TABLE_HEAD);
    int status;

    wr_le32(&k->table, k->count);
    wr_u8(&k->table, 0);
    wr_le32(&k->table, FOOTER_MAGIC);
    wr_le32(&head, TABLE_MAGIC);
    wr_le32(&head, (uint32_t)k->table.len);
    if (!buf_ok(&k->table))
        status = err_set(err, CAUSE_TOO_LARGE, "%s: too many frames", path);
    else
        status = file_write(k->out, head.p, head.len, path, err) == 0 &&
                         file_write(k->out, k->table.p, k->table.len, path, err) == 0
                     ? 0
                     : -1;
    buf_free(&head);
    return status;
}

int segment_compress(int fd, uint64_t size, const char *path, int level, struct err *err)
{
    struct packer k = {.table = buf_init((size_t)FRAMES_MAX * TABLE_ENTRY)};
    int status = -1;

    k.out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (k.out < 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    k.zstd = ZSTD_createCCtx();
    k.bound = ZSTD_compressBound(SEGMENT_FRAME);
    k.plain = xmalloc(SEGMENT_FRAME);
    k.packed = xmalloc(k.bound);
    ZSTD_CCtx_setParameter(k.zstd, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(k.zstd, ZSTD_c_checksumFlag, 1);
    if (pack(&k, fd, size, path, err) == 0 && write_table(&k, path, err) == 0) {
        status = fsync(k.out) == 0 ? 0 : err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    }
    ZSTD_freeCCtx(k.zstd);
    free(k.plain);
    free(k.packed);
    buf_free(&k.table);
    if (close(k.out) != 0 && status == 0)
        status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    if (status != 0)
        unlink(path);
    return status;
}
