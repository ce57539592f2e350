/* One end of a multiplexed connection (docs/mux.md). Both ends run this code: the side that connected opens
 * odd channels, the side that accepted even ones.
 *
 * Bounded in memory: a peer can make this end keep at most MUX_WINDOW bytes per channel it was granted, and
 * only as many channels as `channels_max`. Not thread-safe. */
#ifndef AMTD_MUX_MUX_H
#define AMTD_MUX_MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

#define MUX_VERSION    1
#define MUX_HEAD       8
#define MUX_FRAME_MAX  65536              /* payload of one frame */
#define MUX_WINDOW     (256 * 1024)       /* credit given for each channel */
#define MUX_QUEUE_MAX  (64 * 1024 * 1024) /* bytes queued in one channel; more breaks the channel */
#define MUX_PING_MS    30000              /* silence after which the peer is asked for a sign of life */
#define MUX_SILENCE_MS 90000              /* silence after which it is taken for dead */

struct mux;

struct mux_events {
    void *arg;
    /* The peer opens a channel: answer with mux_accept or mux_reject, now or later. kind and params are
     * borrowed. */
    void (*open)(void *arg, uint32_t channel, struct view kind, struct view params);
    void (*accepted)(void *arg, uint32_t channel);
    void (*rejected)(void *arg, uint32_t channel, struct view reason);
    /* Data came; give the credit back with mux_consumed when it has been dealt with. */
    void (*data)(void *arg, uint32_t channel, const uint8_t *p, size_t n);
    /* The peer's signal on a channel: a number of the channel's kind (a break, ...). */
    void (*signal)(void *arg, uint32_t channel, uint32_t number);
    /* The channel is gone on both sides; its number means nothing any more. */
    void (*closed)(void *arg, uint32_t channel);
    /* All that had to wait in the channel has been handed to the connection. */
    void (*drained)(void *arg, uint32_t channel);
};

/* connected: this side made the connection. */
struct mux *mux_new(bool connected, const struct mux_events *events, size_t channels_max, int64_t now_ms);
void mux_free(struct mux *mux); /* without events; NULL is fine */

/* Bytes from the connection. -1 and err (protocol: what was wrong): drop the connection. */
int mux_feed(struct mux *mux, const void *p, size_t n, int64_t now_ms, struct err *err);
/* Bytes for the connection, borrowed until the next call of any function; mux_sent says how many were taken.
 */
struct view mux_output(struct mux *mux);
void mux_sent(struct mux *mux, size_t n);
/* When mux_tick wants to be called next (on the clock of now_ms). */
int64_t mux_deadline(const struct mux *mux);
/* -1 and err (timeout) when the peer has been silent for too long. */
int mux_tick(struct mux *mux, int64_t now_ms, struct err *err);

/* Opens a channel. 0 when there are too many. */
uint32_t mux_open(struct mux *mux, const char *kind, const void *params, size_t n);
void mux_accept(struct mux *mux, uint32_t channel);
void mux_reject(struct mux *mux, uint32_t channel, const char *reason);
/* Queues data; it goes out as the peer's credit allows. False when the channel is gone or its queue full. */
bool mux_write(struct mux *mux, uint32_t channel, const void *p, size_t n);
/* Bytes queued that have not been handed to the connection. */
size_t mux_backlog(const struct mux *mux, uint32_t channel);
void mux_consumed(struct mux *mux, uint32_t channel, size_t n);
void mux_signal(struct mux *mux, uint32_t channel, uint32_t number);
/* Nothing more will be written; what is queued still goes out. The channel is gone when both sides have
 * closed. */
void mux_close(struct mux *mux, uint32_t channel);

#endif
