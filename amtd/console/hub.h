/* The hub: all consoles of this daemon.
 *
 * It connects them without a stampede (so many attempts at a time, retries at a limited rate and scattered),
 * writes their logs in batches once a turn of the loop, and keeps their timers. Loop's thread only. */
#ifndef AMTD_CONSOLE_HUB_H
#define AMTD_CONSOLE_HUB_H

#include <stddef.h>
#include <uv.h>

#include "amtd/console/console.h"
#include "amtd/console/keeper.h"
#include "amtd/console/node_key.h"
#include "amtd/console/settings.h"
#include "amtd/console/source.h"
#include "amtd/console/watcher.h"
#include "base/clock.h"
#include "base/err.h"

struct hub;

struct hub_settings {
    const char *state_dir; /* logs go to STATE_DIR/consoles */
    size_t connects_max;   /* attempts under way at a time */
    size_t retries_per_s;  /* of all consoles together */
    size_t files_max;      /* descriptors of log files kept open */
    int64_t sync_ms;       /* what is older in the logs survives power loss; 0: left to the system */
};

/* Opens the node's key and the directory of the logs. NULL and err. */
struct hub *hub_new(uv_loop_t *loop, const struct clock *clock, const struct hub_settings *settings,
                    struct err *err);
/* Closes all links, writes all logs; freed calls back when everything is on its way to the disk. */
void hub_free(struct hub *hub, void (*freed)(void *arg), void *arg);

/* Makes a kind of source known; before the first console. The kind is copied. */
void hub_add_kind(struct hub *hub, const struct source_kind *kind);

/* Patterns to watch for on all consoles from now on, NULL: none. Taken over; the one before is freed. Links
 * and attachments are not touched. */
void hub_watch(struct hub *hub, struct watcher *watcher);
const struct watcher *hub_watcher(const struct hub *hub);

/* Adds, changes and removes consoles so that these are there. Those whose settings stay the same are not
 * touched. -1 and err: the first console that could not be made; the others are there. */
int hub_configure(struct hub *hub, const struct console_settings *consoles, size_t count, struct err *err);

/* The console of that name. NULL: there is none. */
struct console *hub_find(struct hub *hub, const char *name);
/* Adds one that is not in the configuration: the Serial-over-LAN console of a host, made on demand. The one
 * that is there already when there is one of that name. NULL and err. */
struct console *hub_add(struct hub *hub, const struct console_settings *settings, struct err *err);
/* The console of that name; where none has it, the host's Serial-over-LAN, made on demand. NULL and err. */
struct console *hub_host_console(struct hub *hub, const char *host, struct err *err);
/* Hears of everything that happens at any console, until hub_unlisten; also from inside its own call. The
 * struct is the caller's. */
struct hub_listener {
    void (*event)(void *arg, struct console *console, const struct console_event *event);
    /* All consoles together passed a mark; text: how. NULL: no need to know. */
    void (*activity)(void *arg, enum traffic_state state, const char *text);
    void *arg;
    struct hub_listener *prev, *next;
};
void hub_listen(struct hub *hub, struct hub_listener *listener);
void hub_unlisten(struct hub *hub, struct hub_listener *listener);
/* The marks for what all consoles print together. */
void hub_set_marks(struct hub *hub, const struct traffic_marks *marks);
int64_t hub_rate(const struct hub *hub); /* of all together, bytes a second */
/* Work for another thread (reading logs): run is called there, then done on the loop's thread. The hub's end
 * waits for it. */
void hub_work(struct hub *hub, void (*run)(void *job), void (*done)(void *job), void *job);
const struct node_key *hub_key(const struct hub *hub);
/* Every console, sorted by name. */
void hub_each(struct hub *hub, void (*each)(void *arg, struct console *console), void *arg);
size_t hub_count(const struct hub *hub);
/* Grows whenever consoles come and go, or what is known of them for others (hub_changed). */
uint64_t hub_generation(const struct hub *hub);
void hub_changed(struct hub *hub);
/* A power action is done to a host: noted in the journals of its consoles. */
void hub_power(struct hub *hub, const char *host, const char *who, const char *text);
/* Closes the open segments of all logs (SIGUSR2). */
void hub_roll(struct hub *hub);
/* All logs give up what is kept no longer (clog_expire), by and by; hub_gone: what they did since it was
 * asked last. */
void hub_expire(struct hub *hub);
struct keeper_gone hub_gone(struct hub *hub);

#endif
