/* One device over plain HTTP: login, connections, answers of every form, and every way of going wrong. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "tests/unit/wsman/http_bench.h"
#include "wsman/http_internal.h"

static int setup(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));

    bench_init(b, true, NULL);
    bench_open(b);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    bench_clear(*state);
    free(*state);
    return 0;
}

/* --- login --- */

static bool connection_closed(void *arg)
{
    struct bench *b = arg;

    return b->loop.count == 0;
}

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
        assert_true(loop_until_is(&b->loop, b->http, connection_closed, b));
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

/* --- answers --- */

static void bodies_of_every_form(void **state)
{
    struct bench *b = *state;

    fake_device_set(b->device, &(struct fake_script){.body = FAKE_BODY_CHUNKED});
    bench_succeeds(b, 200, FAKE_CONTENT);
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(fake_device_seen(b->device).connections, 2);
    fake_device_set(b->device, &(struct fake_script){.body = FAKE_BODY_UNTIL_CLOSE});
    bench_succeeds(b, 200, FAKE_CONTENT);
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(fake_device_seen(b->device).connections, 3);
    fake_device_set(b->device, &(struct fake_script){.content = ""});
    bench_succeeds(b, 200, "");
}

static void other_statuses_are_answers(void **state)
{
    static const int statuses[] = {400, 403, 404, 500, 503, 302};
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        fake_device_set(b->device, &(struct fake_script){.status = statuses[i]});
        bench_succeeds(b, statuses[i], FAKE_CONTENT);
    }
    assert_int_equal(fake_device_seen(b->device).unauthorized, 1);
}

static void bad_answers(void **state)
{
    static const struct {
        struct fake_script script;
        enum cause cause;
    } cases[] = {
        {{.open = true, .body = FAKE_BODY_ENDLESS}, CAUSE_TOO_LARGE},
        {{.open = true, .body = FAKE_BODY_ENDLESS_CHUNKED}, CAUSE_TOO_LARGE},
        {{.open = true, .body = FAKE_BODY_HUGE_LENGTH}, CAUSE_TOO_LARGE},
        {{.open = true, .body = FAKE_BODY_ENDLESS_HEADERS}, CAUSE_TOO_LARGE},
        {{.open = true, .body = FAKE_BODY_ENDLESS_LINE}, CAUSE_TOO_LARGE},
        {{.open = true, .body = FAKE_BODY_BAD_CHUNK}, CAUSE_BAD_ANSWER},
        {{.raw = "SSH-2.0-OpenSSH_9.2\r\n"}, CAUSE_NOT_AMT},
        {{.raw = "\x15\x03\x03\x01\x02\x02\x16"}, CAUSE_BAD_ANSWER},
        {{.raw = "HTTP/3.7 200 OK\r\n\r\n"}, CAUSE_BAD_ANSWER},
        {{.raw = "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"}, CAUSE_BAD_ANSWER},
        {{.open = true, .close = FAKE_CLOSE_ACCEPTED}, CAUSE_DROPPED},
        {{.open = true, .close = FAKE_CLOSE_REQUEST}, CAUSE_DROPPED},
        {{.open = true, .close = FAKE_CLOSE_STATUS_LINE}, CAUSE_DROPPED},
        {{.open = true, .close = FAKE_CLOSE_HEADERS}, CAUSE_DROPPED},
        {{.open = true, .close = FAKE_CLOSE_BODY}, CAUSE_DROPPED},
        {{.open = true, .close = FAKE_CLOSE_ACCEPTED, .reset = true}, CAUSE_DROPPED},
        {{.open = true, .close = FAKE_CLOSE_REQUEST, .reset = true}, CAUSE_DROPPED},
        {{.open = true, .close = FAKE_CLOSE_BODY, .reset = true}, CAUSE_DROPPED},
    };
    struct bench *b = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bench_open(b); /* so that it is a new connection that goes wrong */
        fake_device_set(b->device, &cases[i].script);
        bench_fails(b, cases[i].cause);
        fake_device_set(b->device, &(struct fake_script){.open = true});
        bench_succeeds(b, 200, FAKE_CONTENT); /* and the session is none the worse */
    }
}

