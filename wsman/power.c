#include "wsman/power.h"

#include <string.h>

#include "wsman/answer.h"
#include "wsman/quirks.h"

#define POLL_FIRST_MS 250
#define POLL_MOST_MS  2000
#define AGAIN_MS      1000  /* between the first refusal and the next request; then twice as long each time */
#define SETTLE_MS     12000 /* the old state may be shown for up to 10 s after a request (section 3.2) */
#define BLINK_MS      1000  /* no machine is off for less when it is cycled: looks no farther apart see it */
#define RESET_MS      1000  /* a reset shows in no state: one more look, then it is done */
#define GRACEFUL_MS   60000
#define TRIES_MOST    3

/* --- names --- */

static const char *const action_names[] = {
    [POWER_DO_STATUS] = "status",
    [POWER_DO_ON] = "on",
    [POWER_DO_OFF] = "off",
    [POWER_DO_CYCLE] = "cycle",
    [POWER_DO_RESET] = "reset",
    [POWER_DO_SOFT_OFF] = "soft-off",
    [POWER_DO_SOFT_RESET] = "soft-reset",
    [POWER_DO_SLEEP] = "sleep",
    [POWER_DO_HIBERNATE] = "hibernate",
    [POWER_DO_NMI] = "nmi",
    [POWER_DO_RESET_OR_ON] = "boot",
};

const char *power_action_name(enum power_action action)
{
    return action_names[action];
}

bool power_action_by_name(const char *name, enum power_action *out)
{
    for (size_t i = 0; i < sizeof(action_names) / sizeof(action_names[0]); i++) {
        if (strcmp(action_names[i], name) == 0) {
            *out = (enum power_action)i;
            return true;
        }
    }
    return false;
}

/* Section 3.2, both columns. */
static const struct {
    const char *state;
    const char *request;
} value_names[] = {
    [POWER_UNKNOWN] = {"unknown", "nothing"},
    [POWER_OTHER] = {"other", "other"},
    [POWER_ON] = {"on", "power on"},
    [POWER_SLEEP_LIGHT] = {"sleep", "light sleep"},
    [POWER_SLEEP_DEEP] = {"sleep", "deep sleep"},
    [POWER_CYCLE_OFF_SOFT] = {"cycling", "power cycle"},
    [POWER_OFF_HARD] = {"off", "hard power off"},
    [POWER_HIBERNATE] = {"hibernate", "hibernate"},
    [POWER_OFF_SOFT] = {"off", "power down"},
    [POWER_CYCLE_OFF_HARD] = {"cycling", "hard power cycle"},
    [POWER_RESET] = {"resetting", "master bus reset"},
    [POWER_NMI] = {"on", "diagnostic interrupt"},
    [POWER_OFF_SOFT_GRACEFUL] = {"shutting down", "graceful shutdown"},
    [POWER_OFF_HARD_GRACEFUL] = {"shutting down", "graceful hard off"},
    [POWER_RESET_GRACEFUL] = {"restarting", "graceful reset"},
    [POWER_CYCLE_OFF_SOFT_GRACEFUL] = {"cycling", "graceful power cycle"},
    [POWER_CYCLE_OFF_HARD_GRACEFUL] = {"cycling", "graceful hard power cycle"},
};
#define VALUES (sizeof(value_names) / sizeof(value_names[0]))

const char *power_state_name(enum power_state state, bool standby)
{
    if (state == POWER_ON && standby)
        return "standby";
    return (size_t)state < VALUES ? value_names[state].state : "unknown";
}

const char *power_request_name(enum power_state request)
{
    return (size_t)request < VALUES ? value_names[request].request : "unknown request";
}

/* --- what each action wants --- */

enum want {
    WANT_NOTHING,
    WANT_ON,
    WANT_OFF,
    WANT_CYCLED,
    WANT_RESTARTED,
    WANT_SLEEP,
    WANT_HIBERNATE,
    WANT_SENT
};

