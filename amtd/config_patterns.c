/* The patterns of the configuration (docs/amtd.yaml.5). */
#include <stddef.h>
#include <string.h>

#include "amtd/config.h"
#include "amtd/config_reactions.h"
#include "amtd/config_reader.h"
#include "amtd/console/text/line_search.h"
#include "base/xalloc.h"

#define YEAR ((int64_t)365 * 24 * 3600 * 1000)

/* A pattern of its own, so that the mistake has its place; the set of all is compiled at start. */
static void read_regex(struct config_reader *r, const yaml_node_t *node, void *base)
{
    const char *text = config_scalar(node);
    struct err err = ERR_INIT;
    struct line_pattern *compiled = text && text[0] ? line_pattern_compile(text, false, &err) : NULL;

    if (compiled)
        xreplace(base, text);
    else
        config_complain(r, node, "'regex': %s", err.text[0] ? err.text : "expected an expression");
    line_pattern_free(compiled);
}

static void read_names(struct config_reader *r, const yaml_node_t *node, void *base)
{
    struct watched_pattern *p = base;

    if (node->type != YAML_SEQUENCE_NODE) {
        config_complain(r, node, "'consoles': expected a list of names, such as [ db1, web* ]");
        return;
    }
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
        const yaml_node_t *item = yaml_document_get_node(r->doc, *i);

        if (!config_scalar(item)) {
            config_complain(r, item, "expected the name of a console");
            continue;
        }
        p->consoles = xreallocarray(p->consoles, p->console_count + 1, sizeof(*p->consoles));
        p->consoles[p->console_count++] = xstrdup(config_scalar(item));
    }
}

/* A pattern, and what is done when it is found. */
struct entry {
    struct watched_pattern pattern;
    struct reaction_rule rule;
};

#define P(member) offsetof(struct entry, pattern.member)

static const struct option options[] = {
    {"name", OPTION_TEXT, P(name)},
    {"regex", OPTION_OTHER, P(regex), .read = read_regex},
    {"ignore-case", OPTION_BOOLEAN, P(ignore_case)},
    {"severity", OPTION_CHOICE, P(severity), .choices = severity_names},
    {"consoles", OPTION_OTHER, offsetof(struct entry, pattern), .read = read_names},
    {"every", OPTION_DURATION, P(every_ms), 0, YEAR},
    CONFIG_ACTION_OPTIONS(offsetof(struct entry, rule.action)),
};

/* The rule acts on the events of this pattern alone. */
static void keep_rule(struct config *config, struct entry *entry)
{
    struct reaction_rule *rule;

    if (!config_action_any(&entry->rule.action) || !entry->pattern.name) {
        reaction_rule_clear(&entry->rule);
        return;
    }
    rule = config_add_reaction(config);
    *rule = entry->rule;
    rule->name = xstrdup(entry->pattern.name);
    rule->pattern = xstrdup(entry->pattern.name);
}

static void check_name(struct config_reader *r, const yaml_node_t *node, const struct config *config)
{
    const char *name = config->patterns[config->pattern_count - 1].name;

    for (size_t i = 0; name && i + 1 < config->pattern_count; i++)
        if (config->patterns[i].name && strcmp(config->patterns[i].name, name) == 0)
            config_complain(r, node, "there is a pattern '%s' already", name);
}

void config_read_patterns(struct config_reader *r, const yaml_node_t *node, void *base)
{
    struct config *config = base;

    if (node->type != YAML_SEQUENCE_NODE) {
        config_complain(r, node,
                        "'patterns': expected a list such as - { name: panic, regex: 'Kernel panic' }");
        return;
    }
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
        const yaml_node_t *item = yaml_document_get_node(r->doc, *i);
        struct entry entry = {.pattern = {.severity = SEVERITY_WARNING, .every_ms = 60000}};

        config->patterns =
            xreallocarray(config->patterns, config->pattern_count + 1, sizeof(*config->patterns));
        reaction_rule_init(&entry.rule);
        config_read_map(r, item, options, sizeof(options) / sizeof(options[0]), &entry, 0);
        if (!entry.pattern.name || item->type != YAML_MAPPING_NODE || !config_find(r, item, "regex"))
            config_complain(r, item, "a pattern needs a 'name' and a 'regex'");
        config->patterns[config->pattern_count++] = entry.pattern;
        check_name(r, item, config);
        keep_rule(config, &entry);
    }
}