/* --- connections --- */

static void nothing_is_sent_twice(void **state)
{
    struct bench *b = *state;

    bench_succeeds(b, 200, FAKE_CONTENT);
    fake_device_set(b->device, &(struct fake_script){.close = FAKE_CLOSE_REQUEST});
    unsigned before = fake_device_seen(b->device).requests;
    bench_fails(b, CAUSE_DROPPED); /* on the kept connection, where libcurl would send it again */
    assert_int_equal(fake_device_seen(b->device).requests - before, 1);
}

static void device_closes_while_idle(void **state)
{
    struct bench *b = *state;

    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(b->loop.count, 1); /* an idle connection is watched for its end */
    fake_device_hang_up(b->device);
    assert_true(loop_until_is(&b->loop, b->http, connection_closed, b));
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(fake_device_seen(b->device).unauthorized, 1);
}

static void closed_unseen_before_the_next_request(void **state)
{
    struct bench *b = *state;

    bench_succeeds(b, 200, FAKE_CONTENT);
    unsigned before = fake_device_seen(b->device).requests;
    fake_device_hang_up(b->device);
    bench_succeeds(b, 200, FAKE_CONTENT); /* the loop has not turned since */
    assert_int_equal(fake_device_seen(b->device).requests - before, 1);
}

static void closes_first_after_idle_time(void **state)
{
    struct bench *b = *state;

    bench_succeeds(b, 200, FAKE_CONTENT);
    loop_pass(&b->loop, b->http, 29999);
    assert_int_equal(b->loop.count, 1);
    loop_pass(&b->loop, b->http, 1);
    assert_int_equal(b->loop.count, 0);
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(http_session_facts(b->session).connections, 3);
    assert_int_equal(fake_device_seen(b->device).unauthorized, 1);
}

static void idle_connections_are_bounded(void **state)
{
    enum { COUNT = 40, LIMIT = 16 };
    struct bench *b = *state;
    struct http_session *sessions[COUNT];

    http_session_free(b->session);
    fake_device_set(b->device, &(struct fake_script){.open = true});
    for (int i = 0; i < COUNT; i++) {
        b->session = NULL;
        bench_open(b);
        sessions[i] = b->session;
        bench_succeeds(b, 200, FAKE_CONTENT);
        assert_true(b->loop.count <= LIMIT);
    }
    assert_int_equal(b->loop.count, LIMIT);
    for (int i = 0; i < COUNT; i++) { /* the last ones are the ones kept */
        b->session = sessions[i];
        unsigned before = http_session_facts(b->session).connections;
        if (i >= COUNT - LIMIT) {
            bench_succeeds(b, 200, FAKE_CONTENT);
            assert_int_equal(http_session_facts(b->session).connections, before);
        }
    }
    for (int i = 0; i < COUNT; i++)
        http_session_free(sessions[i]);
    b->session = NULL;
    assert_int_equal(b->loop.count, 0);
}

static void sessions_never_share_a_connection(void **state)
{
    struct bench *b = *state;
    struct http_session *first = b->session;

    bench_succeeds(b, 200, FAKE_CONTENT);
    b->session = NULL;
    bench_set_password(b, "not it"); /* same name, address and port */
    bench_open(b);
    unsigned before = fake_device_seen(b->device).connections;
    bench_fails(b, CAUSE_AUTH_FAILED);
    assert_int_equal(fake_device_seen(b->device).connections - before, 2);
    http_session_free(first);
}

static void refused(void **state)
{
    struct bench *b = *state;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(in);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&in, n), 0); /* a port that nobody listens at */
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
    b->settings.port = ntohs(in.sin_port);
    bench_open(b);
    bench_fails(b, CAUSE_REFUSED);
    assert_non_null(strstr(b->result.failure.text, "127.0.0.1"));
    close(fd);
}

