/* The consoles of the configuration (docs/amtd.yaml.5). */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "amtd/config.h"
#include "amtd/config_reader.h"
#include "amtd/console/sources.h"
#include "amtd/console/typed_text.h"
#include "base/xalloc.h"

#define SECOND ((int64_t)1000)
#define HOUR   (3600 * SECOND)
#define YEARS  (100 * 365 * 24 * HOUR)
#define TIB    ((int64_t)1 << 40)

#define KIND(type)  (1u << (type))
#define KIND_SOCKET (KIND(SOURCE_TCP) | KIND(SOURCE_TELNET))
#define KIND_LINE   (KIND(SOURCE_SERIAL) | KIND(SOURCE_TELNET))

/* The types that can be configured, in the order of enum source_type. */
static const char *const types[] = {"test", "unix", "tcp", "telnet", "serial", "exec", "amt", "node", NULL};
static const char *const parities[] = {"none", "even", "odd", "mark", "space", NULL};
static const char *const flows[] = {"none", "hardware", "software", NULL};

/* --- source --- */

#define S(member) offsetof(struct source_settings, member)

static void pass_over(struct config_reader *r, const yaml_node_t *node, void *base)
{
    (void)r;
    (void)node;
    (void)base;
}

static const struct option source_options[] = {
    {"type", OPTION_OTHER, 0, .read = pass_over}, /* read first of all */
    {"host", OPTION_TEXT, S(host), .kinds = KIND_SOCKET | KIND(SOURCE_AMT)},
    {"port", OPTION_NUMBER, S(port), 1, 65535, .kinds = KIND_SOCKET},
    {"node", OPTION_TEXT, S(host), .kinds = KIND(SOURCE_NODE)},
    {"console", OPTION_TEXT, S(console), .kinds = KIND(SOURCE_NODE)},
    {"path", OPTION_TEXT, S(path), .kinds = KIND(SOURCE_UNIX) | KIND(SOURCE_SERIAL)},
    {"command", OPTION_TEXT, S(command), .kinds = KIND(SOURCE_EXEC)},
    {"speed", OPTION_NUMBER, S(speed), 50, 4000000, .kinds = KIND_LINE},
    {"bits", OPTION_NUMBER, S(bits), 5, 8, .kinds = KIND_LINE},
    {"stop", OPTION_NUMBER, S(stop), 1, 2, .kinds = KIND_LINE},
    {"parity", OPTION_CHOICE, S(parity), .choices = parities, .kinds = KIND_LINE},
    {"flow", OPTION_CHOICE, S(flow), .choices = flows, .kinds = KIND_LINE},
    {"rate", OPTION_NUMBER, S(rate), 0, 1 << 30, .kinds = KIND(SOURCE_TEST)},
    {"echo", OPTION_BOOLEAN, S(echo), .kinds = KIND(SOURCE_TEST)},
};

static const struct option type_option = {"type", OPTION_CHOICE, 0, .choices = types};

static const struct {
    enum source_type type;
    const char *name;
    size_t offset; /* of a text that it needs */
} needs[] = {
    {SOURCE_UNIX, "path", S(path)},   {SOURCE_TCP, "host", S(host)},        {SOURCE_TELNET, "host", S(host)},
    {SOURCE_SERIAL, "path", S(path)}, {SOURCE_EXEC, "command", S(command)}, {SOURCE_NODE, "node", S(host)},
};

static void check_source(struct config_reader *r, const yaml_node_t *node, const struct source_settings *s)
{
    for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
        if (needs[i].type == s->type && !*(char *const *)((const char *)s + needs[i].offset))
            config_complain(r, node, "a source of the type '%s' needs '%s'", types[s->type], needs[i].name);
    if ((KIND(s->type) & KIND_SOCKET) && s->port == 0)
        config_complain(r, node, "a source of the type '%s' needs 'port'", types[s->type]);
    if (s->type == SOURCE_SERIAL && s->speed > 0 && !source_serial_speed_ok(s->speed))
        config_complain(r, node, "'speed': %lld is not a speed of serial ports", (long long)s->speed);
}

static void read_source(struct config_reader *r, const yaml_node_t *node, void *base)
{
    struct source_settings *s = base;
    const yaml_node_t *type = config_find(r, node, "type");
    int chosen = -1;

    if (node->type != YAML_MAPPING_NODE || !type) {
        config_complain(r, node, "'source': expected { type: ... } with what belongs to it");
        return;
    }
    config_set(r, &type_option, type, &chosen);
    if (chosen < 0)
        return;
    s->type = (enum source_type)chosen;
    config_read_map(r, node, source_options, sizeof(source_options) / sizeof(source_options[0]), s,
                    KIND(s->type));
    check_source(r, node, s);
}

/* --- log --- */

#define L(member) offsetof(struct log_settings, member)

