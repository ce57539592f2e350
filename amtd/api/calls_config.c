/* config.check, schema, declare, declared, list, forget: declared configurations. What is done to devices is
 * a run of the task `config`. */
#include <stdlib.h>
#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/daemon.h"
#include "amtd/fleet/declaration.h"
#include "amtd/fleet/declaration_conflict.h"
#include "amtd/store/declarations.h"
#include "base/clock.h"
#include "base/xalloc.h"

static struct declaration *read_params(const json_t *params, json_t **mistakes)
{
    const json_t *text = json_object_get(params, "text");

    return declaration_read(param_text(params, "name"), json_string_value(text), json_string_length(text),
                            mistakes);
}

int call_config_check(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    json_t *mistakes;
    struct declaration *d = read_params(params, &mistakes);

    (void)tx;
    (void)err;
    *reply =
        json_pack("{s:o, s:o}", "mistakes", mistakes, "configuration", d ? declaration_json(d) : json_null());
    declaration_free(d);
    return 0;
}

int call_config_schema(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    (void)tx;
    (void)params;
    (void)err;
    *reply = declaration_schema();
    return 0;
}

static json_t *describe(const struct declared *d)
{
    return json_pack("{s:s, s:s, s:I, s:s, s:o, s:s}", "collection", d->collection, "name", d->name,
                     "version", (json_int_t)d->version, "hash", d->hash, "since", json_time(d->since_ms),
                     "who", d->who);
}

/* --- declare --- */

struct errand {
    struct api_request *rq;
    struct declared declared;
    struct declaration *file;
    json_t *conflicts; /* with what is declared for others */
};

static int declare_work(struct tx *tx, void *data, struct err *err)
{
    struct errand *e = data;

    json_decref(e->conflicts);
    e->conflicts = NULL;
    return tx_declare(tx, &e->declared, err) == 0
               ? tx_declaration_conflicts(tx, e->declared.collection, e->file, NULL, &e->conflicts, err)
               : -1;
}

static void declare_done(void *data, const struct err *failure)
{
    struct errand *e = data;

    if (failure) {
        api_fail(e->rq, failure);
    } else {
        json_t *reply = describe(&e->declared);

        json_object_set(reply, "conflicts", e->conflicts);
        api_reply(e->rq, reply);
    }
    json_decref(e->conflicts);
    declaration_free(e->file);
    declared_clear(&e->declared);
    free(e);
}

void call_config_declare(struct api_request *rq)
{
    const json_t *params = api_params(rq);
    json_t *mistakes;
    struct declaration *d = read_params(params, &mistakes);
    struct err err = ERR_INIT;
    struct errand *e;

    if (!d) {
        declaration_complain(param_text(params, "name"), mistakes, &err);
        api_fail(rq, &err);
    } else {
        e = xcalloc(1, sizeof(*e));
        e->rq = rq;
        e->declared = (struct declared){
            .collection = xstrdup(param_text(params, "collection")),
            .name = xstrdup(d->name),
            .text = xstrdup(param_text(params, "text")),
            .hash = xstrdup(d->hash),
            .who = xstrdup(api_who(rq)),
            .since_ms = clock_wall(clock_system()),
        };
        e->file = d;
        store_submit(daemon_store(api_daemon(rq)), declare_work, declare_done, e);
    }
    json_decref(mistakes);
}

/* --- what is declared --- */

int call_config_declared(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct declared d;

    if (tx_declared(tx, param_text(params, "name"), &d, err) != 0)
        return -1;
    *reply = describe(&d);
    json_object_set_new(*reply, "text", json_string(d.text));
    declared_clear(&d);
    return 0;
}

int call_config_list(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    struct declared *all;
    size_t count;
    int status = tx_declared_list(tx, &all, &count, err);

    (void)params;
    *reply = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(*reply, describe(&all[i]));
        declared_clear(&all[i]);
    }
    free(all);
    return status;
}

int call_config_forget(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    *reply = json_object();
    return tx_declared_forget(tx, param_text(params, "name"), err);
}
