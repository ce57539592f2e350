#include "amtd/compat/conserver_import.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/compat/conserver_console.h"
#include "amtd/compat/yaml_write.h"
#include "amtd/console/settings.h"
#include "base/text.h"
#include "base/xalloc.h"

struct import {
    struct cf_index *index;
    struct yaml_write *yaml;
    struct cf_notes notes;
    struct import_result *result;
};

/* --- sources --- */

static void put_text(struct import *im, const char *name, const char *text)
{
    yaml_write_text(im->yaml, name);
    yaml_write_text(im->yaml, text);
}

static void put_number_of(struct import *im, const char *name, uint64_t number)
{
    char text[32];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    yaml_write_text(im->yaml, name);
    yaml_write_plain(im->yaml, text);
}

static void source_serial(struct import *im, const struct cf_console *c)
{
    char *path = cf_substituted(c, CF_DEVICE, CF_DEVICESUBST, &im->notes);
    const char *parity = cf_value(c, CF_PARITY);
    uint64_t speed = cf_number(c, CF_BAUD, 10000000, 0, &im->notes);

    put_text(im, "type", "serial");
    put_text(im, "path", path);
    if (speed > 0)
        put_number_of(im, "speed", speed);
    if (parity[0])
        put_text(im, "parity", parity);
    if (c->options[CF_OPTION_CSTOPB] == CF_ON)
        put_number_of(im, "stop", 2);
    put_text(im, "flow",
             c->options[CF_OPTION_CRTSCTS] == CF_ON                                          ? "hardware"
             : c->options[CF_OPTION_IXON] == CF_OFF && c->options[CF_OPTION_IXOFF] == CF_OFF ? "none"
                                                                                             : "software");
    free(path);
}

static void source_exec(struct import *im, const struct cf_console *c)
{
    char *command = cf_substituted(c, CF_EXEC, CF_EXECSUBST, &im->notes);

    put_text(im, "type", "exec");
    put_text(im, "command", command[0] ? command : "exec /bin/sh -i");
    free(command);
}

static void source_host(struct import *im, const struct cf_console *c)
{
    put_text(im, "type", strcmp(cf_value(c, CF_PROTOCOL), "raw") == 0 ? "tcp" : "telnet");
    put_text(im, "host", cf_value(c, CF_HOST));
    put_number_of(im, "port", cf_final_port(c, &im->notes));
}

static void source_uds(struct import *im, const struct cf_console *c)
{
    char *path = cf_substituted(c, CF_UDS, CF_UDSSUBST, &im->notes);

    put_text(im, "type", "unix");
    put_text(im, "path", path);
    free(path);
}

static const char *lacks_device(struct import *im, const struct cf_console *c)
{
    (void)im;
    return cf_value(c, CF_DEVICE)[0] ? NULL : "it has no 'device'";
}

static const char *lacks_host(struct import *im, const struct cf_console *c)
{
    if (!cf_value(c, CF_HOST)[0])
        return "it has no 'host'";
    return cf_final_port(c, &im->notes) > 0 ? NULL : "it has no 'port' that is a number from 1 to 65535";
}

static const char *lacks_uds(struct import *im, const struct cf_console *c)
{
    (void)im;
    return cf_value(c, CF_UDS)[0] ? NULL : "it has no 'uds'";
}

static const char *lacks_nothing(struct import *im, const struct cf_console *c)
{
    (void)im;
    (void)c;
    return NULL;
}

/* A password would stand in the process list and in this file. */
static const char *is_ipmi(struct import *im, const struct cf_console *c)
{
    (void)im;
    (void)c;
    return "IPMI: make it a source of type exec, such as 'ipmitool -I lanplus -H HOST -U USER -f "
           "PASSWORDFILE sol "
           "activate'";
}

static const char *is_noop(struct import *im, const struct cf_console *c)
{
    (void)im;
    (void)c;
    return "type noop: it has no source";
}

