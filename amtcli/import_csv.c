#include "amtcli/import_csv.h"

#include <csv.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/args.h"
#include "base/text.h"
#include "base/xalloc.h"

#define COLUMNS_MAX   256
#define MISTAKES_SHOW 100
#define VALUE_SHOW    60 /* bytes of a value in a mistake */
#define TAG_NAME_MAX  64
#define TAG_VALUE_MAX 1024

struct import {
    const char *path;
    const struct import_known *known;
    struct buf *mistakes;
    size_t mistake_count;
    size_t line; /* where the present row begins, from 1 on */
    bool has_titles;
    bool bad_titles; /* then rows mean nothing */
    bool row_ended;
    bool too_large;
    char *fields[COLUMNS_MAX]; /* of the present row */
    size_t field_count;
    char *titles[COLUMNS_MAX];
    size_t title_count;
    json_t *seen; /* name -> line of its first row */
    json_t *rows;
    json_t *lines; /* where each of them begins */
};

/* --- mistakes --- */

static void mistake(struct import *im, const char *what, const char *value)
{
    if (im->mistake_count++ >= MISTAKES_SHOW)
        return;
    buf_printf(im->mistakes, "%s:%zu: %s", im->path, im->line, what);
    if (value) {
        size_t n = strlen(value), shown = n > VALUE_SHOW ? VALUE_SHOW : n;

        while (shown < n && shown > 0 && (value[shown] & 0xc0) == 0x80)
            shown--;
        buf_puts(im->mistakes, " '");
        text_printable(im->mistakes, value, shown);
        buf_puts(im->mistakes, shown < n ? "...'" : "'");
    }
    buf_putc(im->mistakes, '\n');
}

static void mistake_count(struct import *im, size_t got)
{
    char *text = xasprintf("expected %zu fields as in the first line, got %zu", im->title_count, got);

    mistake(im, text, NULL);
    free(text);
}

/* --- the first line --- */

static bool is_tag_name(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= TAG_NAME_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == n;
}

static bool is_title(const char *title)
{
    return strcmp(title, "name") == 0 || strcmp(title, "address") == 0 || strcmp(title, "profile") == 0 ||
           strncmp(title, "fact.", 5) == 0 || (strncmp(title, "tag.", 4) == 0 && is_tag_name(title + 4));
}

static bool has_title(const struct import *im, const char *title)
{
    for (size_t i = 0; i < im->title_count; i++)
        if (strcmp(im->titles[i], title) == 0)
            return true;
    return false;
}

static const char *title_at(size_t i, const void *arg)
{
    static const char *const plain[] = {"name", "address", "profile", NULL};

    (void)arg;
    return plain[i];
}

/* A mistyped title is taken for what it is near to, so that the rows can be checked as well. */
static char *mistyped_title(struct import *im, char *title)
{
    const char *near = nearest_word(title, title_at, NULL);
    char *hint =
        near ? xasprintf("expected a column name, address, profile or tag.NAME; did you mean '%s' by", near)
             : xstrdup("expected a column name, address, profile or tag.NAME, not");

    mistake(im, hint, title);
    free(hint);
    if (!near)
        return title;
    free(title);
    return xstrdup(near);
}

static void take_titles(struct import *im)
{
    im->has_titles = true;
    if (im->field_count == 1 && strpbrk(im->fields[0], ";\t")) {
        mistake(im, "expected commas between the columns of a first line that names them, not",
                im->fields[0]);
        im->bad_titles = true;
        return;
    }
    for (size_t i = 0; i < im->field_count; i++) {
        char *title = im->fields[i];

        im->fields[i] = NULL;
        if (!is_title(title))
            title = mistyped_title(im, title);
        if (has_title(im, title))
            mistake(im, "a second column", title);
        im->titles[im->title_count++] = title;
    }
    if (!has_title(im, "name"))
        mistake(im, "expected a first line that names the columns, one of them 'name'", NULL);
}

/* --- rows --- */

