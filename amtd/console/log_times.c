#include "amtd/console/log_times.h"

#include <dirent.h>
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
/* The beginning of a file, NUL behind it. NULL: it cannot be read. Takes path. */
static char *read_file(char *path, size_t max, size_t *n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char *content = NULL;
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
    content = read_file(log_dir_name(t->dir.path, &t->dir.files[i], "idx"), TIME_INDEX_MAX, &n);
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

/* The entries of a journal, if it is there. Takes path. False: it is ended. */
static bool each_entry(char *path, bool (*each)(void *arg, const struct journal_entry *entry), void *arg)
{
    size_t n;
    char *content = read_file(path, JOURNAL_MAX, &n);
    struct journal_entry entry;
    const char *line = content, *end;
    bool on = true;

    while (on && line && (end = memchr(line, '\n', n - (size_t)(line - content)))) {
        if (journal_read(line, (size_t)(end - line), &entry, NULL) == 0)
            on = each(arg, &entry);
        line = end + 1;
    }
    free(content);
    return on;
}

void log_times_events(struct log_times *t, bool (*each)(void *arg, const struct journal_entry *entry),
                      void *arg)
{
    bool on = true, open_read = false;

    for (size_t i = 0; on && i < t->dir.count; i++) {
        open_read = t->dir.files[i].form == LOG_OPEN;
        on = each_entry(log_dir_name(t->dir.path, &t->dir.files[i], "jnl"), each, arg);
    }
    if (on && !open_read) /* nothing was printed since, but things happened */
        each_entry(xasprintf("%s/console.jnl", t->dir.path), each, arg);
}

/* --- boots --- */

struct boot {
    uint64_t offset;
    int64_t at_ms;
};

struct boots_found {
    struct boot *all;
    size_t count;
};

static bool add_boot(void *arg, const struct journal_entry *entry)
{
    struct boots_found *b = arg;

    if (entry->kind != JOURNAL_POWER && entry->kind != JOURNAL_BOOT)
        return true;
    if ((b->count & (b->count + 1)) == 0)
        b->all = xreallocarray(b->all, 2 * (b->count + 1), sizeof(*b->all));
    b->all[b->count++] = (struct boot){entry->offset, entry->at_ms};
    return true;
}

/* What the node of a replica saw is in its journals, which came with its bytes. */
static void add_boots_of_origin(const struct log_times *t, struct boots_found *b)
{
    char *path = xasprintf("%s/origin", t->dir.path);
    DIR *dir = opendir(path);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        size_t length = strlen(entry->d_name);

        if (length > 4 && strcmp(entry->d_name + length - 4, ".jnl") == 0)
            each_entry(xasprintf("%s/%s", path, entry->d_name), add_boot, b);
    }
    if (dir)
        closedir(dir);
    free(path);
}

static int compare_boots(const void *a, const void *b)
{
    const struct boot *one = a, *other = b;

    return one->offset < other->offset ? -1 : one->offset > other->offset;
}

/* Those within a minute of one another are one, which begins where the first does. */
static void join_boots(struct boots_found *b)
{
    size_t kept = 0;
    int64_t last_ms = 0;

    if (b->count > 0)
        qsort(b->all, b->count, sizeof(*b->all), compare_boots);
    for (size_t i = 0; i < b->count; i++) {
        bool same = kept > 0 && b->all[i].at_ms - last_ms < BOOT_MS && b->all[i].at_ms >= last_ms;

        last_ms = b->all[i].at_ms;
        if (!same)
            b->all[kept++] = b->all[i];
    }
    b->count = kept;
}

bool log_times_boot(struct log_times *t, size_t back, uint64_t *offset)
{
    struct boots_found b = {0};
    bool found;

    log_times_events(t, add_boot, &b);
    add_boots_of_origin(t, &b);
    join_boots(&b);
    found = back < b.count;
    if (found)
        *offset = b.all[b.count - 1 - back].offset;
    free(b.all);
    return found;
}
