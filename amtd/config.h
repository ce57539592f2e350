/* The configuration of amtd: command line over file over defaults. The file is YAML (docs/amtd.yaml.5); it is
 * checked whole, and every mistake is reported with line and column. */
#ifndef AMTD_CONFIG_H
#define AMTD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "amtd/alerts/alert_settings.h"
#include "amtd/console/settings.h"
#include "amtd/console/watcher.h"
#include "amtd/fleet/event.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

struct config_allow {
    char *user; /* one of the two */
    char *group;
    int role; /* enum api_role */
};

struct config {
    char *state_dir;
    char *socket;   /* NULL in a file: STATE_DIR/amtd.sock */
    char *key_file; /* NULL: STATE_DIR/key, made when missing */
    int log_level;  /* enum log_level */
    char *log_file; /* NULL: stderr only */
    char
        *management; /* where hosts reach this server: addresses, blank-separated; NULL: as it reaches them */
    int64_t dial_limit;      /* TCP connections being opened at a time */
    int64_t private_idle_ms; /* a private amtd ends after so long without clients and runs */
    struct config_allow *allow;
    size_t allow_count;
    bool is_private;
    char *path; /* of the file that was read last, absolute; NULL: none */
    struct console_settings *consoles;
    size_t console_count;
    struct watched_pattern *patterns;
    size_t pattern_count;
    struct event_limits events;
    struct alert_settings alerts;
    int64_t console_sync_ms;  /* what is older in the logs survives power loss */
    int64_t console_connects; /* consoles that are being connected at a time */
    int64_t console_retries;  /* of all consoles together, a second */
};

void config_init(struct config *config);
void config_clear(struct config *config);
/* Reads a file over what is there. -1: every mistake is appended to `mistakes`, one a line,
 * "FILE:LINE:COLUMN: ...". */
int config_read(struct config *config, const char *path, struct buf *mistakes);
/* The same for n bytes; name stands for the file in mistakes. */
int config_parse(struct config *config, const char *name, const void *p, size_t n, struct buf *mistakes);
/* Fills what nobody set, from the environment (AMTD_STATE_DIR, AMTD_SOCKET, CREDENTIALS_DIRECTORY) and the
 * user. */
int config_finish(struct config *config, struct err *err);

#endif
