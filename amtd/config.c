#include "amtd/config.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "amtd/config_reactions.h"
#include "amtd/config_reader.h"
#include "base/file.h"
#include "base/text.h"
#include "base/xalloc.h"

#define MISTAKES_MAX       (1 << 20)
#define DIAL_LIMIT_DEFAULT 4096
#define FACILITY_DEFAULT   10 /* authpriv */
#define PRIVATE_IDLE_MS    (10 * 60 * 1000)
#define DAY                ((int64_t)24 * 3600 * 1000)
#define YEARS              (100 * 365 * DAY)
#define FILE_MAX           ((size_t)64 << 20)

/* --- the options: one row each --- */

static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const roles[] = {"watch", "operate", "quarantine", "administer", NULL};

/* By the numbers of RFC 5424. */
static const char *const facilities[] = {
    "kern",   "user",     "mail",   "daemon", "auth",   "syslog", "lpr",   "news",   "uucp",
    "cron",   "authpriv", "ftp",    "ntp",    "audit",  "alert",  "clock", "local0", "local1",
    "local2", "local3",   "local4", "local5", "local6", "local7", NULL};

static void read_allow(struct config_reader *r, const yaml_node_t *node, void *base);
static void read_events(struct config_reader *r, const yaml_node_t *node, void *base);
static void read_alerts(struct config_reader *r, const yaml_node_t *node, void *base);
static void read_keep(struct config_reader *r, const yaml_node_t *node, void *base);

/* Consoles need the defaults, wherever in the file these are. */
static void keep_consoles(struct config_reader *r, const yaml_node_t *node, void *base)
{
    (void)base;
    r->consoles = node;
}

static void keep_defaults(struct config_reader *r, const yaml_node_t *node, void *base)
{
    (void)base;
    r->defaults = node;
}

/* "10.0.0.5", "10.0.0.5 2001:db8::5": every word is an address. */
static void read_management(struct config_reader *r, const yaml_node_t *node, void *base)
{
    struct config *config = base;
    const char *text = node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : "";
    size_t words = 0;
    char *copy = xstrdup(text), *rest = copy, *word;

    while ((word = strtok_r(words++ == 0 ? copy : NULL, " ", &rest))) {
        uint8_t address[sizeof(struct in6_addr)];

        if (inet_pton(AF_INET, word, address) != 1 && inet_pton(AF_INET6, word, address) != 1)
            break;
    }
    if (word || words < 2)
        config_complain(r, node, "'management': expected addresses parted by blanks, such as 10.0.0.5");
    else
        xreplace(&config->management, text);
    free(copy);
}

static const struct option options[] = {
    {"socket", OPTION_TEXT, offsetof(struct config, socket)},
    {"state-dir", OPTION_TEXT, offsetof(struct config, state_dir)},
    {"key-file", OPTION_TEXT, offsetof(struct config, key_file)},
    {"log-level", OPTION_CHOICE, offsetof(struct config, log_level), .choices = levels},
    {"log-file", OPTION_TEXT, offsetof(struct config, log_file)},
    {"image-dir", OPTION_TEXT, offsetof(struct config, image_dir)},
    {"management", OPTION_OTHER, 0, .read = read_management},
    {"dial-limit", OPTION_NUMBER, offsetof(struct config, dial_limit), 1, 100000},
    {"private-idle", OPTION_DURATION, offsetof(struct config, private_idle_ms), 1000, 86400000},
    {"activity-syslog", OPTION_TEXT, offsetof(struct config, activity_syslog)},
    {"activity-facility", OPTION_CHOICE, offsetof(struct config, activity_facility), .choices = facilities},
    {"allow", OPTION_OTHER, 0, .read = read_allow},
    {"console-sync", OPTION_DURATION, offsetof(struct config, console_sync_ms), 0, 3600000},
    {"console-connects", OPTION_NUMBER, offsetof(struct config, console_connects), 1, 100000},
    {"console-retries", OPTION_NUMBER, offsetof(struct config, console_retries), 1, 1000},
    {"console-activity", OPTION_OTHER, offsetof(struct config, console_activity),
     .read = config_read_activity},
    {"console-defaults", OPTION_OTHER, 0, .read = keep_defaults},
    {"consoles", OPTION_OTHER, 0, .read = keep_consoles},
    {"events", OPTION_OTHER, offsetof(struct config, events), .read = read_events},
    {"keep", OPTION_OTHER, offsetof(struct config, keep), .read = read_keep},
    {"alerts", OPTION_OTHER, offsetof(struct config, alerts), .read = read_alerts},
    {"patterns", OPTION_OTHER, 0, .read = config_read_patterns},
    {"name", OPTION_OTHER, offsetof(struct config, name), .read = config_read_name},
    {"listen", OPTION_OTHER, 0, .read = config_read_listen},
    {"address", OPTION_TEXT, offsetof(struct config, address)},
    {"tls", OPTION_OTHER, 0, .read = config_read_tls},
    {"nodes", OPTION_OTHER, 0, .read = config_read_nodes},
    {"servers", OPTION_OTHER, 0, .read = config_read_servers},
    {"reactions", OPTION_OTHER, 0, .read = config_read_reactions},
    {"mail", OPTION_OTHER, offsetof(struct config, mail), .read = config_read_mail},
};

