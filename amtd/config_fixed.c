/* The options that count from the start on: what the file says of them is kept as text, so that a reload can
 * name those that changed, whatever the command line and the environment said. */
#include <stdlib.h>
#include <string.h>

#include "amtd/config.h"
#include "amtd/config_reader.h"
#include "base/text.h"
#include "base/xalloc.h"

#define FIXED_MAX (1024 * 1024)

/* Options that a reload follows. */
static const char *const followed[] = {"console-activity",
                                       "console-defaults",
                                       "consoles",
                                       "events",
                                       "keep",
                                       "patterns",
                                       "nodes",
                                       "servers",
                                       "tls",
                                       "reactions",
                                       "mail"};

static bool is_followed(const char *name)
{
    for (size_t i = 0; i < sizeof(followed) / sizeof(followed[0]); i++)
        if (strcmp(followed[i], name) == 0)
            return true;
    return false;
}

/* --- values as text: one line each, whatever is in them --- */

static void put_text(struct buf *out, const char *text)
{
    buf_putc(out, ' ');
    if (text)
        text_printable(out, text, strlen(text));
    else
        buf_putc(out, '-');
}

static void put_listen(struct buf *out, const struct config *config)
{
    put_text(out, config->listen);
    buf_printf(out, " %lld", (long long)config->listen_port);
}

static void put_name(struct buf *out, const struct config *config)
{
    put_text(out, config->name);
}

static void put_management(struct buf *out, const struct config *config)
{
    put_text(out, config->management);
}

static void put_allow(struct buf *out, const struct config *config)
{
    for (size_t i = 0; i < config->allow_count; i++) {
        put_text(out, config->allow[i].user);
        put_text(out, config->allow[i].group);
        put_text(out, config->allow[i].certificate);
        buf_printf(out, " %d", config->allow[i].role);
    }
}

static void put_alerts(struct buf *out, const struct config *config)
{
    put_text(out, config->alerts.listen);
    put_text(out, config->alerts.url);
    put_text(out, config->alerts.traps);
    put_text(out, config->alerts.traps_at);
}

static const struct {
    const char *name;
    void (*put)(struct buf *out, const struct config *config);
} others[] = {
    {"alerts", put_alerts},         {"allow", put_allow}, {"listen", put_listen},
    {"management", put_management}, {"name", put_name},
};

static void put_value(struct buf *out, const struct config *config, const struct option *option)
{
    const char *at = (const char *)config + option->offset;

    switch (option->type) {
    case OPTION_TEXT:
        put_text(out, *(char *const *)at);
        break;
    case OPTION_CHOICE:
        buf_printf(out, " %d", *(const int *)at);
        break;
    case OPTION_NUMBER:
    case OPTION_DURATION:
    case OPTION_SIZE:
        buf_printf(out, " %lld", (long long)*(const int64_t *)at);
        break;
    case OPTION_BOOLEAN:
        buf_printf(out, " %d", *(const bool *)at);
        break;
    case OPTION_OTHER:
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
            if (strcmp(others[i].name, option->name) == 0)
                others[i].put(out, config);
        break;
    }
}

void config_note_fixed(struct config *config, const struct option *options, size_t count)
{
    struct buf out = buf_init(FIXED_MAX);

    for (size_t i = 0; i < count; i++) {
        if (is_followed(options[i].name))
            continue;
        buf_puts(&out, options[i].name);
        put_value(&out, config, &options[i]);
        buf_putc(&out, '\n');
    }
    xreplace(&config->fixed, buf_str(&out));
    buf_free(&out);
}

void config_compare_fixed(const struct config *running, const struct config *fresh, struct buf *names)
{
    const char *a = running->fixed ? running->fixed : "", *b = fresh->fixed ? fresh->fixed : "";
    bool first = true;

    while (*a && *b) { /* the same options in the same order */
        size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");

        if (n != m || memcmp(a, b, n) != 0) {
            buf_puts(names, first ? "" : ", ");
            buf_add(names, a, strcspn(a, " \n"));
            first = false;
        }
        a += n + (a[n] == '\n');
        b += m + (b[m] == '\n');
    }
}
