/* Addresses of host names, looked up beside the loop, each name once for all who wait for it. Loop's thread
 * only. */
#ifndef AMTD_FLEET_HOST_NAMES_H
#define AMTD_FLEET_HOST_NAMES_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "base/err.h"

struct host_names;

/* Somebody who waits; his memory, zeroed before. done(arg) once, maybe from inside host_names_look. */
struct host_names_wait {
    void (*done)(void *arg);
    void *arg;
    bool waits;
    struct host_names_wait *prev, *next;
};

struct host_names *host_names_new(void);
/* Lookups under way end by themselves; whoever waits hears nothing. NULL is fine. */
void host_names_free(struct host_names *names);

/* All addresses of the name, parted by blanks; borrowed. NULL with name-unknown when it has none, or is not
 * known yet: then it is looked up by the next host_names_look. */
const char *host_names_get(struct host_names *names, const char *name, struct err *err);
/* A name was asked for that is not known yet. */
bool host_names_lack(const struct host_names *names);
/* Looks up what was asked for. The wait ends when all of it is known, with addresses or without. */
void host_names_look(struct host_names *names, uv_loop_t *loop, struct host_names_wait *wait);
/* Waits no longer; fine when he does not. */
void host_names_leave(struct host_names *names, struct host_names_wait *wait);

/* {name: "addresses"} of those that have some; caller's. */
json_t *host_names_json(const struct host_names *names);

#endif
