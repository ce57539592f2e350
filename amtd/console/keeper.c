#include "amtd/console/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "amtd/console/blocks.h"
#include "amtd/console/chain.h"
#include "amtd/console/log_dir.h"
#include "amtd/console/segment.h"
#include "base/file.h"
#include "base/log.h"
#include "base/xalloc.h"

#define DIGESTS_MAX (64 * 1024 * 1024) /* of one segment: 128 GiB of it */

/* --- files --- */

static int sync_directory(const struct keeper *k, struct err *err)
{
    int fd = open(k->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int status = fd >= 0 && fsync(fd) == 0 ? 0 : err_set_errno(err, CAUSE_SYSTEM, errno, "%s", k->path);

    if (fd >= 0)
        close(fd);
    return status;
}

/* What a record says must not be truer than what power loss leaves of the files. One that is not there is no
 * failure: then its absence is what is said. */
static int sync_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int status = 0;

    if (fd < 0)
        return errno == ENOENT ? 0 : err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    if (fdatasync(fd) != 0)
        status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    close(fd);
    return status;
}

static int replace_file(const struct keeper *k, const char *name, const struct buf *content, struct err *err)
{
    char *path = xasprintf("%s/%s", k->path, name);
    int status = file_replace(path, content->p, content->len, err);

    free(path);
    return status;
}

static int load_digests(const char *path, struct buf *digests, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    uint8_t *room;
    ssize_t n = 0;

    if (fd < 0)
        return errno == ENOENT ? 0 : err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    if (fstat(fd, &st) == 0 && st.st_size > 0 && st.st_size <= DIGESTS_MAX &&
        (room = buf_room(digests, (size_t)st.st_size))) {
        n = read(fd, room, (size_t)st.st_size);
        buf_added(digests, n > 0 ? (size_t)n / HASH_LEN * HASH_LEN : 0);
    }
    close(fd);
    return n < 0 ? err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path) : 0;
}

static const struct buf *seen(const struct keeper *k, uint64_t first)
{
    return k->seen_first == first ? &k->seen : NULL;
}

