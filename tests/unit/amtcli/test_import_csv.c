#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtcli/import_csv.h"

static const struct import_known anything = {NULL, NULL};

/* Reads text; *mistakes is filled. */
static json_t *read_text(const char *text, size_t n, const struct import_known *known, json_t **lines,
                         struct buf *mistakes)
{
    FILE *file = fmemopen((void *)text, n, "rb");
    json_t *rows;

    assert_non_null(file);
    *mistakes = buf_init(1 << 20);
    rows = import_csv_read(file, "f.csv", known, lines, mistakes);
    fclose(file);
    return rows;
}

static void reads(void **state)
{
    static const struct {
        const char *csv, *rows, *lines;
    } rows[] = {
        {"name\npc1\n", "[{\"name\":\"pc1\"}]", "[2]"},
        {"\xef\xbb\xbfname\r\npc1\r\n", "[{\"name\":\"pc1\"}]", "[2]"},
        {"name\npc1", "[{\"name\":\"pc1\"}]", "[2]"},
        {"name\rpc1\r\rpc2\r", "[{\"name\":\"pc1\"},{\"name\":\"pc2\"}]", "[2,4]"},
        {"name\rpc1\r\npc2\npc3", "[{\"name\":\"pc1\"},{\"name\":\"pc2\"},{\"name\":\"pc3\"}]", "[2,3,4]"},
        {"name,address,profile,tag.site\npc1,10.0.0.1,lab,x\npc2,,,\n",
         "[{\"name\":\"pc1\",\"address\":\"10.0.0.1\",\"profile\":\"lab\",\"tags\":{\"site\":\"x\"}},{"
         "\"name\":"
         "\"pc2\"}]",
         "[2,3]"},
        {"tag.a,name,fact.power\n\"x, \"\"y\"\"\nz\",pc1,on\n,pc2,\n",
         "[{\"name\":\"pc1\",\"tags\":{\"a\":\"x, \\\"y\\\"\\nz\"}},{\"name\":\"pc2\"}]", "[2,4]"},
        {"name\n\n  \npc1\n\npc2\n", "[{\"name\":\"pc1\"},{\"name\":\"pc2\"}]", "[4,6]"},
        {"name,address\npc1,fe80::1\npc2,pc2.example.com\n",
         "[{\"name\":\"pc1\",\"address\":\"fe80::1\"},{\"name\":\"pc2\",\"address\":\"pc2.example.com\"}]",
         "[2,3]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf mistakes;
        json_t *lines, *got = read_text(rows[i].csv, strlen(rows[i].csv), &anything, &lines, &mistakes);
        char *text, *at;

        if (!got)
            fail_msg("%s: %s", rows[i].csv, buf_str(&mistakes));
        text = json_dumps(got, JSON_COMPACT);
        at = json_dumps(lines, JSON_COMPACT);
        assert_string_equal(text, rows[i].rows);
        assert_string_equal(at, rows[i].lines);
        free(text);
        free(at);
        json_decref(got);
        json_decref(lines);
        buf_free(&mistakes);
    }
}

#define CSV(text) text, sizeof(text) - 1

static void names_every_mistake(void **state)
{
    static const struct {
        const char *csv;
        size_t n;
        const char *mistakes;
    } rows[] = {
        {CSV("\n"), "f.csv:1: expected a first line that names the columns, one of them 'name'\n"},
        {CSV("name\n"), "f.csv:2: expected at least one row\n"},
        {CSV("address\n1.2.3.4\n"),
         "f.csv:1: expected a first line that names the columns, one of them 'name'\n"},
        {CSV("name;address\npc1;1.2.3.4\n"), "f.csv:1: expected commas between the columns of a first line "
                                             "that names them, not 'name;address'\n"},
        {CSV("nam\npc1\n\n!\n"),
         "f.csv:1: expected a column name, address, profile or tag.NAME; did you mean 'name' by 'nam'\n"
         "f.csv:4: expected the name of a host (letters, digits, '.', '_', '-'), not '!'\n"},
        {CSV("name,name\npc1,pc2\n"), "f.csv:1: a second column 'name'\n"},
        {CSV("name,tag.\npc1,x\n"), "f.csv:1: expected a column name, address, profile or tag.NAME"},
        {CSV("name,address\npc1\npc2,1,2\npc1,1.2.3.4\npc1,zz zz\n"),
         "f.csv:2: expected 2 fields as in the first line, got 1\n"
         "f.csv:3: expected 2 fields as in the first line, got 3\n"
         "f.csv:5: already in line 4: host 'pc1'\n"
         "f.csv:5: expected an IP address or a name, not 'zz zz'\n"},
        {CSV("name,address\npc1,300.1.1.1\npc2,fe80::zz\n"),
         "f.csv:2: expected an IP address or a name, not '300.1.1.1'\n"
         "f.csv:3: expected an IP address or a name, not 'fe80::zz'\n"},
        {CSV("name\n\"pc1\nx\n"), "f.csv:2: a quoted field that begins in this row does not end\n"},
        {CSV("name\n\"pc1\"x\npc[2]\n"),
         "f.csv:2: expected a quoted field to be followed by a comma, and a quote within it to be doubled\n"
         "f.csv:3: expected the name of a host (letters, digits, '.', '_', '-'), not 'pc[2]'\n"},
        {CSV("name,tag.a\npc1,\xff\npc2,\x1b[2J\xfe\n"),
         "f.csv:2: expected UTF-8, not '\\xff'\nf.csv:3: expected UTF-8, not '\\x1b[2J\\xfe'\n"},
        {CSV("name\npc1\0evil\n"), "f.csv:2: expected text, not a NUL byte\n"},
        {CSV("name,profile\nold,lab\nnew,nosuch\n"),
         "f.csv:2: already in the fleet (--update changes it): host 'old'\n"
         "f.csv:3: there is no profile 'nosuch'\n"},
    };
    struct hostlist *hosts = hostlist_parse("old", NULL);
    json_t *profiles = json_pack("[s]", "lab");
    const struct import_known known = {hosts, profiles};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf mistakes;
        json_t *lines, *got = read_text(rows[i].csv, rows[i].n, &known, &lines, &mistakes);

        assert_null(got);
        assert_null(lines);
        if (strncmp(buf_str(&mistakes), rows[i].mistakes, strlen(rows[i].mistakes)) != 0)
            fail_msg("%s: said %s", rows[i].csv, buf_str(&mistakes));
        buf_free(&mistakes);
    }
    hostlist_free(hosts);
    json_decref(profiles);
}

