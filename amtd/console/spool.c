#include "amtd/console/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>
#include <utlist.h>

#include "amtd/console/settings.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"

#define LINE_MAX_BYTES 2048
#define FILE_MAX       ((size_t)64 * 1024 * 1024) /* that is read */
#define TIME_MAX       ((int64_t)253402300800000) /* the year 10000 */

/* Of an earlier life, and not taken yet. */
struct left {
    char *name;
    struct spooled *list;
    UT_hash_handle hh;
};

struct spool {
    char *path;
    int fd;               /* -1: the file is not there, or not open yet */
    struct buf lines;     /* that wait for spool_write */
    struct left *left;    /* by name */
    size_t outstanding;   /* events that were taken or added, and are in no journal */
    bool written, failed; /* the file is there; the disk refused it the last time */
};

/* --- lines --- */

enum spool_line spool_read(const char *line, size_t n, char *name, struct journal_entry *entry)
{
    char copy[LINE_MAX_BYTES], *rest = copy;
    const char *first, *second, *kind;

    memset(entry, 0, sizeof(*entry));
    if (n >= sizeof(copy) || memchr(line, '\0', n))
        return SPOOL_NONSENSE;
    memcpy(copy, line, n);
    copy[n] = '\0';
    first = strsep(&rest, " ");
    second = strsep(&rest, " ");
    if (!second || !console_name_ok(second))
        return SPOOL_NONSENSE;
    memcpy(name, second, strlen(second) + 1); /* which is no longer than a name may be */
    if (strcmp(first, "-") == 0)
        return SPOOL_MARK;
    kind = strsep(&rest, " ");
    if (!text_i64(first, 0, TIME_MAX, &entry->at_ms) || !journal_kind_find(kind, &entry->kind))
        return SPOOL_NONSENSE;
    snprintf(entry->text, sizeof(entry->text), "%s", rest ? rest : "");
    return SPOOL_EVENT;
}

static void write_event(struct buf *out, const char *name, const struct spooled *e)
{
    if (e->at_ms > 0)
        buf_put_u64(out, (uint64_t)e->at_ms);
    else
        buf_putc(out, '0');
    buf_putc(out, ' ');
    buf_puts(out, name);
    buf_putc(out, ' ');
    buf_puts(out, journal_kind_name(e->kind));
    if (e->text) {
        buf_putc(out, ' ');
        text_printable(out, e->text, strlen(e->text));
    }
    buf_putc(out, '\n');
}

void spooled_free(struct spooled *list)
{
    struct spooled *e, *next;

    LL_FOREACH_SAFE(list, e, next)
    {
        free(e->text);
        free(e);
    }
}

static void append(struct spooled **list, int64_t at_ms, enum journal_kind kind, const char *text)
{
    struct spooled *e = xcalloc(1, sizeof(*e));

    e->at_ms = at_ms;
    e->kind = kind;
    e->text = text && text[0] ? xasprintf("%.*s", JOURNAL_TEXT_MAX - 1, text) : NULL;
    LL_APPEND(*list, e);
}

/* --- what an earlier life left --- */

static void drop_left(struct spool *spool, struct left *left)
{
    HASH_DEL(spool->left, left);
    spooled_free(left->list);
    free(left->name);
    free(left);
}

static void take_line(struct spool *spool, const char *line, size_t n)
{
    char name[CONSOLE_NAME_MAX + 1];
    struct journal_entry entry;
    enum spool_line what = spool_read(line, n, name, &entry);
    struct left *left;

    if (what == SPOOL_NONSENSE) {
        log_warn(NULL, "%s: a line that makes no sense is passed over", spool->path);
        return;
    }
    HASH_FIND_STR(spool->left, name, left);
    if (what == SPOOL_MARK) {
        if (left)
            drop_left(spool, left);
        return;
    }
    if (!left) {
        left = xcalloc(1, sizeof(*left));
        left->name = xstrdup(name);
        HASH_ADD_KEYPTR(hh, spool->left, left->name, strlen(left->name), left);
    }
    append(&left->list, entry.at_ms, entry.kind, entry.text);
}

