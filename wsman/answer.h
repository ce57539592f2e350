/* What a device answers: one parsed envelope. (reference wsman.md, sections 2.2 to 2.5) */
#ifndef WSMAN_ANSWER_H
#define WSMAN_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/xml.h"

#define WSMAN_ANSWER_MAX                                                                                     \
    (1024 * 1024) /* bytes; far above the 50 KiB of firmware: beyond it, it is no AMT device */

struct wsman_answer {
    struct xml_doc *doc; /* owned */
    struct xml_el
        body; /* first child of Body: the instance, X_OUTPUT, IdentifyResponse; none when Body is empty */
    struct xml_el items; /* wsen:Items of a PullResponse, else none */
    const char *context; /* EnumerationContext to go on with, or NULL at the end; kept by doc */
    const char *action;  /* wsa:Action, "" when absent */
    const char *relates; /* wsa:RelatesTo, "" when absent */
    bool is_fault;
};

/* Parses n bytes. 0, or -1 with too-large or bad-answer. *answer is cleared with wsman_answer_clear in both
 * cases. */
int wsman_answer_parse(struct wsman_answer *answer, const void *p, size_t n, struct err *err);
void wsman_answer_clear(struct wsman_answer *answer);

/* Turns an answer that is a fault, or an HTTP status without one, into a cause with the firmware's own code
 * ("b:DestinationUnreachable", "HTTP 503") and its reason text. Returns 0 when it is neither. `what` names
 * the request. answer may be NULL when there was no XML. (section 2.5, 1.2) */
int wsman_fault_to_err(const struct wsman_answer *answer, int http_status, const char *what, struct err *err);

#define WSMAN_CODE_ABSENT "absent" /* of calls that an older interface has no counterpart for (eoi/eoi.h) */

/* True for the fault that means 'this firmware has no such class or instance': often an answer, not a
 * failure. */
bool wsman_fault_is_absent(const struct err *err);

/* Turns the ReturnValue of a method into a cause: DMTF numbers for CIM_ classes, PT_STATUS for AMT_ and IPS_.
 * 0 for value 0. Code is "ReturnValue N". */
int wsman_return_value_to_err(const char *class_name, const char *method, uint32_t value, struct err *err);
/* The name of a PT_STATUS or DMTF number ("PT_STATUS_INVALID_HANDLE", "busy"), or NULL. Static. */
const char *wsman_return_value_name(const char *class_name, uint32_t value);

#endif
