/* Searching: against the C library's own regular expressions, line by line. */
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/console/text/line_search.h"
#include "base/buf.h"
#include "base/xalloc.h"

static bool on_found(void *arg, uint64_t offset, const char *line, size_t n, bool match)
{
    struct buf *out = arg;

    buf_printf(out, "%llu%c", (unsigned long long)offset, match ? ':' : '-');
    buf_add(out, line, n);
    buf_putc(out, '|');
    return true;
}

static char *search(const char *regex, const struct line_search_options *options, const struct buf *in,
                    size_t portion, uint64_t *matches)
{
    struct line_pattern *pattern = line_pattern_compile(regex, false, NULL);
    struct buf out = buf_init(1 << 24);
    struct line_search *s;

    assert_non_null(pattern);
    s = line_search_new(pattern, options, on_found, &out);
    for (size_t i = 0; i < in->len; i += portion)
        assert_true(line_search_feed(s, i, in->p + i, in->len - i < portion ? in->len - i : portion));
    line_search_end(s);
    *matches = line_search_matches(s);
    line_search_free(s);
    line_pattern_free(pattern);
    return buf_take(&out);
}

/* The same, slowly: every line alone. */
struct line {
    size_t offset, n;
    bool match;
};

static size_t split(const struct buf *in, const regex_t *regex, bool invert, struct line *lines)
{
    size_t count = 0;

    for (size_t at = 0; at < in->len;) {
        const uint8_t *lf = memchr(in->p + at, '\n', in->len - at);
        size_t end = lf ? (size_t)(lf - in->p) : in->len, n = end - at;
        char *text;

        n -= n > 0 && in->p[at + n - 1] == '\r';
        text = xstrndup((const char *)in->p + at, n);
        lines[count++] = (struct line){at, n, (regexec(regex, text, 0, NULL, 0) == 0) != invert};
        free(text);
        at = lf ? end + 1 : end;
    }
    return count;
}

static char *slowly(const char *text, const struct line_search_options *options, const struct buf *in)
{
    struct line *lines = xcalloc(in->len + 1, sizeof(*lines));
    struct buf out = buf_init(1 << 24);
    regex_t regex;
    size_t count;

    assert_int_equal(regcomp(&regex, text, REG_EXTENDED | REG_NOSUB), 0);
    count = split(in, &regex, options->invert, lines);
    for (size_t i = 0; i < count; i++) {
        bool wanted = lines[i].match;

        for (size_t k = 1; k <= options->before && i + k < count; k++)
            wanted |= lines[i + k].match;
        for (size_t k = 1; k <= options->after && k <= i; k++)
            wanted |= lines[i - k].match;
        if (wanted)
            on_found(&out, lines[i].offset, (const char *)in->p + lines[i].offset, lines[i].n,
                     lines[i].match);
    }
    regfree(&regex);
    free(lines);
    return buf_take(&out);
}

static uint32_t dice(uint32_t sides)
{
    static uint32_t seed = 11;

    seed = seed * 1664525 + 1013904223;
    return (seed >> 16) % sides;
}

static void like_the_c_library(void **state)
{
    static const char *const regexes[] = {"a",     "^a",   "a$",      "^$",      "ab|ba",  "a.b",
                                          "[^a]b", "b+c*", "^a*$",    "(ab){2}", "a[]$]b", "[[:space:]]",
                                          "c\\.a", "",     "^[abc]$", "."};
    static const char *const bits[] = {"a", "b", "c", "\n", "\r\n", ".", " ", "a", "b", "\n", "\r"};

    (void)state;
    for (int round = 0; round < 6000; round++) {
        struct line_search_options options = {dice(4) == 0, dice(4) * dice(2), dice(4) * dice(2)};
        const char *regex = regexes[dice(sizeof(regexes) / sizeof(regexes[0]))];
        struct buf in = buf_init(1 << 16);
        uint64_t matches;
        char *fast, *slow;

        for (uint32_t i = dice(60); i > 0; i--)
            buf_puts(&in, bits[dice(sizeof(bits) / sizeof(bits[0]))]);
        fast = search(regex, &options, &in, 1 + dice(20), &matches);
        slow = slowly(regex, &options, &in);
        if (strcmp(fast, slow) != 0)
            fail_msg("'%s' invert %d -B%zu -A%zu in '%s':\n%s\nexpected\n%s", regex, options.invert,
                     options.before, options.after, buf_str(&in), fast, slow);
        free(fast);
        free(slow);
        buf_free(&in);
    }
}

