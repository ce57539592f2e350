/* What connections (server.c) and calls (request.c) know of each other. */
#ifndef AMTD_API_SERVER_INTERNAL_H
#define AMTD_API_SERVER_INTERNAL_H

#include <jansson.h>

#include "amtd/api/api.h"
#include "amtd/mux/mux.h"

struct channel;
struct client;

/* Who is at the other end of a connection. Borrowed from it. */
struct caller {
    struct daemon *daemon;
    const char *who;
    enum api_role role;
    bool denied; /* may not do anything */
};

/* One call: it outlives its connection until it is answered. */
struct api_request {
    struct daemon *daemon;
    struct client *client; /* NULL: the caller is gone */
    uint32_t channel;
    char *who;
    enum api_role role;
    bool denied_all; /* this user may not call anything */
    struct buf line; /* the request, until it is complete */
    const struct api_call *call;
    json_t *params;
    json_t *reply; /* of a work call, on its way back */
    void (*drained)(struct api_request *rq, void *arg);
    void *drained_arg;
    void (*gone)(struct api_request *rq, void *arg);
    void *gone_arg;
    struct api_request *prev, *next;
};

#define REQUEST_MAX (16 * 1024 * 1024)

/* server.c */
bool client_write(struct client *client, uint32_t channel, const void *p, size_t n);
void client_accept(struct client *client, uint32_t channel);
void client_reject(struct client *client, uint32_t channel, const char *reason);
void client_consumed(struct client *client, uint32_t channel, size_t n);
void client_end(struct client *client, uint32_t channel); /* CLOSE */
struct channel **client_channels(struct client *client);
void client_close_channel(struct client *client, struct api_request *rq);
size_t client_backlog(const struct client *client, uint32_t channel);

/* channel.c: events of channels that are no calls */
void channel_open(struct client *client, const struct caller *caller, uint32_t number, struct view kind,
                  struct view params);
bool channel_data(struct client *client, uint32_t number, const uint8_t *p, size_t n); /* false: none */
void channel_signal(struct client *client, uint32_t number, uint32_t value);
void channel_drained(struct client *client, uint32_t number);
void channel_closed(struct client *client, uint32_t number);
void channels_end(struct client *client);

/* request.c */
void request_data(struct api_request *rq, const void *p, size_t n);
void request_gone(struct api_request *rq);
void request_free(struct api_request *rq);

#endif
