/* profile.put, list, show, remove. */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/store/certificates.h"
#include "base/clock.h"
#include "base/xalloc.h"

static const char *const auths[] = {
    [PROFILE_AUTH_DIGEST] = "digest", [PROFILE_AUTH_KERBEROS] = "kerberos", NULL};
static const char *const tls_modes[] = {[PROFILE_TLS_NONE] = "none",
                                        [PROFILE_TLS_CA] = "ca",
                                        [PROFILE_TLS_PIN] = "pin",
                                        [PROFILE_TLS_OWN] = "own",
                                        NULL};

/* Leaves *out as it is when the parameter is not given. */
static int read_choice(const json_t *params, const char *name, const char *const *choices, int *out,
                       struct err *err)
{
    const char *text = param_text(params, name);
    struct buf all = buf_init(100);

    for (int i = 0; text && choices[i]; i++) {
        if (strcmp(choices[i], text) == 0) {
            *out = i;
            text = NULL;
            break;
        }
        buf_printf(&all, "%s%s", i > 0 ? ", " : "", choices[i]);
    }
    if (text)
        err_set(err, CAUSE_INVALID_ARGUMENT, "'%s': '%s' is not one of %s", name, text, buf_str(&all));
    buf_free(&all);
    return text ? -1 : 0;
}

static int read_number(const json_t *params, const char *name, json_int_t min, json_int_t max, int64_t *out,
                       struct err *err)
{
    const json_t *json = json_object_get(params, name);

    if (!json)
        return 0;
    if (json_integer_value(json) < min || json_integer_value(json) > max)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' must be from %lld to %lld", name, (long long)min,
                       (long long)max);
    *out = json_integer_value(json);
    return 0;
}

/* A path is kept absolute, because amtd and its caller stand in different directories. */
static int read_path(const json_t *params, const char *name, char **out, struct err *err)
{
    const char *text = param_text(params, name);

    if (text && text[0] && text[0] != '/')
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' must be an absolute path, got '%s'", name, text);
    if (text)
        xreplace(out, text[0] ? text : NULL);
    return 0;
}

static int read_settings(const json_t *params, struct profile *p, struct err *err)
{
    int auth = (int)p->auth, tls = (int)p->tls;
    int64_t port = p->port, position = p->position;
    const char *password = param_text(params, "password");

    if (read_choice(params, "auth", auths, &auth, err) != 0 ||
        read_choice(params, "tls", tls_modes, &tls, err) != 0 ||
        read_number(params, "port", 0, 65535, &port, err) != 0 ||
        read_number(params, "position", 1, 1000000, &position, err) != 0 ||
        read_number(params, "connect_ms", 100, 300000, &p->connect_ms, err) != 0 ||
        read_number(params, "request_ms", 100, 600000, &p->request_ms, err) != 0 ||
        read_path(params, "ca_file", &p->ca_file, err) != 0 ||
        read_path(params, "client_cert_file", &p->client_cert_file, err) != 0 ||
        read_path(params, "client_key_file", &p->client_key_file, err) != 0)
        return -1;
    p->auth = (enum profile_auth)auth;
    p->tls = (enum profile_tls)tls;
    p->port = (uint16_t)port;
    p->position = (int)position;
    if (param_text(params, "user"))
        xreplace(&p->user, param_text(params, "user"));
    if (param_text(params, "ccache"))
        xreplace(&p->ccache, param_text(params, "ccache")[0] ? param_text(params, "ccache") : NULL);
    if (json_object_get(params, "old_tls"))
        p->old_tls = json_is_true(json_object_get(params, "old_tls"));
    if (json_object_get(params, "clear_text"))
        p->clear_text = json_is_true(json_object_get(params, "clear_text"));
    if (password) {
        secret_free(p->password);
        p->password = secret_new(password, strlen(password));
    }
    return 0;
}

/* What the settings say together. Names of AMT users: reference wsman.md, section 1.3. */
static int check_settings(const struct profile *p, struct err *err)
{
    if (p->auth == PROFILE_AUTH_DIGEST && (!p->user || !p->user[0]))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "digest needs a 'user'");
    if (p->auth == PROFILE_AUTH_DIGEST && !p->password && !p->seal_broken)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "digest needs a 'password'");
    if (p->user && (strlen(p->user) > 128 || strpbrk(p->user, "\":\r\n")))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "a user name holds no '\"', ':' or line end");
    if (p->old_tls && p->tls != PROFILE_TLS_PIN)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'old_tls' is an exception that needs 'tls' to be pin");
    if (p->tls == PROFILE_TLS_OWN && p->ca_file)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'ca_file' goes with 'tls' ca: own is amtd's own CA");
    if (!p->client_cert_file != !p->client_key_file)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'client_cert_file' and 'client_key_file' go together");
    if (p->client_cert_file && p->tls == PROFILE_TLS_NONE)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "a client certificate goes with 'tls' pin, ca or own; \"\" for 'client_cert_file' and "
                       "'client_key_file' removes it");
    return 0;
}

int call_profile_put(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    const char *name = param_text(params, "name");
    bool replace = json_is_true(json_object_get(params, "replace"));
    struct profile p = {0};
    int status;

    if (name[0] == '\0' || strlen(name) > 64 || strpbrk(name, " \t\r\n,@\"'"))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' is no name for a profile", name);
    if (replace && tx_profile_get(tx, name, &p, err) != 0)
        return -1;
    if (p.tls == PROFILE_TLS_OWN) /* the file is amtd's */
        xreplace(&p.ca_file, NULL);
    xreplace(&p.name, name);
    status = read_settings(params, &p, err);
    if (status == 0)
        status = check_settings(&p, err);
    if (status == 0 && p.tls == PROFILE_TLS_OWN)
        status = tx_authority_need(tx, clock_wall(clock_system()), err);
    if (status == 0)
        status = tx_profile_put(tx, &p, replace, err);
    profile_clear(&p);
    *reply = json_object();
    return status;
}

static void set_text(json_t *json, const char *name, const char *value)
{
    if (value)
        json_object_set_new(json, name, json_string(value));
}

static json_t *describe(const struct profile *p)
{
    json_t *json = json_pack("{s:s, s:i, s:s, s:s, s:b, s:b, s:i, s:I, s:I, s:b}", "name", p->name,
                             "position", p->position, "auth", auths[p->auth], "tls", tls_modes[p->tls],
                             "old_tls", (int)p->old_tls, "clear_text", (int)p->clear_text, "port",
                             (int)p->port, "connect_ms", (json_int_t)p->connect_ms, "request_ms",
                             (json_int_t)p->request_ms, "password", (int)(p->password != NULL));

    set_text(json, "user", p->user);
    set_text(json, "ccache", p->ccache);
    set_text(json, "ca_file", p->ca_file);
    set_text(json, "client_cert_file", p->client_cert_file);
    set_text(json, "client_key_file", p->client_key_file);
    if (p->seal_broken)
        json_object_set_new(json, "seal_broken", json_true());
    return json;
}

int call_profile_list(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct profiles all;

    (void)params;
    if (tx_profiles(tx, &all, err) != 0)
        return -1;
    *reply = json_array();
    for (size_t i = 0; i < all.count; i++)
        json_array_append_new(*reply, describe(&all.items[i]));
    profiles_clear(&all);
    return 0;
}

int call_profile_show(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct profile p;

    if (tx_profile_get(tx, param_text(params, "name"), &p, err) != 0)
        return -1;
    *reply = describe(&p);
    profile_clear(&p);
    return 0;
}

int call_profile_remove(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    *reply = json_object();
    return tx_profile_remove(tx, param_text(params, "name"), err);
}
