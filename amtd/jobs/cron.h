/* Times by a cron expression in a time zone, or by an interval, within a window of the day. By libical, whose
 * recurrence rules and zones know about leap days and clocks that are put forward and back. Loop's thread
 * only; no state.
 *
 *   minute hour day-of-month month day-of-week, each "*", "5", "1-5", "*" "/15", "1-30/2", or several by ','.
 *   Months and days of the week also by their first three letters; Sunday is 0 or 7. When both days are
 *   given, either is enough. "@hourly", "@daily", "@weekly", "@monthly", "@yearly" stand for the usual ones.
 *
 * A time that a clock put forward leaves out comes as much later as the clock was put forward; of one that
 * comes twice the first counts. */
#ifndef AMTD_JOBS_CRON_H
#define AMTD_JOBS_CRON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CRON_TEXT_MAX 200

struct cron;

/* zone: "Europe/Berlin", "UTC". NULL and err (invalid-argument): what was expected, or that no such time ever
 * comes. */
struct cron *cron_parse(const char *text, const char *zone, struct err *err);
/* The same times apart, from `from_ms` (wall clock) on. every_ms is at least 1000. */
struct cron *cron_every(int64_t every_ms, int64_t from_ms, const char *zone, struct err *err);
/* "22:00-06:00": times outside do not count. 0, or -1 and err. */
int cron_set_window(struct cron *cron, const char *window, struct err *err);
/* Whether that moment (wall clock, milliseconds) is within the window; without one all are. */
bool cron_is_within(const struct cron *cron, int64_t at_ms);
void cron_free(struct cron *cron); /* NULL is fine */

/* The first time after that one; both are wall clock, milliseconds. 0: there is none for ten years. */
int64_t cron_next(const struct cron *cron, int64_t after_ms);

/* The zone of this machine. */
const char *cron_local_zone(char *out, size_t size);

#endif
