#include "amtcli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/forms.h"
#include "amtcli/wrap.h"
#include "base/xalloc.h"

#define COLUMNS_MAX  32
#define CELL_MAX     (1 << 20)
#define CELL_ALIGNED 60 /* on no terminal: a longer cell does not push the others away */
#define WORD_MOST    24 /* words up to this stay whole as long as there is room */
#define PART_MOST    12 /* and parts of words up to this */
#define BROKEN_LEAST 6  /* narrower than this no column becomes */
#define GAP          2
#define TITLE_LEAST  16 /* of an object's fields */

struct table {
    const struct column *of;
    size_t room;                /* for so many rows */
    size_t rows;                /* the first one is the titles */
    size_t columns;             /* those shown */
    size_t fields[COLUMNS_MAX]; /* which of a row's cells each shows */
    size_t widths[COLUMNS_MAX];
    char **cells;
    size_t cells_in_row;
    bool wraps;
};

static void put_cell(const json_t *row, const struct column *column, struct buf *text)
{
    const json_t *value = cell_value(row, column->field);

    if (column->form && value)
        column->form(value, text);
    else if (json_is_string(value))
        form_moment(value, text); /* uniform in all tables; other strings stay what they are */
    else
        cell_put(value, true, text);
}

static const char *cell_at(const struct table *t, size_t row, size_t column)
{
    return t->cells[row * t->cells_in_row + t->fields[column]];
}

/* Room for one row more, which is then there. */
static char **new_row(struct table *t)
{
    if (t->rows == t->room) {
        t->room = t->room > 0 ? 2 * t->room : 64;
        t->cells = xreallocarray(t->cells, t->room, t->cells_in_row * sizeof(*t->cells));
    }
    return &t->cells[t->rows++ * t->cells_in_row];
}

struct table *table_new(const struct column *columns)
{
    struct table *t = xcalloc(1, sizeof(*t));
    char **titles;

    t->of = columns;
    for (size_t c = 0; c < COLUMNS_MAX && columns[c].title; c++)
        t->fields[t->columns++] = c;
    t->cells_in_row = t->columns;
    titles = new_row(t);
    for (size_t c = 0; c < t->columns; c++)
        titles[c] = xstrdup(columns[c].title);
    return t;
}

void table_add(struct table *t, const json_t *row)
{
    char **cells = new_row(t);

    for (size_t c = 0; c < t->columns; c++) {
        struct buf text = buf_init(CELL_MAX);

        put_cell(row, &t->of[c], &text);
        cells[c] = buf_take(&text);
    }
}

void table_free(struct table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->rows * t->cells_in_row; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t);
}

/* --- widths --- */

static size_t sum(const size_t *widths, size_t count)
{
    size_t all = 0;

    for (size_t i = 0; i < count; i++)
        all += widths[i];
    return all;
}

void table_fit(size_t *widths, const size_t *least, size_t count, size_t room)
{
    for (size_t too_much = sum(widths, count); too_much > room; too_much--) {
        size_t widest = count;

        for (size_t c = 0; c < count; c++)
            if (widths[c] > least[c] && (widest == count || widths[c] > widths[widest]))
                widest = c;
        if (widest == count)
            return;
        widths[widest]--;
    }
}

static bool is_empty(const struct table *t, size_t column)
{
    for (size_t r = 1; r < t->rows; r++)
        if (cell_at(t, r, column)[0])
            return false;
    return true;
}

/* What no row has takes no room where there is little. */
static void drop_empty(struct table *t)
{
    size_t kept = 0;

    for (size_t c = 0; c < t->columns; c++) {
        if (is_empty(t, c))
            continue;
        t->fields[kept] = t->fields[c];
        t->widths[kept++] = t->widths[c];
    }
    t->columns = kept;
}

/* The columns that are left for cells. */
static size_t room_in(const struct table *t, size_t terminal)
{
    size_t gaps = t->columns > 0 ? (t->columns - 1) * GAP : 0;

    return terminal > gaps ? terminal - gaps : 0;
}

