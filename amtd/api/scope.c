#include "amtd/api/scope.h"

#include <string.h>

#include "amtd/api/calls.h"
#include "amtd/api/console_json.h"
#include "amtd/daemon.h"

/* Somewhere at least. */
static int check_any(const struct api_request *rq, enum api_role role, struct err *err)
{
    if (reach_highest(api_reach(rq)) >= role)
        return 0;
    return err_set(err, CAUSE_DENIED, "this needs the role '%s', which %s does not have on any host",
                   role_name(role), api_who(rq));
}

static int check_host(const struct api_request *rq, enum api_role role, struct err *err)
{
    return api_require_on(rq, param_text(api_params(rq), "host"), role, err);
}

/* A run that is neither his nor one of somebody who watches every host is not there for him. */
static int check_job(const struct api_request *rq, const struct job_run *run, enum api_role role,
                     struct err *err)
{
    struct actor actor = {.who = api_who(rq), .reach = api_reach(rq), .need = role};
    enum api_role of_job = job_role(job_run_job(run));

    if (reach_everywhere(actor.reach) < ROLE_WATCH && strcmp(job_run_order(run)->who, actor.who) != 0)
        return err_set(err, CAUSE_NOT_FOUND, "run %lld of a job is not under way",
                       (long long)job_run_record(run)->run.id);
    if (role > ROLE_WATCH && of_job > role)
        actor.need = of_job;
    return actor_check(&actor, job_run_hosts(run), err);
}

static int check_run(const struct api_request *rq, enum api_role role, struct err *err)
{
    json_int_t id = json_integer_value(json_object_get(api_params(rq), "run"));
    const struct active_run *run = engine_find(daemon_engine(api_daemon(rq)), id);
    const struct job_run *job = jobs_find(daemon_jobs(api_daemon(rq)), id);
    struct actor actor = {.who = api_who(rq), .reach = api_reach(rq), .need = role};

    if (job)
        return check_job(rq, job, role, err);
    if (!run || !run_is_ready(run))
        return check_any(rq, role, err);
    if (run_order(run)->need > role)
        actor.need = run_order(run)->need;
    return actor_check(&actor, run_hosts(run), err);
}

static int check_console(const struct api_request *rq, enum api_role role, struct err *err)
{
    struct console *console;

    return console_param(rq, role >= ROLE_OPERATE ? RIGHT_WRITE : RIGHT_WATCH, &console, err);
}

/* Anybody may ask: a console may have rules of its own. The handler leaves out what he may not. */
static int check_consoles(const struct api_request *rq, enum api_role role, struct err *err)
{
    (void)rq;
    (void)role;
    (void)err;
    return 0;
}

int scope_check(const struct api_request *rq, const struct api_call *call, struct err *err)
{
    static int (*const checks[])(const struct api_request *rq, enum api_role role, struct err *err) = {
        [API_ALL] = api_require,         [API_ANY] = check_any, [API_TARGET] = check_any,
        [API_HOST] = check_host,         [API_RUN] = check_run, [API_CONSOLE] = check_console,
        [API_CONSOLES] = check_consoles,
    };

    return checks[call->scope](rq, call->role, err);
}
