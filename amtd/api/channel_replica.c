#include "amtd/api/channel_replica.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/console/hub.h"
#include "amtd/console/log_times.h"
#include "amtd/console/proof.h"
#include "amtd/daemon.h"
#include "amtd/mux/mux.h"
#include "amtd/node/record.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"

#define BACKLOG    (128 * 1024) /* bytes on their way before the rest is left in the files */
#define PROOF_ROOM (192 * 1024) /* of these and what proves them */
#define IN_MAX     (MUX_WINDOW + RECORD_MAX + RECORD_HEAD)
#define OLD_PIECE  4096 /* of bytes from the files, with a time for each */
#define OFFSET_MAX ((uint64_t)1 << 62)

/* One console at the other end of a connection. */
struct replica {
    struct channel *channel;
    char *server;
    struct attachment *watch;  /* what it is given */
    struct attachment *writer; /* in whose name it types; NULL: nobody */
    struct proof_reader *proof;
    struct log_times *times; /* while it reads from the files */
    struct buf in;           /* records of the server, until they are whole and can be dealt with */
    uint64_t sent;           /* the offset behind the bytes that have gone */
    bool copied;             /* the log is a replica itself */
    uint64_t from;           /* where the history begins that the server was told of */
    unsigned generation;     /* of the lives that it was told */
    bool over;               /* nothing more is sent on this channel */
    char *state;             /* as told last */
    bool broken;             /* the server does not keep to the protocol: it is not listened to any more */
    bool blocked;            /* what was typed waits for the console */
};

static void replica_free(struct replica *r)
{
    proof_reader_free(r->proof);
    log_times_free(r->times);
    buf_free(&r->in);
    free(r->server);
    free(r->state);
    free(r);
}

static void close_writer(struct replica *r)
{
    struct attachment *writer = r->writer;

    r->writer = NULL;
    attachment_close(writer);
}

/* --- to the server --- */

static void send_record(const struct replica *r, enum record_type type, const void *p, size_t n)
{
    struct buf head = buf_init(RECORD_HEAD);

    record_head(&head, type, n);
    channel_write(r->channel, head.p, head.len);
    channel_write(r->channel, p, n);
    buf_free(&head);
}

/* How the console is, when that is not what was told last. */
static void send_state(struct replica *r)
{
    const struct console_info info = console_info(attachment_console(r->watch));
    bool yours = r->writer && attachment_lease(r->writer).holds;
    json_t *json = json_pack("{s:s, s:s, s:I, s:I, s:s, s:b}", "state", console_state_name(info.state),
                             "reason", info.reason, "known", (json_int_t)info.signals_known, "on",
                             (json_int_t)info.signals_on, "writer", info.writer, "yours", (int)yours);
    char *text = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    if (r->state && strcmp(r->state, text) == 0) {
        free(text);
        return;
    }
    send_record(r, RECORD_STATE, text, strlen(text));
    free(r->state);
    r->state = text;
}

/* differs: the first offset at which the server's replica may have another byte; UINT64_MAX: it has none. */
static int send_origin(struct replica *r, const struct origin *origin, uint64_t differs, struct err *err)
{
    struct clog *log = console_log(attachment_console(r->watch));
    struct buf key = buf_init(2 * NODE_PUBLIC_LEN), lives = buf_init(LIVES_TEXT_MAX);
    json_t *json;
    char *text;

    if (clog_lives(log, &lives, err) != 0) {
        buf_free(&lives);
        return -1;
    }
    text_base64(&key, origin->key, sizeof(origin->key));
    json = json_pack("{s:s, s:s, s:I, s:s}", "console", origin->console, "key", buf_str(&key), "from",
                     (json_int_t)r->from, "lives", buf_str(&lives));
    if (differs != UINT64_MAX)
        json_object_set_new(json, "differs", json_integer((json_int_t)differs));
    text = json_dumps(json, JSON_COMPACT);
    send_record(r, RECORD_ORIGIN, text, strlen(text));
    r->generation = clog_generation(log);
    free(text);
    json_decref(json);
    buf_free(&key);
    buf_free(&lives);
    return 0;
}

