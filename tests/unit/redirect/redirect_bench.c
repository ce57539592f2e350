#include "tests/unit/redirect/redirect_bench.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "amtd/redirect/host_task.h"
#include "base/xalloc.h"
#include "base/xml.h"

#define PATIENCE_MS 90000
#define LOOK_MS     10

static const char *path_in(const struct redirect_bench *b, const char *name)
{
    static char paths[4][128];
    static unsigned at;
    char *path = paths[at++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", b->dir, name);
    return path;
}

/* --- amtsim --- */

static void put_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void await_ready(int fd)
{
    char said[4096] = "";
    size_t n = 0;

    while (!strstr(said, "amtsim: ready:")) {
        ssize_t part = read(fd, said + n, sizeof(said) - 1 - n);

        if (part <= 0)
            fail_msg("amtsim did not start: %s", said);
        n += (size_t)part;
        said[n] = '\0';
    }
}

static void sim_start(struct redirect_bench *b, const char *device)
{
    char *scenario = xasprintf("devices:\n  - {select: 1, %s}\n", device);
    char port[8];
    const char *const args[] = {AMTSIM,
                                "--devices",
                                "1",
                                "--port-base",
                                port,
                                "--password-file",
                                path_in(b, "pw"),
                                "--scenario",
                                path_in(b, "scenario"),
                                "--power-seconds",
                                "0.3-0.4",
                                "--console-rate",
                                "100000000",
                                NULL};
    int pipes[2];

    snprintf(port, sizeof(port), "%u", b->port);
    put_file(path_in(b, "pw"), "P@ssw0rd1");
    put_file(path_in(b, "scenario"), scenario);
    free(scenario);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    b->sim = fork();
    if (b->sim == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves it */
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), 1);
        dup2(pipes[1], 2);
        execv(args[0], (char *const *)args);
        _exit(127);
    }
    close(pipes[1]);
    await_ready(pipes[0]);
    fcntl(pipes[0], F_SETFD, 0);
    close(pipes[0]);
}

/* --- the daemon's parts --- */

static void store_wakes(void *arg)
{
    struct redirect_bench *b = arg;

    uv_async_send(&b->wake);
}

static void on_wake(uv_async_t *async)
{
    struct redirect_bench *b = async->data;

    store_reap(b->store);
}

struct stocking {
    struct host host;
    struct profile profile;
    bool over;
};

static int stock(struct tx *tx, void *data, struct err *err)
{
    struct stocking *s = data;

    return tx_profile_put(tx, &s->profile, false, err) == 0 ? tx_host_add(tx, &s->host, &s->host.id, err)
                                                            : -1;
}

static void stocked(void *data, const struct err *failure)
{
    struct stocking *s = data;

    if (failure)
        fail_msg("%s", failure->text);
    s->over = true;
}

static bool is_stocked(const void *arg)
{
    return ((const struct stocking *)arg)->over;
}

static void fill_store(struct redirect_bench *b, const char *password)
{
    struct stocking s = {0};

    s.host.name = xstrdup("pc1");
    s.host.address = xstrdup("127.16.0.1");
    s.profile.name = xstrdup("lab");
    s.profile.user = xstrdup("admin");
    s.profile.password = secret_new(password, strlen(password));
    s.profile.port = b->port;
    store_submit(b->store, stock, stocked, &s);
    redirect_bench_until(b, is_stocked, &s);
    host_clear(&s.host);
    profile_clear(&s.profile);
}

static void power_begins(void *arg, const char *host, const char *who, const char *text)
{
    struct redirect_bench *b = arg;

    snprintf(b->announced, sizeof(b->announced), "%s %s %s", host, who, text);
}

void redirect_bench_init(struct redirect_bench *b, const char *device, const char *password)
{
    struct err err = ERR_INIT;

    memset(b, 0, sizeof(*b));
    snprintf(b->dir, sizeof(b->dir),
             "/tmp/test_redirect.XX"
             "XXXX");
    assert_non_null(mkdtemp(b->dir));
    b->port = (uint16_t)(30300 + getpid() % 600 * 4);
    sim_start(b, device);
    xml_library_init();
    uv_loop_init(&b->loop);
    uv_async_init(&b->loop, &b->wake, on_wake);
    uv_timer_init(&b->loop, &b->look);
    b->wake.data = b;
    b->seal = seal_open(path_in(b, "key"), 1, &err);
    b->store = store_open(path_in(b, "db"), b->seal, store_wakes, b, &err);
    b->http = loop_http_new(&b->loop, clock_system(), (struct http_keep){8, 8}, &err);
    b->engine = engine_new(&b->loop, b->store, loop_http_get(b->http), clock_system(), 8, &err);
    b->dialer = dialer_new(&b->loop, 8, &err);
    b->streams = streams_new(&b->loop, b->dialer);
    b->redirect =
        redirect_new(&(struct redirect_parts){&b->loop, b->store, b->engine, b->streams, clock_system()});
    engine_set_guard(b->engine, redirect_guard(b->redirect));
    engine_set_power_watch(b->engine, &(struct power_watch){b, power_begins});
    fill_store(b, password);
}

static void engine_stopped(void *arg)
{
    struct redirect_bench *b = arg;

    redirect_free(b->redirect);
    streams_free(b->streams);
    dialer_free(b->dialer);
    store_close(b->store);
    loop_http_free(b->http);
    uv_close((uv_handle_t *)&b->wake, NULL);
    uv_close((uv_handle_t *)&b->look, NULL);
}

void redirect_bench_clear(struct redirect_bench *b)
{
    static const char *const names[] = {"pw", "scenario", "key", "db", "db-wal", "db-shm"};

    redirect_stop(b->redirect);
    engine_stop(b->engine, engine_stopped, b);
    uv_run(&b->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&b->loop), 0);
    seal_free(b->seal);
    kill(b->sim, SIGTERM);
    waitpid(b->sim, NULL, 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(path_in(b, names[i]));
    assert_int_equal(rmdir(b->dir), 0);
}

/* --- running --- */

static void on_look(uv_timer_t *timer)
{
    (void)timer;
}

void redirect_bench_until(struct redirect_bench *b, bool (*done)(const void *arg), const void *arg)
{
    uint64_t limit = uv_hrtime() + PATIENCE_MS * (uint64_t)1000000;

    uv_timer_start(&b->look, on_look, LOOK_MS, LOOK_MS);
    while (!done(arg)) {
        uv_run(&b->loop, UV_RUN_ONCE);
        if (uv_hrtime() > limit)
            fail_msg("nothing came within %d s", PATIENCE_MS / 1000);
    }
    uv_timer_stop(&b->look);
}

struct outcome {
    bool over;
    enum cause cause;
};

static void task_done(void *arg, const struct operation *op, const struct err *failure)
{
    struct outcome *outcome = arg;

    (void)op;
    outcome->over = true;
    outcome->cause = failure ? failure->cause : CAUSE_NONE;
}

static bool is_over(const void *arg)
{
    return ((const struct outcome *)arg)->over;
}

enum cause redirect_bench_power(struct redirect_bench *b, const char *action)
{
    struct outcome outcome = {0};

    host_task_start(b->redirect, "pc1", "power", json_pack("{s:s}", "action", action), "test", task_done,
                    &outcome);
    redirect_bench_until(b, is_over, &outcome);
    return outcome.cause;
}