static const struct plan {
    enum want want;
    enum power_state hard;     /* the request that needs no OS; POWER_UNKNOWN: none is wanted */
    enum power_state instead;  /* where the device does not offer it */
    enum power_state soft;     /* the request to the OS */
    enum power_state from_off; /* when the machine is off; POWER_UNKNOWN: see needs_on */
    bool needs_on;
} plans[] = {
    [POWER_DO_STATUS] = {WANT_NOTHING},
    [POWER_DO_ON] = {WANT_ON, .hard = POWER_ON, .from_off = POWER_ON},
    [POWER_DO_OFF] = {WANT_OFF, POWER_OFF_SOFT, POWER_OFF_HARD, POWER_OFF_SOFT_GRACEFUL},
    [POWER_DO_CYCLE] = {WANT_CYCLED, POWER_CYCLE_OFF_SOFT, POWER_CYCLE_OFF_HARD, POWER_OFF_SOFT_GRACEFUL,
                        POWER_ON},
    [POWER_DO_RESET] = {WANT_RESTARTED, POWER_RESET, POWER_RESET, POWER_RESET_GRACEFUL, .needs_on = true},
    [POWER_DO_SOFT_OFF] = {WANT_OFF, .soft = POWER_OFF_SOFT_GRACEFUL},
    [POWER_DO_SOFT_RESET] = {WANT_RESTARTED, .soft = POWER_RESET_GRACEFUL, .needs_on = true},
    [POWER_DO_SLEEP] = {WANT_SLEEP, .soft = POWER_SLEEP_DEEP, .needs_on = true},
    [POWER_DO_HIBERNATE] = {WANT_HIBERNATE, .soft = POWER_HIBERNATE, .needs_on = true},
    [POWER_DO_NMI] = {WANT_SENT, .hard = POWER_NMI, .instead = POWER_NMI, .needs_on = true},
    [POWER_DO_RESET_OR_ON] = {WANT_RESTARTED, POWER_RESET, POWER_RESET, POWER_RESET_GRACEFUL, POWER_ON},
};

/* The steps, by place in power_steps below. */
enum {
    STEP_READ,
    STEP_READ_OLD,
    STEP_READ_STANDBY,
    STEP_DECIDE,
    STEP_CAPABILITIES,
    STEP_WAKE,
    STEP_KVM_READ,
    STEP_KVM_CLOSE,
    STEP_REQUEST,
    STEP_WATCH,
    STEP_KVM_OPEN,
};

static struct power_seq *power_of(struct seq *seq)
{
    return (struct power_seq *)seq;
}

static const struct plan *plan_of(const struct power_seq *ps)
{
    return &plans[ps->request.action];
}

static bool is_off(enum power_state state)
{
    return state == POWER_OFF_SOFT || state == POWER_OFF_HARD;
}

static bool is_asleep(enum power_state state)
{
    return state == POWER_SLEEP_LIGHT || state == POWER_SLEEP_DEEP;
}

/* --- reading the state --- */

static struct wsman_request *ask_read(struct seq *seq, struct err *err)
{
    (void)err;
    return power_of(seq)->old_form
               ? NULL
               : wsman_request_new(WSMAN_GET, "CIM_AssociatedPowerManagementService", NULL);
}

static struct wsman_request *ask_read_old(struct seq *seq, struct err *err)
{
    (void)err;
    return power_of(seq)->old_form ? wsman_request_new(WSMAN_ENUMERATE, "CIM_ServiceAvailableToElement", NULL)
                                   : NULL;
}

/* While watching, silence is expected: the firmware changes its own power state with the machine's. */
static int read_failed(struct power_seq *ps, const struct err *err)
{
    (void)err;
    return ps->watching ? STEP_WATCH : SEQ_FAIL;
}

static int take_state(struct power_seq *ps, struct wsman_obj obj, struct err *err)
{
    uint32_t state;

    if (!wsman_u32(obj, "PowerState", &state))
        return err_set(err, CAUSE_BAD_ANSWER, "the device does not tell its power state");
    ps->state = (enum power_state)state;
    ps->standby = false;
    ps->report.available_count =
        wsman_u32_array(obj, "AvailableRequestedPowerStates", ps->report.available,
                        sizeof(ps->report.available) / sizeof(ps->report.available[0]));
    if (!ps->report.from_known) {
        ps->report.from_known = true;
        ps->report.from = ps->state;
    }
    ps->report.to = ps->state;
    ps->report.to_standby = false;
    if (ps->seq.now_ms - ps->looked_ms > ps->gap_ms)
        ps->gap_ms = ps->seq.now_ms - ps->looked_ms;
    ps->looked_ms = ps->seq.now_ms;
    ps->saw_off |= ps->watching && !ps->waking && !ps->refused && ps->state != POWER_ON;
    return 0;
}

