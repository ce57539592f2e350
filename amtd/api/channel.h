/* Channels of a connection that are no calls: consoles, images. One row of a table for each kind
 * (docs/mux.md). Loop's thread only. */
#ifndef AMTD_API_CHANNEL_H
#define AMTD_API_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "amtd/api/api.h"
#include "amtd/api/client.h"
#include "base/bytes.h"
#include "base/err.h"

struct channel;

struct channel_kind {
    const char *name;   /* as in OPEN; NULL ends the table */
    enum api_role role; /* needed on any host; ROLE_NONE: the kind asks for what it needs */
    unsigned callers;   /* enum caller_kind, a set: who may open one; 0: users */
    /* The client opens one; params are what OPEN carried, borrowed. 0 when channel_serve or channel_accept
     * was, or later will be, called; -1 and err: it is rejected with that, "CAUSE: text". */
    int (*open)(struct channel *channel, struct view params, struct err *err);
    /* Bytes from the client; their credit is given back by channel_consumed, now or later. */
    void (*data)(struct channel *channel, const uint8_t *p, size_t n);
    /* A signal from the client. NULL: ignored. */
    void (*signal)(struct channel *channel, uint32_t number);
    /* All that was written has gone out. NULL: no need to know. */
    void (*drained)(struct channel *channel);
    /* Whether whoever has it may have it still, with that reach. NULL: what has begun goes on. */
    bool (*still_may)(struct channel *channel, const struct reach *now);
    /* The client closed it or went away: it is gone after this. Not called after channel_close. */
    void (*closed)(struct channel *channel);
};

extern const struct channel_kind *const channel_kinds[]; /* ended by NULL */

const struct caller *channel_caller(const struct channel *channel);
struct daemon *channel_daemon(const struct channel *channel);
const char *channel_who(const struct channel *channel); /* "uid 1000 (anna)" */
const struct user *channel_user(const struct channel *channel);
const struct reach *channel_reach(const struct channel *channel);
uint32_t channel_number(const struct channel *channel);
void channel_set(struct channel *channel, void *arg); /* what the kind keeps with it */
void *channel_arg(const struct channel *channel);

void channel_accept(struct channel *channel);
/* Instead of accepting it: it is gone after this. */
void channel_reject(struct channel *channel, const struct err *err);
/* False: its queue is full. */
bool channel_write(struct channel *channel, const void *p, size_t n);
size_t channel_backlog(const struct channel *channel);
void channel_consumed(struct channel *channel, size_t n);
/* Ends it: what was written still goes out. It is gone after this. */
void channel_close(struct channel *channel);

/* The channel of this number and kind on the connection from which a call came, NULL: there is none. */
struct channel *channel_of_request(const struct api_request *rq, const struct channel_kind *kind,
                                   uint32_t number);

#endif
