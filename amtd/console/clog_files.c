/* The files of a log as its loop's side sees them: what was left by an earlier life, and open descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utlist.h>

#include "amtd/console/chain.h"
#include "amtd/console/clog_internal.h"
#include "amtd/console/proof.h"
#include "amtd/console/time_index.h"
#include "base/log.h"
#include "base/xalloc.h"

static char *file_path(const struct clog *log, const char *name)
{
    return xasprintf("%s/%s", log->path, name);
}

/* Size of a file of the log; -1: it is not there. */
static int64_t file_size(const struct clog *log, const char *name)
{
    char *path = file_path(log, name);
    struct stat st;
    int64_t size = lstat(path, &st) == 0 && S_ISREG(st.st_mode) ? (int64_t)st.st_size : -1;

    free(path);
    return size;
}

int clog_append_file(const struct clog *log, const char *name, const struct buf *content, bool create,
                     struct err *err)
{
    char *path = file_path(log, name);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
    struct stat st;
    ssize_t n = -1;
    int status = -1;

    if (fd >= 0)
        n = write(fd, content->p, content->len);
    if (n == (ssize_t)content->len) {
        status = 0;
    } else {
        err_set_errno(err, CAUSE_SYSTEM, n >= 0 ? ENOSPC : errno, "%s", path);
        /* half a record is worse than none */
        if (n > 0 && (fstat(fd, &st) != 0 || ftruncate(fd, st.st_size - n) != 0))
            log_warn(NULL, "%s: half a record stays", path);
    }
    if (fd >= 0)
        close(fd);
    free(path);
    return status;
}

/* --- what an earlier life left --- */

/* The bytes behind the last whole record or line, which sudden death tore. */
static void trim(struct clog *log, const char *name, uint64_t keep, uint64_t size)
{
    char *path = file_path(log, name);

    if (keep < size) {
        if (truncate(path, (off_t)keep) == 0)
            clog_repair_note(log, "%s: %llu torn bytes at its end removed", name,
                             (unsigned long long)(size - keep));
        else
            log_warn(NULL, "%s: %s", path, strerror(errno));
    }
    free(path);
}

/* The size of the journal without a torn last line; *offset: the highest offset its last lines speak of. */
static uint64_t look_at_journal(struct clog *log, uint64_t size, uint64_t *offset)
{
    char *path = file_path(log, "console.jnl");
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct journal_entry entry;
    char tail[8192];
    uint64_t from = size > sizeof(tail) ? size - sizeof(tail) : 0;
    ssize_t n = fd >= 0 ? pread(fd, tail, sizeof(tail), (off_t)from) : -1;
    const char *line = tail, *end;

    if (fd >= 0)
        close(fd);
    free(path);
    if (n <= 0)
        return 0;
    if (from > 0 && (end = memchr(tail, '\n', (size_t)n)))
        line = end + 1;
    while ((end = memchr(line, '\n', (size_t)(tail + n - line)))) {
        if (journal_read(line, (size_t)(end - line), &entry, NULL) == 0) {
            *offset = entry.offset > *offset ? entry.offset : *offset;
            clog_early_seen(log, &entry);
        }
        line = end + 1;
    }
    return from + (uint64_t)(line - tail);
}

/* How far the last signature of the open segment goes; 0: there is none for it. */
static uint64_t signed_end(const struct clog *log)
{
    char *path = file_path(log, "console.sig");
    struct buf line = buf_init(2 * CHAIN_LINE_MAX);
    uint8_t signature[NODE_SIGNATURE_LEN];
    struct chain_record r;
    struct view body;
    uint64_t end = 0;

    if (chain_last_line(path, &line, NULL) == 0 && line.len > 0 &&
        chain_read(buf_str(&line), line.len, &r, &body, signature, NULL) == 0 && r.kind == CHAIN_OPEN &&
        r.first == log->first &&
        node_key_verify(log->store->key, body.p, body.n, signature, sizeof(signature)))
        end = r.end;
    buf_free(&line);
    free(path);
    return end;
}

