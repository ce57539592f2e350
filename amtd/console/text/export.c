#include "amtd/console/text/export.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "amtd/console/text/term_line.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "base/xalloc.h"
#include "base/xml.h"

#define PIECE_MAX (1 << 20) /* a line in its form: TERM_LINE_MAX cells, each with a style of its own */

struct form {
    const char *name;
    void (*begin)(struct export *x);
    void (*bytes)(struct export *x, int64_t at_ms, const uint8_t *p, size_t n);
    void (*gap)(struct export *x, int64_t at_ms, const char *why);
    void (*end)(struct export *x);
};

struct export
{
    const struct form *form;
    struct export_options options;
    char *title;
    void (*out)(void *arg, const void *p, size_t n);
    void *arg;
    struct buf piece; /* what goes out next */
    bool begun;
    bool line_open;         /* plain: the last byte was not a line end. stripped, html: a piece came */
    struct term_line *line; /* stripped, html */
    int64_t first_ms;       /* asciicast: time 0 */
    double last_s;
    struct utf8 utf8; /* asciicast */
};

static void flush(struct export *x)
{
    if (x->piece.len > 0)
        x->out(x->arg, x->piece.p, x->piece.len);
    buf_reset(&x->piece);
}

static void stamp(struct export *x, int64_t at_ms)
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm tm;
    char text[32];

    if (!x->options.stamps || !gmtime_r(&seconds, &tm))
        return;
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    buf_printf(&x->piece, "[%s.%03dZ] ", text, (int)(at_ms % 1000));
}

/* --- plain --- */

static void plain_bytes(struct export *x, int64_t at_ms, const uint8_t *p, size_t n)
{
    while (n > 0) {
        const uint8_t *end = x->options.stamps ? memchr(p, '\n', n) : NULL;
        size_t take = end ? (size_t)(end - p) + 1 : n;

        if (x->options.stamps && !x->line_open) {
            stamp(x, at_ms);
            flush(x);
        }
        x->out(x->arg, p, take);
        x->line_open = p[take - 1] != '\n';
        p += take;
        n -= take;
    }
}

static void plain_gap(struct export *x, int64_t at_ms, const char *why)
{
    (void)x;
    (void)at_ms;
    (void)why;
}

static void nothing(struct export *x)
{
    (void)x;
}

/* --- stripped --- */

static void line_bytes(struct export *x, int64_t at_ms, const uint8_t *p, size_t n)
{
    term_line_feed(x->line, at_ms, p, n);
}

static size_t without_blanks(const struct term_cell *cells, size_t count, bool whole)
{
    while (whole && count > 0 && cells[count - 1].bytes[0] == ' ' && cells[count - 1].style.background == 0 &&
           !(cells[count - 1].style.attributes & (ANSI_INVERSE | ANSI_UNDERLINE)))
        count--;
    return count;
}

static void stripped_line(void *arg, int64_t at_ms, const struct term_cell *cells, size_t count, bool whole)
{
    struct export *x = arg;

    if (!x->line_open)
        stamp(x, at_ms);
    count = without_blanks(cells, count, whole);
    for (size_t i = 0; i < count; i++)
        buf_add(&x->piece, cells[i].bytes, cells[i].n);
    if (whole)
        buf_putc(&x->piece, '\n');
    x->line_open = !whole;
    flush(x);
}

static void stripped_gap(struct export *x, int64_t at_ms, const char *why)
{
    term_line_end(x->line);
    stamp(x, at_ms);
    buf_printf(&x->piece, "[%s]\n", why);
    flush(x);
}

static void line_end(struct export *x)
{
    term_line_end(x->line);
}

/* --- HTML --- */

/* xterm's sixteen colours. */
static const char *const colours[] = {"#000000", "#cd0000", "#00cd00", "#cdcd00", "#3b78ff", "#cd00cd",
                                      "#00cdcd", "#e5e5e5", "#7f7f7f", "#ff5555", "#55ff55", "#ffff55",
                                      "#7da6ff", "#ff55ff", "#55ffff", "#ffffff"};

