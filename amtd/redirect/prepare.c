#include "amtd/redirect/prepare.h"

#include <stdlib.h>

#include "amtd/redirect/host_task.h"
#include "base/xalloc.h"

struct preparation {
    struct host_task *task;
    prepare_done *done;
    void *arg;
};

static void task_done(void *arg, const struct operation *op, const struct err *failure)
{
    struct preparation *preparation = arg;
    struct prepared prepared = {.changes = op ? op->message : NULL, .holder = ""};
    json_t *detail = op && op->detail ? json_loads(op->detail, 0, NULL) : NULL;
    const char *holder = json_string_value(json_object_get(detail, "holder"));

    prepared.waits = json_is_true(json_object_get(detail, "waits"));
    prepared.code_timeout_s = json_integer_value(json_object_get(detail, "code_timeout_s"));
    if (holder)
        prepared.holder = holder;
    preparation->done(preparation->arg, failure ? NULL : &prepared, failure);
    json_decref(detail);
    free(preparation);
}

struct preparation *prepare_start(struct redirect *redirect, const char *host, const char *kind, bool look,
                                  prepare_done *done, void *arg)
{
    struct preparation *preparation = xcalloc(1, sizeof(*preparation));
    json_t *args = json_pack("{s:s, s:b, s:b}", "kind", kind, "look", look, "consent", !look);

    preparation->done = done;
    preparation->arg = arg;
    preparation->task = host_task_start(redirect, host, "prepare", args, "amtd", task_done, preparation);
    return preparation;
}

void prepare_forget(struct preparation *preparation)
{
    if (!preparation)
        return;
    host_task_forget(preparation->task);
    free(preparation);
}