/* Where the closed part of the log ends: by its files, and by its chain. */
static uint64_t closed_end(const struct clog *log, const struct log_dir *dir)
{
    char *path = file_path(log, "chain");
    struct buf line = buf_init(2 * CHAIN_LINE_MAX);
    uint8_t signature[NODE_SIGNATURE_LEN];
    struct log_reader *reader;
    struct chain_record r;
    struct view body;
    uint64_t first, end = 0;

    if (chain_last_line(path, &line, NULL) == 0 && line.len > 0 &&
        chain_read(buf_str(&line), line.len, &r, &body, signature, NULL) == 0)
        end = r.end;
    buf_free(&line);
    free(path);
    if (dir->count > 0 && dir->files[dir->count - 1].form != LOG_OPEN) {
        uint64_t by_files = 0;

        reader = log_reader_new(log->path);
        if (log_reader_range(reader, &first, &by_files, NULL) == 0 && by_files > end)
            end = by_files;
        log_reader_free(reader);
    }
    return end;
}

/* A roll that sudden death broke off: the bytes have their new name, the rest not yet. */
static void finish_roll(struct clog *log, const struct log_dir *dir)
{
    static const char *const parts[] = {"blake3", "jnl", "idx"};
    int64_t first = log_dir_open_first(log->path);
    struct log_file open_file = {0, LOG_OPEN};

    if (first < 0 || file_size(log, "console.log") >= 0)
        return;
    for (size_t i = 0; i < dir->count; i++) {
        if (dir->files[i].first != (uint64_t)first || dir->files[i].form == LOG_OPEN)
            continue;
        for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++) {
            char *from = log_dir_name(log->path, &open_file, parts[p]);
            char *to = log_dir_name(log->path, &dir->files[i], parts[p]);

            if (rename(from, to) != 0 && errno != ENOENT)
                log_warn(NULL, "%s: %s", from, strerror(errno));
            free(from);
            free(to);
        }
    }
}

/* alone: there is nothing in the directory yet. */
static int write_head(struct clog *log, bool alone, struct err *err)
{
    struct buf head = buf_init(TIME_INDEX_HEAD);
    char *path = file_path(log, "console.idx");
    int status;

    if (!alone && unlink(path) != 0 && errno != ENOENT)
        status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    else {
        time_index_write_head(&head, log->first, log->created_ms);
        status = clog_append_file(log, "console.idx", &head, true, err);
    }
    buf_free(&head);
    free(path);
    return status;
}

void clog_doubt_blocks(struct clog *log)
{
    struct stat st;

    if (log->fd < 0 || fstat(log->fd, &st) != 0 || (uint64_t)st.st_size != log->end - log->first)
        blocks_clear(&log->blocks);
}

int clog_roll_files(struct clog *log, uint64_t next, struct err *err)
{
    static const char *const parts[] = {"log", "blake3", "jnl", "idx"}; /* the index last: finish_roll */
    struct log_file open_file = {log->first, LOG_OPEN}, closed = {log->first, LOG_PLAIN};
    int status = 0;

    clog_doubt_blocks(log);
    clog_close_file(log);
    clog_drop_reader(log);
    for (size_t i = 0; status == 0 && log->end > log->first && i < sizeof(parts) / sizeof(parts[0]); i++) {
        char *from = log_dir_name(log->path, &open_file, parts[i]);
        char *to = log_dir_name(log->path, &closed, parts[i]);

        if (rename(from, to) != 0 && errno != ENOENT)
            status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", from);
        free(from);
        free(to);
    }
    if (status != 0)
        return -1;
    if (log->end > log->first) {
        log->close_wanted = true;
        log->journal_end = 0;
        buf_free(&log->closed_seen);
        log->closed_seen = blocks_take(&log->blocks);
        log->closed_first = log->first;
    }
    blocks_clear(&log->blocks);
    log->first = log->end = next;
    log->oldest_known = false;
    log->begun = false;
    log->signed_end = log->signed_journal = 0;
    log->index.len = 0;
    return 0;
}

