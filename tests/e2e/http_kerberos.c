/* Kerberos login against a real KDC, and a device that accepts tickets with GSS-API. Run by http_kerberos.sh,
 * which starts the KDC and makes: HTTP/pc1.example:PORT  in the key table HTTP/pc2.example       without a
 * port, in the key table HTTP/pc4.example:PORT  which the device has no key for usage: e2e_http_kerberos PORT
 * CCACHE */
#include <arpa/inet.h>
#include <gssapi/gssapi.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "tests/unit/wsman/http_loop.h"

#define REQUEST_MAX 32768
#define ADDRESS     "127.77.0.1"

static uint16_t port;
static const char *ccache;

/* --- the device --- */

static struct {
    pthread_mutex_t lock; /* what follows, but listener */
    bool only_digest, refuse, wrong_proof, no_proof, forgets;
    unsigned connections, requests, tokens, unauthorized;
    char client[128];
    int fds[32];
    size_t fd_count;
    int listener;
    pthread_t thread;
} device = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool read_request(int fd, char *text)
{
    size_t n = 0, want = REQUEST_MAX;

    while (n < want) {
        ssize_t got = recv(fd, text + n, want - n, 0);
        if (got <= 0)
            return false;
        n += (size_t)got;
        text[n] = '\0';
        char *end = strstr(text, "\r\n\r\n");
        if (end && want == REQUEST_MAX) {
            char *length = strcasestr(text, "Content-Length: ");
            want = (size_t)(end + 4 - text) + (length ? strtoul(length + 16, NULL, 10) : 0);
        }
    }
    return true;
}

/* 0: let in, with the proof for the client appended; -1: not. */
static int accept_token(const char *text, struct buf *proof)
{
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_buffer_desc output = GSS_C_EMPTY_BUFFER, name_text;
    gss_name_t client = GSS_C_NO_NAME;
    OM_uint32 minor;
    struct buf token = buf_init(REQUEST_MAX);

    assert_true(text_base64_decode(&token, text, strcspn(text, "\r")));
    gss_buffer_desc input = {token.len, token.p};
    OM_uint32 major =
        gss_accept_sec_context(&minor, &context, GSS_C_NO_CREDENTIAL, &input, GSS_C_NO_CHANNEL_BINDINGS,
                               &client, NULL, &output, NULL, NULL, NULL);
    if (major == GSS_S_COMPLETE && !GSS_ERROR(gss_display_name(&minor, client, &name_text, NULL))) {
        snprintf(device.client, sizeof(device.client), "%.*s", (int)name_text.length,
                 (char *)name_text.value);
        gss_release_buffer(&minor, &name_text);
        if (device.wrong_proof && output.length > 20)
            ((char *)output.value)[output.length - 10] ^= 0x55;
        text_base64(proof, output.value, output.length);
    }
    gss_release_buffer(&minor, &output);
    gss_release_name(&minor, &client);
    gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
    buf_free(&token);
    return major == GSS_S_COMPLETE ? 0 : -1;
}

/* Appends the answer; false: the connection closes after it. Locked. */
static bool judge(const char *request, bool *admitted, struct buf *answer)
{
    const char *token = strcasestr(request, "Authorization: Negotiate ");
    struct buf proof = buf_init(REQUEST_MAX);

    device.requests++;
    if (device.forgets)
        *admitted = device.forgets = false;
    if (token) {
        device.tokens++;
        *admitted = !device.refuse && accept_token(token + 25, &proof) == 0;
    }
    if (*admitted) {
        buf_printf(answer, "HTTP/1.1 200 OK\r\n%s%s%sContent-Length: 2\r\n\r\nok",
                   token && !device.no_proof ? "WWW-Authenticate: Negotiate " : "",
                   token && !device.no_proof ? buf_str(&proof) : "", token && !device.no_proof ? "\r\n" : "");
    } else {
        device.unauthorized++;
        buf_printf(answer,
                   "HTTP/1.1 401 Unauthorized\r\n%sWWW-Authenticate: Digest realm=\"Digest:"
                   "34BF4B5A0561F95248F58509A406E046\", nonce=\"n\"\r\nContent-Length: 2\r\nConnection: "
                   "close\r\n\r\nno",
                   device.only_digest ? "" : "WWW-Authenticate: Negotiate\r\n");
    }
    buf_free(&proof);
    return *admitted;
}

