/* Reading challenges of every dialect, and answering them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wsman/http_digest.h"

#define NONCE "bQali2IAAAAAAAAAn0xaWCOcxNsRcEHX"
#define REALM "Digest:34BF4B5A0561F95248F58509A406E046"

static void challenges(void **state)
{
    static const struct {
        const char *value;
        bool answerable;
        unsigned schemes, qop;
        bool stale;
        const char *realm, *nonce, *opaque, *token;
    } cases[] = {
        /* as firmware sends it */
        {"Digest realm=\"" REALM "\", nonce=\"" NONCE "\",stale=\"false\",qop=\"auth\"", true,
         HTTP_SCHEME_DIGEST, HTTP_QOP_AUTH, false, REALM, NONCE, "", ""},
        {"Digest realm=\"r\",nonce=\"n\",stale=TRUE,qop=\"auth-int, auth\"", true, HTTP_SCHEME_DIGEST,
         HTTP_QOP_AUTH | HTTP_QOP_AUTH_INT, true, "r", "n", "", ""},
        {"Digest realm=\"r\",nonce=\"n\",stale=\"true\",qop=\"auth-int\"", true, HTTP_SCHEME_DIGEST,
         HTTP_QOP_AUTH_INT, true, "r", "n", "", ""},
        {"Digest realm=\"r\",nonce=\"n\",qop=auth", true, HTTP_SCHEME_DIGEST, HTTP_QOP_AUTH, false, "r", "n",
         "", ""},
        {"Digest realm=r,nonce=a+/b==", true, HTTP_SCHEME_DIGEST, 0, false, "r", "a+/b==", "", ""},
        {"dIgEsT\tREALM = \"a\\\"b\\\\c\" , ,Nonce=\"n\" ,oPaque=\"o, p=q\"", true, HTTP_SCHEME_DIGEST, 0,
         false, "a\"b\\c", "n", "o, p=q", ""},
        {"Digest nonce=\"n\",realm=\"\"", true, HTTP_SCHEME_DIGEST, 0, false, "", "n", "", ""},
        {"Digest realm=\"r\",nonce=\"n\",qop=\"auth-conf,AUTH\"", true, HTTP_SCHEME_DIGEST, HTTP_QOP_AUTH,
         false, "r", "n", "", ""},
        /* several in one header */
        {"Negotiate, Digest realm=\"r\",nonce=\"n\"", true, HTTP_SCHEME_DIGEST | HTTP_SCHEME_NEGOTIATE, 0,
         false, "r", "n", "", ""},
        {"Digest realm=\"r\",nonce=\"n\", Negotiate YII+/a==, Basic realm=\"b\"", true,
         HTTP_SCHEME_DIGEST | HTTP_SCHEME_NEGOTIATE | HTTP_SCHEME_OTHER, 0, false, "r", "n", "", "YII+/a=="},
        {"Digest realm=\"1\",nonce=\"1\", Digest realm=\"2\",nonce=\"2\"", true, HTTP_SCHEME_DIGEST, 0, false,
         "1", "1", "", ""},
        {"Digest realm=\"1\",nonce=\"1\",algorithm=SHA-256, Digest realm=\"2\",nonce=\"2\",algorithm=MD5",
         true, HTTP_SCHEME_DIGEST, 0, false, "2", "2", "", ""},
        {"Negotiate", false, HTTP_SCHEME_NEGOTIATE, 0, false, "", "", "", ""},
        {"Negotiate YII=", false, HTTP_SCHEME_NEGOTIATE, 0, false, "", "", "", "YII="},
        {"Basic realm=\"x\"", false, HTTP_SCHEME_OTHER, 0, false, "", "", "", ""},
        /* not answerable */
        {"", false, 0, 0, false, "", "", "", ""},
        {",,, ,", false, 0, 0, false, "", "", "", ""},
        {"Digest", false, HTTP_SCHEME_DIGEST, 0, false, "", "", "", ""},
        {"Digest realm=\"r\"", false, HTTP_SCHEME_DIGEST, 0, false, "", "", "", ""},
        {"Digest nonce=\"n\"", false, HTTP_SCHEME_DIGEST, 0, false, "", "", "", ""},
        {"Digest realm=\"r\",nonce=\"\"", false, HTTP_SCHEME_DIGEST, 0, false, "", "", "", ""},
        {"Digest realm=\"r\",nonce=\"n", false, HTTP_SCHEME_DIGEST, 0, false, "", "", "", ""},
        {"Digest realm=\"r\",nonce=\"n\\", false, HTTP_SCHEME_DIGEST, 0, false, "", "", "", ""},
        {"Digest realm=\"r\",nonce=\"n\",algorithm=MD5-sess", false, HTTP_SCHEME_DIGEST, 0, false, "", "", "",
         ""},
        {"Digest realm=\"r\",nonce=\"n\",qop=\"\"", false, HTTP_SCHEME_DIGEST, 0, false, "", "", "", ""},
        {"Digest realm=\"r\001\",nonce=\"n\"", false, HTTP_SCHEME_DIGEST, 0, false, "", "", "", ""},
        {"realm=\"r\",nonce=\"n\"", false, 0, 0, false, "", "", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_challenge c = {0};
        char token[64] = "";
        http_challenge_read(&c, cases[i].value, strlen(cases[i].value));
        if (c.token.n)
            memcpy(token, c.token.p, c.token.n);
        assert_int_equal(c.answerable, cases[i].answerable);
        assert_int_equal(c.schemes, cases[i].schemes);
        assert_int_equal(c.qop, cases[i].qop);
        assert_int_equal(c.stale, cases[i].stale);
        assert_string_equal(c.realm, cases[i].realm);
        assert_string_equal(c.nonce, cases[i].nonce);
        assert_string_equal(c.opaque, cases[i].opaque);
        assert_string_equal(token, cases[i].token);
        assert_true(c.answerable || !(c.schemes & HTTP_SCHEME_DIGEST) || c.why_not);
    }
}