/* The open segment has fewer bytes than there were once: what is left is closed, and the next segment begins
 * behind what is gone, because an offset is never used twice. */
static int skip_to(struct clog *log, uint64_t left, uint64_t offset, struct err *err)
{
    if (log->working == WORK_SIGN) /* it uses the files' names */
        return err_set(err, CAUSE_BUSY, "%s: being signed just now", log->path);
    blocks_clear(&log->blocks);
    log->end = left;
    if (clog_roll_files(log, offset, err) != 0) {
        log->end = offset;
        return -1;
    }
    clog_repair_note(log, "bytes %llu to %llu are gone from the files", (unsigned long long)left,
                     (unsigned long long)offset);
    return 0;
}

static bool is_replica(const struct clog *log)
{
    struct origin origin;

    return origin_of(log->path, log->name, NULL, &origin, NULL) != 0;
}

/* The open segment's files as an earlier life left them. */
static int know_open(struct clog *log, const struct log_dir *dir, struct err *err)
{
    int64_t size = file_size(log, "console.log"), first = log_dir_open_first(log->path);
    int64_t journal = file_size(log, "console.jnl"), index = file_size(log, "console.idx");
    uint64_t seen = 0, keep, promised;

    log->first = first >= 0 ? (uint64_t)first : closed_end(log, dir);
    log->end = log->first + (size > 0 ? (uint64_t)size : 0);
    log->created_ms = clock_wall(log->store->clock);
    log->begun = size >= 0 && first >= 0;
    if (size > 0 && first < 0) { /* its index was taken away */
        clog_repair_note(log, "console.idx was gone");
        if (write_head(log, false, err) != 0)
            return -1;
        index = TIME_INDEX_HEAD;
        log->begun = true;
    }
    if (index > TIME_INDEX_HEAD)
        trim(log, "console.idx", (uint64_t)index - (uint64_t)index % TIME_INDEX_RECORD, (uint64_t)index);
    if (journal > 0) {
        keep = look_at_journal(log, (uint64_t)journal, &seen);
        trim(log, "console.jnl", keep, (uint64_t)journal);
        log->journal_end = keep;
    }
    log->signed_end = signed_end(log);
    if (log->signed_end > seen)
        seen = log->signed_end;
    promised = clog_promise_read(log);
    if (promised > log->end && promised > seen)
        clog_repair_note(log, "power failed: servers may have bytes behind offset %llu that are not here",
                         (unsigned long long)log->end);
    seen = promised > seen ? promised : seen;
    if (is_replica(log)) /* its node gives it again what is gone, at the same offsets */
        seen = log->end;
    return seen > log->end ? skip_to(log, log->end, seen, err) : 0;
}

static bool is_gone(const struct clog *log)
{
    struct stat st;

    return lstat(log->path, &st) != 0 && errno == ENOENT;
}

int clog_know(struct clog *log, struct err *err)
{
    struct log_dir dir;
    int status;

    if (log->known)
        return 0;
    if (is_gone(log)) { /* it was never used */
        log->created_ms = clock_wall(log->store->clock);
        log->known = true;
        clog_early_end(log);
        return 0;
    }
    status = log_dir_read(&dir, log->path, err);
    if (status == 0) {
        finish_roll(log, &dir);
        status = know_open(log, &dir, err);
    }
    if (status == 0)
        status = clog_lives_know(log, err);
    for (size_t i = 0; status == 0 && i < dir.count; i++)
        if (dir.files[i].form == LOG_PLAIN)
            log->close_wanted = true;
    log_dir_clear(&dir);
    log->known = status == 0;
    if (log->known)
        clog_early_end(log);
    return status;
}

/* --- descriptors --- */

void clog_close_file(struct clog *log)
{
    if (log->fd < 0)
        return;
    close(log->fd);
    log->fd = -1;
    DL_DELETE(log->store->open, log);
    log->store->open_count--;
}

bool clog_file_is_there(const struct clog *log)
{
    char *path = file_path(log, "console.log");
    struct stat st;
    bool same = lstat(path, &st) == 0 && st.st_dev == log->dev && st.st_ino == log->ino;

    free(path);
    return same;
}

