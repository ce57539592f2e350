#include "amtd/fleet/reach_try.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtd/net/ping.h"
#include "base/xalloc.h"

#define BEFORE_MS   1500 /* what answers at all answers soon */
#define AFTER_MS    3000
#define AFTER_TRIES 3 /* a packet may be lost, an answer late */

/* One way of a look. */
struct attempt {
    struct reach_look *look;
    size_t way;
    unsigned tries;
    struct dial *dial;
    struct ping *ping;
};

struct reach_look {
    struct reach_try *reach;
    uv_loop_t *loop;
    struct dialer *dialer;
    void (*done)(void *arg);
    void *arg;
    size_t pending;
    struct attempt ways[REACH_WAYS_MAX];
};

static bool is_later(const struct reach_look *look)
{
    return look->reach->looks > 1;
}

static void one_less(struct reach_look *look)
{
    struct reach_try *reach = look->reach;

    if (--look->pending > 0)
        return;
    reach->look = NULL;
    look->done(look->arg);
    free(look);
}

static void try_way(struct attempt *attempt);

static void tried(struct attempt *attempt, bool answered)
{
    struct reach_look *look = attempt->look;

    if (!answered && is_later(look) && ++attempt->tries < AFTER_TRIES) {
        try_way(attempt);
        return;
    }
    (is_later(look) ? look->reach->after : look->reach->before)[attempt->way] = answered;
    one_less(look);
}

/* What this machine cannot try (no descriptors left, no ping sockets) says nothing about the host: as if it
 * had never answered. */
static void cannot_tell(struct attempt *attempt)
{
    struct reach_look *look = attempt->look;

    look->reach->before[attempt->way] = false;
    one_less(look);
}

static void dialed(void *arg, int fd, const struct err *failure)
{
    struct attempt *attempt = arg;

    attempt->dial = NULL;
    if (fd >= 0)
        close(fd);
    if (failure && failure->cause != CAUSE_REFUSED && failure->cause != CAUSE_UNREACHABLE)
        cannot_tell(attempt);
    else
        tried(attempt, !failure || failure->cause == CAUSE_REFUSED);
}

static void pinged(void *arg, bool answered)
{
    struct attempt *attempt = arg;

    attempt->ping = NULL;
    tried(attempt, answered);
}

static void try_way(struct attempt *attempt)
{
    struct reach_look *look = attempt->look;
    uint16_t port = look->reach->ways[attempt->way].port;
    int64_t ms = is_later(look) ? AFTER_MS : BEFORE_MS;

    if (port > 0)
        attempt->dial = dialer_connect(look->dialer, look->reach->address, port, ms, 0, dialed, attempt);
    else
        attempt->ping = ping_start(look->loop, look->reach->address, ms, pinged, attempt);
    if (!attempt->dial && !attempt->ping)
        cannot_tell(attempt);
}

void reach_try_look(struct reach_try *reach, uv_loop_t *loop, struct dialer *dialer, void (*done)(void *arg),
                    void *arg)
{
    struct reach_look *look = xcalloc(1, sizeof(*look));

    *look = (struct reach_look){reach, loop, dialer, done, arg, 1, {{NULL}}};
    reach->look = look;
    reach->looks++;
    for (size_t i = 0; i < reach->count; i++) {
        look->ways[i] = (struct attempt){look, i, 0, NULL, NULL};
        if (is_later(look) && !reach->before[i])
            continue;
        look->pending++;
        try_way(&look->ways[i]);
    }
    one_less(look);
}

void reach_try_cancel(struct reach_try *reach)
{
    struct reach_look *look = reach->look;

    reach->look = NULL;
    for (size_t i = 0; look && i < reach->count; i++) {
        if (look->ways[i].dial)
            dial_cancel(look->ways[i].dial);
        ping_cancel(look->ways[i].ping);
    }
    free(look);
}

const struct reach_way *reach_try_lost(const struct reach_try *reach)
{
    for (size_t i = 0; reach->looks > 1 && i < reach->count; i++)
        if (reach->before[i] && !reach->after[i])
            return &reach->ways[i];
    return NULL;
}

json_t *reach_try_json(const struct reach_try *reach)
{
    json_t *out = json_array();

    for (size_t i = 0; i < reach->count; i++) {
        char *way = reach->ways[i].port > 0 ? xasprintf("tcp %u", reach->ways[i].port) : xstrdup("ping");

        json_array_append_new(out, json_pack("{s:s, s:s, s:b, s:b}", "need", reach->ways[i].need, "way", way,
                                             "before", reach->before[i], "after", reach->after[i]));
        free(way);
    }
    return out;
}

json_t *reach_try_note(const struct reach_try *reach)
{
    json_t *ways = json_array();

    for (size_t i = 0; i < reach->count; i++)
        json_array_append_new(ways, json_pack("[s, i, b]", reach->ways[i].need, (int)reach->ways[i].port,
                                              (int)reach->before[i]));
    return json_pack("{s:s, s:o}", "address", reach->address, "ways", ways);
}

void reach_try_read(const json_t *note, struct reach_try *reach)
{
    const char *address = json_string_value(json_object_get(note, "address"));
    json_t *way;
    size_t i;

    if (!address || strlen(address) >= sizeof(reach->address))
        return;
    memcpy(reach->address, address, strlen(address) + 1);
    json_array_foreach(json_object_get(note, "ways"), i, way)
    {
        const char *need = json_string_value(json_array_get(way, 0));
        json_int_t port = json_integer_value(json_array_get(way, 1));

        if (!need || strlen(need) > REACH_NAME_MAX || port < 0 || port > UINT16_MAX ||
            reach->count == REACH_WAYS_MAX)
            continue;
        memcpy(reach->ways[reach->count].need, need, strlen(need) + 1);
        reach->ways[reach->count].port = (uint16_t)port;
        reach->before[reach->count++] = json_is_true(json_array_get(way, 2));
    }
    reach->looks = 1;
}
