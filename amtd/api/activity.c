#include "amtd/api/activity.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/api/denials.h"
#include "amtd/api/syslog_export.h"
#include "amtd/daemon.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

#define TEXT_MAX ((size_t)1 << 20) /* of folded names */

struct writing {
    struct daemon *daemon;
    struct activity a;
};

static int add(struct tx *tx, void *data, struct err *err)
{
    struct writing *w = data;

    return tx_activity_add(tx, &w->a, err);
}

static void added(void *data, const struct err *failure)
{
    struct writing *w = data;

    if (failure)
        log_err(NULL, "activity not written down: %s did %s: %s", w->a.who, w->a.what, failure->text);
    else
        syslog_export_look(daemon_syslog(w->daemon));
    activity_clear(&w->a);
    free(w);
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

static void write_down(struct daemon *daemon, const struct deed *deed)
{
    struct writing *w = xcalloc(1, sizeof(*w));
    struct activity *a = &w->a;

    w->daemon = daemon;
    a->at_ms = clock_wall(clock_system());
    a->who = xstrdup(deed->who);
    a->by = xstrdup(deed->by);
    a->what = xstrdup(deed->what);
    a->target = xstrdup(deed->target);
    a->hosts = folded(deed->hosts);
    a->result = xstrdup(deed->err ? cause_name(deed->err->cause) : deed->result ? deed->result : "ok");
    a->detail = xstrdup(deed->err ? deed->err->text : deed->detail);
    a->run = deed->run;
    store_submit(daemon_store(daemon), add, added, w);
}

void activity_write(struct daemon *daemon, const struct deed *deed)
{
    bool is_denial = deed->err && deed->err->cause == CAUSE_DENIED;

    if (!is_denial || !daemon_denials(daemon) || denials_pass(daemon_denials(daemon), deed->who))
        write_down(daemon, deed);
}

void activity_left_out(void *arg, const char *who, uint32_t count)
{
    struct err err = ERR_INIT;

    err_set(&err, CAUSE_DENIED,
            "%u more of what was denied within a minute: the first %d have rows of their own", count,
            DENIALS_MOST);
    write_down(arg, &(struct deed){.who = who, .by = "amtd", .what = "denied", .err = &err});
}

void activity_purged(void *arg, const char *text, const struct err *failure)
{
    activity_write(
        arg,
        &(struct deed){.who = "amtd", .by = "amtd", .what = "purge.run", .detail = text, .err = failure});
}
