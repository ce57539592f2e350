/* A WS-Management request as a device understands it. (reference wsman.md, 2.2 - 2.4)
 *
 * No I/O. The message owns its document; everything in it is borrowed from there. */
#ifndef AMTSIM_MESSAGE_H
#define AMTSIM_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/xml.h"
#include "tests/amtsim/epr.h"
#include "tests/amtsim/soap_fault.h"

#define MESSAGE_MAX           51200 /* bytes of an envelope AMT takes */
#define MESSAGE_SELECTORS_MAX 32

enum message_op {
    MESSAGE_IDENTIFY,
    MESSAGE_GET,
    MESSAGE_PUT,
    MESSAGE_CREATE,
    MESSAGE_DELETE,
    MESSAGE_ENUMERATE,
    MESSAGE_PULL,
    MESSAGE_RELEASE,
    MESSAGE_SUBSCRIBE,
    MESSAGE_UNSUBSCRIBE,
    MESSAGE_INVOKE, /* Action is ResourceURI/method */
};

struct message {
    struct xml_doc *doc;
    enum message_op op;
    const char *action;     /* URI; "" for Identify */
    const char *uri;        /* ResourceURI */
    const char *class_name; /* its last part */
    const char *method;     /* MESSAGE_INVOKE */
    const char *id;         /* MessageID, "0" when there is none */
    struct xml_el body;     /* first element of the Body, or none */
    struct selector selectors[MESSAGE_SELECTORS_MAX];
    size_t selector_count;
};

/* Parses n bytes. SOAP_OK, or the fault to answer with; *m is to be cleared in both cases (id is valid in
 * both). */
enum soap_fault message_parse(struct message *m, const void *p, size_t n);
void message_clear(struct message *m);

/* An EPR below el (Address, ReferenceParameters) into *out. False when it is not one. */
bool message_epr(const struct message *m, struct xml_el el, struct epr *out);

#endif
