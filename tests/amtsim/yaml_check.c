#include "tests/amtsim/yaml_check.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/text.h"

#define DEPTH_MAX    16
#define MISTAKES_MAX 100 /* more do not help anybody */

struct check {
    yaml_document_t doc;
    const char *name;
    const struct yaml_rule *rules;
    void *arg;
    struct buf *report;
    unsigned mistakes;
};

static void mistake(struct check *c, yaml_mark_t mark, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void mistake(struct check *c, yaml_mark_t mark, const char *fmt, ...)
{
    va_list ap;
    struct buf text = buf_init(1024);
    if (++c->mistakes > MISTAKES_MAX)
        return;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    buf_printf(c->report, "%s:%zu:%zu: ", c->name, mark.line + 1, mark.column + 1);
    text_printable(c->report, text.p, text.len);
    buf_putc(c->report, '\n');
    buf_free(&text);
}

static const char *scalar(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

static const char *kind_of(const yaml_node_t *node)
{
    switch (node->type) {
    case YAML_MAPPING_NODE:
        return "a mapping";
    case YAML_SEQUENCE_NODE:
        return "a list";
    case YAML_SCALAR_NODE:
        return "a single value";
    default:
        return "nothing";
    }
}

static void walk(struct check *c, yaml_node_t *node, const cyaml_schema_value_t *schema, const char *key,
                 int depth);

/* --- scalars --- */

static void list_names(struct buf *out, const cyaml_schema_value_t *schema)
{
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        buf_puts(out, i == 0 ? "" : i + 1 < schema->enumeration.count ? ", " : " or ");
        buf_puts(out, schema->enumeration.strings[i].str);
    }
}

static void check_enum(struct check *c, const yaml_node_t *node, const cyaml_schema_value_t *schema,
                       const char *key)
{
    struct buf names = buf_init(800);
    for (uint32_t i = 0; i < schema->enumeration.count; i++) {
        if (strcmp(schema->enumeration.strings[i].str, scalar(node)) == 0)
            return;
    }
    list_names(&names, schema);
    mistake(c, node->start_mark, "%s: '%s': expected %s", key, scalar(node), buf_str(&names));
    buf_free(&names);
}

static bool is_bool(const char *text)
{
    static const char *const words[] = {"true", "false", "yes", "no"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i], text) == 0)
            return true;
    }
    return false;
}

static void check_scalar(struct check *c, const yaml_node_t *node, const cyaml_schema_value_t *schema,
                         const char *key)
{
    char text[160];
    uint64_t number;
    unsigned before = c->mistakes;
    if (node->type != YAML_SCALAR_NODE)
        mistake(c, node->start_mark, "%s: expected a single value, not %s", key, kind_of(node));
    else if (schema->type == CYAML_ENUM)
        check_enum(c, node, schema, key);
    else if (schema->type == CYAML_BOOL && !is_bool(scalar(node)))
        mistake(c, node->start_mark, "%s: '%s': expected true or false", key, scalar(node));
    else if (schema->type == CYAML_UINT && !text_u64(scalar(node), 0, UINT32_MAX, &number))
        mistake(c, node->start_mark, "%s: '%s': expected a number from 0 to 4294967295", key, scalar(node));
    for (const struct yaml_rule *r = c->rules; c->mistakes == before && r->key != NULL; r++) {
        const char *expected = strcmp(r->key, key) == 0 ? r->check(c->arg, scalar(node), text) : NULL;
        if (expected != NULL)
            mistake(c, node->start_mark, "%s: '%s': expected %s", key, scalar(node), expected);
    }
}

/* --- mappings and lists --- */

static const cyaml_schema_field_t *find_field(const cyaml_schema_value_t *schema, const char *key)
{
    const cyaml_schema_field_t *f = schema->mapping.fields;
    while (f->key != NULL && strcmp(f->key, key) != 0)
        f++;
    return f->key != NULL ? f : NULL;
}

static void unknown_key(struct check *c, const yaml_node_t *node, const cyaml_schema_value_t *schema)
{
    struct buf names = buf_init(800);
    for (const cyaml_schema_field_t *f = schema->mapping.fields; f->key != NULL; f++)
        buf_printf(&names, "%s%s", names.len > 0 ? ", " : "", f->key);
    mistake(c, node->start_mark, "'%s' is not known here: expected one of %s",
            node->type == YAML_SCALAR_NODE ? scalar(node) : "?", buf_str(&names));
    buf_free(&names);
}