static void too_long_is_not_answerable(void **state)
{
    static const size_t lengths[] = {HTTP_NONCE_MAX + 1, 1024, 1025, 20000};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct http_challenge c = {0};
        struct buf value = buf_init(65536);
        buf_puts(&value, "Digest realm=\"r\", nonce=\"");
        for (size_t j = 0; j < lengths[i]; j++)
            buf_putc(&value, 'n');
        buf_puts(&value, "\"");
        http_challenge_read(&c, value.p, value.len);
        assert_false(c.answerable);
        assert_non_null(c.why_not);
        buf_free(&value);
    }
}

static void cut_off_anywhere(void **state)
{
    static const char whole[] =
        "Negotiate YII=, Digest realm=\"" REALM "\", nonce=\"" NONCE "\",qop=\"auth\"";

    (void)state;
    for (size_t n = 0; n < strlen(whole); n++) {
        struct http_challenge c = {0};
        char *exact = malloc(n ? n : 1); /* so that a sanitizer sees every byte too many */
        memcpy(exact, whole, n);
        http_challenge_read(&c, exact, n);
        assert_true(!c.answerable || strcmp(c.nonce, NONCE) == 0);
        free(exact);
    }
}

static void realms(void **state)
{
    (void)state;
    assert_true(http_realm_is_amt(REALM));
    assert_true(http_realm_is_amt("Digest:34bf4b5a0561f95248f58509a406e046"));
    assert_false(http_realm_is_amt("Digest:34BF4B5A0561F95248F58509A406E04"));
    assert_false(http_realm_is_amt("Digest:34BF4B5A0561F95248F58509A406E0461"));
    assert_false(http_realm_is_amt("Digest:34BF4B5A0561F95248F58509A406E04G"));
    assert_false(http_realm_is_amt("digest:34BF4B5A0561F95248F58509A406E046"));
    assert_false(http_realm_is_amt(""));
}

struct login {
    struct http_md5 md5;
    struct http_digest digest;
};

static struct login login_new(const char *user, const char *password)
{
    struct login login;
    struct err err = ERR_INIT;
    struct secret *secret = secret_new(password, strlen(password));

