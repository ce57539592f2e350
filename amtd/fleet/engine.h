/* The engine: all runs under way, and what they share. Loop's thread only. */
#ifndef AMTD_FLEET_ENGINE_H
#define AMTD_FLEET_ENGINE_H

#include "amtd/fleet/run.h"
#include "wsman/http.h"

struct engine;

/* dial_limit: TCP connections being opened at a time over all runs. All pointers are borrowed.
 * NULL and err (system). */
struct engine *engine_new(uv_loop_t *loop, struct store *store, struct http *http, const struct clock *clock,
                          size_t dial_limit, struct err *err);
/* For runs from now on; borrowed. */
void engine_set_guard(struct engine *engine, const struct session_guard *guard);
void engine_set_power_watch(struct engine *engine, const struct power_watch *watch);
void engine_set_log(struct engine *engine, const struct run_log *log);
/* Where hosts reach this server: addresses, blank-separated; borrowed. NULL: where it comes from when it goes
 * to them. */
void engine_set_management(struct engine *engine, const char *addresses);
/* Interrupts all runs; calls done(arg) from the loop when all is written down and handed to the store. The
 * engine frees itself after. */
void engine_stop(struct engine *engine, void (*done)(void *arg), void *arg);

/* Takes the order over. */
void engine_run(struct engine *engine, struct run_order *order, const struct run_watch *watch);
/* over(arg, order) is called when a run has ended and is written down, until off_over with the same arg. At
 * most ENGINE_LISTENERS. */
#define ENGINE_LISTENERS 4
void engine_on_over(struct engine *engine, void (*over)(void *arg, const struct run_order *order), void *arg);
void engine_off_over(struct engine *engine, void *arg);
/* Runs of jobs say so by themselves. */
void engine_tell_over(struct engine *engine, const struct run_order *order);
/* What runs work with; borrowed. */
const struct run_parts *engine_parts(const struct engine *engine);
struct active_run *engine_find(const struct engine *engine, int64_t run_id); /* NULL: not under way */
size_t engine_active(const struct engine *engine);

#endif
