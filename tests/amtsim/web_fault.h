/* The faults of a scenario that show in HTTP answers. No I/O. */
#ifndef AMTSIM_WEB_FAULT_H
#define AMTSIM_WEB_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "tests/amtsim/device.h"
#include "tests/amtsim/web.h"
#include "tests/amtsim/wsman.h"

#define WEB_CUT_HEADER                                                                                       \
    (SIZE_MAX - 1) /* in the middle of the header, or of the body: known when it is written */
#define WEB_CUT_BODY SIZE_MAX

/* Faults that take the place of any answer; true: *out (perhaps empty) is what there is. */
bool web_fault_instead(struct device *device, struct web_verdict *verdict, struct buf *out);
/* Faults between a good login and the request being carried out; true: it is not carried out, nothing is
 * sent. */
bool web_fault_before(struct device *device, struct web_verdict *verdict);
/* Faults of the answer, which may change the document. */
void web_fault_after(struct device *device, const struct wsman_result *result, struct buf *body,
                     struct web_verdict *verdict);

#endif
