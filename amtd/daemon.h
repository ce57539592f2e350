/* The daemon: its parts, and the order in which they begin and end. */
#ifndef AMTD_DAEMON_H
#define AMTD_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "amtd/config.h"
#include "amtd/console/hub.h"
#include "amtd/discover/discovery.h"
#include "amtd/fleet/engine.h"
#include "amtd/jobs/jobs.h"
#include "amtd/jobs/schedules.h"
#include "amtd/net/stream.h"
#include "amtd/reactions/mailer.h"
#include "amtd/redirect/redirect.h"
#include "amtd/store/event.h"
#include "amtd/store/store.h"
#include "base/err.h"

struct daemon;

/* Takes the state directory (made when missing), locks it, opens key and store, finishes what an earlier amtd
 * left behind, and listens. NULL and err: state-dir-locked names the other one. config is
 * borrowed, and follows what is read again. */
struct daemon *daemon_start(struct config *config, struct err *err);
/* Runs until SIGTERM, SIGINT, daemon_stop or, when private, long idleness. Frees everything. Returns the exit
 * code. */
int daemon_run(struct daemon *daemon);
void daemon_stop(struct daemon *daemon);
/* Reads the configuration again and follows it as far as docs/amtd.yaml.5 says; what stays the same is not
 * touched. 0: the names of options that changed and count from the next start on are appended to `later`. -1:
 * every mistake is appended to `mistakes`, one a line, and all stays as it is. */
int daemon_reload(struct daemon *daemon, struct buf *mistakes, struct buf *later);

/* A grant was added, or taken away. */
void daemon_granted(struct daemon *daemon);
void daemon_revoked(struct daemon *daemon, const struct grant *grant);
/* Hosts or collections may have changed, and so what others may. */
void daemon_rights_moved(struct daemon *daemon);

struct engine *daemon_engine(const struct daemon *daemon);
/* Connections other than those of runs: consoles, redirection. */
struct denials *daemon_denials(const struct daemon *daemon);      /* NULL: it ends */
struct syslog_export *daemon_syslog(const struct daemon *daemon); /* NULL: nothing goes there */
struct hub *daemon_hub(const struct daemon *daemon);
struct mailer *daemon_mailer(const struct daemon *daemon);
struct streams *daemon_streams(const struct daemon *daemon);
struct redirect *daemon_redirect(const struct daemon *daemon);
struct events *daemon_events(const struct daemon *daemon);
struct purges *daemon_purges(const struct daemon *daemon); /* NULL while amtd ends */
struct discovery *daemon_discovery(const struct daemon *daemon);
/* This node's server says which consoles there are to be, besides the own ones. -1: mistakes were appended.
 */
#define DAEMON_PUSHED_MAX (4 * 1024 * 1024)
int daemon_push(struct daemon *daemon, const void *p, size_t n, struct buf *mistakes);
struct peers;
struct server;
struct peers *daemon_peers(const struct daemon *daemon);
struct nodes;
struct uplinks;
struct nodes *daemon_nodes(const struct daemon *daemon);
struct uplinks *daemon_uplinks(const struct daemon *daemon);
struct server *daemon_server(const struct daemon *daemon);
struct jobs *daemon_jobs(const struct daemon *daemon);
struct schedules *daemon_schedules(const struct daemon *daemon); /* NULL while amtd ends */
struct store *daemon_store(const struct daemon *daemon);
const struct config *daemon_config(const struct daemon *daemon);
int64_t daemon_started_ms(const struct daemon *daemon);

#endif
