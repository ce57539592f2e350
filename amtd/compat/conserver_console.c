#include "amtd/compat/conserver_console.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/text.h"
#include "base/xalloc.h"

#define DEPTH_MAX   50 /* of defaults and groups within each other */
#define MEMBERS_MAX 10000
#define STEPS_MAX                                                                                            \
    100000 /* keywords and members of one console, as blocks may include each other twice over */

static const char *const key_names[CF_KEYS] = {
    "type",       "device",  "baud",       "parity",      "exec",        "host",      "port",
    "portbase",   "portinc", "protocol",   "uds",         "devicesubst", "execsubst", "udssubst",
    "replstring", "logfile", "logfilemax", "idletimeout", "idlestring",  "break",     "username",
};

static const char *const option_names[CF_OPTIONS] = {"ixon",     "ixoff",      "crtscts", "cstopb",
                                                     "ondemand", "autoreinit", "login"};

struct names { /* blocks by type and name */
    char *key;
    const struct cf_block *block;
    struct names *older; /* of the same name, earlier */
    UT_hash_handle hh;
};

struct cf_index {
    struct names *names;
    size_t steps; /* of the console being read */
};

/* One console being read. */
struct import {
    struct cf_index *index;
    struct cf_notes *notes;
};

/* --- blocks by name --- */

static void add_name(struct cf_index *index, const struct cf_block *block)
{
    struct names *entry = xcalloc(1, sizeof(*entry)), *older;

    entry->key = xasprintf("%s %s", block->type, block->name);
    entry->block = block;
    HASH_FIND_STR(index->names, entry->key, older);
    if (older)
        HASH_DEL(index->names, older);
    entry->older = older;
    HASH_ADD_KEYPTR(hh, index->names, entry->key, strlen(entry->key), entry);
}

static const struct names *find_names(struct cf_index *index, const char *type, const char *name)
{
    char *key = xasprintf("%s %s", type, name);
    struct names *found;

    HASH_FIND_STR(index->names, key, found);
    free(key);
    return found;
}

struct cf_index *cf_index_new(const struct cf *cf)
{
    struct cf_index *index = xcalloc(1, sizeof(*index));

    for (size_t i = 0; i < cf->count; i++)
        add_name(index, &cf->blocks[i]);
    return index;
}

void cf_index_free(struct cf_index *index)
{
    struct names *entry, *next;

    HASH_ITER(hh, index->names, entry, next)
    {
        HASH_DEL(index->names, entry);
        for (struct names *older; entry; entry = older) {
            older = entry->older;
            free(entry->key);
            free(entry);
        }
    }
    free(index);
}

const struct cf_block *cf_find(struct cf_index *index, const char *type, const char *name)
{
    const struct names *found = find_names(index, type, name);

    return found ? found->block : NULL;
}

/* --- lists --- */

char *cf_next_item(const char **list)
{
    while (**list) {
        size_t n = strcspn(*list, ","), from = strspn(*list, " \t"), to = n;
        const char *begin = *list;

        *list += n + ((*list)[n] == ',');
        while (to > from && strchr(" \t\r\n", begin[to - 1]))
            to--;
        if (to > from)
            return xstrndup(begin + from, to - from);
    }
    return NULL;
}

static const char *interned(struct cf_index *index, const char *text)
{
    const struct names *found = find_names(index, "=", text);
    struct names *entry;

    if (found)
        return found->key + 2;
    entry = xcalloc(1, sizeof(*entry));
    entry->key = xasprintf("= %s", text);
    HASH_ADD_KEYPTR(hh, index->names, entry->key, strlen(entry->key), entry);
    return entry->key + 2;
}

static void add_member(struct cf_index *index, struct cf_members *members, const char *name, bool except)
{
    struct cf_member member = {.name = interned(index, name[0] == '@' ? name + 1 : name),
                               .is_group = name[0] == '@',
                               .except = except};

    for (size_t i = 0; i < members->count; i++) {
        if (members->items[i].name == member.name && members->items[i].is_group == member.is_group) {
            members->items[i].except = except; /* the later one counts */
            return;
        }
    }
    if (members->count == MEMBERS_MAX)
        return;
    members->items = xreallocarray(members->items, members->count + 1, sizeof(*members->items));
    members->items[members->count++] = member;
}

static void add_members(struct cf_index *index, struct cf_members *members, const char *list, bool except,
                        int depth);

static void add_group(struct cf_index *index, struct cf_members *members, const struct names *group,
                      bool except, int depth)
{
    if (index->steps++ >= STEPS_MAX)
        return;
    if (group->older)
        add_group(index, members, group->older, except, depth);
    for (size_t i = 0; i < group->block->count; i++)
        if (strcmp(group->block->entries[i].keyword, "users") == 0)
            add_members(index, members, group->block->entries[i].value, except, depth + 1);
}

static void add_members(struct cf_index *index, struct cf_members *members, const char *list, bool except,
                        int depth)
{
    char *item;

    if (!list[0])
        members->count = 0;
    while (index->steps++ < STEPS_MAX && (item = cf_next_item(&list))) {
        bool inverse = item[0] == '!';
        const char *name = item + inverse;
        const struct names *group = depth < DEPTH_MAX ? find_names(index, "group", name) : NULL;

        if (group)
            add_group(index, members, group, except != inverse, depth);
        else if (name[0])
            add_member(index, members, name, except != inverse);
        free(item);
    }
}