static const struct option log_options[] = {
    {"segment-size", OPTION_SIZE, L(segment_bytes), 4096, TIB},
    {"segment-age", OPTION_DURATION, L(segment_ms), SECOND, YEARS},
    {"keep-age", OPTION_DURATION, L(keep_ms), 0, YEARS},
    {"keep-count", OPTION_NUMBER, L(keep_count), 0, 1000000},
    {"keep-size", OPTION_SIZE, L(keep_bytes), 0, 1024 * TIB},
    {"flush", OPTION_DURATION, L(flush_ms), 0, 60 * SECOND},
    {"sign", OPTION_DURATION, L(sign_ms), SECOND, 24 * HOUR},
    {"compression", OPTION_NUMBER, L(zstd_level), 1, 19},
};

static void read_log(struct config_reader *r, const yaml_node_t *node, void *base)
{
    config_read_map(r, node, log_options, sizeof(log_options) / sizeof(log_options[0]), base, 0);
}

/* --- activity --- */

#define A(member) offsetof(struct traffic_marks, member)

static const struct option activity_options[] = {
    {"window", OPTION_DURATION, A(window_ms), SECOND, 24 * HOUR},
    {"high", OPTION_SIZE, A(high), 0, TIB},
    {"low", OPTION_SIZE, A(low), 0, TIB},
};

void config_read_activity(struct config_reader *r, const yaml_node_t *node, void *base)
{
    const struct traffic_marks *marks = base;

    config_read_map(r, node, activity_options, sizeof(activity_options) / sizeof(activity_options[0]), base,
                    0);
    if (marks->high > 0 && marks->low >= marks->high)
        config_complain(r, node, "'low' must be less than 'high'");
}

/* --- a console --- */

enum { PLACE_CONSOLE = 1, PLACE_DEFAULTS = 2 };

#define C(member) offsetof(struct console_settings, member)

static const char *const rights[] = {"none", "watch", "write", "control", NULL}; /* enum console_right */

static const struct option access_options[] = {
    {"user", OPTION_TEXT, offsetof(struct console_access, user)},
    {"group", OPTION_TEXT, offsetof(struct console_access, group)},
    {"right", OPTION_CHOICE, offsetof(struct console_access, right), .choices = rights},
};

static void read_access(struct config_reader *r, const yaml_node_t *node, void *base)
{
    struct console_settings *s = base;

    if (node->type != YAML_SEQUENCE_NODE) {
        config_complain(r, node, "'access': expected a list such as - { user: anna, right: write }");
        return;
    }
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
        const yaml_node_t *item = yaml_document_get_node(r->doc, *i);
        struct console_access *access;

        s->access = xreallocarray(s->access, s->access_count + 1, sizeof(*access));
        access = &s->access[s->access_count++];
        memset(access, 0, sizeof(*access));
        config_read_map(r, item, access_options, sizeof(access_options) / sizeof(access_options[0]), access,
                        0);
        if (!access->user == !access->group || !config_find(r, item, "right"))
            config_complain(r, item, "'access': expected either 'user' or 'group', and a 'right'");
    }
}

static void read_typed(struct config_reader *r, const yaml_node_t *node, void *base)
{
    const char *text = config_scalar(node);

    if (text && text[0] && typed_text_ok(text))
        xreplace(base, text);
    else
        config_complain(
            r, node, "expected text to be typed, in which \\n, \\r, \\015, ^C, \\z and the like are known");
}

static void read_breaks(struct config_reader *r, const yaml_node_t *node, void *base)
{
    if (node->type != YAML_MAPPING_NODE) {
        config_complain(r, node,
                        "'breaks': expected keys 1 to 9 and a to z with texts, such as { 1: '+++' }");
        return;
    }
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = yaml_document_get_node(r->doc, p->key);
        const yaml_node_t *value = yaml_document_get_node(r->doc, p->value);
        const char *name = config_scalar(key), *text = config_scalar(value);

        if (!name || strlen(name) != 1 || !strchr(BREAK_KEYS, name[0]))
            config_complain(r, key, "'breaks': expected a key from 1 to 9 or a to z");
        else if (!text || !text[0] || !typed_text_ok(text))
            config_complain(
                r, value,
                "expected text to be typed, in which \\n, \\r, \\015, ^C, \\z and the like are known");
        else
            console_settings_break(base, name[0], text);
    }
}

