#include "amtd/alerts/alert_desk.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "amtd/store/alerts.h"
#include "base/log.h"
#include "base/xalloc.h"

#define TEXT_MAX  1000
#define NAMED_MAX 64 /* bytes of what a device says that go into data */

/* How much a host has told lately: a bucket of tokens, in thousandths. */
struct teller {
    int64_t host_id; /* hash key */
    int64_t level, at_ms;
    uint32_t left_out;
    UT_hash_handle hh;
};

/* One that waits for the store's word on whose it is. */
struct pending {
    struct alert_desk *desk; /* NULL: it is gone */
    char *token;             /* of an alert; NULL: a trap */
    struct wsman_alert alert;
    struct trap trap;
    char from[64];
    alert_desk_done *done;
    void *arg;
    int64_t host_id;
    char *host;    /* NULL: nobody's */
    char *address; /* of a trap's host, as it is known here; NULL: none */
    struct pending *prev, *next;
};

struct alert_desk {
    struct store *store;
    struct events *events;
    const struct clock *clock;
    struct teller *tellers;
    struct pending *pending;
};

struct alert_desk *alert_desk_new(struct store *store, struct events *events, const struct clock *clock)
{
    struct alert_desk *desk = xcalloc(1, sizeof(*desk));

    desk->store = store;
    desk->events = events;
    desk->clock = clock;
    return desk;
}

void alert_desk_free(struct alert_desk *desk)
{
    struct teller *t, *next;
    struct pending *p;

    if (!desk)
        return;
    DL_FOREACH(desk->pending, p)
    p->desk = NULL;
    HASH_ITER(hh, desk->tellers, t, next)
    {
        HASH_DEL(desk->tellers, t);
        free(t);
    }
    free(desk);
}

/* --- how much is too much --- */

static struct teller *teller_of(struct alert_desk *desk, int64_t host_id)
{
    struct teller *t;

    HASH_FIND(hh, desk->tellers, &host_id, sizeof(host_id), t);
    if (t)
        return t;
    t = xcalloc(1, sizeof(*t));
    t->host_id = host_id;
    t->level = ALERTS_BURST * 1000;
    t->at_ms = clock_mono(desk->clock);
    HASH_ADD(hh, desk->tellers, host_id, sizeof(t->host_id), t);
    return t;
}

/* False: this one is left out. *left_out: how many were before it, when the first is heard again. */
static bool may_tell(struct alert_desk *desk, int64_t host_id, uint32_t *left_out)
{
    struct teller *t = teller_of(desk, host_id);
    int64_t now = clock_mono(desk->clock);

    t->level += (now - t->at_ms) * ALERTS_PER_SECOND;
    if (t->level > ALERTS_BURST * 1000)
        t->level = ALERTS_BURST * 1000;
    t->at_ms = now;
    if (t->level < 1000) {
        t->left_out++;
        return false;
    }
    t->level -= 1000;
    *left_out = t->left_out;
    t->left_out = 0;
    return true;
}

/* --- events --- */

static json_t *short_text(const char *text)
{
    char cut[NAMED_MAX + 1];

    snprintf(cut, sizeof(cut), "%s", text);
    return json_string(cut); /* NULL, and so left out, when it is not UTF-8 */
}

static void set(json_t *json, const char *name, json_t *value)
{
    if (value)
        json_object_set_new(json, name, value);
}

static json_t *alert_data(const struct wsman_alert *alert)
{
    json_t *data = json_object();

    set(data, "id", short_text(alert->id));
    set(data, "argument", short_text(alert->argument));
    set(data, "device_time", short_text(alert->at));
    json_object_set_new(data, "perceived_severity", json_integer(alert->perceived));
    return data;
}

