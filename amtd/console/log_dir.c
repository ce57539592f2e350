#include "amtd/console/log_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "amtd/console/segment.h"
#include "amtd/console/time_index.h"
#include "base/text.h"
#include "base/xalloc.h"

#define DIGITS 20

/* --- names --- */

static bool parse_name(const char *name, struct log_file *file)
{
    char digits[DIGITS + 1];
    uint64_t first;

    if (strcmp(name, "console.log") == 0) {
        *file = (struct log_file){0, LOG_OPEN};
        return true;
    }
    if (strlen(name) <= DIGITS)
        return false;
    memcpy(digits, name, DIGITS);
    digits[DIGITS] = '\0';
    if (!text_u64(digits, 0, INT64_MAX, &first))
        return false;
    file->first = first;
    file->form = strcmp(name + DIGITS, ".log.zst") == 0 ? LOG_COMPRESSED : LOG_PLAIN;
    return file->form == LOG_COMPRESSED || strcmp(name + DIGITS, ".log") == 0;
}

char *log_dir_name(const char *path, const struct log_file *file, const char *kind)
{
    if (file->form == LOG_OPEN)
        return xasprintf("%s/console.%s", path, kind);
    return xasprintf("%s/%0*llu.%s", path, DIGITS, (unsigned long long)file->first, kind);
}

char *log_dir_segment(const char *path, const struct log_file *file)
{
    return log_dir_name(path, file, file->form == LOG_COMPRESSED ? "log.zst" : "log");
}

int64_t log_dir_open_first(const char *path)
{
    char *name = xasprintf("%s/console.idx", path);
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    uint8_t head[TIME_INDEX_HEAD];
    uint64_t first = 0;
    int64_t created, found = -1;
    ssize_t n;

    free(name);
    if (fd < 0)
        return -1;
    n = pread(fd, head, sizeof(head), 0);
    if (n > 0 && time_index_read_head(head, (size_t)n, &first, &created) == DECODE_DONE)
        found = (int64_t)first;
    close(fd);
    return found;
}

/* --- the directory --- */

static int compare_files(const void *a, const void *b)
{
    const struct log_file *x = a, *y = b;

    if ((x->form == LOG_OPEN) != (y->form == LOG_OPEN))
        return x->form == LOG_OPEN ? 1 : -1;
    if (x->first != y->first)
        return x->first < y->first ? -1 : 1;
    return (int)x->form - (int)y->form;
}

void log_dir_clear(struct log_dir *dir)
{
    free(dir->path);
    free(dir->files);
    memset(dir, 0, sizeof(*dir));
}

static void add_file(struct log_dir *dir, const struct log_file *file)
{
    if ((dir->count & (dir->count + 1)) == 0) /* 0, 1, 3, 7...: grow */
        dir->files = xreallocarray(dir->files, 2 * (dir->count + 1), sizeof(*dir->files));
    dir->files[dir->count++] = *file;
}

int log_dir_read(struct log_dir *dir, const char *path, struct err *err)
{
    DIR *d = opendir(path);
    const struct dirent *e;
    struct log_file file;
    size_t kept = 0;

    memset(dir, 0, sizeof(*dir));
    dir->path = xstrdup(path);
    if (!d)
        return errno == ENOENT ? 0 : err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    while ((e = readdir(d)))
        if (parse_name(e->d_name, &file))
            add_file(dir, &file);
    closedir(d);
    if (dir->count > 0)
        qsort(dir->files, dir->count, sizeof(*dir->files), compare_files);
    /* Compressed already, and the plain one not removed yet: they are the same. */
    for (size_t i = 0; i < dir->count; i++)
        if (kept == 0 || dir->files[i].form == LOG_OPEN || dir->files[i].first != dir->files[kept - 1].first)
            dir->files[kept++] = dir->files[i];
    dir->count = kept;
    if (kept > 0 && dir->files[kept - 1].form == LOG_OPEN) {
        int64_t first = log_dir_open_first(path);

        if (first >= 0)
            dir->files[kept - 1].first = (uint64_t)first;
        else
            dir->count--; /* being begun just now; clog.c makes up for an index that is really gone */
    }
    return 0;
}

