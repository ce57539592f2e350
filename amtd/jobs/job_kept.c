/* What a task of a host left going on for those after it: the drives that it has booted from. */
#include <stdlib.h>

#include "amtd/jobs/job_host_internal.h"
#include "base/xalloc.h"

void job_host_keep(struct job_call *call, void *work, void (*release)(void *work),
                   const struct err *(*lost)(const void *work))
{
    struct job_host *h = call->owner;
    struct kept *kept = xcalloc(1, sizeof(*kept));

    kept->task = h->at;
    kept->work = work;
    kept->release = release;
    kept->lost = lost;
    kept->next = h->kept;
    h->kept = kept;
}

bool job_host_release_task(struct job_host *h, size_t task)
{
    bool any = false;

    for (struct kept **at = &h->kept; *at;) {
        struct kept *kept = *at;

        if (kept->task != task) {
            at = &kept->next;
            continue;
        }
        *at = kept->next;
        kept->release(kept->work);
        free(kept);
        any = true;
    }
    return any;
}

void job_host_release(struct job_host *h)
{
    while (h->kept)
        job_host_release_task(h, h->kept->task);
}

struct err job_host_blame(const struct job_host *h, const struct err *failure)
{
    static const enum cause blamed[] = {CAUSE_NOT_SEEN, CAUSE_NOT_REACHED, CAUSE_TIMEOUT};
    struct err err = *failure;
    bool may_be = false;

    for (size_t i = 0; i < sizeof(blamed) / sizeof(blamed[0]); i++)
        may_be = may_be || failure->cause == blamed[i];
    for (const struct kept *kept = h->kept; may_be && kept; kept = kept->next) {
        const struct err *lost = kept->lost(kept->work);

        if (!lost)
            continue;
        err_set(&err, lost->cause, "%s; before that, what '%s' had begun was lost: %s", failure->text,
                h->run->job->tasks[kept->task].name, lost->text);
        err_code(&err, "%s", lost->code);
        break;
    }
    return err;
}
