/* Power: state, capabilities and reliable actions. (reference wsman.md, section 3.2) */
#ifndef WSMAN_POWER_H
#define WSMAN_POWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "wsman/seq.h"

/* CIM_AssociatedPowerManagementService.PowerState and the parameter of RequestPowerStateChange: every value.
 */
enum power_state {
    POWER_UNKNOWN = 0,
    POWER_OTHER = 1,
    POWER_ON = 2,
    POWER_SLEEP_LIGHT = 3,
    POWER_SLEEP_DEEP = 4,
    POWER_CYCLE_OFF_SOFT = 5,
    POWER_OFF_HARD = 6,
    POWER_HIBERNATE = 7,
    POWER_OFF_SOFT = 8,
    POWER_CYCLE_OFF_HARD = 9,
    POWER_RESET = 10,
    POWER_NMI = 11,
    POWER_OFF_SOFT_GRACEFUL = 12,
    POWER_OFF_HARD_GRACEFUL = 13,
    POWER_RESET_GRACEFUL = 14,
    POWER_CYCLE_OFF_SOFT_GRACEFUL = 15,
    POWER_CYCLE_OFF_HARD_GRACEFUL = 16,
};

#define POWER_REQUEST_STEP "request"                    /* the step that sends RequestPowerStateChange */
#define POWER_ASKED_OS     "asked the operating system" /* its note, where that is all that was accepted */

/* What an administrator asks for. */
enum power_action {
    POWER_DO_STATUS,
    POWER_DO_ON,
    POWER_DO_OFF,   /* hard, at once; with graceful: the OS first */
    POWER_DO_CYCLE, /* off and on; a machine that is off is powered on */
    POWER_DO_RESET,
    POWER_DO_SOFT_OFF,   /* the OS only, never hard */
    POWER_DO_SOFT_RESET, /* the OS only, never hard */
    POWER_DO_SLEEP,
    POWER_DO_HIBERNATE,
    POWER_DO_NMI,
    POWER_DO_RESET_OR_ON, /* whichever starts a boot: for boot.h */
};
const char *power_action_name(enum power_action action); /* "soft-off" */
bool power_action_by_name(const char *name, enum power_action *out);

/* "on", "sleep", "hibernate", "off", "unknown", ... : the word users see. standby: on, but the OS saves power
 * ("standby"). Static. */
const char *power_state_name(enum power_state state, bool standby);
/* The reference's sentence for a value as a request ("master bus reset"). Static. */
const char *power_request_name(enum power_state request);

struct power_request {
    enum power_action action;
    bool graceful;       /* OFF, CYCLE, RESET: ask the OS first, go on hard after the limit */
    int64_t graceful_ms; /* that limit; 0: 60 s */
    bool no_wait;        /* done when the device accepted: do not watch the state */
};

struct power_report {
    enum power_state from;
    enum power_state to; /* the last state seen */
    bool from_standby;
    bool to_standby;
    bool from_known;
    enum power_state
        requested;      /* value of the last RequestPowerStateChange sent, POWER_UNKNOWN: none was needed */
    uint32_t tries;     /* RequestPowerStateChange calls sent */
    bool fell_back;     /* graceful was not obeyed within its limit */
    const char *remark; /* "was off: powered on", "already on", "woke the OS from standby"; static, or NULL */
    uint32_t available[16]; /* AvailableRequestedPowerStates as last read */
    size_t available_count;
};

/* Firmware habits that a power action must know, looked up by version in one table (quirks.h). */
struct quirks;

struct power_seq {
    struct seq seq; /* first */
    struct power_request request;
    struct power_report report;
    const struct quirks *quirks;
    /* private */
    enum power_state state; /* as last read */
    bool standby;
    bool watching;  /* something was requested: reads look for its effect */
    bool waking;    /* what was requested is the end of modern standby */
    bool soft;      /* the request under way asks the OS */
    bool second;    /* of two requests (off, then on) the second is under way */
    bool uncertain; /* the answer to the request was lost */
    bool refused;   /* it was refused: nothing came of it */
    bool saw_off;   /* since the request */
    bool kvm_closed;
    bool old_form; /* CIM_AssociatedPowerManagementService is not there */
    enum power_state request_value;
    int64_t requested_ms; /* when, on the sequence's clock */
    int64_t refused_ms;   /* the first of its refusals */
    int64_t again_ms;     /* pause after the last one; 0: there was none */
    int64_t soft_until_ms;
    int64_t looked_ms; /* when the state was last read */
    int64_t gap_ms;    /* longest time between two looks since the request */
    int64_t poll_ms;
    struct err lost; /* how the answer was lost, or why the request was refused */
};

/* Readies the sequence. quirks may be NULL (version unknown: the careful defaults). */
void power_seq_init(struct power_seq *ps, const struct power_request *request, const struct quirks *quirks);

#endif
