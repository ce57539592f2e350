#include "amtcli/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "base/text.h"
#include "base/xalloc.h"

#define COLUMNS_MAX  16
#define CELL_MAX     65536
#define CELL_ALIGNED 60

int output_format(const struct args *args, enum format *out)
{
    static const char *const names[] = {
        [FORMAT_TABLE] = "table", [FORMAT_JSON] = "json", [FORMAT_CSV] = "csv"};
    const char *value = args_value(args, "output");

    *out = FORMAT_TABLE;
    for (int i = 0; value && i < 3; i++) {
        if (strcmp(names[i], value) == 0) {
            *out = (enum format)i;
            return 0;
        }
    }
    if (!value)
        return 0;
    fprintf(stderr, "amtcli: -o takes table, json or csv, not '%s'\n", value);
    return -1;
}

void output_json(const json_t *json)
{
    json_dumpf(json, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6) | JSON_ENCODE_ANY);
    putchar('\n');
}

/* --- cells --- */

static void pairs_text(const json_t *object, struct buf *out)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)object, name, value)
    {
        if (out->len > 0)
            buf_puts(out, " ");
        buf_printf(out, "%s=%s", name, json_string_value(value) ? json_string_value(value) : "");
    }
}

static const json_t *look_up(const json_t *row, const char *field)
{
    const char *dot = strchr(field, '.');
    const json_t *value = json_object_get(row, field);
    char name[64];

    if (value || !dot || (size_t)(dot - field) >= sizeof(name))
        return value;
    memcpy(name, field, (size_t)(dot - field));
    name[dot - field] = '\0';
    value = json_object_get(row, name);
    return strcmp(dot + 1, "*") == 0 ? value : json_object_get(value, dot + 1);
}

void cell_text(const json_t *row, const char *field, struct buf *out)
{
    const json_t *value = look_up(row, field);

    if (json_is_string(value))
        text_printable(out, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value))
        buf_printf(out, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        buf_printf(out, "%.1f", json_real_value(value));
    else if (json_is_boolean(value))
        buf_puts(out, json_is_true(value) ? "yes" : "no");
    else if (json_is_object(value))
        pairs_text(value, out);
}

/* Columns a terminal needs for a text: one for each character, two for wide ones. */
static size_t width_of(const char *text)
{
    wchar_t wide[CELL_MAX];
    size_t n = mbstowcs(wide, text, CELL_MAX);
    int width = n != (size_t)-1 && n < CELL_MAX ? wcswidth(wide, n) : -1;

    return width >= 0 ? (size_t)width : strlen(text);
}

/* --- CSV (RFC 4180) --- */

static void csv_cell(const char *text)
{
    if (!text[strcspn(text, "\",\r\n")]) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"')
            putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void csv_rows(const json_t *rows, const struct column *columns)
{
    size_t i;
    json_t *row;

    for (const struct column *c = columns; c->title; c++) {
        fputs(c == columns ? "" : ",", stdout);
        csv_cell(c->field[strcspn(c->field, "*")] ? c->title : c->field);
    }
    fputs("\r\n", stdout);
    json_array_foreach((json_t *)rows, i, row)
    {
        for (const struct column *c = columns; c->title; c++) {
            struct buf cell = buf_init(CELL_MAX);

            cell_text(row, c->field, &cell);
            fputs(c == columns ? "" : ",", stdout);
            csv_cell(buf_str(&cell));
            buf_free(&cell);
        }
        fputs("\r\n", stdout);
    }
}

/* --- tables --- */

/* Nothing is padded for nothing: a line ends with its last cell that holds something. */
static void table_line(char *const *cells, const size_t *widths, size_t columns)
{
    while (columns > 0 && cells[columns - 1][0] == '\0')
        columns--;
    for (size_t c = 0; c < columns; c++) {
        size_t width = width_of(cells[c]);

        fputs(cells[c], stdout);
        for (; c + 1 < columns && width < widths[c] + 2; width++)
            putchar(' ');
    }
    putchar('\n');
}

static void table_rows(const json_t *rows, const struct column *columns)
{
    size_t count = json_array_size(rows) + 1, width = 0, widths[COLUMNS_MAX] = {0};
    char **cells;

    while (columns[width].title && width < COLUMNS_MAX)
        width++;
    cells = xcalloc(count * width, sizeof(char *));
    for (size_t r = 0; r < count; r++) {
        for (size_t c = 0; c < width; c++) {
            struct buf cell = buf_init(CELL_MAX - 1);
            size_t w;

            if (r == 0)
                buf_puts(&cell, columns[c].title);
            else
                cell_text(json_array_get(rows, r - 1), columns[c].field, &cell);
            cells[r * width + c] = buf_take(&cell);
            w = width_of(cells[r * width + c]);
            if (w > widths[c] && w <= CELL_ALIGNED) /* a very long cell does not push the others away */
                widths[c] = w;
        }
    }
    for (size_t r = 0; r < count; r++)
        table_line(&cells[r * width], widths, width);
    for (size_t i = 0; i < count * width; i++)
        free(cells[i]);
    free(cells);
}

void output_rows(enum format format, const json_t *rows, const struct column *columns)
{
    switch (format) {
    case FORMAT_JSON:
        output_json(rows);
        break;
    case FORMAT_CSV:
        csv_rows(rows, columns);
        break;
    case FORMAT_TABLE:
        if (json_array_size(rows) > 0)
            table_rows(rows, columns);
        break;
    }
}

void output_object(enum format format, const json_t *object, const struct column *fields)
{
    json_t *row;

    if (format != FORMAT_TABLE) {
        row = json_pack("[O]", object);
        if (format == FORMAT_JSON)
            output_json(object);
        else
            csv_rows(row, fields);
        json_decref(row);
        return;
    }
    for (; fields->title; fields++) {
        struct buf cell = buf_init(CELL_MAX);

        cell_text(object, fields->field, &cell);
        if (cell.len > 0)
            printf("%-16s %s\n", fields->title, buf_str(&cell));
        buf_free(&cell);
    }
}
