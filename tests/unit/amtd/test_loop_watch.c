/* Descriptors watched on a loop: what happened, what is no longer to be told, numbers used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "amtd/loop_watch.h"

#define PAIRS 300 /* more than are taken from the kernel together */

struct scene {
    uv_loop_t loop;
    struct loop_watch *lw;
    int told;
    int fd, events;
    void *data;
    void (*react)(struct scene *s, int fd);
};

static void happened(void *arg, int fd, void *data, int events)
{
    struct scene *s = arg;

    s->told++;
    s->fd = fd;
    s->events = events;
    s->data = data;
    if (s->react)
        s->react(s, fd);
}

static void scene_open(struct scene *s)
{
    memset(s, 0, sizeof(*s));
    uv_loop_init(&s->loop);
    s->lw = loop_watch_new(&s->loop, happened, s, NULL);
    assert_non_null(s->lw);
}

static void scene_close(struct scene *s)
{
    loop_watch_free(s->lw);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0);
}

static void pair(int fds[2])
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

static void turn(struct scene *s)
{
    s->told = 0;
    uv_run(&s->loop, UV_RUN_NOWAIT);
}

static void tells_what_is_watched(void **state)
{
    struct scene s;
    int fds[2];

    (void)state;
    scene_open(&s);
    pair(fds);
    assert_int_equal(uv_run(&s.loop, UV_RUN_DEFAULT), 0); /* nothing to wait for */
    assert_int_equal(loop_watch_set(s.lw, fds[0], UV_READABLE, fds), 0);
    assert_true(uv_loop_alive(&s.loop));
    turn(&s);
    assert_int_equal(s.told, 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    turn(&s);
    assert_int_equal(s.told, 1);
    assert_int_equal(s.fd, fds[0]);
    assert_int_equal(s.events, UV_READABLE);
    assert_ptr_equal(s.data, fds);
    turn(&s); /* as long as it lasts */
    assert_int_equal(s.told, 1);
    assert_int_equal(loop_watch_set(s.lw, fds[0], UV_READABLE | UV_WRITABLE, &s), 0);
    turn(&s);
    assert_int_equal(s.events, UV_READABLE | UV_WRITABLE);
    assert_ptr_equal(s.data, &s);
    assert_int_equal(loop_watch_set(s.lw, fds[0], 0, NULL), 0);
    turn(&s);
    assert_int_equal(s.told, 0);
    close(fds[1]);
    assert_int_equal(loop_watch_set(s.lw, fds[0], UV_WRITABLE, NULL), 0);
    turn(&s); /* hung up: readable whatever is watched */
    assert_int_equal(s.events, UV_READABLE | UV_WRITABLE);
    assert_int_equal(loop_watch_set(s.lw, fds[0], 0, NULL), 0);
    close(fds[0]);
    assert_int_equal(loop_watch_set(s.lw, fds[0], UV_READABLE, NULL), -1);
    assert_false(uv_loop_alive(&s.loop));
    scene_close(&s);
}

static int many[PAIRS][2];

/* The first that is told of puts another descriptor in the place of every other one. */
static void replace_others(struct scene *s, int fd)
{
    for (int i = 0; i < PAIRS; i++) {
        if (many[i][0] == fd)
            continue;
        loop_watch_set(s->lw, many[i][0], 0, NULL);
        int silent[2];
        pair(silent);
        assert_int_equal(dup2(silent[0], many[i][0]), many[i][0]);
        close(silent[0]);
        close(silent[1]); /* hung up: an event of its own, later */
        loop_watch_set(s->lw, many[i][0], UV_READABLE, s);
    }
    loop_watch_set(s->lw, fd, 0, NULL);
    s->react = NULL;
}

static void tells_nothing_of_those_before(void **state)
{
    struct scene s;

    (void)state;
    scene_open(&s);
    for (int i = 0; i < PAIRS; i++) {
        pair(many[i]);
        assert_int_equal(write(many[i][1], "x", 1), 1);
        assert_int_equal(loop_watch_set(s.lw, many[i][0], UV_READABLE, NULL), 0);
    }
    s.react = replace_others;
    turn(&s);
    assert_int_equal(s.told, 1);
    turn(&s);
    assert_true(s.told > 1);
    assert_ptr_equal(s.data, &s);
    for (int i = 0; i < PAIRS; i++) {
        loop_watch_set(s.lw, many[i][0], 0, NULL);
        close(many[i][0]);
        close(many[i][1]);
    }
    scene_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_is_watched),
        cmocka_unit_test(tells_nothing_of_those_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
