#include "amtd/compat/conserver_cf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"

#define TEXT_MAX     65536 /* of one value */
#define MISTAKES_MAX 200

/* One statement: words before '{', ';' or '}'. Quoted characters are data, also blanks and signs. */
struct statement {
    struct buf first; /* up to the first blank that is not quoted */
    struct buf rest;  /* behind it, without blanks at its ends */
    size_t rest_kept; /* of rest up to its last character that is not a blank */
    bool in_rest;
    bool any; /* something stands here, if only "" */
    size_t line;
};

struct reader {
    struct cf *cf;
    struct buf *mistakes;
    size_t mistake_count;
    bool in_memory;
    const char *file;
    const char *p, *end;
    size_t line;
    int depth; /* of includes */
    bool in_block;
    struct statement statement;
};

static void mistake(struct reader *r, size_t line, const char *what, const char *value)
{
    if (r->mistake_count++ >= MISTAKES_MAX)
        return;
    buf_printf(r->mistakes, "%s:%zu: %s", r->file, line, what);
    if (value) {
        buf_puts(r->mistakes, " '");
        text_printable(r->mistakes, value, strlen(value));
        buf_puts(r->mistakes, "'");
    }
    buf_putc(r->mistakes, '\n');
}

/* --- statements --- */

static void statement_reset(struct statement *s)
{
    buf_reset(&s->first);
    buf_reset(&s->rest);
    s->rest_kept = 0;
    s->in_rest = s->any = false;
}

static void begin_word(struct reader *r)
{
    if (!r->statement.any)
        r->statement.line = r->line;
    r->statement.any = true;
}

static void add(struct reader *r, char c, bool quoted)
{
    struct statement *s = &r->statement;
    bool blank = !quoted && strchr(" \t\r\n\v\f", c) && c;

    if (!blank)
        begin_word(r);
    if (blank && !s->in_rest) {
        s->in_rest = s->first.len > 0;
        return;
    }
    if (!s->in_rest) {
        buf_putc(&s->first, c);
        return;
    }
    if (blank && s->rest_kept == 0)
        return;
    buf_putc(&s->rest, c);
    if (!blank)
        s->rest_kept = s->rest.len;
}

static char *take_rest(struct statement *s)
{
    return xstrndup(buf_str(&s->rest), s->rest_kept);
}

static struct cf_block *last_block(struct reader *r)
{
    return &r->cf->blocks[r->cf->count - 1];
}

static void open_block(struct reader *r)
{
    struct statement *s = &r->statement;

    if (r->in_block)
        mistake(r, r->line, "expected ';' or '}', not '{' within a block", NULL);
    else if (!s->any)
        mistake(r, r->line, "expected the type and the name of a block before '{'", NULL);
    else if (s->rest_kept == 0)
        mistake(r, s->line, "expected a name behind", buf_str(&s->first));
    else if (r->cf->count == CONSERVER_CF_BLOCKS_MAX)
        mistake(r, s->line, "more blocks than can be read", NULL);
    r->in_block = true;
    if (r->cf->count < CONSERVER_CF_BLOCKS_MAX) {
        r->cf->blocks = xreallocarray(r->cf->blocks, r->cf->count + 1, sizeof(*r->cf->blocks));
        r->cf->blocks[r->cf->count++] = (struct cf_block){.place = {r->file, s->any ? s->line : r->line},
                                                          .type = xstrdup(buf_str(&s->first)),
                                                          .name = take_rest(s)};
    }
    statement_reset(s);
}

static void end_entry(struct reader *r)
{
    struct statement *s = &r->statement;
    struct cf_block *block;

    if (!s->any)
        return;
    if (!r->in_block) {
        mistake(r, s->line, "expected '{' behind", buf_str(&s->first));
    } else if (!buf_ok(&s->first) || !buf_ok(&s->rest)) {
        mistake(r, s->line, "expected a value of at most 65536 bytes", NULL);
    } else if (r->cf->count > 0) {
        block = last_block(r);
        block->entries = xreallocarray(block->entries, block->count + 1, sizeof(*block->entries));
        block->entries[block->count++] = (struct cf_entry){
            .place = {r->file, s->line}, .keyword = xstrdup(buf_str(&s->first)), .value = take_rest(s)};
    }
    statement_reset(s);
}

static void close_block(struct reader *r)
{
    if (r->statement.any)
        mistake(r, r->statement.line, "expected ';' behind", buf_str(&r->statement.first));
    end_entry(r);
    if (!r->in_block)
        mistake(r, r->line, "'}' without a block", NULL);
    r->in_block = false;
    statement_reset(&r->statement);
}

/* --- characters --- */

static void read_quoted(struct reader *r)
{
    size_t line = r->line;

    begin_word(r);
    if (r->statement.in_rest) /* also "" keeps the blanks before it */
        r->statement.rest_kept = r->statement.rest.len;
    for (; r->p < r->end && *r->p != '"'; r->p++) {
        if (*r->p == '\\' && r->p + 1 < r->end && r->p[1] == '"')
            r->p++;
        r->line += *r->p == '\n';
        add(r, *r->p, true);
    }
    if (r->p == r->end)
        mistake(r, line, "expected a closing '\"'", NULL);
    else
        r->p++;
}

static void skip_line(struct reader *r)
{
    const char *lf = memchr(r->p, '\n', (size_t)(r->end - r->p));

    r->p = lf ? lf : r->end;
}

static int read_file(struct reader *r, const char *path);

