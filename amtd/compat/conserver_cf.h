/* Reading conserver's configuration, conserver.cf, as far as its grammar goes: blocks of keywords with values
 * (reference conserver.md, chapter b). What they mean is conserver_import's business. */
#ifndef AMTD_COMPAT_CONSERVER_CF_H
#define AMTD_COMPAT_CONSERVER_CF_H

#include <stddef.h>

#include "base/buf.h"

#define CONSERVER_CF_INCLUDES_MAX 10                 /* nested */
#define CONSERVER_CF_FILE_MAX     (16 * 1024 * 1024) /* bytes */
#define CONSERVER_CF_BLOCKS_MAX   200000

struct cf_place {
    const char *file; /* borrowed from the configuration */
    size_t line;
};

struct cf_entry {
    struct cf_place place;
    char *keyword;
    char *value; /* "" when there is none */
};

struct cf_block {
    struct cf_place place;
    char *type; /* "console", "default", ... */
    char *name;
    struct cf_entry *entries;
    size_t count;
};

struct cf {
    struct cf_block *blocks; /* in the order of the files, included ones at their place */
    size_t count;
    char **files;
    size_t file_count;
};

/* Reads a file and what it includes into *cf, which is overwritten. -1: every mistake is appended to
 * `mistakes`, one a line, "FILE:LINE: ..."; what could be read is there all the same. cf_clear it in any
 * case. */
int cf_read(struct cf *cf, const char *path, struct buf *mistakes);
/* The same for text that has no file; includes are mistakes. name stands for the file. */
int cf_read_text(struct cf *cf, const char *name, const char *text, size_t n, struct buf *mistakes);
void cf_clear(struct cf *cf);

#endif
