/* The dialer against real sockets on loopback: open, closed and silent ports, names, limits, cancelling. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "amtd/net/dial.h"

#define SILENT_FILL 8

struct scene {
    uv_loop_t loop;
    struct dialer *dialer;
    int listener;
    uint16_t port;
    int silent; /* a listener whose queue is full: further connects get no answer */
    int fill[SILENT_FILL];
    uint16_t silent_port;
    int done, failed;
    enum cause causes[64];
};

static int listen_on(uint16_t *port, int backlog)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, backlog), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void make_silent(struct scene *s)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    s->silent = listen_on(&s->silent_port, 0);
    address.sin_port = htons(s->silent_port);
    for (int i = 0; i < SILENT_FILL; i++) {
        s->fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)!connect(s->fill[i], (struct sockaddr *)&address, sizeof(address)); /* some stay in progress */
    }
}

static void scene_open(struct scene *s, size_t limit)
{
    memset(s, 0, sizeof(*s));
    uv_loop_init(&s->loop);
    s->dialer = dialer_new(&s->loop, limit, NULL);
    assert_non_null(s->dialer);
    s->listener = listen_on(&s->port, 64);
    make_silent(s);
}

static void scene_close(struct scene *s)
{
    dialer_free(s->dialer);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    close(s->listener);
    close(s->silent);
    for (int i = 0; i < SILENT_FILL; i++)
        close(s->fill[i]);
}

static void on_done(void *arg, int fd, const struct err *failure)
{
    struct scene *s = arg;

    if (failure)
        s->causes[s->failed++] = failure->cause;
    if (fd >= 0)
        close(fd);
    s->done++;
}

static void run_until(struct scene *s, int count)
{
    while (s->done < count)
        uv_run(&s->loop, UV_RUN_ONCE);
}

static void connects_and_names_why_not(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 8);
    dialer_connect(s.dialer, "127.0.0.1", s.port, 5000, 0, on_done, &s);
    run_until(&s, 1);
    assert_int_equal(s.failed, 0);
    dialer_connect(s.dialer, "127.0.0.1", 1, 5000, 0, on_done, &s);
    run_until(&s, 2);
    assert_int_equal(s.causes[0], CAUSE_REFUSED);
    dialer_connect(s.dialer, "127.0.0.1", s.silent_port, 50, 0, on_done, &s);
    run_until(&s, 3);
    assert_int_equal(s.causes[1], CAUSE_UNREACHABLE);
    dialer_connect(s.dialer, "localhost", s.port, 5000, 0, on_done, &s);
    run_until(&s, 4);
    assert_int_equal(s.failed, 2);
    dialer_connect(s.dialer, "no such host", s.port, 5000, 0, on_done, &s);
    run_until(&s, 5);
    assert_int_equal(s.causes[2], CAUSE_NAME_UNKNOWN);
    scene_close(&s);
}

static void keeps_fd(void *arg, int fd, const struct err *failure)
{
    assert_null(failure);
    *(int *)arg = fd;
}

/* The last word of the handshake may wait, but not for ever, and what is said goes out at once. */
static void speaks_first(void **state)
{
    int fd = -1, no_delay = 0;
    socklen_t size = sizeof(no_delay);
    struct scene s;
    char byte = 0;

    (void)state;
    scene_open(&s, 8);
    dialer_connect(s.dialer, "127.0.0.1", s.port, 5000, DIAL_SPEAKS, keeps_fd, &fd);
    while (fd < 0)
        uv_run(&s.loop, UV_RUN_ONCE);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size), 0);
    assert_int_not_equal(no_delay, 0);
    assert_int_equal(write(fd, "x", 1), 1);
    int peer = accept(s.listener, NULL, NULL);
    assert_true(peer >= 0);
    assert_int_equal(read(peer, &byte, 1), 1);
    assert_int_equal(byte, 'x');
    close(peer);
    close(fd);
    dialer_connect(s.dialer, "127.0.0.1", s.port, 5000, DIAL_SPEAKS, keeps_fd, &fd);
    fd = -1;
    while (fd < 0)
        uv_run(&s.loop, UV_RUN_ONCE);
    peer = accept(s.listener, NULL, NULL); /* although nothing was said */
    assert_true(peer >= 0);
    close(peer);
    close(fd);
    scene_close(&s);
}

/* With a limit of one, the silent one holds the line; the urgent one goes before those that came earlier. */
static int order[3];

static void note(void *arg, int fd, const struct err *failure)
{
    struct scene *s = ((void **)arg)[0];

    order[s->done] = *(int *)((void **)arg)[1];
    on_done(s, fd, failure);
}

static void keeps_to_its_limit_and_order(void **state)
{
    struct scene s;
    int first = 1, late = 2, urgent = 3;
    void *a[] = {&s, &first}, *b[] = {&s, &late}, *c[] = {&s, &urgent};

    (void)state;
    scene_open(&s, 1);
    dialer_connect(s.dialer, "127.0.0.1", s.silent_port, 100, 0, note, a);
    uv_run(&s.loop, UV_RUN_NOWAIT);
    uv_run(&s.loop, UV_RUN_NOWAIT);
    dialer_connect(s.dialer, "127.0.0.1", s.port, 5000, 0, note, b);
    dialer_connect(s.dialer, "127.0.0.1", s.port, 5000, 1, note, c);
    run_until(&s, 3);
    assert_int_equal(order[0], 1);
    assert_int_equal(order[1], 3);
    assert_int_equal(order[2], 2);
    scene_close(&s);
}

static void never_calls_back_from_inside_nor_after_cancel(void **state)
{
    struct scene s;
    struct dial *waiting, *connecting, *looking_up;

    (void)state;
    scene_open(&s, 2);
    waiting = dialer_connect(s.dialer, "127.0.0.1", s.port, 5000, 0, on_done, &s);
    assert_int_equal(s.done, 0);
    dial_cancel(waiting);
    connecting = dialer_connect(s.dialer, "127.0.0.1", s.silent_port, 5000, 0, on_done, &s);
    looking_up = dialer_connect(s.dialer, "localhost", s.silent_port, 5000, 0, on_done, &s);
    uv_run(&s.loop, UV_RUN_NOWAIT);
    uv_run(&s.loop, UV_RUN_NOWAIT);
    dial_cancel(connecting);
    dial_cancel(looking_up);
    dial_cancel(NULL);
    scene_close(&s);
    assert_int_equal(s.done, 0);
}

static void many_at_once(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 16);
    for (int i = 0; i < 60; i++)
        dialer_connect(s.dialer, "127.0.0.1", i % 2 ? s.port : s.silent_port, 30 + i, i % 3 == 0, on_done,
                       &s);
    run_until(&s, 60);
    assert_int_equal(s.failed, 30);
    scene_close(&s);
}

/* The answer is there, the time is over, and the loop learns of both together. */
static void a_busy_loop_is_not_the_hosts_fault(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s, 8);
    dialer_connect(s.dialer, "127.0.0.1", s.port, 20, 0, on_done, &s);
    dialer_connect(s.dialer, "127.0.0.1", 1, 20, 0, on_done, &s);
    uv_run(&s.loop, UV_RUN_NOWAIT);
    poll(NULL, 0, 40);
    run_until(&s, 2);
    assert_int_equal(s.failed, 1);
    assert_int_equal(s.causes[0], CAUSE_REFUSED);
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connects_and_names_why_not),
        cmocka_unit_test(speaks_first),
        cmocka_unit_test(keeps_to_its_limit_and_order),
        cmocka_unit_test(never_calls_back_from_inside_nor_after_cancel),
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(a_busy_loop_is_not_the_hosts_fault),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
