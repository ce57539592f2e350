#include "tests/amtsim/qmp.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "base/buf.h"
#include "base/xalloc.h"

enum qmp_state {
    QMP_GREETING,    /* nothing heard yet -> QMP_NEGOTIATING */
    QMP_NEGOTIATING, /* qmp_capabilities sent -> QMP_READY */
    QMP_READY,       /* commands may be given */
    QMP_BROKEN,      /* not QMP; no way out */
};

/* A command that waits for its answer. */
struct qmp_pending {
    struct qmp_pending *next;
    json_int_t id;
    char *command;
    qmp_reply *reply;
    void *arg;
};

struct qmp {
    struct qmp_events events;
    enum qmp_state state;
    struct buf line;
    struct qmp_pending *pending; /* oldest first */
    json_int_t last_id;
};

struct qmp *qmp_new(const struct qmp_events *events)
{
    struct qmp *qmp = xcalloc(1, sizeof *qmp);

    qmp->events = *events;
    qmp->line = buf_init(QMP_LINE_MAX);
    return qmp;
}

static void pending_free(struct qmp_pending *p)
{
    free(p->command);
    free(p);
}

void qmp_free(struct qmp *qmp)
{
    struct qmp_pending *p, *next;

    if (qmp == NULL)
        return;
    LL_FOREACH_SAFE(qmp->pending, p, next)
    {
        pending_free(p);
    }
    buf_free(&qmp->line);
    free(qmp);
}

static void send_command(struct qmp *qmp, const char *command, json_t *arguments, qmp_reply *reply, void *arg)
{
    struct qmp_pending *p = xcalloc(1, sizeof *p);
    json_t *message = json_object();
    char *text;

    p->id = ++qmp->last_id;
    p->command = xstrdup(command);
    p->reply = reply;
    p->arg = arg;
    LL_APPEND(qmp->pending, p);

    json_object_set_new(message, "execute", json_string(command));
    if (arguments != NULL)
        json_object_set_new(message, "arguments", arguments);
    json_object_set_new(message, "id", json_integer(p->id));
    text = json_dumps(message, JSON_COMPACT);
    json_decref(message);
    qmp->events.send(qmp->events.arg, text, strlen(text));
    qmp->events.send(qmp->events.arg, "\r\n", 2);
    free(text);
}

int qmp_execute(struct qmp *qmp, const char *command, json_t *arguments, qmp_reply *reply, void *arg,
                struct err *err)
{
    if (qmp->state != QMP_READY) {
        json_decref(arguments);
        return err_set(err, CAUSE_INVALID_STATE, "QMP connection is not ready for %s", command);
    }
    send_command(qmp, command, arguments, reply, arg);
    return 0;
}

/* --- what QEMU says, by the member that names the kind of message --- */

static int take_greeting(struct qmp *qmp, const json_t *message, struct err *err);
static int take_event(struct qmp *qmp, const json_t *message, struct err *err);
static int take_answer(struct qmp *qmp, const json_t *message, struct err *err);

static const struct {
    const char *member;
    int (*take)(struct qmp *qmp, const json_t *message, struct err *err);
} kinds[] = {
    {"event", take_event},
    {"return", take_answer},
    {"error", take_answer},
    {"QMP", take_greeting},
};

static void negotiated(void *arg, const json_t *result, const struct err *err)
{
    struct qmp *qmp = arg;

    (void)result;
    if (err != NULL) {
        qmp->state = QMP_BROKEN;
        return;
    }
    qmp->state = QMP_READY;
    qmp->events.ready(qmp->events.arg);
}

static int take_greeting(struct qmp *qmp, const json_t *message, struct err *err)
{
    (void)message;
    if (qmp->state != QMP_GREETING)
        return err_set(err, CAUSE_PROTOCOL, "QEMU greets a second time");
    qmp->state = QMP_NEGOTIATING;
    send_command(qmp, "qmp_capabilities", NULL, negotiated, qmp);
    return 0;
}

