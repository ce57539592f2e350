/* A connection of amtcli to amtd: calls over the mux protocol on a UNIX socket. Blocking, with a poll loop
 * inside, so that a command reads from top to bottom. One thread. */
#ifndef AMTCLI_CLIENT_H
#define AMTCLI_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct client;

/* Connects to the socket ($AMTD_SOCKET, else that of $AMTD_STATE_DIR, else the system's amtd if its socket is
 * there, else the private one of this user, which is started when none runs and start is set). NULL and err
 * (no-daemon) else. */
struct client *client_open(bool start, struct err *err);
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
/* A call whose answer nobody waits for, from within on_idle: run.cancel. */
void client_post(struct client *client, const char *name, json_t *params);
/* From within on_idle: the call returns at once, -1 and err (no-daemon); the connection is of no more use. */
void client_leave(struct client *client);

/* A channel of another kind than a call (docs/mux.md), beside the calls of the connection: what comes on it
 * is told from within client_call. At most CLIENT_CHANNELS at a time. */
#define CLIENT_CHANNELS 4
struct client_channel_events {
    void *arg;
    void (*data)(void *arg, const uint8_t *p, size_t n);
    /* amtd does not take it, or has ended it: it is gone. reason is printable, "" when there is none. */
    void (*ended)(void *arg, const char *reason);
};
/* Takes params. The number of the channel, 0: too many. It may be named in calls at once. */
uint32_t client_channel_open(struct client *client, const char *kind, json_t *params,
                             const struct client_channel_events *events);
/* Queues all of it. */
void client_channel_write(struct client *client, uint32_t channel, const void *p, size_t n);
void client_channel_signal(struct client *client, uint32_t channel, uint32_t number);
void client_channel_close(struct client *client, uint32_t channel); /* nothing more is told of it */

/* daemon.stop, and waits until amtd's process has ended: only then may another take its place. 0, or -1 and
 * err: its failure, or timeout. */
int client_stop_daemon(struct client *client, struct err *err);

#endif
