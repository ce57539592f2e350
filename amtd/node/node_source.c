/* Sources of the type `node`: a replica of a node's console. The subscription lasts from open to close,
 * whether the console is up at the node or not; its log is followed all the time. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "amtd/console/hub.h"
#include "amtd/mux/mux.h"
#include "amtd/node/nodes_internal.h"
#include "amtd/node/record.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"

#define TYPED_MAX (64 * 1024) /* bytes on their way to the node */
#define IN_MAX    (MUX_WINDOW + RECORD_MAX + RECORD_HEAD)
#define TEXT_SIZE 200

/* What the console was told since it called open. */
enum told { TOLD_NOTHING, TOLD_SOON, TOLD_UP };

struct node_source {
    struct source source;
    struct node *node;
    char *console; /* its name there */
    bool wanted;   /* between open and close */
    bool demanded;
    uint32_t channel; /* 0: none */
    struct buf in;    /* records that are not whole, or not dealt with */
    bool waits;       /* the log here takes nothing now */
    bool known;       /* whose log it is */
    bool unproved;    /* what proves it does not fit: no more until the next connection */
    bool introduced;  /* this channel has said whose log it is */
    bool again;       /* the channel is to be opened anew */
    bool up;          /* at the node */
    enum told told;
    char reason[TEXT_SIZE]; /* why it is not up there */
    char writer[TEXT_SIZE]; /* who has the lease there */
    char hindrance[2 * TEXT_SIZE];
    bool yours;  /* that is somebody here */
    bool asked;  /* the lease was asked for, or given back, and the node has not said yet */
    char *lease; /* who has it here; NULL: nobody */
    bool forced;
    struct node_source *prev, *next;
};

static void connect_source(struct node_source *s);

struct source *node_source_base(struct node_source *s)
{
    return &s->source;
}

struct node_source *node_source_next(const struct node_source *s)
{
    return s->next;
}

bool node_source_is(const struct node_source *s, const char *console)
{
    return strcmp(s->console, console) == 0;
}

static const char *log_name(const struct node_source *s)
{
    const char *path = clog_path(s->source.events.log(s->source.events.arg));

    return strrchr(path, '/') + 1;
}

/* --- how it is there --- */

static void go_down(struct node_source *s, const char *why)
{
    struct err err = ERR_INIT;

    s->up = false;
    snprintf(s->reason, sizeof(s->reason), "%s", why);
    if (s->told == TOLD_NOTHING)
        return;
    s->told = TOLD_NOTHING;
    err_set(&err, CAUSE_DROPPED, "%s", why);
    s->source.events.down(s->source.events.arg, &err);
}

static void set_text(char out[TEXT_SIZE], const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    struct buf shown = buf_init(TEXT_SIZE * 4);

    if (text)
        text_printable(&shown, text, strnlen(text, TEXT_SIZE - 1));
    snprintf(out, TEXT_SIZE, "%s", buf_str(&shown));
    buf_free(&shown);
}

static int take_state(struct node_source *s, struct view payload)
{
    json_t *json = json_loadb((const char *)payload.p, payload.n, JSON_REJECT_DUPLICATES, NULL);
    const char *state = json_string_value(json_object_get(json, "state"));
    unsigned known = (unsigned)json_integer_value(json_object_get(json, "known"));
    unsigned on = (unsigned)json_integer_value(json_object_get(json, "on"));
    bool up = state && strcmp(state, console_state_name(CONSOLE_UP)) == 0;
    char reason[TEXT_SIZE], why[2 * TEXT_SIZE];

    if (!state) {
        json_decref(json);
        return -1;
    }
    set_text(reason, json, "reason");
    set_text(s->writer, json, "writer");
    s->yours = json_is_true(json_object_get(json, "yours"));
    s->asked = false;
    json_decref(json);
    if (!up) {
        snprintf(why, sizeof(why), "at node %s: %s", s->node->name, reason[0] ? reason : "not up");
        go_down(s, why);
        return 0;
    }
    s->up = true;
    if (s->told == TOLD_NOTHING)
        s->source.events.ready(s->source.events.arg);
    if (s->told == TOLD_UP)
        s->source.events.signals(s->source.events.arg, known & 15u, on & known & 15u);
    s->source.events.drained(s->source.events.arg);
    return 0;
}

/* --- the log --- */

