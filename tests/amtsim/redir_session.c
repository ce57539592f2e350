#include "tests/amtsim/redir_session.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tests/amtsim/alerts.h"
#include "tests/amtsim/consent.h"
#include "tests/amtsim/fault.h"
#include "tests/amtsim/record.h"
#include "tests/amtsim/redir_fault.h"
#include "tests/amtsim/redir_ider.h"
#include "tests/amtsim/redir_login.h"
#include "tests/amtsim/redir_msg.h"
#include "tests/amtsim/redir_out.h"
#include "tests/amtsim/redir_sol.h"

#define LOGIN_STEP_MS   30000 /* silence before a session is open; own choice */
#define RX_MIN_MS       10000 /* shorter time-outs are not taken (reference 8.1) */
#define IDER_RX_DEFAULT 30000

enum state {
    STATE_START,  /* -> LOGIN, OVER */
    STATE_LOGIN,  /* -> READY, OVER */
    STATE_READY,  /* logged in, nothing open -> OPEN, OVER */
    STATE_OPEN,   /* -> CLOSED, OVER */
    STATE_CLOSED, /* SOL or IDE-R has been ended by the client -> OVER */
    STATE_OVER,   /* nothing is read any more */
};

#define IN(state) (1u << (state))

enum { START_OK = 0, START_UNKNOWN = 1, START_BUSY = 2, START_UNSUPPORTED = 3 };
enum { OPEN_REFUSED = 1 };

struct redir_session {
    struct device *device;
    void (*changed)(void *arg);
    void *arg;
    enum state state;
    enum redir_kind kind; /* from LOGIN on */
    enum redir_fate fate;
    bool holds;      /* the device's session of that kind */
    bool mute, deaf; /* faults: says nothing, reads nothing */
    bool fault_done; /* the fault of an open session has struck */
    bool renews;     /* a fault: asks for new TLS keys */
    int64_t deaf_until_ms;
    int64_t heard_ms;
    int64_t rx_timeout_ms;
    unsigned filler; /* zero bytes that may follow the last message and belong to it */
    uint64_t passed; /* payload bytes of the open session, both ways */
    struct buf in;   /* an unfinished message */
    struct redir_out out;
    struct redir_auth auth;
    struct redir_sol *sol;   /* OPEN and kind SOL */
    struct redir_ider *ider; /* OPEN and kind IDE-R */
};

static const char *const kind_names[REDIR_KINDS] = {[REDIR_SOL] = "sol", [REDIR_IDER] = "ider"};

static int64_t now_of(const struct redir_session *s)
{
    return device_mono_ms(s->device);
}

/* --- the end --- */

static void release(struct redir_session *s)
{
    struct redir_sol *sol = s->sol;
    struct redir_ider *ider = s->ider;
    s->sol = NULL;
    s->ider = NULL;
    if (s->holds)
        s->device->sessions[s->kind] = NULL;
    if (sol != NULL || ider != NULL) {
        consent_session(s->device, false);
        alert_raise(s->device, sol != NULL ? ALERT_SOL_ENDED : ALERT_IDER_ENDED);
    }
    s->holds = false;
    redir_sol_free(sol);
    redir_ider_free(ider);
}

static void over(struct redir_session *s, enum redir_fate fate, const char *why)
{
    if (s->state == STATE_OVER)
        return;
    if (s->holds)
        record_session(s->device, s->kind, why);
    s->state = STATE_OVER;
    s->fate = fate;
    release(s);
    s->changed(s->arg);
}

/* --- faults --- */

/* Strikes the fault there is at this point. True: the device's own answer is not sent. */
static bool strikes(struct redir_session *s, enum fault_point at)
{
    const struct fault *f = redir_fault_at(s->device, at, kind_names[s->kind], s->passed);
    if (f == NULL)
        return false;
    s->fault_done = at == FAULT_AT_SESSION;
    record_session(s->device, s->kind, fault_kind_names[f->kind]);
    switch (f->kind) {
    case FAULT_REDIR_DROP:
        over(s, REDIR_BREAKS, "dropped by a fault");
        return true;
    case FAULT_REDIR_DEAF:
        s->deaf_until_ms = now_of(s) + f->ms;
        return false;
    case FAULT_REDIR_RENEGOTIATE:
        s->renews = true;
        return false;
    case FAULT_REDIR_HALF_OPEN:
        s->deaf = true;
        s->mute = true;
        return true;
    case FAULT_REDIR_STALL:
        s->mute = true;
        return true;
    default:
        redir_fault_put(f, at, s->kind, &s->out.bytes);
        return true;
    }
}

