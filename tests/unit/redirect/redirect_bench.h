/* A daemon's parts for redirection on a loop of their own, and amtsim with one device behind them; for tests
 * of sessions. Host pc1 is the device, profile lab logs in. */
#ifndef TESTS_REDIRECT_BENCH_H
#define TESTS_REDIRECT_BENCH_H

#include <sys/types.h>

#include "amtd/loop_http.h"
#include "amtd/redirect/redirect.h"
#include "base/secret.h"

struct redirect_bench {
    char dir[64];
    pid_t sim;
    uint16_t port;
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t look;
    struct seal *seal;
    struct store *store;
    struct loop_http *http;
    struct engine *engine;
    struct dialer *dialer;
    struct streams *streams;
    struct redirect *redirect;
    char announced[128]; /* "pc1 test power cycle": the last power action */
};

/* device: members of the device in amtsim's scenario ("generation: 16, listener: false"). */
void redirect_bench_init(struct redirect_bench *b, const char *device, const char *password);
void redirect_bench_clear(struct redirect_bench *b);
/* Runs the loop until it is true; fails after a minute and a half. */
void redirect_bench_until(struct redirect_bench *b, bool (*done)(const void *arg), const void *arg);
/* Runs the task power on the device until it has ended; its cause. */
enum cause redirect_bench_power(struct redirect_bench *b, const char *action);

#endif
