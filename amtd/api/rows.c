#include "amtd/api/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>

#include "base/clock.h"
#include "base/xalloc.h"

#define FIELDS_MAX 64

/* "facts.power": `power` of `facts`; "name": `name` itself, with nothing behind it. */
struct field {
    const char *text;
    size_t top; /* bytes before the first dot, or all */
};

struct rows {
    yajl_gen gen;
    struct buf text;
    int64_t count;
    struct field fields[FIELDS_MAX];
    size_t field_count;
    bool chosen;     /* what is wanted is what the fields say */
    unsigned depth;  /* of objects under way, the row being the first */
    const char *top; /* the row's member under way */
};

static void put(void *arg, const char *p, size_t n)
{
    buf_add(arg, p, n);
}

static void *take(void *arg, size_t n)
{
    (void)arg;
    return xmalloc(n);
}

static void *take_more(void *arg, void *p, size_t n)
{
    (void)arg;
    return xrealloc(p, n);
}

static void give(void *arg, void *p)
{
    (void)arg;
    free(p);
}

struct rows *rows_new(const json_t *fields)
{
    yajl_alloc_funcs memory = {take, take_more, give, NULL};
    struct rows *rows = xcalloc(1, sizeof(*rows));
    const json_t *field;
    size_t i;

    rows->text = buf_init(SIZE_MAX / 4); /* what is sent is ours */
    rows->gen = yajl_gen_alloc(&memory);
    yajl_gen_config(rows->gen, yajl_gen_print_callback, put, &rows->text);
    yajl_gen_config(rows->gen, yajl_gen_validate_utf8, 1);
    rows->chosen = fields && json_array_size(fields) <= FIELDS_MAX;
    json_array_foreach((json_t *)fields, i, field)
    {
        const char *text = json_string_value(field);

        if (rows->chosen && text)
            rows->fields[rows->field_count++] = (struct field){text, strcspn(text, ".")};
    }
    return rows;
}

void rows_free(struct rows *rows)
{
    if (!rows)
        return;
    yajl_gen_free(rows->gen);
    buf_free(&rows->text);
    free(rows);
}

/* --- what is wanted --- */

static bool is_top(const struct field *field, const char *name)
{
    return (strncmp(field->text, name, field->top) == 0 && name[field->top] == '\0') ||
           strcmp(field->text, name) == 0;
}

static bool is_below(const struct field *field, const char *top, const char *name)
{
    const char *rest = field->text + field->top;

    if (strncmp(field->text, top, field->top) != 0 || top[field->top])
        return false;
    return rest[0] == '\0' || strcmp(rest, ".*") == 0 || strcmp(rest + 1, name) == 0;
}

bool rows_want(const struct rows *rows, const char *name)
{
    if (!rows->chosen || !name || rows->depth > 2)
        return true;
    for (size_t i = 0; i < rows->field_count; i++)
        if (rows->depth == 2 ? is_below(&rows->fields[i], rows->top, name) : is_top(&rows->fields[i], name))
            return true;
    return false;
}

/* --- the row --- */

void rows_begin(struct rows *rows)
{
    buf_puts(&rows->text, "{\"row\":");
    yajl_gen_map_open(rows->gen);
    rows->depth = 1;
}

static void end_line(struct rows *rows)
{
    buf_puts(&rows->text, "}\n");
    rows->count++;
}

void rows_end(struct rows *rows)
{
    yajl_gen_map_close(rows->gen);
    yajl_gen_reset(rows->gen, NULL);
    end_line(rows);
}

/* Whether the member is to be written; its name is, then. */
static bool begin(struct rows *rows, const char *name)
{
    if (!rows_want(rows, name))
        return false;
    return !name ||
           yajl_gen_string(rows->gen, (const unsigned char *)name, strlen(name)) == yajl_gen_status_ok;
}

bool rows_object(struct rows *rows, const char *name)
{
    if (!begin(rows, name))
        return false;
    yajl_gen_map_open(rows->gen);
    if (rows->depth++ == 1 && name)
        rows->top = name;
    return true;
}