/* Whose bytes come now: kept when it is something new. */
static void take_lives(struct node_source *s, struct clog *log, const struct lives *lives)
{
    struct buf new_text = buf_init(LIVES_TEXT_MAX), old_text = buf_init(LIVES_TEXT_MAX);
    struct lives old;
    struct err err = ERR_INIT;

    if (proof_lives_read(clog_path(log), &old, NULL) == 0)
        lives_write(&old, &old_text);
    lives_write(lives, &new_text);
    if (old_text.len != new_text.len || memcmp(old_text.p, new_text.p, new_text.len) != 0) {
        if (proof_lives_write(clog_path(log), lives, &err) != 0) {
            log_warn(log_name(s), "which lives of the node the replica is of cannot be kept: %s", err.text);
            s->unproved = true;
        }
        clog_lives_changed(log);
    }
    lives_clear(&old);
    buf_free(&old_text);
    buf_free(&new_text);
}

/* The node has written other bytes at offsets that are here, or may have. What is here stays. */
static void tell_history(const struct node_source *s, uint64_t from, uint64_t differs, uint64_t end)
{
    char *text;

    if (differs < end)
        text = xasprintf(
            "node %s was put back to an older state or set up anew: its log is another one from offset "
            "%llu on; what is here up to %llu stays, and a new history begins at %llu",
            s->node->name, (unsigned long long)differs, (unsigned long long)end, (unsigned long long)from);
    else
        text = xasprintf("a new history of the log of node %s begins at %llu; what is here up to %llu stays",
                         s->node->name, (unsigned long long)from, (unsigned long long)end);
    s->source.events.history(s->source.events.arg, text);
    free(text);
}

/* -1: a history would begin in front of what is here. */
static int begin_origin(struct node_source *s, const struct origin *origin, const struct lives *lives,
                        uint64_t differs)
{
    struct clog *log = s->source.events.log(s->source.events.arg);
    uint64_t end = clog_end(log);
    struct origin there;
    struct err err = ERR_INIT;
    bool changed = false;

    if (origin_of(clog_path(log), "", NULL, &there, NULL) > 0 && there.from < origin->from &&
        origin->from < end)
        return -1;
    if (proof_begin(clog_path(log), origin, end, &changed, &err) != 0) {
        log_warn(log_name(s), "what proves the replica cannot be kept: %s", err.text);
        s->unproved = true;
    } else {
        take_lives(s, log, lives);
    }
    s->again = changed && s->introduced; /* what proves the new one comes from its beginning on */
    s->introduced = true;
    if (changed && origin->from > 0)
        tell_history(s, origin->from, differs, end);
    else if (changed)
        s->source.events.note(s->source.events.arg, "the node signs with another key from here on");
    if (!s->known)
        hub_changed(daemon_hub(nodes_daemon(s->node->nodes)));
    s->known = true;
    return 0;
}

static int take_origin(struct node_source *s, struct view payload)
{
    json_t *json = json_loadb((const char *)payload.p, payload.n, JSON_REJECT_DUPLICATES, NULL);
    const char *console = json_string_value(json_object_get(json, "console"));
    const char *key = json_string_value(json_object_get(json, "key"));
    const char *text = json_string_value(json_object_get(json, "lives"));
    json_int_t from = json_integer_value(json_object_get(json, "from"));
    const json_t *differs = json_object_get(json, "differs");
    struct buf raw = buf_init(64);
    struct origin origin = {0};
    struct lives lives = {0};
    int status = -1;

    if (console && console_name_ok(console) && key && text_base64_decode(&raw, key, strlen(key)) &&
        raw.len == NODE_PUBLIC_LEN && from >= 0 && text &&
        lives_read(&lives, text, strlen(text), NULL) == 0) {
        memcpy(origin.console, console, strlen(console) + 1);
        memcpy(origin.key, raw.p, NODE_PUBLIC_LEN);
        origin.from = (uint64_t)from;
        status =
            begin_origin(s, &origin, &lives, differs ? (uint64_t)json_integer_value(differs) : UINT64_MAX);
    }
    lives_clear(&lives);
    buf_free(&raw);
    json_decref(json);
    return status;
}

static int take_proof(struct node_source *s, struct view payload)
{
    struct proof_piece piece;
    struct view bytes;
    struct err err = ERR_INIT;

    if (record_proof_read(payload, &piece, &bytes) != 0)
        return -1;
    if (s->known && !s->unproved &&
        proof_add(clog_path(s->source.events.log(s->source.events.arg)), &piece, bytes.p, bytes.n, &err) !=
            0) {
        log_warn(log_name(s), "what proves the replica is not kept until the next connection: %s", err.text);
        s->unproved = true;
    }
    s->source.events.proved(s->source.events.arg);
    return 0;
}

/* 1: the log does not take them now; the record stays. */
static int take_bytes(struct node_source *s, struct view payload)
{
    uint64_t offset;
    int64_t at_ms;
    struct view bytes;

    if (record_bytes_read(payload, &offset, &at_ms, &bytes) != 0)
        return -1;
    return s->source.events.logged(s->source.events.arg, offset, at_ms, bytes.p, bytes.n) < bytes.n;
}

