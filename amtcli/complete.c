#include "amtcli/complete.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "amtcli/cmd.h"
#include "amtcli/words.h"
#include "base/hostlist.h"
#include "base/xalloc.h"
#include "filters/library.h"

/* What is being completed. */
struct place {
    struct completion *c;
    const struct words *words;
    const json_t *names;
    const char *before; /* stands in front of the word and belongs to it: "@a,!" or "--tls=" */
    size_t before_n;
    const char *prefix; /* what is typed behind it */
};

/* --- offering --- */

static void offer(struct place *p, const char *word)
{
    struct completion *c = p->c;

    if (!word || !word[0] || strncmp(word, p->prefix, strlen(p->prefix)) != 0)
        return;
    c->words = xreallocarray(c->words, c->count + 1, sizeof(*c->words));
    c->words[c->count++] = xasprintf("%.*s%s", (int)p->before_n, p->before, word);
}

static void offer_array(struct place *p, const char *field, const char *mark)
{
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(p->names, field), i, item)
    {
        char *word = xasprintf("%s%s", mark, json_string_value(item) ? json_string_value(item) : "");

        offer(p, word);
        free(word);
    }
}

static void offer_hosts(struct place *p)
{
    const char *folded = json_string_value(json_object_get(p->names, "hosts"));
    struct hostlist *hosts = folded ? hostlist_parse(folded, NULL) : NULL;

    for (size_t i = 0; hosts && i < hostlist_count(hosts); i++)
        offer(p, hostlist_name(hosts, i));
    hostlist_free(hosts);
}

/* The part behind the last comma, and behind what takes away. */
static void offer_target(struct place *p)
{
    const char *comma = strrchr(p->prefix, ',');
    struct place part = *p;

    if (strncmp(p->prefix, "where:", 6) == 0)
        return;
    part.prefix = comma ? comma + 1 : p->prefix;
    part.prefix += *part.prefix == '!';
    part.before_n = p->before_n + (size_t)(part.prefix - p->prefix);
    offer_hosts(&part);
    offer_array(&part, "collections", "@");
    offer(&part, "all");
    offer(&part, "where:");
}

/* Consoles that are configured, and hosts for their serial consoles. */
static void offer_consoles(struct place *p)
{
    offer_array(p, "consoles", "");
    offer_hosts(p);
}

static void offer_profiles(struct place *p)
{
    offer_array(p, "profiles", "");
}

static void offer_collections(struct place *p)
{
    offer_array(p, "collections", "");
}

static void offer_files(struct place *p)
{
    char *pattern = xasprintf("%s*", p->prefix);
    glob_t found = {0};

    if (glob(pattern, GLOB_MARK | GLOB_NOSORT, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            offer(p, found.gl_pathv[i]);
    globfree(&found);
    free(pattern);
}

static void offer_filter(void *arg, const char *path)
{
    struct place *p = arg;
    const char *name = strrchr(path, '/') + 1;
    char *bare = xstrndup(name, strcspn(name, "."));

    offer(p, bare);
    free(bare);
}

/* A file, or one that comes with the product. */
static void offer_filters(struct place *p)
{
    filter_library_each(offer_filter, p, NULL);
    offer_files(p);
}

static void offer_shells(struct place *p)
{
    offer(p, "bash");
    offer(p, "words");
}

/* True when the command begins with the words from `from` on that stand before the one being typed; *rest is
 * what follows. */
static bool command_goes_on(const struct words *words, size_t from, const char *name, const char **rest)
{
    for (size_t i = from; i + 1 < words->count; i++) {
        size_t n = strcspn(name, " ");

        if (strlen(words->items[i]) != n || strncmp(words->items[i], name, n) != 0 || !name[n])
            return false;
        name += n + 1;
    }
    *rest = name;
    return true;
}

static void offer_commands_from(struct place *p, size_t from)
{
    const char *rest;

    for (size_t i = 0; commands[i]; i++) {
        char *word;

        if (!command_goes_on(p->words, from, commands[i]->name, &rest))
            continue;
        word = xstrndup(rest, strcspn(rest, " "));
        offer(p, word);
        free(word);
    }
}

static void offer_help(struct place *p)
{
    offer_commands_from(p, 1);
    offer(p, "all");
}

/* --- by what stands there --- */

/* What an operand or the value of an option is, by the word that help uses for it. */
static const struct {
    const char *word;
    void (*offer)(struct place *p);
} kinds[] = {
    {"TARGET", offer_target},    {"HOST", offer_hosts},       {"HOSTS", offer_target},
    {"PROFILE", offer_profiles}, {"CONSOLE", offer_consoles}, {"COLLECTION", offer_collections},
    {"FILE", offer_files},       {"SHELL", offer_shells},     {"COMMAND", offer_help},
    {"FILTER", offer_filters},   {"CAPTURE", offer_files},
};

static void offer_kind(struct place *p, const char *word, size_t n)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strlen(kinds[i].word) == n && strncmp(kinds[i].word, word, n) == 0)
            kinds[i].offer(p);
}

