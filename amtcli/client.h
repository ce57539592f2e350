/* A connection of amtcli to amtd: calls over the mux protocol on a UNIX socket, or on TLS to another
 * machine's. Blocking, with a poll loop inside, so that a command reads from top to bottom. One thread. */
#ifndef AMTCLI_CLIENT_H
#define AMTCLI_CLIENT_H

#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct client;

/* Connects: to the server of that name or address (remotes.h), when one is given; else to the socket
 * ($AMTD_SOCKET, else that of $AMTD_STATE_DIR, else the default server that was joined, else the system's
 * amtd if its socket is there, else the private one of this user, which is started when none runs and start
 * is set). NULL and err (no-daemon; on TLS also name-unknown, peer-unknown, ...) else. */
struct client *client_open(const char *server, bool start, struct err *err);
/* Connects to a server with a token, for joining; *pin is this end's own. NULL and err. */
struct token;
struct client *client_open_token(const struct token *token, uint8_t pin[32], struct err *err);
void client_close(struct client *client); /* NULL is fine */
/* False when the connection has ended, or has lain still for so long that amtd may have given it up. */
bool client_alive(const struct client *client);

/* Calls. Takes params (may be NULL). Every event goes to on_event (may be NULL; borrowed). on_idle (may be
 * NULL) is called at least every 100 ms meanwhile: for progress lines and Ctrl-C; it may use client_post. 0
 * and *reply (owned by the caller; reply may be NULL), or -1 and err: amtd's failure, or no-daemon when the
 * line broke; *reply is then the failure's details or NULL. */
typedef void client_event(void *arg, const json_t *event);
int client_call(struct client *client, const char *name, json_t *params, client_event *on_event,
                void (*on_idle)(void *arg), void *arg, json_t **reply, struct err *err);
/* The same of a call that lists or runs: its rows, and events among them, go to `rows` as they come
 * (reply.h), and *reply is what there is beside them, or NULL. */
struct reply_rows;
int client_rows(struct client *client, const char *name, json_t *params, const struct reply_rows *rows,
                void (*on_idle)(void *arg), void *arg, json_t **reply, struct err *err);
/* A call whose answer nobody waits for, from within on_idle: run.cancel. */
void client_post(struct client *client, const char *name, json_t *params);
/* From within on_idle: the call returns at once, -1 and err (no-daemon); the connection is of no more use. */
void client_leave(struct client *client);

/* Channels beside the one call that is waited for: of another kind (docs/mux.md), or further calls. What
 * comes on them is told from within client_call and client_turn. At most CLIENT_CHANNELS at a time. */
#define CLIENT_CHANNELS 16
struct client_channel_events {
    void *arg;
    void (*data)(void *arg, const uint8_t *p, size_t n);
    /* amtd does not take it, or has ended it: it is gone. reason is printable, "" when there is none. */
    void (*ended)(void *arg, const char *reason);
    void (*accepted)(void *arg); /* NULL: nobody wants to know */
};
/* Takes params. The number of the channel, 0: too many. It may be named in calls at once. */
uint32_t client_channel_open(struct client *client, const char *kind, json_t *params,
                             const struct client_channel_events *events);
/* Queues all of it. */
void client_channel_write(struct client *client, uint32_t channel, const void *p, size_t n);
void client_channel_signal(struct client *client, uint32_t channel, uint32_t number);
void client_channel_close(struct client *client, uint32_t channel); /* nothing more is told of it */

/* How much is queued in a channel, or for all of them, that was not handed to the connection. */
size_t client_channel_backlog(const struct client *client, uint32_t channel);

/* A call that goes on beside others. Takes params. over: once, at its end; failure NULL: it succeeded; reply
 * may be NULL. It may be ended with client_channel_close; nothing is told then. 0: too many. */
struct client_call_events {
    void *arg;
    client_event *event; /* NULL: of no interest */
    /* Each row of a list, or of what became of hosts (reply.h); NULL: they are gathered in the reply. */
    void (*row)(void *arg, const char *json, size_t n);
    void (*over)(void *arg, const json_t *reply, const struct err *failure);
};
uint32_t client_start(struct client *client, const char *name, json_t *params,
                      const struct client_call_events *events);

/* Waits until something has come from amtd and was told, one of `also` (count may be 0) is ready, a signal
 * came, or timeout_ms have passed. -1 and err (no-daemon): the connection is of no more use. */
int client_turn(struct client *client, struct pollfd *also, size_t count, int timeout_ms, struct err *err);

/* daemon.stop, and waits until amtd's process has ended: only then may another take its place. 0, or -1 and
 * err: its failure, or timeout. */
int client_stop_daemon(struct client *client, struct err *err);

#endif
