/* TLS with a device: whom to trust, how old it may be, and what is said when it fails. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/unit/wsman/fake_cert.h"
#include "tests/unit/wsman/http_bench.h"

#define CTX_MAX 64

/* Made once: keys are slow to make. */
static struct {
    char dir[64], ca_file[128], client_file[128], key_file[128], other_file[128];
    struct fake_cert ca, other_ca, good, other, self, expired, future, short_key, by_address, client,
        stranger;
    SSL_CTX *made[CTX_MAX];
    size_t made_count;
} made;

static SSL_CTX *ctx(const struct fake_cert *cert, int min, int max, bool old,
                    const struct fake_cert *client_ca)
{
    assert_true(made.made_count < CTX_MAX);
    return made.made[made.made_count++] = fake_ctx_new(cert, min, max, old, client_ca);
}

static int make_all(void **state)
{
    (void)state;
    snprintf(made.dir, sizeof(made.dir), "/tmp/test_http_tls.XXXXXX");
    if (!mkdtemp(made.dir))
        return -1;
    snprintf(made.ca_file, sizeof(made.ca_file), "%s/ca.pem", made.dir);
    snprintf(made.client_file, sizeof(made.client_file), "%s/client.pem", made.dir);
    snprintf(made.key_file, sizeof(made.key_file), "%s/client.key", made.dir);
    snprintf(made.other_file, sizeof(made.other_file), "%s/other.pem", made.dir);
    made.ca = fake_cert_new(&(struct fake_cert_wish){.name = "Test CA", .authority = true});
    made.other_ca = fake_cert_new(&(struct fake_cert_wish){.name = "Other CA", .authority = true});
    made.good = fake_cert_new(
        &(struct fake_cert_wish){.name = "pc1", .alternative = "DNS:pc1.example", .issuer = &made.ca});
    made.other = fake_cert_new(&(struct fake_cert_wish){.name = "pc2.example", .issuer = &made.ca});
    made.self = fake_cert_new(&(struct fake_cert_wish){.name = "pc1.example"});
    made.expired = fake_cert_new(&(struct fake_cert_wish){
        .name = "pc1.example", .issuer = &made.ca, .from_days = -30, .until_days = -1});
    made.future = fake_cert_new(&(struct fake_cert_wish){
        .name = "pc1.example", .issuer = &made.ca, .from_days = 2, .until_days = 30});
    made.short_key =
        fake_cert_new(&(struct fake_cert_wish){.name = "pc1.example", .issuer = &made.ca, .bits = 1024});
    made.by_address = fake_cert_new(
        &(struct fake_cert_wish){.name = "pc1", .alternative = "IP:127.0.0.1", .issuer = &made.ca});
    made.client = fake_cert_new(&(struct fake_cert_wish){.name = "console", .issuer = &made.ca});
    made.stranger = fake_cert_new(&(struct fake_cert_wish){.name = "stranger", .issuer = &made.other_ca});
    fake_cert_write(&made.ca, made.ca_file, NULL, NULL);
    fake_cert_write(&made.client, made.client_file, made.key_file, NULL);
    return 0;
}

static int free_all(void **state)
{
    struct fake_cert *certs[] = {&made.ca,         &made.other_ca, &made.good,    &made.other,
                                 &made.self,       &made.expired,  &made.future,  &made.short_key,
                                 &made.by_address, &made.client,   &made.stranger};

    (void)state;
    for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++)
        fake_cert_free(certs[i]);
    for (size_t i = 0; i < made.made_count; i++)
        SSL_CTX_free(made.made[i]);
    unlink(made.ca_file);
    unlink(made.client_file);
    unlink(made.key_file);
    unlink(made.other_file);
    return rmdir(made.dir);
}

static int setup(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));

    bench_init(b, true, ctx(&made.good, 0, 0, false, NULL));
    b->settings.tls = HTTP_TLS_CA;
    b->settings.ca_file = made.ca_file;
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    bench_clear(*state);
    free(*state);
    return 0;
}

static void serve(struct bench *b, const struct fake_cert *cert, int min, int max, bool old,
                  const struct fake_cert *client_ca)
{
    fake_device_set_tls(b->device, ctx(cert, min, max, old, client_ca));
    bench_open(b);
}

static void use_pin(struct bench *b, const struct fake_cert *cert)
{
    static char pin[65];

    b->settings.tls = HTTP_TLS_PIN;
    b->settings.ca_file = NULL;
    b->settings.pin = cert ? fake_cert_pin(cert, pin) : NULL;
}