static void *serve(void *arg)
{
    int fd = *(int *)arg;
    char *request = malloc(REQUEST_MAX + 1);
    bool admitted = false, stays = true;

    while (stays && read_request(fd, request)) {
        struct buf answer = buf_init(REQUEST_MAX);
        pthread_mutex_lock(&device.lock);
        stays = judge(request, &admitted, &answer);
        pthread_mutex_unlock(&device.lock);
        (void)!send(fd, answer.p, answer.len, MSG_NOSIGNAL);
        buf_free(&answer);
    }
    shutdown(fd, SHUT_RDWR);
    free(request);
    free(arg);
    return NULL;
}

static void *accept_all(void *arg)
{
    pthread_t thread;

    (void)arg;
    for (;;) {
        int fd = accept(device.listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        pthread_mutex_lock(&device.lock);
        device.connections++;
        device.fds[device.fd_count++ % 32] = fd;
        pthread_mutex_unlock(&device.lock);
        int *number = malloc(sizeof(*number));
        assert_non_null(number);
        *number = fd;
        assert_int_equal(pthread_create(&thread, NULL, serve, number), 0);
        pthread_detach(thread);
    }
}

static void hang_up(void)
{
    pthread_mutex_lock(&device.lock);
    for (size_t i = 0; i < 32 && i < device.fd_count; i++)
        shutdown(device.fds[i], SHUT_RDWR);
    pthread_mutex_unlock(&device.lock);
}

static unsigned read_count(const unsigned *count)
{
    pthread_mutex_lock(&device.lock);
    unsigned value = *count;
    pthread_mutex_unlock(&device.lock);
    return value;
}

static void set_flag(bool *flag, bool value)
{
    pthread_mutex_lock(&device.lock);
    *flag = value;
    pthread_mutex_unlock(&device.lock);
}

/* --- the bench --- */

struct bench {
    struct http_loop loop;
    struct http *http;
    struct http_session *session;
    struct http_settings settings;
    bool over;
    int status;
    struct err failure;
};

static void open_session(struct bench *b, const char *name)
{
    struct err err = ERR_INIT;

    http_session_free(b->session);
    b->settings.name = name;
    b->session = http_session_new(b->http, &b->settings, &err);
    assert_string_equal(err.text, "");
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    struct err err = ERR_INIT;

    loop_init(&b->loop, false);
    b->http = http_new(&b->loop.owner, (struct http_keep){16, 16}, &err);
    b->settings = (struct http_settings){.address = ADDRESS,
                                         .port = port,
                                         .kerberos = true,
                                         .ccache = ccache,
                                         .connect_ms = 15000,
                                         .request_ms = 15000};
    pthread_mutex_lock(&device.lock);
    device.only_digest = device.refuse = device.wrong_proof = device.no_proof = device.forgets = false;
    device.connections = device.requests = device.tokens = device.unauthorized = 0;
    pthread_mutex_unlock(&device.lock);
    open_session(b, "pc1.example");
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    http_session_free(b->session);
    http_free(b->http);
    loop_clear(&b->loop);
    free(b);
    return 0;
}

static void on_done(void *arg, const struct http_answer *answer, const struct err *failure)
{
    struct bench *b = arg;

    b->over = true;
    b->status = answer ? answer->status : 0;
    if (failure)
        b->failure = *failure;
}

static void begin(struct bench *b)
{
    struct buf body = buf_init(100);

    buf_puts(&body, "<request/>");
    b->over = false;
    b->status = 0;
    err_clear(&b->failure);
    http_session_send(b->session, NULL, &body, 0, on_done, b);
    buf_free(&body);
}

static void succeeds(struct bench *b)
{
    begin(b);
    assert_true(loop_until(&b->loop, b->http, &b->over));
    assert_string_equal(b->failure.text, "");
    assert_int_equal(b->status, 200);
}

static void fails(struct bench *b, enum cause cause)
{
    begin(b);
    assert_true(loop_until(&b->loop, b->http, &b->over));
    print_message("    %s\n", b->failure.text);
    assert_string_equal(cause_name(b->failure.cause), cause_name(cause));
}

static bool connection_closed(void *arg)
{
    return ((struct bench *)arg)->loop.count == 0;
}

/* --- tests --- */

static void one_token_for_a_connection(void **state)
{
    struct bench *b = *state;

    for (int i = 0; i < 5; i++)
        succeeds(b);
    assert_int_equal(read_count(&device.connections), 1);
    assert_int_equal(read_count(&device.tokens), 1);
    assert_int_equal(read_count(&device.unauthorized), 0); /* it is sent with the very first request */
    assert_string_equal(device.client, "alice@TEST.EXAMPLE");

    hang_up();
    assert_true(loop_until_is(&b->loop, b->http, connection_closed, b));
    succeeds(b);
    assert_int_equal(read_count(&device.tokens), 2);
}

static void service_without_a_port(void **state)
{
    struct bench *b = *state;

    open_session(b, "pc2.example");
    succeeds(b);
    succeeds(b);
    assert_int_equal(read_count(&device.tokens), 1);
}

static void service_that_is_not_there(void **state)
{
    struct bench *b = *state;
    char service[64];

    open_session(b, "pc3.example");
    fails(b, CAUSE_NO_TICKET);
    snprintf(service, sizeof(service), "HTTP/pc3.example:%u", port);
    assert_non_null(strstr(b->failure.text, service));
    assert_int_equal(read_count(&device.connections), 0); /* nobody is troubled without a ticket */
}

static void nothing_to_begin_with(void **state)
{
    struct bench *b = *state;

    b->settings.ccache = "FILE:/nonexistent/ccache";
    open_session(b, "pc1.example");
    fails(b, CAUSE_NO_TICKET);
    assert_non_null(strstr(b->failure.text, "/nonexistent/ccache"));
    b->settings.ccache = NULL; /* that of the process: there is none */
    open_session(b, "pc1.example");
    fails(b, CAUSE_NO_TICKET);
}

static void refused(void **state)
{
    struct bench *b = *state;

    set_flag(&device.refuse, true);
    fails(b, CAUSE_AUTH_FAILED);
    assert_int_equal(read_count(&device.tokens), 1);
    set_flag(&device.refuse, false);
    succeeds(b); /* a ticket is no password: the next request may try */
    open_session(b, "pc4.example");
    fails(b, CAUSE_AUTH_FAILED);
}

static void proof_of_the_device(void **state)
{
    struct bench *b = *state;

    set_flag(&device.no_proof, true); /* firmware that gives none is believed */
    succeeds(b);
    set_flag(&device.no_proof, false);
    set_flag(&device.wrong_proof, true);
    open_session(b, "pc1.example");
    fails(b, CAUSE_AUTH_FAILED);
}

static void device_forgets_the_connection(void **state)
{
    struct bench *b = *state;

    succeeds(b);
    set_flag(&device.forgets, true);
    succeeds(b);
    assert_int_equal(read_count(&device.unauthorized), 1);
    assert_int_equal(read_count(&device.tokens), 2);
}

static void no_kerberos_offered(void **state)
{
    struct bench *b = *state;

    set_flag(&device.refuse, true);
    set_flag(&device.only_digest, true);
    fails(b, CAUSE_AUTH_UNSUPPORTED);
}

static void freed_and_aborted_meanwhile(void **state)
{
    struct bench *b = *state;

    b->loop.hold_jobs = true;
    begin(b);
    http_session_abort(b->session);
    begin(b);
    http_session_free(b->session);
    b->session = NULL;
    b->loop.hold_jobs = false;
    loop_turn(&b->loop, b->http, 100);
    assert_false(b->over);
}

static void nobody_to_ask(void **state)
{
    struct bench *b = *state;

    succeeds(b); /* this ticket is in the cache already */
    open_session(b, "pc2.example");
    fails(b, CAUSE_NO_TICKET);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        TEST(one_token_for_a_connection),
        TEST(service_without_a_port),
        TEST(service_that_is_not_there),
        TEST(nothing_to_begin_with),
        TEST(refused),
        TEST(proof_of_the_device),
        TEST(device_forgets_the_connection),
        TEST(no_kerberos_offered),
        TEST(freed_and_aborted_meanwhile),
    };
    static const struct CMUnitTest without_kdc[] = {TEST(nobody_to_ask)};
    struct sockaddr_in in = {.sin_family = AF_INET};
    int on = 1;

    if (argc < 3)
        return 2;
    port = (uint16_t)atoi(argv[1]);
    ccache = argv[2];
    device.listener = socket(AF_INET, SOCK_STREAM, 0);
    in.sin_port = htons(port);
    if (inet_pton(AF_INET, ADDRESS, &in.sin_addr) != 1 ||
        setsockopt(device.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(device.listener, (struct sockaddr *)&in, sizeof(in)) < 0 || listen(device.listener, 16) < 0 ||
        pthread_create(&device.thread, NULL, accept_all, NULL) != 0) {
        perror("listening");
        return 2;
    }
    int failed = argc == 4 && strcmp(argv[3], "no-kdc") == 0 ? cmocka_run_group_tests(without_kdc, NULL, NULL)
                                                             : cmocka_run_group_tests(tests, NULL, NULL);
    shutdown(device.listener, SHUT_RDWR);
    pthread_join(device.thread, NULL);
    close(device.listener);
    return failed;
}
