#include "amtcli/near_name.h"

#include <string.h>

#include "base/hostlist.h"
#include "base/xalloc.h"

/* What errors begin with, and where target.words has the names of the kind. */
static const struct {
    const char *text;
    const char *field;
} kinds[] = {
    {"there is no host ", "hosts"},
    {"there is no collection ", "collections"},
    {"there is no profile ", "profiles"},
    {"there is no console ", "consoles"},
};

/* One name, without quotation marks. NULL: there are several, or none. */
static char *missing_name(const char *text)
{
    size_t quote = text[0] == '\'', n = strcspn(text + quote, quote ? "'" : ", ");

    return n > 0 && text[quote + n + quote] == '\0' ? xstrndup(text + quote, n) : NULL;
}

static const char *host_at(size_t i, const void *arg)
{
    const struct hostlist *hosts = arg;

    return i < hostlist_count(hosts) ? hostlist_name(hosts, i) : NULL;
}

static const char *item_at(size_t i, const void *arg)
{
    return json_string_value(json_array_get(arg, i));
}

/* pc1 for pc001: the same but for zeros before the number. */
static const char *same_number(const char *name, const struct hostlist *hosts)
{
    size_t stem = strcspn(name, "0123456789");
    const char *digits = name + stem + strspn(name + stem, "0");

    for (size_t i = 0; i < hostlist_count(hosts) && name[stem]; i++) {
        const char *other = hostlist_name(hosts, i);

        if (strncmp(other, name, stem) == 0 && strcmp(other + stem + strspn(other + stem, "0"), digits) == 0)
            return other;
    }
    return NULL;
}

static char *nearest_host(const char *name, const char *folded)
{
    struct hostlist *hosts = folded ? hostlist_parse(folded, NULL) : NULL;
    const char *near = hosts ? same_number(name, hosts) : NULL;
    char *copy;

    if (hosts && !near)
        near = nearest_word(name, host_at, hosts);
    copy = near ? xstrdup(near) : NULL;
    hostlist_free(hosts);
    return copy;
}

static char *nearest(const char *name, const json_t *names)
{
    const char *near;

    if (!json_is_array(names))
        return nearest_host(name, json_string_value(names));
    near = nearest_word(name, item_at, names);
    return near ? xstrdup(near) : NULL;
}

char *near_name(struct context *ctx, const char *text)
{
    struct err err = ERR_INIT;
    json_t *names = NULL;
    char *name = NULL, *near = NULL;
    size_t i = 0, count = sizeof(kinds) / sizeof(kinds[0]);

    while (i < count && strncmp(text, kinds[i].text, strlen(kinds[i].text)) != 0)
        i++;
    if (i < count)
        name = missing_name(text + strlen(kinds[i].text));
    if (name && client_call(ctx->client, "target.words", NULL, NULL, NULL, NULL, &names, &err) == 0)
        near = nearest(name, json_object_get(names, kinds[i].field));
    json_decref(names);
    free(name);
    return near;
}
