#include "amtcli/result_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/output.h"
#include "base/hostlist.h"
#include "base/xalloc.h"

#define LINE_FIRST 4096 /* bytes of most rows as JSON */

struct result_text {
    char *host;
    char *json;
    size_t n;
};

void result_rows_init(struct result_rows *r, bool as_json)
{
    *r = (struct result_rows){.rows = as_json ? NULL : json_array(), .line = buf_init(SIZE_MAX / 4)};
}

static const char *text_of(const json_t *row, const char *field)
{
    const char *text = json_string_value(json_object_get(row, field));

    return text ? text : "";
}

/* --- texts --- */

static void dump(const json_t *row, struct buf *out)
{
    size_t flags = output_json_flags(), room = out->cap > LINE_FIRST ? out->cap - 1 : LINE_FIRST, n;

    buf_reset(out);
    while ((n = json_dumpb(row, (char *)buf_room(out, room), room, flags)) > room)
        room = n;
    buf_added(out, n);
}

/* As an element of an array stands: each line a step further in. JSON has line breaks only between values. */
static void indent(const char *text, struct buf *out)
{
    const char *end;

    buf_puts(out, "  ");
    for (; (end = strchr(text, '\n')); text = end + 1) {
        buf_add(out, text, (size_t)(end + 1 - text));
        buf_puts(out, "  ");
    }
    buf_puts(out, text);
}

static void add_text(struct result_rows *r, const json_t *row)
{
    struct buf json = buf_init(SIZE_MAX / 4);

    if (r->count == r->cap) {
        r->cap = r->cap > 0 ? 2 * r->cap : 64;
        r->texts = xreallocarray(r->texts, r->cap, sizeof(*r->texts));
    }
    dump(row, &r->line);
    (void)buf_room(&json, 2 * r->line.len);
    indent(buf_str(&r->line), &json);
    r->texts[r->count].host = xstrdup(text_of(row, "host"));
    r->texts[r->count].n = json.len;
    r->texts[r->count].json = xrealloc(buf_take(&json), r->texts[r->count].n + 1);
}

void result_rows_print(const struct result_rows *r)
{
    putchar('[');
    for (size_t i = 0; i < r->count; i++) {
        fputs(i > 0 ? ",\n" : "\n", stdout);
        fwrite(r->texts[i].json, 1, r->texts[i].n, stdout);
    }
    puts(r->count > 0 ? "\n]" : "]");
}

/* --- rows --- */

static bool has_drifted(const json_t *row)
{
    return strcmp(text_of(row, "state"), "drifted") == 0 ||
           (strcmp(text_of(row, "result"), "ok") == 0 &&
            strcmp(text_of(json_object_get(row, "detail"), "state"), "drifted") == 0);
}

void result_rows_add(struct result_rows *r, const json_t *row)
{
    const char *result = text_of(row, "result");

    if (r->rows)
        json_array_append(r->rows, (json_t *)row);
    else
        add_text(r, row);
    r->count++;
    r->ok += strcmp(result, "ok") == 0;
    r->failed += strcmp(result, "failed") == 0;
    r->drifted += has_drifted(row);
}

/* --- order --- */

struct named { /* a row */
    const char *host;
    json_t *row;
};

static int by_host(const void *a, const void *b)
{
    const struct named *x = a, *y = b;

    return hostlist_compare_names(x->host, y->host);
}

static int by_host_of_text(const void *a, const void *b)
{
    const struct result_text *x = a, *y = b;

    return hostlist_compare_names(x->host, y->host);
}

static void sort_rows(struct result_rows *r)
{
    struct named *items = xcalloc(r->count + 1, sizeof(*items));
    json_t *out = json_array(), *row;
    size_t at;

    json_array_foreach(r->rows, at, row) items[at] = (struct named){text_of(row, "host"), row};
    qsort(items, r->count, sizeof(*items), by_host);
    for (size_t i = 0; i < r->count; i++)
        json_array_append(out, items[i].row);
    free(items);
    json_decref(r->rows);
    r->rows = out;
}

void result_rows_sort(struct result_rows *r)
{
    if (r->rows)
        sort_rows(r);
    else if (r->count > 0)
        qsort(r->texts, r->count, sizeof(*r->texts), by_host_of_text);
}

void result_rows_clear(struct result_rows *r)
{
    for (size_t i = 0; r->texts && i < r->count; i++) {
        free(r->texts[i].host);
        free(r->texts[i].json);
    }
    free(r->texts);
    json_decref(r->rows);
    buf_free(&r->line);
    memset(r, 0, sizeof(*r));
}