/* Whole lines; what is behind the last one was torn off by sudden death. */
static void read_left(struct spool *spool)
{
    struct buf text = buf_init(FILE_MAX);
    int fd = open(spool->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    const char *line, *end;
    uint8_t *room;
    ssize_t n;

    if (fd < 0)
        return;
    spool->written = true;
    while ((room = buf_room(&text, 65536)) && (n = read(fd, room, 65536)) > 0)
        buf_added(&text, (size_t)n);
    close(fd);
    line = buf_str(&text);
    while ((end = memchr(line, '\n', text.len - (size_t)(line - buf_str(&text))))) {
        take_line(spool, line, (size_t)(end - line));
        line = end + 1;
    }
    buf_free(&text);
}

/* Only what is still to be said; whole or not at all. */
static void write_left(struct spool *spool)
{
    struct buf lines = buf_init(FILE_MAX);
    struct err err = ERR_INIT;
    struct left *left, *next;
    const struct spooled *e;

    HASH_ITER(hh, spool->left, left, next)
    LL_FOREACH(left->list, e)
    write_event(&lines, left->name, e);
    if (file_put(spool->path, lines.p, lines.len, &err) != 0)
        log_warn(NULL, "%s", err.text);
    buf_free(&lines);
}

struct spool *spool_new(const char *path)
{
    struct spool *spool = xcalloc(1, sizeof(*spool));

    spool->path = xstrdup(path);
    spool->fd = -1;
    spool->lines = buf_init(FILE_MAX);
    read_left(spool);
    if (spool->written && spool->left)
        write_left(spool);
    else
        spool_write(spool);
    return spool;
}

void spool_free(struct spool *spool)
{
    struct left *left, *next;

    if (!spool)
        return;
    spool_write(spool);
    HASH_ITER(hh, spool->left, left, next)
    drop_left(spool, left);
    if (spool->fd >= 0)
        close(spool->fd);
    buf_free(&spool->lines);
    free(spool->path);
    free(spool);
}

struct spooled *spool_take(struct spool *spool, const char *name)
{
    struct left *left;
    struct spooled *list, *e;

    if (!spool->left)
        return NULL;
    HASH_FIND_STR(spool->left, name, left);
    if (!left)
        return NULL;
    list = left->list;
    left->list = NULL;
    drop_left(spool, left);
    LL_FOREACH(list, e)
    spool->outstanding++;
    return list;
}

/* --- in this life --- */

void spool_add(struct spool *spool, const char *name, struct spooled **list, int64_t at_ms,
               enum journal_kind kind, const char *text)
{
    const struct spooled *e;

    append(list, at_ms, kind, text);
    for (e = *list; e->next; e = e->next)
        ;
    write_event(&spool->lines, name, e);
    spool->outstanding++;
}

void spool_moved(struct spool *spool, const char *name, size_t count)
{
    spool->outstanding -= count;
    buf_puts(&spool->lines, "- ");
    buf_puts(&spool->lines, name);
    buf_putc(&spool->lines, '\n');
}

static void remove_file(struct spool *spool)
{
    if (spool->fd >= 0)
        close(spool->fd);
    spool->fd = -1;
    if (spool->written && unlink(spool->path) != 0 && errno != ENOENT)
        log_warn(NULL, "%s: %s", spool->path, strerror(errno));
    spool->written = false;
}

/* 0, or -1 with errno; half a line is worse than none. */
static int write_lines(struct spool *spool)
{
    ssize_t n;
    struct stat st;
    int number;

    if (spool->fd < 0)
        spool->fd = open(spool->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (spool->fd < 0)
        return -1;
    spool->written = true;
    n = write(spool->fd, spool->lines.p, spool->lines.len);
    if (n == (ssize_t)spool->lines.len)
        return 0;
    number = n < 0 ? errno : ENOSPC;
    if (n > 0 && (fstat(spool->fd, &st) != 0 || ftruncate(spool->fd, st.st_size - n) != 0))
        log_warn(NULL, "%s: half a line stays", spool->path);
    errno = number;
    return -1;
}

void spool_write(struct spool *spool)
{
    bool needed = spool->outstanding > 0 || spool->left;

    if (!needed && spool->written) {
        remove_file(spool);
    } else if (needed && spool->lines.len > 0) {
        bool failed = write_lines(spool) != 0;

        if (failed && !spool->failed)
            log_err(NULL, "%s: %s: events of consoles are only in memory until they stand in their journals",
                    spool->path, strerror(errno));
        spool->failed = failed;
    }
    buf_free(&spool->lines);
}