static int hear_read(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct power_seq *ps = power_of(seq);

    if (!call && wsman_fault_is_absent(err)) {
        ps->old_form = true;
        return SEQ_NEXT;
    }
    if (!call)
        return read_failed(ps, err);
    return take_state(ps, wsman_call_obj(call, 0), err) == 0 ? STEP_READ_STANDBY : SEQ_FAIL;
}

static int hear_read_old(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct power_seq *ps = power_of(seq);

    if (!call)
        return read_failed(ps, err);
    return take_state(ps, wsman_call_obj(call, 0), err) == 0 ? SEQ_NEXT : SEQ_FAIL;
}

/* 'On' may be modern standby, which only the OS power saving state tells. */
static struct wsman_request *ask_standby(struct seq *seq, struct err *err)
{
    struct power_seq *ps = power_of(seq);
    bool matters = !ps->watching || ps->waking || plan_of(ps)->want == WANT_ON;

    (void)err;
    return ps->quirks->os_power_saving && ps->state == POWER_ON && matters
               ? wsman_request_new(WSMAN_GET, "IPS_PowerManagementService", NULL)
               : NULL;
}

static int hear_standby(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct power_seq *ps = power_of(seq);
    uint32_t saving = 0;

    if (!call && !wsman_fault_is_absent(err))
        return read_failed(ps, err);
    if (call)
        wsman_u32(wsman_call_obj(call, 0), "OSPowerSavingState", &saving);
    ps->standby = saving == 3;
    ps->report.to_standby = ps->standby;
    if (!ps->watching)
        ps->report.from_standby = ps->standby;
    return SEQ_NEXT;
}

/* --- deciding --- */

static bool offers(const struct power_seq *ps, enum power_state value)
{
    for (size_t i = 0; i < ps->report.available_count; i++)
        if (ps->report.available[i] == (uint32_t)value)
            return true;
    return false;
}

static int done(struct power_seq *ps, const char *remark)
{
    if (remark && !ps->report.remark)
        ps->report.remark = remark;
    return ps->kvm_closed ? STEP_KVM_OPEN : SEQ_DONE;
}

/* Says what the device offers instead, which is what the administrator wants to know next. */
static int not_offered(struct power_seq *ps, enum power_state value, struct err *err)
{
    struct buf list = buf_init(200);
    bool soft = value == plan_of(ps)->soft;

    for (size_t i = 0; i < ps->report.available_count; i++)
        buf_printf(&list, "%s%s", i > 0 ? ", " : "",
                   power_request_name((enum power_state)ps->report.available[i]));
    err_set(err, CAUSE_UNSUPPORTED, "%s is not offered%s; offered now: %s", power_request_name(value),
            soft
                ? " (it needs AMT 10 or later and Intel's management service running in the operating system)"
                : "",
            list.len > 0 ? buf_str(&list) : "nothing");
    buf_free(&list);
    return SEQ_FAIL;
}

/* Takes a value to request when the device offers it, or offers nothing at all and every version knows the
 * value. */
static int request_value(struct power_seq *ps, enum power_state value)
{
    ps->request_value = value;
    return ps->quirks->kvm_closes_before_off && value >= POWER_SLEEP_LIGHT && value <= POWER_CYCLE_OFF_HARD
               ? STEP_KVM_READ
               : STEP_REQUEST;
}

static bool every_version_knows(enum power_state value)
{
    return value == POWER_ON || value == POWER_CYCLE_OFF_SOFT || value == POWER_OFF_SOFT ||
           value == POWER_RESET;
}

static int use_hard(struct power_seq *ps, struct err *err)
{
    const struct plan *plan = plan_of(ps);

    ps->soft = false;
    if (offers(ps, plan->hard) || (ps->report.available_count == 0 && every_version_knows(plan->hard)))
        return request_value(ps, plan->hard);
    if (offers(ps, plan->instead))
        return request_value(ps, plan->instead);
    return not_offered(ps, plan->hard, err);
}

