/* Logging in to one device over plain HTTP: digest in all dialects, nonces, realms, passwords refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/wsman/http_bench.h"
#include "wsman/http_internal.h"

static void one_challenge_for_a_series(void **state)
{
    struct bench *b = *state;

    for (int i = 0; i < 20; i++)
        bench_succeeds(b, 200, FAKE_CONTENT);
    struct fake_seen seen = fake_device_seen(b->device);
    assert_int_equal(seen.unauthorized, 1);
    assert_int_equal(seen.served, 20);
    assert_int_equal(seen.connections, 2); /* the 401 closed the first */
    assert_int_equal(seen.bad_counters, 0);
    assert_int_equal(seen.last_nc, 20);
    assert_int_equal(seen.wrong_logins, 0);

    struct http_facts facts = http_session_facts(b->session);
    assert_int_equal(facts.challenges, 1);
    assert_int_equal(facts.requests, 21);
    assert_int_equal(facts.connections, 2);
    assert_string_equal(facts.realm, FAKE_REALM);
    assert_string_equal(facts.server, FAKE_SERVER);
    assert_non_null(strstr(facts.schemes, "Digest realm="));
}

static void request_is_as_firmware_wants_it(void **state)
{
    struct bench *b = *state;
    char host[64];

    bench_succeeds(b, 200, FAKE_CONTENT);
    struct fake_seen seen = fake_device_seen(b->device);
    snprintf(host, sizeof(host), "pc1.example:%u", fake_device_port(b->device));
    assert_string_equal(seen.method, "POST");
    assert_string_equal(seen.uri, "/wsman");
    assert_string_equal(seen.host, host);
    assert_string_equal(seen.content_type, "application/soap+xml;charset=UTF-8");
    assert_string_equal(seen.body, BENCH_BODY);
    assert_false(seen.expect);
    assert_false(seen.accept);
    assert_false(seen.cookie);
    assert_false(seen.user_agent);
}

static void get_has_no_body_and_its_own_path(void **state)
{
    struct bench *b = *state;

    bench_send_to(b, "/index.htm", NULL);
    assert_true(bench_wait(b));
    assert_int_equal(b->result.status, 200);
    struct fake_seen seen = fake_device_seen(b->device);
    assert_string_equal(seen.method, "GET");
    assert_string_equal(seen.uri, "/index.htm");
    assert_string_equal(seen.body, "");
    assert_string_equal(seen.content_type, "");
    bench_succeeds(b, 200, FAKE_CONTENT); /* and back to POST */
    assert_string_equal(fake_device_seen(b->device).body, BENCH_BODY);
    assert_int_equal(fake_device_seen(b->device).unauthorized, 1);
}

static void new_nonce_when_the_old_is_stale(void **state)
{
    struct bench *b = *state;

    fake_device_set(b->device, &(struct fake_script){.nonce_uses = 5});
    for (int i = 0; i < 20; i++)
        bench_succeeds(b, 200, FAKE_CONTENT);
    struct fake_seen seen = fake_device_seen(b->device);
    assert_int_equal(seen.unauthorized, 4); /* exactly one for each nonce */
    assert_int_equal(seen.served, 20);
    assert_int_equal(seen.bad_counters, 0);
}

static void nonce_outlives_the_connection(void **state)
{
    struct bench *b = *state;

    fake_device_set(b->device, &(struct fake_script){.close = FAKE_CLOSE_ANSWER});
    for (int i = 0; i < 5; i++) {
        bench_succeeds(b, 200, FAKE_CONTENT);
        assert_true(loop_until_is(&b->loop, b->http, bench_connection_closed, b));
    }
    struct fake_seen seen = fake_device_seen(b->device);
    assert_int_equal(seen.unauthorized, 1);
    assert_int_equal(seen.connections, 6);
    assert_int_equal(seen.last_nc, 5);
}

static void nonce_forgotten_without_stale(void **state)
{
    struct bench *b = *state;

    bench_succeeds(b, 200, FAKE_CONTENT);
    fake_device_forget_nonce(b->device);
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(fake_device_seen(b->device).unauthorized, 2);
}