static int origin_here(const struct replica *r, struct origin *origin, struct err *err)
{
    struct console *console = attachment_console(r->watch);

    return origin_of(clog_path(console_log(console)), console_info(console).name,
                     hub_key(daemon_hub(channel_daemon(r->channel))), origin, err);
}

/* Before anything else is sent: whose bytes they are, when others write the log than those the server was
 * told. When a new history of a log began that is a replica here, the server begins this channel anew. False:
 * nothing is to be sent. */
static bool tell_lives(struct replica *r)
{
    struct origin origin;
    struct err err = ERR_INIT;

    if (r->over || clog_generation(console_log(attachment_console(r->watch))) == r->generation)
        return !r->over;
    if (origin_here(r, &origin, &err) >= 0 && r->copied && origin.from > r->from) {
        r->from = origin.from;
        r->over = true;
    }
    if (err.cause == CAUSE_NONE && send_origin(r, &origin, UINT64_MAX, &err) == 0)
        return !r->over;
    log_warn(r->server, "%s: replication ends until the next connection: %s",
             console_info(attachment_console(r->watch)).name, err.text);
    r->over = true;
    return false;
}

static void send_proof(struct replica *r)
{
    struct buf bytes = buf_init(PROOF_PIECE_MAX), record = buf_init(RECORD_MAX);
    struct proof_piece piece;

    if (!tell_lives(r))
        return;
    while (channel_backlog(r->channel) < PROOF_ROOM && proof_reader_next(r->proof, r->sent, &piece, &bytes)) {
        buf_reset(&record);
        record_proof_write(&record, &piece, &bytes);
        channel_write(r->channel, record.p, record.len);
    }
    buf_free(&bytes);
    buf_free(&record);
}

/* --- what the console says --- */

static size_t on_room(void *arg)
{
    struct replica *r = arg;
    size_t backlog = channel_backlog(r->channel), room = backlog < BACKLOG ? BACKLOG - backlog : 0;
    uint64_t upto;

    if (!r->watch || !tell_lives(r))
        return 0;
    if (r->copied) /* a replica's offsets are those of its node, whatever is lost here */
        return room;
    upto = clog_promise(console_log(attachment_console(r->watch)), r->sent);
    if (upto <= r->sent)
        return 0;
    return upto - r->sent < room ? (size_t)(upto - r->sent) : room;
}

static void on_bytes(void *arg, uint64_t offset, const uint8_t *p, size_t n)
{
    struct replica *r = arg;
    const struct clog *log = console_log(attachment_console(r->watch));
    bool old = offset + n < clog_end(log);
    size_t most = old ? OLD_PIECE : RECORD_MAX - RECORD_BYTES_HEAD;
    int64_t now = clock_wall(clock_system());
    struct buf head = buf_init(RECORD_HEAD + RECORD_BYTES_HEAD);

    if (old && !r->times)
        r->times = log_times_new(clog_path(log), NULL);
    for (size_t done = 0; done < n;) {
        size_t part = n - done < most ? n - done : most;
        int64_t at_ms = old && r->times ? log_times_at(r->times, offset + done) : 0;

        buf_reset(&head);
        record_bytes_write(&head, offset + done, at_ms > 0 ? at_ms : now, part);
        channel_write(r->channel, head.p, head.len);
        channel_write(r->channel, p + done, part);
        done += part;
    }
    r->sent = offset + n;
    buf_free(&head);
    if (!old) {
        log_times_free(r->times);
        r->times = NULL;
    }
}

static void on_event(void *arg, const struct console_event *event)
{
    struct replica *r = arg;

    if (!r->watch) /* it is just being attached */
        return;
    send_state(r);
    if (event->what == CONSOLE_DID)
        send_proof(r);
}

static void on_ended(void *arg, const char *reason)
{
    struct replica *r = arg;
    struct channel *channel = r->channel;

    (void)reason;
    r->watch = NULL;
    close_writer(r);
    replica_free(r);
    channel_close(channel);
}

