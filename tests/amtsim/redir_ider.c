#include "tests/amtsim/redir_ider.h"

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "base/xalloc.h"
#include "tests/amtsim/drive_io.h"
#include "tests/amtsim/fault.h"
#include "tests/amtsim/record.h"

#define DATA_MAX     ((size_t)4 << 20) /* one command may deliver */
#define USB_RESET_MS 2000              /* own choice */
#define ALL_DRIVES   (1u << DRIVE_FLOPPY | 1u << DRIVE_CD)

enum { FEATURES_GET = 1, REGISTERS_GET = 2, REGISTERS_SET = 3 };
enum { SET_ENABLE = 0x01, SET_ON_RESET = 0x08, SET_GRACEFUL = 0x10, SET_NOW = 0x18 };

struct command {
    struct drive_request request;
    bool own;      /* of the firmware, not of the machine */
    uint8_t *data; /* to be written; owned */
    uint32_t written;
    struct command *prev, *next;
};

struct drive_state {
    struct command *queue; /* the first one is under way when sent */
    bool sent;
    struct buf data; /* delivered so far */
};

struct redir_ider {
    struct device *device;
    struct redir_out *out;
    struct ider_settings settings;
    uint32_t seq;
    bool enabled;
    bool enable_on_reset;
    bool resetting; /* 0x46 is not answered yet: no commands until then */
    bool probing;   /* USB storage: the machine's commands wait until there is a medium in the floppy drive */
    struct machine_events probe_events;
    struct drive_io *probe;
    int64_t usb_reset_ms; /* when USB storage without that medium is reset next; 0: not */
    int64_t sent_ms;
    int64_t asked_ms; /* last 0x44 */
    struct drive_state drives[DRIVE_COUNT];
};

static int64_t now_of(const struct redir_ider *s)
{
    return device_mono_ms(s->device);
}

static struct buf *begin(struct redir_ider *s)
{
    s->sent_ms = now_of(s);
    return &s->out->bytes;
}

/* --- commands --- */

static void command_free(struct command *c)
{
    free(c->data);
    free(c);
}

static void start_next(struct redir_ider *s, enum drive drive)
{
    struct drive_state *d = &s->drives[drive];
    if (d->sent || d->queue == NULL || !s->enabled || s->resetting || (s->probing && !d->queue->own))
        return;
    struct ider_command command = {
        .cd = drive == DRIVE_CD,
        .dma = s->device->generation->number >= 9 && d->queue->request.expect >= 2048,
        .byte_limit = (uint16_t)(d->queue->request.expect < 0xFFFE ? d->queue->request.expect : 0xFFFE),
    };
    memcpy(command.cdb, d->queue->request.cdb, sizeof(command.cdb));
    d->sent = true;
    buf_reset(&d->data);
    ider_put_command(begin(s), s->seq++, &command);
    record_count(s->device, RECORD_IDER_COMMANDS);
}

/* Takes the command under way off its queue, so that `done` may give the next one, and answers it. */
static void finish(struct redir_ider *s, enum drive drive, struct drive_answer answer)
{
    struct drive_state *d = &s->drives[drive];
    struct command *c = d->queue;
    struct buf data = d->data;
    DL_DELETE(d->queue, c);
    d->sent = false;
    d->data = buf_init(DATA_MAX);
    if (!answer.gone) {
        answer.data = data.p;
        answer.n = data.len;
        record_passed(s->device, RECORD_IDER_BYTES, data.len);
    }
    c->request.done(c->request.arg, &answer);
    command_free(c);
    buf_free(&data);
}

static void cancel_all(struct redir_ider *s)
{
    for (int drive = 0; drive < DRIVE_COUNT; drive++) {
        struct command *c, *tmp, *list = s->drives[drive].queue;
        s->drives[drive].queue = NULL; /* what `done` asks for now waits behind */
        s->drives[drive].sent = false;
        buf_reset(&s->drives[drive].data);
        DL_FOREACH_SAFE(list, c, tmp)
        {
            struct drive_answer gone = {.gone = true};
            c->request.done(c->request.arg, &gone);
            command_free(c);
        }
    }
}

static struct command *command_new(const struct drive_request *request)
{
    struct command *c = xcalloc(1, sizeof(*c));
    c->request = *request;
    c->request.data = NULL;
    if (request->data_len > 0) {
        c->data = xmalloc(request->data_len);
        memcpy(c->data, request->data, request->data_len);
    }
    return c;
}

bool redir_ider_command(struct redir_ider *s, const struct drive_request *request)
{
    if (!s->enabled)
        return false;
    struct command *c = command_new(request);
    DL_APPEND(s->drives[request->drive].queue, c);
    start_next(s, request->drive);
    return true;
}

/* --- USB storage: firmware since 11 wants a medium in both drives, else it resets the device over and over
 * ---
 */