/* The status of an answer: the fault's, where there is one. */
static uint8_t status_of(struct redir_session *s, enum fault_point at, uint8_t status)
{
    const struct fault *f = fault_strike_at(s->device, FAULT_REDIR_STATUS, at, kind_names[s->kind], 0);
    return f != NULL ? (uint8_t)f->value : status;
}

/* Payload of an open session passes. */
static void pass(struct redir_session *s, size_t n)
{
    s->passed += n;
    if (!s->fault_done)
        strikes(s, FAULT_AT_SESSION);
}

/* --- session start --- */

static uint8_t judge_start(struct redir_session *s, const char *type)
{
    static const struct {
        const char *type;
        enum redir_kind kind;
        uint16_t bit; /* of EnabledState */
    } types[] = {{"SOL ", REDIR_SOL, 2}, {"IDER", REDIR_IDER, 1}};
    if (strcmp(type, "KVMR") == 0)
        return START_UNSUPPORTED;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].type, type) != 0)
            continue;
        s->kind = types[i].kind;
        if ((s->device->redirection.enabled_state & types[i].bit) == 0)
            return START_UNSUPPORTED;
        return s->device->sessions[s->kind] != NULL ? START_BUSY : START_OK;
    }
    return START_UNKNOWN;
}

static void refused(struct redir_session *s, const char *why)
{
    record_count(s->device, RECORD_SESSIONS_REFUSED);
    if (!s->holds)
        record_session(s->device, s->kind, why);
    over(s, REDIR_ENDS, why);
}

static void take_start(struct redir_session *s, const struct redir_msg *m)
{
    static const char *const why[] = {[START_UNKNOWN] = "refused: type unknown",
                                      [START_BUSY] = "refused: busy",
                                      [START_UNSUPPORTED] = "refused: not available"};
    char type[5];
    redir_start_read(m, type);
    uint8_t judged = judge_start(s, type);
    if (strikes(s, FAULT_AT_START))
        return;
    uint8_t status = status_of(s, FAULT_AT_START, judged);
    redir_put_start_reply(&s->out.bytes, status, s->device->generation->number, 0);
    if (status == START_OK)
        s->state = STATE_LOGIN;
    else
        refused(s, status <= START_UNSUPPORTED ? why[status] : "refused: error");
}

/* --- login --- */

static void take_login(struct redir_session *s, const struct redir_msg *m)
{
    if (strikes(s, FAULT_AT_LOGIN))
        return;
    switch (redir_login_answer(&s->auth, s->device, m, &s->out.bytes)) {
    case REDIR_LOGIN_GOES_ON:
        break;
    case REDIR_LOGIN_BAD:
        over(s, REDIR_BREAKS, "bad login");
        break;
    case REDIR_LOGIN_OVER:
        over(s, REDIR_ENDS, "refused logins");
        break;
    case REDIR_LOGIN_OK:
        if (m->whole.p[4] == LOGIN_BASIC) /* the only login that amtterm has */
            s->out.pause_ms = REDIR_PAUSE_LONG_MS;
        s->state = STATE_READY;
        record_count(s->device, RECORD_SESSIONS);
        s->holds = s->device->sessions[s->kind] == NULL;
        if (s->holds)
            s->device->sessions[s->kind] = s;
        break;
    }
}

/* --- opening --- */

/* The status of 0x21 and 0x41, and why not. A session that came between start and login has the type now. */
static uint8_t judge_open(struct redir_session *s, const char **why)
{
    uint8_t status = 0;
    if (!s->holds) {
        *why = "refused: busy";
        status = OPEN_REFUSED;
    } else if (consent_missing(s->device, true)) {
        *why = "refused: no consent";
        status = OPEN_REFUSED;
    }
    return status_of(s, FAULT_AT_OPEN, status);
}