static const struct option console_options[] = {
    {"name", OPTION_TEXT, C(name), .kinds = PLACE_CONSOLE},
    {"source", OPTION_OTHER, C(source), .read = read_source, .kinds = PLACE_CONSOLE},
    {"log", OPTION_OTHER, C(log), .read = read_log},
    {"access", OPTION_OTHER, 0, .read = read_access, .kinds = PLACE_CONSOLE},
    {"host", OPTION_TEXT, C(host), .kinds = PLACE_CONSOLE},
    {"activity", OPTION_OTHER, C(activity), .read = config_read_activity},
    {"on-demand", OPTION_BOOLEAN, C(on_demand)},
    {"retry-min", OPTION_DURATION, C(retry_min_ms), 100, HOUR},
    {"retry-max", OPTION_DURATION, C(retry_max_ms), 100, 24 * HOUR},
    {"stable", OPTION_DURATION, C(stable_ms), 0, 24 * HOUR},
    {"idle", OPTION_DURATION, C(idle_ms), 0, YEARS},
    {"idle-text", OPTION_OTHER, C(idle_text), .read = read_typed},
    {"initial-text", OPTION_OTHER, C(initial_text), .read = read_typed},
    {"break-text", OPTION_OTHER, C(break_text), .read = read_typed},
    {"breaks", OPTION_OTHER, 0, .read = read_breaks},
    {"break-length", OPTION_DURATION, C(break_ms), 1, 10 * SECOND},
};

#define CONSOLE_OPTIONS (sizeof(console_options) / sizeof(console_options[0]))

struct seen {
    const char *name;
    UT_hash_handle hh;
};

/* What the files have in common: the defaults of the first one hold for all, and no name is there twice. */
struct console_names {
    struct console_settings defaults;
    struct seen *seen;
    bool begun;
};

/* A name that is no name, or taken. */
static void check_name(struct config_reader *r, const yaml_node_t *node, const char *name, struct seen **seen)
{
    struct seen *found;

    if (!name) {
        config_complain(r, node, "a console needs a 'name'");
        return;
    }
    if (!console_name_ok(name))
        config_complain(
            r, node,
            "'%s' is no name for a console: letters, digits and - _ . : @ +, at most %d, the first a "
            "letter or digit",
            name, CONSOLE_NAME_MAX);
    HASH_FIND_STR(*seen, name, found);
    if (found) {
        config_complain(r, node, "there is a console '%s' already", name);
        return;
    }
    found = xcalloc(1, sizeof(*found));
    found->name = name;
    HASH_ADD_KEYPTR(hh, *seen, found->name, strlen(found->name), found);
}

static void read_console(struct config_reader *r, const yaml_node_t *node,
                         const struct console_settings *defaults, struct seen **seen)
{
    struct config *config = r->config;
    struct console_settings *s;

    if ((config->console_count & (config->console_count + 1)) == 0) /* 0, 1, 3, 7...: grow */
        config->consoles =
            xreallocarray(config->consoles, 2 * (config->console_count + 1), sizeof(*config->consoles));
    s = &config->consoles[config->console_count++];
    console_settings_copy(s, defaults);
    config_read_map(r, node, console_options, CONSOLE_OPTIONS, s, PLACE_CONSOLE);
    check_name(r, node, s->name, seen);
    if (node->type == YAML_MAPPING_NODE && !config_find(r, node, "source"))
        config_complain(r, node, "a console needs a 'source'");
    if (s->source.type == SOURCE_NODE && !s->source.console && s->name)
        s->source.console = xstrdup(s->name);
    if (s->source.type == SOURCE_NODE && s->on_demand)
        config_complain(r, node, "a replica is never 'on-demand': it follows its node all the time");
    if (s->source.type == SOURCE_AMT && !s->source.host && s->name)
        s->source.host = xstrdup(s->name);
    if (s->retry_max_ms < s->retry_min_ms)
        config_complain(r, node, "'retry-max' is less than 'retry-min'");
}

static struct console_names *names_of(struct config_reader *r)
{
    if (!r->names) {
        r->names = xcalloc(1, sizeof(*r->names));
        console_settings_init(&r->names->defaults);
    }
    return r->names;
}

void config_forget_names(struct config_reader *r)
{
    struct seen *one, *next;

    if (!r->names)
        return;
    HASH_ITER(hh, r->names->seen, one, next)
    {
        HASH_DEL(r->names->seen, one);
        free(one);
    }
    console_settings_clear(&r->names->defaults);
    free(r->names);
    r->names = NULL;
}

void config_read_consoles(struct config_reader *r)
{
    struct console_names *names = names_of(r);
    struct console_settings defaults;

    console_settings_copy(&defaults, &names->defaults);
    if (r->defaults)
        config_read_map(r, r->defaults, console_options, CONSOLE_OPTIONS, &defaults, PLACE_DEFAULTS);
    if (r->consoles && r->consoles->type != YAML_SEQUENCE_NODE)
        config_complain(
            r, r->consoles,
            "'consoles': expected a list such as - { name: c0, source: { type: unix, path: /run/c0.sock } }");
    else if (r->consoles)
        for (yaml_node_item_t *i = r->consoles->data.sequence.items.start;
             i < r->consoles->data.sequence.items.top; i++)
            read_console(r, yaml_document_get_node(r->doc, *i), &defaults, &names->seen);
    if (!names->begun) {
        console_settings_clear(&names->defaults);
        names->defaults = defaults;
    } else {
        console_settings_clear(&defaults);
    }
    names->begun = true;
}