static int take_one(struct node_source *s, const struct record *record)
{
    switch (record->type) {
    case RECORD_ORIGIN:
        return take_origin(s, record->payload);
    case RECORD_BYTES:
        return take_bytes(s, record->payload);
    case RECORD_STATE:
        return take_state(s, record->payload);
    case RECORD_PROOF:
        return take_proof(s, record->payload);
    default: /* of a later version */
        return 0;
    }
}

static void unsubscribe(struct node_source *s)
{
    if (s->channel != 0 && s->node->client)
        client_drop_channel(s->node->client, s->channel);
    s->channel = 0;
    s->waits = s->yours = s->asked = s->introduced = false;
    s->writer[0] = '\0';
    buf_free(&s->in);
}

/* Deals with as many records as there are, and with as many as the log takes. */
static void take_all(struct node_source *s)
{
    struct rd rd = rd_init(s->in.p, s->in.len);
    size_t before = s->in.len;
    enum decode d;
    int status = 0;

    s->waits = false;
    while (status == 0) {
        struct rd kept = rd;
        struct record record;

        d = record_take(&rd, &record);
        if (d == DECODE_MORE)
            break;
        status = d == DECODE_BAD ? -1 : take_one(s, &record);
        if (s->again)
            unsubscribe(s);
        if (s->channel == 0) /* closed by what came of it */
            return;
        if (status > 0)
            rd = kept;
    }
    s->waits = status > 0;
    buf_consume(&s->in, before - rd.n);
    client_consumed(s->node->client, s->channel, before - rd.n);
    if (status < 0) {
        log_warn(log_name(s), "node %s sent something that is no record", s->node->name);
        unsubscribe(s);
        go_down(s, "the node does not keep to the protocol");
    }
}

static void take_records(struct node_source *s)
{
    take_all(s);
    if (!s->again)
        return;
    s->again = false;
    connect_source(s);
}

/* --- the channel --- */

static void send_record(const struct node_source *s, enum record_type type, const void *p, size_t n)
{
    struct buf record = buf_init(RECORD_HEAD + RECORD_MAX);

    record_head(&record, type, n);
    wr_bytes(&record, p, n);
    client_write(s->node->client, s->channel, record.p, record.len);
    buf_free(&record);
}

static void send_lease(struct node_source *s)
{
    json_t *json = json_pack("{s:b}", "force", (int)s->forced);
    char *text;

    if (s->lease)
        json_object_set_new(json, "who", json_string(s->lease));
    text = json_dumps(json, JSON_COMPACT);
    send_record(s, RECORD_LEASE, text, strlen(text));
    s->asked = true;
    free(text);
    json_decref(json);
}

static void on_accepted(void *arg)
{
    struct node_source *s = arg;
    uint8_t one = 1;

    if (s->demanded)
        send_record(s, RECORD_DEMAND, &one, 1);
    if (s->lease)
        send_lease(s);
}

static void on_data(void *arg, const uint8_t *p, size_t n)
{
    struct node_source *s = arg;

    buf_add(&s->in, p, n);
    if (!buf_ok(&s->in)) { /* more than was granted: the mux would have said so */
        unsubscribe(s);
        return;
    }
    if (!s->waits)
        take_records(s);
}

static void on_drained(void *arg)
{
    struct node_source *s = arg;

    s->source.events.drained(s->source.events.arg);
}

static void on_ended(void *arg, const char *reason)
{
    struct node_source *s = arg;
    char why[2 * TEXT_SIZE];

    s->channel = 0;
    unsubscribe(s);
    if (!reason)
        snprintf(why, sizeof(why), "node %s is not connected", s->node->name);
    else
        snprintf(why, sizeof(why), "node %s: %.150s", s->node->name,
                 reason[0] ? reason : "the console is gone");
    go_down(s, why);
}

static void subscribe(struct node_source *s)
{
    const struct channel_events events = {
        .arg = s, .accepted = on_accepted, .data = on_data, .drained = on_drained, .ended = on_ended};
    struct clog *log = s->source.events.log(s->source.events.arg);
    struct buf lives = buf_init(LIVES_TEXT_MAX);
    struct origin origin;
    struct proof_place place;
    struct err err = ERR_INIT;
    uint64_t next;
    json_t *json;
    char *text;

    clog_flush(log);
    if (clog_next(log, &next, &err) != 0 || clog_lives(log, &lives, &err) != 0) {
        snprintf(s->reason, sizeof(s->reason), "%.*s", TEXT_SIZE - 1, err.text);
        buf_free(&lives);
        return;
    }
    if (origin_of(clog_path(log), "", NULL, &origin, NULL) > 0 && origin.from > next)
        next = origin.from; /* of the history that begins there nothing has come yet */
    proof_place_read(clog_path(log), &place);
    s->in = buf_init(IN_MAX);
    s->unproved = false;
    json = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:s}", "console", s->console, "offset", (json_int_t)next,
                     "segment", (json_int_t)place.segment, "journal", (json_int_t)place.journal, "index",
                     (json_int_t)place.index, "chain", (json_int_t)place.chain, "lives", buf_str(&lives));
    text = json_dumps(json, JSON_COMPACT);
    s->channel = client_open_channel(s->node->client, "replica", text, strlen(text), &events);
    free(text);
    json_decref(json);
    buf_free(&lives);
}