static const struct {
    const char *type;
    enum cf_key implied_by; /* the keyword that makes it this type when none is given */
    const char *(*lacks)(struct import *im, const struct cf_console *c); /* why it cannot be translated */
    void (*put)(struct import *im, const struct cf_console *c);
} types[] = {
    {"device", CF_DEVICE, lacks_device, source_serial},
    {"exec", CF_EXEC, lacks_nothing, source_exec},
    {"host", CF_HOST, lacks_host, source_host},
    {"uds", CF_UDS, lacks_uds, source_uds},
    {"ipmi", CF_USERNAME, is_ipmi, NULL},
    {"noop", CF_KEYS, is_noop, NULL},
};

#define TYPES (sizeof(types) / sizeof(types[0]))

static size_t type_of(const struct cf_console *c)
{
    const char *name = cf_value(c, CF_TYPE);

    for (size_t i = 0; i < TYPES; i++)
        if (name[0] ? strcmp(types[i].type, name) == 0
                    : types[i].implied_by < CF_KEYS && c->values[types[i].implied_by])
            return i;
    return TYPES;
}

/* --- the rest of a console --- */

static bool has_member(const struct cf_members *members, const struct cf_member *member)
{
    for (size_t i = 0; i < members->count; i++)
        if (members->items[i].name == member->name && members->items[i].is_group == member->is_group)
            return !members->items[i].except;
    return false;
}

/* Those of `members` who are not in `more`, who have a greater right already. */
static void put_access(struct import *im, const struct cf_members *members, const struct cf_members *more,
                       const char *right)
{
    for (size_t i = 0; i < members->count; i++) {
        if (members->items[i].except || has_member(more, &members->items[i]))
            continue;
        yaml_write_map(im->yaml, true);
        put_text(im, members->items[i].is_group ? "group" : "user", members->items[i].name);
        put_text(im, "right", right);
        yaml_write_end_map(im->yaml);
    }
}

static bool is_for_all(const struct cf_members *members)
{
    for (size_t i = 0; i < members->count; i++)
        if (!members->items[i].is_group && strcmp(members->items[i].name, "*") == 0 &&
            !members->items[i].except)
            return true;
    return false;
}

static void note_exceptions(struct import *im, const struct cf_console *c, const struct cf_members *members)
{
    for (size_t i = 0; i < members->count; i++) {
        char *subject;

        if (!members->items[i].except)
            continue;
        subject = xasprintf("console %s: !%s", c->name, members->items[i].name);
        cf_note(&im->notes, &c->block->place, members->items[i].name, subject,
                "nobody can be excepted from a right; list those who have it");
        free(subject);
    }
}

static void put_rights(struct import *im, const struct cf_console *c)
{
    static const struct cf_members nobody;

    note_exceptions(im, c, &c->rw);
    note_exceptions(im, c, &c->ro);
    if (is_for_all(&c->rw) || c->rw.count + c->ro.count == 0)
        return; /* whoever has the role */
    if (is_for_all(&c->ro))
        cf_note(&im->notes, &c->block->place, "ro *", "ro *",
                "a list of rights leaves out whoever is not in it: add those who may watch");
    yaml_write_text(im->yaml, "access");
    yaml_write_list(im->yaml);
    put_access(im, &c->rw, &nobody, "control"); /* rw there includes force, up, down and the log */
    put_access(im, &c->ro, &c->rw, "watch");
    yaml_write_end_list(im->yaml);
}

