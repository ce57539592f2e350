#include "amtd/fleet/filter_watch.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/task_filter.h"
#include "amtd/fleet/tasks.h"
#include "amtd/store/filters.h"
#include "base/hostlist.h"
#include "base/log.h"
#include "base/text.h"
#include "base/xalloc.h"

#define LOOK_MOST_MS 60000 /* between two looks while something is due some day */
#define LOOK_SOON_MS 1000  /* after a run of ours began */
#define NAMES_MAX    (8u << 20)
#define DUE_MAX      1000 /* hosts in one run; the others come after */

/* What there is to do: one run each at a time. The first are in the order of filter_when_names. */
enum kind { KIND_UNDO, KIND_UNDO_AGENT, KIND_UNDO_WORM, KIND_REPAIR, KINDS };

#define TIME_IS_OVER "the time of filters is over, or nobody confirmed them"

static const struct {
    enum filter_action action;
    int when;
    const char *why;
} kinds[KINDS] = {
    [KIND_UNDO] = {FILTER_DO_UNDO, 0, TIME_IS_OVER},
    [KIND_UNDO_AGENT] = {FILTER_DO_UNDO, 1, TIME_IS_OVER},
    [KIND_UNDO_WORM] = {FILTER_DO_UNDO, 2, TIME_IS_OVER},
    [KIND_REPAIR] = {FILTER_DO_REPAIR, 0, "a run on filters did not come to its end"},
};

/* What one look at the store found. */
struct look {
    struct filter_watch *watch;
    struct buf names[KINDS]; /* joined by ',' */
    size_t count[KINDS];
    int64_t next_ms; /* until the next moment; -1 none */
};

struct filter_watch {
    uv_timer_t timer; /* first: freed in its close callback */
    struct store *store;
    struct engine *engine;
    bool looking, again, closing;
    bool pending;
    struct watched {
        struct filter_watch *watch;
        bool running;
        uint64_t next_ms; /* on the loop's clock: what a run of ours left is taken up no sooner */
    } runs[KINDS];
};

/* --- runs --- */

static void look(struct filter_watch *w);

static void maybe_close(struct filter_watch *w);

static void run_ready(void *arg, struct active_run *run)
{
    (void)arg;
    (void)run;
}

static void run_refused(void *arg, const struct err *err)
{
    struct watched *run = arg;

    log_err(NULL, "filters: %s", err->text);
    run->running = false;
    maybe_close(run->watch);
}

static void run_news(void *arg, struct active_run *run)
{
    struct watched *watched = arg;

    if (!run_is_over(run))
        return;
    watched->running = false;
    run_unwatch(run);
    maybe_close(watched->watch);
}

static void start_run(struct filter_watch *w, enum kind kind, const char *names, size_t count)
{
    struct run_watch watch = {&w->runs[kind], run_ready, run_refused, run_news};
    struct filter_args *args = xcalloc(1, task_filter.args_size);
    struct run_order order = {
        .task = &task_filter,
        .args = args,
        .target = xstrdup(names),
        .who = xstrdup("amtd"),
        .by = xstrdup("filters"),
        .parallel = RUN_PARALLEL_DEFAULT,
        .confirmed = true,
    };

    args->action = (int)kinds[kind].action;
    args->when = kinds[kind].when;
    order.args_text = filter_describe(args);
    w->runs[kind].running = true;
    w->runs[kind].next_ms = uv_now(w->timer.loop) + LOOK_SOON_MS;
    log_info(NULL, "filters: %s on %zu %s: %s", kinds[kind].why, count, text_plural(count, "host", "hosts"),
             filter_action_names[args->action]);
    engine_run(w->engine, &order, &watch);
}

/* --- looking --- */

static void add_name(struct look *l, enum kind kind, const char *name)
{
    if (l->count[kind] < DUE_MAX)
        buf_printf(&l->names[kind], "%s%s", l->count[kind] > 0 ? "," : "", name);
    l->count[kind]++;
}

static void wait_for(struct look *l, int64_t left_ms)
{
    if (left_ms > 0 && (l->next_ms < 0 || left_ms < l->next_ms))
        l->next_ms = left_ms;
}

/* A claim without a next moment is of a run under way: its end brings the next look. */
static void look_at_claim(struct look *l, const struct filter_claim *claim, const struct moment *now)
{
    int64_t left = claim->journal ? moment_left_ms(&claim->next, now) : -1;

    wait_for(l, left);
    if (left == 0)
        add_name(l, KIND_REPAIR, claim->host);
}

/* Where somebody is at the host, what is due there comes after him; after a repair by the look that it
 * brings. */
static int look_at_row(struct tx *tx, struct look *l, struct filter_row *row,
                       const struct filter_claim *claim, const struct moment *now, struct err *err)
{
    bool confirm = moment_follow(&row->confirm, now), until = moment_follow(&row->until, now);
    int64_t lefts[] = {moment_left_ms(&row->confirm, now), moment_left_ms(&row->until, now)};
    bool due = lefts[0] == 0 || lefts[1] == 0;
    const char *when = filter_when_name(row->owner);

    wait_for(l, lefts[0]);
    wait_for(l, lefts[1]);
    if (due && claim && claim->next.wall_ms == 0)
        wait_for(l, LOOK_SOON_MS);
    for (int kind = 0; due && !claim && when && kind < (int)FILTER_WHENS; kind++)
        if (strcmp(filter_when_names[kinds[kind].when], when) == 0)
            add_name(l, (enum kind)kind, row->host);
    return confirm || until ? tx_filter_put(tx, row, err) : 0;
}

