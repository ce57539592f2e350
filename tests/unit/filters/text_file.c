#include "tests/unit/filters/text_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct filter_file *file_of(const char *body, struct findings *findings)
{
    struct buf text = buf_init(64 << 20);
    struct filter_file *file;

    buf_printf(&text, HEAD "%s" TAIL, body);
    file = filter_file_parse("t.xml", buf_str(&text), text.len, NULL, NULL, findings);
    buf_free(&text);
    return file;
}

static void fail_on_errors(const struct findings *findings)
{
    struct err err = ERR_INIT;

    if (findings_err(findings, &err) != 0)
        fail_msg("%s", err.text);
}

struct ruleset *rules_of(const char *body, const char *const *values, struct filter_file **file)
{
    struct findings findings = {0};
    struct names *names = names_new();
    struct ruleset *rules;

    names_use_placeholders(names);
    for (; values && *values; values++)
        assert_int_equal(names_set_text(names, *values, NULL), 0);
    *file = file_of(body, &findings);
    fail_on_errors(&findings);
    rules = filter_bind(*file, names, &findings);
    fail_on_errors(&findings);
    findings_clear(&findings);
    names_free(names);
    return rules;
}

bool found(const struct findings *findings, const char *text)
{
    bool yes = false;

    for (size_t i = 0; i < findings->count && !yes; i++) {
        struct buf line = buf_init(4000);

        finding_text(&findings->items[i], &line);
        yes = strstr(buf_str(&line), text) != NULL;
        buf_free(&line);
    }
    return yes;
}
