/* Whose certificate is wanted at the other end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "amtd/fleet/link.h"

static void test_names(void **state)
{
    static const struct {
        const char *name, *address;
        enum profile_auth auth;
        const char *wanted;
    } rows[] = {
        {"pc7", NULL, PROFILE_AUTH_DIGEST, "pc7"},
        {"pc7.example.com", NULL, PROFILE_AUTH_DIGEST, "pc7.example.com"},
        {"pc7.example.com", "10.1.0.7", PROFILE_AUTH_DIGEST, "pc7.example.com"},
        {"pc7.example.com", "fd00::7", PROFILE_AUTH_DIGEST, "pc7.example.com"},
        {"pc7", "10.1.0.7", PROFILE_AUTH_DIGEST, "10.1.0.7"},
        {"pc7", "amt7.example.com", PROFILE_AUTH_DIGEST, "amt7.example.com"},
        {"pc7.example.com", "amt7.example.com", PROFILE_AUTH_DIGEST, "amt7.example.com"},
        {"pc7", "10.1.0.7", PROFILE_AUTH_KERBEROS, "pc7"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct profile profile = {.user = (char *)"admin", .tls = PROFILE_TLS_CA, .auth = rows[i].auth};
        struct host host = {.name = (char *)rows[i].name, .address = (char *)rows[i].address};
        struct login login = {.profile = &profile};

        assert_string_equal(link_settings(&host, &login).name, rows[i].wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
