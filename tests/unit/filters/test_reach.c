#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "filters/reach.h"
#include "filters/rules.h"
#include "tests/unit/filters/text_file.h"

#define SERVER 0x0a000005u /* 10.0.0.5 */

/* The needs, and the ways as "need:port", a ping without port. */
static void ways_of_needs(void **state)
{
    static const struct {
        const char *needs, *ways;
    } rows[] = {
        {"<need name='rdp' protocol='tcp' remote='10.0.0.5' local-ports='3389'/>", "rdp:3389 "},
        {"<need name='rdp' protocol='tcp' remote='10.0.0.0/24' local-ports='3389'/>", "rdp:3389 "},
        {"<need name='rdp' protocol='tcp' remote='10.0.0.6' local-ports='3389'/>", ""},
        {"<need name='web' protocol='tcp' remote='10.0.0.5' remote-ports='443'/>", ""},
        {"<need name='any' remote='10.0.0.5'/>", "any:22 any:445 any:3389 any "},
        {"<need name='ping' protocol='icmp'/>", "ping "},
        {"<need name='nd' protocol='icmpv6'/>", ""},
        {"<need name='arp' ethertype='arp'/>", ""},
        {"<need name='six' ip='6' protocol='tcp' local-ports='22'/>", ""},
        {"<need name='many' protocol='tcp' local-ports='65530-65535'/>",
         "many:65530 many:65531 many:65532 many:65533 "},
        {"<need name='a' protocol='tcp' local-ports='22'/><need name='b' protocol='tcp' "
         "local-ports='22,23'/>",
         "a:22 b:23 "},
        {"<need name='a' protocol='tcp' local-ports='1-9'/><need name='b' protocol='tcp' "
         "local-ports='11-19'/>"
         "<need name='c' protocol='tcp' local-ports='21-29'/>",
         "a:1 a:2 a:3 a:4 b:11 b:12 b:13 b:14 "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct filter_file *file;
        struct ruleset *rules = rules_of(rows[i].needs, NULL, &file);
        struct reach_way ways[REACH_WAYS_MAX];
        size_t n = reach_ways(rules, 4, SERVER, ways);
        char text[512] = "";

        for (size_t k = 0; k < n; k++) {
            size_t len = strlen(text);

            if (ways[k].port > 0)
                snprintf(text + len, sizeof(text) - len, "%s:%u ", ways[k].need, ways[k].port);
            else
                snprintf(text + len, sizeof(text) - len, "%s ", ways[k].need);
        }
        assert_string_equal(text, rows[i].ways);
        ruleset_free(rules);
        filter_file_free(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ways_of_needs)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
