/* CSV and TSV with a line of titles, by their meaning. */
#include <csv.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"
#include "filters/import_row.h"

#define COLUMNS_MAX 64

struct table {
    struct import *import;
    int columns[COLUMNS_MAX]; /* field of each, -1 not understood */
    size_t column_count;
    size_t column; /* of the cell that comes next */
    bool has_titles;
    bool has_end;
    int line; /* where the present row begins */
    struct import_row row;
    bool too_wide;
};

static void take_title(struct table *table, const char *title)
{
    int field = import_field_of(title);

    if (table->column >= COLUMNS_MAX)
        return;
    table->columns[table->column_count++] = field;
    table->has_end |= field >= 0 && import_field_is_end(field);
    if (field < 0)
        import_warn(table->import, table->line, "column '%s' is not understood: left out", title);
}

static void on_cell(void *p, size_t n, void *arg)
{
    struct table *table = arg;
    char *text = xstrndup(p ? p : "", n);

    if (!table->has_titles)
        take_title(table, text);
    else if (table->column >= table->column_count)
        table->too_wide = true;
    else if (table->columns[table->column] >= 0)
        import_row_set(&table->row, (enum import_field)table->columns[table->column], text);
    table->column++;
    free(text);
}

static bool row_is_empty(const struct import_row *row)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (row->values[i])
            return false;
    return true;
}

static void on_row(int end, void *arg)
{
    struct table *table = arg;

    (void)end;
    if (!table->has_titles) {
        table->has_titles = true;
    } else {
        table->row.line = table->line;
        if (table->too_wide)
            import_warn(table->import, table->line, "more cells than titles: the rest is left out");
        if (!row_is_empty(&table->row))
            import_row_add(table->import, &table->row);
    }
    import_row_clear(&table->row);
    table->column = 0;
    table->too_wide = false;
    table->line = 0;
}

/* What parts the titles. */
static unsigned char delimiter(const char *text, size_t n)
{
    size_t line = 0;

    while (line < n && text[line] != '\n')
        line++;
    return memchr(text, '\t', line) ? '\t' : memchr(text, ';', line) ? ';' : ',';
}

/* Line by line, so that every row knows where it begins. */
static int feed(struct csv_parser *parser, struct table *table, const char *text, size_t n)
{
    int line = 0;

    while (n > 0) {
        const char *end = memchr(text, '\n', n);
        size_t length = end ? (size_t)(end - text) + 1 : n;

        line++;
        if (table->line == 0)
            table->line = line;
        if (csv_parse(parser, text, length, on_cell, on_row, table) != length)
            return -1;
        if (table->line == line && (text[0] == '\n' || (length == 2 && text[0] == '\r')))
            table->line = 0; /* an empty line is no row */
        text += length;
        n -= length;
    }
    return csv_fini(parser, on_cell, on_row, table);
}

int import_csv(struct import *import, const void *text, size_t n)
{
    struct table table = {.import = import};
    struct csv_parser parser;
    const char *start = text;
    int rc;

    if (n >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0) {
        start += 3;
        n -= 3;
    }
    if (!text_is_utf8(start, n)) {
        findings_add(import->findings, FINDING_ERROR, (struct place){import->file->path, 0}, NULL,
                     "expected text in UTF-8");
        return -1;
    }
    csv_init(&parser, CSV_APPEND_NULL);
    csv_set_delim(&parser, delimiter(start, n));
    rc = feed(&parser, &table, start, n);
    csv_free(&parser);
    import_row_clear(&table.row);
    if (rc != 0)
        findings_add(import->findings, FINDING_ERROR, (struct place){import->file->path, table.line}, NULL,
                     "not CSV");
    else if (!table.has_end)
        findings_add(import->findings, FINDING_ERROR, (struct place){import->file->path, 1}, NULL,
                     "expected a first line of titles, with at least one for addresses or ports");
    return rc == 0 && table.has_end ? 0 : -1;
}