static void text_has(struct bench *b, const char *part)
{
    if (!strstr(b->result.failure.text, part))
        fail_msg("'%s' is not in: %s", part, b->result.failure.text);
}

/* --- by authority --- */

static void chain_and_name(void **state)
{
    struct bench *b = *state;
    char pin[65];

    bench_open(b);
    for (int i = 0; i < 5; i++)
        bench_succeeds(b, 200, FAKE_CONTENT);
    struct fake_seen seen = fake_device_seen(b->device);
    assert_int_equal(seen.unauthorized, 1);
    assert_int_equal(seen.handshakes, 2);
    assert_string_equal(seen.sni, "pc1.example");
    struct http_facts facts = http_session_facts(b->session);
    fake_cert_pin(&made.good, pin);
    assert_int_equal(strcasecmp(facts.pin, pin), 0);
    assert_non_null(strstr(facts.certificate, "CN=pc1, issued by CN=Test CA, valid "));
    assert_string_equal(facts.tls_version, "TLSv1.3");
    assert_true(facts.not_after_ms > clock_wall(clock_system()));
}

static void name_in_the_common_name(void **state)
{
    struct bench *b = *state;

    b->settings.name = "pc2.example";
    serve(b, &made.other, 0, 0, false, NULL);
    bench_succeeds(b, 200, FAKE_CONTENT);
}

static void name_that_is_an_address(void **state)
{
    struct bench *b = *state;

    b->settings.name = "127.0.0.1";
    serve(b, &made.by_address, 0, 0, false, NULL);
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_string_equal(fake_device_seen(b->device).sni, "");
}

static void not_trusted(void **state)
{
    struct bench *b = *state;

    serve(b, &made.other, 0, 0, false, NULL); /* another host's */
    bench_fails(b, CAUSE_TLS_UNTRUSTED);
    text_has(b, "CN=pc2.example");
    serve(b, &made.self, 0, 0, false, NULL);
    bench_fails(b, CAUSE_TLS_UNTRUSTED);
    serve(b, &made.expired, 0, 0, false, NULL);
    bench_fails(b, CAUSE_TLS_EXPIRED);
    serve(b, &made.future, 0, 0, false, NULL);
    bench_fails(b, CAUSE_TLS_EXPIRED);
    serve(b, &made.short_key, 0, 0, false, NULL);
    bench_fails(b, CAUSE_TLS_VERSION);
    b->settings.ca_file = NULL; /* the system's store does not know our CA */
    serve(b, &made.good, 0, 0, false, NULL);
    bench_fails(b, CAUSE_TLS_UNTRUSTED);
    assert_int_equal(fake_device_seen(b->device).requests, 0);       /* nothing is said to a stranger */
    assert_string_not_equal(http_session_facts(b->session).pin, ""); /* but it was seen */
}

/* The one that is known is good for longer, if that is wanted; no other that has ended, and none by another
 * name or of another CA. */
static void the_pinned_one_may_have_ended(void **state)
{
    struct bench *b = *state;
    char pin[65];

    b->settings.pin = fake_cert_pin(&made.expired, pin);
    serve(b, &made.expired, 0, 0, false, NULL);
    bench_open(b);
    bench_fails(b, CAUSE_TLS_EXPIRED); /* not asked for */
    b->settings.pinned_may_end = true;
    bench_open(b);
    bench_succeeds(b, 200, FAKE_CONTENT);
    serve(b, &made.future, 0, 0, false, NULL);
    bench_open(b);
    bench_fails(b, CAUSE_TLS_EXPIRED);
    b->settings.pin = fake_cert_pin(&made.future, pin);
    bench_open(b);
    bench_succeeds(b, 200, FAKE_CONTENT);
    b->settings.name = "pc2.example";
    bench_open(b);
    bench_fails(b, CAUSE_TLS_UNTRUSTED);
    b->settings.pin = fake_cert_pin(&made.self, pin);
    serve(b, &made.self, 0, 0, false, NULL);
    bench_open(b);
    bench_fails(b, CAUSE_TLS_UNTRUSTED);
}

static void a_file_that_changes(void **state)
{
    struct bench *b = *state;

    fake_cert_write(&made.other_ca, made.other_file, NULL, NULL);
    b->settings.ca_file = made.other_file;
    bench_open(b);
    bench_fails(b, CAUSE_TLS_UNTRUSTED);
    unlink(made.other_file);
    fake_cert_write(&made.ca, made.other_file, NULL, NULL);
    bench_open(b);
    bench_succeeds(b, 200, FAKE_CONTENT);
}