static void put_log(struct import *im, const struct cf_console *c)
{
    const char *text = cf_value(c, CF_LOGFILEMAX), *file = cf_value(c, CF_LOGFILE);
    size_t n = strspn(text, "0123456789");
    char *digits = xstrndup(text, n);
    uint64_t size = 0, unit = text[n] == 'k' ? 1024 : text[n] == 'm' ? 1024 * 1024 : 1;

    if (c->values[CF_LOGFILE] && file[0])
        cf_note_entry(&im->notes, c->values[CF_LOGFILE],
                      "logs are in STATE_DIR/consoles/NAME; the old file stays where it is");
    else
        cf_note(&im->notes, &c->block->place,
                c->values[CF_LOGFILE] ? (const void *)c->values[CF_LOGFILE] : "no log",
                c->values[CF_LOGFILE] ? "logfile" : "no logfile", "every console is logged here");
    if (text[0] && text_u64(digits, 0, UINT32_MAX, &size) && size > 0) {
        yaml_write_text(im->yaml, "log");
        yaml_write_map(im->yaml, true);
        put_number_of(im, "segment-size", size * unit);
        yaml_write_end_map(im->yaml);
    }
    free(digits);
}

static const char *predefined_break(const char *slot)
{
    static const char *const texts[] = {NULL, "\\z", "\\r~^b", "#.", "\\r\\d~\\d^b"};

    return slot[0] >= '1' && slot[0] <= '4' && !slot[1] ? texts[slot[0] - '0'] : NULL;
}

/* What a slot of breaks types, NULL: nothing. */
static const char *break_string(const struct import *im, const char *slot)
{
    const struct cf_block *block = cf_find(im->index, "break", slot);
    const char *text = predefined_break(slot);

    for (size_t i = 0; block && i < block->count; i++)
        if (strcmp(block->entries[i].keyword, "string") == 0)
            text = block->entries[i].value;
    return text;
}

/* Any console may be sent any of them. */
static void put_breaks(struct import *im)
{
    yaml_write_text(im->yaml, "console-defaults");
    yaml_write_map(im->yaml, true);
    yaml_write_text(im->yaml, "breaks");
    yaml_write_map(im->yaml, true);
    for (const char *key = "123456789abcdefghijklmnopqrstuvwxyz"; *key; key++) {
        const char slot[] = {*key, '\0'};
        const char *text = break_string(im, slot);

        if (!text || !text[0])
            continue;
        yaml_write_text(im->yaml, slot);
        yaml_write_text(im->yaml, text);
    }
    yaml_write_end_map(im->yaml);
    yaml_write_end_map(im->yaml);
}

static void note_break(struct import *im, const struct cf_block *block)
{
    for (size_t i = 0; i < block->count; i++) {
        const struct cf_entry *entry = &block->entries[i];

        if (strcmp(entry->keyword, "delay") == 0)
            cf_note_entry(&im->notes, entry, "a delay (\\d) is 250 ms long");
        else if (strcmp(entry->keyword, "confirm") == 0)
            cf_note_entry(&im->notes, entry, "a break is sent without a question");
    }
}

static void put_break(struct import *im, const struct cf_console *c)
{
    const char *slot = cf_value(c, CF_BREAK);
    const char *text = break_string(im, slot[0] ? slot : "1");

    if (text && text[0] && strcmp(text, "\\z") != 0) /* else it is the line's own */
        put_text(im, "break-text", text);
}

static void put_idle(struct import *im, const struct cf_console *c)
{
    const char *text = cf_value(c, CF_IDLETIMEOUT), *string = cf_value(c, CF_IDLESTRING);

    if (!text[0] || strcmp(text, "0") == 0)
        return;
    put_text(im, "idle", text);
    put_text(im, "idle-text", string[0] ? string : "\\n");
}

static void put_console(struct import *im, const struct cf_console *c, size_t type)
{
    yaml_write_map(im->yaml, false);
    put_text(im, "name", c->name);
    yaml_write_text(im->yaml, "source");
    yaml_write_map(im->yaml, true);
    types[type].put(im, c);
    yaml_write_end_map(im->yaml);
    if (c->options[CF_OPTION_ONDEMAND] == CF_ON) {
        yaml_write_text(im->yaml, "on-demand");
        yaml_write_plain(im->yaml, "true");
    }
    put_idle(im, c);
    put_break(im, c);
    put_log(im, c);
    put_rights(im, c);
    yaml_write_end_map(im->yaml);
}

