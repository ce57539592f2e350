/* Events of logs that were not used yet: what happens to the links of thousands of consoles while nobody
 * looks at any of them, above all that they come up when amtd starts. Each log's journal is made when the log
 * is used, or by and by; until then its events stand in one file for all, in one write for each turn of the
 * loop, so that sudden death loses none of them.
 *
 * A line of the file is an event, "AT NAME KIND" and text where there is one, with AT in ms (wall clock); or
 * "- NAME": what stands before of that log is in its journal now. The file goes when no log has events in it
 * any more. What is read back is untrusted. Loop's thread only. */
#ifndef AMTD_CONSOLE_SPOOL_H
#define AMTD_CONSOLE_SPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "amtd/console/journal.h"
#include "base/err.h"

struct spool;

struct spooled {
    int64_t at_ms; /* wall clock */
    enum journal_kind kind;
    char *text; /* NULL: none */
    struct spooled *next;
};

/* Reads what an earlier life left in that file, and what it says no more of goes from the file. */
struct spool *spool_new(const char *path);
void spool_free(struct spool *spool); /* NULL is fine */

/* What an earlier life left of that log, oldest first; NULL: nothing. The caller's from now on, as if added
 * now. */
struct spooled *spool_take(struct spool *spool, const char *name);
/* Adds an event to the file, with the next spool_write, and to the end of the caller's list. */
void spool_add(struct spool *spool, const char *name, struct spooled **list, int64_t at_ms,
               enum journal_kind kind, const char *text);
/* So many events of that log, which are all it has, are in its journal. */
void spool_moved(struct spool *spool, const char *name, size_t count);
/* Brings the file up to date: to be called at the end of a turn of the loop. When the disk refuses, that is
 * said, and the events are in memory only. */
void spool_write(struct spool *spool);

void spooled_free(struct spooled *list); /* NULL is fine */
/* One line of the file, without its end: DECODE_DONE, an event (text points into the line and is not ended);
 * DECODE_MORE, a mark; DECODE_BAD. name has room for CONSOLE_NAME_MAX + 1. */
enum spool_line { SPOOL_EVENT, SPOOL_MARK, SPOOL_NONSENSE };
enum spool_line spool_read(const char *line, size_t n, char *name, struct journal_entry *entry);

#endif