/* More than the buffer holds, with matches and context across its borders. */
static void large_logs(void **state)
{
    static const struct line_search_options options[] = {{false, 0, 0}, {false, 3, 2}, {true, 1, 0}};
    struct buf in = buf_init(8 << 20);

    (void)state;
    for (int i = 0; in.len < (5u << 19); i++)
        buf_printf(&in, "%s line %d of the log\n", i % 977 == 0 ? "error" : "plain", i);
    for (size_t i = 0; i < 3; i++) {
        const char *regex = options[i].invert ? "plain" : "^error";
        uint64_t matches;
        char *fast = search(regex, &options[i], &in, 65536, &matches),
             *slow = slowly(regex, &options[i], &in);

        assert_true(strcmp(fast, slow) == 0);
        free(fast);
        free(slow);
    }
    buf_free(&in);
}

static void a_line_without_end_is_cut(void **state)
{
    struct line_search_options options = {0};
    struct buf in = buf_init(8 << 20);
    uint64_t matches;
    char *out;

    (void)state;
    for (size_t i = 0; i < 3 * LINE_SEARCH_BUFFER; i++)
        buf_putc(&in, 'x');
    buf_puts(&in, "needle\n");
    out = search("needle$", &options, &in, 10000, &matches);
    assert_int_equal(matches, 1);
    free(out);
    buf_free(&in);
}

static bool stop_at_second(void *arg, uint64_t offset, const char *line, size_t n, bool match)
{
    (void)offset;
    (void)line;
    (void)n;
    (void)match;
    return ++*(int *)arg < 2;
}

static void a_search_can_be_ended(void **state)
{
    struct line_pattern *pattern = line_pattern_compile("A", true, NULL);
    struct line_search_options options = {0};
    int count = 0;
    struct line_search *s = line_search_new(pattern, &options, stop_at_second, &count);

    (void)state;
    line_search_feed(s, 0, "a\na\na\na\n", 8);
    line_search_end(s);
    assert_int_equal(count, 2);
    assert_false(line_search_feed(s, 8, "a\n", 2));
    line_search_free(s);
    line_pattern_free(pattern);
}

static void a_gap_cuts_lines_and_context(void **state)
{
    struct line_pattern *pattern = line_pattern_compile("b", false, NULL);
    struct line_search_options options = {.before = 2, .after = 2};
    struct buf out = buf_init(4096);
    struct line_search *s = line_search_new(pattern, &options, on_found, &out);

    (void)state;
    line_search_feed(s, 10, "one\nb two", 9);
    line_search_feed(s, 100, "three\nfour b\nfive", 17);
    line_search_end(s);
    assert_string_equal(buf_str(&out), "10-one|14:b two|100-three|106:four b|113-five|");
    line_search_free(s);
    line_pattern_free(pattern);
    buf_free(&out);
}

static void wrong_expressions_are_named(void **state)
{
    static const char *const wrong[] = {"a(b", "[z-a]", "(a)\\1", "a{3,1}", "(?=x)y"};
    char *long_one = xcalloc(6000, 1);

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct err err = ERR_INIT;

        assert_null(line_pattern_compile(wrong[i], false, &err));
        assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
        assert_non_null(strstr(err.text, wrong[i]));
    }
    memset(long_one, 'a', 5000);
    assert_null(line_pattern_compile(long_one, false, NULL));
    free(long_one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(like_the_c_library),           cmocka_unit_test(large_logs),
        cmocka_unit_test(a_line_without_end_is_cut),    cmocka_unit_test(a_search_can_be_ended),
        cmocka_unit_test(a_gap_cuts_lines_and_context), cmocka_unit_test(wrong_expressions_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
