/* Login as AMT does it. (reference wsman.md, 1.3) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/amtsim/digest.h"
#include "tests/amtsim/record.h"
#include "tests/amtsim/web.h"
#include "tests/unit/amtsim/stage.h"

static struct view view_of(const char *s)
{
    return (struct view){(const uint8_t *)s, strlen(s)};
}

static void new_nonce(struct device *d, char out[DIGEST_NONCE_LEN + 1])
{
    struct buf b = buf_init(1024);
    digest_challenge(d, false, &b);
    const char *p = strstr(buf_str(&b), "nonce=\"");
    assert_non_null(p);
    snprintf(out, DIGEST_NONCE_LEN + 1, "%s", p + 7);
    buf_free(&b);
}

struct login {
    const char *user, *password, *qop, *nc, *nonce, *body;
    int keep; /* hex digits of the response that are sent */
};

/* The Authorization header a client would send, computed by RFC 2617 here. */
static const char *authorization(const struct login *l)
{
    static char header[1024];
    char realm[DEVICE_REALM_MAX], ha1[33], ha2[33], hbody[33], response[33];
    device_challenge_realm(device, realm);
    const char *a1[] = {l->user, realm, l->password};
    const char *body[] = {l->body != NULL ? l->body : ""};
    digest_md5_hex(sim.fleet, a1, 3, ha1);
    digest_md5_hex(sim.fleet, body, 1, hbody);
    const char *a2[] = {"POST", "/wsman", hbody};
    digest_md5_hex(sim.fleet, a2, strcmp(l->qop, "auth-int") == 0 ? 3 : 2, ha2);
    const char *all[] = {ha1, l->nonce, l->nc, "abcdef", l->qop, ha2};
    digest_md5_hex(sim.fleet, all, 6, response);
    snprintf(header, sizeof(header),
             "Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"/wsman\", cnonce=\"abcdef\", nc=%s, "
             "qop=%s, response=\"%.*s\"",
             l->user, realm, l->nonce, l->nc, l->qop, l->keep != 0 ? l->keep : 32, response);
    return header;
}

static uint32_t realms; /* of the account let in */

static enum digest_result login(const struct login *l, const char *body)
{
    return digest_check(device, view_of(authorization(l)), view_of("POST"), view_of("/wsman"), view_of(body),
                        &realms);
}

static void nonce_form(void **state)
{
    char nonce[DIGEST_NONCE_LEN + 1], other[DIGEST_NONCE_LEN + 1];
    (void)state;
    new_nonce(device, nonce);
    new_nonce(device, other);
    assert_int_equal(strlen(nonce), 32);
    assert_null(strpbrk(nonce, "=,"));
    assert_string_not_equal(nonce, other);
    assert_true(digest_nonce_good(device, nonce));
    assert_false(digest_nonce_good(&sim.fleet->devices[1], nonce));
    nonce[20] = nonce[20] == 'A' ? 'B' : 'A';
    assert_false(digest_nonce_good(device, nonce));
}

static void challenge_form(void **state)
{
    struct buf b = buf_init(1024);
    char realm[DEVICE_REALM_MAX], want[256];
    (void)state;
    digest_challenge(device, true, &b);
    snprintf(want, sizeof(want), "WWW-Authenticate: Digest realm=\"%s\", nonce=\"",
             device_realm(device, realm));
    assert_memory_equal(buf_str(&b), want, strlen(want));
    assert_non_null(strstr(buf_str(&b), "\",stale=\"true\",qop=\"auth,auth-int\"\r\n"));
    assert_int_equal(strlen(realm), 39);
    buf_free(&b);
}

static void good_login_again_and_again(void **state)
{
    char nonce[DIGEST_NONCE_LEN + 1];
    (void)state;
    new_nonce(device, nonce);
    struct login l = {"admin", "P@ssw0rd1", "auth", "00000001", nonce, NULL, 0};
    assert_int_equal(login(&l, "x"), DIGEST_OK);
    l.nc = "00000005";
    assert_int_equal(login(&l, "y"), DIGEST_OK);
    assert_int_equal(record_counter_get(device, RECORD_NC_REUSED), 0);
    assert_int_equal(login(&l, "y"), DIGEST_OK);
    assert_int_equal(record_counter_get(device, RECORD_NC_REUSED), 1);
    sim.time.mono += 300001;
    assert_int_equal(login(&l, "y"), DIGEST_STALE);
    assert_int_equal(record_counter_get(device, RECORD_LOGINS_WRONG), 0);
}

static void quoted_nc_and_qop(void **state)
{
    struct digest_fields f;
    (void)state;
    assert_true(
        digest_parse(&f, view_of("Digest username=\"a\",realm=\"r\",nonce=\"n\",uri=\"/wsman\",qop=\"auth\","
                                 "nc=\"00000001\",cnonce=\"c\",response=\"d\"")));
    assert_string_equal(f.qop, "auth");
    assert_string_equal(f.nc, "00000001");
    assert_false(digest_parse(&f, view_of("Basic YWJj")));
    assert_false(digest_parse(&f, view_of("Digest username=\"a")));
}

