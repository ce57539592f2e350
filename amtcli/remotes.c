#include "amtcli/remotes.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "base/xalloc.h"

void remote_clear(struct remote *remote)
{
    free(remote->name);
    free(remote->host);
    memset(remote, 0, sizeof(*remote));
}

/* A file of ~/.config/amtd. The caller's; NULL and err. */
static char *file_path(const char *name, struct err *err)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

    if (config && config[0] == '/')
        return xasprintf("%s/amtd/%s", config, name);
    if (home && home[0] == '/')
        return xasprintf("%s/.config/amtd/%s", home, name);
    err_set(err, CAUSE_INVALID_ARGUMENT,
            "HOME is not set: there is no place for the servers that were joined");
    return NULL;
}

static int make_directory(const char *file, struct err *err)
{
    char *path = xstrdup(file);
    int status = 0;

    for (char *p = strchr(path + 1, '/'); p && status == 0; p = strchr(p + 1, '/')) {
        *p = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
        *p = '/';
    }
    free(path);
    return status;
}

/* --- the list --- */

/* New reference; an empty one when there is no file. NULL and err. */
static json_t *load(struct err *err)
{
    char *path = file_path("servers.json", err);
    json_t *json = NULL;
    json_error_t where;

    if (path && access(path, F_OK) != 0)
        json = json_pack("{s:[]}", "servers");
    else if (path && !(json = json_load_file(path, JSON_REJECT_DUPLICATES, &where)))
        err_set(err, CAUSE_INVALID_ARGUMENT, "%s:%d: %s", path, where.line, where.text);
    if (json && !json_is_array(json_object_get(json, "servers"))) {
        err_set(err, CAUSE_INVALID_ARGUMENT, "%s: expected \"servers\", a list", path);
        json_decref(json);
        json = NULL;
    }
    free(path);
    return json;
}

static int save(const json_t *json, struct err *err)
{
    char *path = file_path("servers.json", err), *fresh = NULL;
    int status = path ? make_directory(path, err) : -1;

    if (status == 0) {
        fresh = xasprintf("%s.new", path);
        if (json_dump_file(json, fresh, JSON_INDENT(2)) != 0 || rename(fresh, path) != 0)
            status = err_set_errno(err, CAUSE_SYSTEM, errno, "%s", path);
    }
    free(fresh);
    free(path);
    return status;
}

static bool read_pin(const char *hex, uint8_t pin[PEER_PIN])
{
    for (size_t i = 0; i < PEER_PIN; i++) {
        unsigned byte;

        if (!hex || strlen(hex) != 2 * PEER_PIN || sscanf(hex + 2 * i, "%2x", &byte) != 1)
            return false;
        pin[i] = (uint8_t)byte;
    }
    return true;
}

static bool read_entry(const json_t *entry, struct remote *remote)
{
    const char *name = json_string_value(json_object_get(entry, "name"));
    const char *host = json_string_value(json_object_get(entry, "host"));
    json_int_t port = json_integer_value(json_object_get(entry, "port"));

    memset(remote, 0, sizeof(*remote));
    if (!name || !host || port < 1 || port > 65535 ||
        !read_pin(json_string_value(json_object_get(entry, "pin")), remote->pin))
        return false;
    remote->name = xstrdup(name);
    remote->host = xstrdup(host);
    remote->port = (uint16_t)port;
    return true;
}

/* By its name, or by its address; port 0: whatever. */
static bool is_meant(const struct remote *r, const char *server, const char *host, uint16_t port)
{
    return strcmp(r->name, server) == 0 ||
           (host && strcmp(r->host, host) == 0 && (port == 0 || r->port == port));
}

static bool find(const json_t *json, const char *server, struct remote *remote)
{
    char *host = NULL;
    uint16_t port = 0;
    size_t i;
    json_t *entry;
    bool found = false, named = peer_address_read(server, &host, &port);
    const char *colon = named ? server + strlen(host) + 2 * (size_t)(server[0] == '[') : "";

    json_array_foreach(json_object_get(json, "servers"), i, entry)
    {
        if (!read_entry(entry, remote))
            continue;
        found = is_meant(remote, server, host, *colon == ':' ? port : 0);
        if (found)
            break;
        remote_clear(remote);
    }
    free(host);
    return found;
}

static bool has_ca(void)
{
    char *path = file_path("ca.crt", NULL);
    bool there = path && access(path, R_OK) == 0;

    free(path);
    return there;
}

int remotes_choose(const char *server, struct remote *remote, struct err *err)
{
    const char *socket = getenv("AMTD_SOCKET"), *dir = getenv("AMTD_STATE_DIR");
    json_t *json;
    int status = 1;

    memset(remote, 0, sizeof(*remote));
    if (!server && ((socket && socket[0]) || (dir && dir[0]) || !getenv("HOME")))
        return 0;
    json = load(err);
    if (!json)
        return -1;
    if (!server)
        server = json_string_value(json_object_get(json, "default"));
    if (!server) {
        status = 0;
    } else if (!find(json, server, remote)) {
        remote->by_ca = has_ca() && peer_address_read(server, &remote->host, &remote->port);
        if (!remote->by_ca)
            status =
                err_set(err, CAUSE_NOT_FOUND, "you have not joined a server '%s': amtcli join TOKEN", server);
    }
    json_decref(json);
    return status;
}

int remotes_add(const struct remote *remote, bool is_default, struct err *err)
{
    struct buf pin = buf_init(2 * PEER_PIN);
    json_t *json = load(err), *list = json_object_get(json, "servers"), *entry;
    int status = -1;

    if (json) {
        text_hex(&pin, remote->pin, PEER_PIN, false);
        for (size_t i = json_array_size(list); i-- > 0;) {
            const char *name = json_string_value(json_object_get(json_array_get(list, i), "name"));

            if (name && strcmp(name, remote->name) == 0)
                json_array_remove(list, i);
        }
        entry = json_pack("{s:s, s:s, s:i, s:s}", "name", remote->name, "host", remote->host, "port",
                          (int)remote->port, "pin", buf_str(&pin));
        json_array_append_new(list, entry);
        if (is_default)
            json_object_set_new(json, "default", json_string(remote->name));
        status = save(json, err);
    }
    json_decref(json);
    buf_free(&pin);
    return status;
}

/* --- who this user is --- */

struct identity *remotes_own_identity(struct err *err)
{
    char *path = file_path("client.pem", err);
    struct identity *identity = NULL;

    if (path && make_directory(path, err) == 0)
        identity = identity_open(path, NULL, err);
    free(path);
    return identity;
}

struct identity *remotes_identity(const struct remote *remote, struct err *err)
{
    char *cert, *key, *ca;
    struct identity *identity = NULL;

    if (!remote->by_ca)
        return remotes_own_identity(err);
    cert = file_path("client.crt", err);
    key = file_path("client.key", err);
    ca = file_path("ca.crt", err);
    if (cert && key && ca)
        identity = identity_from_files(cert, key, ca, err);
    free(cert);
    free(key);
    free(ca);
    return identity;
}
