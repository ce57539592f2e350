/* The patterns of the configuration (docs/amtd.yaml.5). */
#include <stddef.h>
#include <string.h>

#include "amtd/config.h"
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

#define P(member) offsetof(struct watched_pattern, member)

static const struct option options[] = {
    {"name", OPTION_TEXT, P(name)},
    {"regex", OPTION_OTHER, P(regex), .read = read_regex},
    {"ignore-case", OPTION_BOOLEAN, P(ignore_case)},
    {"severity", OPTION_CHOICE, P(severity), .choices = severity_names},
    {"consoles", OPTION_OTHER, 0, .read = read_names},
    {"command", OPTION_TEXT, P(command)},
    {"every", OPTION_DURATION, P(every_ms), 0, YEAR},
};

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
        struct watched_pattern *p;

        config->patterns =
            xreallocarray(config->patterns, config->pattern_count + 1, sizeof(*config->patterns));
        p = &config->patterns[config->pattern_count++];
        memset(p, 0, sizeof(*p));
        p->severity = SEVERITY_WARNING;
        p->every_ms = 60000;
        config_read_map(r, item, options, sizeof(options) / sizeof(options[0]), p, 0);
        if (!p->name || !config_find(r, item, "regex"))
            config_complain(r, item, "a pattern needs a 'name' and a 'regex'");
    }
}
