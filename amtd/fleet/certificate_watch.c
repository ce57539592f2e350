#include "amtd/fleet/certificate_watch.h"

#include <stdlib.h>

#include "amtd/fleet/tasks.h"
#include "amtd/store/certificates.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

#define LOOK_MS (3600 * 1000)

struct certificate_watch {
    uv_timer_t timer; /* first */
    struct store *store;
    struct engine *engine;
    struct events *events;
    const struct clock *clock;
    bool looking, again; /* once more: something happened while it looked */
    bool closing;
};

/* One look at the store. */
struct look {
    struct certificate_watch *watch;
    int64_t now_ms;
    struct certificate_notice *notices;
    size_t count;
};

static void look(struct certificate_watch *w);

static void closed(uv_handle_t *handle)
{
    free(handle);
}

static void tell(const struct certificate_watch *w, const struct certificate_notice *notice, int64_t now_ms)
{
    char until[CLOCK_TEXT_MAX];
    bool over = notice->until_ms <= now_ms;
    char *text;

    clock_text(notice->until_ms, until);
    text = notice->renewed ? xasprintf("a new certificate is in use, valid until %s", until)
                           : xasprintf("the certificate %s %s", over ? "has ended" : "ends", until);
    event_raise(w->events, &(struct event_report){.kind = notice->renewed ? EVENT_CERTIFICATE_RENEWED
                                                                          : EVENT_CERTIFICATE_EXPIRES,
                                                  .severity = notice->renewed ? SEVERITY_INFO
                                                              : over          ? SEVERITY_CRITICAL
                                                                              : SEVERITY_WARNING,
                                                  .host = notice->host,
                                                  .text = text,
                                                  .data = json_pack("{s:s}", "until", until)});
    free(text);
}

static int look_work(struct tx *tx, void *data, struct err *err)
{
    struct look *l = data;

    return tx_certificate_notices(tx, l->now_ms, &l->notices, &l->count, err);
}

static void looked(void *data, const struct err *failure)
{
    struct look *l = data;
    struct certificate_watch *w = l->watch;

    if (failure)
        log_warn(NULL, "certificates: %s", failure->text);
    for (size_t i = 0; i < l->count; i++) {
        if (!failure && !w->closing)
            tell(w, &l->notices[i], l->now_ms);
        certificate_notice_clear(&l->notices[i]);
    }
    free(l->notices);
    free(l);
    w->looking = false;
    if (w->closing)
        uv_close((uv_handle_t *)&w->timer, closed);
    else if (w->again)
        look(w);
}

static void look(struct certificate_watch *w)
{
    struct look *l;

    w->again = w->looking;
    if (w->looking)
        return;
    w->looking = true;
    l = xcalloc(1, sizeof(*l));
    l->watch = w;
    l->now_ms = clock_wall(w->clock);
    store_submit_later(w->store, look_work, looked, l);
}

static void on_look(uv_timer_t *timer)
{
    look((struct certificate_watch *)timer);
}

static void run_over(void *arg, const struct run_order *order)
{
    if (order->task == &task_certificate)
        look(arg);
}

struct certificate_watch *certificate_watch_new(uv_loop_t *loop, struct store *store, struct engine *engine,
                                                struct events *events, const struct clock *clock)
{
    struct certificate_watch *w = xcalloc(1, sizeof(*w));

    w->store = store;
    w->engine = engine;
    w->events = events;
    w->clock = clock;
    uv_timer_init(loop, &w->timer);
    uv_timer_start(&w->timer, on_look, 0, LOOK_MS);
    uv_unref((uv_handle_t *)&w->timer);
    engine_on_over(engine, run_over, w);
    return w;
}

void certificate_watch_free(struct certificate_watch *w)
{
    if (!w)
        return;
    w->closing = true;
    uv_timer_stop(&w->timer);
    engine_off_over(w->engine, w);
    if (!w->looking)
        uv_close((uv_handle_t *)&w->timer, closed);
}
