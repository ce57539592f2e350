#include "amtd/config_reader.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/xalloc.h"

#define OPTIONS_SHOWN 12

static void add_mistake(struct config_reader *r, const yaml_mark_t *mark, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void add_mistake(struct config_reader *r, const yaml_mark_t *mark, const char *fmt, va_list ap)
{
    struct buf text = buf_init(4096);

    r->count++;
    buf_vprintf(&text, fmt, ap);
    if (r->tell)
        r->tell(r->tell_arg, mark->line + 1, mark->column + 1, buf_str(&text));
    else
        buf_printf(r->mistakes, "%s:%zu:%zu: %s\n", r->path, mark->line + 1, mark->column + 1,
                   buf_str(&text));
    buf_free(&text);
}

void config_complain(struct config_reader *r, const yaml_node_t *at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_mistake(r, &at->start_mark, fmt, ap);
    va_end(ap);
}

void config_complain_at(struct config_reader *r, const yaml_mark_t *mark, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add_mistake(r, mark, fmt, ap);
    va_end(ap);
}

static void complain_of_yaml(struct config_reader *r, const yaml_parser_t *parser)
{
    config_complain_at(r, &parser->problem_mark, "YAML: %s",
                       parser->problem ? parser->problem : "cannot be read");
}

/* What stands behind '---' would be passed over in silence. */
static void refuse_more(struct config_reader *r, yaml_parser_t *parser)
{
    yaml_document_t doc;
    const yaml_node_t *root;

    if (!yaml_parser_load(parser, &doc)) {
        complain_of_yaml(r, parser);
        return;
    }
    root = yaml_document_get_root_node(&doc);
    if (root)
        config_complain_at(r, &root->start_mark, "a second document: expected one");
    yaml_document_delete(&doc);
}

void config_load(struct config_reader *r, yaml_parser_t *parser, void (*read)(void *arg), void *arg)
{
    yaml_document_t doc;

    if (yaml_parser_load(parser, &doc)) {
        r->doc = &doc;
        read(arg);
        r->doc = NULL;
        yaml_document_delete(&doc);
        refuse_more(r, parser);
    } else {
        complain_of_yaml(r, parser);
    }
    yaml_parser_delete(parser);
}

void config_load_text(struct config_reader *r, const void *text, size_t n, void (*read)(void *arg), void *arg)
{
    yaml_parser_t parser;

    yaml_parser_initialize(&parser);
    yaml_parser_set_input_string(&parser, text, n);
    config_load(r, &parser, read, arg);
}

const char *config_scalar(const yaml_node_t *node)
{
    return node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : NULL;
}

const yaml_node_t *config_find(const struct config_reader *r, const yaml_node_t *map, const char *name)
{
    if (map->type != YAML_MAPPING_NODE)
        return NULL;
    for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
        const char *key = config_scalar(yaml_document_get_node(r->doc, p->key));

        if (key && strcmp(key, name) == 0)
            return yaml_document_get_node(r->doc, p->value);
    }
    return NULL;
}

/* --- one setter a type --- */

static void set_text(struct config_reader *r, const struct option *o, const yaml_node_t *node, void *at)
{
    const char *text = config_scalar(node);

    if (text && text[0])
        xreplace(at, text);
    else
        config_complain(r, node, "'%s': expected text", o->name);
}

static void set_choice(struct config_reader *r, const struct option *o, const yaml_node_t *node, void *at)
{
    const char *text = config_scalar(node);
    struct buf list = buf_init(200);

    for (int i = 0; text && o->choices[i]; i++) {
        if (strcmp(text, o->choices[i]) == 0) {
            memcpy(at, &i, sizeof(i));
            return;
        }
    }
    for (int i = 0; o->choices[i]; i++)
        buf_printf(&list, "%s%s", i > 0 ? ", " : "", o->choices[i]);
    config_complain(r, node, "'%s': expected one of %s", o->name, buf_str(&list));
    buf_free(&list);
}

static void set_number(struct config_reader *r, const struct option *o, const yaml_node_t *node, void *at)
{
    int64_t value;

    if (text_i64(config_scalar(node), o->min, o->max, &value))
        memcpy(at, &value, sizeof(value));
    else
        config_complain(r, node, "'%s': expected a whole number from %lld to %lld", o->name,
                        (long long)o->min, (long long)o->max);
}