static void opened(struct redir_session *s, uint16_t rx_timeout)
{
    s->rx_timeout_ms = rx_timeout < RX_MIN_MS ? RX_MIN_MS : rx_timeout;
    s->state = STATE_OPEN;
    consent_session(s->device, true);
    record_session(s->device, s->kind, "opened");
    alert_raise(s->device, s->kind == REDIR_SOL ? ALERT_SOL_STARTED : ALERT_IDER_STARTED);
}

static void take_sol_open(struct redir_session *s, const struct redir_msg *m)
{
    const char *why = "refused by a fault";
    struct sol_settings settings;
    if (strikes(s, FAULT_AT_OPEN))
        return;
    uint8_t status = judge_open(s, &why);
    if (status != 0) {
        sol_put_open_reply(&s->out.bytes, status, 0);
        refused(s, why);
        return;
    }
    sol_settings_read(m, &settings);
    opened(s, settings.rx_timeout);
    s->sol = redir_sol_new(s->device, &settings, &s->out);
}

static void take_ider_open(struct redir_session *s, const struct redir_msg *m)
{
    const char *why = "refused by a fault";
    struct ider_settings settings;
    if (strikes(s, FAULT_AT_OPEN))
        return;
    uint8_t status = judge_open(s, &why);
    if (status != 0) {
        ider_put_open_reply(&s->out.bytes, status, 0, s->device->generation->number, 0);
        refused(s, why);
        return;
    }
    ider_settings_read(m, &settings);
    if (settings.rx_timeout == 0)
        settings.rx_timeout = IDER_RX_DEFAULT;
    opened(s, settings.rx_timeout);
    s->ider = redir_ider_new(s->device, &settings, &s->out);
}

/* --- an open session --- */

static void take_sol_data(struct redir_session *s, const struct redir_msg *m)
{
    if (s->sol == NULL) /* still typed behind the end: amtterm does */
        return;
    pass(s, m->payload.n);
    if (s->sol != NULL && !s->mute)
        redir_sol_to_host(s->sol, m->payload.p, m->payload.n);
}

static void take_sol_ping(struct redir_session *s, const struct redir_msg *m)
{
    struct rd r = rd_init(m->whole.p, m->whole.n);
    rd_skip(&r, 4);
    redir_sol_pong(s->sol, rd_le32(&r));
}

static void take_nothing(struct redir_session *s, const struct redir_msg *m)
{
    (void)s;
    (void)m;
}

static void take_ider(struct redir_session *s, const struct redir_msg *m)
{
    if (m->payload.n > 0)
        pass(s, m->payload.n);
    if (s->ider != NULL && !s->mute && !redir_ider_take(s->ider, m))
        over(s, REDIR_BREAKS, "broke the protocol");
}

static void take_close(struct redir_session *s, const struct redir_msg *m)
{
    if (strikes(s, FAULT_AT_END))
        return;
    if (s->sol != NULL)
        redir_sol_flush(s->sol);
    redir_out_pause(&s->out);
    redir_put_short(&s->out.bytes, (uint8_t)(m->code + 1), s->ider != NULL ? redir_ider_number(s->ider) : 0);
    redir_out_pause(&s->out);
    s->state = STATE_CLOSED;
    record_session(s->device, s->kind, "closed by the client");
    release(s);
}

static void take_end(struct redir_session *s, const struct redir_msg *m)
{
    (void)m;
    over(s, REDIR_ENDS, "ended by the client");
}

/* --- messages --- */

#define ANY_KIND (IN(REDIR_SOL) | IN(REDIR_IDER))
#define LIVING   (IN(STATE_LOGIN) | IN(STATE_READY) | IN(STATE_OPEN) | IN(STATE_CLOSED))

