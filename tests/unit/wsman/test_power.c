/* Power actions against a fake device and a clock that jumps: every transition, refusals, lost answers,
 * silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "wsman/power.h"
#include "wsman/quirks.h"

/* A device as far as power goes. Times are on the sequence's clock. */
struct fake {
    uint32_t state;
    bool standby;
    uint32_t next[4]; /* states to come, 0 ends */
    int64_t delay_ms; /* until the first of them, and between them */
    int64_t change_at;
    uint32_t refuse[4]; /* ReturnValues to give first, 0 ends */
    int64_t busy_until; /* during a transition of before all is refused; shown is state, then next */
    int lose;           /* answers to changes that get lost (the change happens) */
    bool swallow;       /* ... or does not happen */
    int silent;         /* reads that get no answer */
    int silent_change;  /* ... after a change */
    bool no_associated; /* only the old form is there */
    bool no_ips;
    bool kvm_in_use;
    bool stuck;
    const char *available; /* space-separated, NULL: as real devices by state */
    uint32_t requests[8];
    int request_count;
    int reads, kvm_closed, kvm_opened, woken;
};

static void settle(struct fake *d, int64_t now)
{
    while (d->next[0] && now >= d->change_at) {
        d->state = d->next[0];
        memmove(d->next, d->next + 1, sizeof(d->next) - sizeof(d->next[0]));
        d->next[3] = 0;
        d->change_at += d->delay_ms;
    }
}

static void obey(struct fake *d, uint32_t value, int64_t now)
{
    static const struct {
        uint32_t value, next[3];
    } moves[] = {{2, {2}},  {5, {8, 2}}, {6, {6}}, {8, {8}}, {10, {2}},
                 {12, {8}}, {14, {2}},   {4, {4}}, {7, {7}}};

    if (d->stuck)
        return;
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++)
        if (moves[i].value == value)
            memcpy(d->next, moves[i].next, sizeof(moves[i].next));
    d->change_at = now + d->delay_ms;
    d->silent = d->silent_change;
}

/* Answers a call; returns 0, or -1 with a failure of the exchange. */
static void envelope(struct buf *out, const char *ns_class, const char *element, const char *inner)
{
    const char *prefix = strncmp(ns_class, "CIM_", 4) == 0
                             ? "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
                         : strncmp(ns_class, "IPS_", 4) == 0 ? "http://intel.com/wbem/wscim/1/ips-schema/1/"
                                                             : "http://intel.com/wbem/wscim/1/amt-schema/1/";

    buf_printf(
        out,
        "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" "
        "xmlns:e=\"http://schemas.xmlsoap.org/ws/2004/09/enumeration\" xmlns:g=\"%s%s\"><a:Header/><a:Body>",
        prefix, ns_class);
    if (element)
        buf_printf(out, "<g:%s>%s</g:%s>", element, inner, element);
    else
        buf_puts(out, inner);
    buf_puts(out, "</a:Body></a:Envelope>");
}

static void fault(struct buf *out)
{
    buf_puts(
        out,
        "<a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" "
        "xmlns:b=\"http://schemas.xmlsoap.org/ws/2004/08/addressing\"><a:Header/><a:Body><a:Fault><a:Code>"
        "<a:Value>a:Sender</a:Value><a:Subcode><a:Value>b:DestinationUnreachable</a:Value></a:Subcode>"
        "</a:Code><a:Reason><a:Text>No route</a:Text></a:Reason></a:Fault></a:Body></a:Envelope>");
}

static void state_properties(struct fake *d, struct buf *out)
{
    const char *list = d->available ? d->available : d->state == 2 ? "10 8 5 11 4 7 14 12" : "2";

    while (*list) {
        size_t n = strcspn(list, " ");

        buf_printf(out, "<g:AvailableRequestedPowerStates>%.*s</g:AvailableRequestedPowerStates>", (int)n,
                   list);
        list += n + (list[n] == ' ');
    }
    buf_printf(out, "<g:PowerState>%u</g:PowerState>", d->state);
}

