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
#include "base/hash.h"

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
    uint8_t bytes[HASH_LEN];   /* of the blocks' digests (blocks.h) */
    uint8_t journal[HASH_LEN]; /* of the journal's first journal_end bytes */
    uint64_t journal_end;
    uint8_t index[HASH_LEN]; /* SEGMENT: of the time index */
    uint8_t previous[HASH_LEN];
    int64_t at_ms;
    char key[NODE_ID_LEN + 1];
};

/* Appends the record as a line, signed. record's `key` is set from the key. -1 and err. */
int chain_write(struct buf *out, struct chain_record *record, const struct node_key *key, struct err *err);
/* Reads a line without its end. *body is what was signed, borrowed from the line. -1 and err (bad-answer;
 * unsupported: it is a record, of which *body and signature are set, but with another hash than HASH_NAME:
 * written by another version). The signature is not checked: node_key_verify(key, body, signature). */
int chain_read(const char *line, size_t n, struct chain_record *record, struct view *body,
               uint8_t signature[NODE_SIGNATURE_LEN], struct err *err);
/* Reads a line without its end and checks whose it is. NULL: it is a record of that console, signed with that
 * key; else what is wrong with it, the end of a sentence. chain_foreign (this pointer): it is signed, but its
 * hash is another one, so that nothing can be proved by it. */
const char *chain_check(const char *line, size_t n, const char *console, const struct node_key *key,
                        struct chain_record *record);
extern const char chain_foreign[];
/* Fills err (unsupported) for a log with such a line; file: where. Returns -1. */
int chain_refuse(const char *file, struct err *err);
/* The last line of a file of lines; what follows the last line end does not count. An empty buffer: there is
 * none. -1 and err (system). */
int chain_last_line(const char *path, struct buf *line, struct err *err);

/* The digest of a whole small file; an absent one counts as empty. limit: only its first bytes; -1 and err
 * when it has fewer. */
int chain_hash_file(const char *path, const uint64_t *limit, uint8_t sum[HASH_LEN], uint64_t *size,
                    struct err *err);

#endif