/* Who takes what, in which states and kinds of session. Anything else ends the connection. */
static const struct row {
    uint8_t code;
    uint8_t states;
    uint8_t kinds;
    void (*take)(struct redir_session *s, const struct redir_msg *m);
} rows[] = {
    {REDIR_START, IN(STATE_START), ANY_KIND, take_start},
    {REDIR_LOGIN, IN(STATE_LOGIN), ANY_KIND, take_login},
    {REDIR_END, LIVING, ANY_KIND, take_end},
    {SOL_OPEN, IN(STATE_READY), IN(REDIR_SOL), take_sol_open},
    {SOL_TO_HOST, IN(STATE_OPEN) | IN(STATE_CLOSED), IN(REDIR_SOL), take_sol_data},
    {SOL_HEARTBEAT, IN(STATE_OPEN) | IN(STATE_CLOSED), IN(REDIR_SOL), take_nothing},
    {SOL_PONG, IN(STATE_OPEN) | IN(STATE_CLOSED), IN(REDIR_SOL), take_nothing},
    {SOL_CONTROLS_TO_HOST, IN(STATE_OPEN) | IN(STATE_CLOSED), IN(REDIR_SOL), take_nothing},
    {SOL_PING, IN(STATE_OPEN), IN(REDIR_SOL), take_sol_ping},
    {SOL_CLOSE, IN(STATE_OPEN), IN(REDIR_SOL), take_close},
    {IDER_OPEN, IN(STATE_READY), IN(REDIR_IDER), take_ider_open},
    {IDER_DATA_TO_HOST, IN(STATE_OPEN), IN(REDIR_IDER), take_ider},
    {IDER_STATUS, IN(STATE_OPEN), IN(REDIR_IDER), take_ider},
    {IDER_WANT_DATA, IN(STATE_OPEN), IN(REDIR_IDER), take_ider},
    {IDER_FEATURES, IN(STATE_OPEN), IN(REDIR_IDER), take_ider},
    {IDER_RESET_REPLY, IN(STATE_OPEN), IN(REDIR_IDER), take_ider},
    {IDER_PING, IN(STATE_OPEN), IN(REDIR_IDER), take_ider},
    {IDER_PONG, IN(STATE_OPEN) | IN(STATE_CLOSED), IN(REDIR_IDER), take_nothing},
    {IDER_HEARTBEAT, IN(STATE_OPEN) | IN(STATE_CLOSED), IN(REDIR_IDER), take_nothing},
    {IDER_CLOSE, IN(STATE_OPEN), IN(REDIR_IDER), take_close},
};

static void take(struct redir_session *s, const struct redir_msg *m)
{
    s->heard_ms = now_of(s);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        if (row->code != m->code || (row->states & IN(s->state)) == 0 || (row->kinds & IN(s->kind)) == 0)
            continue;
        if (!s->mute)
            row->take(s, m);
        return;
    }
    over(s, REDIR_BREAKS, "broke the protocol");
}

/* As many whole messages as there are; returns how many bytes they took. */
static size_t take_all(struct redir_session *s, const uint8_t *p, size_t n)
{
    size_t at = 0;
    struct redir_msg m;
    while (s->state != STATE_OVER && at < n) {
        if (s->filler > 0 && p[at] == 0) {
            s->filler--;
            at++;
            continue;
        }
        enum decode d = redir_msg_decode(&m, p + at, n - at);
        if (d == DECODE_BAD)
            over(s, REDIR_BREAKS, "sent what is no message");
        if (d != DECODE_DONE)
            break;
        at += m.size;
        s->filler = redir_msg_filler(&m);
        take(s, &m);
    }
    return at;
}

static void feed(struct redir_session *s, const void *p, size_t n)
{
    if (s->in.len == 0) {
        size_t taken = take_all(s, p, n);
        if (s->state != STATE_OVER && taken < n)
            buf_add(&s->in, (const uint8_t *)p + taken, n - taken);
        return;
    }
    buf_add(&s->in, p, n);
    struct buf in = s->in;
    s->in = buf_init(in.max);
    size_t taken = take_all(s, in.p, in.len);
    buf_consume(&in, taken);
    if (s->state == STATE_OVER || in.len == 0)
        buf_free(&in);
    else
        s->in = in;
}

/* Who asks and asks and never takes an answer is dropped. */
void redir_session_feed(struct redir_session *s, const void *p, size_t n)
{
    feed(s, p, n);
    if (!buf_ok(&s->out.bytes))
        over(s, REDIR_BREAKS, "does not take its answers");
}

struct view redir_session_output(struct redir_session *s)
{
    if (s->mute)
        return (struct view){NULL, 0};
    return redir_out_ready(&s->out, now_of(s));
}

void redir_session_sent(struct redir_session *s, size_t n)
{
    redir_out_sent(&s->out, n, now_of(s));
    if (s->sol != NULL)
        redir_sol_flush(s->sol);
}

bool redir_session_drained(const struct redir_session *s)
{
    return s->mute || s->out.bytes.len == 0;
}

