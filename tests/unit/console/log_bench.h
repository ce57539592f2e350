/* A directory for logs, with a clock that stands still until told and work that is done at once or when told.
 */
#ifndef TESTS_UNIT_CONSOLE_LOG_BENCH_H
#define TESTS_UNIT_CONSOLE_LOG_BENCH_H

#include <stdbool.h>

#include "amtd/console/clog.h"
#include "amtd/console/clog_store.h"
#include "amtd/console/log_verify.h"
#include "base/buf.h"
#include "base/clock.h"

struct log_bench {
    char dir[64];
    struct clock_fake fake;
    struct clock clock;
    struct node_key *key;
    struct clog_store *store;
    bool later; /* work waits for bench_work */
    struct bench_job {
        void (*run)(void *job);
        void (*done)(void *job);
        void *job;
    } jobs[32];
    size_t job_count;
    struct log_settings settings;
    /* what a log's events said */
    struct buf written, unlogged, shown;
    int troubles, resumed;
    uint64_t lost;
};

void bench_setup(struct log_bench *bench);
void bench_teardown(struct log_bench *bench);
/* A store on the same directory, as after a restart. */
void bench_store(struct log_bench *bench, size_t files_max);
struct clog *bench_log(struct log_bench *bench, const char *name);
/* Lets time pass for a log and the store. */
void bench_pass(struct log_bench *bench, struct clog *log, int64_t ms);
void bench_work(struct log_bench *bench);
void bench_append(struct clog *log, const char *text); /* and writes it */
/* DIR/consoles/NAME/FILE, in a buffer of the bench. */
const char *bench_path(const struct log_bench *bench, const char *name, const char *file);
/* The whole log as clog_read gives it, into out. */
void bench_read(struct clog *log, uint64_t from, struct buf *out);
/* Copies the console's directory as it is now: what sudden death leaves. */
void bench_copy(const struct log_bench *bench, const char *from, const char *to);
/* A file's content; NUL behind it. Free it. */
char *bench_file(const char *path, size_t *n);
void bench_put(const char *path, const void *p, size_t n);
bool bench_exists(const char *path);

struct bench_findings {
    struct verify_finding items[64];
    char files[64][64];
    char texts[64][200];
    size_t count;
    struct verify_result result;
};
void bench_verify(const struct log_bench *bench, const char *name, struct bench_findings *f);
/* The first damage found, or NULL. */
const struct verify_finding *bench_damage(const struct bench_findings *f);

#endif