static bool probe_command(void *arg, const struct drive_request *request)
{
    struct redir_ider *s = arg;
    struct command *c = command_new(request);
    c->own = true;
    DL_PREPEND(s->drives[request->drive].queue, c);
    start_next(s, request->drive);
    return true;
}

static void on_probe_data(void *arg, const uint8_t *p, size_t n)
{
    (void)arg;
    (void)p;
    (void)n;
}

static void start_all(struct redir_ider *s)
{
    for (int drive = 0; drive < DRIVE_COUNT; drive++)
        start_next(s, (enum drive)drive);
}

static void on_probe_done(void *arg, enum drive_result result)
{
    struct redir_ider *s = arg;
    if (result == DRIVE_GONE)
        return; /* a reset, behind which it is tried again; or the end */
    if (result == DRIVE_OK) {
        s->probing = false;
        start_all(s);
    } else {
        s->usb_reset_ms = now_of(s) + USB_RESET_MS;
    }
}

static void probe(struct redir_ider *s)
{
    if (s->probing && s->enabled && !s->resetting && s->usb_reset_ms == 0)
        drive_io_open(s->probe);
}

static void send_reset(struct redir_ider *s)
{
    s->resetting = true;
    redir_out_pause(s->out);
    ider_put_reset(begin(s), s->seq++, ALL_DRIVES);
    redir_out_pause(s->out);
}

static void usb_reset_tick(struct redir_ider *s)
{
    if (s->usb_reset_ms == 0 || now_of(s) < s->usb_reset_ms)
        return;
    s->usb_reset_ms = 0;
    record_session(s->device, REDIR_IDER, "reset: no medium in the floppy drive");
    send_reset(s);
}

/* --- what the client answers --- */

static bool take_end(struct redir_ider *s, const struct ider_end *end)
{
    enum drive drive = end->cd ? DRIVE_CD : DRIVE_FLOPPY;
    bool error = (end->status & 1) != 0;
    struct drive_answer answer = {
        .sense = error ? end->sense : 0, .asc = error ? end->asc : 0, .ascq = error ? end->ascq : 0};
    finish(s, drive, answer);
    start_next(s, drive);
    return true;
}

/* The answer to a command that has been cancelled meanwhile: the client could not know. */
static bool is_late(const struct redir_ider *s)
{
    return s->resetting || !s->enabled;
}

static bool take_status(struct redir_ider *s, const struct redir_msg *m)
{
    struct ider_end end;
    ider_status_read(m, &end);
    if (is_late(s))
        return true;
    return s->drives[end.cd ? DRIVE_CD : DRIVE_FLOPPY].sent && take_end(s, &end);
}

/* More than the command asked for ends the session: a client that counts wrong reads beyond its image. */
static bool take_data(struct redir_ider *s, const struct redir_msg *m)
{
    struct ider_end end;
    ider_data_read(m, &end);
    if (is_late(s))
        return true;
    struct drive_state *d = &s->drives[end.cd ? DRIVE_CD : DRIVE_FLOPPY];
    if (!d->sent || d->data.len + m->payload.n > d->queue->request.expect)
        return false;
    buf_add(&d->data, m->payload.p, m->payload.n);
    return !end.last || take_end(s, &end);
}

static bool take_want(struct redir_ider *s, const struct redir_msg *m)
{
    uint16_t want;
    bool cd;
    ider_want_read(m, &want, &cd);
    if (is_late(s))
        return true;
    const struct drive_state *d = &s->drives[cd ? DRIVE_CD : DRIVE_FLOPPY];
    if (!d->sent)
        return false;
    struct command *c = d->queue;
    uint32_t left = c->request.data_len - c->written, n = want < left ? want : left;
    if (n > IDER_DATA_MAX)
        n = IDER_DATA_MAX;
    static const uint8_t none;
    ider_put_data(begin(s), s->seq++, n > 0 ? c->data + c->written : &none, (uint16_t)n);
    c->written += n;
    return true;
}

/* --- the session --- */

static void enable(struct redir_ider *s, bool on)
{
    struct machine *m = s->device->machine;
    if (s->enabled == on)
        return;
    s->enabled = on;
    s->probing = on && s->device->generation->usb_redirection;
    s->usb_reset_ms = 0;
    if (!on)
        cancel_all(s);
    if (m->ops->drives != NULL)
        m->ops->drives(m, on ? ALL_DRIVES : 0);
    probe(s);
}

static uint32_t set_registers(struct redir_ider *s, uint32_t value)
{
    bool on = (value & SET_ENABLE) != 0;
    s->enable_on_reset = on && (value & SET_NOW) == SET_ON_RESET;
    if (!s->enable_on_reset)
        enable(s, on);
    return 1;
}