static void no_answer_to_connect(void **state)
{
    struct bench *b = *state;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(in);
    int listener = socket(AF_INET, SOCK_STREAM, 0), full[4];

    /* A listener that is full drops further SYNs. */
    assert_int_equal(bind(listener, (struct sockaddr *)&in, n), 0);
    assert_int_equal(listen(listener, 0), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&in, &n), 0);
    for (int i = 0; i < 4; i++) {
        full[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(full[i], (struct sockaddr *)&in, n);
    }
    b->settings.port = ntohs(in.sin_port);
    bench_open(b);
    bench_send(b);
    loop_turn(&b->loop, b->http, 50);
    loop_pass(&b->loop, b->http, 4999);
    assert_false(b->result.over);
    loop_pass(&b->loop, b->http, 1);
    assert_true(bench_wait(b));
    assert_int_equal(b->result.failure.cause, CAUSE_UNREACHABLE);
    assert_int_equal(b->loop.count, 0);
    for (int i = 0; i < 4; i++)
        close(full[i]);
    close(listener);
}

static bool device_read_request(void *arg)
{
    struct bench *b = arg;

    return fake_device_seen(b->device).served > 0;
}

static void no_answer_to_request(void **state)
{
    struct bench *b = *state;

    fake_device_set(b->device, &(struct fake_script){.open = true, .body = FAKE_BODY_NONE_YET});
    bench_send(b);
    assert_true(loop_until_is(&b->loop, b->http, device_read_request, b));
    loop_pass(&b->loop, b->http, 9999);
    assert_false(b->result.over);
    loop_pass(&b->loop, b->http, 1);
    assert_true(bench_wait(b));
    assert_int_equal(b->result.failure.cause, CAUSE_TIMEOUT);
    assert_int_equal(b->loop.count, 0); /* a connection with an answer outstanding is not kept */
}

static void half_an_answer(void **state)
{
    struct bench *b = *state;

    fake_device_set(b->device, &(struct fake_script){.open = true, .body = FAKE_BODY_STALLED});
    bench_send(b);
    assert_true(loop_until_is(&b->loop, b->http, device_read_request, b));
    loop_turn(&b->loop, b->http, 50);
    loop_pass(&b->loop, b->http, 10000);
    assert_true(bench_wait(b));
    assert_int_equal(b->result.failure.cause, CAUSE_TIMEOUT);
}

static void on_done_late(void *arg, const struct http_answer *answer, const struct err *failure)
{
    (void)answer;
    assert_int_equal(failure->cause, CAUSE_TIMEOUT);
    *(bool *)arg = true;
}

static void the_callers_deadline_comes_first(void **state)
{
    struct bench *b = *state;
    bool over = false;
    struct buf body = buf_init(100);

    fake_device_set(b->device, &(struct fake_script){.open = true, .body = FAKE_BODY_NONE_YET});
    buf_puts(&body, "x");
    http_session_send(b->session, NULL, &body, clock_mono(&b->loop.clock) + 100, on_done_late, &over);
    buf_free(&body);
    assert_true(loop_until_is(&b->loop, b->http, device_read_request, b));
    loop_pass(&b->loop, b->http, 100);
    assert_true(loop_until(&b->loop, b->http, &over));
}

static void names_are_looked_up_off_the_loop(void **state)
{
    struct bench *b = *state;

    b->settings.name = "localhost";
    b->settings.address = NULL;
    bench_open(b);
    bench_succeeds(b, 200, FAKE_CONTENT); /* [::1], if it has that address, refuses; 127.0.0.1 is next */
    b->settings.name = "no-such-host.invalid";
    bench_open(b);
    bench_fails(b, CAUSE_NAME_UNKNOWN);
    b->settings.name = "127.0.0.1"; /* an address needs no lookup */
    bench_open(b);
    bench_succeeds(b, 200, FAKE_CONTENT);
}