static bool is_repeated(struct check *c, const yaml_node_t *map, const yaml_node_pair_t *pair)
{
    const yaml_node_t *key = yaml_document_get_node(&c->doc, pair->key);
    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < pair; p++) {
        const yaml_node_t *other = yaml_document_get_node(&c->doc, p->key);
        if (other->type == YAML_SCALAR_NODE && strcmp(scalar(other), scalar(key)) == 0)
            return true;
    }
    return false;
}

static void check_mapping(struct check *c, yaml_node_t *node, const cyaml_schema_value_t *schema,
                          const char *key, int depth)
{
    uint64_t seen = 0;
    if (node->type != YAML_MAPPING_NODE) {
        mistake(c, node->start_mark, "%s: expected a mapping (key: value), not %s", key, kind_of(node));
        return;
    }
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
        yaml_node_t *k = yaml_document_get_node(&c->doc, p->key),
                    *v = yaml_document_get_node(&c->doc, p->value);
        const cyaml_schema_field_t *f = k->type == YAML_SCALAR_NODE ? find_field(schema, scalar(k)) : NULL;
        if (f == NULL) {
            unknown_key(c, k, schema);
            continue;
        }
        if (is_repeated(c, node, p))
            mistake(c, k->start_mark, "'%s' stands here twice: expected once", f->key);
        seen |= 1ull << (f - schema->mapping.fields);
        walk(c, v, &f->value, f->key, depth + 1);
    }
    for (const cyaml_schema_field_t *f = schema->mapping.fields; f->key != NULL; f++) {
        if ((f->value.flags & CYAML_FLAG_OPTIONAL) == 0 && (seen >> (f - schema->mapping.fields) & 1) == 0)
            mistake(c, node->start_mark, "'%s' is missing", f->key);
    }
}

static void check_sequence(struct check *c, yaml_node_t *node, const cyaml_schema_value_t *schema,
                           const char *key, int depth)
{
    if (node->type != YAML_SEQUENCE_NODE) {
        mistake(c, node->start_mark, "%s: expected a list (- item), not %s", key, kind_of(node));
        return;
    }
    size_t n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    if (n > schema->sequence.max || n < schema->sequence.min)
        mistake(c, node->start_mark, "%s: %zu items: expected from %u to %u", key, n, schema->sequence.min,
                schema->sequence.max);
    for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++)
        walk(c, yaml_document_get_node(&c->doc, *i), schema->sequence.entry, key, depth + 1);
}

static void walk(struct check *c, yaml_node_t *node, const cyaml_schema_value_t *schema, const char *key,
                 int depth)
{
    if (c->mistakes > MISTAKES_MAX)
        return;
    if (depth > DEPTH_MAX)
        mistake(c, node->start_mark, "%s: nested too deep", key);
    else if (schema->type == CYAML_MAPPING)
        check_mapping(c, node, schema, key, depth);
    else if (schema->type == CYAML_SEQUENCE)
        check_sequence(c, node, schema, key, depth);
    else
        check_scalar(c, node, schema, key);
}

static void syntax(struct check *c, const yaml_parser_t *parser)
{
    mistake(c, parser->problem_mark, "%s%s%s: expected YAML",
            parser->problem != NULL ? parser->problem : "unreadable", parser->context != NULL ? " " : "",
            parser->context != NULL ? parser->context : "");
}

unsigned yaml_check(const void *p, size_t n, const char *name, const cyaml_schema_value_t *schema,
                    const struct yaml_rule *rules, void *arg, struct buf *report)
{
    struct check c = {.name = name, .rules = rules, .arg = arg, .report = report};
    yaml_parser_t parser;
    yaml_mark_t top = {0};
    if (!yaml_parser_initialize(&parser)) {
        mistake(&c, top, "no memory for the parser");
        return c.mistakes;
    }
    yaml_parser_set_input_string(&parser, p, n);
    if (!yaml_parser_load(&parser, &c.doc)) {
        syntax(&c, &parser);
    } else {
        yaml_node_t *root = yaml_document_get_root_node(&c.doc);
        if (root == NULL)
            mistake(&c, top, "nothing is in it: expected 'devices:'");
        else
            walk(&c, root, schema, "the file", 0);
        yaml_document_delete(&c.doc);
    }
    yaml_parser_delete(&parser);
    return c.mistakes;
}
