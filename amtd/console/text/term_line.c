#include "amtd/console/text/term_line.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/xalloc.h"

#define TAB_STOP 8

struct term_line {
    struct term_line_events events;
    struct ansi ansi;
    struct ansi_style style;
    size_t column; /* of the cursor; at most TERM_LINE_MAX */
    size_t count;
    int64_t tag, line_tag;
    bool begun; /* the line has a tag */
    struct utf8 utf8;
    struct term_cell cells[TERM_LINE_MAX];
};

struct term_line *term_line_new(const struct term_line_events *events)
{
    struct term_line *line = xcalloc(1, sizeof(*line));

    line->events = *events;
    ansi_init(&line->ansi);
    return line;
}

void term_line_free(struct term_line *line)
{
    free(line);
}

/* --- the line --- */

static void begin(struct term_line *line)
{
    if (!line->begun)
        line->line_tag = line->tag;
    line->begun = true;
}

static void give(struct term_line *line, bool whole)
{
    begin(line);
    line->events.line(line->events.arg, line->line_tag, line->cells, line->count, whole);
    line->count = 0;
    line->column = 0;
    line->begun = false;
}

static const struct term_cell blank = {.n = 1, .bytes = {' '}};

static void fill_to(struct term_line *line, size_t column)
{
    while (line->count < column)
        line->cells[line->count++] = blank;
}

static void move_to(struct term_line *line, size_t column)
{
    line->column = column < TERM_LINE_MAX ? column : TERM_LINE_MAX - 1;
}

static void put(struct term_line *line, const void *bytes, size_t n)
{
    struct term_cell *cell;

    if (line->column == TERM_LINE_MAX)
        give(line, false);
    begin(line);
    fill_to(line, line->column);
    cell = &line->cells[line->column];
    *cell = (struct term_cell){.n = (uint8_t)n, .style = line->style};
    memcpy(cell->bytes, bytes, n);
    line->column++;
    if (line->count < line->column)
        line->count = line->column;
}

/* The cursor goes to another line of the screen: what is on this one has been seen. */
static void leave(struct term_line *line)
{
    if (line->count > 0)
        give(line, true);
}

/* --- characters --- */

static void on_character(void *arg, const uint8_t *bytes, size_t n)
{
    put(arg, bytes, n);
}

static void on_text(void *arg, const uint8_t *p, size_t n)
{
    struct term_line *line = arg;

    utf8_feed(&line->utf8, p, n, on_character, line);
}

static void end_text(struct term_line *line)
{
    utf8_end(&line->utf8, on_character, line);
}

/* --- controls --- */

static void on_control(void *arg, uint8_t c)
{
    struct term_line *line = arg;

    end_text(line);
    if (c == '\n' || c == '\v' || c == '\f')
        give(line, true);
    else if (c == '\r')
        line->column = 0;
    else if (c == '\b' && line->column > 0)
        line->column--;
    else if (c == '\t')
        move_to(line, (line->column / TAB_STOP + 1) * TAB_STOP);
}

/* --- functions (ECMA-48 chapter 8.3) --- */

struct call {
    struct term_line *line;
    const struct ansi_param *params;
    size_t count;
};

static size_t param(const struct call *call, size_t i, size_t otherwise)
{
    size_t value = i < call->count ? call->params[i].value : 0;

    return value > 0 ? value : otherwise;
}

static void erase_in_line(const struct call *call)
{
    struct term_line *line = call->line;
    size_t how = param(call, 0, 0);
    size_t to = how == 1 ? line->column + 1 : line->count;

    if (how != 1) { /* to the end, or all of it */
        line->count = how == 2 ? 0 : line->count < line->column ? line->count : line->column;
        return;
    }
    for (size_t i = 0; i < to && i < line->count; i++)
        line->cells[i] = blank;
}

static void erase_characters(const struct call *call)
{
    struct term_line *line = call->line;
    size_t n = param(call, 0, 1);

    for (size_t i = line->column; i < line->count && i - line->column < n; i++)
        line->cells[i] = blank;
}

static void delete_characters(const struct call *call)
{
    struct term_line *line = call->line;
    size_t rest = line->count > line->column ? line->count - line->column : 0;
    size_t n = param(call, 0, 1) < rest ? param(call, 0, 1) : rest;

    if (n == 0)
        return;
    memmove(line->cells + line->column, line->cells + line->column + n, (rest - n) * sizeof(blank));
    line->count -= n;
}

static void insert_characters(const struct call *call)
{
    struct term_line *line = call->line;
    size_t n = param(call, 0, 1), rest;

    if (line->count <= line->column)
        return;
    if (n > TERM_LINE_MAX - line->column)
        n = TERM_LINE_MAX - line->column;
    rest = line->count - line->column;
    if (rest > TERM_LINE_MAX - line->column - n) /* what is pushed off the edge is gone */
        rest = TERM_LINE_MAX - line->column - n;
    memmove(line->cells + line->column + n, line->cells + line->column, rest * sizeof(blank));
    for (size_t i = 0; i < n; i++)
        line->cells[line->column + i] = blank;
    line->count = line->column + n + rest;
}

static void cursor_forward(const struct call *call)
{
    move_to(call->line, call->line->column + param(call, 0, 1));
}

static void cursor_back(const struct call *call)
{
    size_t n = param(call, 0, 1);

    call->line->column = n < call->line->column ? call->line->column - n : 0;
}

static void cursor_column(const struct call *call)
{
    move_to(call->line, param(call, 0, 1) - 1);
}

static void other_line(const struct call *call)
{
    size_t column = call->line->column;

    leave(call->line);
    move_to(call->line, column);
}

static void other_line_begin(const struct call *call)
{
    leave(call->line);
    call->line->column = 0;
}

static void cursor_position(const struct call *call)
{
    leave(call->line);
    move_to(call->line, param(call, 1, 1) - 1);
}

static void style(const struct call *call)
{
    ansi_style_apply(&call->line->style, call->params, call->count);
}

static const struct {
    uint8_t final;
    void (*carry_out)(const struct call *call);
} functions[] = {
    {'@', insert_characters}, /* ICH */
    {'A', other_line},        /* CUU */
    {'B', other_line},        /* CUD */
    {'C', cursor_forward},    /* CUF */
    {'D', cursor_back},       /* CUB */
    {'E', other_line_begin},  /* CNL */
    {'F', other_line_begin},  /* CPL */
    {'G', cursor_column},     /* CHA */
    {'H', cursor_position},   /* CUP */
    {'J', other_line},        /* ED */
    {'K', erase_in_line},     /* EL */
    {'P', delete_characters}, /* DCH */
    {'X', erase_characters},  /* ECH */
    {'`', cursor_column},     /* HPA */
    {'d', other_line},        /* VPA */
    {'f', cursor_position},   /* HVP */
    {'m', style},             /* SGR */
};

static void on_function(void *arg, uint8_t final, uint8_t mark, const struct ansi_param *params, size_t count)
{
    struct call call = {.line = arg, .params = params, .count = count};

    end_text(arg);
    for (size_t i = 0; mark == 0 && i < sizeof(functions) / sizeof(functions[0]); i++)
        if (functions[i].final == final)
            functions[i].carry_out(&call);
}

/* --- in and out --- */

void term_line_feed(struct term_line *line, int64_t tag, const void *p, size_t n)
{
    const struct ansi_events events = {
        .arg = line, .text = on_text, .control = on_control, .function = on_function};

    line->tag = tag;
    ansi_feed(&line->ansi, &events, p, n);
}

void term_line_end(struct term_line *line)
{
    end_text(line);
    leave(line);
}
