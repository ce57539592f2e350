/* What must be so before a redirection session can be opened: service, listener and kind switched on, and the
 * consent of the user where the device wants it. (reference redirection.md, section 6)
 *
 * What is switched on already stays as it is, other kinds included. A code that stands on the machine's
 * screen already is left there. */
#ifndef WSMAN_REDIRECTION_READY_H
#define WSMAN_REDIRECTION_READY_H

#include <stdbool.h>
#include <stdint.h>

#include "wsman/consent.h"
#include "wsman/redirection.h"
#include "wsman/seq.h"

#define REDIRECTION_HOLDER_MAX 128

struct redirection_ready_request {
    bool sol, ider;   /* which kinds are wanted */
    bool look_only;   /* change nothing, only tell */
    bool ask_consent; /* where consent is wanted and not given: show a code on the machine's screen */
};

struct redirection_ready_seq {
    struct seq seq; /* first */
    struct redirection_ready_request request;
    enum redirection_state found; /* as it was */
    enum redirection_state state; /* as it is now */
    bool listener_found, listener;
    bool consent_wanted; /* for these kinds; then: */
    enum consent_state consent;
    uint32_t code_timeout_s;
    char holder[REDIRECTION_HOLDER_MAX]; /* newest line of the device's access log, printable; "" none */
    /* private */
    struct wsman_request *put;
};

void redirection_ready_init(struct redirection_ready_seq *rs,
                            const struct redirection_ready_request *request);
void redirection_ready_clear(struct redirection_ready_seq *rs);

/* Consent stands in the way now. */
bool redirection_ready_waits(const struct redirection_ready_seq *rs);
/* "switched on, listener opened": what was changed; static; NULL: nothing. */
const char *redirection_ready_changes(const struct redirection_ready_seq *rs);

#endif
