/* The kinds of sources that come with the console folder. loop and streams are borrowed and outlive the hub.
 */
#ifndef AMTD_CONSOLE_SOURCES_H
#define AMTD_CONSOLE_SOURCES_H

#include <stdbool.h>
#include <uv.h>

#include "amtd/console/source.h"
#include "amtd/net/stream.h"

/* Built in, for trying things: gives back what is typed (`echo`), and writes numbered lines by itself
 * (`rate`). */
struct source_kind source_test_kind(uv_loop_t *loop);
/* unix, tcp, telnet: which one is asked for by type. */
struct source_kind source_socket_kind(struct streams *streams, enum source_type type);
/* A command on a terminal of its own. The child is killed when the link is closed, and always reaped. */
struct source_kind source_exec_kind(struct streams *streams);
/* A serial port. Its modem lines are watched. */
struct source_kind source_serial_kind(struct streams *streams);
/* Is it one that serial ports have? */
bool source_serial_speed_ok(int64_t speed);

#endif