/* --- by fingerprint --- */

static void pinned(void **state)
{
    struct bench *b = *state;

    use_pin(b, &made.expired); /* nothing but the fingerprint counts */
    serve(b, &made.expired, 0, 0, false, NULL);
    bench_succeeds(b, 200, FAKE_CONTENT);
    serve(b, &made.good, 0, 0, false, NULL);
    unsigned before = fake_device_seen(b->device).requests;
    bench_fails(b, CAUSE_TLS_CHANGED);
    assert_int_equal(fake_device_seen(b->device).requests, before);
    text_has(b, http_session_facts(b->session).pin); /* the one seen */
}

static bool connection_closed(void *arg)
{
    return ((struct bench *)arg)->loop.count == 0;
}

static void first_use_is_recorded(void **state)
{
    struct bench *b = *state;
    char pin[65];

    use_pin(b, NULL);
    bench_open(b);
    assert_string_equal(http_session_facts(b->session).pin, "");
    bench_succeeds(b, 200, FAKE_CONTENT);
    fake_cert_pin(&made.good, pin);
    assert_int_equal(strcasecmp(http_session_facts(b->session).pin, pin), 0);

    fake_device_set_tls(b->device, ctx(&made.self, 0, 0, false, NULL));
    fake_device_hang_up(b->device);
    assert_true(loop_until_is(&b->loop, b->http, connection_closed, b));
    bench_fails(b, CAUSE_TLS_CHANGED);
}

static void short_keys_only_as_an_exception(void **state)
{
    struct bench *b = *state;

    use_pin(b, &made.short_key);
    serve(b, &made.short_key, 0, TLS1_2_VERSION, false, NULL);
    bench_fails(b, CAUSE_TLS_VERSION);
    b->settings.old_tls = true;
    bench_open(b);
    bench_succeeds(b, 200, FAKE_CONTENT);
}

/* --- versions --- */

static void versions(void **state)
{
    static const struct {
        int version;
        const char *name;
        bool needs_exception;
    } cases[] = {{TLS1_VERSION, "TLSv1", true},
                 {TLS1_1_VERSION, "TLSv1.1", true},
                 {TLS1_2_VERSION, "TLSv1.2", false},
                 {TLS1_3_VERSION, "TLSv1.3", false}};
    struct bench *b = *state;

    use_pin(b, &made.good);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        b->settings.old_tls = false;
        serve(b, &made.good, cases[i].version, cases[i].version, cases[i].needs_exception, NULL);
        if (cases[i].needs_exception) {
            bench_fails(b, CAUSE_TLS_VERSION);
            b->settings.old_tls = true;
            bench_open(b);
        }
        bench_succeeds(b, 200, FAKE_CONTENT);
        assert_string_equal(http_session_facts(b->session).tls_version, cases[i].name);
    }
}

static void old_firmware_that_breaks_on_a_new_hello(void **state)
{
    struct bench *b = *state;

    use_pin(b, &made.good);
    b->settings.old_tls = true;
    serve(b, &made.good, TLS1_VERSION, TLS1_VERSION, true, NULL);
    fake_device_set(b->device, &(struct fake_script){.new_hello_breaks = true});
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_string_equal(http_session_facts(b->session).tls_version, "TLSv1");
    b->settings.old_tls = false;
    bench_open(b);
    bench_fails(b, CAUSE_TLS_VERSION);
}

/* --- both sides --- */