/* A name with three addresses, of which the last answers. */
static void every_address_of_a_name_is_tried(void **state)
{
    struct bench *b = *state;
    struct http_session *session = b->session;

    assert_true(http_addr_parse(&session->addrs[0], "127.255.255.254", b->settings.port));
    assert_true(http_addr_parse(&session->addrs[1], "127.255.255.253", b->settings.port));
    assert_true(http_addr_parse(&session->addrs[2], "127.0.0.1", b->settings.port));
    session->addr_count = 3;
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(http_session_facts(session).connections, 4);
    bench_succeeds(b, 200, FAKE_CONTENT); /* the one that answered is remembered */
    fake_device_hang_up(b->device);
    assert_true(loop_until_is(&b->loop, b->http, connection_closed, b));
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(http_session_facts(session).connections, 5);
    for (int i = 0; i < 3; i++)
        assert_true(http_addr_parse(&session->addrs[i], "127.255.255.254", 1));
    fake_device_hang_up(b->device);
    assert_true(loop_until_is(&b->loop, b->http, connection_closed, b));
    bench_fails(b, CAUSE_REFUSED);
    assert_int_equal(http_session_facts(session).connections, 8);
}

static void a_long_request(void **state)
{
    struct bench *b = *state;
    char *body = xmalloc(50001);

    memset(body, 'x', 50000); /* the longest that AMT takes */
    body[50000] = '\0';
    for (int i = 0; i < 3; i++) {
        bench_send_to(b, NULL, body);
        assert_true(bench_wait(b));
        assert_int_equal(b->result.status, 200);
    }
    assert_int_equal(fake_device_seen(b->device).unauthorized, 1);
    free(body);
}

static int connect_to_device(struct bench *b, int flags)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    struct pollfd writable = {.fd = fd, .events = POLLOUT};

    in.sin_port = htons(fake_device_port(b->device));
    if (connect(fd, (struct sockaddr *)&in, sizeof(in)) < 0)
        assert_int_equal(errno, EINPROGRESS);
    assert_int_equal(poll(&writable, 1, 5000), 1);
    return fd;
}

/* Sockets in the two states that libcurl 7.88 tells apart. */
static void given_socket_is_used(void **state)
{
    static const int flags[] = {SOCK_NONBLOCK, 0};
    struct bench *b = *state;

    b->settings.address = "127.255.255.254"; /* nobody there */
    b->settings.port = 1;
    fake_device_set(b->device, &(struct fake_script){.open = true});
    for (size_t i = 0; i < 2; i++) {
        unsigned before = fake_device_seen(b->device).connections;
        bench_open(b);
        http_session_give_socket(b->session, connect_to_device(b, flags[i]));
        bench_succeeds(b, 200, FAKE_CONTENT);
        bench_succeeds(b, 200, FAKE_CONTENT);
        assert_int_equal(fake_device_seen(b->device).connections - before, 1);
        bench_send(b); /* freed under way */
        http_session_free(b->session);
        b->session = NULL;
    }
}

static void given_socket_that_is_not_needed(void **state)
{
    struct bench *b = *state;

    bench_succeeds(b, 200, FAKE_CONTENT);
    int fd = connect_to_device(b, 0);
    http_session_give_socket(b->session, fd);
    http_session_give_socket(b->session, dup(fd));
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* the first is closed when a second comes */
    bench_succeeds(b, 200, FAKE_CONTENT);
    assert_int_equal(http_session_facts(b->session).connections, 2); /* as without */
}

static void given_socket_that_dies(void **state)
{
    struct bench *b = *state;
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    http_session_give_socket(b->session, pair[0]);
    bench_send(b);
    for (int i = 0; i < 5; i++)
        loop_turn(&b->loop, b->http, 5);
    close(pair[1]);
    assert_true(bench_wait(b));
    assert_int_equal(b->result.failure.cause, CAUSE_DROPPED);
}

