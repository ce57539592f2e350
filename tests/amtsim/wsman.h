/* Answers WS-Management requests: from a SOAP document to a SOAP document. No I/O.
 * (reference wsman.md, sections 2 and 6) */
#ifndef AMTSIM_WSMAN_H
#define AMTSIM_WSMAN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "tests/amtsim/device.h"

struct wsman_result {
    int status;             /* HTTP: 200, 400, 500 */
    bool lost;              /* a fault has it lost on the way: nothing was carried out or is answered */
    bool acted;             /* a method, Put, Create or Delete was carried out */
    const char *class_name; /* of the table, or NULL; static */
    const char *method;     /* of the table, or NULL; static */
};

/* Appends the answer to the request `body` to out. realms: what the account that asks may do (users.h). */
struct wsman_result wsman_answer(struct device *device, struct view body, bool tls, uint32_t realms,
                                 struct buf *out);

#endif
