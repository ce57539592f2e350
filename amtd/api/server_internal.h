/* What connections (client.c), those who accept or make them, channels and calls know of each other. */
#ifndef AMTD_API_SERVER_INTERNAL_H
#define AMTD_API_SERVER_INTERNAL_H

#include <jansson.h>
#include <stddef.h>

#include "amtd/api/api.h"
#include "amtd/api/client.h"
#include "amtd/api/listing.h"
#include "amtd/mux/mux.h"

/* One call: it outlives its connection until it is answered. */
struct api_request {
    struct daemon *daemon;
    struct client *client; /* NULL: the caller is gone */
    uint32_t channel;
    struct account *account;
    char *from;               /* "socket", an address */
    struct reach *reach;      /* of the caller, once it is known */
    struct hostlist *touched; /* hosts of the targets of a work call that is written down */
    struct buf line;          /* the request, until it is complete */
    size_t usual;             /* bytes of a line that is sent, as the last ones were */
    const struct api_call *call;
    json_t *params;
    json_t *reply;           /* of a work call, on its way back */
    struct listing *listing; /* of a list call, once it has begun */
    struct rows *rows;       /* for events that are rows; NULL: none yet */
    struct buf sent;         /* the last of these */
    void (*drained)(struct api_request *rq, void *arg);
    void *drained_arg;
    void (*gone)(struct api_request *rq, void *arg);
    void *gone_arg;
    struct api_request *prev, *next;
};

#define REQUEST_MAX (16 * 1024 * 1024) /* bytes of one; and of all of a connection that are not whole yet */

/* client.c */
struct channel **client_channels(struct client *client);
/* So many bytes more (or, negative, less) of requests that are not whole yet; how many there are now. */
size_t client_add_unfinished(struct client *client, ptrdiff_t n);
void client_close_channel(struct client *client, struct api_request *rq);

/* channel.c: events of channels that the other end opened and that are no calls */
void channel_open(struct client *client, const struct caller *caller, uint32_t number, struct view kind,
                  struct view params);
/* Says so in err, and in the activity log. */
void channel_not_for(const struct caller *caller, const char *kind, struct err *err);
bool channel_data(struct client *client, uint32_t number, const uint8_t *p, size_t n); /* false: none */
void channel_signal(struct client *client, uint32_t number, uint32_t value);
void channel_drained(struct client *client, uint32_t number);
void channel_closed(struct client *client, uint32_t number);
void channels_end(struct client *client);
/* Looks up again what its user may; the connection ends when that is less than one of its channels needs. */
void channels_look(struct client *client);

/* request.c */
void request_data(struct api_request *rq, const void *p, size_t n);
void request_gone(struct api_request *rq);
void request_free(struct api_request *rq);
/* Of a call that the store carries out: has it carried out, or gone on with. */
void request_work(struct api_request *rq);
/* Whole lines to the caller, as they are. */
void request_write(struct api_request *rq, const void *lines, size_t n);
/* All was said: ends the call. rq must not be used after. */
void request_done(struct api_request *rq);

#endif
