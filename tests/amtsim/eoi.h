/* The SOAP interface of AMT 1 to 5 (EOI), by gSOAP's server side: from a document to a document. No I/O.
 * (reference eoi.md)
 *
 * gSOAP parses and writes; which operation is meant and what it does to the device stands in eoi_*.c, a
 * function for each operation as gSOAP wants it. They share the device's state with WS-Management. */
#ifndef AMTSIM_EOI_H
#define AMTSIM_EOI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "tests/amtsim/device.h"
#include "tests/amtsim/wsman.h"

/* Whether the path is one of this device's services, with or without a slash at its end. */
bool eoi_serves(const struct device *device, struct view path);

/* Appends the answer to the request `body` posted to path. realms: what the account that asks may do
 * (users.h). result.status is 200 (with a PT_STATUS within), 401 (the account lacks the service's realm) or
 * 500 (a SOAP fault: what came is no such request). */
struct wsman_result eoi_answer(struct device *device, struct view path, struct view body, uint32_t realms,
                               struct buf *out);

#endif