static const struct option event_options[] = {
    {"keep-age", OPTION_DURATION, offsetof(struct event_limits, keep_ms), 0, YEARS},
    {"keep-size", OPTION_SIZE, offsetof(struct event_limits, keep_bytes), 0, (int64_t)1 << 40},
};

static void read_events(struct config_reader *r, const yaml_node_t *node, void *base)
{
    config_read_map(r, node, event_options, sizeof(event_options) / sizeof(event_options[0]), base, 0);
}

static const struct option limit_options[] = {
    {"age", OPTION_DURATION, offsetof(struct purge_limit, age_ms), 0, YEARS},
    {"size", OPTION_SIZE, offsetof(struct purge_limit, bytes), 0, (int64_t)1 << 50},
};

/* A slip of the pen must not cost what happened today. */
static void read_limit_from(struct config_reader *r, const yaml_node_t *node, void *base, int64_t least)
{
    const struct purge_limit *limit = base;

    config_read_map(r, node, limit_options, sizeof(limit_options) / sizeof(limit_options[0]), base, 0);
    if (limit->age_ms > 0 && limit->age_ms < least)
        config_complain(r, node, "'age': expected 0 (for ever) or at least %lldd", (long long)(least / DAY));
    if (limit->bytes > 0 && limit->bytes < (1 << 20))
        config_complain(r, node, "'size': expected 0 (any) or at least 1MiB");
}

static void read_limit(struct config_reader *r, const yaml_node_t *node, void *base)
{
    read_limit_from(r, node, base, DAY);
}

static void read_activity_limit(struct config_reader *r, const yaml_node_t *node, void *base)
{
    read_limit_from(r, node, base, 30 * DAY);
}

#define KEEP(kind) offsetof(struct purge_settings, limits[kind])

static const struct option keep_options[] = {
    {"wait", OPTION_DURATION, offsetof(struct purge_settings, wait_ms), 1000, DAY},
    {"runs", OPTION_OTHER, KEEP(PURGE_RUNS), .read = read_limit},
    {"event-data", OPTION_OTHER, KEEP(PURGE_EVENT_DATA), .read = read_limit},
    {"sweeps", OPTION_OTHER, KEEP(PURGE_SWEEPS), .read = read_limit},
    {"inventory", OPTION_OTHER, KEEP(PURGE_INVENTORY), .read = read_limit},
    {"device-logs", OPTION_OTHER, KEEP(PURGE_DEVICE_LOGS), .read = read_limit},
    {"activity", OPTION_OTHER, KEEP(PURGE_ACTIVITY), .read = read_activity_limit},
};

static void read_keep(struct config_reader *r, const yaml_node_t *node, void *base)
{
    config_read_map(r, node, keep_options, sizeof(keep_options) / sizeof(keep_options[0]), base, 0);
}

struct purge_settings config_keep(const struct config *config)
{
    struct purge_settings keep = config->keep;

    keep.limits[PURGE_EVENTS] = (struct purge_limit){config->events.keep_ms, config->events.keep_bytes};
    return keep;
}

static const struct option alert_options[] = {
    {"listen", OPTION_TEXT, offsetof(struct alert_settings, listen)},
    {"url", OPTION_TEXT, offsetof(struct alert_settings, url)},
    {"traps", OPTION_TEXT, offsetof(struct alert_settings, traps)},
    {"traps-at", OPTION_TEXT, offsetof(struct alert_settings, traps_at)},
};

static void read_alerts(struct config_reader *r, const yaml_node_t *node, void *base)
{
    config_read_map(r, node, alert_options, sizeof(alert_options) / sizeof(alert_options[0]), base, 0);
}

static const struct option allow_options[] = {
    {"user", OPTION_TEXT, offsetof(struct config_allow, user)},
    {"group", OPTION_TEXT, offsetof(struct config_allow, group)},
    {"certificate", OPTION_TEXT, offsetof(struct config_allow, certificate)},
    {"role", OPTION_CHOICE, offsetof(struct config_allow, role), .choices = roles},
};