static void challenge_on_a_connection_that_stays(void **state)
{
    struct bench *b = *state;

    fake_device_set(b->device, &(struct fake_script){.keep_401 = true});
    bench_succeeds(b, 200, FAKE_CONTENT);
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(fake_device_seen(b->device).connections, 1);
    assert_int_equal(fake_device_seen(b->device).unauthorized, 1);
}

static void dialects(void **state)
{
    static const struct {
        const char *challenge;
        const char *qop;
    } cases[] = {
        {"WWW-Authenticate: Digest realm=\"%1$s\", nonce=\"%2$s\",stale=\"%3$s\",qop=\"auth\"\r\n", "auth"},
        {"WWW-Authenticate: Digest realm=\"%1$s\", nonce=\"%2$s\",stale=%3$s,qop=\"auth-int, auth\"\r\n",
         "auth"},
        {"WWW-Authenticate: Digest realm=\"%1$s\", nonce=\"%2$s\",stale=%3$s,qop=\"auth-int\"\r\n",
         "auth-int"},
        {"WWW-Authenticate: Digest realm=\"%1$s\",nonce=\"%2$s\"\r\n", ""},
        {"www-authenticate: DIGEST Realm=\"%1$s\", NONCE=\"%2$s\", Qop=auth, Algorithm=md5\r\n", "auth"},
        {"WWW-Authenticate: Negotiate\r\nWWW-Authenticate: Digest realm=\"%1$s\", "
         "nonce=\"%2$s\",qop=\"auth\"\r\n",
         "auth"},
        {"WWW-Authenticate: Negotiate, Digest realm=\"%1$s\", nonce=\"%2$s\",qop=\"auth\", Basic "
         "realm=\"x\"\r\n",
         "auth"},
        {"WWW-Authenticate:Digest realm=\"%1$s\" ,\t nonce = \"%2$s\" , domain=\"/, a=b\",opaque=\"a\\\"b\", "
         "qop = \"auth\",x-new=y\r\n",
         "auth"},
        {"WWW-Authenticate: Digest realm=\"%1$s\", nonce=\"%2$s\", algorithm=SHA-256, qop=\"auth\"\r\n"
         "WWW-Authenticate: Digest realm=\"%1$s\", nonce=\"%2$s\", algorithm=MD5, qop=\"auth\"\r\n",
         "auth"},
    };
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        fake_device_set(b->device, &(struct fake_script){.challenge = cases[i].challenge});
        bench_open(b);
        unsigned before = fake_device_seen(b->device).unauthorized;
        bench_succeeds(b, 200, FAKE_CONTENT);
        bench_succeeds(b, 200, FAKE_CONTENT);
        assert_string_equal(fake_device_seen(b->device).qop, cases[i].qop);
        assert_int_equal(fake_device_seen(b->device).unauthorized - before, 1);
    }
}

static void what_we_cannot_answer(void **state)
{
    static const char *const challenges[] = {
        "WWW-Authenticate: Digest realm=\"%1$s\", nonce=\"%2$s\", algorithm=SHA-256, qop=\"auth\"\r\n",
        "WWW-Authenticate: Digest realm=\"%1$s\", nonce=\"%2$s\", qop=\"auth-conf\"\r\n",
        "WWW-Authenticate: Digest realm=\"%1$s\"\r\n",
        "WWW-Authenticate: Digest realm=\"%1$s\", nonce=\"%2$s\r\n",
        "WWW-Authenticate: Negotiate\r\n",
        "WWW-Authenticate: Basic realm=\"%1$s\"\r\n",
        "",
    };
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof(challenges) / sizeof(challenges[0]); i++) {
        fake_device_set(b->device, &(struct fake_script){.challenge = challenges[i]});
        bench_open(b);
        unsigned before = fake_device_seen(b->device).requests;
        bench_fails(b, CAUSE_AUTH_UNSUPPORTED);
        assert_int_equal(fake_device_seen(b->device).requests - before, 1);
        assert_string_equal(fake_device_seen(b->device).authorization, "");
    }
}

static void wrong_password_is_tried_once(void **state)
{
    struct bench *b = *state;

    bench_set_password(b, "not it");
    bench_open(b);
    bench_fails(b, CAUSE_AUTH_FAILED);
    for (int i = 0; i < 5; i++)
        bench_fails(b, CAUSE_AUTH_FAILED);
    assert_int_equal(fake_device_seen(b->device).requests, 2);
    assert_int_equal(fake_device_seen(b->device).wrong_logins, 1);
}

