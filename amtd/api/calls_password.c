/* password.list, show, export, saved and forget: passwords that hosts have of their own. They are made by
 * run.start. */
#include <stdlib.h>

#include "amtd/api/calls.h"
#include "amtd/store/passwords.h"
#include "base/clock.h"

static const char *const states[] = {
    [PASSWORD_PROVEN] = "proved", [PASSWORD_NEXT] = "unproved", [PASSWORD_FORMER] = "former"};

static json_t *describe(const struct password_row *row)
{
    json_t *json = json_pack("{s:s, s:s, s:s, s:o, s:I}", "host", row->host, "user", row->user, "state",
                             states[row->state], "since", json_time(row->at_ms), "run", (json_int_t)row->run);

    if (row->password)
        json_object_set_new(json, "password", json_string(secret_str(row->password)));
    return json;
}

/* Those of these hosts (NULL: all); rows and hosts are in the same order of names. */
static int list_rows(struct tx *tx, const char *host, const struct hosts *hosts, bool former, bool open,
                     json_t *out, struct err *err)
{
    struct password_row *rows;
    size_t count, at = 0;
    int status = tx_passwords(tx, host, former, open, &rows, &count, err);

    for (size_t i = 0; i < count; i++) {
        if (status == 0 && (!hosts || hosts_reach(hosts, &at, rows[i].host)))
            json_array_append_new(out, describe(&rows[i]));
        password_row_clear(&rows[i]);
    }
    free(rows);
    return status;
}

int call_password_list(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    bool former = json_is_true(json_object_get(params, "former"));
    struct hosts hosts;
    int status;

    *reply = json_array();
    if (!param_text(params, "target"))
        return list_rows(tx, NULL, NULL, former, false, *reply, err);
    if (tx_target_bare(tx, param_text(params, "target"), &hosts, err) != 0)
        return -1;
    status = list_rows(tx, NULL, &hosts, former, false, *reply, err);
    hosts_clear(&hosts);
    return status;
}

/* Nothing is known: of a host that has none, or of one that is none. */
static int refuse_unknown(struct tx *tx, const char *name, struct err *err)
{
    struct host host;

    if (tx_host_get(tx, name, &host, err) != 0)
        return -1;
    host_clear(&host);
    return err_set(err, CAUSE_NOT_FOUND, "host '%s' has no password of its own", name);
}

/* Also of a host that was removed: its machine still has the password. */
int call_password_show(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    const char *host = param_text(params, "host");

    *reply = json_array();
    if (list_rows(tx, host, NULL, json_is_true(json_object_get(params, "former")), true, *reply, err) != 0)
        return -1;
    if (json_array_size(*reply) == 0)
        return refuse_unknown(tx, host, err);
    return tx_passwords_seen(tx, host, INT64_MAX, clock_wall(clock_system()), err);
}

/* Whether they were kept is told by password.saved. */
int call_password_export(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    json_t *rows = json_array();
    struct hosts hosts;
    int status = 0;

    *reply = json_pack("{s:I, s:o}", "at_ms", (json_int_t)clock_wall(clock_system()), "passwords", rows);
    if (tx_target_bare(tx, param_text(params, "target"), &hosts, err) != 0)
        return -1;
    for (size_t i = 0; i < hosts.count && status == 0; i++) /* no seal is opened but theirs */
        status = list_rows(tx, hosts.items[i].name, NULL, false, true, rows, err);
    hosts_clear(&hosts);
    return status;
}

int call_password_saved(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    int64_t now = clock_wall(clock_system()), known = json_integer_value(json_object_get(params, "at_ms"));
    struct hosts hosts;
    int status = 0;

    if (known > now)
        return err_set(err, CAUSE_INVALID_ARGUMENT, "'at_ms' is that of password.export");
    if (tx_target_bare(tx, param_text(params, "target"), &hosts, err) != 0)
        return -1;
    for (size_t i = 0; i < hosts.count && status == 0; i++)
        status = tx_passwords_seen(tx, hosts.items[i].name, known, now, err);
    hosts_clear(&hosts);
    *reply = json_object();
    return status;
}

int call_password_forget(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    size_t all = 0, count;
    struct hosts hosts;
    int status = 0;

    if (tx_target_bare(tx, param_text(params, "target"), &hosts, err) != 0)
        return -1;
    for (size_t i = 0; i < hosts.count && status == 0; i++) {
        status = tx_password_forget(tx, hosts.items[i].id, clock_wall(clock_system()), &count, err);
        all += status == 0 ? count : 0;
    }
    hosts_clear(&hosts);
    *reply = json_pack("{s:I}", "forgotten", (json_int_t)all);
    return status;
}