static json_t *trap_data(const struct trap *trap, const char *from)
{
    char text[CLOCK_TEXT_MAX];

    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:s}", "from", from, "sensor_type",
                     (int)trap->sensor_type, "event_type", (int)trap->event_type, "offset", (int)trap->offset,
                     "severity", (int)trap->severity_code, "sensor", (int)trap->sensor, "entity",
                     (int)trap->entity, "entity_instance", (int)trap->entity_instance, "device_time",
                     trap->at_s > 0 ? clock_text(trap->at_s * 1000, text) : "");
}

/* A datagram proves nothing about who sent it; another address is worth a word. Names are not looked up for
 * it. */
static bool is_from_elsewhere(const struct pending *p)
{
    struct in_addr known, sender;

    return !p->token && p->address && inet_pton(AF_INET, p->address, &known) == 1 &&
           inet_pton(AF_INET, p->from, &sender) == 1 && known.s_addr != sender.s_addr;
}

static void raise_event(struct pending *p)
{
    struct buf text = buf_init(TEXT_MAX);
    struct event_report report = {.kind = EVENT_ALERT, .host = p->host};
    uint32_t left_out = 0;

    if (!may_tell(p->desk, p->host_id, &left_out))
        return;
    if (p->token)
        wsman_alert_say(&p->alert, &text);
    else
        trap_say(&p->trap, &text);
    if (is_from_elsewhere(p))
        buf_printf(&text, " (sent from %s, which is not its address)", p->from);
    if (left_out > 0)
        buf_printf(&text, " (%u alerts before it were left out: too many at a time)", left_out);
    report.severity = p->token ? p->alert.severity : p->trap.severity;
    report.data = p->token ? alert_data(&p->alert) : trap_data(&p->trap, p->from);
    report.text = buf_str(&text);
    event_raise(p->desk->events, &report);
    buf_free(&text);
}

/* --- whose it is --- */

static int look_up(struct tx *tx, void *data, struct err *err)
{
    struct pending *p = data;
    char sent[37], swapped[37];
    bool there;
    int status;

    free(p->address); /* the transaction is tried again when others in it fail */
    p->address = NULL;
    if (p->token)
        return tx_alert_host(tx, p->token, &p->host_id, &p->host, err);
    trap_guids(&p->trap, sent, swapped);
    status = tx_alert_host_by(tx, swapped, NULL, &p->host_id, &p->host, err);
    if (status == 0 && !p->host)
        status = tx_alert_host_by(tx, sent, p->from, &p->host_id, &p->host, err);
    return status == 0 && p->host ? tx_host_address(tx, p->host_id, &p->address, &there, err) : status;
}

static void looked_up(void *data, const struct err *failure)
{
    struct pending *p = data;

    if (p->desk) {
        enum alert_heard heard = failure ? ALERT_NOT_HEARD : p->host ? ALERT_HEARD : ALERT_NOBODY;

        DL_DELETE(p->desk->pending, p);
        if (heard == ALERT_HEARD)
            raise_event(p);
        else if (heard == ALERT_NOBODY && !p->token)
            log_info(NULL, "a trap from %s is of no host that is known here", p->from);
        if (p->done)
            p->done(p->arg, heard);
    }
    wsman_alert_clear(&p->alert);
    free(p->token);
    free(p->host);
    free(p->address);
    free(p);
}

static void submit(struct alert_desk *desk, struct pending *p)
{
    p->desk = desk;
    DL_APPEND(desk->pending, p);
    store_submit(desk->store, look_up, looked_up, p);
}

void alert_desk_alert(struct alert_desk *desk, const char *token, struct wsman_alert *alert,
                      alert_desk_done *done, void *arg)
{
    struct pending *p = xcalloc(1, sizeof(*p));

    p->token = xstrdup(token);
    p->alert = *alert;
    memset(alert, 0, sizeof(*alert));
    p->done = done;
    p->arg = arg;
    submit(desk, p);
}

void alert_desk_trap(struct alert_desk *desk, const struct trap *trap, const char *from)
{
    struct pending *p = xcalloc(1, sizeof(*p));

    p->trap = *trap;
    snprintf(p->from, sizeof(p->from), "%s", from);
    submit(desk, p);
}
