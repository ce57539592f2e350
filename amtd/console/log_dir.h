/* The directory of a console's log: which segments there are, and how their files are called
 * (docs/console-log.md). Names found there are untrusted. Any thread, one at a time per object. */
#ifndef AMTD_CONSOLE_LOG_DIR_H
#define AMTD_CONSOLE_LOG_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum log_form {
    LOG_COMPRESSED, /* FIRST.log.zst */
    LOG_PLAIN,      /* FIRST.log: closed, still to be compressed */
    LOG_OPEN,       /* console.log */
};

struct log_file {
    uint64_t first;
    enum log_form form;
};

struct log_dir {
    char *path;
    struct log_file *files; /* by offset; the open segment last */
    size_t count;
};

/* Reads the directory. An absent one is empty. -1 and err (system). */
int log_dir_read(struct log_dir *dir, const char *path, struct err *err);
void log_dir_clear(struct log_dir *dir);
/* Where the open segment begins: what its index says, else -1. */
int64_t log_dir_open_first(const char *path);
/* Paths, owned by the caller. kind: "log", "log.zst", "idx", "jnl", "blake3", "sig". */
char *log_dir_name(const char *path, const struct log_file *file, const char *kind);
char *log_dir_segment(const char *path, const struct log_file *file); /* the bytes */

/* Reading across all segments. */
struct log_reader;
struct log_reader *log_reader_new(const char *path);
void log_reader_free(struct log_reader *reader); /* NULL is fine */
/* As clog_read (clog.h). Looks at the directory again when a file has gone from it, and when it comes to the
 * end. */
long log_reader_read(struct log_reader *reader, uint64_t offset, uint64_t *at, void *p, size_t n,
                     struct err *err);
/* First and behind the last byte there are now. -1 and err. */
int log_reader_range(struct log_reader *reader, uint64_t *first, uint64_t *end, struct err *err);

#endif