static void check_name(struct import *im, const char *name)
{
    struct hostlist *list = hostlist_new();
    struct err err = ERR_INIT;
    const json_t *first = json_object_get(im->seen, name);

    if (!name[0]) {
        mistake(im, "expected a name in this row", NULL);
    } else if (hostlist_add(list, name, &err) != 0) {
        mistake(im, "expected the name of a host (letters, digits, '.', '_', '-'), not", name);
    } else if (first) {
        char *text = xasprintf("already in line %lld: host", (long long)json_integer_value(first));

        mistake(im, text, name);
        free(text);
    } else {
        json_object_set_new(im->seen, name, json_integer((json_int_t)im->line));
        if (im->known->hosts && hostlist_contains(im->known->hosts, name))
            mistake(im, "already in the fleet (--update changes it): host", name);
    }
    hostlist_free(list);
}

static void check_address(struct import *im, const char *address)
{
    if (!hostlist_is_address(address))
        mistake(im, "expected an IP address or a name, not", address);
}

static void check_profile(struct import *im, const char *profile)
{
    json_t *known;
    size_t i;

    json_array_foreach((json_t *)im->known->profiles, i,
                       known) if (strcmp(json_string_value(known), profile) == 0) return;
    if (im->known->profiles)
        mistake(im, "there is no profile", profile);
}

static void check_tag(struct import *im, const char *value)
{
    if (strlen(value) > TAG_VALUE_MAX)
        mistake(im, "expected at most 1024 bytes in a tag", NULL);
}

/* A field of a column that was not understood, or of a fact, is read over. */
static void take_field(struct import *im, json_t *row, json_t *tags, const char *title, const char *value)
{
    if (!text_is_utf8(value, strlen(value))) {
        mistake(im, "expected UTF-8, not", value);
    } else if (strcmp(title, "name") == 0) {
        check_name(im, value);
        json_object_set_new(row, "name", json_string(value));
    } else if (!value[0]) {
        return;
    } else if (strcmp(title, "address") == 0) {
        check_address(im, value);
        json_object_set_new(row, "address", json_string(value));
    } else if (strcmp(title, "profile") == 0) {
        check_profile(im, value);
        json_object_set_new(row, "profile", json_string(value));
    } else if (strncmp(title, "tag.", 4) == 0) {
        check_tag(im, value);
        json_object_set_new(tags, title + 4, json_string(value));
    }
}

static void take_row(struct import *im)
{
    json_t *row, *tags;

    if (im->bad_titles)
        return;
    if (im->field_count != im->title_count) {
        mistake_count(im, im->field_count);
        return;
    }
    row = json_object();
    tags = json_object();
    for (size_t i = 0; i < im->field_count && im->mistake_count <= MISTAKES_SHOW; i++)
        take_field(im, row, tags, im->titles[i], im->fields[i]);
    if (json_object_size(tags) > 0)
        json_object_set(row, "tags", tags);
    json_decref(tags);
    json_array_append_new(im->rows, row);
    json_array_append_new(im->lines, json_integer((json_int_t)im->line));
}

/* --- what libcsv finds --- */

static void on_field(void *field, size_t n, void *arg)
{
    struct import *im = arg;

    if (field && memchr(field, 0, n))
        mistake(im, "expected text, not a NUL byte", NULL);
    if (im->field_count < COLUMNS_MAX)
        im->fields[im->field_count] = xstrndup(field ? field : "", field ? n : 0);
    im->field_count++;
}

static void drop_fields(struct import *im)
{
    for (size_t i = 0; i < im->field_count && i < COLUMNS_MAX; i++) {
        free(im->fields[i]);
        im->fields[i] = NULL;
    }
    im->field_count = 0;
}

static void on_row(int ending, void *arg)
{
    struct import *im = arg;

    (void)ending;
    if (im->field_count > COLUMNS_MAX) {
        mistake(im, "more than 256 fields", NULL);
        im->bad_titles |= !im->has_titles;
        im->has_titles = true;
    } else if (im->has_titles) {
        take_row(im);
    } else {
        take_titles(im);
    }
    drop_fields(im);
    im->row_ended = true;
}

static int new_parser(struct csv_parser *parser)
{
    return csv_init(parser, CSV_STRICT | CSV_STRICT_FINI);
}

