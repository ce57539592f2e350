#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtcli/args.h"

static const struct option_row first[] = {
    {"output", 'o', OPTION_CHOICE, "FORMAT", "how", .choices = "table json csv", .standard = "table"},
    {"number", 'n', OPTION_NUMBER, "N", "how many", .min = 1, .max = 10},
    {"wait", 'w', OPTION_TIME, "T", "how long", .min = 100, .max = 60000, .standard = "5s", .bare = true},
    {NULL},
};
static const struct option_row second[] = {
    {"yes", 'y', OPTION_FLAG, NULL, "do not ask"},
    {"tag", 't', OPTION_TEXT, "NAME=VALUE", "a tag"},
    {"help", 'h', OPTION_FLAG, NULL, "help"},
    {NULL},
};
static const struct option_row *const tables[] = {first, second, NULL};

/* Splits at blanks and reads; the words stay until the next call. */
static int read_line(struct args *args, const char *line, struct buf *mistakes)
{
    static char text[512];
    char *argv[32], *rest = text;
    int argc = 0;

    assert_true(strlen(line) < sizeof(text));
    memcpy(text, line, strlen(line) + 1);
    for (char *word; (word = strtok_r(rest, " ", &rest));)
        argv[argc++] = word;
    return args_read(args, argc, argv, tables, mistakes);
}

static void reads_every_form(void **state)
{
    static const struct {
        const char *line, *option, *value;
        int operands;
    } rows[] = {
        {"-o json a", "output", "json", 1},
        {"-ojson a", "output", "json", 1},
        {"-o=json a", "output", "json", 1},
        {"--output json a", "output", "json", 1},
        {"--output=json a", "output", "json", 1},
        {"a -o csv -o json", "output", "json", 1},
        {"-yo json", "output", "json", 0},
        {"-y a b c", "yes", NULL, 3},
        {"-w a", "wait", NULL, 1},
        {"-w=2s a", "wait", "2s", 1},
        {"--wait=2s", "wait", "2s", 0},
        {"--wait 2s", "wait", NULL, 1},
        {"-t a=b=c", "tag", "a=b=c", 0},
        {"--tag=a=b", "tag", "a=b", 0},
        {"--yes -- -o --output", "yes", NULL, 2},
        {"- -y", "yes", NULL, 1},
        {"--tag --yes", "tag", "--yes", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf mistakes = buf_init(4096);
        struct args args;

        if (read_line(&args, rows[i].line, &mistakes) != 0)
            fail_msg("%s: %s", rows[i].line, buf_str(&mistakes));
        assert_true(args_has(&args, rows[i].option));
        if (rows[i].value)
            assert_string_equal(args_value(&args, rows[i].option), rows[i].value);
        else
            assert_null(args_value(&args, rows[i].option));
        assert_int_equal(args.operand_count, rows[i].operands);
        args_clear(&args);
        buf_free(&mistakes);
    }
}

static void names_every_mistake(void **state)
{
    static const char *const rows[][2] = {
        {"--ouput json", "there is no option --ouput; did you mean --output?\n"},
        {"--qqqqqqqq", "there is no option --qqqqqqqq\n"},
        {"-z", "there is no option -z; what begins with '-' and is no option goes behind '--'\n"},
        {"-o xml", "--output expects table, json or csv, not 'xml'\n"},
        {"-o", "--output needs a value: FORMAT\n"},
        {"--yes=1", "--yes takes no value\n"},
        {"-n 0", "--number expects a whole number from 1 to 10, not '0'\n"},
        {"-n 11", "--number expects a whole number from 1 to 10, not '11'\n"},
        {"-n 1x", "--number expects a whole number from 1 to 10, not '1x'\n"},
        {"-n=", "--number expects a whole number from 1 to 10, not ''\n"},
        {"-w=99ms", "--wait expects a time from 100ms to 1m, such as 250ms or 30s, not '99ms'\n"},
        {"-w=2m", "--wait expects a time from 100ms to 1m, such as 250ms or 30s, not '2m'\n"},
        {"-n 0 -o xml", "--number expects a whole number from 1 to 10, not '0'\n"
                        "--output expects table, json or csv, not 'xml'\n"},
        {"-t a\x80", "'a\\x80' is not UTF-8\n"},
        {"\x1b[2J\xff", "'\\x1b[2J\\xff' is not UTF-8\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf mistakes = buf_init(4096);
        struct args args;

        assert_int_equal(read_line(&args, rows[i][0], &mistakes), -1);
        assert_string_equal(buf_str(&mistakes), rows[i][1]);
        args_clear(&args);
        buf_free(&mistakes);
    }
}

static void values_are_numbers(void **state)
{
    struct buf mistakes = buf_init(4096);
    struct args args;
    int64_t n = 7;

    (void)state;
    assert_int_equal(read_line(&args, "-w -n 3 --number=10 -t a -t b", &mistakes), 0);
    assert_true(args_number(&args, "number", &n));
    assert_int_equal(n, 10);
    assert_false(args_number(&args, "wait", &n)); /* left bare */
    assert_string_equal(args_value_at(&args, "tag", 0), "a");
    assert_string_equal(args_value_at(&args, "tag", 1), "b");
    assert_null(args_value_at(&args, "tag", 2));
    args_clear(&args);
    assert_int_equal(read_line(&args, "--wait=1m", &mistakes), 0);
    assert_true(args_number(&args, "wait", &n));
    assert_int_equal(n, 60000);
    args_clear(&args);
    buf_free(&mistakes);
}

static void required_unless_help(void **state)
{
    static const struct option_row needed[] = {
        {"to", 0, OPTION_CHOICE, "WHERE", "where", .choices = "bios pxe", .required = true}, {NULL}};
    const struct option_row *const with[] = {needed, second, NULL};
    char help[] = "--help", *argv[] = {help};
    struct buf mistakes = buf_init(4096);
    struct args args;

    (void)state;
    assert_int_equal(args_read(&args, 0, argv, with, &mistakes), -1);
    assert_string_equal(buf_str(&mistakes), "--to WHERE is required: bios or pxe\n");
    args_clear(&args);
    buf_reset(&mistakes);
    assert_int_equal(args_read(&args, 1, argv, with, &mistakes), 0);
    args_clear(&args);
    buf_free(&mistakes);
}

static void too_many_options(void **state)
{
    char *argv[ARGS_OPTIONS_MAX + 1], yes[] = "-y";
    struct buf mistakes = buf_init(4096);
    struct args args;

    (void)state;
    for (int i = 0; i <= ARGS_OPTIONS_MAX; i++)
        argv[i] = yes;
    assert_int_equal(args_read(&args, ARGS_OPTIONS_MAX, argv, tables, &mistakes), 0);
    args_clear(&args);
    assert_int_equal(args_read(&args, ARGS_OPTIONS_MAX + 1, argv, tables, &mistakes), -1);
    assert_string_equal(buf_str(&mistakes), "more than 64 options\n");
    args_clear(&args);
    buf_free(&mistakes);
}

static void describes(void **state)
{
    struct buf text = buf_init(4096);

    (void)state;
    option_describe(&first[0], &text);
    assert_string_equal(buf_str(&text), "how: table, json or csv (default table)");
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_form),   cmocka_unit_test(names_every_mistake),
        cmocka_unit_test(values_are_numbers), cmocka_unit_test(required_unless_help),
        cmocka_unit_test(too_many_options),   cmocka_unit_test(describes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
