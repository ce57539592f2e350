#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/peer/token.h"

static void fill(struct token *t, const char *host)
{
    assert_int_equal(token_init(t, NULL), 0);
    t->kind = PEER_CLIENT;
    t->expires_ms = 1767225600000;
    memset(t->pin, 7, sizeof(t->pin));
    snprintf(t->host, sizeof(t->host), "%s", host);
    t->port = 8689;
}

static void test_round_trip(void **state)
{
    static const char *const hosts[] = {"amtd.example.com", "192.0.2.7", "2001:db8::1"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct buf text = buf_init(2048);
        struct token in, out;
        struct err err = ERR_INIT;

        fill(&in, hosts[i]);
        buf_puts(&text, "  ");
        token_write(&text, &in);
        buf_puts(&text, "\n");
        assert_int_equal(token_read(&out, buf_str(&text), &err), 0);
        assert_int_equal(out.kind, in.kind);
        assert_int_equal(out.expires_ms, in.expires_ms);
        assert_memory_equal(out.pin, in.pin, sizeof(in.pin));
        assert_memory_equal(out.id, in.id, sizeof(in.id));
        assert_memory_equal(out.secret, in.secret, sizeof(in.secret));
        assert_string_equal(out.host, in.host);
        assert_int_equal(out.port, in.port);
        buf_free(&text);
    }
}

/* Whatever letter is lost or changed, it is no token. */
static void test_damaged(void **state)
{
    struct buf text = buf_init(2048);
    struct token in, out;

    (void)state;
    fill(&in, "amtd.example.com");
    token_write(&text, &in);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t kept = text.p[i];

        text.p[i] = kept == 'A' ? 'B' : 'A';
        assert_int_equal(token_read(&out, buf_str(&text), NULL), -1);
        text.p[i] = kept;
        text.p[i] = '\0';
        assert_int_equal(token_read(&out, buf_str(&text), NULL), -1);
        text.p[i] = kept;
    }
    assert_int_equal(token_read(&out, "", NULL), -1);
    assert_int_equal(token_read(&out, "amtd1-", NULL), -1);
    buf_puts(&text, " more");
    assert_int_equal(token_read(&out, buf_str(&text), NULL), -1);
    buf_free(&text);
}

static void test_proof(void **state)
{
    uint8_t secret[TOKEN_SECRET] = {1}, a[PEER_PIN] = {2}, b[PEER_PIN] = {3};
    uint8_t first[TOKEN_PROOF], second[TOKEN_PROOF];

    (void)state;
    token_proof(secret, a, b, first);
    token_proof(secret, a, b, second);
    assert_memory_equal(first, second, sizeof(first));
    token_proof(secret, b, a, second);
    assert_memory_not_equal(first, second, sizeof(first));
    secret[0] = 9;
    token_proof(secret, a, b, second);
    assert_memory_not_equal(first, second, sizeof(first));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_proof),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