static bool take_features(struct redir_ider *s, const struct redir_msg *m)
{
    uint8_t sub;
    uint32_t value, answer = 0;
    ider_features_read(m, &sub, &value);
    if (sub == FEATURES_GET)
        answer = 1; /* registers can be switched */
    else if (sub == REGISTERS_GET)
        answer = s->enabled ? 2 : 0;
    ider_put_features_reply(begin(s), s->seq++, sub, sub == REGISTERS_SET ? 1 : answer);
    redir_out_pause(s->out);
    if (sub == REGISTERS_SET)
        set_registers(s, value);
    return true;
}

static bool take_ping(struct redir_ider *s, const struct redir_msg *m)
{
    (void)m;
    redir_put_short(begin(s), IDER_PONG, s->seq++);
    return true;
}

static bool take_life(struct redir_ider *s, const struct redir_msg *m)
{
    (void)s;
    (void)m;
    return true;
}

static bool take_reset_reply(struct redir_ider *s, const struct redir_msg *m)
{
    (void)m;
    s->resetting = false;
    probe(s);
    start_all(s);
    return true;
}

bool redir_ider_take(struct redir_ider *s, const struct redir_msg *m)
{
    static const struct {
        uint8_t code;
        bool (*take)(struct redir_ider *s, const struct redir_msg *m);
    } table[] = {
        {IDER_DATA_TO_HOST, take_data}, {IDER_STATUS, take_status},           {IDER_WANT_DATA, take_want},
        {IDER_FEATURES, take_features}, {IDER_RESET_REPLY, take_reset_reply}, {IDER_PING, take_ping},
        {IDER_PONG, take_life},         {IDER_HEARTBEAT, take_life},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].code == m->code)
            return table[i].take(s, m);
    }
    return false;
}

bool redir_ider_enabled(const struct redir_ider *s)
{
    return s->enabled;
}

void redir_ider_reset(struct redir_ider *s)
{
    bool comes = s->enable_on_reset;
    cancel_all(s);
    s->usb_reset_ms = 0;
    send_reset(s);
    s->enable_on_reset = false;
    if (comes)
        enable(s, true);
}

/* --- time --- */

static bool heartbeats(const struct redir_ider *s)
{
    return s->settings.heartbeat > 0 && fault_pending(s->device, FAULT_REDIR_NO_HEARTBEAT) == NULL;
}

/* A client that sends nothing by itself lives from its answers to these. (7.1) */
static bool asks(const struct redir_ider *s)
{
    return fault_pending(s->device, FAULT_REDIR_NO_HEARTBEAT) == NULL;
}

static int64_t ask_ms(const struct redir_ider *s, int64_t heard_ms)
{
    int64_t from = heard_ms > s->asked_ms ? heard_ms : s->asked_ms;
    return from + s->settings.rx_timeout / 2;
}

void redir_ider_tick(struct redir_ider *s, int64_t heard_ms)
{
    int64_t now = now_of(s);
    usb_reset_tick(s);
    if (heartbeats(s) && now - s->sent_ms >= s->settings.heartbeat)
        redir_put_short(begin(s), IDER_HEARTBEAT, s->seq++);
    if (asks(s) && now >= ask_ms(s, heard_ms)) {
        redir_put_short(begin(s), IDER_PING, s->seq++);
        s->asked_ms = now;
    }
}

int64_t redir_ider_deadline(const struct redir_ider *s, int64_t heard_ms)
{
    int64_t at = INT64_MAX;
    if (heartbeats(s))
        at = s->sent_ms + s->settings.heartbeat;
    if (asks(s) && ask_ms(s, heard_ms) < at)
        at = ask_ms(s, heard_ms);
    if (s->usb_reset_ms != 0 && s->usb_reset_ms < at)
        at = s->usb_reset_ms;
    return at;
}

/* --- birth and death --- */

struct redir_ider *redir_ider_new(struct device *device, const struct ider_settings *settings,
                                  struct redir_out *out)
{
    struct redir_ider *s = xcalloc(1, sizeof(*s));
    s->device = device;
    s->out = out;
    s->settings = *settings;
    for (int drive = 0; drive < DRIVE_COUNT; drive++)
        s->drives[drive].data = buf_init(DATA_MAX);
    struct drive_io_events events = {s, on_probe_data, on_probe_done};
    s->probe_events = (struct machine_events){.arg = s, .drive = probe_command};
    s->probe = drive_io_new(&s->probe_events, DRIVE_FLOPPY, &events);
    ider_put_open_reply(begin(s), 0, s->seq++, device->generation->number, 0);
    redir_out_pause(s->out);
    return s;
}

void redir_ider_free(struct redir_ider *s)
{
    if (s == NULL)
        return;
    enable(s, false);
    cancel_all(s);
    drive_io_free(s->probe);
    for (int drive = 0; drive < DRIVE_COUNT; drive++)
        buf_free(&s->drives[drive].data);
    free(s);
}

uint32_t redir_ider_number(struct redir_ider *s)
{
    return s->seq++;
}
