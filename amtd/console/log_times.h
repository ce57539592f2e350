/* Times and events of a log, from its files: at which offset a time begins, when a byte came, what the
 * journals say. What the files say is untrusted. Any thread, one at a time per object. */
#ifndef AMTD_CONSOLE_LOG_TIMES_H
#define AMTD_CONSOLE_LOG_TIMES_H

#include <stdbool.h>
#include <stdint.h>

#include "amtd/console/journal.h"
#include "base/err.h"

struct log_times;

/* path: the log's directory. NULL and err. */
struct log_times *log_times_new(const char *path, struct err *err);
void log_times_free(struct log_times *times); /* NULL is fine */

/* The first offset that was written at or after that time; `end` when there is none. */
uint64_t log_times_offset(struct log_times *times, int64_t at_ms, uint64_t end);
/* When the byte at that offset was written, to a second or so; 0: not known. */
int64_t log_times_at(struct log_times *times, uint64_t offset);
/* Every entry of the journals, oldest first; returning false ends it. Lines that are no entries are passed
 * over. */
void log_times_events(struct log_times *times, bool (*each)(void *arg, const struct journal_entry *entry),
                      void *arg);
/* Where the last boot but `back` begins: a power action or a boot seen by other means; those within a minute
 * of one another are one. False: there is none. */
bool log_times_boot(struct log_times *times, size_t back, uint64_t *offset);

#endif
