/* TLS streams against `openssl s_server`: trust as the profile says, stalls, floods, and old firmware. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "tests/unit/net/stream_bench.h"
#include "tests/unit/wsman/fake_cert.h"

#define FLOOD         (4 * 1024 * 1024)
#define ARGS          32
#define FILE_NAME_MAX 128

/* Made once: keys are slow to make. */
static struct {
    char dir[64];
    struct fake_cert ca, device, other, console;
    char pin[65], other_pin[65];
} made;

static const char *file(const char *name)
{
    static char paths[16][FILE_NAME_MAX];
    static unsigned at;
    char *path = paths[at++ % 16];

    snprintf(path, FILE_NAME_MAX, "%s/%s", made.dir, name);
    return path;
}

/* As facts and messages have it. */
static void take_pin(const struct fake_cert *cert, char *out)
{
    fake_cert_pin(cert, out);
    for (; *out; out++)
        *out = (char)tolower((unsigned char)*out);
}

static int make_all(void **state)
{
    (void)state;
    snprintf(made.dir, sizeof(made.dir), "/tmp/test_stream_tls.XXXXXX");
    if (!mkdtemp(made.dir))
        return -1;
    made.ca = fake_cert_new(&(struct fake_cert_wish){.name = "Test CA", .authority = true});
    made.device = fake_cert_new(
        &(struct fake_cert_wish){.name = "pc1", .alternative = "DNS:pc1.example", .issuer = &made.ca});
    made.other = fake_cert_new(&(struct fake_cert_wish){.name = "pc1.example"});
    made.console = fake_cert_new(&(struct fake_cert_wish){.name = "console", .issuer = &made.ca});
    fake_cert_write(&made.ca, file("ca.pem"), NULL, NULL);
    fake_cert_write(&made.device, file("device.pem"), file("device.key"), NULL);
    fake_cert_write(&made.other, file("other.pem"), file("other.key"), NULL);
    fake_cert_write(&made.console, file("console.pem"), file("console.key"), NULL);
    take_pin(&made.device, made.pin);
    take_pin(&made.other, made.other_pin);
    return 0;
}

static int free_all(void **state)
{
    const char *const names[] = {"ca.pem",    "device.pem",  "device.key", "other.pem",
                                 "other.key", "console.pem", "console.key"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(file(names[i]));
    fake_cert_free(&made.ca);
    fake_cert_free(&made.device);
    fake_cert_free(&made.other);
    fake_cert_free(&made.console);
    return rmdir(made.dir);
}

/* --- the server --- */

struct scene {
    struct stream_bench b; /* first */
    struct http_settings tls;
    pid_t pid;
    int in, out; /* what the server sends; what it received */
};

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));

    stream_bench_init(&s->b);
    s->in = s->out = -1;
    s->tls = (struct http_settings){.name = "pc1.example", .tls = HTTP_TLS_PIN};
    s->b.peer.tls = &s->tls;
    *state = s;
    return 0;
}

static void server_stop(struct scene *s)
{
    if (s->pid > 0) {
        kill(s->pid, SIGKILL);
        waitpid(s->pid, NULL, 0);
    }
    s->pid = 0;
    if (s->in >= 0)
        close(s->in);
    if (s->out >= 0)
        close(s->out);
    s->in = s->out = -1;
}

static int teardown(void **state)
{
    struct scene *s = *state;

    server_stop(s);
    stream_bench_clear(&s->b);
    free(s);
    return 0;
}

static bool listens(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool open;

    address.sin_port = htons(port);
    open = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
    close(fd);
    return open;
}

/* openssl s_server with the certificate of this name and further arguments, in the listener's place. */
static void server_start(struct scene *s, const char *name, const char *const *more)
{
    char at[32], cert[32], key[32];
    const char *args[ARGS] = {"openssl", "s_server", "-quiet", "-accept", at};
    size_t n = 5;
    int in[2], out[2];

    snprintf(at, sizeof(at), "127.0.0.1:%u", s->b.port);
    snprintf(cert, sizeof(cert), "%s.pem", name);
    snprintf(key, sizeof(key), "%s.key", name);
    args[n++] = "-cert";
    args[n++] = file(cert);
    args[n++] = "-key";
    args[n++] = file(key);
    while (more && *more)
        args[n++] = *more++;
    close(s->b.listener);
    s->b.listener = -1;
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    s->pid = fork();
    if (s->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 2);
        execvp(args[0], (char *const *)args);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    s->in = in[1];
    s->out = out[0];
    for (int i = 0; !listens(s->b.port); i++) {
        assert_true(i < 6000);
        usleep(10000);
    }
}