static int use_soft(struct power_seq *ps, struct err *err)
{
    const struct plan *plan = plan_of(ps);

    ps->soft = true;
    ps->soft_until_ms =
        ps->seq.now_ms + (ps->request.graceful_ms > 0 ? ps->request.graceful_ms : GRACEFUL_MS);
    if (offers(ps, plan->soft))
        return request_value(ps, plan->soft);
    if (plan->hard == POWER_UNKNOWN)
        return not_offered(ps, plan->soft, err);
    ps->report.fell_back = true;
    ps->report.remark = "the operating system cannot be asked: done without it";
    return use_hard(ps, err);
}

static bool is_there_already(struct power_seq *ps)
{
    switch (plan_of(ps)->want) {
    case WANT_NOTHING:
        return true;
    case WANT_ON:
        return ps->state == POWER_ON && !ps->standby;
    case WANT_OFF:
        return is_off(ps->state) || ps->state == POWER_HIBERNATE;
    case WANT_SLEEP:
        return is_asleep(ps->state);
    case WANT_HIBERNATE:
        return ps->state == POWER_HIBERNATE;
    default:
        return false;
    }
}

static const char *already(const struct power_seq *ps)
{
    if (plan_of(ps)->want == WANT_NOTHING)
        return NULL;
    return ps->state == POWER_ON          ? "already on"
           : ps->state == POWER_HIBERNATE ? "already hibernating"
           : is_asleep(ps->state)         ? "already asleep"
                                          : "already off";
}

/* Whether the operating system is asked first. */
static bool begins_softly(const struct power_seq *ps)
{
    const struct plan *plan = plan_of(ps);

    return plan->soft != POWER_UNKNOWN && (ps->request.graceful || plan->hard == POWER_UNKNOWN);
}

/* The first look: which transition fits the state that was found. */
static int decide_first(struct power_seq *ps, struct err *err)
{
    const struct plan *plan = plan_of(ps);
    bool is_down = is_off(ps->state) || ps->state == POWER_HIBERNATE;

    if (is_there_already(ps))
        return done(ps, already(ps));
    if (plan->want == WANT_ON && ps->state == POWER_ON)
        return STEP_WAKE;
    if (plan->needs_on && ps->state != POWER_ON) {
        err_set(err, CAUSE_INVALID_STATE, "%s needs a running machine; this one is %s",
                power_action_name(ps->request.action), power_state_name(ps->state, false));
        return SEQ_FAIL;
    }
    if (is_down && plan->from_off != POWER_UNKNOWN) {
        if (plan->want == WANT_CYCLED || plan->want == WANT_RESTARTED)
            ps->report.remark = "was off: powered on";
        return request_value(ps, plan->from_off);
    }
    if (ps->report.available_count == 0 && (begins_softly(ps) || !every_version_knows(plan->hard)))
        return STEP_CAPABILITIES;
    return begins_softly(ps) ? use_soft(ps, err) : use_hard(ps, err);
}

/* --- deciding while watching --- */

static bool goal_reached(const struct power_seq *ps)
{
    int64_t since = ps->seq.now_ms - ps->requested_ms;
    bool accepted = ps->lost.cause == CAUSE_NONE;

    switch (ps->request_value) {
    case POWER_ON:
        return ps->state == POWER_ON;
    case POWER_OFF_SOFT:
    case POWER_OFF_HARD:
    case POWER_OFF_SOFT_GRACEFUL:
    case POWER_OFF_HARD_GRACEFUL:
        return is_off(ps->state);
    case POWER_CYCLE_OFF_SOFT:
    case POWER_CYCLE_OFF_HARD:
        return ps->state == POWER_ON && (ps->saw_off || (since >= SETTLE_MS && accepted));
    case POWER_RESET:
    case POWER_RESET_GRACEFUL:
        return ps->state == POWER_ON && since >= RESET_MS && accepted;
    case POWER_SLEEP_DEEP:
    case POWER_SLEEP_LIGHT:
        return is_asleep(ps->state);
    case POWER_HIBERNATE:
        return ps->state == POWER_HIBERNATE || is_off(ps->state);
    default:
        return true;
    }
}

