#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "wsman/http.h"

static void versions(void **state)
{
    static const struct {
        const char *server;
        bool amt;
        const char *version;
    } cases[] = {
        {"Intel(R) Active Management Technology 11.8.50", true, "11.8.50"},
        {"Intel(R) Active Management Technology 15.0.23.1706", true, "15.0.23.1706"},
        {"Intel(R) Active Management Technology  6.2", true, "6.2"},
        {"Intel(R) Standard Manageability 9.5.15", true, "9.5.15"},
        {"Intel(R) Small Business Technology 8.1.0", true, "8.1.0"},
        {"AMT", true, ""},
        {"AMT ", true, ""},
        {"AMT 12.0", true, "12.0"},
        {"Intel(R) Active Management Technology", true, ""},
        {"Intel(R) Active Management Technology x", true, ""},
        {"Intel(R) Active Management Technology 1.2x", true, ""},
        {"Intel(R) Active Management Technology .5", true, ""},
        {"Intel(R) Active Management Technology 5.", true, ""},
        {"Intel(R) Active Management Technology 11.8.50 (beta)", true, "11.8.50"},
        {"Intel(R) Active Management Technology 1111111111111111.11111111111111111111", true, ""},
        {"Intel(R) Active Management Technology15", false, ""},
        {"AMTD 1.0", false, ""},
        {"nginx/1.22.1", false, ""},
        {"", false, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[32] = "untouched";
        assert_int_equal(http_server_version(cases[i].server, out, sizeof(out)), cases[i].amt);
        assert_string_equal(out, cases[i].version);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(versions)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