static void on_worked(void *arg)
{
    const struct replica *r = arg;

    send_proof(arg);
    attachment_ready(r->watch); /* for more may be promised */
}

/* --- typing, as the server says --- */

static size_t no_room(void *arg)
{
    (void)arg;
    return 0;
}

static void no_bytes(void *arg, uint64_t offset, const uint8_t *p, size_t n)
{
    (void)arg;
    (void)offset;
    (void)p;
    (void)n;
}

static void take_records(struct replica *r);

static void on_writable(void *arg)
{
    struct replica *r = arg;

    r->blocked = false;
    take_records(r);
}

static void writer_ended(void *arg, const char *reason)
{
    struct replica *r = arg;

    (void)reason;
    r->writer = NULL;
    r->blocked = false;
}

static void open_writer(struct replica *r, const char *who, bool force)
{
    const struct attach_sink sink = {
        .arg = r, .room = no_room, .bytes = no_bytes, .writable = on_writable, .closed = writer_ended};
    char *name = xasprintf("%s at %s", who, r->server);
    const struct attach_request request = {.who = name,
                                           .from = r->server,
                                           .right = RIGHT_CONTROL, /* the server has looked at rights */
                                           .mode = force ? ATTACH_FORCE : ATTACH_WRITE,
                                           .deaf = true};
    struct err err = ERR_INIT;

    r->writer = console_attach(attachment_console(r->watch), &request, &sink, &err);
    if (!r->writer)
        log_warn(r->server, "%s", err.text);
    free(name);
}

/* Whoever has the lease of the replica wants that of the console; nobody: gives it back. */
static int take_lease(struct replica *r, struct view payload)
{
    json_t *json = json_loadb((const char *)payload.p, payload.n, JSON_REJECT_DUPLICATES, NULL);
    const char *who = json_string_value(json_object_get(json, "who"));
    bool force = json_is_true(json_object_get(json, "force"));
    int status = json_is_object(json) && (!who || strlen(who) < 200) ? 0 : -1;

    if (status == 0) {
        close_writer(r);
        if (who)
            open_writer(r, who, force);
        send_state(r);
    }
    json_decref(json);
    return status;
}

static int take_demand(struct replica *r, struct view payload)
{
    if (payload.n != 1)
        return -1;
    attachment_demand(r->watch, payload.p[0] != 0);
    return 0;
}

static int take_break(struct replica *r, struct view payload)
{
    json_t *json = json_loadb((const char *)payload.p, payload.n, JSON_REJECT_DUPLICATES, NULL);
    const char *who = json_string_value(json_object_get(json, "who"));
    char *name = xasprintf("%s at %s", who && strlen(who) < 200 ? who : "somebody", r->server);
    struct err err = ERR_INIT;

    if (console_break(attachment_console(r->watch), name, '0', 0, &err) != 0)
        log_warn(r->server, "%s", err.text);
    free(name);
    json_decref(json);
    return 0;
}

/* As much as the console takes now; the rest stays, and with it its credit. 1: it waits. */
static int take_typed(struct replica *r, struct view *payload)
{
    struct err err = ERR_INIT;
    size_t n = payload->n;

    if (r->writer)
        n = attachment_write(r->writer, payload->p, payload->n);
    else if (console_send(attachment_console(r->watch), r->server, payload->p, payload->n, false, &err) != 0)
        log_warn(r->server, "what was sent to a replica was not typed: %s", err.text);

    payload->p += n;
    payload->n -= n;
    return payload->n > 0;
}

static int take_one(struct replica *r, const struct record *record)
{
    switch (record->type) {
    case RECORD_LEASE:
        return take_lease(r, record->payload);
    case RECORD_DEMAND:
        return take_demand(r, record->payload);
    case RECORD_BREAK:
        return take_break(r, record->payload);
    default: /* of a later version */
        return 0;
    }
}