/* CVE-2017-5689: an empty or shortened response must never pass. */
static void shortened_response_is_refused(void **state)
{
    char nonce[DIGEST_NONCE_LEN + 1];
    (void)state;
    new_nonce(device, nonce);
    sim.options.lock_count = 0;
    struct login l = {"admin", "P@ssw0rd1", "auth", "00000001", nonce, NULL, 31};
    assert_int_equal(login(&l, ""), DIGEST_WRONG);
    char header[512], realm[DEVICE_REALM_MAX];
    snprintf(
        header, sizeof(header),
        "Digest username=\"admin\", realm=\"%s\", nonce=\"%s\", uri=\"/wsman\", cnonce=\"c\", nc=00000001, "
        "qop=auth, response=\"\"",
        device_realm(device, realm), nonce);
    assert_int_equal(
        digest_check(device, view_of(header), view_of("POST"), view_of("/wsman"), view_of(""), &realms),
        DIGEST_WRONG);
}

static void lockout_and_its_end(void **state)
{
    char nonce[DIGEST_NONCE_LEN + 1];
    (void)state;
    new_nonce(device, nonce);
    struct login bad = {"admin", "wrong", "auth", "00000001", nonce, NULL, 0};
    struct login good = {"admin", "P@ssw0rd1", "auth", "00000002", nonce, NULL, 0};
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(login(&bad, ""), DIGEST_WRONG);
    assert_int_equal(login(&good, ""), DIGEST_LOCKED);
    sim.time.mono += 29999;
    assert_int_equal(login(&good, ""), DIGEST_LOCKED);
    sim.time.mono += 1;
    assert_int_equal(login(&good, ""), DIGEST_OK);
}

static void auth_int_covers_the_body(void **state)
{
    char nonce[DIGEST_NONCE_LEN + 1];
    (void)state;
    new_nonce(device, nonce);
    struct login l = {"admin", "P@ssw0rd1", "auth-int", "00000001", nonce, "<a/>", 0};
    assert_int_equal(login(&l, "<a/>"), DIGEST_OK);
    assert_int_equal(login(&l, "<b/>"), DIGEST_WRONG);
}

static void old_firmware_knows_no_auth_int(void **state)
{
    char nonce[DIGEST_NONCE_LEN + 1];
    (void)state;
    new_nonce(device, nonce);
    struct login l = {"admin", "P@ssw0rd1", "auth-int", "00000001", nonce, "", 0};
    assert_int_equal(login(&l, ""), DIGEST_WRONG);
}

static void acl_change_ends_nonces(void **state)
{
    char nonce[DIGEST_NONCE_LEN + 1];
    (void)state;
    new_nonce(device, nonce);
    device_acl_changed(device);
    assert_false(digest_nonce_good(device, nonce));
}

/* A user added through the account service can log in; his password hash comes in base64 of MD5. */
static void added_user_logs_in(void **state)
{
    char nonce[DIGEST_NONCE_LEN + 1], realm[DEVICE_REALM_MAX], hex[33], body[512];
    (void)state;
    const char *a1[] = {"oper", device_realm(device, realm), "Secret12!"};
    digest_md5_hex(sim.fleet, a1, 3, hex);
    snprintf(body, sizeof(body),
             "<r:DigestUsername>oper</r:DigestUsername><r:DigestPassword>%s</r:DigestPassword>"
             "<r:AccessPermission>2</r:AccessPermission><r:Realms>5</r:Realms>",
             hex);
    assert_int_equal(sim_invoke(&sim, device, "AMT_AuthorizationService", "AddUserAclEntryEx", body, &text),
                     200);
    assert_non_null(strstr(text, "<g:Handle>1</g:Handle><g:ReturnValue>0</g:ReturnValue>"));
    new_nonce(device, nonce);
    struct login l = {"oper", "Secret12!", "auth", "00000001", nonce, NULL, 0};
    assert_int_equal(login(&l, ""), DIGEST_OK);
}

static void no_login_gives_the_recorded_401(void **state)
{
    struct buf out = buf_init(65536);
    struct http_request r;
    struct web_login cache = {0};
    static const char post[] = "POST /wsman HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n";
    (void)state;
    assert_int_equal(http_request_decode(&r, post, sizeof(post) - 1), DECODE_DONE);
    struct web_verdict v = web_answer(device, &r, false, &cache, &out);
    assert_true(v.close);
    assert_memory_equal(buf_str(&out), "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=", 58);
    assert_non_null(strstr(buf_str(&out),
                           "\r\nContent-Type: text/html\r\nServer: Intel(R) Active Management Technology "
                           "16.0.15.1810\r\nContent-Length: "));
    assert_non_null(strstr(buf_str(&out), "\r\nConnection: close\r\n\r\n<!DOCTYPE"));
    buf_free(&out);
}

int main(void)
{
#define WITH_FLEET(test) cmocka_unit_test_setup_teardown(test, stage_16, stage_clear)
    const struct CMUnitTest tests[] = {
        WITH_FLEET(nonce_form),
        WITH_FLEET(challenge_form),
        WITH_FLEET(good_login_again_and_again),
        WITH_FLEET(quoted_nc_and_qop),
        WITH_FLEET(shortened_response_is_refused),
        WITH_FLEET(lockout_and_its_end),
        WITH_FLEET(auth_int_covers_the_body),
        cmocka_unit_test_setup_teardown(old_firmware_knows_no_auth_int, stage_9, stage_clear),
        WITH_FLEET(acl_change_ends_nonces),
        WITH_FLEET(added_user_logs_in),
        WITH_FLEET(no_login_gives_the_recorded_401),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
