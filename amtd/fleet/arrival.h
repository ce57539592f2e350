/* Waiting until a device answers at an address: after its network settings were changed. Loop's thread only.
 */
#ifndef AMTD_FLEET_ARRIVAL_H
#define AMTD_FLEET_ARRIVAL_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "amtd/net/dial.h"

/* A fact: the address that a device was sent to and not seen at yet. */
#define MOVING_FACT "moving.to"

struct arrival;

/* Connects again and again until a connection is made and stays, at most for wait_ms (0: once). done(arg,
 * there) once, never from inside; the arrival is gone then. address is numeric and copied. */
struct arrival *arrival_start(uv_loop_t *loop, struct dialer *dialer, const char *address, uint16_t port,
                              int64_t wait_ms, void (*done)(void *arg, bool there), void *arg);
/* Ends it without calling back; NULL is fine. */
void arrival_cancel(struct arrival *arrival);

#endif
