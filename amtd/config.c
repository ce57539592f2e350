#include "amtd/config.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "base/text.h"
#include "base/xalloc.h"

#define DIAL_LIMIT_DEFAULT 4096
#define PRIVATE_IDLE_MS    (10 * 60 * 1000)

/* --- the options: one setter a type, one row an option --- */

enum option_type { OPTION_TEXT, OPTION_CHOICE, OPTION_NUMBER, OPTION_DURATION, OPTION_ALLOW };

struct option {
    const char *name;
    enum option_type type;
    size_t offset;
    int64_t min, max;
    const char *const *choices;
};

static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
static const char *const roles[] = {"watch", "operate", "quarantine", "administer", NULL};

static const struct option options[] = {
    {"socket", OPTION_TEXT, offsetof(struct config, socket)},
    {"state-dir", OPTION_TEXT, offsetof(struct config, state_dir)},
    {"key-file", OPTION_TEXT, offsetof(struct config, key_file)},
    {"log-level", OPTION_CHOICE, offsetof(struct config, log_level), .choices = levels},
    {"log-file", OPTION_TEXT, offsetof(struct config, log_file)},
    {"dial-limit", OPTION_NUMBER, offsetof(struct config, dial_limit), 1, 100000},
    {"private-idle", OPTION_DURATION, offsetof(struct config, private_idle_ms), 1000, 86400000},
    {"allow", OPTION_ALLOW, 0},
};

static const struct option allow_options[] = {
    {"user", OPTION_TEXT, offsetof(struct config_allow, user)},
    {"group", OPTION_TEXT, offsetof(struct config_allow, group)},
    {"role", OPTION_CHOICE, offsetof(struct config_allow, role), .choices = roles},
};

struct reader {
    const char *path;
    yaml_document_t *doc;
    struct buf *mistakes;
    size_t count; /* of mistakes, whether or not there was room for them */
    struct config *config;
};

static void complain(struct reader *r, yaml_mark_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void complain(struct reader *r, yaml_mark_t at, const char *fmt, ...)
{
    va_list ap;

    r->count++;
    buf_printf(r->mistakes, "%s:%zu:%zu: ", r->path, at.line + 1, at.column + 1);
    va_start(ap, fmt);
    buf_vprintf(r->mistakes, fmt, ap);
    va_end(ap);
    buf_putc(r->mistakes, '\n');
}

static const char *scalar(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

static void set_choice(struct reader *r, const struct option *o, const yaml_node_t *node, void *base)
{
    const char *text = scalar(node);
    struct buf list = buf_init(200);

    for (int i = 0; o->choices[i]; i++) {
        if (text && strcmp(text, o->choices[i]) == 0) {
            memcpy((char *)base + o->offset, &i, sizeof(i));
            buf_free(&list);
            return;
        }
        buf_printf(&list, "%s%s", i > 0 ? ", " : "", o->choices[i]);
    }
    complain(r, node->start_mark, "'%s': expected one of %s", o->name, buf_str(&list));
    buf_free(&list);
}

static void set_allow(struct reader *r, const yaml_node_t *node);

static void set(struct reader *r, const struct option *o, const yaml_node_t *node, void *base)
{
    const char *text = scalar(node);
    int64_t value = 0;

    switch (o->type) {
    case OPTION_TEXT:
        if (text && text[0])
            xreplace((char **)((char *)base + o->offset), text);
        else
            complain(r, node->start_mark, "'%s': expected text", o->name);
        break;
    case OPTION_CHOICE:
        set_choice(r, o, node, base);
        break;
    case OPTION_NUMBER:
        if (text_i64(text, o->min, o->max, &value))
            memcpy((char *)base + o->offset, &value, sizeof(value));
        else
            complain(r, node->start_mark, "'%s': expected a whole number from %lld to %lld", o->name,
                     (long long)o->min, (long long)o->max);
        break;
    case OPTION_DURATION:
        if (text_duration_ms(text, o->min, o->max, &value))
            memcpy((char *)base + o->offset, &value, sizeof(value));
        else
            complain(r, node->start_mark, "'%s': expected a duration such as 30s, 10m or 1h", o->name);
        break;
    case OPTION_ALLOW:
        set_allow(r, node);
        break;
    }
}

static void read_map(struct reader *r, const yaml_node_t *node, const struct option *table, size_t count,
                     void *base)
{
    if (node->type != YAML_MAPPING_NODE) {
        complain(r, node->start_mark, "expected names with values, 'name: value'");
        return;
    }
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = yaml_document_get_node(r->doc, p->key);
        const yaml_node_t *value = yaml_document_get_node(r->doc, p->value);
        const struct option *found = NULL;

        for (size_t i = 0; i < count; i++)
            if (scalar(key) && strcmp(scalar(key), table[i].name) == 0)
                found = &table[i];
        if (found)
            set(r, found, value, base);
        else
            complain(r, key->start_mark, "there is no option '%s'", scalar(key) ? scalar(key) : "?");
    }
}

static void set_allow(struct reader *r, const yaml_node_t *node)
{
    struct config *config = r->config;

    if (node->type != YAML_SEQUENCE_NODE) {
        complain(r, node->start_mark, "'allow': expected a list such as - { user: anna, role: operate }");
        return;
    }
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
        const yaml_node_t *item = yaml_document_get_node(r->doc, *i);
        struct config_allow *allow;

        config->allow = xreallocarray(config->allow, config->allow_count + 1, sizeof(*allow));
        allow = &config->allow[config->allow_count++];
        memset(allow, 0, sizeof(*allow));
        read_map(r, item, allow_options, sizeof(allow_options) / sizeof(allow_options[0]), allow);
        if (!allow->user == !allow->group)
            complain(r, item->start_mark, "'allow': expected either 'user' or 'group', and a 'role'");
    }
}