static void password_changed_meanwhile(void **state)
{
    struct bench *b = *state;

    bench_succeeds(b, 200, FAKE_CONTENT);
    fake_device_set(b->device, &(struct fake_script){.password = "another"});
    fake_device_forget_nonce(b->device);
    bench_fails(b, CAUSE_AUTH_FAILED);
    bench_fails(b, CAUSE_AUTH_FAILED);
    assert_int_equal(fake_device_seen(b->device).wrong_logins, 1);
}

static void everything_stale_ends(void **state)
{
    struct bench *b = *state;

    fake_device_set(b->device, &(struct fake_script){.refuse = true, .always_stale = true});
    bench_fails(b, CAUSE_AUTH_FAILED);
    assert_int_equal(fake_device_seen(b->device).requests, 2);
}

static void locked_only_when_it_can_be_told(void **state)
{
    struct bench *b = *state;

    fake_device_set(b->device,
                    &(struct fake_script){.refuse = true, .page = "<p>This account is locked.</p>"});
    bench_fails(b, CAUSE_AUTH_LOCKED);
    bench_fails(b, CAUSE_AUTH_LOCKED);
    assert_int_equal(fake_device_seen(b->device).wrong_logins, 1);

    fake_device_set(b->device, &(struct fake_script){.refuse = true}); /* firmware's page names all reasons */
    bench_open(b);
    bench_fails(b, CAUSE_AUTH_FAILED);
}

static void another_realm_never_gets_the_hash(void **state)
{
    struct bench *b = *state;

    b->settings.realm = "Digest:00000000000000000000000000000000";
    bench_open(b);
    bench_fails(b, CAUSE_REALM_CHANGED);
    assert_string_equal(http_session_facts(b->session).realm, FAKE_REALM);
    b->settings.realm = NULL;
    bench_open(b);
    fake_device_set(b->device, &(struct fake_script){.realm = "Router login"});
    bench_fails(b, CAUSE_NOT_AMT);
    fake_device_set(b->device, &(struct fake_script){.realm = "Digest:34BF4B5A0561F95248F58509A406E04"});
    bench_fails(b, CAUSE_NOT_AMT);
    assert_int_equal(fake_device_seen(b->device).wrong_logins, 0);
    assert_string_equal(fake_device_seen(b->device).authorization, "");
}

static void realm_that_changes_under_way(void **state)
{
    struct bench *b = *state;

    bench_succeeds(b, 200, FAKE_CONTENT);
    fake_device_set(b->device, &(struct fake_script){.realm = "Digest:11111111111111111111111111111111"});
    fake_device_forget_nonce(b->device);
    bench_fails(b, CAUSE_REALM_CHANGED);
}

static void no_login_given(void **state)
{
    struct bench *b = *state;

    b->settings.user = NULL;
    b->settings.password = NULL;
    bench_open(b);
    bench_fails(b, CAUSE_NO_PROFILE);
    assert_string_equal(http_session_facts(b->session).server, FAKE_SERVER); /* seen all the same */
    fake_device_set(b->device, &(struct fake_script){.open = true});
    bench_succeeds(b, 200, FAKE_CONTENT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        BENCH_TEST(one_challenge_for_a_series),
        BENCH_TEST(request_is_as_firmware_wants_it),
        BENCH_TEST(get_has_no_body_and_its_own_path),
        BENCH_TEST(new_nonce_when_the_old_is_stale),
        BENCH_TEST(nonce_outlives_the_connection),
        BENCH_TEST(nonce_forgotten_without_stale),
        BENCH_TEST(challenge_on_a_connection_that_stays),
        BENCH_TEST(dialects),
        BENCH_TEST(what_we_cannot_answer),
        BENCH_TEST(wrong_password_is_tried_once),
        BENCH_TEST(password_changed_meanwhile),
        BENCH_TEST(everything_stale_ends),
        BENCH_TEST(locked_only_when_it_can_be_told),
        BENCH_TEST(another_realm_never_gets_the_hash),
        BENCH_TEST(realm_that_changes_under_way),
        BENCH_TEST(no_login_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
