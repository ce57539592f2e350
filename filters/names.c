#include "filters/names.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/xalloc.h"

#define PLACEHOLDERS_MAX 254

const struct builtin_name builtin_names[] = {
    {"management", "management-server", "the server that amtd runs on, as the host sees it"},
    {"dns", "dns-server", "the host's name servers"},
    {"dhcp", "dhcp-server", "the host's DHCP servers"},
    {"gateway", "router", "the host's routers"},
    {"host", "self", "the host's own addresses"},
    {NULL},
};

struct name {
    char *value;    /* NULL: nobody bound it */
    char *fallback; /* the file's default, or NULL */
    char placeholder[sizeof("192.0.2.255")];
    UT_hash_handle hh; /* in order of first mention */
    char name[];
};

struct names {
    struct name *table;
    bool placeholders;
    unsigned placeholder_count;
    names_resolve_fn *resolve;
    void *resolve_arg;
};

struct names *names_new(void)
{
    return xcalloc(1, sizeof(struct names));
}

void names_free(struct names *names)
{
    struct name *name, *next;

    if (!names)
        return;
    HASH_ITER(hh, names->table, name, next)
    {
        HASH_DEL(names->table, name);
        free(name->value);
        free(name->fallback);
        free(name);
    }
    free(names);
}

bool name_is_valid(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n > NAME_MAX_LENGTH)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i]))
            return false;
    return true;
}

const char *name_canonical(const char *name)
{
    for (const struct builtin_name *row = builtin_names; row->name; row++)
        if (row->alias && strcmp(row->alias, name) == 0)
            return row->name;
    return name;
}

bool name_is_builtin(const char *name)
{
    name = name_canonical(name);
    for (const struct builtin_name *row = builtin_names; row->name; row++)
        if (strcmp(row->name, name) == 0)
            return true;
    return false;
}

static struct name *find(const struct names *names, const char *key)
{
    struct name *name;

    HASH_FIND_STR(names->table, key, name);
    return name;
}

static struct name *find_or_add(struct names *names, const char *key)
{
    struct name *name = find(names, key);
    size_t n = strlen(key);

    if (name)
        return name;
    name = xcalloc(1, sizeof(*name) + n + 1);
    memcpy(name->name, key, n + 1);
    HASH_ADD_STR(names->table, name, name);
    return name;
}

static int check(const struct names *names, const char *name, const char *value, struct err *err)
{

    if (!name_is_valid(name))
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "variable '%s': expected 1 to %d letters, digits, '.', '_' or '-'", name,
                       NAME_MAX_LENGTH);
    if (value[strspn(value, " \t,")] == '\0')
        return err_set(err, CAUSE_INVALID_ARGUMENT, "variable '%s' has no value", name);
    if (strchr(value, '@'))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "variable '%s': a value cannot hold another name", name);
    if (!find(names, name_canonical(name)) && HASH_COUNT(names->table) >= NAMES_MAX)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "more than %d variables", NAMES_MAX);
    return 0;
}

int names_set(struct names *names, const char *name, const char *value, struct err *err)
{
    if (check(names, name, value, err) != 0)
        return -1;
    xreplace(&find_or_add(names, name_canonical(name))->value, value);
    return 0;
}

int names_set_default(struct names *names, const char *name, const char *value, struct err *err)
{
    if (check(names, name, value, err) != 0)
        return -1;
    xreplace(&find_or_add(names, name_canonical(name))->fallback, value);
    return 0;
}

void names_forget_defaults(struct names *names)
{
    struct name *name, *next;

    HASH_ITER(hh, names->table, name, next)
    xreplace(&name->fallback, NULL);
}

int names_set_text(struct names *names, const char *text, struct err *err)
{
    const char *equals = strchr(text, '=');
    char *name;
    int rc;

    if (!equals)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': expected NAME=VALUE", text);
    name = xstrndup(text, (size_t)(equals - text));
    rc = names_set(names, name, equals + 1, err);
    free(name);
    return rc;
}

const char *names_get(const struct names *names, const char *name)
{
    const struct name *found = find(names, name_canonical(name));

    if (!found)
        return NULL;
    return found->value ? found->value : found->fallback;
}

/* --- placeholders --- */

void names_use_placeholders(struct names *names)
{
    names->placeholders = true;
}

const char *names_get_or_placeholder(struct names *names, const char *name)
{
    const char *key = name_canonical(name), *value = names_get(names, key);
    struct name *entry;

    if (value || !names->placeholders || !name_is_valid(key))
        return value;
    entry = find_or_add(names, key);
    if (entry->placeholder[0] == '\0') {
        if (names->placeholder_count >= PLACEHOLDERS_MAX)
            return NULL;
        snprintf(entry->placeholder, sizeof(entry->placeholder), "192.0.2.%u", ++names->placeholder_count);
    }
    return entry->placeholder;
}

bool names_placeholder(const struct names *names, size_t i, const char **name, const char **address)
{
    const struct name *entry, *next;

    HASH_ITER(hh, names->table, entry, next)
    {
        if (entry->value || entry->fallback || entry->placeholder[0] == '\0' || i-- > 0)
            continue;
        *name = entry->name;
        *address = entry->placeholder;
        return true;
    }
    return false;
}

/* --- host names --- */

void names_set_resolver(struct names *names, names_resolve_fn *resolve, void *arg)
{
    names->resolve = resolve;
    names->resolve_arg = arg;
}

int names_resolve(const struct names *names, const char *host, struct buf *addresses, struct err *err)
{
    if (!names->resolve)
        return err_set(err, CAUSE_NAME_UNKNOWN, "host name '%s': names are not looked up here", host);
    return names->resolve(names->resolve_arg, host, addresses, err);
}
