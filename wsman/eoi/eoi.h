/* Devices that speak the SOAP interface of AMT 1 to 5 (EOI) instead of WS-Management: this is where the two
 * meet. (reference eoi.md, docs/eoi.md)
 *
 * Services and sequences know one world: instances and methods of AMT's classes. For a device of those
 * generations a call is not written as WS-Management; it is put as the operations of the SOAP interface that
 * mean the same, and their answers are shown as the instances that were asked for. A class that has no
 * counterpart is absent, as it is from WS-Management firmware that is too old for it (wsman_fault_is_absent).
 * So no operation knows the difference. No I/O here: the runner (runner.h) posts the bodies. */
#ifndef WSMAN_EOI_EOI_H
#define WSMAN_EOI_EOI_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "wsman/call.h"

/* One sequence on one device: what belongs together there of calls that are apart here, like boot options and
 * the command that takes them. */
struct eoi;

struct eoi *eoi_new(void);
void eoi_free(struct eoi *eoi); /* NULL is fine */

enum eoi_progress {
    EOI_FAILED = -1, /* err says why; unsupported and wsman_fault_is_absent: there is no counterpart */
    EOI_FINISHED = 0,
    EOI_SEND = 1, /* POST eoi_body to eoi_path */
};

/* Begins the call (borrowed until it is over), which then has its result or wants something to be sent. */
enum eoi_progress eoi_begin(struct eoi *eoi, struct wsman_call *call, struct err *err);
/* The same for what waits at the end of a sequence: boot options that no power command has taken along. They
 * go to the device as a command of their own. FINISHED: nothing waits. */
enum eoi_progress eoi_end(struct eoi *eoi, struct err *err);

/* After EOI_SEND; borrowed until the answer is fed. */
const struct buf *eoi_body(const struct eoi *eoi);
const char *eoi_path(const struct eoi *eoi);
/* The device's answer to it. */
enum eoi_progress eoi_answer(struct eoi *eoi, int http_status, const void *p, size_t n, struct err *err);

#endif