static void client_certificate(void **state)
{
    static const int versions_[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct bench *b = *state;

    for (size_t i = 0; i < 2; i++) {
        b->settings.client_cert_file = b->settings.client_key_file = NULL;
        serve(b, &made.good, versions_[i], versions_[i], false, &made.ca);
        bench_fails(b, CAUSE_TLS_FAILED);
        text_has(b, "asks for a client certificate, and the profile has none");
        b->settings.client_cert_file = made.client_file;
        b->settings.client_key_file = made.key_file;
        bench_open(b);
        bench_succeeds(b, 200, FAKE_CONTENT);
        serve(b, &made.good, versions_[i], versions_[i], false, &made.other_ca);
        bench_fails(b, CAUSE_TLS_FAILED);
        text_has(b, "refuses our client certificate");
    }
}

static void certificate_and_key_in_one_file(void **state)
{
    struct bench *b = *state;

    fake_cert_write(&made.client, made.other_file, NULL, NULL);
    fake_cert_write(&made.client, made.other_file, made.other_file, NULL);
    b->settings.client_cert_file = made.other_file;
    serve(b, &made.good, 0, 0, false, &made.ca);
    bench_succeeds(b, 200, FAKE_CONTENT);
}

/* --- it goes wrong --- */

static void plain_device_on_the_tls_port(void **state)
{
    struct bench *b = *state;

    fake_device_set_tls(b->device, NULL);
    fake_device_set(b->device, &(struct fake_script){.raw_at_once = "HTTP/1.1 400 Bad Request\r\n\r\n"});
    bench_open(b);
    bench_fails(b, CAUSE_TLS_FAILED);
    text_has(b, "does not speak TLS");
}

static void tls_device_on_the_plain_port(void **state)
{
    struct bench *b = *state;

    b->settings.tls = HTTP_TLS_NONE;
    b->settings.ca_file = NULL;
    bench_open(b);
    bench_fails(b, CAUSE_DROPPED); /* OpenSSL's way: it hangs up on a plain request */
    fake_device_set(b->device, &(struct fake_script){.raw_at_once = "\x15\x03\x01\x01\x02\x02\x46"});
    bench_fails(b, CAUSE_BAD_ANSWER); /* an alert is what the standard wants */
    text_has(b, "speaks TLS");
}

static void closed_during_the_handshake(void **state)
{
    struct bench *b = *state;

    fake_device_set(b->device, &(struct fake_script){.close = FAKE_CLOSE_ACCEPTED});
    bench_open(b);
    bench_fails(b, CAUSE_DROPPED);
    fake_device_set(b->device, &(struct fake_script){.close = FAKE_CLOSE_ACCEPTED, .reset = true});
    bench_fails(b, CAUSE_DROPPED);
    fake_device_set(b->device, &(struct fake_script){0});
    bench_succeeds(b, 200, FAKE_CONTENT);
}

static bool device_has_connection(void *arg)
{
    return fake_device_seen(((struct bench *)arg)->device).connections > 0;
}

static void silent_during_the_handshake(void **state)
{
    struct bench *b = *state;

    fake_device_set(b->device, &(struct fake_script){.no_handshake = true});
    bench_open(b);
    bench_send(b);
    assert_true(loop_until_is(&b->loop, b->http, device_has_connection, b));
    loop_turn(&b->loop, b->http, 20);
    loop_pass(&b->loop, b->http, 4999);
    assert_false(b->result.over);
    loop_pass(&b->loop, b->http, 5000);
    assert_true(bench_wait(b));
    assert_int_equal(b->result.failure.cause, CAUSE_TIMEOUT);
    text_has(b, "handshake");
}

static void cut_off_in_every_state(void **state)
{
    static const struct fake_script scripts[] = {
        {.open = true, .close = FAKE_CLOSE_REQUEST},
        {.open = true, .close = FAKE_CLOSE_STATUS_LINE},
        {.open = true, .close = FAKE_CLOSE_HEADERS},
        {.open = true, .close = FAKE_CLOSE_BODY},
        {.open = true, .close = FAKE_CLOSE_REQUEST, .reset = true},
        {.open = true, .close = FAKE_CLOSE_BODY, .reset = true},
    };
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        fake_device_set(b->device, &scripts[i]);
        bench_open(b);
        bench_fails(b, CAUSE_DROPPED);
    }
}

static void answers_without_length(void **state)
{
    struct bench *b = *state;

    fake_device_set(b->device, &(struct fake_script){.body = FAKE_BODY_UNTIL_CLOSE});
    bench_open(b);
    bench_succeeds(b, 200, FAKE_CONTENT);
    fake_device_set(b->device, &(struct fake_script){.body = FAKE_BODY_CHUNKED});
    bench_succeeds(b, 200, FAKE_CONTENT);
}

static void kept_connections_and_their_trust(void **state)
{
    struct bench *b = *state;
    struct http_session *first;

    use_pin(b, NULL);
    bench_open(b);
    bench_succeeds(b, 200, FAKE_CONTENT);
    first = b->session;
    b->session = NULL;
    use_pin(b, &made.self); /* the same name, address and port, but another trust */
    bench_open(b);
    unsigned before = fake_device_seen(b->device).requests;
    bench_fails(b, CAUSE_TLS_CHANGED);
    assert_int_equal(fake_device_seen(b->device).requests, before);
    http_session_free(first);
}

