#include "amtd/api/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#include "amtd/api/server_internal.h"
#include "base/xalloc.h"

struct channel {
    struct client *client;
    const struct channel_kind *kind;
    struct caller caller;
    uint32_t number;
    void *arg;
    UT_hash_handle hh;
};

static const struct channel_kind *find_kind(struct view name)
{
    for (const struct channel_kind *const *kind = channel_kinds; *kind; kind++)
        if (view_eq(name, (*kind)->name))
            return *kind;
    return NULL;
}

static void reject(struct client *client, uint32_t number, const struct err *err)
{
    char reason[ERR_TEXT_MAX + 40];

    snprintf(reason, sizeof(reason), "%s: %s", cause_name(err->cause), err->text);
    client_reject(client, number, reason);
}

static void channel_free(struct channel *channel)
{
    HASH_DEL(*client_channels(channel->client), channel);
    free(channel);
}

void channel_open(struct client *client, const struct caller *caller, uint32_t number, struct view kind_name,
                  struct view params)
{
    const struct channel_kind *kind = find_kind(kind_name);
    struct err err = ERR_INIT;
    struct channel *channel;

    if (!kind)
        err_set(&err, CAUSE_PROTOCOL, "this amtd does not serve channels of that kind");
    else if (caller->denied || caller->role < kind->role ||
             !(caller->kind & (kind->callers ? kind->callers : (unsigned)CALLER_USER)))
        err_set(&err, CAUSE_DENIED, "%s may not open a channel of the kind '%s'", caller->who, kind->name);
    if (err.cause != CAUSE_NONE) {
        reject(client, number, &err);
        return;
    }
    channel = xcalloc(1, sizeof(*channel));
    channel->client = client;
    channel->kind = kind;
    channel->caller = *caller;
    channel->number = number;
    HASH_ADD(hh, *client_channels(client), number, sizeof(channel->number), channel);
    if (kind->open(channel, params, &err) == 0)
        return;
    reject(client, number, &err);
    channel_free(channel);
}

static struct channel *find(struct client *client, uint32_t number)
{
    struct channel *channel;

    HASH_FIND(hh, *client_channels(client), &number, sizeof(number), channel);
    return channel;
}

bool channel_data(struct client *client, uint32_t number, const uint8_t *p, size_t n)
{
    struct channel *channel = find(client, number);

    if (channel)
        channel->kind->data(channel, p, n);
    return channel != NULL;
}

void channel_signal(struct client *client, uint32_t number, uint32_t value)
{
    struct channel *channel = find(client, number);

    if (channel && channel->kind->signal)
        channel->kind->signal(channel, value);
}

void channel_drained(struct client *client, uint32_t number)
{
    struct channel *channel = find(client, number);

    if (channel && channel->kind->drained)
        channel->kind->drained(channel);
}

static void gone(struct channel *channel)
{
    channel->kind->closed(channel);
    channel_free(channel);
}

void channel_closed(struct client *client, uint32_t number)
{
    struct channel *channel = find(client, number);

    if (channel)
        gone(channel);
}

void channels_end(struct client *client)
{
    while (*client_channels(client))
        gone(*client_channels(client));
}

/* --- for the kinds --- */

const struct caller *channel_caller(const struct channel *channel)
{
    return &channel->caller;
}

struct daemon *channel_daemon(const struct channel *channel)
{
    return channel->caller.daemon;
}

const char *channel_who(const struct channel *channel)
{
    return channel->caller.who;
}

enum api_role channel_role(const struct channel *channel)
{
    return channel->caller.role;
}

uint32_t channel_number(const struct channel *channel)
{
    return channel->number;
}

void channel_set(struct channel *channel, void *arg)
{
    channel->arg = arg;
}

void *channel_arg(const struct channel *channel)
{
    return channel->arg;
}

void channel_accept(struct channel *channel)
{
    client_accept(channel->client, channel->number);
}

void channel_reject(struct channel *channel, const struct err *err)
{
    reject(channel->client, channel->number, err);
    channel_free(channel);
}

bool channel_write(struct channel *channel, const void *p, size_t n)
{
    return client_write(channel->client, channel->number, p, n);
}

size_t channel_backlog(const struct channel *channel)
{
    return client_backlog(channel->client, channel->number);
}

void channel_consumed(struct channel *channel, size_t n)
{
    client_consumed(channel->client, channel->number, n);
}

void channel_close(struct channel *channel)
{
    client_end(channel->client, channel->number);
    channel_free(channel);
}

struct channel *channel_of_request(const struct api_request *rq, const struct channel_kind *kind,
                                   uint32_t number)
{
    struct channel *channel = rq->client ? find(rq->client, number) : NULL;

    return channel && channel->kind == kind ? channel : NULL;
}
