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
#include "amtd/fleet/purge.h"
#include "amtd/reactions/reaction.h"
#include "amtd/store/event.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

struct config_allow {
    char *user; /* one of the three */
    char *group;
    char *certificate; /* the name in a certificate from the CA */
    int role;          /* enum api_role */
};

/* Which consoles of a node this server has replicas of. */
enum config_replicas { REPLICAS_ALL, REPLICAS_LISTED };

struct config_node {
    char *name;
    int consoles;        /* enum config_replicas; LISTED: those of `consoles` with this node as source */
    char *configuration; /* file with the consoles that the node gets, or NULL */
    bool by_ca;          /* its certificate comes from the CA and has this name */
};

struct config_server {
    char *host; /* whose certificate, from the CA, has that name */
    uint16_t port;
    bool configures;
};

struct config {
    char *name;          /* of this amtd among others */
    char *listen;        /* address for TLS, "*": all; NULL: none */
    int64_t listen_port; /* 0: any free one */
    char *address;       /* where others reach it: "HOST" or "HOST:PORT"; NULL: the machine's name */
    char *tls_certificate, *tls_key, *tls_ca; /* all or none */
    struct config_node *nodes;
    size_t node_count;
    struct config_server *servers; /* of this node, besides those it joined */
    size_t server_count;
    char *state_dir;
    char *socket;    /* NULL in a file: STATE_DIR/amtd.sock */
    char *key_file;  /* NULL: STATE_DIR/key, made when missing */
    int log_level;   /* enum log_level */
    char *log_file;  /* NULL: stderr only */
    char *image_dir; /* images that jobs boot machines from; NULL: STATE_DIR/images */
    char
        *management; /* where hosts reach this server: addresses, blank-separated; NULL: as it reaches them */
    int64_t dial_limit;      /* TCP connections being opened at a time */
    int64_t private_idle_ms; /* a private amtd ends after so long without clients and runs */
    struct config_allow *allow;
    size_t allow_count;
    char *activity_syslog; /* socket that gets the activity log, too; NULL: none */
    int activity_facility; /* LOG_AUTHPRIV >> 3, ... */
    bool is_private;
    bool only_joins; /* is there to join a server, and connects to none */
    char *path;      /* of the file that was read last, absolute; NULL: none */
    char sum[65];    /* SHA-256 of it and its conf.d, one behind the other, in hex; "": there is none */
    char *fixed;     /* what it says of the options that count from the start on (config_fixed.c) */
    char *cwd;       /* where amtd was started: relative paths begin there; NULL: here */
    struct console_settings *consoles;
    size_t console_count;
    struct watched_pattern *patterns;
    size_t pattern_count;
    struct reaction_rule *reactions; /* also those of patterns */
    size_t reaction_count;
    struct mail_settings mail;
    struct event_limits events;
    struct purge_settings keep; /* of events: see `events` */
    struct alert_settings alerts;
    struct traffic_marks console_activity; /* of all together */
    int64_t console_sync_ms;               /* what is older in the logs survives power loss */
    int64_t console_connects;              /* consoles that are being connected at a time */
    int64_t console_retries;               /* of all consoles together, a second */
};

void config_init(struct config *config);
void config_clear(struct config *config);
/* The consoles of `from` become those of config, which is marked as read (state_dir is not NULL). */
void config_take_consoles(struct config *config, struct config *from);
/* What is said of other amtds (tls, nodes, servers) is exchanged. */
void config_exchange_peers(struct config *a, struct config *b);
/* The options that count from the start on, and of which `fresh` says something else than `running`: their
 * names, ", " between them, appended. */
void config_compare_fixed(const struct config *running, const struct config *fresh, struct buf *names);
/* A relative path begins where amtd was started. */
void config_absolute(const struct config *config, char **path);
/* As if it named no consoles and patterns. */
void config_forget_consoles(struct config *config);
/* Reads a file, and those that end in .yaml in conf.d beside it, by name, over what is there. -1: every
 * mistake is appended to `mistakes`, one a line, "FILE:LINE:COLUMN: ...". */
int config_read(struct config *config, const char *path, struct buf *mistakes);
/* Reads the file that was given, or the one of the system where none was; every mistake goes to stderr. *path
 * gets which one it is, borrowed; NULL: there is none, and that is well. */
#define CONFIG_OF_SYSTEM "/etc/amtd/amtd.yaml"
int config_open(struct config *config, const char *given, const char **path);
/* The same for n bytes; name stands for the file in mistakes. */
int config_parse(struct config *config, const char *name, const void *p, size_t n, struct buf *mistakes);
/* The same for a document that may say `consoles` and `console-defaults`, and nothing else. */
int config_parse_consoles(struct config *config, const char *name, const void *p, size_t n,
                          struct buf *mistakes);
/* Fills what nobody set, from the environment (AMTD_STATE_DIR, AMTD_SOCKET, CREDENTIALS_DIRECTORY) and the
 * user. */
int config_finish(struct config *config, struct err *err);
/* How long what is kept: `keep`, and of events `events`. */
struct purge_settings config_keep(const struct config *config);
/* The machine's own name, as a name among amtds. The caller's. */
char *config_own_name(void);

#endif