static void html_begin(struct export *x)
{
    buf_puts(&x->piece, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
    xml_escape(&x->piece, x->title);
    buf_puts(&x->piece, "</title>\n<style>\n"
                        "body { background: #101010; color: #d8d8d8; }\n"
                        "pre { font: 14px/1.3 monospace; white-space: pre-wrap; }\n"
                        "time { color: #808080; }\n"
                        ".gap { color: #ffff55; }\n"
                        "</style>\n</head>\n<body>\n<pre>\n");
}

/* The colour of a palette entry: sixteen, a cube of 6 x 6 x 6, a ramp of 24 greys (xterm). */
static void css_colour(uint32_t colour, struct buf *out)
{
    uint32_t i = colour & 0xff;
    static const uint8_t cube[] = {0, 95, 135, 175, 215, 255};

    if (colour & ANSI_RGB)
        buf_printf(out, "#%06x", colour & 0xffffff);
    else if (i < 16)
        buf_puts(out, colours[i]);
    else if (i < 232)
        buf_printf(out, "#%02x%02x%02x", cube[(i - 16) / 36], cube[(i - 16) / 6 % 6], cube[(i - 16) % 6]);
    else
        buf_printf(out, "#%02x%02x%02x", 8 + (i - 232) * 10, 8 + (i - 232) * 10, 8 + (i - 232) * 10);
}

static void css_pair(const char *name, uint32_t colour, const char *otherwise, struct buf *out)
{
    if (colour == 0 && !otherwise)
        return;
    buf_printf(out, "%s:", name);
    if (colour)
        css_colour(colour, out);
    else
        buf_puts(out, otherwise);
    buf_putc(out, ';');
}

static const struct {
    uint32_t attribute;
    const char *css;
} looks[] = {
    {ANSI_BOLD, "font-weight:bold;"},    {ANSI_FAINT, "opacity:.6;"},
    {ANSI_ITALIC, "font-style:italic;"}, {ANSI_UNDERLINE, "text-decoration:underline;"},
    {ANSI_HIDDEN, "visibility:hidden;"}, {ANSI_STRIKE, "text-decoration:line-through;"},
};

static void open_span(const struct ansi_style *style, struct buf *out)
{
    bool inverse = style->attributes & ANSI_INVERSE;

    buf_puts(out, "<span style=\"");
    css_pair("color", inverse ? style->background : style->foreground, inverse ? "#101010" : NULL, out);
    css_pair("background", inverse ? style->foreground : style->background, inverse ? "#d8d8d8" : NULL, out);
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++)
        if (style->attributes & looks[i].attribute)
            buf_puts(out, looks[i].css);
    buf_puts(out, "\">");
}

static void html_cell(struct export *x, const struct term_cell *cell)
{
    char text[5] = {0};

    memcpy(text, cell->bytes, cell->n);
    xml_escape(&x->piece, text);
}

static void html_cells(struct export *x, const struct term_cell *cells, size_t count)
{
    struct ansi_style style = {0};
    static const struct ansi_style plain;
    bool open = false;

    for (size_t i = 0; i < count; i++) {
        if (!ansi_style_equal(&cells[i].style, &style)) {
            style = cells[i].style;
            if (open)
                buf_puts(&x->piece, "</span>");
            open = !ansi_style_equal(&style, &plain);
            if (open)
                open_span(&style, &x->piece);
            if (x->piece.len > PIECE_MAX / 2)
                flush(x);
        }
        html_cell(x, &cells[i]);
    }
    if (open)
        buf_puts(&x->piece, "</span>");
}

static void html_stamp(struct export *x, int64_t at_ms)
{
    if (!x->options.stamps)
        return;
    buf_puts(&x->piece, "<time>");
    stamp(x, at_ms);
    buf_puts(&x->piece, "</time>");
}

static void html_line(void *arg, int64_t at_ms, const struct term_cell *cells, size_t count, bool whole)
{
    struct export *x = arg;

    if (!x->line_open)
        html_stamp(x, at_ms);
    html_cells(x, cells, without_blanks(cells, count, whole));
    if (whole)
        buf_putc(&x->piece, '\n');
    x->line_open = !whole;
    flush(x);
}

static void html_gap(struct export *x, int64_t at_ms, const char *why)
{
    term_line_end(x->line);
    html_stamp(x, at_ms);
    buf_puts(&x->piece, "<span class=\"gap\">[");
    xml_escape(&x->piece, why);
    buf_puts(&x->piece, "]</span>\n");
    flush(x);
}

static void html_end(struct export *x)
{
    term_line_end(x->line);
    buf_puts(&x->piece, "</pre>\n</body>\n</html>\n");
    flush(x);
}

/* --- asciicast v2: a header, then one event a line: [seconds, "o", text] --- */

static void put_json(struct export *x, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(12));

    if (text)
        buf_puts(&x->piece, text);
    buf_putc(&x->piece, '\n');
    free(text);
    json_decref(json);
    flush(x);
}