/* Too many columns, too many mistakes: one message, not thousands. */
static void stays_short(void **state)
{
    struct buf csv = buf_init(1 << 20), mistakes;
    json_t *lines;

    (void)state;
    for (int i = 0; i < 300; i++)
        buf_printf(&csv, "tag.t%d,", i);
    buf_puts(&csv, "name\n1\n2\n3\n");
    assert_null(read_text(buf_str(&csv), csv.len, &anything, &lines, &mistakes));
    assert_string_equal(buf_str(&mistakes), "f.csv:1: more than 256 fields\n");
    buf_free(&mistakes);
    buf_reset(&csv);
    buf_puts(&csv, "name\n");
    for (int i = 0; i < 5000; i++)
        buf_puts(&csv, "a,b\n");
    assert_null(read_text(buf_str(&csv), csv.len, &anything, &lines, &mistakes));
    assert_non_null(strstr(buf_str(&mistakes), "f.csv:101: "));
    assert_null(strstr(buf_str(&mistakes), "f.csv:102: "));
    assert_non_null(strstr(buf_str(&mistakes), "f.csv: and more mistakes\n"));
    buf_free(&mistakes);
    buf_free(&csv);
}

static ssize_t read_without_end(void *cookie, char *bytes, size_t n)
{
    (void)cookie;
    memset(bytes, 'a', n);
    return (ssize_t)n;
}

/* A file without an end, and without a line's end, is not read into memory until there is none. */
static void ends_although_the_file_does_not(void **state)
{
    FILE *file = fopencookie(NULL, "r", (cookie_io_functions_t){.read = read_without_end});
    struct buf mistakes = buf_init(1 << 20);
    json_t *lines;

    (void)state;
    assert_non_null(file);
    assert_null(import_csv_read(file, "f.csv", &anything, &lines, &mistakes));
    assert_string_equal(buf_str(&mistakes), "f.csv: expected at most 64 MiB\n");
    fclose(file);
    buf_free(&mistakes);
}

static void cuts_long_values(void **state)
{
    struct buf csv = buf_init(1 << 20), mistakes;
    json_t *lines;

    (void)state;
    for (int i = 0; i < 100000; i++)
        buf_putc(&csv, 'x');
    buf_puts(&csv, "\npc1\n");
    assert_null(read_text(buf_str(&csv), csv.len, &anything, &lines, &mistakes));
    assert_true(mistakes.len < 300);
    assert_non_null(strstr(buf_str(&mistakes), "xxx...'\n"));
    buf_free(&mistakes);
    buf_free(&csv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads), cmocka_unit_test(names_every_mistake), cmocka_unit_test(stays_short),
        cmocka_unit_test(ends_although_the_file_does_not), cmocka_unit_test(cuts_long_values)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
