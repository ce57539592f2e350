/* Discovery: sweeps as they are ordered, watched, kept in the store and gone on with after amtd has ended;
 * and what becomes of what they find. Loop's thread only. */
#ifndef AMTD_DISCOVER_DISCOVERY_H
#define AMTD_DISCOVER_DISCOVERY_H

#include <jansson.h>

#include "amtd/discover/sweep.h"
#include "amtd/fleet/engine.h"
#include "amtd/store/event.h"
#include "amtd/store/store.h"

struct discovery;
struct active_sweep;

/* What the parts of a discovery are; borrowed, outlive it. */
struct discovery_parts {
    uv_loop_t *loop;
    struct store *store;
    struct engine *engine;
    struct events *events;
    struct http *http;
    const struct clock *clock;
};

struct discovery_order { /* owned */
    int64_t resume; /* go on with this sweep, -1: the newest one; its own words and settings hold. 0: new */
    json_t *words;  /* array of strings (addrset.h) */
    struct sweep_settings settings;
    bool add;      /* what is AMT becomes part of the fleet */
    char *profile; /* add: log in with this one; NULL: with those there are, in their order */
    json_t *tags;  /* add: object of strings, or NULL */
    char *who;
};
void discovery_order_clear(struct discovery_order *order);
/* What to go through and how, out of a JSON object whose members have their types: fills words, settings,
 * add, profile, tags. -1 and err (invalid-argument). */
int discovery_order_read(const json_t *params, struct discovery_order *order, struct err *err);
/* Limits that are not said: modest, so that nobody takes it for an attack. */
struct sweep_settings discovery_settings(void);

/* What the one who ordered hears, from the loop. Events and the reply (docs/api.md, discover.start) are
 * borrowed. After over nothing more is called. */
struct discovery_watch {
    void *arg;
    void (*event)(void *arg, json_t *event);
    void (*over)(void *arg, json_t *reply, const struct err *failure);
};

/* NULL and err (system). */
struct discovery *discovery_new(const struct discovery_parts *parts, struct err *err);
/* Ends all sweeps where they are; they can be gone on with. Frees later, from the loop, when all is written
 * down. NULL is fine. */
void discovery_free(struct discovery *discovery);

/* Takes the order over. */
struct active_sweep *discovery_start(struct discovery *discovery, struct discovery_order *order,
                                     const struct discovery_watch *watch);
/* The watcher goes; the sweep goes on. */
void discovery_unwatch(struct active_sweep *sweep);
/* Stops a sweep where it is: it ends with what it has found so far, and can be gone on with. False: it is not
 * under way. */
bool discovery_cancel(struct discovery *discovery, int64_t id);
bool discovery_runs(const struct discovery *discovery, int64_t id);
size_t discovery_active(const struct discovery *discovery);

#endif