static void cast_header(struct export *x, int64_t at_ms)
{
    x->first_ms = at_ms;
    x->begun = true;
    put_json(x, json_pack("{s:i, s:i, s:i, s:I, s:s}", "version", 2, "width",
                          (int)(x->options.columns ? x->options.columns : 80), "height",
                          (int)(x->options.rows ? x->options.rows : 24), "timestamp",
                          (json_int_t)(at_ms / 1000), "title", x->title));
}

static void cast_event(struct export *x, int64_t at_ms, const char *text, size_t n)
{
    double at;

    if (!x->begun)
        cast_header(x, at_ms);
    at = (double)(at_ms - x->first_ms) / 1000;
    if (at > x->last_s) /* the wall clock may go back; a recording does not */
        x->last_s = at;
    put_json(x, json_pack("[f, s, s%]", x->last_s, "o", text, n));
}

static void cast_character(void *arg, const uint8_t *bytes, size_t n)
{
    buf_add(arg, bytes, n);
}

static void cast_bytes(struct export *x, int64_t at_ms, const uint8_t *p, size_t n)
{
    while (n > 0) {
        size_t take = n < PIECE_MAX / 8 ? n : PIECE_MAX / 8;
        struct buf text = buf_init(PIECE_MAX);

        utf8_feed(&x->utf8, p, take, cast_character, &text);
        if (text.len > 0)
            cast_event(x, at_ms, buf_str(&text), text.len);
        buf_free(&text);
        p += take;
        n -= take;
    }
}

/* A character that is cut short and will not be continued. */
static void cast_rest(struct export *x, int64_t at_ms)
{
    struct buf text = buf_init(PIECE_MAX);

    utf8_end(&x->utf8, cast_character, &text);
    if (text.len > 0)
        cast_event(x, at_ms, buf_str(&text), text.len);
    buf_free(&text);
}

static void cast_gap(struct export *x, int64_t at_ms, const char *why)
{
    char *text = xasprintf("\r\n\x1b[33m[%s]\x1b[0m\r\n", why);

    cast_rest(x, at_ms);
    cast_event(x, at_ms, text, strlen(text));
    free(text);
}

static void cast_end(struct export *x)
{
    if (!x->begun)
        cast_header(x, 0);
    cast_rest(x, x->first_ms);
}

/* --- the table --- */

static const struct form forms[EXPORT_FORMATS] = {
    [EXPORT_PLAIN] = {"plain", nothing, plain_bytes, plain_gap, nothing},
    [EXPORT_STRIPPED] = {"stripped", nothing, line_bytes, stripped_gap, line_end},
    [EXPORT_HTML] = {"html", html_begin, line_bytes, html_gap, html_end},
    [EXPORT_ASCIICAST] = {"asciicast", nothing, cast_bytes, cast_gap, cast_end},
};

const char *export_format_name(enum export_format format)
{
    return forms[format].name;
}

bool export_format_by_name(const char *name, enum export_format *out)
{
    for (int i = 0; i < EXPORT_FORMATS; i++) {
        if (strcmp(forms[i].name, name) == 0) {
            *out = (enum export_format)i;
            return true;
        }
    }
    return false;
}

struct export *export_new(enum export_format format, const struct export_options *options,
                          void (*out)(void *arg, const void *p, size_t n), void *arg)
{
    struct export *x = xcalloc(1, sizeof(*x));
    struct term_line_events events = {.arg = x, .line = format == EXPORT_HTML ? html_line : stripped_line};

    x->form = &forms[format];
    x->options = *options;
    x->title = xstrdup(options->title ? options->title : "");
    x->options.title = x->title;
    x->out = out;
    x->arg = arg;
    x->piece = buf_init(2 * PIECE_MAX);
    if (format == EXPORT_STRIPPED || format == EXPORT_HTML)
        x->line = term_line_new(&events);
    x->form->begin(x);
    return x;
}

void export_free(struct export *x)
{
    if (!x)
        return;
    term_line_free(x->line);
    buf_free(&x->piece);
    free(x->title);
    free(x);
}

void export_bytes(struct export *x, int64_t at_ms, const void *p, size_t n)
{
    x->form->bytes(x, at_ms, p, n);
}

void export_gap(struct export *x, int64_t at_ms, const char *why)
{
    x->form->gap(x, at_ms, why);
}

void export_end(struct export *x)
{
    x->form->end(x);
}