static void read_allow(struct config_reader *r, const yaml_node_t *node, void *base)
{
    struct config *config = base;

    if (node->type != YAML_SEQUENCE_NODE) {
        config_complain(r, node, "'allow': expected a list such as - { user: anna, role: operate }");
        return;
    }
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
        const yaml_node_t *item = yaml_document_get_node(r->doc, *i);
        struct config_allow *allow;

        config->allow = xreallocarray(config->allow, config->allow_count + 1, sizeof(*allow));
        allow = &config->allow[config->allow_count++];
        memset(allow, 0, sizeof(*allow));
        config_read_map(r, item, allow_options, sizeof(allow_options) / sizeof(allow_options[0]), allow, 0);
        if (!!allow->user + !!allow->group + !!allow->certificate != 1)
            config_complain(r, item,
                            "'allow': expected one of 'user', 'group' and 'certificate', and a 'role'");
    }
}

/* --- files --- */

static const struct option pushed_options[] = {
    {"console-defaults", OPTION_OTHER, 0, .read = keep_defaults},
    {"consoles", OPTION_OTHER, 0, .read = keep_consoles},
};

struct by_table {
    struct config_reader *reader;
    const struct option *table;
    size_t count;
};

static void read_root(void *arg)
{
    const struct by_table *by = arg;
    struct config_reader *r = by->reader;
    const yaml_node_t *root = yaml_document_get_root_node(r->doc);

    if (root) /* an empty file is a configuration, too */
        config_read_map(r, root, by->table, by->count, r->config, 0);
    config_read_consoles(r);
}

/* What the parser's input holds, by a table; the parser is used up. */
static void load_by(struct config_reader *r, yaml_parser_t *parser, const struct option *table, size_t count)
{
    struct by_table by = {r, table, count};

    r->consoles = r->defaults = NULL;
    config_load(r, parser, read_root, &by);
}

static void load(struct config_reader *r, yaml_parser_t *parser)
{
    load_by(r, parser, options, sizeof(options) / sizeof(options[0]));
}

int config_parse(struct config *config, const char *name, const void *p, size_t n, struct buf *mistakes)
{
    struct config_reader r = {.path = name, .mistakes = mistakes, .config = config};
    yaml_parser_t parser;

    yaml_parser_initialize(&parser);
    yaml_parser_set_input_string(&parser, p, n);
    load(&r, &parser);
    config_forget_names(&r);
    return r.count == 0 ? 0 : -1;
}

static void read_file(struct config_reader *r, const char *path, EVP_MD_CTX *sum)
{
    struct buf text = buf_init(FILE_MAX);
    struct err err = ERR_INIT;
    yaml_parser_t parser;

    r->path = path;
    if (file_read(path, &text, &err) != 0) {
        buf_printf(r->mistakes, "%s\n", err.text);
        r->count++;
    } else {
        if (sum)
            EVP_DigestUpdate(sum, buf_str(&text), text.len);
        yaml_parser_initialize(&parser);
        yaml_parser_set_input_string(&parser, (const unsigned char *)buf_str(&text), text.len);
        load(r, &parser);
    }
    buf_free(&text);
}

static int is_part(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return entry->d_name[0] != '.' && n > 5 && strcmp(entry->d_name + n - 5, ".yaml") == 0;
}

/* conf.d beside the file, by name. */
static void read_parts(struct config_reader *r, const char *path, EVP_MD_CTX *sum)
{
    const char *slash = strrchr(path, '/');
    char *folder = xasprintf("%.*sconf.d", slash ? (int)(slash - path + 1) : 0, path);
    struct dirent **parts = NULL;
    int count = scandir(folder, &parts, is_part, alphasort);

    if (count < 0 && errno != ENOENT && errno != ENOTDIR) {
        buf_printf(r->mistakes, "%s: %m\n", folder);
        r->count++;
    }
    for (int i = 0; i < count; i++) {
        char *part = xasprintf("%s/%s", folder, parts[i]->d_name);

        read_file(r, part, sum);
        free(part);
        free(parts[i]);
    }
    free(parts);
    free(folder);
}

static void note_sum(struct config *config, EVP_MD_CTX *sum)
{
    struct buf hex = buf_init(sizeof(config->sum));
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (sum && EVP_DigestFinal_ex(sum, digest, &n) == 1)
        text_hex(&hex, digest, n, false);
    snprintf(config->sum, sizeof(config->sum), "%s", buf_str(&hex));
    buf_free(&hex);
    EVP_MD_CTX_free(sum);
}

int config_parse_consoles(struct config *config, const char *name, const void *p, size_t n,
                          struct buf *mistakes)
{
    struct config_reader r = {.path = name, .mistakes = mistakes, .config = config};
    yaml_parser_t parser;

    yaml_parser_initialize(&parser);
    yaml_parser_set_input_string(&parser, p, n);
    load_by(&r, &parser, pushed_options, sizeof(pushed_options) / sizeof(pushed_options[0]));
    config_forget_names(&r);
    return r.count == 0 ? 0 : -1;
}

