#include "amtd/redirect/host_task.h"

#include <stdlib.h>

#include "base/xalloc.h"

struct host_task {
    host_task_done *done; /* NULL: forgotten */
    void *arg;
};

static void refused(void *arg, const struct err *err)
{
    struct host_task *task = arg;

    if (task->done)
        task->done(task->arg, NULL, err);
    free(task);
}

static void report(struct host_task *task, const struct operation *op)
{
    struct err err = ERR_INIT;
    enum cause cause = cause_by_name(op->cause);

    if (op->state != OPERATION_OK) {
        err_set(&err, cause != CAUSE_NONE ? cause : CAUSE_FAULT, "%s", op->message ? op->message : "");
        err_code(&err, "%s", op->code ? op->code : "");
    }
    if (task->done)
        task->done(task->arg, op, err.cause != CAUSE_NONE ? &err : NULL);
    free(task);
}

static void news(void *arg, struct active_run *run)
{
    if (!run_is_over(run))
        return;
    report(arg, run_result(run, 0));
    run_unwatch(run);
}

static void ready(void *arg, struct active_run *run)
{
    (void)arg;
    (void)run;
}

struct host_task *host_task_start(struct redirect *redirect, const char *host, const char *task_name,
                                  json_t *args, const char *who, host_task_done *done, void *arg)
{
    struct host_task *task = xcalloc(1, sizeof(*task));
    struct run_order order = {.parallel = 1, .confirmed = true};
    struct run_watch watch = {.arg = task, .ready = ready, .refused = refused, .news = news};
    struct err err = ERR_INIT;

    task->done = done;
    task->arg = arg;
    order.task = task_by_name(task_name);
    order.args = xcalloc(1, order.task->args_size);
    order.task->parse(order.args, args, &err); /* our own words: they fit */
    order.args_text = json_dumps(args, JSON_COMPACT | JSON_SORT_KEYS);
    order.target = xstrdup(host);
    order.who = xstrdup(who);
    order.by = xstrdup("redirection");
    json_decref(args);
    engine_run(redirect_parts(redirect)->engine, &order, &watch);
    return task;
}

void host_task_forget(struct host_task *task)
{
    if (task)
        task->done = NULL;
}
