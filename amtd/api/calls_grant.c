/* grant.add, list, remove; api.list. */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/api/server.h"
#include "amtd/daemon.h"
#include "base/xalloc.h"

#define NAME_BYTES 256 /* of a user or group */

/* --- one grant --- */

struct change {
    struct api_request *rq;
    struct grant grant;
    int (*change)(struct tx *tx, const struct grant *grant, struct err *err);
};

static int read_grant(const json_t *params, struct grant *grant, struct err *err)
{
    const char *user = param_text(params, "user"), *group = param_text(params, "group");
    const char *name = user ? user : group, *role = param_text(params, "role");

    if (!user == !group)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "expected either 'user' or 'group'");
    if (!name[0] || strlen(name) > NAME_BYTES || strpbrk(name, " \t\n:"))
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' is no name of a user or group", name);
    if (!role_by_name(role, &grant->role))
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "'role': '%s' is not one of watch, operate, quarantine, administer", role);
    grant->group = group != NULL;
    grant->name = xstrdup(name);
    grant->collection = xstrdup(param_text(params, "collection"));
    return 0;
}

static int change_work(struct tx *tx, void *data, struct err *err)
{
    const struct change *c = data;

    return c->change(tx, &c->grant, err);
}

static void change_done(void *data, const struct err *failure)
{
    struct change *c = data;
    struct daemon *d = api_daemon(c->rq);

    if (failure)
        api_fail(c->rq, failure);
    else
        api_reply(c->rq, json_object());
    if (!failure && c->change == tx_grant_add)
        daemon_granted(d);
    else if (!failure)
        daemon_revoked(d, &c->grant);
    grant_clear(&c->grant);
    free(c);
}

static void change(struct api_request *rq,
                   int (*what)(struct tx *tx, const struct grant *grant, struct err *err))
{
    struct change *c = xcalloc(1, sizeof(*c));
    struct err err = ERR_INIT;

    c->rq = rq;
    c->change = what;
    if (read_grant(api_params(rq), &c->grant, &err) == 0) {
        store_submit(daemon_store(api_daemon(rq)), change_work, change_done, c);
        return;
    }
    api_fail(rq, &err);
    grant_clear(&c->grant);
    free(c);
}

void call_grant_add(struct api_request *rq)
{
    change(rq, tx_grant_add);
}

void call_grant_remove(struct api_request *rq)
{
    change(rq, tx_grant_remove);
}

int call_grant_list(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct grant *all;
    size_t count;
    int status = tx_grants(tx, &all, &count, err);

    (void)params;
    *reply = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *json = json_pack("{s:s, s:s, s:s?}", all[i].group ? "group" : "user", all[i].name, "role",
                                 role_name(all[i].role), "collection", all[i].collection);

        json_array_append_new(*reply, json);
        grant_clear(&all[i]);
    }
    free(all);
    return status;
}

/* --- the table itself --- */

static json_t *params_json(const struct api_call *call)
{
    static const char *const types[] = {"string", "integer", "boolean", "object", "array"};
    json_t *json = json_array();

    for (const struct api_param *p = call->params; p && p->name; p++)
        json_array_append_new(json, json_pack("{s:s, s:s, s:b, s:s}", "name", p->name, "type", types[p->type],
                                              "required", (int)p->required, "text", p->text));
    return json;
}

int call_api_list(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    static const char *const scopes[] = {
        [API_ALL] = "every host", [API_ANY] = "any host",    [API_TARGET] = "target",     [API_HOST] = "host",
        [API_RUN] = "run",        [API_CONSOLE] = "console", [API_CONSOLES] = "consoles",
    };

    (void)tx;
    (void)params;
    (void)err;
    *reply = json_array();
    for (const struct api_call *call = api_calls; call->name; call++)
        json_array_append_new(*reply, json_pack("{s:s, s:s, s:s, s:b, s:s, s:o}", "call", call->name, "role",
                                                role_name(call->role), "on", scopes[call->scope], "changes",
                                                (int)!call->quiet, "summary", call->summary, "params",
                                                params_json(call)));
    return 0;
}
