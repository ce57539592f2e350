#include "amtd/api/channel_configure.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/api/activity.h"
#include "amtd/daemon.h"
#include "amtd/node/uplinks.h"
#include "base/log.h"
#include "base/xalloc.h"

#define HEAD 4

struct configuring {
    struct channel *channel;
    struct buf in;
};

static void configuring_free(struct configuring *c)
{
    buf_free(&c->in);
    free(c);
}

static int open_configure(struct channel *channel, struct view params, struct err *err)
{
    const struct caller *caller = channel_caller(channel);
    struct configuring *c;

    (void)params;
    if (!uplinks_configures(daemon_uplinks(caller->daemon), caller->peer))
        return err_set(err, CAUSE_DENIED, "this node does not take its configuration from server %s",
                       caller->peer);
    c = xcalloc(1, sizeof(*c));
    c->channel = channel;
    c->in = buf_init(HEAD + DAEMON_PUSHED_MAX);
    channel_set(channel, c);
    channel_accept(channel);
    return 0;
}

static void answer(const struct configuring *c, bool taken, const char *mistakes)
{
    json_t *json = json_pack("{s:b, s:s}", "taken", (int)taken, "mistakes", mistakes);
    char *text = json_dumps(json, JSON_COMPACT);

    channel_write(c->channel, text, strlen(text));
    channel_write(c->channel, "\n", 1);
    free(text);
    json_decref(json);
}

static void take(struct configuring *c, struct view text)
{
    const struct caller *caller = channel_caller(c->channel);
    struct buf mistakes = buf_init(65536);
    struct channel *channel = c->channel;
    bool taken = daemon_push(caller->daemon, text.p, text.n, &mistakes) == 0;
    struct err err = ERR_INIT;

    if (taken)
        log_info(caller->who, "this node has its consoles from it");
    else
        log_err(caller->who, "its configuration has mistakes, and is not used: %s", buf_str(&mistakes));
    if (!taken)
        err_set(&err, CAUSE_INVALID_ARGUMENT, "%.*s", (int)strcspn(buf_str(&mistakes), "\n"),
                buf_str(&mistakes));
    activity_write(caller->daemon, &(struct deed){.who = caller->who,
                                                  .by = caller->from,
                                                  .what = "configure",
                                                  .err = taken ? NULL : &err});
    answer(c, taken, buf_str(&mistakes));
    buf_free(&mistakes);
    configuring_free(c);
    channel_close(channel);
}

static void configure_data(struct channel *channel, const uint8_t *p, size_t n)
{
    struct configuring *c = channel_arg(channel);
    struct rd r;
    struct view text;

    channel_consumed(channel, n);
    buf_add(&c->in, p, n);
    r = rd_init(c->in.p, c->in.len);
    text = rd_str32(&r, DAEMON_PUSHED_MAX);
    if (rd_ok(&r)) {
        take(c, text);
    } else if (!buf_ok(&c->in)) {
        answer(c, false, "it is too long");
        configuring_free(c);
        channel_close(channel);
    }
}

static void configure_closed(struct channel *channel)
{
    configuring_free(channel_arg(channel));
}

const struct channel_kind channel_configure = {
    .name = "configure",
    .role = ROLE_WATCH,
    .callers = CALLER_SERVER,
    .open = open_configure,
    .data = configure_data,
    .closed = configure_closed,
};