static bool is_decided(const struct stream_bench *b)
{
    return b->ups > 0 || b->downs > 0;
}

static void comes_up(struct scene *s)
{
    stream_bench_open(&s->b);
    stream_bench_until(&s->b, is_decided);
    if (s->b.downs > 0)
        fail_msg("%s", s->b.failure.text);
}

static void fails(struct scene *s, enum cause cause, const char *part)
{
    stream_bench_open(&s->b);
    stream_bench_until(&s->b, stream_bench_is_down);
    if (s->b.failure.cause != cause || !strstr(s->b.failure.text, part))
        fail_msg("%s: %s", cause_name(s->b.failure.cause), s->b.failure.text);
}

static void again(struct scene *s)
{
    stream_close(s->b.stream, 0);
    s->b.stream = NULL;
    s->b.ups = s->b.downs = 0;
    buf_reset(&s->b.got);
}

static bool got_six(const struct stream_bench *b)
{
    return b->got.len >= 6;
}

static void talks(struct scene *s)
{
    char text[8] = "";

    assert_int_equal(stream_write(s->b.stream, "hello\n", 6), 6);
    for (size_t at = 0; at < 6;) {
        ssize_t n = read(s->out, text + at, 6 - at);

        assert_true(n > 0);
        at += (size_t)n;
    }
    assert_string_equal(text, "hello\n");
    assert_int_equal(write(s->in, "world\n", 6), 6);
    stream_bench_until(&s->b, got_six);
    assert_string_equal(buf_str(&s->b.got), "world\n");
}

/* --- trust --- */

static void first_use_is_recorded(void **state)
{
    struct scene *s = *state;

    server_start(s, "device", NULL);
    comes_up(s);
    assert_string_equal(stream_facts(s->b.stream).pin, made.pin);
    assert_non_null(strstr(stream_facts(s->b.stream).certificate, "CN=pc1"));
    assert_string_equal(stream_facts(s->b.stream).tls_version, "TLSv1.3");
    talks(s);
}

static void a_pin_is_kept(void **state)
{
    struct scene *s = *state;

    server_start(s, "device", NULL);
    s->tls.pin = made.pin;
    comes_up(s);
    again(s);
    s->tls.pin = made.other_pin;
    fails(s, CAUSE_TLS_CHANGED, made.other_pin);
    assert_int_equal(s->b.ups, 0);
}

static void an_authority_vouches(void **state)
{
    struct scene *s = *state;

    s->tls.tls = HTTP_TLS_CA;
    s->tls.ca_file = file("ca.pem");
    server_start(s, "device", NULL);
    comes_up(s);
    talks(s);
    again(s);
    s->tls.name = "pc2.example";
    fails(s, CAUSE_TLS_UNTRUSTED, "CN=pc1");
}

static void an_authority_does_not_vouch(void **state)
{
    struct scene *s = *state;

    s->tls.tls = HTTP_TLS_CA;
    s->tls.ca_file = file("ca.pem");
    server_start(s, "other", NULL);
    fails(s, CAUSE_TLS_UNTRUSTED, "CN=pc1.example");
}

static void shows_a_client_certificate(void **state)
{
    struct scene *s = *state;
    const char *const insist[] = {"-Verify", "1", "-verify_return_error", "-CAfile", file("ca.pem"), NULL};

    s->tls.client_cert_file = file("console.pem");
    s->tls.client_key_file = file("console.key");
    server_start(s, "device", insist);
    comes_up(s);
    talks(s);
    again(s);
    s->tls.client_cert_file = s->tls.client_key_file = NULL;
    fails(s, CAUSE_TLS_FAILED, "the profile has none");
}

static void settings_that_cannot_work(void **state)
{
    struct scene *s = *state;
    struct stream_events events = stream_bench_events(&s->b);
    struct err err = ERR_INIT;

    s->tls.old_tls = true; /* without a pin */
    assert_null(stream_open(s->b.streams, &s->b.peer, &events, &err));
    assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
    s->tls = (struct http_settings){.name = "pc1", .tls = HTTP_TLS_CA, .ca_file = file("missing.pem")};
    assert_null(stream_open(s->b.streams, &s->b.peer, &events, &err));
    assert_int_equal(err.cause, CAUSE_INVALID_ARGUMENT);
    assert_non_null(strstr(err.text, "missing.pem"));
}

/* --- old firmware, and none --- */

static void old_tls_needs_leave(void **state)
{
    struct scene *s = *state;
    const char *const old[] = {"-tls1", "-cipher", "ALL:@SECLEVEL=0", NULL};

    server_start(s, "device", old);
    fails(s, CAUSE_TLS_VERSION, "");
    again(s);
    s->tls.pin = made.pin;
    s->tls.old_tls = true;
    comes_up(s);
    assert_string_equal(stream_facts(s->b.stream).tls_version, "TLSv1");
    talks(s);
}

