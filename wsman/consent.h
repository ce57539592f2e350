/* The consent of the user at the machine: policy, state, and the six-digit code. (reference wsman.md,
 * section 3.5) */
#ifndef WSMAN_CONSENT_H
#define WSMAN_CONSENT_H

#include <stdbool.h>
#include <stdint.h>

#include "wsman/seq.h"

/* IPS_OptInService.OptInRequired. */
enum consent_required {
    CONSENT_NONE = 0,
    CONSENT_KVM = 1,
    CONSENT_ALL = -1, /* 4294967295 on the wire: KVM, IDE redirection, console, boot options */
};

/* IPS_OptInService.OptInState. */
enum consent_state {
    CONSENT_NOT_STARTED = 0,
    CONSENT_REQUESTED = 1,
    CONSENT_DISPLAYED = 2, /* the code is on the machine's screen */
    CONSENT_RECEIVED = 3,
    CONSENT_IN_SESSION = 4,
};

enum consent_action {
    CONSENT_READ,
    CONSENT_START, /* show a code; an old one on the screen is cancelled first */
    CONSENT_SEND,  /* the code the user read */
    CONSENT_CANCEL,
    CONSENT_SET_POLICY, /* who must be asked; refused by the device in client mode */
};

struct consent_request {
    enum consent_action action;
    uint32_t code;                 /* SEND: 0 to 999999 */
    enum consent_required require; /* SET_POLICY */
};

struct consent_seq {
    struct seq seq; /* first */
    struct consent_request request;
    /* as last read */
    bool there; /* the firmware has consent at all (6+) */
    enum consent_required required;
    enum consent_state state;
    bool may_modify;
    uint32_t code_timeout_s;
    uint32_t display_timeout_s;
    /* private */
    struct wsman_request *put;
};

void consent_seq_init(struct consent_seq *cs, const struct consent_request *request);
void consent_seq_clear(struct consent_seq *cs);
const char *consent_state_name(enum consent_state state); /* static */

#endif