/* What waits of a record that was typed goes back to the front, as a record of its own. */
static void put_back(struct replica *r, size_t used, struct view rest)
{
    struct buf head = buf_init(RECORD_HEAD + RECORD_MAX);

    record_head(&head, RECORD_TYPED, rest.n);
    wr_bytes(&head, rest.p, rest.n);
    memcpy(r->in.p + used - head.len, head.p, head.len); /* it was longer when it came */
    buf_consume(&r->in, used - head.len);
    buf_free(&head);
}

static void take_records(struct replica *r)
{
    enum decode d = DECODE_DONE;
    size_t before = r->in.len;

    while (!r->blocked && d == DECODE_DONE) {
        struct rd rd = rd_init(r->in.p, r->in.len);
        struct record record;

        d = record_take(&rd, &record);
        if (d != DECODE_DONE)
            break;
        if (record.type == RECORD_TYPED && record.payload.n > 0 && take_typed(r, &record.payload)) {
            r->blocked = true;
            put_back(r, r->in.len - rd.n, record.payload);
        } else {
            if (record.type != RECORD_TYPED && take_one(r, &record) != 0)
                d = DECODE_BAD;
            buf_consume(&r->in, r->in.len - rd.n);
        }
    }
    channel_consumed(r->channel, before - r->in.len);
    if (d == DECODE_BAD) {
        log_warn(r->server,
                 "sent something on a replica's channel that is no record: it cannot type any more");
        r->broken = true;
    }
}

/* --- opening --- */

static bool read_u64(const json_t *json, const char *name, uint64_t *out)
{
    const json_t *value = json_object_get(json, name);

    *out = (uint64_t)json_integer_value(value);
    return json_is_integer(value) && json_integer_value(value) >= 0 && *out <= OFFSET_MAX;
}

/* What a replica asks for. */
struct wish {
    uint64_t offset;
    struct proof_place place;
    struct lives lives;
};

/* A log of this node. Where its history is not the replica's, a new one begins. */
static int follow(struct replica *r, struct console *console, struct wish *wish, uint64_t *differs,
                  struct err *err)
{
    uint64_t had = wish->offset;
    bool begun;
    char *text;

    if (clog_follow(console_log(console), &wish->lives, had, &wish->offset, differs, &begun, err) != 0)
        return -1;
    if (*differs == UINT64_MAX)
        return 0;
    r->from = wish->offset;
    if (begun) {
        text = xasprintf(
            "server %s has other bytes than this log from offset %llu to %llu: the log here was put "
            "back to an older state, or begun anew; a new history of it begins at %llu",
            r->server, (unsigned long long)*differs, (unsigned long long)had,
            (unsigned long long)wish->offset);
        console_history(console, text);
        free(text);
    }
    return 0;
}

/* A log that is a replica itself has the lives of its own node, which alone begins histories. */
static int follow_copy(struct console *console, struct wish *wish, uint64_t *differs, struct err *err)
{
    struct lives ours;
    uint64_t begins;

    if (proof_lives_read(clog_path(console_log(console)), &ours, err) != 0)
        return -1;
    *differs = lives_differ(&ours, &wish->lives, wish->offset);
    begins = lives_history(&ours, wish->offset);
    lives_clear(&ours);
    if (*differs == wish->offset) {
        *differs = UINT64_MAX;
        return 0;
    }
    if (begins == 0)
        return err_set(err, CAUSE_BUSY,
                       "the replica has other bytes from %llu on than this one; that waits for their node",
                       (unsigned long long)*differs);
    wish->offset = begins;
    return 0;
}

