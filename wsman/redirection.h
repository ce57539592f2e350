/* Redirection settings: console (SOL), IDE redirection, their listener, KVM. (reference wsman.md,
 * section 3.4) */
#ifndef WSMAN_REDIRECTION_H
#define WSMAN_REDIRECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "wsman/seq.h"

/* AMT_RedirectionService.EnabledState. */
enum redirection_state {
    REDIRECTION_UNKNOWN = 0,
    REDIRECTION_NONE = 32768,
    REDIRECTION_IDER = 32769,
    REDIRECTION_SOL = 32770,
    REDIRECTION_BOTH = 32771,
};

/* CIM_KVMRedirectionSAP.EnabledState. */
enum kvm_state {
    KVM_ABSENT = 0, /* the firmware has no KVM */
    KVM_IN_USE = 2,
    KVM_DISABLED = 3,
    KVM_ENABLED = 6, /* allowed, no session */
};

enum redirection_action {
    REDIRECTION_READ,
    REDIRECTION_SET,      /* as wanted; what is so already is left alone */
    REDIRECTION_END_IDER, /* ends the IDE redirection session (10+) */
    REDIRECTION_END_SOL,  /* ends the console session (10+) */
};

struct redirection_request {
    enum redirection_action action;
    int sol, ider, listener, kvm; /* SET: 1 on, 0 off, -1 leave */
};

struct redirection_seq {
    struct seq seq; /* first */
    struct redirection_request request;
    /* as found, and after SET as it is now */
    enum redirection_state state;
    bool listener;
    enum kvm_state kvm;
    bool changed_any;
    /* private */
    enum redirection_state wanted;
    bool listener_wanted;
    struct wsman_request *put;
};

void redirection_seq_init(struct redirection_seq *rs, const struct redirection_request *request);
void redirection_seq_clear(struct redirection_seq *rs);

/* "console and IDE redirection"; static. */
const char *redirection_state_name(enum redirection_state state);

#endif
