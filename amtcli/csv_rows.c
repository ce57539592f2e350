#include "amtcli/csv_rows.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"

#define CELL_MAX   (1 << 20)
#define END_OF_ROW UINT32_MAX /* instead of a group */

/* One column as it was asked for, and those that became of it. */
struct group {
    const char *field; /* NULL: the pairs of `object` */
    char *object;
    json_t *places; /* name: which of the group's columns; those of pairs */
    size_t count;
};

/* A cell that is kept: this, and the text behind it. Those of a row end with END_OF_ROW. */
struct kept {
    uint32_t group, place, size;
};

struct csv_rows {
    FILE *to;
    bool printable;
    struct group *groups;
    size_t count;
    bool keeps;
    bool begun;
    struct buf cell;
    struct buf kept;
};

/* --- printing --- */

static void put_cell(FILE *to, const char *text, bool first)
{
    size_t n = strcspn(text, "\",\r\n");

    if (!first)
        putc(',', to);
    if (!text[n]) {
        fwrite(text, 1, n, to);
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

static void end_line(FILE *to)
{
    fputs("\r\n", to);
}

/* "tags" -> "tag.site" */
static void put_titles(struct csv_rows *csv)
{
    bool first = true;

    for (size_t g = 0; g < csv->count; g++) {
        const struct group *group = &csv->groups[g];
        size_t n = group->field ? 0 : strlen(group->object);
        const char *name;
        json_t *place;

        if (group->field) {
            put_cell(csv->to, group->field, first);
            first = false;
        }
        json_object_foreach(group->places, name, place)
        {
            char *title =
                xasprintf("%.*s.%s", (int)(group->object[n - 1] == 's' ? n - 1 : n), group->object, name);

            put_cell(csv->to, title, first);
            first = false;
            free(title);
        }
    }
    end_line(csv->to);
    csv->begun = true;
}

/* What stands in a cell; borrowed, until the next one. */
static const char *text_of(struct csv_rows *csv, const json_t *value)
{
    if (!csv->printable && json_is_string(value))
        return json_string_value(value);
    buf_reset(&csv->cell);
    cell_put(value, csv->printable, &csv->cell);
    return buf_str(&csv->cell);
}

/* --- keeping --- */

static void keep(struct csv_rows *csv, size_t group, size_t place, const char *text)
{
    const struct kept kept = {(uint32_t)group, (uint32_t)place, (uint32_t)strlen(text) + 1};

    buf_add(&csv->kept, &kept, sizeof(kept));
    buf_add(&csv->kept, text, kept.size);
}

static size_t place_of(struct group *group, const char *name)
{
    const json_t *place = json_object_get(group->places, name);

    if (place)
        return (size_t)json_integer_value(place);
    json_object_set_new(group->places, name, json_integer((json_int_t)group->count));
    return group->count++;
}

static void keep_row(struct csv_rows *csv, const json_t *row)
{
    for (size_t g = 0; g < csv->count; g++) {
        struct group *group = &csv->groups[g];
        const char *name;
        json_t *value;

        if (group->field)
            keep(csv, g, 0, text_of(csv, cell_value(row, group->field)));
        json_object_foreach(group->object ? json_object_get(row, group->object) : NULL, name, value)
            keep(csv, g, place_of(group, name), text_of(csv, value));
    }
    keep(csv, END_OF_ROW, 0, "");
}

/* The row that is kept there; returns where the next one is. */
static size_t put_kept(struct csv_rows *csv, size_t at, const size_t *starts, const char **cells,
                       size_t columns)
{
    struct kept kept;

    memset(cells, 0, columns * sizeof(*cells));
    for (;;) {
        memcpy(&kept, csv->kept.p + at, sizeof(kept));
        at += sizeof(kept);
        if (kept.group == END_OF_ROW)
            break;
        cells[starts[kept.group] + kept.place] = (const char *)csv->kept.p + at;
        at += kept.size;
    }
    for (size_t c = 0; c < columns; c++)
        put_cell(csv->to, cells[c] ? cells[c] : "", c == 0);
    end_line(csv->to);
    return at + kept.size;
}

static void put_all(struct csv_rows *csv)
{
    size_t *starts = xcalloc(csv->count + 1, sizeof(*starts)), columns = 0;
    const char **cells;

    for (size_t g = 0; g < csv->count; g++) {
        starts[g] = columns;
        columns += csv->groups[g].count;
    }
    cells = xcalloc(columns + 1, sizeof(*cells));
    for (size_t at = 0; at < csv->kept.len;)
        at = put_kept(csv, at, starts, cells, columns);
    free(cells);
    free(starts);
}

/* --- rows --- */

static bool is_all_pairs(const char *field)
{
    size_t n = strlen(field);

    return n > 2 && strcmp(field + n - 2, ".*") == 0;
}

struct csv_rows *csv_rows_new(FILE *to, const struct column *columns)
{
    struct csv_rows *csv = xcalloc(1, sizeof(*csv));

    csv->to = to;
    csv->printable = isatty(fileno(to));
    csv->cell = buf_init(CELL_MAX);
    csv->kept = buf_init(SIZE_MAX / 4);
    for (; columns->title; columns++) {
        struct group *group;

        csv->groups = xreallocarray(csv->groups, csv->count + 1, sizeof(*csv->groups));
        group = &csv->groups[csv->count++];
        *group = (struct group){NULL};
        if (is_all_pairs(columns->field)) {
            group->object = xstrndup(columns->field, strlen(columns->field) - 2);
            group->places = json_object();
            csv->keeps = true;
        } else {
            group->field = columns->field;
            group->count = 1;
        }
    }
    return csv;
}

void csv_rows_add(struct csv_rows *csv, const json_t *row)
{
    if (csv->keeps) {
        keep_row(csv, row);
        return;
    }
    if (!csv->begun)
        put_titles(csv);
    for (size_t g = 0; g < csv->count; g++)
        put_cell(csv->to, text_of(csv, cell_value(row, csv->groups[g].field)), g == 0);
    end_line(csv->to);
}

void csv_rows_end(struct csv_rows *csv)
{
    if (!csv->begun)
        put_titles(csv);
    if (csv->keeps)
        put_all(csv);
}

void csv_rows_free(struct csv_rows *csv)
{
    if (!csv)
        return;
    for (size_t g = 0; g < csv->count; g++) {
        free(csv->groups[g].object);
        json_decref(csv->groups[g].places);
    }
    free(csv->groups);
    buf_free(&csv->cell);
    buf_free(&csv->kept);
    free(csv);
}
