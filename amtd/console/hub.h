/* The hub: all consoles of this daemon.
 *
 * It connects them without a stampede (so many attempts at a time, retries at a limited rate and scattered),
 * writes their logs in batches once a turn of the loop, and keeps their timers. Loop's thread only. */
#ifndef AMTD_CONSOLE_HUB_H
#define AMTD_CONSOLE_HUB_H

#include <stddef.h>
#include <uv.h>

#include "amtd/console/console.h"
#include "amtd/console/settings.h"
#include "amtd/console/source.h"
#include "base/clock.h"
#include "base/err.h"

struct hub;

struct hub_settings {
    const char *state_dir; /* logs go to STATE_DIR/consoles */
    size_t connects_max;   /* attempts under way at a time */
    size_t retries_per_s;  /* of all consoles together */
    size_t files_max;      /* descriptors of log files kept open */
};

/* Opens the node's key and the directory of the logs. NULL and err. */
struct hub *hub_new(uv_loop_t *loop, const struct clock *clock, const struct hub_settings *settings,
                    struct err *err);
/* Closes all links, writes all logs; freed calls back when everything is on its way to the disk. */
void hub_free(struct hub *hub, void (*freed)(void *arg), void *arg);

/* Makes a kind of source known; before the first console. The kind is copied. */
void hub_add_kind(struct hub *hub, const struct source_kind *kind);

/* Adds, changes and removes consoles so that these are there. Those whose settings stay the same are not
 * touched. -1 and err: the first console that could not be made; the others are there. */
int hub_configure(struct hub *hub, const struct console_settings *consoles, size_t count, struct err *err);

/* The console of that name. When there is none, `resolve` is asked once for its settings: that is how the
 * Serial-over-LAN console of a host comes into being on demand. NULL and err (not-found). */
struct console *hub_console(struct hub *hub, const char *name, struct err *err);
/* resolve fills settings (initialised; it owns what is put in) and returns 0, or -1 and err. */
void hub_set_resolver(struct hub *hub,
                      int (*resolve)(void *arg, const char *name, struct console_settings *settings,
                                     struct err *err),
                      void *arg);
/* The one that is there, without asking. NULL: none. */
struct console *hub_find(struct hub *hub, const char *name);
/* Every console, sorted by name. */
void hub_each(struct hub *hub, void (*each)(void *arg, struct console *console), void *arg);
size_t hub_count(const struct hub *hub);
/* A power action is done to a host: noted in the journals of its consoles. */
void hub_power(struct hub *hub, const char *host, const char *who, const char *text);
/* Closes the open segments of all logs (SIGUSR2). */
void hub_roll(struct hub *hub);

#endif