static int attach(struct replica *r, struct console *console, struct wish *wish, struct err *err)
{
    const struct attach_sink sink = {.arg = r,
                                     .room = on_room,
                                     .bytes = on_bytes,
                                     .event = on_event,
                                     .closed = on_ended,
                                     .worked = on_worked};
    struct attach_request request = {.who = channel_who(r->channel),
                                     .from = channel_caller(r->channel)->from,
                                     .right = RIGHT_WATCH,
                                     .mode = ATTACH_WATCH,
                                     .from_offset = true,
                                     .quiet = true};
    struct origin origin;
    const char *path = clog_path(console_log(console));
    const struct node_key *key = hub_key(daemon_hub(channel_daemon(r->channel)));
    int copied = origin_of(path, console_info(console).name, key, &origin, err);
    uint64_t differs = UINT64_MAX;

    if (copied < 0 ||
        (copied ? follow_copy(console, wish, &differs, err) : follow(r, console, wish, &differs, err)) != 0)
        return -1;
    if (differs != UINT64_MAX) /* what proves the history that begins there, from its beginning on */
        wish->place = (struct proof_place){.segment = wish->offset};
    if (copied)
        r->from = origin.from;
    r->copied = copied;
    r->sent = request.offset = wish->offset;
    r->proof = proof_reader_new(path, &wish->place);
    r->watch = console_attach(console, &request, &sink, err);
    if (!r->watch)
        return -1;
    channel_accept(r->channel);
    if (send_origin(r, &origin, differs, err) != 0) { /* bytes come in later turns of the loop */
        log_warn(r->server, "%s: not replicated until the next connection: %s", console_info(console).name,
                 err->text);
        r->over = true;
    }
    send_state(r);
    send_proof(r);
    return 0;
}

static int read_wish(const json_t *json, struct wish *wish, struct err *err)
{
    const char *lives = json_string_value(json_object_get(json, "lives"));

    if (!read_u64(json, "offset", &wish->offset) || !read_u64(json, "segment", &wish->place.segment) ||
        !read_u64(json, "journal", &wish->place.journal) || !read_u64(json, "index", &wish->place.index) ||
        !read_u64(json, "chain", &wish->place.chain) || !lives)
        return err_set(err, CAUSE_PROTOCOL,
                       "expected {\"console\", \"offset\", \"segment\", \"journal\", "
                       "\"index\", \"chain\", \"lives\"}");
    return lives_read(&wish->lives, lives, strlen(lives), err);
}

static int open_replica(struct channel *channel, struct view params, struct err *err)
{
    json_t *json = json_loadb((const char *)params.p, params.n, JSON_REJECT_DUPLICATES, NULL);
    const char *name = json_string_value(json_object_get(json, "console"));
    struct console *console = name ? hub_find(daemon_hub(channel_daemon(channel)), name) : NULL;
    struct wish wish = {0};
    struct replica *r;
    int status = read_wish(json, &wish, err);

    if (status == 0 && !console)
        status = err_set(err, CAUSE_NOT_FOUND, "there is no console '%s'", name ? name : "");
    json_decref(json);
    if (status != 0) {
        lives_clear(&wish.lives);
        return -1;
    }
    r = xcalloc(1, sizeof(*r));
    r->channel = channel;
    r->server = xstrdup(channel_caller(channel)->peer);
    r->in = buf_init(IN_MAX);
    channel_set(channel, r);
    status = attach(r, console, &wish, err);
    lives_clear(&wish.lives);
    if (status != 0)
        replica_free(r);
    return status;
}

static void replica_data(struct channel *channel, const uint8_t *p, size_t n)
{
    struct replica *r = channel_arg(channel);

    if (r->broken || n > r->in.max - r->in.len) { /* the latter cannot be, with the credit that is given */
        channel_consumed(channel, n);
        return;
    }
    buf_add(&r->in, p, n);
    take_records(r);
}

static void replica_drained(struct channel *channel)
{
    struct replica *r = channel_arg(channel);

    attachment_ready(r->watch);
    send_proof(r);
}

static void replica_closed(struct channel *channel)
{
    struct replica *r = channel_arg(channel);

    close_writer(r);
    attachment_close(r->watch);
    replica_free(r);
}

const struct channel_kind channel_replica = {
    .name = "replica",
    .role = ROLE_WATCH,
    .callers = CALLER_SERVER,
    .open = open_replica,
    .data = replica_data,
    .drained = replica_drained,
    .closed = replica_closed,
};
