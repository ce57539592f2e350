#include "amtcli/result_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/output.h"
#include "base/hostlist.h"
#include "base/xalloc.h"

struct result_text {
    char *host;
    char *json;
    size_t n;
};

void result_rows_init(struct result_rows *r, bool as_json)
{
    *r = (struct result_rows){.rows = as_json ? NULL : json_array()};
}

static const char *text_of(const json_t *row, const char *field)
{
    const char *text = json_string_value(json_object_get(row, field));

    return text ? text : "";
}

/* --- texts --- */

static void keep_text(struct result_rows *r, const json_t *row, const char *json, size_t n)
{
    if (r->count == r->cap) {
        r->cap = r->cap > 0 ? 2 * r->cap : 64;
        r->texts = xreallocarray(r->texts, r->cap, sizeof(*r->texts));
    }
    r->texts[r->count] = (struct result_text){xstrdup(text_of(row, "host")), xstrndup(json, n), n};
}

void result_rows_print(const struct result_rows *r)
{
    struct output *output = output_begin(FORMAT_JSON, NULL);

    for (size_t i = 0; i < r->count; i++)
        output_row_text(output, r->texts[i].json, r->texts[i].n);
    output_end(output);
}

/* --- rows --- */

static bool has_drifted(const json_t *row)
{
    return strcmp(text_of(row, "state"), "drifted") == 0 ||
           (strcmp(text_of(row, "result"), "ok") == 0 &&
            strcmp(text_of(json_object_get(row, "detail"), "state"), "drifted") == 0);
}

static void count(struct result_rows *r, const json_t *row)
{
    const char *result = text_of(row, "result");

    r->count++;
    r->ok += strcmp(result, "ok") == 0;
    r->failed += strcmp(result, "failed") == 0;
    r->cancelled += strcmp(result, "failed") == 0 && strcmp(text_of(row, "cause"), "cancelled") == 0;
    r->drifted += has_drifted(row);
}

void result_rows_add(struct result_rows *r, const json_t *row)
{
    char *text;

    if (r->rows) {
        json_array_append(r->rows, (json_t *)row);
    } else {
        text = json_dumps(row, JSON_COMPACT | JSON_REAL_PRECISION(6));
        keep_text(r, row, text, strlen(text));
        free(text);
    }
    count(r, row);
}

void result_rows_add_text(struct result_rows *r, const char *json, size_t n)
{
    json_t *row = json_loadb(json, n, 0, NULL);

    if (r->rows)
        json_array_append(r->rows, row);
    else
        keep_text(r, row, json, n);
    count(r, row);
    json_decref(row);
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
    memset(r, 0, sizeof(*r));
}
