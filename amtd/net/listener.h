/* A socket that listens, on a UNIX path or a TCP address. Loop's thread only. */
#ifndef AMTD_NET_LISTENER_H
#define AMTD_NET_LISTENER_H

#include <stdint.h>
#include <uv.h>

#include "base/err.h"

struct listener;

/* A connection came: fd is connected, non-blocking and the callee's. from: "127.0.0.1", "" for UNIX sockets;
 * borrowed. */
typedef void listener_accepted(void *arg, int fd, const char *from);

/* The socket is for this user only until its mode is changed. What a dead process left at path is replaced;
 * where somebody listens (state-dir-locked, with his pid), or something else lies, it stays: NULL and err.
 * The path goes with the listener. */
struct listener *listener_unix(uv_loop_t *loop, const char *path, listener_accepted *accepted, void *arg,
                               struct err *err);
/* host: a numeric address; NULL: all of this machine. port 0: any, see listener_port. NULL and err. */
struct listener *listener_tcp(uv_loop_t *loop, const char *host, uint16_t port, listener_accepted *accepted,
                              void *arg, struct err *err);
uint16_t listener_port(const struct listener *listener);
/* Frees later, from the loop. NULL is fine. */
void listener_free(struct listener *listener);

#endif
