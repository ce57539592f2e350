/* Messages of the SOAP interface (EOI): structures to text and back. gSOAP does it over memory; it opens no
 * socket, and neither DTD nor entities, references or unlimited depth are read. (reference eoi.md, chapter 1)
 *
 * The structures are those that gSOAP generates from services: struct _rci__RemoteControl and so on. */
#ifndef WSMAN_EOI_WIRE_H
#define WSMAN_EOI_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum eoi_op {
#define EOI_SERVICE(prefix, path, uri)
#define EOI_OP(prefix, name) EOI_##name,
#include "wsman/eoi/ops.def"
#undef EOI_SERVICE
#undef EOI_OP
    EOI_OPS,
    EOI_LOCAL = EOI_OPS, /* nothing is asked */
};

#define EOI_MESSAGE_MAX 50000 /* bytes of a request */

const char *eoi_op_name(enum eoi_op op);
const char *eoi_op_path(enum eoi_op op); /* where it is posted to */
const char *eoi_op_service(enum eoi_op op);
size_t eoi_in_size(enum eoi_op op);

/* Appends the request: `in` is its structure. limit-exceeded beyond out's cap. */
int eoi_write(enum eoi_op op, const void *in, struct buf *out, struct err *err);

/* An answer that was read. */
struct eoi_reading;
/* NULL and err: bad-answer (no such answer, no Status, a DTD), too-large (depth, length, number of elements),
 * fault (a SOAP fault, with its code and words), or what the HTTP status says. */
struct eoi_reading *eoi_read(enum eoi_op op, int http_status, const void *p, size_t n, struct err *err);
void eoi_reading_free(struct eoi_reading *reading);             /* NULL is fine */
const void *eoi_reading_out(const struct eoi_reading *reading); /* the answer's structure; borrowed */
uint32_t eoi_reading_status(const struct eoi_reading *reading); /* PT_STATUS */

#endif