static int answer_read(struct fake *d, const char *class_name, struct buf *out, struct err *failure)
{
    struct buf inner = buf_init(4096);
    int status = 200;

    d->reads++;
    if (d->silent > 0) {
        d->silent--;
        return err_set(failure, CAUSE_UNREACHABLE, "no answer"), 0;
    }
    if (strcmp(class_name, "CIM_AssociatedPowerManagementService") == 0 && !d->no_associated) {
        state_properties(d, &inner);
        envelope(out, class_name, class_name, buf_str(&inner));
    } else if (strcmp(class_name, "IPS_PowerManagementService") == 0 && !d->no_ips) {
        envelope(out, class_name, class_name,
                 d->standby ? "<g:OSPowerSavingState>3</g:OSPowerSavingState>"
                            : "<g:OSPowerSavingState>2</g:OSPowerSavingState>");
    } else if (strcmp(class_name, "CIM_KVMRedirectionSAP") == 0) {
        envelope(out, class_name, class_name,
                 d->kvm_in_use ? "<g:EnabledState>2</g:EnabledState>" : "<g:EnabledState>6</g:EnabledState>");
    } else if (strcmp(class_name, "CIM_PowerManagementCapabilities") == 0) {
        envelope(out, class_name, class_name,
                 "<g:RequestedPowerStatesSupported>2</g:RequestedPowerStatesSupported>"
                 "<g:RequestedPowerStatesSupported>8</g:RequestedPowerStatesSupported>");
    } else {
        fault(out);
        status = 400;
    }
    buf_free(&inner);
    return status;
}

static int answer_enumerate(struct fake *d, const char *body, struct buf *out)
{
    struct buf inner = buf_init(4096);

    if (!strstr(body, "<Pull")) {
        envelope(out, "X", NULL,
                 "<e:EnumerateResponse><e:EnumerationContext>1</e:EnumerationContext></e:EnumerateResponse>");
    } else {
        buf_puts(&inner, "<e:PullResponse><e:Items><g:CIM_AssociatedPowerManagementService>");
        state_properties(d, &inner);
        buf_puts(&inner,
                 "</g:CIM_AssociatedPowerManagementService></e:Items><e:EndOfSequence></e:EndOfSequence>"
                 "</e:PullResponse>");
        envelope(out, "CIM_AssociatedPowerManagementService", NULL, buf_str(&inner));
    }
    buf_free(&inner);
    return 200;
}

static int answer_change(struct fake *d, const char *class_name, const char *body, int64_t now,
                         struct buf *out, struct err *failure)
{
    const char *at = strstr(body, "PowerState>");
    uint32_t value = at ? (uint32_t)strtoul(at + 11, NULL, 10) : 0, result = 0;
    char text[64];

    if (strcmp(class_name, "CIM_KVMRedirectionSAP") == 0) {
        if (strstr(body, "RequestedState>3<"))
            d->kvm_closed++, d->kvm_in_use = false;
        else
            d->kvm_opened++;
        envelope(out, class_name, "RequestStateChange_OUTPUT", "<g:ReturnValue>0</g:ReturnValue>");
        return 200;
    }
    if (strcmp(class_name, "IPS_PowerManagementService") == 0) {
        d->standby = false;
        d->woken++;
        envelope(out, class_name, "RequestOSPowerSavingStateChange_OUTPUT",
                 "<g:ReturnValue>0</g:ReturnValue>");
        return 200;
    }
    d->requests[d->request_count++ % 8] = value;
    if (d->refuse[0]) {
        result = d->refuse[0];
        memmove(d->refuse, d->refuse + 1, sizeof(d->refuse) - sizeof(d->refuse[0]));
        d->refuse[3] = 0;
    } else if (now < d->busy_until) {
        result = 2;
    } else if (!(d->lose > 0 && d->swallow)) {
        obey(d, value, now);
    }
    if (d->lose > 0) {
        d->lose--;
        err_set(failure, CAUSE_DROPPED, "connection closed");
        return 0;
    }
    snprintf(text, sizeof(text), "<g:ReturnValue>%u</g:ReturnValue>", result);
    envelope(out, class_name, "RequestPowerStateChange_OUTPUT", text);
    return 200;
}

