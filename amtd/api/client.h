/* A connection on which the mux protocol is spoken (docs/mux.md), and who is at its other end: a user's
 * program, a node, a server that this node belongs to. Calls and channels that the other end opens are served
 * by the tables, as far as it may; this end may open channels as well.
 *
 * Loop's thread only. */
#ifndef AMTD_API_CLIENT_H
#define AMTD_API_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/api/account.h"
#include "amtd/api/api.h"
#include "amtd/net/stream.h"
#include "amtd/peer/identity.h"
#include "base/bytes.h"
#include "base/err.h"

struct channel;
struct client;

/* What the other end is. A set, where a table says who may. */
enum caller_kind {
    CALLER_USER = 1 << 0,     /* a person's program: calls and channels by role */
    CALLER_NODE = 1 << 1,     /* a node of this server */
    CALLER_SERVER = 1 << 2,   /* a server of this node */
    CALLER_STRANGER = 1 << 3, /* nobody yet: may join, for a short while */
};

/* Who is at the other end. */
struct caller {
    struct daemon *daemon;
    enum caller_kind kind;
    const char *who;         /* "uid 1000 (anna)"; borrowed from the connection */
    const char *from;        /* "socket", an address; the same */
    const char *peer;        /* NODE, SERVER: its name; the same */
    const uint8_t *pin;      /* PEER_PIN bytes on TLS, else NULL; the same */
    struct account *account; /* what it may; the same */
};

#define CLIENT_CALLS_MAX    64    /* channels of a user's connection */
#define CLIENT_CHANNELS_MAX 16384 /* of a node's or server's */
#define CLIENT_STRANGER_MS  15000

struct client_owner {
    void *arg;
    struct daemon *daemon;
    bool connected; /* this end made the connection */
    /* The stream is up: who is it? Sets kind, calls client_set_account, and client_is for the texts. -1 and
     * err: it is dropped. */
    int (*identify)(void *arg, struct client *client, const struct stream *stream, struct caller *caller,
                    struct err *err);
    /* It is known who it is; channels may be opened. NULL: of no interest. */
    void (*up)(void *arg, struct client *client);
    /* It ended; it is freed after. why NULL: in good order, or by client_close. */
    void (*gone)(void *arg, struct client *client, const struct err *why);
};

/* from is copied. Give its stream the events, and it the stream. */
struct client *client_new(const struct client_owner *owner, const char *from);
struct stream_events client_events(struct client *client);
void client_set_stream(struct client *client, struct stream *stream);
/* From identify: the texts of the caller, copied. peer may be NULL. */
void client_is(struct client *client, const char *who, const char *peer);
/* Takes the reference. Without it, it may do nothing. */
void client_set_account(struct client *client, struct account *account);
void client_has_pin(struct client *client, const uint8_t pin[PEER_PIN]);
/* Ends it; `gone` is called from inside. What is on its way still goes out for a moment. */
void client_close(struct client *client);
const struct caller *client_caller(const struct client *client);
bool client_is_up(const struct client *client);

/* --- channels, whoever opened them --- */

bool client_write(struct client *client, uint32_t channel, const void *p, size_t n);
void client_consumed(struct client *client, uint32_t channel, size_t n);
void client_signal(struct client *client, uint32_t channel, uint32_t number);
void client_end(struct client *client, uint32_t channel); /* CLOSE */
size_t client_backlog(const struct client *client, uint32_t channel);
/* Of those that the other end opened. */
void client_accept(struct client *client, uint32_t channel);
void client_reject(struct client *client, uint32_t channel, const char *reason);

/* Of those that this end opens. `ended` is the last: reason is what REJECT said (printable), "" after CLOSE,
 * and NULL when the connection is gone. It is not called after client_drop_channel. */
struct channel_events {
    void *arg;
    void (*accepted)(void *arg);
    void (*data)(void *arg, const uint8_t *p, size_t n); /* give the credit back with client_consumed */
    void (*drained)(void *arg);                          /* NULL: no need to know */
    void (*ended)(void *arg, const char *reason);
};
/* The number of the channel; 0: too many. */
uint32_t client_open_channel(struct client *client, const char *kind, const void *params, size_t n,
                             const struct channel_events *events);
/* Closes it; nothing more is told of it. */
void client_drop_channel(struct client *client, uint32_t channel);

#endif
