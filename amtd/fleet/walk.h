/* The doctor's walk: what can be seen of the way to a host without credentials: its name, its ports, TLS, and
 * whether AMT answers. Loop's thread only. */
#ifndef AMTD_FLEET_WALK_H
#define AMTD_FLEET_WALK_H

#include <jansson.h>

#include "amtd/fleet/run.h"

struct walk;

/* checks: [{check, result: "ok"|"warn"|"fail"|"skip", finding, hint?}], owned by the callee. failure: the way
 * ends here (nothing to log in to), or NULL. Called once, never from inside walk_start. */
typedef void walk_done(void *arg, json_t *checks, const struct err *failure);

/* host is borrowed for the time of the walk. profile: the first that is going to log in, whose port is the
 * one to look at, or NULL. timeout_ms holds for each connection. */
struct walk *walk_start(const struct run_parts *parts, struct http *http, const struct host *host,
                        const struct profile *profile, int64_t timeout_ms, walk_done *done, void *arg);
/* Ends it without calling back; NULL is fine. */
void walk_cancel(struct walk *walk);

/* Appends a check. finding and hint are copied; hint may be NULL. */
void check_add(json_t *checks, const char *check, const char *result, const char *finding, const char *hint);

#endif
