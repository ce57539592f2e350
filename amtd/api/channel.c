#include "amtd/api/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#include "amtd/api/activity.h"
#include "amtd/api/server_internal.h"
#include "amtd/daemon.h"
#include "amtd/store/reach.h"
#include "base/xalloc.h"

struct channel {
    struct client *client; /* NULL: it is gone, before it was known what he may */
    const struct channel_kind *kind;
    struct daemon *daemon;
    struct caller caller; /* while the client is there */
    struct account *account;
    struct reach *reach;
    struct buf params; /* of OPEN, until it is open */
    bool open;         /* the kind has it */
    uint32_t number;
    void *arg;
    struct look *look; /* what he may is being looked up again */
    UT_hash_handle hh;
};

struct look {
    struct channel *channel; /* NULL: it is gone */
    struct account *account;
    struct reach *reach;
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
    if (channel->client)
        HASH_DEL(*client_channels(channel->client), channel);
    if (channel->look)
        channel->look->channel = NULL;
    account_unref(channel->account);
    reach_free(channel->reach);
    buf_free(&channel->params);
    free(channel);
}

/* --- opening: who is it, what may he, then the kind --- */

/* What somebody may not even watch is not there for him; that he asked for it is worth a line all the same.
 */
static bool is_denial(const struct channel *channel, const struct err *err)
{
    return err->cause == CAUSE_DENIED ||
           (err->cause == CAUSE_NOT_FOUND && channel->reach && reach_everywhere(channel->reach) < ROLE_WATCH);
}

static void denied(const struct channel *channel, const struct err *err)
{
    char *what = xasprintf("open %s", channel->kind->name);
    const struct deed deed = {.who = channel_who(channel),
                              .by = channel->caller.from,
                              .what = what,
                              .target = buf_str(&channel->params),
                              .err = err};

    activity_write(channel->daemon, &deed);
    free(what);
}

/* Strangers are turned away without a line: anybody on the network could fill the log. */
void channel_not_for(const struct caller *caller, const char *kind, struct err *err)
{
    char *what = xasprintf("open %s", kind);

    err_set(err, CAUSE_DENIED, "%s may not open a channel of the kind '%s'", caller->who, kind);
    if (caller->kind != CALLER_STRANGER)
        activity_write(caller->daemon,
                       &(struct deed){.who = caller->who, .by = caller->from, .what = what, .err = err});
    free(what);
}

static void open_now(struct channel *channel)
{
    const struct view params = {channel->params.p, channel->params.len};
    struct err err = ERR_INIT;

    if (!channel->client) {
        channel_free(channel);
        return;
    }
    channel->open = true;
    if (reach_highest(channel->reach) < channel->kind->role)
        err_set(&err, CAUSE_DENIED, "%s may not open a channel of the kind '%s'", channel_who(channel),
                channel->kind->name);
    else if (channel->kind->open(channel, params, &err) == 0)
        return;
    channel_reject(channel, &err);
}

static int find_reach(struct tx *tx, void *data, struct err *err)
{
    struct channel *channel = data;

    return tx_reach(tx, account_user(channel->account), &channel->reach, err);
}

static void reach_found(void *data, const struct err *failure)
{
    struct channel *channel = data;

    if (failure && channel->client)
        channel_reject(channel, failure);
    else if (failure)
        channel_free(channel);
    else
        open_now(channel);
}

static void user_known(void *arg)
{
    struct channel *channel = arg;

    if (!channel->client) {
        channel_free(channel);
    } else if (account_user(channel->account)->role >= ROLE_ADMINISTER) { /* no grant adds to that */
        channel->reach = reach_new(ROLE_ADMINISTER);
        open_now(channel);
    } else {
        store_submit(daemon_store(channel->daemon), find_reach, reach_found, channel);
    }
}

void channel_open(struct client *client, const struct caller *caller, uint32_t number, struct view kind_name,
                  struct view params)
{
    const struct channel_kind *kind = find_kind(kind_name);
    struct err err = ERR_INIT;
    struct channel *channel;

    if (!kind)
        err_set(&err, CAUSE_PROTOCOL, "this amtd does not serve channels of that kind");
    else if (!(caller->kind & (kind->callers ? kind->callers : (unsigned)CALLER_USER)))
        channel_not_for(caller, kind->name, &err);
    if (err.cause != CAUSE_NONE) {
        reject(client, number, &err);
        return;
    }
    channel = xcalloc(1, sizeof(*channel));
    channel->client = client;
    channel->kind = kind;
    channel->daemon = caller->daemon;
    channel->caller = *caller;
    channel->account = account_ref(caller->account);
    channel->number = number;
    channel->params = buf_init(params.n + 1);
    buf_add(&channel->params, params.p, params.n);
    HASH_ADD(hh, *client_channels(client), number, sizeof(channel->number), channel);
    account_wait(channel->account, user_known, channel);
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

    if (channel && channel->open)
        channel->kind->data(channel, p, n);
    return channel != NULL;
}

void channel_signal(struct client *client, uint32_t number, uint32_t value)
{
    struct channel *channel = find(client, number);

    if (channel && channel->open && channel->kind->signal)
        channel->kind->signal(channel, value);
}

void channel_drained(struct client *client, uint32_t number)
{
    struct channel *channel = find(client, number);

    if (channel && channel->open && channel->kind->drained)
        channel->kind->drained(channel);
}

static void gone(struct channel *channel)
{
    if (!channel->open) { /* whoever looks up what he may frees it */
        HASH_DEL(*client_channels(channel->client), channel);
        channel->client = NULL;
        return;
    }
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

/* --- what somebody has open, and may not have any more --- */

static int look_work(struct tx *tx, void *data, struct err *err)
{
    struct look *look = data;

    reach_free(look->reach); /* the transaction is tried again when others in it fail */
    look->reach = NULL;
    return tx_reach(tx, account_user(look->account), &look->reach, err);
}

/* The connection ends, as when a grant is taken away: whoever comes again gets what he may have now. */
static void looked(void *data, const struct err *failure)
{
    struct look *look = data;
    struct channel *channel = look->channel;

    if (channel)
        channel->look = NULL;
    if (channel && !failure && !channel->kind->still_may(channel, look->reach))
        client_close(channel->client);
    account_unref(look->account);
    reach_free(look->reach);
    free(look);
}

void channels_look(struct client *client)
{
    struct channel *channel, *next;

    HASH_ITER(hh, *client_channels(client), channel, next)
    {
        if (!channel->open || !channel->kind->still_may || channel->look ||
            account_user(channel->account)->role >= ROLE_ADMINISTER)
            continue;
        channel->look = xcalloc(1, sizeof(*channel->look));
        channel->look->channel = channel;
        channel->look->account = account_ref(channel->account);
        store_submit(daemon_store(channel->daemon), look_work, looked, channel->look);
    }
}

/* --- for the kinds --- */

const struct caller *channel_caller(const struct channel *channel)
{
    return &channel->caller;
}

struct daemon *channel_daemon(const struct channel *channel)
{
    return channel->daemon;
}

const char *channel_who(const struct channel *channel)
{
    return account_who(channel->account);
}

const struct user *channel_user(const struct channel *channel)
{
    return account_user(channel->account);
}

const struct reach *channel_reach(const struct channel *channel)
{
    return channel->reach;
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
    if (is_denial(channel, err))
        denied(channel, err);
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

    return channel && channel->open && channel->kind == kind ? channel : NULL;
}
