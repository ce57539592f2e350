/* What proves a log besides its bytes (times, journals, the signed chain: docs/console-log.md), on its way
 * from a log to a replica of it, and as the replica keeps it: in the directory `origin` of the replica's own
 * log. What a replica of a replica gets is what the first one keeps, so it is always the first node that is
 * proved.
 *
 * Small pieces of small files; loop's thread. */
#ifndef AMTD_CONSOLE_PROOF_H
#define AMTD_CONSOLE_PROOF_H

#include <stdbool.h>
#include <stdint.h>

#include "amtd/console/lives.h"
#include "amtd/console/node_key.h"
#include "amtd/console/settings.h"
#include "base/buf.h"
#include "base/err.h"

#define PROOF_PIECE_MAX 32768

enum proof_file { PROOF_JOURNAL, PROOF_INDEX, PROOF_CHAIN, PROOF_SIGNATURE, PROOF_FILES };

/* How far the replica is. */
struct proof_place {
    uint64_t segment;        /* first offset of the segment whose journal and times come next */
    uint64_t journal, index; /* bytes of these */
    uint64_t chain;          /* bytes of the chain */
};

/* Whose log it is. */
struct origin {
    char console[CONSOLE_NAME_MAX + 1];
    uint8_t key[NODE_PUBLIC_LEN];
    uint64_t from; /* what is in front of it is of an earlier history, and proved elsewhere */
};
/* Of the log in that directory: of another node when it is a replica (1), else of this one, with that name
 * and key (0; own NULL: without). -1 and err: it is a replica, but of whom cannot be read. */
int origin_of(const char *path, const char *name, const struct node_key *own, struct origin *origin,
              struct err *err);
/* That in a directory `origin` or one that was put aside. -1 and err. */
int origin_read(const char *directory, struct origin *origin, struct err *err);
/* The id of its key, as in the chain. */
void origin_id(const struct origin *origin, char id[NODE_ID_LEN + 1]);

/* --- from a log --- */

struct proof_reader;

/* path: the log's directory. */
struct proof_reader *proof_reader_new(const char *path, const struct proof_place *place);
void proof_reader_free(struct proof_reader *reader); /* NULL is fine */
struct proof_piece {
    enum proof_file file;
    uint64_t segment;  /* of JOURNAL and INDEX */
    uint64_t position; /* in the file; 0 begins it anew */
};
/* The next piece, of at most PROOF_PIECE_MAX bytes, into `bytes` (which is emptied). Signatures come behind
 * all that they cover: sent is the offset to which the bytes of the log have gone. False: there is nothing
 * now. */
bool proof_reader_next(struct proof_reader *reader, uint64_t sent, struct proof_piece *piece,
                       struct buf *bytes);

/* --- to a replica --- */

/* What the replica in that directory has. */
void proof_place_read(const char *path, struct proof_place *place);
/* From now on it is a replica of that log. When it was one of another log, or of an earlier history of it,
 * what proves that is put aside under `origin-until-OFFSET` and *changed set. -1 and err. */
int proof_begin(const char *path, const struct origin *origin, uint64_t offset, bool *changed,
                struct err *err);
/* Whose lives (lives.h) its bytes come from, as the node told last. Reading: an empty list when there is
 * none. -1 and err. */
int proof_lives_read(const char *path, struct lives *lives, struct err *err);
int proof_lives_write(const char *path, const struct lives *lives, struct err *err);
/* Keeps a piece that came. -1 and err: it does not fit to what is there (protocol), or system. */
int proof_add(const char *path, const struct proof_piece *piece, const void *p, size_t n, struct err *err);

#endif