/* One whole call. *failed tells that the exchange itself failed. */
static void carry_out(struct fake *d, struct wsman_call *call, int64_t now, struct err *failure)
{
    enum wsman_progress progress = WSMAN_AGAIN;

    while (progress == WSMAN_AGAIN) {
        const struct wsman_request *rq = wsman_call_request(call);
        struct buf body = buf_init(60000), out = buf_init(60000);
        int status;

        settle(d, now);
        assert_int_equal(wsman_call_body(call, 1, &body, failure), 0);
        if (wsman_request_verb(rq) == WSMAN_INVOKE)
            status = answer_change(d, wsman_request_class(rq), buf_str(&body), now, &out, failure);
        else if (wsman_request_verb(rq) == WSMAN_ENUMERATE)
            status = answer_enumerate(d, buf_str(&body), &out);
        else
            status = answer_read(d, wsman_request_class(rq), &out, failure);
        progress = status == 0 ? WSMAN_FAILED : wsman_call_answer(call, status, out.p, out.len, failure);
        buf_free(&body);
        buf_free(&out);
    }
    if (progress == WSMAN_FINISHED)
        err_clear(failure);
}

/* Runs an action to its end; returns its cause. */
static enum cause act(struct fake *d, struct power_request request, const char *version, struct power_seq *ps)
{
    struct err err = ERR_INIT;
    int64_t now = 0;

    power_seq_init(ps, &request, quirks_for(version));
    ps->seq.budget_ms = 120000;
    for (int guard = 0; guard < 2000; guard++) {
        struct wsman_call *call;
        struct err failure = ERR_INIT;
        int64_t wait = 0;

        ps->seq.now_ms = now;
        switch (seq_next(&ps->seq, &call, &wait, &err)) {
        case SEQ_WANT_DONE:
            return CAUSE_NONE;
        case SEQ_WANT_FAILED:
            return err.cause;
        case SEQ_WANT_HOLD:
            fail_msg("power actions wait for nobody");
            break;
        case SEQ_WANT_WAIT:
            now += wait;
            break;
        case SEQ_WANT_SEND:
            carry_out(d, call, now, &failure);
            now += 20;
            ps->seq.now_ms = now;
            if (seq_heard(&ps->seq, call, failure.cause != CAUSE_NONE ? &failure : NULL, &err) != 0) {
                wsman_call_free(call);
                return err.cause;
            }
            wsman_call_free(call);
        }
        assert_true(now < 200000);
    }
    fail_msg("no end");
    return CAUSE_SYSTEM;
}

struct row {
    const char *name;
    struct power_request request;
    struct fake device;
    const char *version;
    enum cause cause;
    const char *from, *to;
    int requests;       /* RequestPowerStateChange seen by the device */
    uint32_t last;      /* value of the last one */
    const char *remark; /* a part of it, or NULL: any */
};

