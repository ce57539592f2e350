/* Lines of a terminal: what is written over, moved within and erased; and that portions do not matter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/console/text/term_line.h"
#include "base/buf.h"

/* Lines as text: '|' behind a whole one, '+' behind a piece. Styles as "{foreground,background,attributes}"
 * where they change, when wanted. */
struct record {
    struct buf text;
    bool styles;
};

static void on_line(void *arg, int64_t tag, const struct term_cell *cells, size_t count, bool whole)
{
    struct record *r = arg;
    struct ansi_style style = {0};

    if (tag != 0)
        buf_printf(&r->text, "%lld:", (long long)tag);
    for (size_t i = 0; i < count; i++) {
        if (r->styles && !ansi_style_equal(&style, &cells[i].style)) {
            style = cells[i].style;
            buf_printf(&r->text, "{%x,%x,%x}", (unsigned)style.foreground, (unsigned)style.background,
                       (unsigned)style.attributes);
        }
        buf_add(&r->text, cells[i].bytes, cells[i].n);
    }
    buf_putc(&r->text, whole ? '|' : '+');
}

static char *lines_of(const void *p, size_t n, size_t portion, bool styles)
{
    struct record r = {.text = buf_init(1 << 24), .styles = styles};
    struct term_line_events events = {&r, on_line};
    struct term_line *line = term_line_new(&events);

    for (size_t i = 0; i < n; i += portion)
        term_line_feed(line, 0, (const char *)p + i, n - i < portion ? n - i : portion);
    term_line_end(line);
    term_line_free(line);
    return buf_take(&r.text);
}

static void lines(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"", ""},
        {"login: ", "login: |"},
        {"a\r\nb\n", "a|b|"},
        {"10%\r20%\r100%\n", "100%|"},
        {"long line\rshort\n", "shortline|"},
        {"ab\bc\n", "ac|"},
        {"\b\bx\n", "x|"},
        {"a\tb\n", "a       b|"},
        {"12345678\tb\n", "12345678        b|"},
        {"abc\r\033[Kd\n", "d|"},
        {"abcdef\033[3D\033[K\n", "abc|"},
        {"abcdef\033[3D\033[1K\n", "    ef|"},
        {"abcdef\033[2Kx\n", "      x|"},
        {"abcdef\r\033[2P\n", "cdef|"},
        {"abc\r\033[2@x\n", "x abc|"},
        {"abcdef\r\033[3Xx\n", "x  def|"},
        {"ab\033[3Cc\n", "ab   c|"},
        {"abc\033[1Gx\n", "xbc|"},
        {"\033[1;1Hone\033[2;1Htwo\033[3;5Hthree", "one|two|    three|"},
        {"\033[2J\033[Hmenu\033[0m", "menu|"},
        {"a\033]0;title\007b\n", "ab|"},
        {"a\033]0;title\033\\b\n", "ab|"},
        {"a\033Pq#0;1\033\\b\n", "ab|"},
        {"a\033(Bb\033)0c\n", "abc|"},
        {"a\033[?25lb\033[>cc\033[1 qd\n", "abcd|"},
        {"a\033[12\030b\n", "ab|"},
        {"a\033[1\033[31mb\n", "ab|"},
        {"a\033\033[Kb\n", "ab|"},
        {"a\x7f\x00z\n", "a"}, /* C text ends at the NUL */
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\n", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80|"},
        {"\xff\xc3(\xe2\x82\n", "\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd|"},
        {"\xed\xa0\x80\n", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|"},
        {"\033[99999999999999999999Cx\n", NULL},
        {"\033[1;2;3;4;5;6;7;8;9;1;2;3;4;5;6;7;8;9;1;2;3;4;5;6;7;8;9;1;2;3;4;5;6;7;8;9;1mx\n", "x|"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *all = lines_of(rows[i].in, strlen(rows[i].in), 1000, false);
        char *single = lines_of(rows[i].in, strlen(rows[i].in), 1, false);

        assert_string_equal(all, single);
        if (rows[i].out && strncmp(all, rows[i].out, strlen(rows[i].out)) != 0)
            fail_msg("%zu: got '%s', expected '%s'", i, all, rows[i].out);
        if (rows[i].out && strcmp(rows[i].out, "a") != 0)
            assert_string_equal(all, rows[i].out);
        free(all);
        free(single);
    }
}