/* The widest of what stands in a column, as far as it is at most `limit`. */
static size_t widest(const struct table *t, size_t column, size_t (*width_of)(const char *text), size_t limit)
{
    size_t most = BROKEN_LEAST;

    for (size_t r = 0; r < t->rows; r++) {
        size_t width = width_of(cell_at(t, r, column));

        most = width > most && width <= limit ? width : most;
    }
    return most;
}

/* Words stay whole if that is possible, then their parts. */
static void fit_terminal(struct table *t, size_t terminal)
{
    size_t words[COLUMNS_MAX] = {0}, parts[COLUMNS_MAX] = {0}, least[COLUMNS_MAX] = {0};

    if (sum(t->widths, t->columns) > room_in(t, terminal))
        drop_empty(t);
    for (size_t c = 0; c < t->columns; c++) {
        words[c] = widest(t, c, wrap_word, WORD_MOST);
        parts[c] = widest(t, c, wrap_part, PART_MOST);
        least[c] = BROKEN_LEAST;
    }
    table_fit(t->widths, words, t->columns, room_in(t, terminal));
    table_fit(t->widths, parts, t->columns, room_in(t, terminal));
    table_fit(t->widths, least, t->columns, room_in(t, terminal));
}

static void measure(struct table *t)
{
    size_t terminal = wrap_columns(stdout, WRAP_ANY), most = terminal == WRAP_ANY ? CELL_ALIGNED : WRAP_ANY;

    for (size_t r = 0; r < t->rows; r++) {
        for (size_t c = 0; c < t->columns; c++) {
            size_t width = text_width(cell_at(t, r, c));

            if (width > t->widths[c] && width <= most)
                t->widths[c] = width;
        }
    }
    t->wraps = terminal != WRAP_ANY;
    if (t->wraps)
        fit_terminal(t, terminal);
}

/* --- lines --- */

static void put_blanks(size_t n)
{
    while (n-- > 0)
        putchar(' ');
}

/* One line of a row: what is next of each cell; rest is what comes behind it. Nothing is padded for nothing:
 * a line ends with its last cell that holds something. False: nothing is left. */
static bool put_line(const struct table *t, const char **rest)
{
    size_t columns = t->columns, blanks = 0;
    bool more = false;

    while (columns > 0 && rest[columns - 1][0] == '\0')
        columns--;
    for (size_t c = 0; c < columns; c++) {
        size_t skip = 0, n = t->wraps ? wrap_next(rest[c], t->widths[c], &skip) : strlen(rest[c]), width;
        char *part = rest[c][n] ? xstrndup(rest[c], n) : NULL;
        const char *text = part ? part : rest[c];

        put_blanks(blanks);
        fputs(text, stdout);
        width = text_width(text);
        blanks = GAP + (width < t->widths[c] ? t->widths[c] - width : 0);
        rest[c] += n + skip;
        more |= rest[c][0] != '\0';
        free(part);
    }
    putchar('\n');
    return more;
}

static void put_row(const struct table *t, size_t row)
{
    const char *rest[COLUMNS_MAX];

    for (size_t c = 0; c < t->columns; c++)
        rest[c] = cell_at(t, row, c);
    while (put_line(t, rest))
        ;
}

void table_end(struct table *t)
{
    if (t->rows < 2)
        return;
    measure(t);
    for (size_t r = 0; r < t->rows; r++)
        put_row(t, r);
}

void table_print_object(const json_t *object, const struct column *fields)
{
    size_t width = TITLE_LEAST, columns = wrap_columns(stdout, WRAP_ANY);

    for (const struct column *f = fields; f->title; f++)
        width = strlen(f->title) + 1 > width ? strlen(f->title) + 1 : width;
    for (; fields->title; fields++) {
        struct buf text = buf_init(CELL_MAX);

        put_cell(object, fields, &text);
        if (text.len > 0) {
            printf("%-*s ", (int)width, fields->title);
            wrap_print(stdout, buf_str(&text), width + 1, columns);
        }
        buf_free(&text);
    }
}