/* --- life and death --- */

static void freed_in_every_state(void **state)
{
    struct bench *b = *state;

    /* Every number of turns ends in some state of the exchange. */
    for (int turns = 0; turns < 24; turns++) {
        bench_open(b);
        bench_send(b);
        for (int i = 0; i < turns && !b->result.over; i++)
            loop_turn(&b->loop, b->http, 5);
        unsigned calls = b->result.calls;
        http_session_free(b->session);
        b->session = NULL;
        for (int i = 0; i < 3; i++)
            loop_turn(&b->loop, b->http, 0);
        assert_int_equal(b->result.calls, calls);
        assert_int_equal(b->loop.count, 0);
    }
}

static void aborted_in_every_state(void **state)
{
    struct bench *b = *state;

    for (int turns = 0; turns < 12; turns++) {
        bench_open(b);
        bench_send(b);
        for (int i = 0; i < turns && !b->result.over; i++)
            loop_turn(&b->loop, b->http, 5);
        unsigned calls = b->result.calls;
        http_session_abort(b->session);
        assert_false(http_session_busy(b->session));
        loop_turn(&b->loop, b->http, 5);
        assert_int_equal(b->result.calls, calls);
        bench_succeeds(b, 200, FAKE_CONTENT);
    }
}

static void freed_during_a_lookup(void **state)
{
    struct bench *b = *state;

    b->settings.name = "localhost";
    b->settings.address = NULL;
    bench_open(b);
    b->loop.hold_jobs = true;
    bench_send(b);
    http_session_free(b->session);
    b->session = NULL;
    b->loop.hold_jobs = false;
    loop_turn(&b->loop, b->http, 50);
    assert_int_equal(b->result.calls, 0);
}

static void lookup_that_outlives_the_transport(void **state)
{
    struct bench *b = *state;

    b->settings.name = "localhost";
    b->settings.address = NULL;
    bench_open(b);
    b->loop.hold_jobs = true;
    bench_send(b);
    http_session_abort(b->session); /* the end of the test frees transport and loop, in this order */
}

static void lookup_that_takes_too_long(void **state)
{
    struct bench *b = *state;

    b->settings.name = "localhost";
    b->settings.address = NULL;
    bench_open(b);
    b->loop.hold_jobs = true;
    bench_send(b);
    loop_pass(&b->loop, b->http, 5000);
    assert_true(bench_wait(b));
    assert_int_equal(b->result.failure.cause, CAUSE_NAME_UNKNOWN);
}

struct chain {
    struct bench *b;
    int left;
    bool over;
    bool free_at_end;
};

static void on_done_again(void *arg, const struct http_answer *answer, const struct err *failure)
{
    struct chain *chain = arg;

    assert_null(failure);
    assert_int_equal(answer->status, 200);
    assert_string_equal((const char *)answer->body, FAKE_CONTENT);
    if (--chain->left) {
        http_session_send(chain->b->session, "/", NULL, 0, on_done_again, chain);
        assert_string_equal((const char *)answer->body, FAKE_CONTENT); /* still there */
        return;
    }
    if (chain->free_at_end) {
        http_session_free(chain->b->session);
        chain->b->session = NULL;
    }
    chain->over = true;
}

static void send_and_free_from_the_callback(void **state)
{
    struct bench *b = *state;
    struct chain chain = {.b = b, .left = 10, .free_at_end = true};

    http_session_send(b->session, "/", NULL, 0, on_done_again, &chain);
    assert_true(loop_until(&b->loop, b->http, &chain.over));
    assert_int_equal(fake_device_seen(b->device).unauthorized, 1);
    assert_int_equal(b->loop.count, 0);
}