int config_read(struct config *config, const char *path, struct buf *mistakes)
{
    struct config_reader r = {.mistakes = mistakes, .config = config};
    EVP_MD_CTX *sum = EVP_MD_CTX_new();

    free(config->path);
    config->path = realpath(path, NULL);
    if (sum && EVP_DigestInit_ex(sum, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(sum);
        sum = NULL;
    }
    read_file(&r, path, sum);
    read_parts(&r, path, sum);
    note_sum(config, sum);
    config_forget_names(&r);
    config_note_fixed(config, options, sizeof(options) / sizeof(options[0]));
    return r.count == 0 ? 0 : -1;
}

int config_open(struct config *config, const char *given, const char **path)
{
    struct buf mistakes = buf_init(MISTAKES_MAX);
    int status = 0;

    *path = given ? given : access(CONFIG_OF_SYSTEM, R_OK) == 0 ? CONFIG_OF_SYSTEM : NULL;
    if (*path)
        status = config_read(config, *path, &mistakes);
    fputs(buf_str(&mistakes), stderr);
    buf_free(&mistakes);
    return status;
}

void config_init(struct config *config)
{
    memset(config, 0, sizeof(*config));
    config->log_level = LOG_LEVEL_INFO;
    config->activity_facility = FACILITY_DEFAULT;
    config->dial_limit = DIAL_LIMIT_DEFAULT;
    config->private_idle_ms = PRIVATE_IDLE_MS;
    config->events = (struct event_limits){.keep_ms = 365 * DAY, .keep_bytes = (int64_t)256 << 20};
    config->keep = purge_settings_standard();
    config->console_activity.window_ms = TRAFFIC_WINDOW_MS;
    config->console_sync_ms = 2000;
    config->console_connects = 256;
    config->console_retries = 100;
}

void config_forget_consoles(struct config *config)
{
    for (size_t i = 0; i < config->console_count; i++)
        console_settings_clear(&config->consoles[i]);
    free(config->consoles);
    for (size_t i = 0; i < config->pattern_count; i++)
        watched_pattern_clear(&config->patterns[i]);
    free(config->patterns);
    config->consoles = NULL;
    config->patterns = NULL;
    config->console_count = config->pattern_count = 0;
}

void config_take_consoles(struct config *config, struct config *from)
{
    config_clear(config);
    config->consoles = from->consoles;
    config->console_count = from->console_count;
    config->state_dir = xstrdup("");
    from->consoles = NULL;
    from->console_count = 0;
}

void config_clear(struct config *config)
{
    for (size_t i = 0; i < config->allow_count; i++) {
        free(config->allow[i].user);
        free(config->allow[i].group);
        free(config->allow[i].certificate);
    }
    free(config->allow);
    free(config->activity_syslog);
    free(config->fixed);
    free(config->cwd);
    config_forget_consoles(config);
    config_nodes_clear(config);
    for (size_t i = 0; i < config->reaction_count; i++)
        reaction_rule_clear(&config->reactions[i]);
    free(config->reactions);
    mail_settings_clear(&config->mail);
    free(config->state_dir);
    free(config->socket);
    free(config->key_file);
    free(config->log_file);
    free(config->image_dir);
    free(config->management);
    free(config->path);
    free(config->alerts.listen);
    free(config->alerts.url);
    free(config->alerts.traps);
    free(config->alerts.traps_at);
    memset(config, 0, sizeof(*config));
}

/* --- defaults --- */

/* The state directory of this user: also what amtcli looks for. */
static char *default_state_dir(struct err *err)
{
    const char *dir = getenv("AMTD_STATE_DIR");
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");

    if (dir && dir[0])
        return xstrdup(dir);
    if (geteuid() == 0)
        return xstrdup("/var/lib/amtd");
    if (state && state[0] == '/')
        return xasprintf("%s/amtd", state);
    if (home && home[0] == '/')
        return xasprintf("%s/.local/state/amtd", home);
    err_set(err, CAUSE_INVALID_ARGUMENT, "no state directory: HOME is not set; give one with --state-dir");
    return NULL;
}

int config_finish(struct config *config, struct err *err)
{
    const char *socket = getenv("AMTD_SOCKET");
    const char *credentials = getenv("CREDENTIALS_DIRECTORY");

    if (!config->state_dir && !(config->state_dir = default_state_dir(err)))
        return -1;
    if (!config->name)
        config->name = config_own_name();
    if (!config->socket)
        config->socket = socket && socket[0] ? xstrdup(socket) : xasprintf("%s/amtd.sock", config->state_dir);
    if (!config->key_file && credentials && credentials[0]) {
        config->key_file = xasprintf("%s/amtd.key", credentials);
        if (access(config->key_file, F_OK) != 0) {
            free(config->key_file);
            config->key_file = NULL;
        }
    }
    return 0;
}
