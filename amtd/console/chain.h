/* The hash chain of a log: one signed line for each segment closed or removed, each naming the hash of the
 * line before (docs/console-log.md). Lines that are read back are untrusted. Any thread. */
#ifndef AMTD_CONSOLE_CHAIN_H
#define AMTD_CONSOLE_CHAIN_H

#include <stddef.h>
#include <stdint.h>

#include "amtd/console/node_key.h"
#include "amtd/console/settings.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

#define CHAIN_DIGEST   32          /* SHA-256 */
#define CHAIN_BLOCK    (64 * 1024) /* of a segment, with a digest of its own */
#define CHAIN_LINE_MAX 2048

enum chain_kind {
    CHAIN_SEGMENT, /* a closed segment */
    CHAIN_EXPIRED, /* everything in front of `end` was removed, by the rules of keeping */
    CHAIN_OPEN,    /* the open segment so far */
    CHAIN_KINDS,
};

struct chain_record {
    enum chain_kind kind;
    char console[CONSOLE_NAME_MAX + 1];
    uint64_t first, end;
    uint8_t sha256[CHAIN_DIGEST];  /* of the blocks' digests */
    uint8_t journal[CHAIN_DIGEST]; /* of the journal's first journal_end bytes */
    uint64_t journal_end;
    uint8_t index[CHAIN_DIGEST]; /* SEGMENT: of the time index */
    uint8_t previous[CHAIN_DIGEST];
    int64_t at_ms;
    char key[NODE_ID_LEN + 1];
};

/* Appends the record as a line, signed. record's `key` is set from the key. -1 and err. */
int chain_write(struct buf *out, struct chain_record *record, const struct node_key *key, struct err *err);
/* Reads a line without its end. *body is what was signed, borrowed from the line. -1 and err (bad-answer).
 * The signature is not checked: node_key_verify(key, body, signature). */
int chain_read(const char *line, size_t n, struct chain_record *record, struct view *body,
               uint8_t signature[NODE_SIGNATURE_LEN], struct err *err);
/* What the next record calls `previous`. */
void chain_digest(const void *p, size_t n, uint8_t digest[CHAIN_DIGEST]);
/* The last line of a file of lines; what follows the last line end does not count. An empty buffer: there is
 * none. -1 and err (system). */
int chain_last_line(const char *path, struct buf *line, struct err *err);

/* The digests of the blocks of fd's first `size` bytes. `digests` holds those of the first blocks already, as
 * many as there are; those of the whole blocks are added, and *sum is the digest of all, with that of a last
 * block that is not whole. -1 and err (system: also when the file is shorter). */
int chain_hash(int fd, uint64_t size, struct buf *digests, uint8_t sum[CHAIN_DIGEST], struct err *err);
/* The digest of a whole small file; an absent one counts as empty. limit: only its first bytes; -1 and err
 * when it has fewer. */
int chain_hash_file(const char *path, const uint64_t *limit, uint8_t sum[CHAIN_DIGEST], uint64_t *size,
                    struct err *err);

#endif