static bool is_blank(const char *line, size_t n)
{
    while (n > 0 && strchr(" \t\r\n", line[n - 1]) && line[n - 1])
        n--;
    return n == 0;
}

/* Up to and with the end of a line, which is LF, CR LF or, as libcsv has it, CR alone. */
static size_t line_length(const char *text, size_t n)
{
    for (size_t i = 0; i + 1 < n; i++)
        if (text[i] == '\n' || (text[i] == '\r' && text[i + 1] != '\n'))
            return i + 1;
    return n;
}

static void read_line(struct import *im, struct csv_parser *parser, const char *line, size_t n, size_t number)
{
    if (im->row_ended) {
        im->line = number;
        if (is_blank(line, n))
            return;
    }
    im->row_ended = false;
    if (csv_parse(parser, line, n, on_field, on_row, im) != n) {
        mistake(im, "expected a quoted field to be followed by a comma, and a quote within it to be doubled",
                NULL);
        drop_fields(im);
        csv_free(parser);
        new_parser(parser);
        im->row_ended = true;
    }
}

/* Up to and with a line feed; what is larger than all of a file may be is not read on. */
static bool next_line(struct import *im, FILE *file, struct buf *line, size_t *left)
{
    int c = 0;

    buf_reset(line);
    while (c != '\n' && *left > 0 && (c = getc_unlocked(file)) != EOF) {
        buf_putc(line, (char)c);
        --*left;
    }
    im->too_large = *left == 0 && getc_unlocked(file) != EOF;
    return line->len > 0 && !im->too_large;
}

/* Line by line, so that each row is known by the line in which it begins (a quoted field may hold more), and
 * so that reading goes on behind a line that is wrong. */
static void read_lines(struct import *im, FILE *file, struct csv_parser *parser)
{
    struct buf line = buf_init(IMPORT_CSV_MAX);
    size_t number = 0, left = IMPORT_CSV_MAX;

    im->row_ended = true;
    while (next_line(im, file, &line, &left)) {
        const char *text = buf_str(&line);
        size_t at = number == 0 && line.len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

        for (size_t n; at < line.len; at += n) {
            n = line_length(text + at, line.len - at);
            read_line(im, parser, text + at, n, ++number);
        }
    }
    buf_free(&line);
    if (csv_fini(parser, on_field, on_row, im) != 0)
        mistake(im, "a quoted field that begins in this row does not end", NULL);
}

static void finish(struct import *im, FILE *file)
{
    if (ferror(file))
        buf_printf(im->mistakes, "%s: %s\n", im->path, strerror(errno));
    else if (im->too_large)
        buf_printf(im->mistakes, "%s: expected at most %d MiB\n", im->path, IMPORT_CSV_MAX >> 20);
    else if (!im->has_titles && im->mistake_count == 0)
        buf_printf(im->mistakes, "%s:1: expected a first line that names the columns, one of them 'name'\n",
                   im->path);
    else if (json_array_size(im->rows) == 0 && im->mistake_count == 0)
        buf_printf(im->mistakes, "%s:2: expected at least one row\n", im->path);
    else if (im->mistake_count > MISTAKES_SHOW)
        buf_printf(im->mistakes, "%s: and more mistakes\n", im->path);
}

json_t *import_csv_read(FILE *file, const char *path, const struct import_known *known, json_t **lines,
                        struct buf *mistakes)
{
    struct import im = {.path = path, .known = known, .mistakes = mistakes, .line = 1};
    size_t before = mistakes->len;
    struct csv_parser parser;

    im.rows = json_array();
    im.lines = json_array();
    im.seen = json_object();
    new_parser(&parser);
    read_lines(&im, file, &parser);
    csv_free(&parser);
    finish(&im, file);
    drop_fields(&im);
    for (size_t i = 0; i < im.title_count; i++)
        free(im.titles[i]);
    json_decref(im.seen);
    if (mistakes->len > before) {
        json_decref(im.rows);
        json_decref(im.lines);
        im.rows = im.lines = NULL;
    }
    *lines = im.lines;
    return im.rows;
}