void config_expect_duration(struct buf *out, int64_t min, int64_t max)
{
    buf_puts(out, "a duration such as 30s, 10m or 1h, from ");
    text_duration(out, min);
    buf_puts(out, " to ");
    text_duration(out, max);
}

static void set_duration(struct config_reader *r, const struct option *o, const yaml_node_t *node, void *at)
{
    struct buf expected = buf_init(200);
    int64_t value;

    config_expect_duration(&expected, o->min, o->max);
    if (text_duration_ms(config_scalar(node), o->min, o->max, &value))
        memcpy(at, &value, sizeof(value));
    else
        config_complain(r, node, "'%s': expected %s", o->name, buf_str(&expected));
    buf_free(&expected);
}

/* "64MiB", "10GiB", "4096". */
static bool read_size(const char *text, int64_t *out)
{
    static const struct {
        const char *unit;
        int shift;
    } units[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}, {"TiB", 40}};
    size_t n = text ? strspn(text, "0123456789") : 0;
    char number[20];
    int64_t value;

    if (n == 0 || n >= sizeof(number))
        return false;
    memcpy(number, text, n);
    number[n] = '\0';
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(text + n, units[i].unit) == 0)
            return text_i64(number, 0, INT64_MAX >> units[i].shift, &value) &&
                   (*out = value << units[i].shift, true);
    return false;
}

static void set_size(struct config_reader *r, const struct option *o, const yaml_node_t *node, void *at)
{
    int64_t value;

    if (read_size(config_scalar(node), &value) && value >= o->min && value <= o->max)
        memcpy(at, &value, sizeof(value));
    else
        config_complain(r, node, "'%s': expected a size such as 64MiB or 10GiB, from %lld to %lld bytes",
                        o->name, (long long)o->min, (long long)o->max);
}

static void set_boolean(struct config_reader *r, const struct option *o, const yaml_node_t *node, void *at)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
    const char *text = config_scalar(node);

    for (size_t i = 0; text && i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(text, words[i]) == 0) {
            *(bool *)at = i % 2 == 1;
            return;
        }
    }
    config_complain(r, node, "'%s': expected true or false", o->name);
}

static void set_other(struct config_reader *r, const struct option *o, const yaml_node_t *node, void *at)
{
    o->read(r, node, at);
}

static void (*const setters[])(struct config_reader *r, const struct option *o, const yaml_node_t *node,
                               void *at) = {
    [OPTION_TEXT] = set_text,         [OPTION_CHOICE] = set_choice, [OPTION_NUMBER] = set_number,
    [OPTION_DURATION] = set_duration, [OPTION_SIZE] = set_size,     [OPTION_BOOLEAN] = set_boolean,
    [OPTION_OTHER] = set_other,
};

void config_set(struct config_reader *r, const struct option *o, const yaml_node_t *node, void *at)
{
    setters[o->type](r, o, node, at);
}

/* With what there is, where it fits on a line. */
static void complain_unknown(struct config_reader *r, const yaml_node_t *key, const struct option *table,
                             size_t count)
{
    const char *name = config_scalar(key);
    struct buf known = buf_init(4096);

    for (size_t i = 0; count <= OPTIONS_SHOWN && i < count; i++)
        buf_printf(&known, "%s%s", i == 0 ? ": expected one of " : ", ", table[i].name);
    config_complain(r, key, "there is no option '%s'%s", name ? name : "?", buf_str(&known));
    buf_free(&known);
}

void config_read_map(struct config_reader *r, const yaml_node_t *node, const struct option *table,
                     size_t count, void *base, unsigned kind)
{
    if (node->type != YAML_MAPPING_NODE) {
        config_complain(r, node, "expected names with values, 'name: value'");
        return;
    }
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
        const yaml_node_t *key = yaml_document_get_node(r->doc, p->key);
        const yaml_node_t *value = yaml_document_get_node(r->doc, p->value);
        const char *name = config_scalar(key);
        const struct option *found = NULL;

        for (size_t i = 0; name && !found && i < count; i++)
            if (strcmp(name, table[i].name) == 0)
                found = &table[i];
        if (!found)
            complain_unknown(r, key, table, count);
        else if (kind != 0 && found->kinds != 0 && (found->kinds & kind) == 0)
            config_complain(r, key, "'%s' does not belong to this type", name);
        else if (config_find(r, node, name) != value)
            config_complain(r, key, "'%s' is given twice", name);
        else
            config_set(r, found, value, (char *)base + found->offset);
    }
}