/* --- files --- */

/* What the parser's input holds; the parser is used up. */
static int load(struct reader *r, yaml_parser_t *parser)
{
    yaml_document_t doc;
    const yaml_node_t *root;

    if (yaml_parser_load(parser, &doc)) {
        r->doc = &doc;
        root = yaml_document_get_root_node(&doc);
        if (root) /* an empty file is a configuration, too */
            read_map(r, root, options, sizeof(options) / sizeof(options[0]), r->config);
        r->doc = NULL;
        yaml_document_delete(&doc);
    } else {
        complain(r, parser->problem_mark, "YAML: %s", parser->problem ? parser->problem : "cannot be read");
    }
    yaml_parser_delete(parser);
    return r->count == 0 ? 0 : -1;
}

int config_parse(struct config *config, const char *name, const void *p, size_t n, struct buf *mistakes)
{
    struct reader r = {.path = name, .mistakes = mistakes, .config = config};
    yaml_parser_t parser;

    yaml_parser_initialize(&parser);
    yaml_parser_set_input_string(&parser, p, n);
    return load(&r, &parser);
}

int config_read(struct config *config, const char *path, struct buf *mistakes)
{
    struct reader r = {.path = path, .mistakes = mistakes, .config = config};
    FILE *file = fopen(path, "rb");
    yaml_parser_t parser;
    int status;

    if (!file) {
        buf_printf(mistakes, "%s: %m\n", path);
        return -1;
    }
    yaml_parser_initialize(&parser);
    yaml_parser_set_input_file(&parser, file);
    status = load(&r, &parser);
    fclose(file);
    return status;
}

void config_init(struct config *config)
{
    memset(config, 0, sizeof(*config));
    config->log_level = LOG_LEVEL_INFO;
    config->dial_limit = DIAL_LIMIT_DEFAULT;
    config->private_idle_ms = PRIVATE_IDLE_MS;
}

void config_clear(struct config *config)
{
    for (size_t i = 0; i < config->allow_count; i++) {
        free(config->allow[i].user);
        free(config->allow[i].group);
    }
    free(config->allow);
    free(config->state_dir);
    free(config->socket);
    free(config->key_file);
    free(config->log_file);
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