static int give_up(struct power_seq *ps, struct err *err)
{
    if (ps->uncertain || ps->lost.cause != CAUSE_NONE) {
        *err = ps->lost;
        if (ps->uncertain)
            err_context(err, "%s was sent, its answer was lost, and the machine is still %s",
                        power_request_name(ps->request_value), power_state_name(ps->state, ps->standby));
        return SEQ_FAIL;
    }
    err_set(err, CAUSE_NOT_REACHED, "%s was accepted, but after %lld s the machine is %s",
            ps->waking ? "waking the operating system" : power_request_name(ps->request_value),
            (long long)((ps->seq.now_ms - ps->requested_ms) / 1000),
            power_state_name(ps->state, ps->standby));
    return SEQ_FAIL;
}

static int goal_done(struct power_seq *ps, struct err *err)
{
    enum power_state value = ps->request_value;

    if (ps->soft && plan_of(ps)->want == WANT_CYCLED && !ps->second) {
        ps->second = true; /* the OS has shut down: the other half */
        ps->soft = false;
        return request_value(ps, POWER_ON);
    }
    if ((value == POWER_CYCLE_OFF_SOFT || value == POWER_CYCLE_OFF_HARD) && !ps->saw_off) {
        if (ps->gap_ms <= BLINK_MS)
            return give_up(ps, err);
        return done(ps, "accepted; it answered too seldom for its moment of being off to be seen");
    }
    if (value == POWER_RESET_GRACEFUL)
        return done(ps, "the operating system was asked to restart; AMT cannot see when it does");
    return done(ps, NULL);
}

/* After a lost answer, a second request is sent only when the state read since shows that nothing happened,
 * and only where doing it twice does no more than doing it once. */
static bool may_request_again(const struct power_seq *ps)
{
    bool idempotent = ps->request_value != POWER_CYCLE_OFF_SOFT &&
                      ps->request_value != POWER_CYCLE_OFF_HARD && ps->request_value != POWER_RESET &&
                      ps->request_value != POWER_RESET_GRACEFUL && ps->request_value != POWER_NMI;

    return ps->uncertain && idempotent && ps->report.tries < TRIES_MOST && !ps->saw_off &&
           ps->seq.now_ms - ps->requested_ms >= SETTLE_MS;
}

/* A request was refused, so nothing came of it: firmware refuses what it is asked during another transition,
 * which may be over in a moment. */
static int decide_refused(struct power_seq *ps, struct err *err)
{
    const struct plan *plan = plan_of(ps);
    bool is_down = is_off(ps->state) || ps->state == POWER_HIBERNATE;

    if (ps->request_value == POWER_ON ? ps->state == POWER_ON : is_there_already(ps))
        return done(ps, NULL);
    if (ps->seq.now_ms - ps->refused_ms >= SETTLE_MS)
        return give_up(ps, err);
    if (is_down && plan->from_off != POWER_UNKNOWN && ps->request_value != plan->from_off) {
        ps->report.remark = "was off: powered on";
        return request_value(ps, plan->from_off);
    }
    return STEP_REQUEST;
}

static int decide_watching(struct power_seq *ps, struct err *err)
{
    int64_t next = ps->poll_ms;

    if (ps->refused)
        return decide_refused(ps, err);
    if (ps->waking ? !ps->standby : goal_reached(ps))
        return ps->waking ? done(ps, "woke the operating system from standby") : goal_done(ps, err);
    if (!ps->waking && may_request_again(ps))
        return STEP_REQUEST;
    if (ps->uncertain && ps->seq.now_ms - ps->requested_ms >= SETTLE_MS)
        return give_up(ps, err);
    if (ps->soft && ps->seq.now_ms >= ps->soft_until_ms && plan_of(ps)->hard != POWER_UNKNOWN) {
        ps->report.fell_back = true;
        ps->report.remark = "the operating system did not obey in time: done without it";
        return use_hard(ps, err);
    }
    if (seq_left_ms(&ps->seq) <= next)
        return give_up(ps, err);
    return STEP_WATCH;
}

static int decide(struct power_seq *ps, struct err *err)
{
    return ps->watching ? decide_watching(ps, err) : decide_first(ps, err);
}

/* Nothing is asked here: the step is a fork in the way. */
static struct wsman_request *ask_decide(struct seq *seq, struct err *err)
{
    int where = decide(power_of(seq), err);

