/* What is done to a log away from the loop: closing segments (signing, compressing), signing the open one,
 * removing what is kept no longer. On a worker thread, one piece of work for a log at a time; each piece can
 * be broken off by sudden death at any point and is taken up again by the next. */
#ifndef AMTD_CONSOLE_KEEPER_H
#define AMTD_CONSOLE_KEEPER_H

#include <stdint.h>

#include "amtd/console/node_key.h"
#include "amtd/console/settings.h"
#include "base/buf.h"
#include "base/err.h"

struct keeper {
    const char *path; /* the log's directory */
    const char *name; /* the console's */
    const struct node_key *key;
    struct log_settings settings;
    int64_t now_ms; /* wall clock */
    /* What was seen of the blocks of the segment that begins at seen_first, while it was written (blocks.h).
     */
    struct buf seen;
    uint64_t seen_first;
};

/* Closed segments that were removed. */
struct keeper_gone {
    uint64_t segments, bytes; /* as they were on the disk */
};

/* Copies what a log file held that is not under its name any more, through the descriptor that is still open,
 * to FIRST.log. -1 and err. */
int keeper_rescue(const struct keeper *keeper, int fd, uint64_t first, uint64_t size, struct err *err);
/* Closes every FIRST.log there is: syncs it, adds its record to the chain, compresses it, removes the plain
 * one. Then removes what is kept no longer: *gone. -1 and err. */
int keeper_close(const struct keeper *keeper, struct keeper_gone *gone, struct err *err);
/* Only the latter, of a log that may not have been used in this life; nothing while a segment is to be
 * closed. */
int keeper_expire(const struct keeper *keeper, struct keeper_gone *gone, struct err *err);
/* Signs the open segment's bytes [first, end), which fd holds, and journal_end bytes of its journal; syncs
 * before. -1 and err. */
int keeper_sign(const struct keeper *keeper, int fd, uint64_t first, uint64_t end, uint64_t journal_end,
                struct err *err);

#endif
