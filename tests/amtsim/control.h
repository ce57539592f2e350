/* The control socket: JSON lines on a UNIX socket, by which tests look into devices and change them.
 * The commands are described in README.md. */
#ifndef AMTSIM_CONTROL_H
#define AMTSIM_CONTROL_H

#include <jansson.h>

#include "base/err.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/listener.h"

struct control;

/* Listens on path, which must not exist or be a socket nobody listens on; mode 0600. NULL and err. */
struct control *control_new(struct fleet *fleet, struct listener *listener, const char *path,
                            struct err *err);
/* Closes clients and removes the path. NULL is fine; memory goes when the loop runs next. */
void control_free(struct control *control);

/* One command without the socket: the answer, caller's. listener may be NULL. */
json_t *control_run(struct fleet *fleet, struct listener *listener, const char *line, size_t n);

#endif