    if (where != SEQ_FAIL)
        seq_go(seq, where);
    return NULL;
}

/* --- capabilities, for devices that do not list what is possible now --- */

static struct wsman_request *ask_capabilities(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "CIM_PowerManagementCapabilities", NULL);
}

static int hear_capabilities(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct power_seq *ps = power_of(seq);

    if (call)
        ps->report.available_count =
            wsman_u32_array(wsman_call_obj(call, 0), "RequestedPowerStatesSupported", ps->report.available,
                            sizeof(ps->report.available) / sizeof(ps->report.available[0]));
    err_clear(err);
    return begins_softly(ps) ? use_soft(ps, err) : use_hard(ps, err);
}

/* --- changing --- */

static const struct wsman_selector managed_system[] = {
    {"CreationClassName", "CIM_ComputerSystem"}, {"Name", "ManagedSystem"}, {NULL, NULL}};

static void begin_watching(struct power_seq *ps)
{
    ps->watching = true;
    ps->saw_off = false;
    ps->requested_ms = ps->looked_ms = ps->seq.now_ms;
    ps->gap_ms = 0;
    ps->poll_ms = POLL_FIRST_MS;
}

static struct wsman_request *ask_wake(struct seq *seq, struct err *err)
{
    struct wsman_request *rq =
        wsman_request_new(WSMAN_INVOKE, "IPS_PowerManagementService", "RequestOSPowerSavingStateChange");

    (void)seq;
    (void)err;
    wsman_add_u32(rq, "OSPowerSavingState", 2);
    wsman_add_epr(rq, "ManagedElement", "CIM_ComputerSystem", managed_system);
    return rq;
}

static int hear_wake(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct power_seq *ps = power_of(seq);

    if (wsman_return_value_to_err("IPS_PowerManagementService", "RequestOSPowerSavingStateChange",
                                  wsman_call_return_value(call), err) != 0)
        return SEQ_FAIL;
    begin_watching(ps);
    ps->waking = true;
    return ps->request.no_wait ? done(ps, "asked the operating system to wake") : STEP_WATCH;
}

/* A KVM session in use stands in the way of power-off on some firmware: it is closed and allowed again after.
 */
static struct wsman_request *ask_kvm_read(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "CIM_KVMRedirectionSAP", NULL);
}

static int hear_kvm_read(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    uint32_t state = 0;

    (void)seq;
    (void)err;
    if (call)
        wsman_u32(wsman_call_obj(call, 0), "EnabledState", &state);
    return state == 2 ? STEP_KVM_CLOSE : STEP_REQUEST;
}

static struct wsman_request *kvm_request(uint32_t state)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_INVOKE, "CIM_KVMRedirectionSAP", "RequestStateChange");

    wsman_add_u32(rq, "RequestedState", state);
    return rq;
}

static struct wsman_request *ask_kvm_close(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return kvm_request(3);
}

static int hear_kvm_close(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)err;
    power_of(seq)->kvm_closed = call != NULL;
    return STEP_REQUEST;
}

static struct wsman_request *ask_kvm_open(struct seq *seq, struct err *err)
{
    (void)err;
    return power_of(seq)->kvm_closed ? kvm_request(2) : NULL;
}

static int hear_kvm_open(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)err;
    if (!call)
        power_of(seq)->report.remark = "done, but the KVM listener could not be opened again";
    return SEQ_DONE;
}

static struct wsman_request *ask_request(struct seq *seq, struct err *err)
{
    struct power_seq *ps = power_of(seq);
    struct wsman_request *rq =
        wsman_request_new(WSMAN_INVOKE, "CIM_PowerManagementService", "RequestPowerStateChange");

    (void)err;
    wsman_add_u32(rq, "PowerState", ps->request_value);
    wsman_add_epr(rq, "ManagedElement", "CIM_ComputerSystem", managed_system);
    ps->report.requested = ps->request_value;
    ps->report.tries++;
    ps->uncertain = ps->refused = false;
    err_clear(&ps->lost);
    begin_watching(ps);
    return rq;
}