/* Both lists are in the order of the hosts' names. */
static int look_at_all(struct tx *tx, struct look *l, struct filter_row *rows, size_t row_count,
                       const struct filter_claim *claims, size_t claim_count, struct err *err)
{
    struct moment now = moment_now();
    const struct filter_claim *claim;
    size_t at = 0;
    int status = 0;

    for (size_t i = 0; i < claim_count; i++)
        look_at_claim(l, &claims[i], &now);
    for (size_t i = 0; i < row_count && status == 0; i++) {
        while (at < claim_count && hostlist_compare_names(claims[at].host, rows[i].host) < 0)
            at++;
        claim = at < claim_count && claims[at].host_id == rows[i].host_id ? &claims[at] : NULL;
        status = look_at_row(tx, l, &rows[i], claim, &now, err);
    }
    return status;
}

static int look_work(struct tx *tx, void *data, struct err *err)
{
    struct filter_row *rows = NULL;
    struct filter_claim *claims = NULL;
    size_t row_count = 0, claim_count = 0;
    int status = tx_filter_claims(tx, &claims, &claim_count, err);

    if (status == 0)
        status = tx_filters(tx, &rows, &row_count, err);
    if (status == 0)
        status = look_at_all(tx, data, rows, row_count, claims, claim_count, err);
    for (size_t i = 0; i < row_count; i++)
        filter_row_clear(&rows[i]);
    for (size_t i = 0; i < claim_count; i++)
        filter_claim_clear(&claims[i]);
    free(rows);
    free(claims);
    return status;
}

static void on_timer(uv_timer_t *timer)
{
    look((struct filter_watch *)timer);
}

static void arm(struct filter_watch *w, const struct look *l)
{
    int64_t wait = l->next_ms;

    for (int kind = 0; kind < KINDS; kind++)
        if (l->count[kind] > 0 && !w->runs[kind].running)
            wait = LOOK_SOON_MS;
    if (wait < 0 && !w->again)
        return;
    if (w->again)
        wait = 0;
    w->again = false;
    uv_timer_start(&w->timer, on_timer, wait < LOOK_MOST_MS ? (uint64_t)wait : LOOK_MOST_MS, 0);
}

static bool may_run(const struct watched *run)
{
    return !run->running && uv_now(run->watch->timer.loop) >= run->next_ms;
}

static void looked(void *data, const struct err *failure)
{
    struct look *l = data;
    struct filter_watch *w = l->watch;

    w->looking = false;
    if (failure) {
        log_err(NULL, "filters: what is due cannot be read: %s", failure->text);
        l->next_ms = LOOK_MOST_MS;
    }
    w->pending = l->next_ms >= 0;
    for (int kind = 0; kind < KINDS; kind++) {
        w->pending = w->pending || l->count[kind] > 0;
        if (l->count[kind] > 0 && may_run(&w->runs[kind]) && !w->closing && !failure)
            start_run(w, (enum kind)kind, buf_str(&l->names[kind]), l->count[kind]);
        buf_free(&l->names[kind]);
    }
    if (!w->closing)
        arm(w, l);
    free(l);
    maybe_close(w);
}

static void look(struct filter_watch *w)
{
    struct look *l;

    if (w->looking) {
        w->again = true;
        return;
    }
    l = xcalloc(1, sizeof(*l));
    l->watch = w;
    l->next_ms = -1;
    for (int kind = 0; kind < KINDS; kind++)
        l->names[kind] = buf_init(NAMES_MAX);
    w->looking = true;
    store_submit(w->store, look_work, looked, l);
}

/* --- life --- */

static void run_over(void *arg, const struct run_order *order)
{
    struct filter_watch *w = arg;

    if (order->task == &task_filter && !w->closing)
        look(w);
}

struct filter_watch *filter_watch_new(uv_loop_t *loop, struct store *store, struct engine *engine)
{
    struct filter_watch *w = xcalloc(1, sizeof(*w));

    w->store = store;
    w->engine = engine;
    for (int kind = 0; kind < KINDS; kind++)
        w->runs[kind].watch = w;
    uv_timer_init(loop, &w->timer);
    engine_on_over(engine, run_over, w);
    look(w);
    return w;
}

static void closed(uv_handle_t *handle)
{
    free(handle);
}

static void maybe_close(struct filter_watch *w)
{
    bool running = false;

    for (int kind = 0; kind < KINDS; kind++)
        running = running || w->runs[kind].running;
    if (w->closing && !w->looking && !running && !uv_is_closing((uv_handle_t *)&w->timer))
        uv_close((uv_handle_t *)&w->timer, closed);
}

void filter_watch_free(struct filter_watch *w)
{
    if (!w)
        return;
    w->closing = true;
    uv_timer_stop(&w->timer);
    engine_off_over(w->engine, w);
    maybe_close(w);
}

bool filter_watch_pending(const struct filter_watch *w)
{
    return w->pending;
}
