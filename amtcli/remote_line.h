/* A TLS connection to a server, for client.c: connecting blocks, reading and writing do not. One thread. */
#ifndef AMTCLI_REMOTE_LINE_H
#define AMTCLI_REMOTE_LINE_H

#include <stddef.h>
#include <sys/types.h>

#include "amtcli/remotes.h"
#include "amtd/peer/identity.h"
#include "amtd/peer/token.h"
#include "base/err.h"

struct remote_line;

/* Connects and makes sure that it is that server. NULL and err (name-unknown, no-daemon, peer-unknown,
 * tls-failed, timeout, ...). */
struct remote_line *remote_line_open(const struct remote *remote, const struct identity *identity,
                                     struct err *err);
void remote_line_close(struct remote_line *line);
int remote_line_fd(const struct remote_line *line); /* to poll; the line's */
/* As read and write: -1 with errno EAGAIN when it would have to wait, 0 at the end. */
ssize_t remote_line_read(struct remote_line *line, void *p, size_t n);
ssize_t remote_line_write(struct remote_line *line, const void *p, size_t n);

#endif
