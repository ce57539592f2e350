/* Serial over LAN: the console session. (reference redirection.md, section 2)
 *
 * The core holds at most SOL_QUEUE bytes of its owner for the host (4 KiB, taken only while there are any),
 * and hands data from the host on as it comes, without keeping it: an owner that cannot take more stops
 * reading from the connection (redir_reading), and TCP holds the device back. */
#ifndef SOL_SOL_H
#define SOL_SOL_H

#include "sol/redir.h"

#define SOL_QUEUE 4096

struct sol;

/* What the session asks of the device: fields of StartSolRedirection (section 2.1). */
struct sol_settings {
    uint16_t transmit_buffer;      /* device collects at most so many bytes of output: 1..65535 */
    uint16_t transmit_timeout_ms;  /* and no longer than this; 0: sends only when full */
    uint16_t transmit_overflow_ms; /* waits so long with a full buffer before it drops output; 0: for ever */
    uint16_t silence_ms;           /* device ends the session after hearing nothing for so long: 10000.. */
    uint16_t fifo_flush_ms;        /* input that the host does not fetch for so long is thrown away; 0: never,
                                      which makes some firmware drop the connection instead */
    uint16_t heartbeat_ms;         /* device's sign of life when idle: 1000..20000 */
    uint16_t write_max;            /* most bytes in one message to the device: 1..4096; 256 is what every
                                      generation takes */
};

/* 10000, 100, 0, 30000, 100, 5000; 256. */
extern const struct sol_settings sol_settings_default;

/* State of the host and of its serial port as the device sees it; what is not known is false. */
struct sol_lines {
    bool known; /* the device has told: until then all others mean nothing */
    bool rts, dtr;
    bool brk;      /* the host sends a break */
    bool overflow; /* the host's output was lost since the last time */
    bool loopback; /* nothing in the host owns the port: input may not be accepted */
    bool powered;  /* the host is on */
    bool flushed;  /* input was thrown away since the last time (fifo_flush_ms) */
    bool testing;
};

struct sol_events {
    struct redir_events session;
    /* Output of the host, 1..65535 bytes; cut anywhere. */
    void (*data)(void *arg, const uint8_t *p, size_t n);
    /* Told by the device; also when nothing changed. */
    void (*lines)(void *arg, const struct sol_lines *lines);
    /* All that sol_write took has been handed to the connection: there is room for SOL_QUEUE bytes. */
    void (*drained)(void *arg);
};

/* A session at the moment its connection stands. NULL and err (invalid-argument) when login or settings are
 * outside their ranges. Freed by redir_free(sol_session(sol)). */
struct sol *sol_new(const struct redir_login *login, const struct sol_settings *settings,
                    const struct sol_events *events, int64_t now_ms, struct err *err);
struct redir *sol_session(struct sol *sol); /* what drives it; borrowed */

/* Input for the host. Returns how many bytes were taken, 0..n: less than n when the queue is full (drained
 * follows), 0 before `up` and after redir_stop. Bytes are not changed in any way.
 *
 * There is no way to send a break: the protocol has no message for it (section 2.3). */
size_t sol_write(struct sol *sol, const void *p, size_t n);
/* Bytes taken and not yet handed to the connection. */
size_t sol_backlog(const struct sol *sol);

/* Last told; borrowed. */
const struct sol_lines *sol_lines(const struct sol *sol);

#endif