/* Digests of blocks that are new since `before`. */
static int save_digests(const char *path, const struct buf *digests, size_t before, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int status;

    if (fd < 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    if (before > digests->len) /* they were not to be trusted, and made anew */
        before = 0;
    if (ftruncate(fd, (off_t)before) != 0 || lseek(fd, 0, SEEK_END) < 0)
        status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    else
        status = file_write(fd, digests->p + before, digests->len - before, path, err);
    close(fd);
    return status;
}

/* --- the chain --- */

static void begin_record(const struct keeper *k, struct chain_record *r, enum chain_kind kind, uint64_t first,
                         uint64_t end)
{
    memset(r, 0, sizeof(*r));
    r->kind = kind;
    r->first = first;
    r->end = end;
    r->at_ms = k->now_ms;
    snprintf(r->console, sizeof(r->console), "%s", k->name);
}

/* `previous`: the digest of the chain's last line, and what that line says (a record with end 0 when there is
 * none). A last line that is no record breaks the chain for good, which verify will tell; logging goes on. */
static int last_record(const struct keeper *k, uint8_t previous[HASH_LEN], struct chain_record *last,
                       struct err *err)
{
    char *path = xasprintf("%s/chain", k->path);
    struct buf line = buf_init(2 * CHAIN_LINE_MAX);
    uint8_t signature[NODE_SIGNATURE_LEN];
    struct view body;
    int status = chain_last_line(path, &line, err);

    memset(previous, 0, HASH_LEN);
    memset(last, 0, sizeof(*last));
    if (status == 0 && line.len > 0) {
        hash_bytes(line.p, line.len, previous);
        if (chain_read(buf_str(&line), line.len, last, &body, signature, NULL) != 0)
            memset(last, 0, sizeof(*last));
    }
    buf_free(&line);
    free(path);
    return status;
}

/* What is behind the last line end was torn off by sudden death. */
static int drop_torn_line(int fd, const char *path, struct err *err)
{
    char tail[CHAIN_LINE_MAX];
    struct stat st;
    ssize_t n;
    off_t from;
    const char *end;

    if (fstat(fd, &st) != 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    from = st.st_size > (off_t)sizeof(tail) ? st.st_size - (off_t)sizeof(tail) : 0;
    n = pread(fd, tail, sizeof(tail), from);
    if (n < 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    if (n == 0 || tail[n - 1] == '\n')
        return 0;
    end = memrchr(tail, '\n', (size_t)n);
    if (!end && from > 0)
        return 0; /* not torn by us: verify will tell */
    if (ftruncate(fd, end ? from + (end - tail) + 1 : 0) != 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    return 0;
}

static int append_record(const struct keeper *k, struct chain_record *r, struct err *err)
{
    char *path = xasprintf("%s/chain", k->path);
    struct buf line = buf_init(CHAIN_LINE_MAX);
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    int status;

    if (fd < 0)
        status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    else
        status = drop_torn_line(fd, path, err) == 0 && chain_write(&line, r, k->key, err) == 0 &&
                         file_write(fd, line.p, line.len, path, err) == 0
                     ? 0
                     : -1;
    if (status == 0 && fdatasync(fd) != 0)
        status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    if (fd >= 0)
        close(fd);
    buf_free(&line);
    free(path);
    return status;
}

/* --- closing --- */

/* Adds the segment's record, unless the chain has it already. */
static int record_segment(const struct keeper *k, const struct log_file *file, int fd, uint64_t size,
                          struct err *err)
{
    struct chain_record last, r;
    struct buf digests = buf_init(DIGESTS_MAX);
    char *sum = log_dir_name(k->path, file, "blake3"), *journal = log_dir_name(k->path, file, "jnl");
    char *index = log_dir_name(k->path, file, "idx");
    uint64_t index_size;
    int status;

    begin_record(k, &r, CHAIN_SEGMENT, file->first, file->first + size);
    status = last_record(k, r.previous, &last, err);
    if (status == 0 &&
        !(last.kind == CHAIN_SEGMENT && last.end == r.end && last.first == r.first && r.end > 0)) {
        status = load_digests(sum, &digests, err);
        if (status == 0)
            status = blocks_hash(fd, size, &digests, seen(k, file->first), r.bytes, err);
        if (status == 0)
            status = chain_hash_file(journal, NULL, r.journal, &r.journal_end, err);
        if (status == 0)
            status = chain_hash_file(index, NULL, r.index, &index_size, err);
        if (status == 0)
            status = save_digests(sum, &digests, 0, err);
        if (status == 0 &&
            (sync_file(journal, err) != 0 || sync_file(index, err) != 0 || sync_file(sum, err) != 0))
            status = -1;
        if (status == 0)
            status = sync_directory(k, err);
        if (status == 0)
            status = append_record(k, &r, err);
    }
    buf_free(&digests);
    free(sum);
    free(journal);
    free(index);
    return status;
}

static int close_segment(const struct keeper *k, const struct log_file *file, struct err *err)
{
    char *plain = log_dir_name(k->path, file, "log"), *packed = log_dir_name(k->path, file, "log.zst");
    char *fresh = log_dir_name(k->path, file, "log.zst.new");
    int fd = open(plain, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    int status = -1;

    if (fd < 0 || fstat(fd, &st) != 0) {
        err_set_errno(err, CAUSE_SYSTEM, errno, "%s", plain);
    } else if (fdatasync(fd) != 0) {
        err_set_errno(err, CAUSE_SYSTEM, errno, "%s", plain);
    } else if (record_segment(k, file, fd, (uint64_t)st.st_size, err) == 0 &&
               segment_compress(fd, (uint64_t)st.st_size, fresh, (int)k->settings.zstd_level, err) == 0) {
        if (rename(fresh, packed) != 0 || sync_directory(k, NULL) != 0 || unlink(plain) != 0)
            err_set_errno(err, CAUSE_SYSTEM, errno, "%s", packed);
        else
            status = 0;
    }
    if (fd >= 0)
        close(fd);
    free(plain);
    free(packed);
    free(fresh);
    return status;
}

/* --- keeping --- */

struct kept {
    uint64_t first;
    uint64_t bytes; /* on the disk */
    int64_t at_ms;  /* when it was closed */
};

static void look(const struct keeper *k, const struct log_file *file, struct kept *kept)
{
    char *path = log_dir_segment(k->path, file);
    struct stat st;

    *kept = (struct kept){.first = file->first, .at_ms = k->now_ms};
    if (stat(path, &st) == 0) {
        kept->bytes = (uint64_t)st.st_blocks * 512;
        kept->at_ms = (int64_t)st.st_mtim.tv_sec * 1000;
    }
    free(path);
}

/* How many of the closed segments, oldest first, are to go. */
static size_t count_expired(const struct log_settings *s, const struct kept *kept, size_t count,
                            int64_t now_ms)
{
    uint64_t total = 0;
    size_t gone = 0;

    for (size_t i = 0; i < count; i++)
        total += kept[i].bytes;
    while (gone < count && ((s->keep_count > 0 && count - gone > (size_t)s->keep_count) ||
                            (s->keep_bytes > 0 && total > (uint64_t)s->keep_bytes) ||
                            (s->keep_ms > 0 && now_ms - kept[gone].at_ms > s->keep_ms)))
        total -= kept[gone++].bytes;
    return gone;
}

static void remove_files(const struct keeper *k, const struct log_file *file)
{
    static const char *const parts[] = {"log", "log.zst", "idx", "jnl", "blake3"};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        char *path = log_dir_name(k->path, file, parts[i]);

        if (unlink(path) != 0 && errno != ENOENT)
            log_warn(NULL, "%s: cannot be removed: %s", path, strerror(errno));
        free(path);
    }
}

static int expire(const struct keeper *k, struct keeper_gone *removed, struct err *err)
{
    struct log_dir dir;
    struct kept *kept;
    struct chain_record r, last;
    size_t count, gone;
    int status = log_dir_read(&dir, k->path, err);

    if (status != 0 || dir.count == 0) {
        log_dir_clear(&dir);
        return status;
    }
    count = dir.files[dir.count - 1].form == LOG_OPEN ? dir.count - 1 : dir.count;
    kept = xcalloc(count + 1, sizeof(*kept));
    for (size_t i = 0; i < count; i++)
        look(k, &dir.files[i], &kept[i]);
    gone = count_expired(&k->settings, kept, count, k->now_ms);
    if (gone > 0) {
        /* What goes ends where the next one begins; with nothing behind it, where the chain ends. */
        begin_record(k, &r, CHAIN_EXPIRED, 0, 0);
        status = last_record(k, r.previous, &last, err);
        r.end = gone < dir.count ? dir.files[gone].first : last.end;
        if (status == 0)
            status = append_record(k, &r, err);
        for (size_t i = 0; status == 0 && i < gone; i++) {
            remove_files(k, &dir.files[i]);
            removed->segments++;
            removed->bytes += kept[i].bytes;
        }
    }
    free(kept);
    log_dir_clear(&dir);
    return status;
}

/* --- the work --- */

int keeper_expire(const struct keeper *k, struct keeper_gone *gone, struct err *err)
{
    struct log_dir dir;
    int status = log_dir_read(&dir, k->path, err);
    bool open = false;

    *gone = (struct keeper_gone){0};
    for (size_t i = 0; status == 0 && i < dir.count; i++)
        open = open || dir.files[i].form == LOG_PLAIN;
    log_dir_clear(&dir);
    return status == 0 && !open ? expire(k, gone, err) : status;
}

int keeper_close(const struct keeper *k, struct keeper_gone *gone, struct err *err)
{
    struct log_dir dir;
    int status = log_dir_read(&dir, k->path, err);

    *gone = (struct keeper_gone){0};
    for (size_t i = 0; status == 0 && i < dir.count; i++)
        if (dir.files[i].form == LOG_PLAIN)
            status = close_segment(k, &dir.files[i], err);
    log_dir_clear(&dir);
    return status == 0 ? expire(k, gone, err) : -1;
}

int keeper_rescue(const struct keeper *k, int fd, uint64_t first, uint64_t size, struct err *err)
{
    struct log_file file = {first, LOG_PLAIN};
    char *path = log_dir_name(k->path, &file, "log"), *fresh = log_dir_name(k->path, &file, "log.new");
    int out = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    off_t from = 0;
    int status = 0;

    if (out < 0)
        status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", fresh);
    while (status == 0 && (uint64_t)from < size) {
        uint8_t block[16384];
        ssize_t n = pread(fd, block, sizeof(block), from);

        if (n == 0)
            break; /* it was cut as well */
        if (n < 0)
            status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", fresh);
        else
            status = file_write(out, block, (size_t)n, fresh, err);
        from += n > 0 ? n : 0;
    }
    if (status == 0 && (fdatasync(out) != 0 || rename(fresh, path) != 0))
        status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    if (out >= 0)
        close(out);
    free(path);
    free(fresh);
    return status;
}

int keeper_sign(const struct keeper *k, int fd, uint64_t first, uint64_t end, uint64_t journal_end,
                struct err *err)
{
    struct log_file file = {first, LOG_OPEN};
    char *sum = log_dir_name(k->path, &file, "blake3"), *journal = log_dir_name(k->path, &file, "jnl");
    struct buf digests = buf_init(DIGESTS_MAX), line = buf_init(CHAIN_LINE_MAX);
    struct chain_record r, last;
    size_t before;
    int status = fdatasync(fd) == 0 ? 0 : err_set_errno(err, CAUSE_SYSTEM, errno, "%s", k->path);

    begin_record(k, &r, CHAIN_OPEN, first, end);
    if (status == 0)
        status = last_record(k, r.previous, &last, err);
    if (status == 0)
        status = sync_file(journal, err);
    if (status == 0)
        status = load_digests(sum, &digests, err);
    before = digests.len;
    if (status == 0)
        status = blocks_hash(fd, end - first, &digests, seen(k, first), r.bytes, err);
    if (status == 0)
        status = chain_hash_file(journal, &journal_end, r.journal, &r.journal_end, err);
    if (status == 0 && digests.len != before)
        status = save_digests(sum, &digests, before, err);
    if (status == 0)
        status = chain_write(&line, &r, k->key, err);
    if (status == 0)
        status = replace_file(k, "console.sig", &line, err);
    buf_free(&digests);
    buf_free(&line);
    free(sum);
    free(journal);
    return status;
}
