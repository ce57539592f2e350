#include "amtd/own_deeds.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/api/activity.h"
#include "amtd/daemon.h"
#include "base/text.h"
#include "base/xalloc.h"

static void write_down(struct daemon *daemon, const char *by, const char *what, const struct err *err)
{
    activity_write(daemon, &(struct deed){.who = "amtd", .by = by, .what = what, .err = err});
}

/* 'daemon.start {"configuration":"/etc/amtd/amtd.yaml","sha256":"..."}' */
static char *with_configuration(const struct daemon *daemon, const char *call)
{
    const struct config *config = daemon_config(daemon);
    json_t *given = json_pack("{s:s, s:s}", "configuration", config->path, "sha256", config->sum);
    char *text = json_dumps(given, JSON_COMPACT), *what = xasprintf("%s %s", call, text);

    free(text);
    json_decref(given);
    return what;
}

void own_deed_started(struct daemon *daemon)
{
    char *what;

    if (!daemon_config(daemon)->path)
        return;
    what = with_configuration(daemon, "daemon.start");
    write_down(daemon, "start", what, NULL);
    free(what);
}

void own_deed_reloaded(struct daemon *daemon, const struct buf *mistakes)
{
    const char *text = buf_str(mistakes);
    struct err err = ERR_INIT;
    char *what;

    if (text[0]) {
        err_set(&err, CAUSE_INVALID_ARGUMENT, "%.*s", (int)strcspn(text, "\n"), text);
        write_down(daemon, "signal HUP", "daemon.reload", &err);
        return;
    }
    what = with_configuration(daemon, "daemon.reload");
    write_down(daemon, "signal HUP", what, NULL);
    free(what);
}

void own_deed_stopped(struct daemon *daemon, int signal)
{
    char *by = xasprintf("signal %s", sigabbrev_np(signal));

    write_down(daemon, by, "daemon.stop", NULL);
    free(by);
}

/* A run that began by itself. */
static void run_over(void *arg, const struct run_order *order, const struct hosts *hosts,
                     const struct run *record)
{
    char *what = xasprintf("run.start %s %s", order->task->name, order->args_text);
    char *detail = xasprintf("run %lld: %zu %s, %u ok, %u failed", (long long)record->id, hosts->count,
                             text_plural(hosts->count, "host", "hosts"), record->ok, record->failed);
    struct hostlist *names = hostlist_new();

    for (size_t i = 0; i < hosts->count; i++)
        hostlist_add(names, hosts->items[i].name, NULL);
    activity_write(arg, &(struct deed){.who = order->who,
                                       .by = order->by,
                                       .what = what,
                                       .target = order->target,
                                       .hosts = names,
                                       .run = record->id,
                                       .detail = detail,
                                       .result = record->failed > 0 ? "failed" : "ok"});
    hostlist_free(names);
    free(detail);
    free(what);
}

void own_deeds_of_runs(struct run_log *log, struct daemon *daemon)
{
    *log = (struct run_log){daemon, run_over};
}