static void styles(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"\033[31mr\033[0mn", "{1000001,0,0}r{0,0,0}n|"},
        {"\033[1;97;44mx\033[22;39;49my", "{100000f,1000004,1}x{0,0,0}y|"},
        {"\033[38;5;208mx\033[mx", "{10000d0,0,0}x{0,0,0}x|"},
        {"\033[48;2;1;2;3mx", "{0,2010203,0}x|"},
        {"\033[38:2::255:0:16mx", "{2ff0010,0,0}x|"},
        {"\033[38:2:255:0:16mx", "{2ff0010,0,0}x|"},
        {"\033[38:5:9;4mx", "{1000009,0,8}x|"},
        {"\033[4:3mx\033[4:0my", "{0,0,8}x{0,0,0}y|"},
        {"\033[38;5mx", "x|"},
        {"\033[38mx", "x|"},
        {"\033[7;9;3mx\033[27my\033[23;29mz", "{0,0,a4}x{0,0,84}y{0,0,0}z|"},
        {"\033[777mx", "x|"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *out = lines_of(rows[i].in, strlen(rows[i].in), 3, true);

        if (strcmp(out, rows[i].out) != 0)
            fail_msg("%zu: got '%s', expected '%s'", i, out, rows[i].out);
        free(out);
    }
}

static void a_line_without_end_comes_in_pieces(void **state)
{
    struct buf in = buf_init(1 << 20);
    size_t pieces = 0;
    char *out;

    (void)state;
    for (size_t i = 0; i < 3 * TERM_LINE_MAX + 5; i++)
        buf_putc(&in, 'x');
    out = lines_of(in.p, in.len, 777, false);
    for (const char *p = out; *p; p++)
        pieces += *p == '+';
    assert_int_equal(pieces, 3);
    assert_int_equal(strlen(out), in.len + 4);
    free(out);
    buf_free(&in);
}

static void an_endless_string_is_given_up(void **state)
{
    struct buf in = buf_init(1 << 20);
    char *out;

    (void)state;
    buf_puts(&in, "\033]");
    for (size_t i = 0; i < ANSI_STRING_MAX; i++)
        buf_putc(&in, 'x');
    buf_puts(&in, "\nseen\n");
    out = lines_of(in.p, in.len, 1 << 16, false);
    assert_non_null(strstr(out, "|seen|"));
    free(out);
    buf_free(&in);
}

/* Random bytes, rich in what matters: the same lines for every size of portions. */
static void portions_do_not_matter(void **state)
{
    static const char *const bits[] = {
        "\033", "[", "m", "1", ";",    ":",  "38", "\r", "\n", "\b", "\t",   "K", "\xc3", "\xa4", "\xf0\x9f",
        "H",    "P", "@", "]", "\007", "\\", "X",  "x",  "?",  " ",  "\xff", "C", "D",    "7",    "\030"};
    uint32_t seed = 7;

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct buf in = buf_init(4096);
        char *all, *some, *single;

        for (int i = 0; i < 60; i++) {
            seed = seed * 1664525 + 1013904223;
            buf_puts(&in, bits[(seed >> 16) % (sizeof(bits) / sizeof(bits[0]))]);
        }
        all = lines_of(in.p, in.len, in.len, true);
        some = lines_of(in.p, in.len, 1 + seed % 7, true);
        single = lines_of(in.p, in.len, 1, true);
        assert_string_equal(all, some);
        assert_string_equal(all, single);
        free(all);
        free(some);
        free(single);
        buf_free(&in);
    }
}

static void a_line_has_the_tag_of_its_first_byte(void **state)
{
    struct record r = {.text = buf_init(4096)};
    struct term_line_events events = {&r, on_line};
    struct term_line *line = term_line_new(&events);

    (void)state;
    term_line_feed(line, 1, "a", 1);
    term_line_feed(line, 2, "b\n", 2);
    term_line_feed(line, 3, "\r", 1);
    term_line_feed(line, 4, "c\n\n", 3);
    term_line_end(line);
    assert_string_equal(buf_str(&r.text), "1:ab|4:c|4:|");
    term_line_free(line);
    buf_free(&r.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(styles),
        cmocka_unit_test(a_line_without_end_comes_in_pieces),
        cmocka_unit_test(an_endless_string_is_given_up),
        cmocka_unit_test(portions_do_not_matter),
        cmocka_unit_test(a_line_has_the_tag_of_its_first_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