static void note_options(struct import *im, const struct cf_console *c)
{
    if (c->options[CF_OPTION_AUTOREINIT] == CF_OFF)
        cf_note_entry(&im->notes, c->option_places[CF_OPTION_AUTOREINIT],
                      "a console that goes down is always tried again");
    if (c->options[CF_OPTION_LOGIN] == CF_OFF)
        cf_note_entry(&im->notes, c->option_places[CF_OPTION_LOGIN],
                      "give nobody a right in 'access' instead");
}

static void import_console(struct import *im, const char *name)
{
    struct cf_console c;
    char *subject = xasprintf("console %s", name);
    const char *lacks;
    size_t type;

    cf_console_read(im->index, name, &im->notes, &c);
    type = type_of(&c);
    lacks = type < TYPES ? types[type].lacks(im, &c) : "it has no type that conserver knows";
    if (!lacks && !console_name_ok(name))
        lacks = "its name: letters, digits and - _ . : @ + are allowed here, the first a letter or digit";
    if (lacks) {
        im->result->left_out++;
        cf_note(&im->notes, &c.block->place, c.block, subject, lacks);
    } else {
        im->result->consoles++;
        note_options(im, &c);
        put_console(im, &c, type);
    }
    cf_console_clear(&c);
    free(subject);
}

/* --- the whole --- */

static void note_block(struct import *im, const struct cf_block *block, enum cf_place_kind kind)
{
    for (size_t i = 0; i < block->count; i++) {
        const char *what = NULL;

        if (!cf_not_carried(kind, block->entries[i].keyword, &what))
            what = "not a keyword of conserver";
        if (what)
            cf_note_entry(&im->notes, &block->entries[i], what);
    }
}

static void note_other_block(struct import *im, const struct cf_block *block)
{
    static const char *const known[] = {"console", "default", "group"};

    if (strcmp(block->type, "config") == 0) {
        note_block(im, block, CF_IN_CONFIG);
    } else if (strcmp(block->type, "access") == 0) {
        note_block(im, block, CF_IN_ACCESS);
    } else if (strcmp(block->type, "break") == 0) {
        note_break(im, block);
    } else if (strcmp(block->type, "task") == 0) {
        cf_note(&im->notes, &block->place, block, "task",
                "there are no tasks of a console; jobs are run by amtcli");
    } else {
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            if (strcmp(block->type, known[i]) == 0)
                return;
        cf_note(&im->notes, &block->place, block, block->type, "not a block of conserver");
    }
}

int conserver_import(const struct cf *cf, struct buf *yaml, struct buf *notes, struct import_result *result,
                     struct err *err)
{
    struct import im = {.index = cf_index_new(cf), .notes = {.out = notes}, .result = result};

    memset(result, 0, sizeof(*result));
    im.yaml = yaml_write_new(yaml);
    for (size_t i = 0; i < cf->count; i++)
        note_other_block(&im, &cf->blocks[i]);
    yaml_write_map(im.yaml, false);
    put_breaks(&im);
    yaml_write_text(im.yaml, "consoles");
    yaml_write_list(im.yaml);
    for (size_t i = 0; i < cf->count; i++) {
        const struct cf_block *block = &cf->blocks[i];

        if (strcmp(block->type, "console") == 0 && cf_find(im.index, "console", block->name) == block)
            import_console(&im, block->name);
    }
    yaml_write_end_list(im.yaml);
    yaml_write_end_map(im.yaml);
    yaml_write_free(im.yaml);
    result->notes = im.notes.count;
    cf_notes_clear(&im.notes);
    cf_index_free(im.index);
    if (!buf_ok(yaml) || !buf_ok(notes))
        return err_set(err, CAUSE_TOO_LARGE, "the configuration is too large to be translated");
    return 0;
}
