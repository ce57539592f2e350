#include "tests/unit/console/log_bench.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/xalloc.h"

static void submit(void *arg, void (*run)(void *job), void (*done)(void *job), void *job)
{
    struct log_bench *b = arg;

    if (b->later) {
        assert_true(b->job_count < 32);
        b->jobs[b->job_count++] = (struct bench_job){run, done, job};
        return;
    }
    run(job);
    done(job);
}

void bench_work(struct log_bench *b)
{
    while (b->job_count > 0) {
        struct bench_job job = b->jobs[0];

        memmove(b->jobs, b->jobs + 1, --b->job_count * sizeof(job));
        job.run(job.job);
        job.done(job.job);
    }
}

void bench_store(struct log_bench *b, size_t files_max)
{
    char *dir = xasprintf("%s/consoles", b->dir);
    const struct clog_store_settings settings = {dir, files_max, 2000, 1 << 20};
    const struct clog_worker worker = {b, submit};
    struct err err = ERR_INIT;

    clog_store_free(b->store);
    b->store = clog_store_new(&settings, &b->clock, b->key, &worker, &err);
    assert_non_null(b->store);
    free(dir);
}

void bench_setup(struct log_bench *b)
{
    struct err err = ERR_INIT;

    memset(b, 0, sizeof(*b));
    log_set_level(LOG_LEVEL_ERR);
    strcpy(b->dir, "/tmp/amtd-log-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    b->fake.mono = 1000000;
    b->fake.wall = 1767323045000;
    b->clock = clock_fake_init(&b->fake);
    b->key = node_key_open(b->dir, true, &err);
    assert_non_null(b->key);
    b->settings = (struct log_settings){
        .segment_bytes = 1 << 20, .segment_ms = 86400000, .flush_ms = 100, .sign_ms = 60000, .zstd_level = 3};
    b->written = buf_init(64 << 20);
    b->unlogged = buf_init(64 << 20);
    b->shown = buf_init(64 << 20);
    bench_store(b, 16);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void bench_teardown(struct log_bench *b)
{
    bench_work(b);
    clog_store_free(b->store);
    node_key_free(b->key);
    buf_free(&b->written);
    buf_free(&b->unlogged);
    buf_free(&b->shown);
    nftw(b->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void on_written(void *arg, uint64_t offset, const uint8_t *p, size_t n, bool shown)
{
    struct log_bench *b = arg;

    (void)offset;
    buf_add(&b->written, p, n);
    if (shown)
        buf_add(&b->shown, p, n);
}

static void on_unlogged(void *arg, const uint8_t *p, size_t n)
{
    buf_add(&((struct log_bench *)arg)->unlogged, p, n);
}

static void on_trouble(void *arg, const struct err *failure, uint64_t lost)
{
    struct log_bench *b = arg;

    if (failure)
        b->troubles++;
    else
        b->resumed++;
    b->lost += lost;
}

struct clog *bench_log(struct log_bench *b, const char *name)
{
    const struct clog_events events = {b, on_written, on_unlogged, on_trouble, NULL};

    return clog_new(b->store, name, &b->settings, &events);
}

void bench_pass(struct log_bench *b, struct clog *log, int64_t ms)
{
    b->fake.mono += ms;
    b->fake.wall += ms;
    if (log)
        clog_tick(log, b->fake.mono);
    clog_store_tick(b->store, b->fake.mono);
}

void bench_append(struct clog *log, const char *text)
{
    clog_append(log, text, strlen(text));
    clog_flush(log);
}

const char *bench_path(const struct log_bench *b, const char *name, const char *file)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/consoles/%s/%s", b->dir, name, file);
    return path;
}

void bench_read(struct clog *log, uint64_t from, struct buf *out)
{
    uint8_t block[10000];
    uint64_t first, end, at;
    struct err err = ERR_INIT;

    assert_int_equal(clog_range(log, &first, &end, &err), 0);
    while (from < end) {
        long n = clog_read(log, from, &at, block, sizeof(block), &err);

        assert_true(n > 0);
        assert_true(at >= from);
        buf_add(out, block, (size_t)n);
        from = at + (uint64_t)n;
    }
}

char *bench_file(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    struct buf b = buf_init(64 << 20);
    char block[4096];
    size_t got;

    assert_non_null(file);
    while ((got = fread(block, 1, sizeof(block), file)) > 0)
        buf_add(&b, block, got);
    fclose(file);
    if (n)
        *n = b.len;
    buf_putc(&b, '\0');
    return buf_take(&b);
}

void bench_put(const char *path, const void *p, size_t n)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(p, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

bool bench_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

void bench_copy(const struct log_bench *b, const char *from, const char *to)
{
    char *source = xasprintf("%s/consoles/%s", b->dir, from),
         *target = xasprintf("%s/consoles/%s", b->dir, to);
    DIR *d = opendir(source);
    const struct dirent *e;

    assert_non_null(d);
    assert_int_equal(mkdir(target, 0700), 0);
    while ((e = readdir(d))) {
        char *path = xasprintf("%s/%s", source, e->d_name), *copy = xasprintf("%s/%s", target, e->d_name);
        size_t n;
        char *content;

        if (e->d_type == DT_REG) {
            content = bench_file(path, &n);
            bench_put(copy, content, n);
            free(content);
        }
        free(path);
        free(copy);
    }
    closedir(d);
    free(source);
    free(target);
}

static void on_finding(void *arg, const struct verify_finding *finding)
{
    struct bench_findings *f = arg;

    assert_true(f->count < 64);
    snprintf(f->files[f->count], sizeof(f->files[0]), "%s", finding->file);
    snprintf(f->texts[f->count], sizeof(f->texts[0]), "%s", finding->text);
    f->items[f->count] = *finding;
    f->items[f->count].file = f->files[f->count];
    f->items[f->count].text = f->texts[f->count];
    f->count++;
}

void bench_verify(const struct log_bench *b, const char *name, struct bench_findings *f)
{
    char *path = xasprintf("%s/consoles/%s", b->dir, name);
    struct err err = ERR_INIT;

    memset(f, 0, sizeof(*f));
    assert_int_equal(log_verify(path, name, b->key, on_finding, f, &f->result, &err), 0);
    free(path);
}

const struct verify_finding *bench_damage(const struct bench_findings *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->items[i].state == VERIFY_DAMAGED)
            return &f->items[i];
    return NULL;
}