bool redir_session_renews(struct redir_session *s)
{
    bool renews = s->renews;
    s->renews = false;
    return renews;
}

enum redir_fate redir_session_fate(const struct redir_session *s)
{
    return s->fate;
}

bool redir_session_reads(const struct redir_session *s)
{
    return !s->deaf && now_of(s) >= s->deaf_until_ms;
}

/* --- time --- */

static int64_t silence_ms(const struct redir_session *s)
{
    int64_t from = s->heard_ms > s->deaf_until_ms ? s->heard_ms : s->deaf_until_ms;
    return from + (s->state == STATE_OPEN ? s->rx_timeout_ms : LOGIN_STEP_MS);
}

int64_t redir_session_deadline(const struct redir_session *s)
{
    int64_t at = redir_out_deadline(&s->out), other = silence_ms(s);
    if (at <= now_of(s))
        at = INT64_MAX; /* ready: it goes when the connection takes it */
    if (s->state == STATE_OVER)
        return at;
    at = other < at ? other : at;
    if (s->deaf_until_ms > now_of(s) && s->deaf_until_ms < at)
        at = s->deaf_until_ms;
    if (s->mute)
        return other;
    if (s->sol != NULL)
        other = redir_sol_deadline(s->sol);
    else if (s->ider != NULL)
        other = redir_ider_deadline(s->ider, s->heard_ms);
    return other < at ? other : at;
}

void redir_session_tick(struct redir_session *s)
{
    int64_t now = now_of(s);
    if (s->state == STATE_OVER)
        return;
    if (now >= silence_ms(s))
        over(s, s->mute ? REDIR_BREAKS : REDIR_ENDS, "heard nothing from the client");
    else if (!s->mute && s->sol != NULL)
        redir_sol_tick(s->sol);
    else if (!s->mute && s->ider != NULL)
        redir_ider_tick(s->ider, s->heard_ms);
}

/* --- birth and death --- */

struct redir_session *redir_session_new(struct device *device, void (*changed)(void *arg), void *arg)
{
    struct redir_session *s = xcalloc(1, sizeof(*s));
    s->device = device;
    s->changed = changed;
    s->arg = arg;
    s->heard_ms = now_of(s);
    s->in = buf_init(REDIR_MESSAGE_MAX + 65536);
    redir_out_init(&s->out);
    return s;
}

void redir_session_free(struct redir_session *s)
{
    if (s == NULL)
        return;
    if (s->holds && s->state != STATE_OVER)
        record_session(s->device, s->kind, "connection gone");
    release(s);
    buf_free(&s->in);
    redir_out_clear(&s->out);
    free(s);
}

/* --- what happens to a device --- */

void redir_console(struct device *d, const void *p, size_t n)
{
    struct redir_session *s = d->sessions[REDIR_SOL];
    if (s == NULL || s->sol == NULL)
        return;
    pass(s, n);
    if (s->sol != NULL && !s->mute)
        redir_sol_from_host(s->sol, p, n);
    s->changed(s->arg);
}

void redir_machine_changed(struct device *d)
{
    struct redir_session *s = d->sessions[REDIR_SOL];
    if (s == NULL || s->sol == NULL || s->mute)
        return;
    redir_sol_changed(s->sol);
    s->changed(s->arg);
}

void redir_machine_reset(struct device *d)
{
    struct redir_session *s = d->sessions[REDIR_IDER];
    if (s == NULL || s->ider == NULL || s->mute)
        return;
    redir_ider_reset(s->ider);
    s->changed(s->arg);
}

bool redir_drive(struct device *d, const struct drive_request *request)
{
    struct redir_session *s = d->sessions[REDIR_IDER];
    if (s == NULL || s->ider == NULL || !redir_ider_command(s->ider, request))
        return false;
    s->changed(s->arg);
    return true;
}

bool redir_has_drives(const struct device *d)
{
    const struct redir_session *s = d->sessions[REDIR_IDER];
    return s != NULL && s->ider != NULL && redir_ider_enabled(s->ider);
}

bool redir_terminate(struct device *d, enum redir_kind kind)
{
    struct redir_session *s = d->sessions[kind];
    if (s == NULL)
        return false;
    over(s, REDIR_ENDS, "terminated");
    return true;
}