    assert_int_equal(http_md5_init(&login.md5, &err), 0);
    http_digest_init(&login.digest, user, secret);
    secret_free(secret);
    return login;
}

static void login_clear(struct login *login)
{
    http_digest_clear(&login->digest);
    http_md5_clear(&login->md5);
}

static void accept_text(struct login *login, const char *value)
{
    struct http_challenge c = {0};
    struct err err = ERR_INIT;

    http_challenge_read(&c, value, strlen(value));
    assert_true(c.answerable);
    assert_int_equal(http_digest_accept(&login->digest, &login->md5, &c, "0a4f113b", &err), 0);
}

static void answer_is(struct login *login, const char *method, const char *uri, const char *body,
                      const char *expected)
{
    struct buf out = buf_init(4096);
    struct err err = ERR_INIT;
    struct view entity = {(const uint8_t *)body, strlen(body)};

    assert_int_equal(http_digest_answer(&login->digest, &login->md5, method, uri, entity, &out, &err), 0);
    assert_string_equal(buf_str(&out), expected);
    buf_free(&out);
}

/* The example of RFC 2617 section 3.5. */
static void answers_as_the_standard(void **state)
{
    struct login login = login_new("Mufasa", "Circle Of Life");

    (void)state;
    assert_false(http_digest_ready(&login.digest));
    accept_text(&login,
                "Digest realm=\"testrealm@host.com\",qop=\"auth,auth-int\","
                "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\",opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"");
    assert_true(http_digest_ready(&login.digest));
    answer_is(&login, "GET", "/dir/index.html", "",
              "Digest username=\"Mufasa\",realm=\"testrealm@host.com\","
              "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\",uri=\"/dir/index.html\","
              "response=\"6629fae49393a05397450978507c4ef1\",opaque=\"5ccc069c403ebaf9f0171e9517f40e41\","
              "qop=auth,nc=00000001,cnonce=\"0a4f113b\"");
    login_clear(&login);
}

/* Responses computed with another implementation of MD5. */
static void answers_of_other_forms(void **state)
{
    struct login login = login_new("ad\"min", "x");

    (void)state;
    accept_text(&login, "Digest realm=\"r\\\\q\",nonce=\"n\",algorithm=MD5"); /* RFC 2069 */
    answer_is(&login, "POST", "/wsman", "body",
              "Digest username=\"ad\\\"min\",realm=\"r\\\\q\",nonce=\"n\",uri=\"/wsman\","
              "response=\"ab33695401d78203f4688bede9e8138d\",algorithm=MD5");
    accept_text(&login, "Digest realm=\"r\\\\q\",nonce=\"n2\",qop=\"auth-int\"");
    answer_is(&login, "POST", "/wsman", "body",
              "Digest username=\"ad\\\"min\",realm=\"r\\\\q\",nonce=\"n2\",uri=\"/wsman\","
              "response=\"c826883b1953dadfc000d41c9be0a027\",qop=auth-int,nc=00000001,cnonce=\"0a4f113b\"");
    answer_is(&login, "POST", "/wsman", "body",
              "Digest username=\"ad\\\"min\",realm=\"r\\\\q\",nonce=\"n2\",uri=\"/wsman\","
              "response=\"481e7e7aed2e8ff68a82689b747eede9\",qop=auth-int,nc=00000002,cnonce=\"0a4f113b\"");
    http_digest_forget(&login.digest);
    assert_false(http_digest_ready(&login.digest));
    login_clear(&login);
}

static void wiped_when_cleared(void **state)
{
    static const char nothing[33];
    struct login login = login_new("admin", "secret");

    (void)state;
    accept_text(&login, "Digest realm=\"r\", nonce=\"n\"");
    assert_memory_not_equal(login.digest.ha1, nothing, 32);
    login_clear(&login);
    assert_memory_equal(login.digest.ha1, nothing, 32);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(challenges),
        cmocka_unit_test(too_long_is_not_answerable),
        cmocka_unit_test(cut_off_anywhere),
        cmocka_unit_test(realms),
        cmocka_unit_test(answers_as_the_standard),
        cmocka_unit_test(answers_of_other_forms),
        cmocka_unit_test(wiped_when_cleared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