static int take_event(struct qmp *qmp, const json_t *message, struct err *err)
{
    const json_t *name = json_object_get(message, "event");
    const json_t *data = json_object_get(message, "data");
    json_t *nothing = NULL;

    if (!json_is_string(name) || (data != NULL && !json_is_object(data)))
        return err_set(err, CAUSE_PROTOCOL,
                       "QEMU sends an event without name, or with data that is no object");
    if (data == NULL)
        data = nothing = json_object();
    qmp->events.event(qmp->events.arg, json_string_value(name), data);
    json_decref(nothing);
    return 0;
}

/* The error of an answer as ours. */
static void command_error(struct err *err, const char *command, const json_t *error)
{
    const char *class = json_string_value(json_object_get(error, "class"));
    const char *desc = json_string_value(json_object_get(error, "desc"));

    err_set(err, CAUSE_FAULT, "QEMU refuses %s: %s", command, desc != NULL ? desc : "no reason given");
    if (class != NULL)
        err_code(err, "%s", class);
}

static int take_answer(struct qmp *qmp, const json_t *message, struct err *err)
{
    const json_t *result = json_object_get(message, "return");
    const json_t *id = json_object_get(message, "id");
    struct qmp_pending *p = qmp->pending;
    struct err refusal = ERR_INIT;

    if (p == NULL || !json_is_integer(id) || json_integer_value(id) != p->id)
        return err_set(err, CAUSE_PROTOCOL, "QEMU answers a command that was not given");
    LL_DELETE(qmp->pending, p);
    if (result == NULL)
        command_error(&refusal, p->command, json_object_get(message, "error"));
    if (p->reply != NULL)
        p->reply(p->arg, result, result == NULL ? &refusal : NULL);
    pending_free(p);
    if (qmp->state == QMP_BROKEN) {
        if (err != NULL)
            *err = refusal;
        return -1;
    }
    return 0;
}

static int take_line(struct qmp *qmp, struct err *err)
{
    json_error_t where;
    json_t *message = json_loadb((const char *)qmp->line.p, qmp->line.len, JSON_REJECT_DUPLICATES, &where);
    int rc = -1;
    size_t i;

    buf_reset(&qmp->line);
    if (!json_is_object(message)) {
        json_decref(message);
        return err_set(err, CAUSE_PROTOCOL, "QEMU sends a line that is no JSON object");
    }
    for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (json_object_get(message, kinds[i].member) != NULL)
            break;
    if (i == sizeof kinds / sizeof kinds[0])
        err_set(err, CAUSE_PROTOCOL, "QEMU sends a message of no known kind");
    else if (qmp->state == QMP_GREETING && kinds[i].take != take_greeting)
        err_set(err, CAUSE_PROTOCOL, "QEMU does not begin with its greeting");
    else
        rc = kinds[i].take(qmp, message, err);
    json_decref(message);
    return rc;
}

static bool line_is_blank(const struct buf *line)
{
    for (size_t i = 0; i < line->len; i++)
        if (line->p[i] != '\r' && line->p[i] != ' ')
            return false;
    return true;
}

/* Takes what belongs to the present line; true when it ended there. */
static bool gather_line(struct qmp *qmp, const uint8_t **p, size_t *n)
{
    const uint8_t *end = memchr(*p, '\n', *n);
    size_t part = end != NULL ? (size_t)(end - *p) : *n;

    buf_add(&qmp->line, *p, part);
    part += end != NULL;
    *p += part;
    *n -= part;
    return end != NULL;
}

int qmp_feed(struct qmp *qmp, const void *bytes, size_t n, struct err *err)
{
    const uint8_t *p = bytes;

    if (qmp->state == QMP_BROKEN)
        return err_set(err, CAUSE_PROTOCOL, "QMP connection is broken");
    while (n > 0) {
        bool whole = gather_line(qmp, &p, &n);

        if (!buf_ok(&qmp->line)) {
            qmp->state = QMP_BROKEN;
            return err_set(err, CAUSE_TOO_LARGE, "QEMU sends a line of more than %u bytes", QMP_LINE_MAX);
        }
        if (!whole)
            continue;
        if (line_is_blank(&qmp->line)) {
            buf_reset(&qmp->line);
            continue;
        }
        if (take_line(qmp, err) != 0) {
            qmp->state = QMP_BROKEN;
            return -1;
        }
    }
    return 0;
}