/* choices: n bytes, parted by one mark. */
static void offer_choices(struct place *p, const char *choices, size_t n, char mark)
{
    const char *end = choices + n;

    while (choices < end) {
        const char *stop = memchr(choices, mark, (size_t)(end - choices));
        char *word = xstrndup(choices, (size_t)((stop ? stop : end) - choices));

        offer(p, word);
        choices = stop ? stop + 1 : end;
        free(word);
    }
}

static void offer_value(struct place *p, const struct option_row *row)
{
    if (row->kind == OPTION_CHOICE)
        offer_choices(p, row->choices, strlen(row->choices), ' ');
    if (row->value)
        offer_kind(p, row->value, strlen(row->value));
}

static void offer_options(struct place *p, const struct option_row *const *tables)
{
    for (; *tables; tables++) {
        for (const struct option_row *row = *tables; row->name; row++) {
            char *word = xasprintf("--%s", row->name);

            offer(p, word);
            free(word);
        }
    }
}

/* The option whose value the next word is: "--profile", "-p". NULL: none. */
static const struct option_row *waiting_option(const char *word, const struct option_row *const *tables)
{
    const struct option_row *row = NULL;

    if (word[0] == '-' && word[1] == '-')
        row = option_find(tables, word + 2, strlen(word + 2), 0);
    else if (word[0] == '-' && word[1])
        row = option_find(tables, NULL, 0, word[strlen(word) - 1]);
    return row && row->kind != OPTION_FLAG && !row->bare ? row : NULL;
}

static void offer_operand(struct place *p, const struct command *command, size_t first,
                          const struct option_row *const *tables)
{
    const struct words *words = p->words;
    const char *word;
    size_t k = 0, n;

    for (size_t i = first; i + 1 < words->count; i++) {
        if (words->items[i][0] != '-')
            k++;
        else if (waiting_option(words->items[i], tables))
            i++;
    }
    word = command_operand(command, k, &n);
    if (word && word[0] >= 'a' && word[0] <= 'z')
        offer_choices(p, word, n, '|');
    else if (word)
        offer_kind(p, word, n);
}

static void offer_for(struct place *p, const struct command *command, size_t first)
{
    const struct option_row *tables[COMMAND_TABLES_MAX];
    const char *equals = strchr(p->prefix, '=');
    const struct option_row *waiting = NULL, *row;

    command_tables(command, tables);
    if (p->words->count >= first + 2)
        waiting = waiting_option(p->words->items[p->words->count - 2], tables);
    if (waiting) {
        offer_value(p, waiting);
    } else if (strncmp(p->prefix, "--", 2) == 0 && equals) {
        row = option_find(tables, p->prefix + 2, (size_t)(equals - p->prefix) - 2, 0);
        p->before_n = (size_t)(equals - p->prefix) + 1;
        p->prefix = equals + 1;
        if (row)
            offer_value(p, row);
    } else if (p->prefix[0] == '-') {
        offer_options(p, tables);
    } else {
        offer_operand(p, command, first, tables);
    }
}

/* --- the whole --- */

static int by_name(const void *a, const void *b)
{
    const char *const *x = a, *const *y = b;
    int order = hostlist_compare_names(*x, *y);

    return order != 0 ? order : strcmp(*x, *y);
}

static void sort_and_unite(struct completion *c)
{
    size_t kept = 0;

    if (c->count == 0)
        return;
    qsort(c->words, c->count, sizeof(*c->words), by_name);
    for (size_t i = 0; i < c->count; i++) {
        if (kept > 0 && strcmp(c->words[kept - 1], c->words[i]) == 0)
            free(c->words[i]);
        else
            c->words[kept++] = c->words[i];
    }
    c->count = kept;
}

void complete_line(struct completion *c, const char *line, const json_t *names)
{
    const struct command *command;
    struct words words;
    struct place place;
    int first;

    memset(c, 0, sizeof(*c));
    words_split(&words, line, true);
    c->typed = xstrdup(words.items[words.count - 1]);
    c->start = words.last_start;
    c->quote = words.quote;
    place = (struct place){.c = c, .words = &words, .names = names, .before = c->typed, .prefix = c->typed};
    command = find_command((int)words.count - 1, words.items, &first);
    offer_commands_from(&place, 0); /* "discover" is a command, and the first word of others */
    if (command)
        offer_for(&place, command, (size_t)first);
    sort_and_unite(c);
    words_clear(&words);
}

void complete_clear(struct completion *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->words[i]);
    free(c->words);
    free(c->typed);
    memset(c, 0, sizeof(*c));
}

size_t complete_common(const struct completion *c)
{
    size_t n = c->count > 0 ? strlen(c->words[0]) : 0;

    for (size_t i = 1; i < c->count; i++)
        while (n > 0 && strncmp(c->words[0], c->words[i], n) != 0)
            n--;
    return n;
}