/* "#include FILE", r->p behind the '#'. */
static void include(struct reader *r)
{
    static const char word[] = "include";
    const char *begin = r->p + sizeof(word) - 1;
    char *path;

    skip_line(r);
    while (begin < r->p && (*begin == ' ' || *begin == '\t'))
        begin++;
    path = xstrndup(begin, (size_t)(r->p - begin));
    for (size_t n = strlen(path); n > 0 && strchr(" \t\r", path[n - 1]); n--)
        path[n - 1] = '\0';
    if (r->in_memory)
        mistake(r, r->line, "a file cannot be included here:", path);
    else if (r->depth == CONSERVER_CF_INCLUDES_MAX)
        mistake(r, r->line, "expected files to include each other at most ten deep, at", path);
    else
        read_file(r, path);
    free(path);
}

static bool is_include(const struct reader *r, const char *text)
{
    return (r->p == text || r->p[-1] == '\n') && r->end - r->p > 8 && strncmp(r->p, "#include", 8) == 0 &&
           (r->p[8] == ' ' || r->p[8] == '\t');
}

static void read_one(struct reader *r, const char *text)
{
    bool is_file = *r->p == '#' && is_include(r, text);
    char c = *r->p++;

    switch (c) {
    case '#':
        if (is_file)
            include(r);
        else
            skip_line(r);
        break;
    case '"':
        read_quoted(r);
        break;
    case '\\':
        if (r->p == r->end)
            break;
        r->line += *r->p == '\n';
        add(r, *r->p++, true);
        break;
    case '{':
        open_block(r);
        break;
    case '}':
        close_block(r);
        break;
    case ';':
        end_entry(r);
        break;
    default:
        if (c == '\0') {
            mistake(r, r->line, "expected text, not a NUL byte", NULL);
            break;
        }
        add(r, c, false);
        r->line += c == '\n';
    }
}

/* A file may end within a block that another began, so that is looked at where the outermost ends. */
static void read_text(struct reader *r, const char *text, size_t n)
{
    struct reader outer = *r;

    r->p = text;
    r->end = text + n;
    r->line = 1;
    while (r->p < r->end)
        read_one(r, text);
    if (outer.depth == 0 && r->in_block)
        mistake(r, r->line, "expected '}' before the end", NULL);
    else if (outer.depth == 0 && r->statement.any)
        mistake(r, r->statement.line, "expected '{' behind", buf_str(&r->statement.first));
    r->p = outer.p;
    r->end = outer.end;
    r->line = outer.line;
}

/* --- files --- */

static const char *keep_file(struct cf *cf, const char *path)
{
    cf->files = xreallocarray(cf->files, cf->file_count + 1, sizeof(*cf->files));
    cf->files[cf->file_count] = xstrdup(path);
    return cf->files[cf->file_count++];
}

static bool read_all(FILE *file, struct buf *text)
{
    uint8_t *room;
    size_t n = 1;

    while (n > 0 && (room = buf_room(text, 65536))) {
        n = fread(room, 1, 65536, file);
        buf_added(text, n);
    }
    return !ferror(file) && buf_ok(text);
}

static int read_file(struct reader *r, const char *path)
{
    struct buf text = buf_init(CONSERVER_CF_FILE_MAX);
    FILE *file = fopen(path, "re");
    const char *from = r->file;
    size_t line = r->line;

    if (!file || !read_all(file, &text)) {
        const char *why = buf_ok(&text) ? strerror(errno) : "larger than 16 MiB";

        if (from)
            buf_printf(r->mistakes, "%s:%zu: %s: %s\n", from, line, path, why);
        else
            buf_printf(r->mistakes, "%s: %s\n", path, why);
        r->mistake_count++;
    } else {
        r->file = keep_file(r->cf, path);
        r->depth += from != NULL;
        read_text(r, buf_str(&text), text.len);
        r->depth -= from != NULL;
        r->file = from;
    }
    if (file)
        fclose(file);
    buf_free(&text);
    return 0;
}

static void begin(struct reader *r, struct cf *cf, struct buf *mistakes)
{
    memset(cf, 0, sizeof(*cf));
    *r = (struct reader){.cf = cf, .mistakes = mistakes};
    r->statement.first = buf_init(TEXT_MAX);
    r->statement.rest = buf_init(TEXT_MAX);
}

static int finish(struct reader *r)
{
    buf_free(&r->statement.first);
    buf_free(&r->statement.rest);
    if (r->mistake_count > MISTAKES_MAX)
        buf_puts(r->mistakes, "and more mistakes\n");
    return r->mistake_count > 0 ? -1 : 0;
}

int cf_read(struct cf *cf, const char *path, struct buf *mistakes)
{
    struct reader r;

    begin(&r, cf, mistakes);
    read_file(&r, path);
    return finish(&r);
}

int cf_read_text(struct cf *cf, const char *name, const char *text, size_t n, struct buf *mistakes)
{
    struct reader r;

    begin(&r, cf, mistakes);
    r.in_memory = true;
    r.file = keep_file(cf, name);
    read_text(&r, text, n);
    return finish(&r);
}

void cf_clear(struct cf *cf)
{
    for (size_t i = 0; i < cf->count; i++) {
        struct cf_block *block = &cf->blocks[i];

        for (size_t k = 0; k < block->count; k++) {
            free(block->entries[k].keyword);
            free(block->entries[k].value);
        }
        free(block->entries);
        free(block->type);
        free(block->name);
    }
    for (size_t i = 0; i < cf->file_count; i++)
        free(cf->files[i]);
    free(cf->files);
    free(cf->blocks);
    memset(cf, 0, sizeof(*cf));
}
