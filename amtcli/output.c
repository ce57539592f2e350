#include "amtcli/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtcli/cmd.h"
#include "amtcli/table.h"
#include "base/text.h"
#include "base/xalloc.h"

#define CELL_MAX (1 << 20)

const struct option_row options_output[] = {{"output", 'o', OPTION_CHOICE, "FORMAT",
                                             "how results are printed", .choices = "table json csv",
                                             .standard = "table"},
                                            {NULL}};

enum format output_format(const struct args *args)
{
    static const char *const names[] = {
        [FORMAT_TABLE] = "table", [FORMAT_JSON] = "json", [FORMAT_CSV] = "csv"};
    const char *value = args_value(args, "output");

    for (int i = 0; value && i < 3; i++)
        if (strcmp(names[i], value) == 0)
            return (enum format)i;
    return FORMAT_TABLE;
}

/* JSON comes in pieces of a few bytes, too many to hand each of them on. */
struct block {
    size_t n;
    char bytes[OUTPUT_BLOCK];
};

static int put_block(struct block *block)
{
    size_t n = block->n;

    block->n = 0;
    return fwrite(block->bytes, 1, n, stdout) == n ? 0 : -1;
}

static int put_piece(const char *p, size_t n, void *data)
{
    struct block *block = data;

    if (n > sizeof(block->bytes) - block->n && put_block(block) != 0)
        return -1;
    if (n > sizeof(block->bytes))
        return fwrite(p, 1, n, stdout) == n ? 0 : -1;
    memcpy(block->bytes + block->n, p, n);
    block->n += n;
    return 0;
}

size_t output_json_flags(void)
{
    return JSON_INDENT(2) | JSON_REAL_PRECISION(6) | JSON_ENCODE_ANY |
           (isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0);
}

size_t output_line_flags(void)
{
    return JSON_COMPACT | (isatty(STDOUT_FILENO) ? JSON_ENSURE_ASCII : 0);
}

void output_json(const json_t *json)
{
    struct block *block = xmalloc(sizeof(*block));

    block->n = 0;
    if (json_dump_callback(json, put_piece, block, output_json_flags()) == 0)
        put_block(block);
    free(block);
    putchar('\n');
}

/* --- cells --- */

/* How text gets out: for people it is made printable, for programs it stays what it is. */
typedef void put_text(struct buf *out, const void *p, size_t n);

static void value_text(const json_t *value, put_text *put, struct buf *out);

static void pairs_text(const json_t *object, put_text *put, struct buf *out)
{
    size_t before = out->len;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)object, name, value)
    {
        if (out->len > before)
            buf_puts(out, " ");
        put(out, name, strlen(name));
        buf_puts(out, "=");
        value_text(value, put, out);
    }
}

static void items_text(const json_t *array, put_text *put, struct buf *out)
{
    json_t *item;
    size_t i;

    json_array_foreach((json_t *)array, i, item)
    {
        if (i > 0)
            buf_puts(out, ",");
        value_text(item, put, out);
    }
}

static void value_text(const json_t *value, put_text *put, struct buf *out)
{
    if (json_is_string(value))
        put(out, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value))
        buf_printf(out, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        buf_printf(out, "%.1f", json_real_value(value));
    else if (json_is_boolean(value))
        buf_puts(out, json_is_true(value) ? "yes" : "no");
    else if (json_is_object(value))
        pairs_text(value, put, out);
    else if (json_is_array(value))
        items_text(value, put, out);
}

const json_t *cell_value(const json_t *row, const char *field)
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
    value_text(cell_value(row, field), text_printable, out);
}

/* --- CSV (RFC 4180) --- */

static void csv_cell(FILE *to, const char *text, bool first)
{
    if (!first)
        putc(',', to);
    if (!text[strcspn(text, "\",\r\n")]) {
        fputs(text, to);
        return;
    }
    putc('"', to);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', to);
        putc(*text, to);
    }
    putc('"', to);
}

struct csv_column {
    char *title;
    char *field;
};

struct csv_columns {
    struct csv_column *items;
    size_t count;
};

static void csv_add(struct csv_columns *all, char *title, char *field)
{
    all->items = xrealloc(all->items, (all->count + 1) * sizeof(*all->items));
    all->items[all->count++] = (struct csv_column){title, field};
}

/* "tags.*" becomes a column for each name that any row has: "tag.site", as host import reads it. */
static void csv_expand(struct csv_columns *all, const json_t *rows, const char *field)
{
    size_t n = strcspn(field, ".");
    char *object = xstrndup(field, n);
    char *one = xstrndup(field, field[n - 1] == 's' ? n - 1 : n);
    json_t *seen = json_object(), *row, *value;
    const char *name;
    size_t i;

    json_array_foreach((json_t *)rows, i, row)
    {
        json_object_foreach(json_object_get(row, object), name, value)
        {
            if (json_object_get(seen, name))
                continue;
            json_object_set_new(seen, name, json_true());
            csv_add(all, xasprintf("%s.%s", one, name), xasprintf("%s.%s", object, name));
        }
    }
    json_decref(seen);
    free(object);
    free(one);
}

static struct csv_columns csv_columns(const json_t *rows, const struct column *columns)
{
    struct csv_columns all = {0};

    for (; columns->title; columns++) {
        size_t n = strlen(columns->field);

        if (n > 2 && strcmp(columns->field + n - 2, ".*") == 0)
            csv_expand(&all, rows, columns->field);
        else
            csv_add(&all, xstrdup(columns->field), xstrdup(columns->field));
    }
    return all;
}

/* Bytes as they are, so that a program (and host import) reads what amtd has; a terminal is spared. */
void output_csv(FILE *to, const json_t *rows, const struct column *columns)
{
    put_text *put = isatty(fileno(to)) ? text_printable : buf_add;
    struct csv_columns all = csv_columns(rows, columns);
    size_t i;
    json_t *row;

    for (size_t c = 0; c < all.count; c++)
        csv_cell(to, all.items[c].title, c == 0);
    fputs("\r\n", to);
    json_array_foreach((json_t *)rows, i, row)
    {
        for (size_t c = 0; c < all.count; c++) {
            struct buf cell = buf_init(CELL_MAX);

            value_text(cell_value(row, all.items[c].field), put, &cell);
            csv_cell(to, buf_str(&cell), c == 0);
            buf_free(&cell);
        }
        fputs("\r\n", to);
    }
    for (size_t c = 0; c < all.count; c++) {
        free(all.items[c].title);
        free(all.items[c].field);
    }
    free(all.items);
}

void output_rows(enum format format, const json_t *rows, const struct column *columns)
{
    switch (format) {
    case FORMAT_JSON:
        output_json(rows);
        break;
    case FORMAT_CSV:
        output_csv(stdout, rows, columns);
        break;
    case FORMAT_TABLE:
        if (json_array_size(rows) == 0 && isatty(STDOUT_FILENO))
            fputs("nothing to show\n", stderr);
        table_print(rows, columns);
        break;
    }
}

void output_object(enum format format, const json_t *object, const struct column *fields)
{
    json_t *row = json_pack("[O]", object);

    switch (format) {
    case FORMAT_JSON:
        output_json(object);
        break;
    case FORMAT_CSV:
        output_csv(stdout, row, fields);
        break;
    case FORMAT_TABLE:
        table_print_object(object, fields);
        break;
    }
    json_decref(row);
}
