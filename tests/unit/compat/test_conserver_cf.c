/* The grammar of conserver.cf: quoting, blanks, comments, includes, mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "amtd/compat/conserver_cf.h"
#include "base/xalloc.h"

/* Blocks as "type[name]{keyword=value|...}". */
static char *shape_of(const struct cf *cf)
{
    struct buf out = buf_init(1 << 16);

    for (size_t i = 0; i < cf->count; i++) {
        const struct cf_block *block = &cf->blocks[i];

        buf_printf(&out, "%s[%s]{", block->type, block->name);
        for (size_t k = 0; k < block->count; k++)
            buf_printf(&out, "%s=%s|", block->entries[k].keyword, block->entries[k].value);
        buf_putc(&out, '}');
    }
    return buf_take(&out);
}

static void what_is_right(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"# only a comment", ""},
        {"console simple { master localhost; rw *; }", "console[simple]{master=localhost|rw=*|}"},
        {"default my defs { rw *; include other defs  ; }", "default[my defs]{rw=*|include=other defs|}"},
        {"console a{}console b{}", "console[a]{}console[b]{}"},
        {"console a { logfile \"\"; }", "console[a]{logfile=|}"},
        {"console a { login; }", "console[a]{login=|}"},
        {"console \"a b \" { motd \" x \" ; }", "console[a b ]{motd= x |}"},
        {"break 1 { string \"\\z\"; }", "break[1]{string=\\z|}"},
        {"break 1 { string \\z\\;\\{; }", "break[1]{string=z;{|}"},
        {"break 1 { string \"say \\\"x\\\"\"; }", "break[1]{string=say \"x\"|}"},
        {"console a { # } ; {\n rw x; # y\n}", "console[a]{rw=x|}"},
        {"console\n\ta\r\n{\nexec\n  ls\n  -l ;\n}\n", "console[a]{exec=ls\n  -l|}"},
        {"console a {;;rw x;;}", "console[a]{rw=x|}"},
        {"console a { exec \"a;b{c}#d\"e\\ ; }", "console[a]{exec=a;b{c}#de |}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf mistakes = buf_init(1 << 16);
        struct cf cf;
        char *shape;

        if (cf_read_text(&cf, "cf", rows[i][0], strlen(rows[i][0]), &mistakes) != 0)
            fail_msg("%s: %s", rows[i][0], buf_str(&mistakes));
        shape = shape_of(&cf);
        assert_string_equal(shape, rows[i][1]);
        free(shape);
        cf_clear(&cf);
        buf_free(&mistakes);
    }
}

static void mistakes_are_named_with_their_line(void **state)
{
    static const char *const rows[][3] = {
        {"console a {\n rw x;\n", "cf:3: expected '}'", ""},
        {"console a {\n rw x\n}", "cf:2: expected ';' behind 'rw'", ""},
        {"console {\n}\n}", "cf:1: expected a name", "cf:3: '}' without"},
        {"{ }", "cf:1: expected the type", ""},
        {"rw x;\nconsole", "cf:1: expected '{' behind 'rw'", "cf:2: expected '{' behind 'console'"},
        {"console a { rw \"x; }\n\n", "cf:1: expected a closing", ""},
        {"console a { b { c; } }", "cf:1: expected ';' or '}'", "cf:1: '}' without"},
        {"#include other\n", "cf:1: a file cannot be included here: 'other'", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf mistakes = buf_init(1 << 16);
        struct cf cf;

        assert_int_equal(cf_read_text(&cf, "cf", rows[i][0], strlen(rows[i][0]), &mistakes), -1);
        if (!strstr(buf_str(&mistakes), rows[i][1]) || !strstr(buf_str(&mistakes), rows[i][2]))
            fail_msg("%s: %s", rows[i][0], buf_str(&mistakes));
        cf_clear(&cf);
        buf_free(&mistakes);
    }
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void files_include_each_other(void **state)
{
    char dir[] = "/tmp/cf.XXXXXX", *one, *two, *text, *shape;
    struct buf mistakes = buf_init(1 << 16);
    struct cf cf;

    (void)state;
    assert_non_null(mkdtemp(dir));
    one = xasprintf("%s/one", dir);
    two = xasprintf("%s/two", dir);
    text = xasprintf("console a { rw x; }\n#include %s \nconsole c { }\n", two);
    write_file(one, text);
    write_file(two, "\nconsole b {\n rw y;\n}\n");
    assert_int_equal(cf_read(&cf, one, &mistakes), 0);
    shape = shape_of(&cf);
    assert_string_equal(shape, "console[a]{rw=x|}console[b]{rw=y|}console[c]{}");
    assert_string_equal(cf.blocks[1].entries[0].place.file, two);
    assert_int_equal(cf.blocks[1].entries[0].place.line, 3);
    assert_int_equal(cf.blocks[2].place.line, 3);
    free(shape);
    free(text);
    cf_clear(&cf);

    text = xasprintf("#include %s\n", one); /* one that includes itself */
    write_file(one, text);
    assert_int_equal(cf_read(&cf, one, &mistakes), -1);
    assert_non_null(strstr(buf_str(&mistakes), "at most ten deep"));
    cf_clear(&cf);

    unlink(one);
    buf_reset(&mistakes);
    assert_int_equal(cf_read(&cf, one, &mistakes), -1);
    assert_non_null(strstr(buf_str(&mistakes), "No such file"));
    cf_clear(&cf);
    unlink(two);
    rmdir(dir);
    free(text);
    free(one);
    free(two);
    buf_free(&mistakes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_right),
        cmocka_unit_test(mistakes_are_named_with_their_line),
        cmocka_unit_test(files_include_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