static const struct row rows[] = {
    {"status on", {POWER_DO_STATUS}, {.state = 2}, "11.8", CAUSE_NONE, "on", "on", 0, 0, NULL},
    {"status standby",
     {POWER_DO_STATUS},
     {.state = 2, .standby = true},
     "11.8",
     CAUSE_NONE,
     "standby",
     "standby",
     0,
     0,
     NULL},
    {"status before 10",
     {POWER_DO_STATUS},
     {.state = 2, .standby = true},
     "9.5",
     CAUSE_NONE,
     "on",
     "on",
     0,
     0,
     NULL},
    {"status old form",
     {POWER_DO_STATUS},
     {.state = 8, .no_associated = true},
     "5.2",
     CAUSE_NONE,
     "off",
     "off",
     0,
     0,
     NULL},
    {"status unknown version",
     {POWER_DO_STATUS},
     {.state = 2, .no_ips = true},
     NULL,
     CAUSE_NONE,
     "on",
     "on",
     0,
     0,
     NULL},
    {"status unreachable",
     {POWER_DO_STATUS},
     {.state = 2, .silent = 1},
     "11.8",
     CAUSE_UNREACHABLE,
     NULL,
     NULL,
     0,
     0,
     NULL},
    {"on from off",
     {POWER_DO_ON},
     {.state = 8, .delay_ms = 3000},
     "11.8",
     CAUSE_NONE,
     "off",
     "on",
     1,
     2,
     NULL},
    {"on when on", {POWER_DO_ON}, {.state = 2}, "11.8", CAUSE_NONE, "on", "on", 0, 0, "already on"},
    {"on in standby",
     {POWER_DO_ON},
     {.state = 2, .standby = true},
     "16.1",
     CAUSE_NONE,
     "standby",
     "on",
     0,
     0,
     "woke"},
    {"on from sleep",
     {POWER_DO_ON},
     {.state = 4, .delay_ms = 500},
     "11.8",
     CAUSE_NONE,
     "sleep",
     "on",
     1,
     2,
     NULL},
    {"off", {POWER_DO_OFF}, {.state = 2, .delay_ms = 2000}, "9.5", CAUSE_NONE, "on", "off", 1, 8, NULL},
    {"off when off", {POWER_DO_OFF}, {.state = 8}, "9.5", CAUSE_NONE, "off", "off", 0, 0, "already off"},
    {"off, silent after",
     {POWER_DO_OFF},
     {.state = 2, .delay_ms = 500},
     "9.5",
     CAUSE_NONE,
     "on",
     "off",
     1,
     8,
     NULL},
    {"off only hard",
     {POWER_DO_OFF},
     {.state = 2, .delay_ms = 9, .available = "6 10"},
     "9.5",
     CAUSE_NONE,
     "on",
     "off",
     1,
     6,
     NULL},
    {"cycle", {POWER_DO_CYCLE}, {.state = 2, .delay_ms = 2000}, "11.8", CAUSE_NONE, "on", "on", 1, 5, NULL},
    {"cycle when off",
     {POWER_DO_CYCLE},
     {.state = 8, .delay_ms = 2000},
     "11.8",
     CAUSE_NONE,
     "off",
     "on",
     1,
     2,
     "was off: powered on"},
    {"cycle, seldom answered",
     {POWER_DO_CYCLE},
     {.state = 2, .delay_ms = 300, .silent_change = 6},
     "11.8",
     CAUSE_NONE,
     "on",
     "on",
     1,
     5,
     "too seldom"},
    {"cycle, stuck",
     {POWER_DO_CYCLE},
     {.state = 2, .stuck = true},
     "11.8",
     CAUSE_NOT_REACHED,
     "on",
     "on",
     1,
     5,
     NULL},
    {"cycle, refused twice",
     {POWER_DO_CYCLE},
     {.state = 2, .delay_ms = 2000, .refuse = {2, 4099}},
     "11.8",
     CAUSE_NONE,
     "on",
     "on",
     3,
     5,
     NULL},
    {"cycle, always refused",
     {POWER_DO_CYCLE},
     {.state = 2, .busy_until = 1000000},
     "11.8",
     CAUSE_INVALID_STATE,
     "on",
     "on",
     4,
     5,
     NULL},
    {"cycle, while it shuts down",
     {POWER_DO_CYCLE},
     {.state = 2, .delay_ms = 800, .next = {8}, .change_at = 5000, .busy_until = 5000},
     "11.8",
     CAUSE_NONE,
     "on",
     "on",
     4,
     2,
     "was off: powered on"},
    {"on, while it shuts down",
     {POWER_DO_ON},
     {.state = 8, .delay_ms = 800, .busy_until = 5000},
     "11.8",
     CAUSE_NONE,
     "off",
     "on",
     4,
     2,
     NULL},
    {"off, while it comes up",
     {POWER_DO_OFF},
     {.state = 2, .delay_ms = 800, .busy_until = 5000},
     "11.8",
     CAUSE_NONE,
     "on",
     "off",
     4,
     8,
     NULL},
    {"cycle, unsupported",
     {POWER_DO_CYCLE},
     {.state = 2, .refuse = {1}},
     "11.8",
     CAUSE_UNSUPPORTED,
     "on",
     "on",
     1,
     5,
     NULL},
    {"cycle, in use",
     {POWER_DO_CYCLE},
     {.state = 2, .refuse = {6}},
     "11.8",
     CAUSE_IN_USE,
     "on",
     "on",
     1,
     5,
     NULL},
    {"cycle, answer lost",
     {POWER_DO_CYCLE},
     {.state = 2, .delay_ms = 2000, .lose = 1},
     "11.8",
     CAUSE_NONE,
     "on",
     "on",
     1,
     5,
     NULL},
    {"cycle, request lost",
     {POWER_DO_CYCLE},
     {.state = 2, .lose = 1, .swallow = true},
     "11.8",
     CAUSE_DROPPED,
     "on",
     "on",
     1,
     5,
     NULL},
    {"off, answer lost",
     {POWER_DO_OFF},
     {.state = 2, .delay_ms = 2000, .lose = 1},
     "11.8",
     CAUSE_NONE,
     "on",
     "off",
     1,
     8,
     NULL},
    {"off, request lost",
     {POWER_DO_OFF},
     {.state = 2, .delay_ms = 99, .lose = 1, .swallow = true},
     "11.8",
     CAUSE_NONE,
     "on",
     "off",
     2,
     8,
     NULL},
    {"off, stuck",
     {POWER_DO_OFF},
     {.state = 2, .stuck = true},
     "11.8",
     CAUSE_NOT_REACHED,
     "on",
     "on",
     1,
     8,
     NULL},
    {"reset", {POWER_DO_RESET}, {.state = 2, .delay_ms = 10}, "11.8", CAUSE_NONE, "on", "on", 1, 10, NULL},
    {"reset when off", {POWER_DO_RESET}, {.state = 8}, "11.8", CAUSE_INVALID_STATE, "off", "off", 0, 0, NULL},
    {"reset, refused",
     {POWER_DO_RESET},
     {.state = 2, .busy_until = 1000000},
     "11.8",
     CAUSE_INVALID_STATE,
     "on",
     "on",
     4,
     10,
     NULL},
    {"reset, answer lost",
     {POWER_DO_RESET},
     {.state = 2, .lose = 1},
     "11.8",
     CAUSE_DROPPED,
     "on",
     "on",
     1,
     10,
     NULL},
    {"graceful off",
     {POWER_DO_OFF, .graceful = true},
     {.state = 2, .delay_ms = 9000},
     "11.8",
     CAUSE_NONE,
     "on",
     "off",
     1,
     12,
     NULL},
    {"graceful off, no agent",
     {POWER_DO_OFF, .graceful = true},
     {.state = 2, .delay_ms = 50, .available = "8 10 5"},
     "11.8",
     CAUSE_NONE,
     "on",
     "off",
     1,
     8,
     "cannot be asked"},
    {"graceful cycle",
     {POWER_DO_CYCLE, .graceful = true},
     {.state = 2, .delay_ms = 3000},
     "11.8",
     CAUSE_NONE,
     "on",
     "on",
     2,
     2,
     NULL},
    {"graceful reset",
     {POWER_DO_RESET, .graceful = true},
     {.state = 2, .delay_ms = 30},
     "11.8",
     CAUSE_NONE,
     "on",
     "on",
     1,
     14,
     "asked to restart"},
    {"graceful, nothing listed",
     {POWER_DO_OFF, .graceful = true},
     {.state = 2, .delay_ms = 30, .available = ""},
     "9.5",
     CAUSE_NONE,
     "on",
     "off",
     1,
     8,
     "cannot be asked"},
    {"soft off",
     {POWER_DO_SOFT_OFF},
     {.state = 2, .delay_ms = 300},
     "11.8",
     CAUSE_NONE,
     "on",
     "off",
     1,
     12,
     NULL},
    {"soft off, no agent",
     {POWER_DO_SOFT_OFF},
     {.state = 2, .available = "8 10 5"},
     "11.8",
     CAUSE_UNSUPPORTED,
     "on",
     "on",
     0,
     0,
     NULL},
    {"soft off, ignored",
     {POWER_DO_SOFT_OFF},
     {.state = 2, .stuck = true},
     "11.8",
     CAUSE_NOT_REACHED,
     "on",
     "on",
     1,
     12,
     NULL},
    {"sleep", {POWER_DO_SLEEP}, {.state = 2, .delay_ms = 300}, "11.8", CAUSE_NONE, "on", "sleep", 1, 4, NULL},
    {"hibernate",
     {POWER_DO_HIBERNATE},
     {.state = 2, .delay_ms = 300},
     "11.8",
     CAUSE_NONE,
     "on",
     "hibernate",
     1,
     7,
     NULL},
    {"nmi", {POWER_DO_NMI}, {.state = 2}, "11.8", CAUSE_NONE, "on", "on", 1, 11, NULL},
    {"nmi when off", {POWER_DO_NMI}, {.state = 8}, "11.8", CAUSE_INVALID_STATE, "off", "off", 0, 0, NULL},
    {"nmi before 11",
     {POWER_DO_NMI},
     {.state = 2, .available = "8 10 5"},
     "9.5",
     CAUSE_UNSUPPORTED,
     "on",
     "on",
     0,
     0,
     NULL},
    {"off, not waiting",
     {POWER_DO_OFF, .no_wait = true},
     {.state = 2, .stuck = true},
     "11.8",
     CAUSE_NONE,
     "on",
     "on",
     1,
     8,
     NULL},
};

