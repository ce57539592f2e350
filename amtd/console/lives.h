/* Who wrote which part of a log: a list of the lives of the amtd that keeps it, each with the first offset
 * that it wrote (docs/console-log.md). One machine that only goes forward has the lives that its replicas
 * know. One that was put back to an older state has forgotten some, and writes offsets again that its
 * replicas have other bytes for: then the lists differ, and say from which offset on.
 *
 * Plain data, no I/O. Text that is read is untrusted. */
#ifndef AMTD_CONSOLE_LIVES_H
#define AMTD_CONSOLE_LIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define LIFE_ID_LEN    16
#define LIVES_MAX      512         /* those before are forgotten */
#define LIVES_TEXT_MAX (32 * 1024) /* bytes of a list as text */

/* A new history begins at a multiple of this: behind whatever anybody has of an older one. */
#define HISTORY_STEP ((uint64_t)1 << 40)

struct life {
    uint64_t first;
    char id[LIFE_ID_LEN + 1];
    bool history; /* a new history begins with it */
};

/* In the order of their first offsets, of which no two are the same. */
struct lives {
    struct life *all;
    size_t count;
};

void lives_clear(struct lives *lives);
/* Reads `FIRST ID` or `FIRST ID history`, one a line. -1 and err (bad-answer); then it is empty. */
int lives_read(struct lives *lives, const char *text, size_t n, struct err *err);
/* The same of a file to which lives were added one by one: each takes the place of those before it that begin
 * where it does or behind, as with lives_add. A last line that is not whole (sudden death) is passed by. */
int lives_read_added(struct lives *lives, const char *text, size_t n, struct err *err);
void lives_write(const struct lives *lives, struct buf *out);
/* One more, with an id of its own, which takes the place of those that begin at `first` or behind: they wrote
 * nothing. -1 and err (system). */
int lives_add(struct lives *lives, uint64_t first, bool history, struct err *err);
/* A replica has bytes up to `upto`, which came from `theirs`. Returns the first offset whose byte may be
 * another one in the log of `ours`; upto: there is none. */
uint64_t lives_differ(const struct lives *ours, const struct lives *theirs, uint64_t upto);
/* Where the first history begins that has no offset before `offset`; 0: there is none. */
uint64_t lives_history(const struct lives *lives, uint64_t offset);
/* Does a history begin there? */
bool lives_begins(const struct lives *lives, uint64_t offset);

#endif
