/* Reading a YAML document by tables of options, with every mistake told by its place. For config*.c and job
 * files. */
#ifndef AMTD_CONFIG_READER_H
#define AMTD_CONFIG_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

#include "base/buf.h"

struct config;

struct config_reader {
    const char *path;
    yaml_document_t *doc;
    struct buf *mistakes;
    size_t count; /* of mistakes, whether or not there was room for them */
    /* Hears of them instead of `mistakes`; places count from 1. NULL: nobody. */
    void (*tell)(void *arg, size_t line, size_t column, const char *text);
    void *tell_arg;
    struct config *config;
    const yaml_node_t *consoles, *defaults; /* read when the rest is known */
    struct console_names *names;            /* of all files; config_consoles.c */
};

enum option_type {
    OPTION_TEXT,     /* char *; not empty */
    OPTION_CHOICE,   /* int: the place in `choices` */
    OPTION_NUMBER,   /* int64_t */
    OPTION_DURATION, /* int64_t, in ms */
    OPTION_SIZE,     /* int64_t, in bytes */
    OPTION_BOOLEAN,  /* bool */
    OPTION_OTHER,    /* by `read` */
};

struct option {
    const char *name;
    enum option_type type;
    size_t offset; /* in the struct that is filled */
    int64_t min, max;
    const char *const *choices;
    void (*read)(struct config_reader *reader, const yaml_node_t *node, void *base);
    unsigned kinds; /* of what the struct may be, a set; 0: of all */
};

/* What config says now of those of the options that count from the start on: config->fixed. */
void config_note_fixed(struct config *config, const struct option *options, size_t count);

/* Reads the parser's one document: `read` finds it as reader->doc, as long as it runs. What is no YAML is a
 * mistake. The parser is used up. */
void config_load(struct config_reader *reader, yaml_parser_t *parser, void (*read)(void *arg), void *arg);
/* The same of n bytes of text. */
void config_load_text(struct config_reader *reader, const void *text, size_t n, void (*read)(void *arg),
                      void *arg);
/* "a duration such as 30s, 10m or 1h, from 1s to 7d". Appends. */
void config_expect_duration(struct buf *out, int64_t min, int64_t max);
void config_complain(struct config_reader *reader, const yaml_node_t *at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void config_complain_at(struct config_reader *reader, const yaml_mark_t *mark, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The text of a scalar, else NULL. */
const char *config_scalar(const yaml_node_t *node);
/* The value of a key of a mapping, NULL: it is not there. */
const yaml_node_t *config_find(const struct config_reader *reader, const yaml_node_t *map, const char *name);
/* Sets one option; `at` is where its value goes. */
void config_set(struct config_reader *reader, const struct option *option, const yaml_node_t *node, void *at);
/* Fills base by the table; names that are not in it, twice there, or not of this kind are mistakes. */
void config_read_map(struct config_reader *reader, const yaml_node_t *node, const struct option *table,
                     size_t count, void *base, unsigned kind);

/* config_consoles.c: what `consoles` and `console-defaults` say. */
void config_read_consoles(struct config_reader *reader);
/* Behind the last file. */
void config_forget_names(struct config_reader *reader);
/* Marks of how much is printed; base is a struct traffic_marks. */
void config_read_activity(struct config_reader *reader, const yaml_node_t *node, void *base);
/* config_patterns.c: what `patterns` says; base is the struct config. */
void config_read_patterns(struct config_reader *reader, const yaml_node_t *node, void *base);
/* config_nodes.c: what `listen`, `tls`, `nodes` and `servers` say; base is the struct config. */
void config_read_listen(struct config_reader *reader, const yaml_node_t *node, void *base);
void config_read_tls(struct config_reader *reader, const yaml_node_t *node, void *base);
void config_read_nodes(struct config_reader *reader, const yaml_node_t *node, void *base);
void config_read_servers(struct config_reader *reader, const yaml_node_t *node, void *base);
void config_read_name(struct config_reader *reader, const yaml_node_t *node, void *base);
void config_nodes_clear(struct config *config);

#endif
