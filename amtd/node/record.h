/* Records on a channel of the kind `replica` (docs/mux.md): what a node says of a console, and what its
 * server does to it. Decoders of bytes from outside; no I/O. */
#ifndef AMTD_NODE_RECORD_H
#define AMTD_NODE_RECORD_H

#include <stdint.h>

#include "amtd/console/proof.h"
#include "base/buf.h"
#include "base/bytes.h"

enum record_type {
    /* from the node */
    RECORD_ORIGIN = 1, /* JSON: whose log it is; first of all */
    RECORD_BYTES = 2,  /* bytes of the log */
    RECORD_STATE = 3,  /* JSON: how the console is there */
    RECORD_PROOF = 4,  /* a piece of what proves the log */
    /* from the server */
    RECORD_TYPED = 16,
    RECORD_LEASE = 17,  /* JSON: who wants the lease, or nobody */
    RECORD_DEMAND = 18, /* 1 byte: somebody is attached, or nobody */
    RECORD_BREAK = 19,  /* JSON: who */
};

#define RECORD_HEAD       4
#define RECORD_BYTES_HEAD 16
#define RECORD_MAX        (64 * 1024 + RECORD_BYTES_HEAD) /* payload */

struct record {
    uint8_t type;
    struct view payload;
};

/* The head of a record with a payload of n bytes, which follows. */
void record_head(struct buf *out, enum record_type type, size_t n);
/* Takes a record from the front. DONE: r is behind it; payload is borrowed. */
enum decode record_take(struct rd *r, struct record *record);

/* Heads of payloads. -1: it is too short, or makes no sense. */
void record_bytes_write(struct buf *out, uint64_t offset, int64_t at_ms, size_t n);
int record_bytes_read(struct view payload, uint64_t *offset, int64_t *at_ms, struct view *bytes);
void record_proof_write(struct buf *out, const struct proof_piece *piece, const struct buf *bytes);
int record_proof_read(struct view payload, struct proof_piece *piece, struct view *bytes);

#endif