static void every_transition(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct fake device = row->device;
        struct power_seq ps;
        enum cause cause = act(&device, row->request, row->version, &ps);

        if (cause != row->cause)
            fail_msg("%s: cause '%s', expected '%s'", row->name, cause_name(cause), cause_name(row->cause));
        if (row->from && strcmp(power_state_name(ps.report.from, ps.report.from_standby), row->from) != 0)
            fail_msg("%s: from %s", row->name, power_state_name(ps.report.from, ps.report.from_standby));
        if (row->to && strcmp(power_state_name(ps.report.to, ps.report.to_standby), row->to) != 0)
            fail_msg("%s: to %s", row->name, power_state_name(ps.report.to, ps.report.to_standby));
        if (device.request_count != row->requests || (int)ps.report.tries != row->requests)
            fail_msg("%s: %d requests, %u tries", row->name, device.request_count, ps.report.tries);
        if (row->requests > 0 && device.requests[(row->requests - 1) % 8] != row->last)
            fail_msg("%s: last request %u", row->name, device.requests[(row->requests - 1) % 8]);
        if (row->remark && (!ps.report.remark || !strstr(ps.report.remark, row->remark)))
            fail_msg("%s: remark '%s'", row->name, ps.report.remark ? ps.report.remark : "(none)");
    }
}

