#include "amtd/console/settings.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static const char *const types[SOURCE_TYPES] = {
    [SOURCE_TEST] = "test",     [SOURCE_UNIX] = "unix", [SOURCE_TCP] = "tcp", [SOURCE_TELNET] = "telnet",
    [SOURCE_SERIAL] = "serial", [SOURCE_EXEC] = "exec", [SOURCE_AMT] = "amt", [SOURCE_NODE] = "node",
};

const char *source_type_name(enum source_type type)
{
    return types[type];
}

bool console_name_ok(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n > CONSOLE_NAME_MAX || !isalnum((unsigned char)name[0]))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("-_.:@+", name[i]))
            return false;
    return true;
}

/* The texts of the settings, so that copy, clear and equal cannot forget one. */
static const size_t texts[] = {
    offsetof(struct console_settings, name),           offsetof(struct console_settings, source.host),
    offsetof(struct console_settings, source.path),    offsetof(struct console_settings, source.command),
    offsetof(struct console_settings, source.console), offsetof(struct console_settings, idle_text),
    offsetof(struct console_settings, initial_text),   offsetof(struct console_settings, break_text),
    offsetof(struct console_settings, host),
};

#define TEXTS (sizeof(texts) / sizeof(texts[0]))

static char **text_at(struct console_settings *settings, size_t i)
{
    return (char **)((char *)settings + texts[i]);
}

void console_settings_init(struct console_settings *s)
{
    memset(s, 0, sizeof(*s));
    s->source.bits = 8;
    s->source.stop = 1;
    s->source.echo = true;
    s->log = (struct log_settings){
        .segment_bytes = 64 << 20,
        .segment_ms = (int64_t)24 * 3600 * 1000,
        .flush_ms = 100,
        .sign_ms = 60000,
        .zstd_level = 3,
    };
    s->retry_min_ms = 1000;
    s->retry_max_ms = 60000;
    s->stable_ms = 30000;
    s->break_ms = 250;
    s->activity.window_ms = TRAFFIC_WINDOW_MS;
}

void console_settings_clear(struct console_settings *settings)
{
    for (size_t i = 0; i < TEXTS; i++)
        free(*text_at(settings, i));
    for (size_t i = 0; i < settings->access_count; i++) {
        free(settings->access[i].user);
        free(settings->access[i].group);
    }
    free(settings->access);
    for (size_t i = 0; i < settings->break_count; i++)
        free(settings->breaks[i].text);
    free(settings->breaks);
    memset(settings, 0, sizeof(*settings));
}

void console_settings_break(struct console_settings *s, char key, const char *text)
{
    for (size_t i = 0; i < s->break_count; i++) {
        if (s->breaks[i].key == key) {
            xreplace(&s->breaks[i].text, text);
            return;
        }
    }
    s->breaks = xreallocarray(s->breaks, s->break_count + 1, sizeof(*s->breaks));
    s->breaks[s->break_count++] = (struct console_break){key, xstrdup(text)};
}

void console_settings_copy(struct console_settings *to, const struct console_settings *from)
{
    *to = *from;
    for (size_t i = 0; i < TEXTS; i++)
        *text_at(to, i) = xstrdup(*text_at(to, i));
    to->breaks = NULL;
    to->break_count = 0;
    for (size_t i = 0; i < from->break_count; i++)
        console_settings_break(to, from->breaks[i].key, from->breaks[i].text);
    to->access = from->access_count > 0 ? xcalloc(from->access_count, sizeof(*to->access)) : NULL;
    for (size_t i = 0; i < from->access_count; i++) {
        to->access[i].user = xstrdup(from->access[i].user);
        to->access[i].group = xstrdup(from->access[i].group);
        to->access[i].right = from->access[i].right;
    }
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_access(const struct console_settings *a, const struct console_settings *b)
{
    if (a->access_count != b->access_count)
        return false;
    for (size_t i = 0; i < a->access_count; i++)
        if (!same_text(a->access[i].user, b->access[i].user) ||
            !same_text(a->access[i].group, b->access[i].group) || a->access[i].right != b->access[i].right)
            return false;
    return true;
}

static bool same_breaks(const struct console_settings *a, const struct console_settings *b)
{
    if (a->break_count != b->break_count)
        return false;
    for (size_t i = 0; i < a->break_count; i++)
        if (a->breaks[i].key != b->breaks[i].key || strcmp(a->breaks[i].text, b->breaks[i].text) != 0)
            return false;
    return true;
}

bool console_settings_equal(const struct console_settings *a, const struct console_settings *b)
{
    const struct source_settings *x = &a->source, *y = &b->source;

    for (size_t i = 0; i < TEXTS; i++)
        if (!same_text(*(char *const *)((const char *)a + texts[i]),
                       *(char *const *)((const char *)b + texts[i])))
            return false;
    return x->type == y->type && x->port == y->port && x->speed == y->speed && x->bits == y->bits &&
           x->stop == y->stop && x->parity == y->parity && x->flow == y->flow && x->rate == y->rate &&
           x->echo == y->echo && memcmp(&a->log, &b->log, sizeof(a->log)) == 0 &&
           memcmp(&a->activity, &b->activity, sizeof(a->activity)) == 0 && a->on_demand == b->on_demand &&
           a->retry_min_ms == b->retry_min_ms && a->retry_max_ms == b->retry_max_ms &&
           a->stable_ms == b->stable_ms && a->idle_ms == b->idle_ms && a->break_ms == b->break_ms &&
           same_access(a, b) && same_breaks(a, b);
}

const char *console_settings_host(const struct console_settings *s)
{
    return s->host ? s->host : s->source.type == SOURCE_AMT ? s->source.host : NULL;
}

static size_t word_length(const char *word)
{
    char quote = '\0';
    size_t n = 0;

    for (; word[n] && (quote || !strchr(" \t\n;&|", word[n])); n++) {
        if (word[n] == quote)
            quote = '\0';
        else if (!quote && (word[n] == '\'' || word[n] == '"'))
            quote = word[n];
    }
    return n;
}

/* The program that a command runs: not what is set for it, which may be a secret, as its arguments may. */
static const char *program_of(const char *command, size_t *n)
{
    for (;;) {
        command += strspn(command, " \t\n");
        *n = word_length(command);
        if (memchr(command, '=', *n) == NULL && !(*n == 4 && memcmp(command, "exec", 4) == 0))
            return command;
        command += *n;
    }
}

char *source_settings_text(const struct source_settings *s)
{
    const char *type = types[s->type], *program;
    size_t n;

    switch (s->type) {
    case SOURCE_UNIX:
        return xasprintf("%s %s", type, s->path);
    case SOURCE_SERIAL:
        return s->speed > 0 ? xasprintf("%s %s %lld %d%c%d", type, s->path, (long long)s->speed, (int)s->bits,
                                        "neoms"[s->parity], (int)s -> stop)
                            : xasprintf("%s %s", type, s->path);
    case SOURCE_TCP:
    case SOURCE_TELNET:
        return xasprintf("%s %s:%d", type, s->host, (int)s->port);
    case SOURCE_NODE:
        return xasprintf("%s %s %s", type, s->host, s->console);
    case SOURCE_EXEC:
        program = program_of(s->command, &n);
        return xasprintf("%s %.*s", type, (int)n, program);
    case SOURCE_AMT:
        return xasprintf("%s %s", type, s->host);
    case SOURCE_TEST:
    case SOURCE_TYPES:
        break;
    }
    return xstrdup(type);
}
