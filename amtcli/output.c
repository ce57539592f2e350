#include "amtcli/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtcli/cmd.h"
#include "amtcli/csv_rows.h"
#include "amtcli/table.h"
#include "base/text.h"
#include "base/xalloc.h"

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

void cell_put(const json_t *value, bool printable, struct buf *out)
{
    value_text(value, printable ? text_printable : buf_add, out);
}

void cell_text(const json_t *row, const char *field, struct buf *out)
{
    cell_put(cell_value(row, field), true, out);
}

/* --- rows on their way out --- */

void output_csv(FILE *to, const json_t *rows, const struct column *columns)
{
    struct csv_rows *csv = csv_rows_new(to, columns);
    const json_t *row;
    size_t i;

    json_array_foreach((json_t *)rows, i, row) csv_rows_add(csv, row);
    csv_rows_end(csv);
    csv_rows_free(csv);
}

struct output {
    enum format format;
    bool tty;   /* stdout */
    bool begun; /* of JSON */
    struct table *table;
    struct csv_rows *csv;
};

struct output *output_begin(enum format format, const struct column *columns)
{
    struct output *o = xcalloc(1, sizeof(*o));

    o->format = format;
    o->tty = isatty(STDOUT_FILENO);
    if (format == FORMAT_CSV)
        o->csv = csv_rows_new(stdout, columns);
    else if (format == FORMAT_TABLE)
        o->table = table_new(columns);
    return o;
}

static void json_text(struct output *o, const char *json, size_t n)
{
    fputs(o->begun ? ",\n" : "[\n", stdout);
    fwrite(json, 1, n, stdout);
    o->begun = true;
}

void output_row(struct output *o, const json_t *row)
{
    char *text;

    switch (o->format) {
    case FORMAT_JSON:
        text = json_dumps(row, output_line_flags() | JSON_REAL_PRECISION(6) | JSON_ENCODE_ANY);
        json_text(o, text, strlen(text));
        free(text);
        break;
    case FORMAT_CSV:
        csv_rows_add(o->csv, row);
        break;
    case FORMAT_TABLE:
        table_add(o->table, row);
        break;
    }
}

/* To a program it goes as it is. */
void output_row_text(struct output *o, const char *json, size_t n)
{
    json_t *row;

    if (o->format == FORMAT_JSON && !o->tty) {
        json_text(o, json, n);
        return;
    }
    row = json_loadb(json, n, JSON_DECODE_ANY, NULL);
    output_row(o, row);
    json_decref(row);
}

static void output_free(struct output *o)
{
    table_free(o->table);
    csv_rows_free(o->csv);
    free(o);
}

void output_end(struct output *o)
{
    switch (o->format) {
    case FORMAT_JSON:
        puts(o->begun ? "\n]" : "[]");
        break;
    case FORMAT_CSV:
        csv_rows_end(o->csv);
        break;
    case FORMAT_TABLE:
        table_end(o->table);
        break;
    }
    output_free(o);
}

void output_break(struct output *o)
{
    if (o->begun)
        putchar('\n');
    output_free(o);
}

void output_none(enum format format, size_t count, const char *none)
{
    if (format == FORMAT_TABLE && count == 0 && (none || isatty(STDOUT_FILENO)))
        fputs(none ? none : "nothing to show\n", stderr);
}

void output_rows(enum format format, const json_t *rows, const struct column *columns)
{
    struct output *o = output_begin(format, columns);
    const json_t *row;
    size_t i;

    json_array_foreach((json_t *)rows, i, row) output_row(o, row);
    output_none(format, json_array_size(rows), NULL);
    output_end(o);
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
