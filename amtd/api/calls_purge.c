/* purge.run, purge.show: what was kept long enough. */
#include "amtd/api/calls.h"
#include "amtd/daemon.h"
#include "amtd/fleet/purge.h"

static void over(void *arg, const json_t *report, const struct err *failure)
{
    if (failure)
        api_fail(arg, failure);
    else
        api_reply(arg, json_incref((json_t *)report));
}

void call_purge_run(struct api_request *rq)
{
    bool dry = json_is_true(json_object_get(api_params(rq), "dry_run"));
    struct err err = ERR_INIT;

    if (purges_run(daemon_purges(api_daemon(rq)), dry, over, rq, &err) != 0)
        api_fail(rq, &err);
}

void call_purge_show(struct api_request *rq)
{
    api_reply(rq, purges_json(daemon_purges(api_daemon(rq))));
}