static void a_peer_without_tls(void **state)
{
    struct scene *s = *state;
    int peer;

    stream_bench_open(&s->b);
    peer = stream_bench_accept(&s->b);
    peer_writes(peer, "HTTP/1.1 400 Bad Request\r\n\r\n", 28);
    stream_bench_until(&s->b, stream_bench_is_down);
    assert_int_equal(s->b.failure.cause, CAUSE_TLS_FAILED);
    close(peer);
}

static void a_handshake_stalls(void **state)
{
    struct scene *s = *state;

    s->b.peer.open_ms = 100;
    fails(s, CAUSE_TIMEOUT, "TLS handshake");
}

static void hangs_up_in_the_handshake(void **state)
{
    struct scene *s = *state;
    char hello[16];
    int peer;

    stream_bench_open(&s->b);
    peer = stream_bench_accept(&s->b);
    while (recv(peer, hello, sizeof(hello), MSG_DONTWAIT) <= 0)
        stream_bench_turn(&s->b);
    close(peer);
    stream_bench_until(&s->b, stream_bench_is_down);
    assert_int_equal(s->b.failure.cause, CAUSE_DROPPED);
}

static void closed_in_the_handshake(void **state)
{
    struct scene *s = *state;

    stream_bench_open(&s->b);
    assert_int_equal(stream_write(s->b.stream, "x", 1), 1);
    int peer = stream_bench_accept(&s->b);
    for (int i = 0; i < 10; i++)
        stream_bench_turn(&s->b);
    close(peer);
}

/* --- bytes --- */

/* Both directions at once, with a queue that is smaller than what is written, and pauses. */
static void floods(void **state)
{
    struct scene *s = *state;
    uint8_t *sent = malloc(FLOOD), *came = malloc(FLOOD);
    size_t written = 0, read_back = 0, fed = 0;

    for (size_t i = 0; i < FLOOD; i++)
        sent[i] = (uint8_t)(i * 7 + (i >> 9));
    s->b.peer.queue_max = 20000;
    server_start(s, "device", NULL);
    comes_up(s);
    fcntl(s->in, F_SETFL, O_NONBLOCK);
    fcntl(s->out, F_SETFL, O_NONBLOCK);
    for (int turn = 0; written < FLOOD || read_back < FLOOD || s->b.got.len < FLOOD; turn++) {
        size_t want = FLOOD - written;
        ssize_t n;

        written += stream_write(s->b.stream, sent + written, want < 50000 ? want : 50000);
        n = read(s->out, came + read_back, FLOOD - read_back);
        read_back += n > 0 ? (size_t)n : 0;
        n = fed < FLOOD ? write(s->in, sent + fed, FLOOD - fed) : 0;
        fed += n > 0 ? (size_t)n : 0;
        if (turn % 16 == 0)
            stream_pause(s->b.stream);
        else
            stream_resume(s->b.stream);
        stream_bench_turn(&s->b);
        assert_int_equal(s->b.downs, 0);
    }
    assert_memory_equal(sent, came, FLOOD);
    assert_memory_equal(sent, s->b.got.p, FLOOD);
    free(sent);
    free(came);
}

static void ends_in_good_order(void **state)
{
    struct scene *s = *state;

    server_start(s, "device", NULL);
    comes_up(s);
    talks(s);
    server_stop(s);
    stream_bench_until(&s->b, stream_bench_is_down);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(first_use_is_recorded, setup, teardown),
        cmocka_unit_test_setup_teardown(a_pin_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(an_authority_vouches, setup, teardown),
        cmocka_unit_test_setup_teardown(an_authority_does_not_vouch, setup, teardown),
        cmocka_unit_test_setup_teardown(shows_a_client_certificate, setup, teardown),
        cmocka_unit_test_setup_teardown(settings_that_cannot_work, setup, teardown),
        cmocka_unit_test_setup_teardown(old_tls_needs_leave, setup, teardown),
        cmocka_unit_test_setup_teardown(a_peer_without_tls, setup, teardown),
        cmocka_unit_test_setup_teardown(a_handshake_stalls, setup, teardown),
        cmocka_unit_test_setup_teardown(hangs_up_in_the_handshake, setup, teardown),
        cmocka_unit_test_setup_teardown(closed_in_the_handshake, setup, teardown),
        cmocka_unit_test_setup_teardown(floods, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_in_good_order, setup, teardown),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("stream_tls", tests, make_all, free_all);
}