void rows_object_end(struct rows *rows)
{
    yajl_gen_map_close(rows->gen);
    rows->depth--;
}

bool rows_list(struct rows *rows, const char *name)
{
    if (!begin(rows, name))
        return false;
    yajl_gen_array_open(rows->gen);
    if (rows->depth == 1)
        rows->top = name;
    return true;
}

void rows_list_end(struct rows *rows)
{
    yajl_gen_array_close(rows->gen);
}

/* --- values --- */

/* What is no UTF-8, no JSON can say. */
void rows_text(struct rows *rows, const char *name, const char *text)
{
    if (begin(rows, name) && (!text || yajl_gen_string(rows->gen, (const unsigned char *)text,
                                                       strlen(text)) != yajl_gen_status_ok))
        yajl_gen_null(rows->gen);
}

void rows_text_if(struct rows *rows, const char *name, const char *text)
{
    if (text)
        rows_text(rows, name, text);
}

void rows_integer(struct rows *rows, const char *name, int64_t value)
{
    if (begin(rows, name))
        yajl_gen_integer(rows->gen, value);
}

void rows_boolean(struct rows *rows, const char *name, bool value)
{
    if (begin(rows, name))
        yajl_gen_bool(rows->gen, value);
}

/* yajl writes a number as it is given: so it takes any value that is JSON already. */
static void put_written(struct rows *rows, const char *json, size_t n)
{
    yajl_gen_number(rows->gen, json, n);
}

/* Each result has one: without printf. */
void rows_seconds(struct rows *rows, const char *name, int64_t ms)
{
    uint64_t left = ms > 0 ? (uint64_t)ms : 0;
    char text[24], *p = text + sizeof(text);

    if (!begin(rows, name))
        return;
    for (int digits = 0; digits < 4 || left > 0; digits++, left /= 10) {
        if (digits == 3)
            *--p = '.';
        *--p = (char)('0' + left % 10);
    }
    put_written(rows, p, (size_t)(text + sizeof(text) - p));
}

void rows_time(struct rows *rows, const char *name, int64_t wall_ms)
{
    char text[CLOCK_TEXT_MAX];

    rows_text(rows, name, wall_ms > 0 ? clock_text(wall_ms, text) : NULL);
}

void rows_json(struct rows *rows, const char *name, const json_t *value)
{
    char *text = value && rows_want(rows, name) ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    if (text && begin(rows, name))
        put_written(rows, text, strlen(text));
    free(text);
}

/* A line break stands between values only, where a blank is as good. */
static void blank_breaks(struct rows *rows, size_t from)
{
    uint8_t *p = rows->text.p + from, *end = rows->text.p + rows->text.len;

    while ((p = memchr(p, '\n', (size_t)(end - p))))
        *p++ = ' ';
}

/* Written by half it would take the row with it. */
static bool is_closed(const char *json, size_t n)
{
    return n >= 2 && ((json[0] == '{' && json[n - 1] == '}') || (json[0] == '[' && json[n - 1] == ']'));
}

void rows_written(struct rows *rows, const char *name, const char *json)
{
    size_t n = json ? strlen(json) : 0, from;

    if (!is_closed(json, n) || !begin(rows, name))
        return;
    from = rows->text.len;
    put_written(rows, json, n);
    blank_breaks(rows, from);
}

void rows_written_row(struct rows *rows, const char *json)
{
    size_t from = rows->text.len;

    buf_puts(&rows->text, "{\"row\":");
    buf_puts(&rows->text, json);
    blank_breaks(rows, from);
    end_line(rows);
}

/* --- giving --- */

size_t rows_size(const struct rows *rows)
{
    return rows->text.len;
}

int64_t rows_count(const struct rows *rows)
{
    return rows->count;
}

void rows_take(struct rows *rows, struct buf *lines)
{
    struct buf kept = *lines;

    *lines = rows->text;
    rows->text = kept;
    buf_reset(&rows->text);
}
