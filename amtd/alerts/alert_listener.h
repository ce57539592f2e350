/* The listeners: alerts over HTTP from firmware with WS-Eventing, traps over UDP from what came before it.
 * Loop's thread only. */
#ifndef AMTD_ALERTS_ALERT_LISTENER_H
#define AMTD_ALERTS_ALERT_LISTENER_H

#include <uv.h>

#include "amtd/alerts/alert_desk.h"
#include "amtd/net/stream.h"
#include "base/err.h"

#define ALERT_CONNECTIONS_MAX 1024 /* more are closed at once */
#define ALERT_IDLE_MS         30000

struct alert_listener;

/* Addresses are "10.0.0.5:9971", "[::]:9971" or "0.0.0.0:162"; http or traps may be NULL: not that one. All
 * is borrowed; loop, streams and desk outlive it. */
struct alert_listener_parts {
    uv_loop_t *loop;
    struct streams *streams;
    struct alert_desk *desk;
    const char *http, *traps;
    bool secured; /* HTTPS: who comes before there is a certificate (alert_listener_show) is sent away */
};
/* NULL and err: invalid-argument, system (names the address). */
struct alert_listener *alert_listener_new(const struct alert_listener_parts *parts, struct err *err);
/* The certificate (DER) and its key (PKCS#1) to show from now on. -1 and err (system). */
int alert_listener_show(struct alert_listener *listener, const struct buf *certificate, const struct buf *key,
                        struct err *err);
/* Frees later, from the loop. NULL is fine. */
void alert_listener_free(struct alert_listener *listener);

/* Reads "ADDRESS:PORT". -1 and err (invalid-argument: what was expected). */
int alert_address(const char *text, struct sockaddr_storage *out, struct err *err);

#endif
