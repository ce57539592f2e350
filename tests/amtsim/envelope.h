/* Writes the SOAP envelopes of answers exactly as the firmware does. (reference wsman.md, 2.1, 2.2, 2.5) */
#ifndef AMTSIM_ENVELOPE_H
#define AMTSIM_ENVELOPE_H

#include <stdbool.h>

#include "base/buf.h"
#include "tests/amtsim/device.h"
#include "tests/amtsim/message.h"

/* Begins an answer up to and with <a:Body>. namespaces: URIs for the prefixes g, h, i ..., NULL-terminated.
 * The Action is that of the request with `Response` behind it. */
void envelope_begin(struct buf *b, struct device *device, const struct message *m,
                    const char *const *namespaces);
void envelope_end(struct buf *b);

/* Begins an event of CIM_AlertIndication up to and with <a:Body>; its elements have the prefix g, datetimes
 * h. headers: the subscriber's own, as XML. id: its MessageID comes back, ENVELOPE_ID_MAX bytes. (3.7) */
#define ENVELOPE_ID_MAX 64
void envelope_event(struct buf *b, struct device *device, bool ack, const char *headers, char *id);

/* A whole fault. */
void envelope_fault(struct buf *b, struct device *device, const struct message *m, enum soap_fault fault);
/* The whole answer to Identify. */
void envelope_identify(struct buf *b, const struct device *device, bool tls);

#endif