/* --- taking a console's keywords in --- */

static void note_option(struct import *im, const struct cf_entry *entry, const char *option, const char *what)
{
    char *subject = xasprintf("option %s", option);
    char *once = xasprintf("%s:%zu %s", entry->place.file, entry->place.line, option);

    cf_note(im->notes, &entry->place, interned(im->index, once), subject, what);
    free(once);
    free(subject);
}

static void take_options(struct import *im, struct cf_console *c, const struct cf_entry *entry)
{
    const char *list = entry->value;
    char *item;

    if (!list[0])
        memset(c->options, 0, sizeof(c->options));
    while ((item = cf_next_item(&list))) {
        bool off = item[0] == '!', known = false;
        const char *what = NULL;

        for (int i = 0; i < CF_OPTIONS; i++) {
            if (strcmp(option_names[i], item + off) != 0)
                continue;
            known = true;
            c->options[i] = off ? CF_OFF : CF_ON;
            c->option_places[i] = entry;
        }
        if (!known && !cf_not_carried(CF_IN_OPTIONS, item + off, &what))
            what = "not an option of conserver";
        if (what && !off)
            note_option(im, entry, item, what);
        free(item);
    }
}

static void take_block(struct import *im, struct cf_console *c, const struct cf_block *block, int depth);

static void take_default(struct import *im, struct cf_console *c, const struct names *names, int depth)
{
    if (im->index->steps++ >= STEPS_MAX)
        return;
    if (names->older)
        take_default(im, c, names->older, depth);
    take_block(im, c, names->block, depth);
}

static void take_include(struct import *im, struct cf_console *c, const struct cf_entry *entry, int depth)
{
    const struct names *names = find_names(im->index, "default", entry->value);

    if (!names)
        cf_note_entry(im->notes, entry, "there is no default of that name");
    else if (depth == DEPTH_MAX)
        cf_note_entry(im->notes, entry, "defaults include each other too deep");
    else
        take_default(im, c, names, depth + 1);
}

static void take_entry(struct import *im, struct cf_console *c, const struct cf_entry *entry, int depth)
{
    const char *what = NULL;

    for (int i = 0; i < CF_KEYS; i++) {
        if (strcmp(key_names[i], entry->keyword) == 0) {
            c->values[i] = entry;
            return;
        }
    }
    if (strcmp(entry->keyword, "include") == 0)
        take_include(im, c, entry, depth);
    else if (strcmp(entry->keyword, "options") == 0)
        take_options(im, c, entry);
    else if (strcmp(entry->keyword, "rw") == 0)
        add_members(im->index, &c->rw, entry->value, false, 0);
    else if (strcmp(entry->keyword, "ro") == 0)
        add_members(im->index, &c->ro, entry->value, false, 0);
    else if (!cf_not_carried(CF_IN_CONSOLE, entry->keyword, &what))
        cf_note_entry(im->notes, entry, "not a keyword of conserver");
    else if (what && entry->value[0])
        cf_note_entry(im->notes, entry, what);
}

static void take_block(struct import *im, struct cf_console *c, const struct cf_block *block, int depth)
{
    for (size_t i = 0; i < block->count && im->index->steps++ < STEPS_MAX; i++)
        take_entry(im, c, &block->entries[i], depth);
}

void cf_console_read(struct cf_index *index, const char *name, struct cf_notes *notes,
                     struct cf_console *console)
{
    struct import im = {.index = index, .notes = notes};
    const struct names *own = find_names(index, "console", name), *all = find_names(index, "default", "*");

    *console = (struct cf_console){.name = own->block->name, .block = own->block};
    index->steps = 0;
    if (all)
        take_default(&im, console, all, 0);
    take_default(&im, console, own, 0);
    if (index->steps >= STEPS_MAX)
        cf_note(notes, &own->block->place, name, name, "it inherits too much: not all of it was read");
}

void cf_console_clear(struct cf_console *console)
{
    free(console->rw.items);
    free(console->ro.items);
}

const char *cf_value(const struct cf_console *c, enum cf_key key)
{
    return c->values[key] ? c->values[key]->value : "";
}

uint64_t cf_number(const struct cf_console *c, enum cf_key key, uint64_t max, uint64_t otherwise,
                   struct cf_notes *notes)
{
    uint64_t number;

    if (!cf_value(c, key)[0])
        return otherwise;
    if (text_u64(cf_value(c, key), 0, max, &number))
        return number;
    cf_note_entry(notes, c->values[key], "expected a number");
    return otherwise;
}

uint64_t cf_final_port(const struct cf_console *c, struct cf_notes *notes)
{
    uint64_t base = cf_number(c, CF_PORTBASE, UINT16_MAX, 0, notes);
    uint64_t step = cf_number(c, CF_PORTINC, UINT16_MAX, 1, notes);
    uint64_t port = base + step * cf_number(c, CF_PORT, UINT16_MAX, 0, notes);

    return cf_value(c, CF_PORT)[0] && port <= UINT16_MAX ? port : 0;
}
