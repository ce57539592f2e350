#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtcli/complete.h"
#include "base/buf.h"

static const char names_json[] = "{\"hosts\":\"pc[001-003],srv\",\"collections\":[\"lab\",\"late\"],"
                                 "\"profiles\":[\"lab\",\"hq\"],\"consoles\":[\"pdu\",\"pc001\"]}";

static char *completed(const char *line, const json_t *names)
{
    struct buf text = buf_init(65536);
    struct completion c;

    complete_line(&c, line, names);
    for (size_t i = 0; i < c.count; i++)
        buf_printf(&text, "%s%s", i > 0 ? " " : "", c.words[i]);
    complete_clear(&c);
    return buf_take(&text);
}

static void completes(void **state)
{
    static const char *const rows[][2] = {
        {"pow", "power"},
        {"power c", "cycle"},
        {"power so", "soft-off soft-reset"},
        {"nonsense x", ""},
        {"help hos", "host"},
        {"help host i", "import"},
        {"power status ", "@lab @late all pc001 pc002 pc003 srv where:"},
        {"power status pc", "pc001 pc002 pc003"},
        {"power status @la", "@lab @late"},
        {"power status @lab,!p", "@lab,!pc001 @lab,!pc002 @lab,!pc003"},
        {"power status 'where:tag", ""},
        {"power status pc001 ", ""},
        {"power status --prof", "--profile"},
        {"power status --profile ", "hq lab"},
        {"power status -p h", "hq"},
        {"power status --profile=h", "--profile=hq"},
        {"power status -p hq s", "srv"},
        {"host list -o j", "json"},
        {"host list --output=", "--output=csv --output=json --output=table"},
        {"collection show l", "lab late"},
        {"clock pc001 ", "set show"},
        {"consent pc001 c", "cancel code"},
        {"consent pc001 policy k", "kvm"},
        {"redirection pc001 --sol o", "off on"},
        {"profile test l", "lab"},
        {"console p", "pc001 pc002 pc003 pdu"},
        {"log show pd", "pdu"},
        {"profile test lab pc00", "pc001 pc002 pc003"},
    };
    json_t *names = json_loads(names_json, 0, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *got = completed(rows[i][0], names);

        if (strcmp(got, rows[i][1]) != 0)
            fail_msg("%s: %s", rows[i][0], got);
        free(got);
    }
    json_decref(names);
}

static void without_amtd_commands_remain(void **state)
{
    char *commands = completed("collection ", NULL), *hosts = completed("power off p", NULL);

    (void)state;
    assert_string_equal(commands, "add list remove set show");
    assert_string_equal(hosts, "");
    free(commands);
    free(hosts);
}

static void common_part(void **state)
{
    json_t *names = json_loads(names_json, 0, NULL);
    struct completion c;

    (void)state;
    complete_line(&c, "info p", names);
    assert_int_equal(complete_common(&c), strlen("pc00"));
    assert_int_equal(c.start, 5);
    complete_clear(&c);
    complete_line(&c, "info 'p", names);
    assert_int_equal(c.quote, '\'');
    assert_string_equal(c.typed, "p");
    complete_clear(&c);
    complete_line(&c, "info zz", names);
    assert_int_equal(complete_common(&c), 0);
    complete_clear(&c);
    json_decref(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(completes),
        cmocka_unit_test(without_amtd_commands_remain),
        cmocka_unit_test(common_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
