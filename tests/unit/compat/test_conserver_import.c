/* What conserver's consoles become here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/compat/conserver_import.h"

struct made {
    struct buf yaml, notes;
    struct import_result result;
};

static struct made import(const char *text)
{
    struct made m = {.yaml = buf_init(1 << 20), .notes = buf_init(1 << 20)};
    struct buf mistakes = buf_init(1 << 16);
    struct cf cf;

    if (cf_read_text(&cf, "cf", text, strlen(text), &mistakes) != 0)
        fail_msg("%s", buf_str(&mistakes));
    assert_int_equal(conserver_import(&cf, &m.yaml, &m.notes, &m.result, NULL), 0);
    cf_clear(&cf);
    buf_free(&mistakes);
    return m;
}

static void clear(struct made *m)
{
    buf_free(&m->yaml);
    buf_free(&m->notes);
}

/* Each row: a configuration, what its YAML holds, what its notes hold ("" nothing at all). */
static void consoles(void **state)
{
    static const char *const rows[][3] = {
        {"console a { type exec; exec \"ssh box\"; }",
         "- name: a\n  source: {type: exec, command: ssh box}\n", "every console is logged"},
        {"console a { type exec; logfile /x/&; }", "command: exec /bin/sh -i", "STATE_DIR/consoles"},
        {"console a { type host; host ts; port 7; portbase 2000; portinc 100; }",
         "{type: telnet, host: ts, port: 2700}", ""},
        {"console a { host ts; port 2001; protocol raw; }", "{type: tcp, host: ts, port: 2001}", ""},
        {"console a { type uds; uds /run/&.sock; udssubst &=cs; }", "{type: unix, path: /run/a.sock}", ""},
        {"console a { device /dev/ttyS0; baud 9600; parity even; options cstopb,!ixon,!ixoff; }",
         "{type: serial, path: /dev/ttyS0, speed: 9600, parity: even, stop: 2, flow: none}", ""},
        {"console a { device /dev/ttyS0; }", "flow: software", ""},
        {"console a { device /dev/ttyS0; options crtscts; }", "flow: hardware", ""},
        {"default * { type exec; } console a { exec x; options ondemand; }", "on-demand: true", ""},
        {"default d { type exec; exec x; } default e { include d; exec other; } console a { include e; }",
         "command: other", ""},
        {"console a { type exec; exec x; } console a { exec z; }", "command: z", ""},
        {"console a { type exec; exec x; idletimeout 5m; }", "idle: \"5m\"\n  idle-text: \\n", ""},
        {"break 3 { string \"\\r~B\"; } console a { type exec; exec x; break 3; }", "break-text: \\r~B", ""},
        {"console a { type exec; exec x; break 2; }", "break-text: \\r~^b", ""},
        {"console a { type exec; exec x; logfilemax 2m; }", "log: {segment-size: 2097152}", ""},
        {"console a { type exec; exec \"%x @ #\"; port 10; host h; replstring r;"
         " execsubst \"%=p04d,@=PX,#=r3s\"; }",
         "command: \"0010x A   r\"", ""},
        {"console a { type ipmi; host h; username u; password s3cret; }", "consoles: []", "ipmitool"},
        {"console a { type noop; }", "consoles: []", "it has no source"},
        {"console a { type host; host ts; }", "consoles: []", "no 'port'"},
        {"console a { type what; }", "consoles: []", "no type"},
        {"console a { type exec; exec x; motd hello; }", "name: a", "cf:1: motd hello: there is no message"},
        {"console a { type exec; exec x; options unloved,nonsense; }", "name: a", "not an option"},
        {"console a { type exec; exec x; include nowhere; }", "name: a", "no default of that name"},
        {"default a { include a; } console a { type exec; exec x; include a; }", "name: a", "too deep"},
        {"config * { unifiedlog /x; } task 1 { cmd ls; } thing x { }", "consoles: []", "not a block"},
        {"console a { type exec; exec x; execsubst nonsense; }", "name: a", "expected c=t[n]f"},
        {"console a { type exec; exec x; baud fast; execsubst x=bd; }", "command: \"0\"",
         "expected a number"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct made m = import(rows[i][0]);

        if (!strstr(buf_str(&m.yaml), rows[i][1]))
            fail_msg("%s\n%s\nexpected %s", rows[i][0], buf_str(&m.yaml), rows[i][1]);
        if (!strstr(buf_str(&m.notes), rows[i][2]))
            fail_msg("%s\n%s\nexpected %s", rows[i][0], buf_str(&m.notes), rows[i][2]);
        assert_null(strstr(buf_str(&m.notes), "s3cret"));
        assert_null(strstr(buf_str(&m.yaml), "s3cret"));
        clear(&m);
    }
}

static void rights(void **state)
{
    struct made m = import("group ops { users anna, bob; } group ops { users @wheel; }"
                           "group all { users ops, carol, !bob; }"
                           "default * { type exec; exec x; }"
                           "console a { rw ops; ro all; }"
                           "console b { rw *; ro all; }"
                           "console c { ro \"*\"; }");

    (void)state;
    assert_non_null(strstr(buf_str(&m.yaml), "  access:\n"
                                             "  - {user: anna, right: control}\n"
                                             "  - {user: bob, right: control}\n"
                                             "  - {group: wheel, right: control}\n"
                                             "  - {user: carol, right: watch}\n"
                                             "- name: b\n"
                                             "  source: {type: exec, command: x}\n"
                                             "- name: c\n"));
    assert_non_null(strstr(buf_str(&m.notes), "console a: !bob"));
    assert_non_null(strstr(buf_str(&m.notes), "ro *"));
    assert_int_equal(m.result.consoles, 3);
    assert_int_equal(m.result.left_out, 0);
    clear(&m);
}

/* Each default includes the next one twice: two to the fortieth. */
static void doubling_is_given_up(void **state)
{
    struct buf text = buf_init(1 << 16);
    struct made m;

    (void)state;
    for (int i = 40; i > 0; i--)
        buf_printf(&text, "default d%d { include d%d; include d%d; } group g%d { users g%d, g%d; }\n", i,
                   i + 1, i + 1, i, i + 1, i + 1);
    buf_puts(&text, "console a { type exec; exec x; include d1; } console b { type exec; rw g1; }");
    m = import(buf_str(&text));
    assert_non_null(strstr(buf_str(&m.notes), "a: it inherits too much"));
    assert_non_null(strstr(buf_str(&m.notes), "b: it inherits too much"));
    clear(&m);
    buf_free(&text);
}

static void what_is_shared_is_said_once(void **state)
{
    struct made m = import("default * { type exec; exec x; motd hello; }"
                           "console a { } console b { } console c { }");
    const char *first = strstr(buf_str(&m.notes), "motd");

    (void)state;
    assert_non_null(first);
    assert_null(strstr(first + 1, "motd"));
    assert_int_equal(m.result.notes, 2); /* and that there is no log file */
    clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(consoles),
        cmocka_unit_test(rights),
        cmocka_unit_test(doubling_is_given_up),
        cmocka_unit_test(what_is_shared_is_said_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
