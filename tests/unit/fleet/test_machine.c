/* What proves that a machine is the host, and what its UUID says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/fleet/machine.h"

#define UUID    "4a6678ac-8a77-7c68-6fc0-aedf2f0223f5"
#define ANOTHER "e5fe5684-7312-17ff-ba2d-2471078ee0f3"

/* "proved" of a host with this fact, by a profile with this TLS. */
static bool proved(const char *name, const char *address, const char *fact, enum profile_tls tls,
                   enum profile_auth auth)
{
    struct profile profile = {.name = (char *)"lab", .user = (char *)"admin", .tls = tls, .auth = auth};
    struct host host = {.name = (char *)name, .address = (char *)address};
    struct login login = {.profile = &profile};
    bool is;

    if (fact)
        pairs_set(&host.facts, fact, "x");
    is = machine_is_proved(&host, &login);
    pairs_clear(&host.facts);
    return is;
}

static void test_proofs(void **state)
{
    static const struct {
        const char *name, *address, *fact;
        enum profile_tls tls;
        enum profile_auth auth;
        bool is;
    } rows[] = {
        {"pc1", "10.0.0.1", NULL, PROFILE_TLS_NONE, PROFILE_AUTH_DIGEST, false},
        {"pc1", "10.0.0.1", "amt.uuid", PROFILE_TLS_NONE, PROFILE_AUTH_DIGEST, false},
        {"pc1", "10.0.0.1", "amt.realm", PROFILE_TLS_NONE, PROFILE_AUTH_DIGEST, true},
        {"pc1", "10.0.0.1", NULL, PROFILE_TLS_NONE, PROFILE_AUTH_KERBEROS, true},
        {"pc1", "10.0.0.1", NULL, PROFILE_TLS_PIN, PROFILE_AUTH_DIGEST, false}, /* whoever comes first */
        {"pc1", "10.0.0.1", "tls.pin", PROFILE_TLS_PIN, PROFILE_AUTH_DIGEST, true},
        {"pc1", "10.0.0.1", "tls.pin", PROFILE_TLS_NONE, PROFILE_AUTH_DIGEST, false}, /* not looked at */
        {"pc1", "10.0.0.1", NULL, PROFILE_TLS_CA, PROFILE_AUTH_DIGEST, false},
        {"pc1.example", "10.0.0.1", NULL, PROFILE_TLS_CA, PROFILE_AUTH_DIGEST, true},
        {"pc1", "pc1.example", NULL, PROFILE_TLS_OWN, PROFILE_AUTH_DIGEST, true},
        {"pc1", "fe80::1", NULL, PROFILE_TLS_OWN, PROFILE_AUTH_DIGEST, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (proved(rows[i].name, rows[i].address, rows[i].fact, rows[i].tls, rows[i].auth) != rows[i].is)
            fail_msg("row %zu", i);
}

static void test_compare(void **state)
{
    struct err err = ERR_INIT, why = ERR_INIT;
    struct host host = {.name = (char *)"pc7"};

    (void)state;
    assert_int_equal(machine_compare(&host, UUID, NULL, &err), 0); /* never seen */
    assert_int_equal(machine_compare(&host, "", NULL, &err), 0);
    pairs_set(&host.facts, "amt.uuid", UUID);
    assert_int_equal(machine_compare(&host, UUID, NULL, &err), 0);
    assert_int_equal(machine_compare(&host, ANOTHER, NULL, &err), -1);
    assert_int_equal(err.cause, CAUSE_WRONG_MACHINE);
    assert_non_null(strstr(err.text, ANOTHER));
    err_clear(&err);
    err_set(&why, CAUSE_ACCESS_DENIED, "not for you");
    assert_int_equal(machine_compare(&host, "", &why, &err), -1);
    assert_int_equal(err.cause, CAUSE_WRONG_MACHINE);
    assert_non_null(strstr(err.text, "not for you"));
    pairs_set(&host.facts, "amt.uuid.shared", "yes"); /* the same is no proof then */
    assert_int_equal(machine_compare(&host, UUID, NULL, &err), -1);
    assert_non_null(strstr(err.text, "other machines have its UUID"));
    pairs_clear(&host.facts);
    pairs_set(&host.facts, "amt.uuid", "00000000-0000-0000-0000-000000000000");
    assert_int_equal(machine_compare(&host, "00000000-0000-0000-0000-000000000000", NULL, &err), -1);
    pairs_clear(&host.facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proofs),
        cmocka_unit_test(test_compare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
