#include "amtd/console/log_times.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "amtd/console/log_dir.h"
#include "amtd/console/time_index.h"
#include "base/xalloc.h"

#define JOURNAL_MAX (64 * 1024 * 1024) /* bytes of one that are read */
#define BOOT_MS     60000

struct log_times {
    struct log_dir dir;
    struct time_index index; /* of the segment `loaded` */
    size_t loaded;           /* dir.count: of none */
};

struct log_times *log_times_new(const char *path, struct err *err)
{
    struct log_times *t = xcalloc(1, sizeof(*t));

    if (log_dir_read(&t->dir, path, err) != 0) {
        log_times_free(t);
        return NULL;
    }
    t->loaded = t->dir.count;
    return t;
}

void log_times_free(struct log_times *t)
{
    if (!t)
        return;
    time_index_clear(&t->index);
    log_dir_clear(&t->dir);
    free(t);
}

/* A file of the segment whole, at most max bytes of it. NUL behind it. NULL: it cannot be read. */
static char *read_side(const struct log_times *t, size_t i, const char *kind, size_t max, size_t *n)
{
    char *path = log_dir_name(t->dir.path, &t->dir.files[i], kind), *content = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    ssize_t got;

    *n = 0;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        size_t size = (uint64_t)st.st_size < max ? (size_t)st.st_size : max;

        content = xmalloc(size + 1);
        while (*n < size && (got = pread(fd, content + *n, size - *n, (off_t)*n)) > 0)
            *n += (size_t)got;
        content[*n] = '\0';
    }
    if (fd >= 0)
        close(fd);
    free(path);
    return content;
}

static void load(struct log_times *t, size_t i)
{
    size_t n;
    char *content;

    if (t->loaded == i)
        return;
    time_index_clear(&t->index);
    t->loaded = i;
    content = read_side(t, i, "idx", TIME_INDEX_MAX, &n);
    if (content)
        time_index_read(&t->index, content, n,
                        i + 1 < t->dir.count ? t->dir.files[i + 1].first : (uint64_t)INT64_MAX);
    free(content);
}

uint64_t log_times_offset(struct log_times *t, int64_t at_ms, uint64_t end)
{
    for (size_t i = 0; i < t->dir.count; i++) {
        load(t, i);
        if (t->index.count > 0 && t->index.points[t->index.count - 1].at_ms >= at_ms)
            return time_index_offset(&t->index, at_ms, end);
    }
    return end;
}

int64_t log_times_at(struct log_times *t, uint64_t offset)
{
    size_t i = t->dir.count;

    while (i > 0 && t->dir.files[i - 1].first > offset)
        i--;
    if (i == 0)
        return 0;
    load(t, i - 1);
    return time_index_time(&t->index, offset);
}

void log_times_events(struct log_times *t, bool (*each)(void *arg, const struct journal_entry *entry),
                      void *arg)
{
    bool on = true;

    for (size_t i = 0; on && i < t->dir.count; i++) {
        size_t n;
        char *content = read_side(t, i, "jnl", JOURNAL_MAX, &n);
        struct journal_entry entry;
        const char *line = content, *end;

        while (on && line && (end = memchr(line, '\n', n - (size_t)(line - content)))) {
            if (journal_read(line, (size_t)(end - line), &entry, NULL) == 0)
                on = each(arg, &entry);
            line = end + 1;
        }
        free(content);
    }
}

struct boots {
    uint64_t *offsets;
    size_t count;
    int64_t last_ms;
};

static bool add_boot(void *arg, const struct journal_entry *entry)
{
    struct boots *b = arg;
    bool same = b->count > 0 && entry->at_ms - b->last_ms < BOOT_MS && entry->at_ms >= b->last_ms;

    if (entry->kind != JOURNAL_POWER && entry->kind != JOURNAL_BOOT)
        return true;
    b->last_ms = entry->at_ms;
    if (same)
        return true;
    if ((b->count & (b->count + 1)) == 0)
        b->offsets = xreallocarray(b->offsets, 2 * (b->count + 1), sizeof(*b->offsets));
    b->offsets[b->count++] = entry->offset;
    return true;
}

bool log_times_boot(struct log_times *t, size_t back, uint64_t *offset)
{
    struct boots b = {0};
    bool found;

    log_times_events(t, add_boot, &b);
    found = back < b.count;
    if (found)
        *offset = b.offsets[b.count - 1 - back];
    free(b.offsets);
    return found;
}
