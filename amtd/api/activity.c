#include "amtd/api/activity.h"

#include <stdlib.h>

#include "amtd/daemon.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

#define TEXT_MAX ((size_t)1 << 20) /* of folded names */

static int add(struct tx *tx, void *data, struct err *err)
{
    return tx_activity_add(tx, data, err);
}

static void added(void *data, const struct err *failure)
{
    struct activity *a = data;

    if (failure)
        log_err(NULL, "activity not written down: %s did %s: %s", a->who, a->what, failure->text);
    activity_clear(a);
    free(a);
}

static char *folded(const struct hostlist *hosts)
{
    struct buf text = buf_init(TEXT_MAX);
    char *out = NULL;

    if (hosts && hostlist_count(hosts) > 0) {
        hostlist_fold(hosts, &text);
        out = xstrdup(buf_str(&text));
    }
    buf_free(&text);
    return out;
}

void activity_write(struct daemon *daemon, const struct deed *deed)
{
    struct activity *a = xcalloc(1, sizeof(*a));

    a->at_ms = clock_wall(clock_system());
    a->who = xstrdup(deed->who);
    a->by = xstrdup(deed->by);
    a->what = xstrdup(deed->what);
    a->target = xstrdup(deed->target);
    a->hosts = folded(deed->hosts);
    a->result = xstrdup(deed->err ? cause_name(deed->err->cause) : deed->result ? deed->result : "ok");
    a->detail = xstrdup(deed->err ? deed->err->text : deed->detail);
    a->run = deed->run;
    store_submit(daemon_store(daemon), add, added, a);
}
