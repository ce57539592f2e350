/* Which logins are tried on a host, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/fleet/proof.h"

struct scene {
    struct profile items[3];
    struct profiles profiles;
    struct own_password own;
    struct host host;
};

static struct scene scene(void)
{
    struct scene s = {
        .items = {{.name = (char *)"first", .user = (char *)"admin", .password = secret_new("one", 3)},
                  {.name = (char *)"second", .user = (char *)"root", .password = secret_new("two", 3)},
                  {.name = (char *)"tickets", .auth = PROFILE_AUTH_KERBEROS}},
        .own = {.user = (char *)"root"},
        .host = {.name = (char *)"pc7"},
    };

    return s;
}

static void tie(struct scene *s)
{
    s->profiles = (struct profiles){s->items, 3};
}

static void clear(struct scene *s)
{
    secret_free(s->items[0].password);
    secret_free(s->items[1].password);
    secret_free(s->own.proven);
    secret_free(s->own.next);
    pairs_clear(&s->host.facts);
}

/* "first:one second:two ..." of all logins, at most four. */
static void expect(const struct scene *s, const char *ordered, const char *want)
{
    char got[200] = "";
    struct login login;

    for (size_t k = 0; k < 5 && login_at(&s->profiles, &s->host, ordered, k, &login); k++) {
        size_t n = strlen(got);

        snprintf(got + n, sizeof(got) - n, "%s%s:%s%s", n > 0 ? " " : "", login.profile->name,
                 secret_str(login.password), login.unproven ? "?" : "");
    }
    assert_string_equal(got, want);
    assert_false(login_at(&s->profiles, &s->host, ordered, 9, &login));
    assert_null(login.profile);
}

static void the_one_that_worked_goes_first(void **state)
{
    struct scene s = scene();

    (void)state;
    tie(&s);
    expect(&s, NULL, "first:one second:two tickets:");
    pairs_set(&s.host.facts, "profile", "second");
    expect(&s, NULL, "second:two first:one tickets:");
    expect(&s, "first", "first:one");
    s.host.profile = (char *)"tickets";
    expect(&s, NULL, "tickets:");
    expect(&s, "gone", "");
    clear(&s);
}

static void a_password_of_its_own_takes_the_place_of_the_profiles(void **state)
{
    struct scene s = scene();

    (void)state;
    tie(&s);
    s.host.passwords = (struct own_passwords){&s.own, 1};
    s.own.proven = secret_new("own", 3);
    expect(&s, NULL, "first:one second:own tickets:");
    clear(&s);
}

static void an_unproven_one_goes_before_the_one_it_replaces(void **state)
{
    struct scene s = scene();

    (void)state;
    tie(&s);
    s.host.passwords = (struct own_passwords){&s.own, 1};
    s.own.next = secret_new("new", 3);
    expect(&s, NULL, "first:one second:new? second:two tickets:");
    s.own.proven = secret_new("own", 3);
    expect(&s, "second", "second:new? second:own");
    clear(&s);
}

/* Whoever is let in knows which password the device has; else the wrong one would be tried for ever. */
static void each_way_in_settles_which_it_has(void **state)
{
    struct scene s = scene();
    struct login login;

    (void)state;
    tie(&s);
    s.host.passwords = (struct own_passwords){&s.own, 1};
    s.own.next = secret_new("new", 3);
    for (int proven = 0; proven < 2; proven++) {
        for (size_t k = 0; k < 2; k++) {
            assert_true(login_at(&s.profiles, &s.host, "second", k, &login));
            assert_ptr_equal(login.unsettled, &s.own);
            assert_int_equal(login.unproven, k == 0);
        }
        secret_free(s.own.proven);
        s.own.proven = secret_new("own", 3);
    }
    secret_free(s.own.next);
    s.own.next = NULL;
    assert_true(login_at(&s.profiles, &s.host, "second", 0, &login));
    assert_null(login.unsettled);
    clear(&s);
}

static void a_seal_that_does_not_open_is_no_empty_password(void **state)
{
    struct scene s = scene();
    struct err err = ERR_INIT;
    struct login login;

    (void)state;
    tie(&s);
    s.host.passwords = (struct own_passwords){&s.own, 1};
    s.own.seal_broken = true;
    assert_true(login_at(&s.profiles, &s.host, "second", 0, &login));
    assert_int_equal(login_check(&login, &s.host, &err), -1);
    assert_int_equal(err.cause, CAUSE_SEAL_BROKEN);
    clear(&s);
}

static void expect_proof(const struct scene *s, bool likely, const char *first, const char *second)
{
    struct login before = login_proven(&s->host, &s->items[1]), login;
    struct secret *fresh = secret_new("fresh", 5);
    struct proof *proof = proof_new(&before, fresh, likely, NULL);

    secret_free(fresh);
    assert_true(proof_login(proof, 0, &login));
    assert_string_equal(secret_str(login.password), first);
    assert_int_equal(login.unproven, likely);
    assert_true(proof_login(proof, 1, &login));
    assert_string_equal(secret_str(login.password), second);
    assert_int_equal(login.unproven, !likely);
    assert_false(proof_login(proof, 2, &login));
    proof_free(proof);
}

static void the_likely_password_is_proved_first(void **state)
{
    struct scene s = scene();

    (void)state;
    tie(&s);
    expect_proof(&s, true, "fresh", "two");
    expect_proof(&s, false, "two", "fresh");
    clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_that_worked_goes_first),
        cmocka_unit_test(a_password_of_its_own_takes_the_place_of_the_profiles),
        cmocka_unit_test(an_unproven_one_goes_before_the_one_it_replaces),
        cmocka_unit_test(each_way_in_settles_which_it_has),
        cmocka_unit_test(a_seal_that_does_not_open_is_no_empty_password),
        cmocka_unit_test(the_likely_password_is_proved_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
