/* QEMU's machine protocol (QMP), the client's side, without I/O: fed bytes, yields bytes and events.
 *
 * One JSON object a line each way. QEMU greets; the client negotiates capabilities by itself and is then
 * ready for commands, each answered once and in order; events come at any time. (QEMU 7.2,
 * docs/interop/qmp-spec.txt) */
#ifndef AMTSIM_QMP_H
#define AMTSIM_QMP_H

#include <stddef.h>

#include <jansson.h>

#include "base/err.h"

#define QMP_LINE_MAX (1u << 20) /* longest line taken from QEMU */

struct qmp; /* opaque; one connection */

struct qmp_events {
    void *arg;
    /* Bytes for QEMU; borrowed until the call returns. */
    void (*send)(void *arg, const void *p, size_t n);
    /* The greeting is over: commands may be given. */
    void (*ready)(void *arg);
    /* QEMU reports something; data is an object (possibly empty), borrowed. */
    void (*event)(void *arg, const char *name, const json_t *data);
};

/* The answer to one command: either result (borrowed) or err, the other is NULL. */
typedef void qmp_reply(void *arg, const json_t *result, const struct err *err);

/* The events are copied. No callback may free the connection it comes from. Free with qmp_free. */
struct qmp *qmp_new(const struct qmp_events *events);
/* Commands that still wait are never answered. NULL is fine. */
void qmp_free(struct qmp *qmp);

/* Takes n bytes from QEMU. 0, or -1 and err (protocol, too-large) when it does not speak QMP; that sticks. */
int qmp_feed(struct qmp *qmp, const void *p, size_t n, struct err *err);

/* Gives a command. arguments: an object whose reference is taken over, or NULL; reply: NULL when nobody
 * cares. 0, or -1 and err (invalid-state) before ready and after a protocol error. */
int qmp_execute(struct qmp *qmp, const char *command, json_t *arguments, qmp_reply *reply, void *arg,
                struct err *err);

#endif