static void connect_source(struct node_source *s)
{
    if (s->wanted && s->channel == 0 && s->node->client && client_is_up(s->node->client))
        subscribe(s);
}

void node_source_connect(struct node_source *s)
{
    connect_source(s);
}

/* --- what the console asks --- */

static struct node_source *self(struct source *source)
{
    return (struct node_source *)source;
}

static int node_open(struct source *source, struct err *err)
{
    struct node_source *s = self(source);

    s->wanted = true;
    if (!s->node->client)
        snprintf(s->reason, sizeof(s->reason), "node %s is not connected", s->node->name);
    connect_source(s);
    if (!s->up)
        return err_set(err, CAUSE_UNREACHABLE, "%s", s->reason[0] ? s->reason : "waits for its node");
    s->told = TOLD_SOON;
    nodes_soon(s->node->nodes);
    return 0;
}

void node_source_tell(struct node_source *s)
{
    if (s->told != TOLD_SOON)
        return;
    s->told = TOLD_UP;
    s->source.events.up(s->source.events.arg);
}

static void node_close(struct source *source)
{
    struct node_source *s = self(source);

    s->wanted = s->up = false;
    s->told = TOLD_NOTHING;
    unsubscribe(s);
}

static size_t node_write(struct source *source, const void *p, size_t n)
{
    struct node_source *s = self(source);
    size_t backlog, room;

    if (s->channel == 0 || !s->up)
        return 0;
    backlog = client_backlog(s->node->client, s->channel);
    room = backlog < TYPED_MAX ? TYPED_MAX - backlog : 0;
    n = n < room ? n : room;
    if (n > 0)
        send_record(s, RECORD_TYPED, p, n);
    return n;
}

static int node_break(struct source *source, int64_t ms, struct err *err)
{
    struct node_source *s = self(source);
    json_t *json = json_pack("{s:s}", "who", s->lease ? s->lease : "somebody");
    char *text = json_dumps(json, JSON_COMPACT);

    (void)ms; /* as it is configured there */
    json_decref(json);
    if (s->channel != 0)
        send_record(s, RECORD_BREAK, text, strlen(text));
    free(text);
    return s->channel != 0 ? 0 : err_set(err, CAUSE_REFUSED, "node %s is not connected", s->node->name);
}

static void node_resume(struct source *source)
{
    struct node_source *s = self(source);

    if (s->waits && s->channel != 0)
        take_records(s);
}

static void node_lease(struct source *source, const char *who, bool force)
{
    struct node_source *s = self(source);

    xreplace(&s->lease, who);
    s->forced = force;
    if (s->channel != 0)
        send_lease(s);
}

static void node_demand(struct source *source, bool wanted)
{
    struct node_source *s = self(source);
    uint8_t one = wanted;

    s->demanded = wanted;
    if (s->channel != 0)
        send_record(s, RECORD_DEMAND, &one, 1);
}

static const char *node_hindrance(struct source *source)
{
    struct node_source *s = self(source);

    if (s->asked || s->yours || s->writer[0] == '\0')
        return NULL;
    snprintf(s->hindrance, sizeof(s->hindrance), "%s is writing at node %s", s->writer, s->node->name);
    return s->hindrance;
}

static void node_destroy(struct source *source)
{
    struct node_source *s = self(source);

    unsubscribe(s);
    DL_DELETE(s->node->sources, s);
    free(s->console);
    free(s->lease);
    free(s);
}

static const struct source_ops ops = {
    .kind = "node",
    .open = node_open,
    .close = node_close,
    .write = node_write,
    .send_break = node_break,
    .resume = node_resume,
    .lease = node_lease,
    .demand = node_demand,
    .hindrance = node_hindrance,
    .destroy = node_destroy,
};

struct node_source *node_source_new(struct nodes *nodes, const struct source_settings *settings,
                                    const struct source_events *events)
{
    struct node_source *s = xcalloc(1, sizeof(*s));

    s->source.ops = &ops;
    s->source.events = *events;
    s->node = node_of(nodes, settings->host);
    s->console = xstrdup(settings->console);
    DL_APPEND(s->node->sources, s);
    return s;
}