static void the_os_that_does_not_obey_is_forced(void **state)
{
    struct fake device = {.state = 2, .delay_ms = 100};
    struct power_request request = {POWER_DO_OFF, .graceful = true, .graceful_ms = 5000};
    struct power_seq ps;

    (void)state;
    device.stuck = true;
    /* stuck for the OS, not for the hardware */
    power_seq_init(&ps, &request, quirks_for("11.8"));
    assert_int_equal(act(&device, request, "11.8", &ps), CAUSE_NOT_REACHED);
    assert_true(ps.report.fell_back);
    assert_int_equal(device.requests[0], 12);
    assert_int_equal(device.requests[1], 8);
}

static void a_kvm_session_is_closed_and_allowed_again(void **state)
{
    struct fake device = {.state = 2, .delay_ms = 100, .kvm_in_use = true};
    struct power_request request = {POWER_DO_OFF};
    struct power_seq ps;

    (void)state;
    assert_int_equal(act(&device, request, "11.8", &ps), CAUSE_NONE);
    assert_int_equal(device.kvm_closed, 1);
    assert_int_equal(device.kvm_opened, 1);
}

static void silence_after_the_change_is_borne(void **state)
{
    struct fake device = {.state = 2, .delay_ms = 100};
    struct power_request request = {POWER_DO_CYCLE};
    struct power_seq ps;
    struct err err = ERR_INIT;
    int64_t now = 0;
    bool silenced = false;

    (void)state;
    power_seq_init(&ps, &request, quirks_for("9.5"));
    ps.seq.budget_ms = 120000;
    for (;;) {
        struct wsman_call *call;
        struct err failure = ERR_INIT;
        int64_t wait = 0;
        enum seq_want want;

        ps.seq.now_ms = now;
        want = seq_next(&ps.seq, &call, &wait, &err);
        assert_int_not_equal(want, SEQ_WANT_FAILED);
        if (want == SEQ_WANT_DONE)
            break;
        now += want == SEQ_WANT_WAIT ? wait : 20;
        if (want == SEQ_WANT_WAIT)
            continue;
        if (device.request_count == 1 && !silenced) {
            device.silent = 6;
            silenced = true;
        }
        carry_out(&device, call, now, &failure);
        assert_int_equal(seq_heard(&ps.seq, call, failure.cause ? &failure : NULL, &err), 0);
        wsman_call_free(call);
    }
    assert_true(silenced);
    assert_int_equal(device.request_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_transition),
        cmocka_unit_test(the_os_that_does_not_obey_is_forced),
        cmocka_unit_test(a_kvm_session_is_closed_and_allowed_again),
        cmocka_unit_test(silence_after_the_change_is_borne),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
