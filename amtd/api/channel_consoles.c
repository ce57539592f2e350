/* Channels of the kind `consoles`: which consoles a node has, now and whenever that changes. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/api/channel_replica.h"
#include "amtd/console/hub.h"
#include "amtd/console/proof.h"
#include "amtd/daemon.h"
#include "base/xalloc.h"

#define LOOK_MS 500 /* between two looks whether there are others */

struct listing {
    struct channel *channel;
    uv_timer_t timer;
    uint64_t generation; /* as told last; UINT64_MAX: never */
};

struct adding {
    struct hub *hub;
    json_t *list;
};

static void add_one(void *arg, struct console *console)
{
    const struct adding *adding = arg;
    struct origin origin;
    char id[NODE_ID_LEN + 1];

    if (origin_of(clog_path(console_log(console)), console_info(console).name, hub_key(adding->hub), &origin,
                  NULL) < 0)
        return;
    origin_id(&origin, id);
    json_array_append_new(adding->list,
                          json_pack("{s:s, s:s}", "name", console_info(console).name, "key", id));
}

static void tell(struct listing *l)
{
    struct hub *hub = daemon_hub(channel_daemon(l->channel));
    struct adding adding = {hub, json_array()};
    json_t *json;
    char *text;

    if (!hub || hub_generation(hub) == l->generation) {
        json_decref(adding.list);
        return;
    }
    l->generation = hub_generation(hub);
    hub_each(hub, add_one, &adding);
    json = json_pack("{s:o}", "consoles", adding.list);
    text = json_dumps(json, JSON_COMPACT);
    channel_write(l->channel, text, strlen(text));
    channel_write(l->channel, "\n", 1);
    free(text);
    json_decref(json);
}

static void on_timer(uv_timer_t *timer)
{
    struct listing *l = timer->data;

    if (channel_backlog(l->channel) == 0)
        tell(l);
}

static int open_consoles(struct channel *channel, struct view params, struct err *err)
{
    struct listing *l = xcalloc(1, sizeof(*l));

    (void)params;
    (void)err;
    l->channel = channel;
    l->generation = UINT64_MAX;
    uv_timer_init(streams_loop(daemon_streams(channel_daemon(channel))), &l->timer);
    l->timer.data = l;
    channel_set(channel, l);
    channel_accept(channel);
    tell(l);
    uv_timer_start(&l->timer, on_timer, LOOK_MS, LOOK_MS);
    return 0;
}

static void consoles_data(struct channel *channel, const uint8_t *p, size_t n)
{
    (void)p; /* nothing is expected */
    channel_consumed(channel, n);
}

static void timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void consoles_closed(struct channel *channel)
{
    struct listing *l = channel_arg(channel);

    uv_close((uv_handle_t *)&l->timer, timer_closed);
}

const struct channel_kind channel_consoles = {
    .name = "consoles",
    .role = ROLE_WATCH,
    .callers = CALLER_SERVER,
    .open = open_consoles,
    .data = consoles_data,
    .closed = consoles_closed,
};