static void bad_settings_and_requests(void **state)
{
    struct bench *b = *state;
    static const struct http_settings cases[] = {
        {.name = NULL},
        {.name = ""},
        {.name = "a b"},
        {.name = "a/b"},
        {.name = "a:b"},
        {.name = "pc1", .address = "pc1.example"},
        {.name = "pc1", .user = "a:b"},
        {.name = "pc1", .user = "a\nb"},
        {.name = "pc1", .idle_ms = -1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_settings settings = cases[i];
        struct err err = ERR_INIT;
        settings.connect_ms = settings.request_ms = 1000;
        assert_null(http_session_new(b->http, &settings, &err));
        assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
    }
    bench_send_to(b, "/a b", NULL);
    assert_true(bench_wait(b));
    assert_int_equal(b->result.failure.cause, CAUSE_INVALID_ARGUMENT);
}

static void environment_is_ignored(void **state)
{
    struct bench *b = *state;

    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    bench_succeeds(b, 200, FAKE_CONTENT);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
}

/* --- many --- */

struct crowd {
    unsigned done;
    bool over;
};

static void on_done_crowd(void *arg, const struct http_answer *answer, const struct err *failure)
{
    struct crowd *crowd = arg;

    assert_null(failure);
    assert_int_equal(answer->status, 200);
    crowd->over = ++crowd->done == 200;
}

static void many_at_once(void **state)
{
    enum { COUNT = 200 };
    struct bench *b = *state;
    struct http_session *sessions[COUNT];
    struct crowd crowd = {0};
    struct err err = ERR_INIT;

    fake_device_set(b->device, &(struct fake_script){.open = true});
    for (int i = 0; i < COUNT; i++) {
        sessions[i] = http_session_new(b->http, &b->settings, &err);
        http_session_send(sessions[i], "/", NULL, 0, on_done_crowd, &crowd);
    }
    assert_true(loop_until(&b->loop, b->http, &crowd.over));
    assert_int_equal(fake_device_seen(b->device).connections, COUNT);
    for (int i = 0; i < COUNT; i++)
        http_session_free(sessions[i]);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(one_challenge_for_a_series),
        TEST(request_is_as_firmware_wants_it),
        TEST(get_has_no_body_and_its_own_path),
        TEST(new_nonce_when_the_old_is_stale),
        TEST(nonce_outlives_the_connection),
        TEST(nonce_forgotten_without_stale),
        TEST(challenge_on_a_connection_that_stays),
        TEST(dialects),
        TEST(what_we_cannot_answer),
        TEST(wrong_password_is_tried_once),
        TEST(password_changed_meanwhile),
        TEST(everything_stale_ends),
        TEST(locked_only_when_it_can_be_told),
        TEST(another_realm_never_gets_the_hash),
        TEST(realm_that_changes_under_way),
        TEST(no_login_given),
        TEST(bodies_of_every_form),
        TEST(other_statuses_are_answers),
        TEST(bad_answers),
        TEST(nothing_is_sent_twice),
        TEST(device_closes_while_idle),
        TEST(closed_unseen_before_the_next_request),
        TEST(closes_first_after_idle_time),
        TEST(idle_connections_are_bounded),
        TEST(sessions_never_share_a_connection),
        TEST(refused),
        TEST(no_answer_to_connect),
        TEST(no_answer_to_request),
        TEST(half_an_answer),
        TEST(the_callers_deadline_comes_first),
        TEST(names_are_looked_up_off_the_loop),
        TEST(every_address_of_a_name_is_tried),
        TEST(a_long_request),
        TEST(given_socket_is_used),
        TEST(given_socket_that_is_not_needed),
        TEST(given_socket_that_dies),
        TEST(freed_in_every_state),
        TEST(aborted_in_every_state),
        TEST(freed_during_a_lookup),
        TEST(lookup_that_outlives_the_transport),
        TEST(lookup_that_takes_too_long),
        TEST(send_and_free_from_the_callback),
        TEST(bad_settings_and_requests),
        TEST(environment_is_ignored),
        TEST(many_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
