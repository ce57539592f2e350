/* What amtd does by itself, for the activity log: nobody called it, and somebody will ask. Loop's thread. */
#ifndef AMTD_OWN_DEEDS_H
#define AMTD_OWN_DEEDS_H

#include "amtd/fleet/run.h"
#include "base/buf.h"

struct daemon;

/* Runs that began by themselves: of reactions, of filters that undo themselves, ... */
void own_deeds_of_runs(struct run_log *log, struct daemon *daemon);
/* It has begun with this configuration, which also says who may do what: the file, and the SHA-256 of what it
 * and its conf.d hold. Nothing without a configuration. */
void own_deed_started(struct daemon *daemon);
/* By a signal: the configuration was read again, or not because of its mistakes. */
void own_deed_reloaded(struct daemon *daemon, const struct buf *mistakes);
void own_deed_stopped(struct daemon *daemon, int signal);

#endif