/* The answer may be lost because the firmware changes state with the machine: then the state decides. */
static int hear_request(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct power_seq *ps = power_of(seq);
    uint32_t value;

    if (!call) {
        if (err->cause != CAUSE_DROPPED && err->cause != CAUSE_TIMEOUT)
            return SEQ_FAIL;
        ps->uncertain = true;
        ps->lost = *err;
        return STEP_WATCH;
    }
    value = wsman_call_return_value(call);
    if (wsman_return_value_to_err("CIM_PowerManagementService", "RequestPowerStateChange", value, err) == 0) {
        if (ps->soft)
            ps->seq.note = POWER_ASKED_OS;
        if (ps->request.no_wait || ps->request_value == POWER_NMI)
            return done(ps, NULL);
        return STEP_WATCH;
    }
    if (err->cause != CAUSE_INVALID_STATE && err->cause != CAUSE_BUSY && value != 4)
        return SEQ_FAIL;
    if (ps->again_ms == 0)
        ps->refused_ms = ps->seq.now_ms;
    ps->again_ms = ps->again_ms > 0 ? 2 * ps->again_ms : AGAIN_MS;
    ps->refused = true;
    ps->lost = *err;
    ps->poll_ms = ps->again_ms;
    return STEP_WATCH;
}

/* The moment of being off may be short, and seeing it is the proof of a cycle: no look is left out for it. */
static bool must_see_off(const struct power_seq *ps)
{
    return (ps->request_value == POWER_CYCLE_OFF_SOFT || ps->request_value == POWER_CYCLE_OFF_HARD) &&
           !ps->saw_off && ps->lost.cause == CAUSE_NONE && ps->seq.now_ms - ps->requested_ms < SETTLE_MS;
}

/* Lets time pass, then looks again. */
static struct wsman_request *ask_watch(struct seq *seq, struct err *err)
{
    struct power_seq *ps = power_of(seq);

    if (seq_left_ms(seq) <= ps->poll_ms) {
        give_up(ps, err);
        return NULL;
    }
    seq_wait(seq, ps->poll_ms);
    if (!must_see_off(ps))
        ps->poll_ms = ps->poll_ms * 3 / 2 < POLL_MOST_MS ? ps->poll_ms * 3 / 2 : POLL_MOST_MS;
    seq_go(seq, STEP_READ);
    return NULL;
}

/* A power action, from reading the state to watching it change. (section 3.2) */
static const struct seq_step power_steps[] = {
    [STEP_READ] = {"read power state", SEQ_READ | SEQ_FAILURE_OK, ask_read, hear_read},
    [STEP_READ_OLD] = {"read power state, old form", SEQ_READ | SEQ_FAILURE_OK, ask_read_old, hear_read_old},
    [STEP_READ_STANDBY] = {"read OS power saving state", SEQ_READ | SEQ_FAILURE_OK, ask_standby,
                           hear_standby},
    [STEP_DECIDE] = {"decide", SEQ_READ, ask_decide, NULL},
    [STEP_CAPABILITIES] = {"read capabilities", SEQ_READ | SEQ_ABSENT_OK, ask_capabilities,
                           hear_capabilities},
    [STEP_WAKE] = {"wake the OS", SEQ_CHANGE, ask_wake, hear_wake},
    [STEP_KVM_READ] = {"read KVM state", SEQ_READ | SEQ_FAILURE_OK, ask_kvm_read, hear_kvm_read},
    [STEP_KVM_CLOSE] = {"close KVM", SEQ_CHANGE | SEQ_FAILURE_OK, ask_kvm_close, hear_kvm_close},
    [STEP_REQUEST] = {POWER_REQUEST_STEP, SEQ_CHANGE | SEQ_FAILURE_OK, ask_request, hear_request},
    [STEP_WATCH] = {"watch", SEQ_READ, ask_watch, NULL},
    [STEP_KVM_OPEN] = {"open KVM again", SEQ_CHANGE | SEQ_FAILURE_OK, ask_kvm_open, hear_kvm_open},
};

void power_seq_init(struct power_seq *ps, const struct power_request *request, const struct quirks *quirks)
{
    memset(ps, 0, sizeof(*ps));
    seq_init(&ps->seq, SEQ_TABLE(power_steps));
    ps->request = *request;
    ps->quirks = quirks ? quirks : quirks_for(NULL);
}
