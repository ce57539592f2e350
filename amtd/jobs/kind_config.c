/* config: as `amtcli config apply` does it. */
#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/declaration.h"
#include "amtd/jobs/kinds.h"
#include "base/xalloc.h"

static const struct job_param params[] = {
    {"apply", JOB_PARAM_FILE, .field = "file", .main = true,
     .text = "the configuration that devices are to have"},
    {"collection", JOB_PARAM_TEXT, .max = 64, .text = "the one that is declared for this collection"},
    {"force", JOB_PARAM_BOOL, .standard = "false", .text = "also what moves devices to other addresses"},
    {NULL},
};

static int config_shape(json_t **args, struct err *err)
{
    bool file = json_object_get(*args, "file"), collection = json_object_get(*args, "collection");

    json_object_set_new(*args, "action", json_string("apply"));
    return file != collection ? 0 : err_set(err, CAUSE_INVALID_ARGUMENT, "either 'apply' or 'collection'");
}

/* --- taking back --- */

/* What a device had may be nothing that can be declared: then it stays as it is now, and the rest goes back.
 */
static bool is_declarable(const char *section, const char *name, const json_t *value)
{
    json_t *file = json_pack("{s:{s:O}}", section, name, value), *mistakes;
    char *text = json_dumps(file, JSON_COMPACT);
    struct declaration *d = declaration_read("before", text, strlen(text), &mistakes);
    bool good = d != NULL;

    declaration_free(d);
    json_decref(mistakes);
    json_decref(file);
    free(text);
    return good;
}

/* The value in the form of a file, or NULL: it is not told. */
static json_t *value_of(const char *setting, const char *was)
{
    json_t *list;
    char *text, *at, *one;

    if (!was || !was[0] || strcmp(was, "?") == 0 || strcmp(setting, "clock.within") == 0)
        return NULL;
    if (strcmp(setting, "wireless.link-policy") != 0)
        return json_string(was);
    list = json_array();
    text = at = xstrdup(was);
    while ((one = strsep(&at, ",")))
        json_array_append_new(list, json_string(one));
    free(text);
    return list;
}

static bool is_address(const char *name)
{
    static const char *const names[] = {"address", "mask", "gateway", "dns", "dns-2", NULL};

    for (size_t i = 0; names[i]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* How the wired port had its address is known whole, or not at all: a half of it is no way back. */
static void check_port(json_t *network, bool moved)
{
    const char *how = json_string_value(json_object_get(network, "ipv4")), *name;
    bool is_static = how && strcmp(how, "static") == 0;
    bool whole = is_static && json_object_get(network, "address") && json_object_get(network, "mask");
    void *next;
    json_t *value;

    if (moved && whole)
        return;
    json_object_foreach_safe(network, next, name, value)
    {
        if (is_address(name))
            json_object_del(network, name);
    }
    if (!moved || is_static)
        json_object_del(network, "ipv4");
}

/* The address that the port had by DHCP, and will most likely have again; NULL: none. */
static char *lease_of(const json_t *network, bool moved)
{
    const char *how = json_string_value(json_object_get(network, "ipv4"));
    const char *address = json_string_value(json_object_get(network, "address"));

    return moved && how && strcmp(how, "dhcp") == 0 && address ? xstrdup(address) : NULL;
}

/* What the task changed, as it was before: as a file, which JSON is, too. The values of the port's addresses
 * are taken as a whole, also those that were right. */
static json_t *config_undo(const json_t *args, const struct operation *was, const char **task)
{
    json_t *detail = was->detail ? json_loads(was->detail, 0, NULL) : NULL, *file = json_object(), *row;
    char *text = NULL, *leased;
    bool moved = false;
    size_t i;

    (void)args;
    (void)task;
    json_array_foreach(json_object_get(detail, "settings"), i, row)
    {
        const char *setting = json_string_value(json_object_get(row, "setting"));
        const char *state = json_string_value(json_object_get(row, "state"));
        const char *name = setting ? strchr(setting, '.') : NULL;
        bool changed = state && strcmp(state, "changed") == 0, port;
        json_t *section, *value;
        char *of;

        if (!name)
            continue;
        port = is_address(name + 1) || strcmp(name, ".ipv4") == 0;
        moved = moved || (changed && port);
        value = changed ? value_of(setting, json_string_value(json_object_get(row, "was")))
                : port  ? value_of(setting, json_string_value(json_object_get(row, "is")))
                        : NULL;
        if (!value)
            continue;
        of = xstrndup(setting, (size_t)(name - setting));
        if (!port && !is_declarable(of, name + 1, value)) {
            json_decref(value);
            free(of);
            continue;
        }
        if (!(section = json_object_get(file, of)))
            json_object_set_new(file, of, section = json_object());
        json_object_set_new(section, name + 1, value);
        free(of);
    }
    leased = lease_of(json_object_get(file, "network"), moved);
    check_port(json_object_get(file, "network"), moved);
    if (json_object_size(json_object_get(file, "network")) == 0)
        json_object_del(file, "network");
    if (json_object_size(file) > 0)
        text = json_dumps(file, JSON_COMPACT);
    json_decref(detail);
    json_decref(file);
    detail = text ? json_pack("{s:s, s:b, s:s*, s:{s:s, s:s}}", "action", "apply", "force", 1, "expect",
                              leased, "file", "name", "before", "text", text)
                  : NULL;
    free(leased);
    free(text);
    return detail;
}

/* What is right already is left alone: done anew, it finds what is missing. */
const struct job_kind job_kind_config = {
    .name = "config",
    .text = "make a device's settings what they are declared to be",
    .params = params,
    .task = "config",
    .role = JOB_ADMINISTERS,
    .shape = config_shape,
    .undo = config_undo,
    .recalls = true,
};