/* What another program appended is in the log now; what it took away is gone. */
static int compare_size(struct clog *log, uint64_t size, struct err *err)
{
    uint64_t expected = log->end - log->first;

    if (size < expected)
        return skip_to(log, log->first + size, log->end, err);
    if (size > expected) {
        clog_repair_note(log, "%llu bytes were added by somebody else",
                         (unsigned long long)(size - expected));
        log->end = log->first + size;
        blocks_clear(&log->blocks);
    }
    return 0;
}

/* A file that is not ours stands where ours was: it is moved aside. */
void clog_move_stray(const struct clog *log)
{
    char *path = file_path(log, "console.log");
    char *aside = xasprintf("%s.stray-%lld", path, (long long)clock_wall(log->store->clock));
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
        unlink(path);
    else if (rename(path, aside) == 0)
        log_warn(log->name, "log: a file of somebody else was in its place; it is %s now", aside);
    free(aside);
    free(path);
}

int clog_make_dir(const struct clog *log, bool *made, struct err *err)
{
    bool is_new = mkdir(log->path, 0700) == 0;

    if (!is_new && errno == ENOENT) /* all of them were deleted */
        is_new = mkdir(log->store->dir, 0700) == 0 && mkdir(log->path, 0700) == 0;
    if (!is_new && errno != EEXIST)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "%s", log->path);
    if (made)
        *made = is_new;
    return 0;
}

bool clog_begin_again(struct clog *log)
{
    uint64_t first = log->first;

    if (log->fd >= 0 || !log->begun || !is_gone(log))
        return false;
    blocks_clear(&log->blocks);
    log->first = log->end;
    log->begun = log->oldest_known = false;
    log->journal_end = log->signed_end = log->signed_journal = 0;
    log->index.len = 0;
    clog_drop_reader(log);
    if (log->end > 0)
        clog_repair_note(log, "the directory was deleted: bytes %llu to %llu, and all before, are gone",
                         (unsigned long long)first, (unsigned long long)log->end);
    return true;
}

int clog_begin_segment(struct clog *log, struct err *err)
{
    bool made = false;

    if (clog_make_dir(log, &made, err) != 0)
        return -1;
    if (!made)
        clog_move_stray(log);
    else if (log->lives.count > 0) /* they were deleted with the directory */
        log->lives_unsaved = true;
    if (clog_lives_save(log, err) != 0)
        return -1;
    log->created_ms = clock_wall(log->store->clock);
    log->index_last_ms = 0;
    log->index.len = 0;
    if (write_head(log, made, err) != 0)
        return -1;
    log->begun = log->fresh = true;
    return 0;
}

int clog_open_file(struct clog *log, struct err *err)
{
    struct clog_store *store = log->store;
    bool fresh = !log->begun;
    char *path;
    struct stat st;
    int fd;

    if (log->fd >= 0) {
        DL_DELETE(store->open, log);
        DL_APPEND(store->open, log);
        return 0;
    }
    if (fresh && clog_begin_segment(log, err) != 0)
        return -1;
    path = file_path(log, "console.log");
    fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_CREAT, 0600);
    if (fd < 0 || fstat(fd, &st) != 0) {
        err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
        if (fd >= 0)
            close(fd);
        free(path);
        return clog_begin_again(log) ? clog_open_file(log, err) : -1;
    }
    free(path);
    while (store->open && store->open_count >= store->files_max)
        clog_close_file(store->open);
    log->fd = fd;
    log->dev = st.st_dev;
    log->ino = st.st_ino;
    DL_APPEND(store->open, log);
    store->open_count++;
    if (compare_size(log, (uint64_t)st.st_size, err) != 0) {
        clog_close_file(log);
        return -1;
    }
    return log->fd >= 0 ? 0 : clog_open_file(log, err); /* a new segment, where bytes were gone */
}

void clog_drop_reader(struct clog *log)
{
    log_reader_free(log->reader);
    log->reader = NULL;
    if (log->store->reading == log)
        log->store->reading = NULL;
}