static void idle_connections_end(void **state)
{
    struct bench *b = *state;

    bench_open(b);
    bench_succeeds(b, 200, FAKE_CONTENT);
    loop_pass(&b->loop, b->http, 30000);
    assert_int_equal(b->loop.count, 0);
    bench_succeeds(b, 200, FAKE_CONTENT);
    fake_device_hang_up(b->device);
    assert_true(loop_until_is(&b->loop, b->http, connection_closed, b));
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(fake_device_seen(b->device).unauthorized, 1);
}

static void freed_in_every_state(void **state)
{
    struct bench *b = *state;

    for (int turns = 0; turns < 30; turns++) {
        bench_open(b);
        bench_send(b);
        for (int i = 0; i < turns && !b->result.over; i++)
            loop_turn(&b->loop, b->http, 3);
        http_session_free(b->session);
        b->session = NULL;
        loop_turn(&b->loop, b->http, 0);
        assert_int_equal(b->loop.count, 0);
    }
}

static void keys_are_not_written_to_a_file(void **state)
{
    struct bench *b = *state;
    const char *file = getenv("SSLKEYLOGFILE");
    struct stat st;

    if (!file)
        fail_msg("the test did not set it");
    bench_open(b);
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_true(!file || stat(file, &st) < 0 || st.st_size == 0);
}

/* --- settings --- */

static void refused_settings(struct bench *b, const char *part)
{
    struct err err = ERR_INIT;

    assert_null(http_session_new(b->http, &b->settings, &err));
    assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
    if (!strstr(err.text, part))
        fail_msg("'%s' is not in: %s", part, err.text);
}

static void bad_settings(void **state)
{
    struct bench *b = *state;
    FILE *f;

    b->settings.ca_file = "/nonexistent/ca.pem";
    refused_settings(b, "/nonexistent/ca.pem");
    f = fopen(made.other_file, "w");
    fputs("garbage", f);
    fclose(f);
    b->settings.ca_file = made.other_file;
    refused_settings(b, made.other_file);
    b->settings.ca_file = made.ca_file;

    b->settings.client_key_file = made.key_file;
    refused_settings(b, "without a certificate");
    b->settings.client_cert_file = made.other_file;
    refused_settings(b, "holds no certificate");
    fake_cert_write(&made.stranger, made.other_file, NULL, NULL);
    refused_settings(b, "does not belong");
    fake_cert_write(&made.client, made.client_file, made.other_file, "passphrase");
    b->settings.client_cert_file = made.client_file;
    b->settings.client_key_file = made.other_file;
    refused_settings(b, "passphrase");
    b->settings.client_cert_file = b->settings.client_key_file = NULL;

    b->settings.old_tls = true;
    refused_settings(b, "old TLS");
    use_pin(b, NULL);
    refused_settings(b, "old TLS");
    b->settings.look = true; /* needs no pin, but must not have a password */
    refused_settings(b, "who only looks");
    b->settings.look = false;
    b->settings.old_tls = false;
    b->settings.pin = "12345";
    refused_settings(b, "no pin");
    use_pin(b, NULL);
    b->settings.tls = HTTP_TLS_NONE;
    b->settings.client_cert_file = made.client_file;
    refused_settings(b, "without TLS");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(chain_and_name),
        TEST(name_in_the_common_name),
        TEST(name_that_is_an_address),
        TEST(not_trusted),
        TEST(the_pinned_one_may_have_ended),
        TEST(a_file_that_changes),
        TEST(pinned),
        TEST(first_use_is_recorded),
        TEST(short_keys_only_as_an_exception),
        TEST(versions),
        TEST(old_firmware_that_breaks_on_a_new_hello),
        TEST(client_certificate),
        TEST(certificate_and_key_in_one_file),
        TEST(plain_device_on_the_tls_port),
        TEST(tls_device_on_the_plain_port),
        TEST(closed_during_the_handshake),
        TEST(silent_during_the_handshake),
        TEST(cut_off_in_every_state),
        TEST(answers_without_length),
        TEST(kept_connections_and_their_trust),
        TEST(idle_connections_end),
        TEST(freed_in_every_state),
        TEST(keys_are_not_written_to_a_file),
        TEST(bad_settings),
    };

    signal(SIGPIPE, SIG_IGN); /* the device's side writes with SSL_write */
    char keys[64];
    snprintf(keys, sizeof(keys), "/tmp/test_http_tls.%d.keys", (int)getpid());
    setenv("SSLKEYLOGFILE", keys, 1);
    int failed = cmocka_run_group_tests(tests, make_all, free_all);
    unlink(keys);
    return failed;
}