/* --- reading --- */

struct log_reader {
    struct log_dir dir;
    bool listed;
    size_t at; /* which file is open */
    struct segment *segment;
};

struct log_reader *log_reader_new(const char *path)
{
    struct log_reader *r = xcalloc(1, sizeof(*r));

    r->dir.path = xstrdup(path);
    return r;
}

void log_reader_free(struct log_reader *r)
{
    if (!r)
        return;
    segment_close(r->segment);
    log_dir_clear(&r->dir);
    free(r);
}

static int list(struct log_reader *r, struct err *err)
{
    char *path = r->dir.path;
    int status;

    segment_close(r->segment);
    r->segment = NULL;
    r->dir.path = NULL;
    log_dir_clear(&r->dir);
    status = log_dir_read(&r->dir, path, err);
    free(path);
    r->listed = status == 0;
    return status;
}

static int open_file(struct log_reader *r, size_t i, struct err *err)
{
    char *path;

    if (r->segment && r->at == i)
        return 0;
    segment_close(r->segment);
    path = log_dir_segment(r->dir.path, &r->dir.files[i]);
    r->segment = segment_open(path, r->dir.files[i].first, r->dir.files[i].form == LOG_COMPRESSED, err);
    r->at = i;
    free(path);
    if (!r->segment)
        return -1;
    /* Was the file that is open now rolled and begun anew since the directory was read? */
    if (r->dir.files[i].form == LOG_OPEN &&
        log_dir_open_first(r->dir.path) != (int64_t)r->dir.files[i].first) {
        segment_close(r->segment);
        r->segment = NULL;
        return err_set(err, CAUSE_NOT_FOUND, "the open segment has just been closed");
    }
    return 0;
}

/* Reads from the file that has the offset, or the next one that begins behind it. *stale: list and try again.
 */
static long read_listed(struct log_reader *r, uint64_t offset, uint64_t *at, void *p, size_t n, bool *stale,
                        struct err *err)
{
    size_t i = r->dir.count;

    while (i > 0 && r->dir.files[i - 1].first > offset)
        i--;
    if (i > 0)
        i--;
    for (; i < r->dir.count; i++) {
        uint64_t from = r->dir.files[i].first > offset ? r->dir.files[i].first : offset, next = 0;
        ssize_t got;

        if (open_file(r, i, err) != 0) {
            *stale = err->cause == CAUSE_NOT_FOUND;
            /* A damaged table costs the whole segment; nobody knows where the last one would end. */
            *at = i + 1 < r->dir.count ? r->dir.files[i + 1].first : from;
            return -1;
        }
        got = segment_read(r->segment, from, p, n, &next, err);
        *at = got < 0 ? next : from;
        if (got != 0)
            return got;
    }
    *at = offset;
    *stale = true; /* or it was rolled meanwhile */
    return 0;
}

long log_reader_read(struct log_reader *r, uint64_t offset, uint64_t *at, void *p, size_t n, struct err *err)
{
    struct err why = ERR_INIT;
    long got = 0;

    for (int tries = 0; tries < 3; tries++) {
        bool fresh = !r->listed, stale = false;

        if (fresh && list(r, err) != 0)
            return -1;
        got = read_listed(r, offset, at, p, n, &stale, &why);
        if (!stale || (got == 0 && fresh))
            break;
        r->listed = false;
    }
    if (got < 0 && err)
        *err = why;
    return got;
}

int log_reader_range(struct log_reader *r, uint64_t *first, uint64_t *end, struct err *err)
{
    *first = *end = 0;
    if (list(r, err) != 0)
        return -1;
    if (r->dir.count == 0)
        return 0;
    *first = r->dir.files[0].first;
    for (size_t i = r->dir.count; i > 0; i--) {
        if (open_file(r, i - 1, err) == 0) {
            *end = segment_end(r->segment);
            return 0;
        }
    }
    return -1;
}
