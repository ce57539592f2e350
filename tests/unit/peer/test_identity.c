#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "amtd/peer/identity.h"
#include "base/xalloc.h"

static char *directory;

static int make_directory(void **state)
{
    char template[] = "/tmp/identity-XXXXXX";

    (void)state;
    directory = xstrdup(mkdtemp(template));
    return directory ? 0 : -1;
}

static int remove_directory(void **state)
{
    char *command = xasprintf("rm -rf %s", directory);
    int status = system(command);

    (void)state;
    free(command);
    free(directory);
    return status;
}

static char *path_of(const char *name)
{
    return xasprintf("%s/%s", directory, name);
}

static struct identity *open_one(const char *name, const struct seal *seal)
{
    char *path = path_of(name);
    struct err err = ERR_INIT;
    struct identity *identity = identity_open(path, seal, &err);

    if (!identity)
        fail_msg("%s", err.text);
    free(path);
    return identity;
}

static void test_kept(void **state)
{
    char *key = path_of("key"), *path = path_of("sealed");
    struct seal *seal = seal_open(key, 1, NULL);
    struct identity *first = open_one("sealed", seal), *again = open_one("sealed", seal);
    struct identity *other = open_one("plain", NULL);
    struct err err = ERR_INIT;
    struct stat st;

    (void)state;
    assert_memory_equal(identity_pin(first), identity_pin(again), PEER_PIN);
    assert_memory_not_equal(identity_pin(first), identity_pin(other), PEER_PIN);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_null(identity_open(path, NULL, &err)); /* sealed: no key in plain text */
    assert_int_equal(err.cause, CAUSE_SEAL_BROKEN);
    assert_int_equal(chmod(path, 0644), 0);
    assert_null(identity_open(path, seal, &err));
    identity_free(first);
    identity_free(again);
    identity_free(other);
    seal_free(seal);
    free(key);
    free(path);
}

/* Two ends in memory: true when both have shaken hands. */
static bool shake(SSL *a, SSL *b)
{
    BIO *one, *two;
    int x = 0, y = 0;

    BIO_new_bio_pair(&one, 0, &two, 0);
    SSL_set_bio(a, one, one);
    SSL_set_bio(b, two, two);
    SSL_set_connect_state(a);
    SSL_set_accept_state(b);
    for (int i = 0; i < 20 && (x != 1 || y != 1); i++) {
        x = SSL_do_handshake(a);
        y = SSL_do_handshake(b);
    }
    return x == 1 && y == 1;
}

static void test_both_pins(void **state)
{
    struct identity *client = open_one("client", NULL), *server = open_one("server", NULL);
    SSL *a = SSL_new(identity_context(client, false)), *b = SSL_new(identity_context(server, true));
    uint8_t pin[PEER_PIN];

    (void)state;
    assert_true(shake(a, b));
    assert_true(peer_pin(a, pin));
    assert_memory_equal(pin, identity_pin(server), PEER_PIN);
    assert_true(peer_pin(b, pin));
    assert_memory_equal(pin, identity_pin(client), PEER_PIN);
    SSL_free(a);
    SSL_free(b);
    identity_free(client);
    identity_free(server);
}

/* A client without a certificate, or with an older TLS, is not let in. */
static void test_refused(void **state)
{
    struct identity *server = open_one("server", NULL), *client = open_one("client", NULL);
    SSL_CTX *bare = SSL_CTX_new(TLS_client_method());
    SSL *a = SSL_new(bare), *b = SSL_new(identity_context(server, true));

    (void)state;
    assert_false(shake(a, b));
    SSL_free(a);
    SSL_free(b);
    a = SSL_new(identity_context(client, false));
    b = SSL_new(identity_context(server, true));
    SSL_set_min_proto_version(a, TLS1_2_VERSION);
    SSL_set_max_proto_version(a, TLS1_2_VERSION);
    assert_false(shake(a, b));
    SSL_free(a);
    SSL_free(b);
    SSL_CTX_free(bare);
    identity_free(server);
    identity_free(client);
}

static void test_addresses(void **state)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
    } good[] = {{"amtd", "amtd", 8689},
                {"amtd.example.com:1", "amtd.example.com", 1},
                {"192.0.2.1:65535", "192.0.2.1", 65535},
                {"[2001:db8::1]:70", "2001:db8::1", 70},
                {"[::1]", "::1", 8689},
                {"::1", "::1", 8689}};
    static const char *const bad[] = {"",     ":1",     "a:0", "a:65536", "a:b",
                                      "[::1", "[::1]x", "a b", "[]:5",    "a/b"};
    uint16_t port;
    char *host;

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(peer_address_read(good[i].text, &host, &port));
        assert_string_equal(host, good[i].host);
        assert_int_equal(port, good[i].port);
        free(host);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(peer_address_read(bad[i], &host, &port));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_both_pins),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_addresses),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
