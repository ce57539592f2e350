#include "amtd/fleet/rollout.h"

#include <stdlib.h>
#include <utlist.h>

#include "amtd/fleet/subnets.h"
#include "base/text.h"
#include "base/xalloc.h"

/* How many hosts may be connected or connecting ahead of their turn, for each that has a place: few enough
 * that connections do not grow old while they wait. Hosts that are slow to connect, or known to be dead, do
 * not count: the dead must not stand in the way of the living. */
#define AHEAD_FACTOR  4
#define SLOW_AFTER_MS 50
#define REPLACED_MOST 10 /* of those that were to go ahead and could not be reached */

/* waiting -> (held back ->) begun -> reached -> (placed <-> begun) -> over */
struct turn {
    struct rollout_host host;
    bool ahead;     /* counts among those that go ahead of their turn */
    bool in_subnet; /* holds a place of its subnet */
    bool placed;
    bool resumed; /* begun in an earlier life */
    bool over;
    int64_t began_ms;
    struct turn **listed; /* the list it stands in, or NULL */
    struct turn *prev, *next;
};

struct rollout {
    struct rollout_settings settings;
    struct rollout_owner owner;
    struct turn *turns; /* one per host */
    size_t count;
    uint32_t *line;   /* hosts in the order in which they begin */
    uint32_t *places; /* of each host in the line as it was planned, without regard to `urgent` */
    size_t at;        /* next of `line` to begin */
    size_t stage;     /* from 1; 0 before the first */
    size_t stage_end; /* where in `line` the stage under way ends */
    size_t replaced;  /* of those that were to go ahead, could not be reached, and had their place taken */
    size_t working, ahead, ended, results, failures;
    bool pausing, held;
    int64_t now_ms, pause_until;
    struct turn *begun; /* in the order in which they began */
    struct turn *reached;
    struct turn *held_back; /* their subnet is full */
    struct subnets *subnets;
    enum cause stop_cause; /* why nothing more begins */
    char *stop_text;       /* NULL: it does */
};

/* --- the order --- */

/* Who goes ahead is of those that answered last time; the others stand as they came. */
static void plan_places(struct rollout *r)
{
    size_t ahead = 0, next = 0;

    for (size_t i = 0; i < r->count; i++) {
        bool chosen = ahead < r->settings.stages.canary && !r->turns[i].host.urgent;

        r->places[i] = chosen ? (uint32_t)ahead++ : UINT32_MAX;
    }
    for (size_t i = 0; i < r->count; i++)
        if (r->places[i] == UINT32_MAX)
            r->places[i] = (uint32_t)(ahead + next++);
}

/* The order in which hosts begin: by their places, but within a stage those known to be dead first. */
static void line_up(struct rollout *r)
{
    const struct stages *stages = &r->settings.stages;
    uint32_t *at = xcalloc(r->count + 1, sizeof(*at)); /* by place */
    size_t k = 0;

    for (size_t i = 0; i < r->count; i++)
        at[r->places[i]] = (uint32_t)i;
    for (size_t first = 0; first < r->count; first += stages_size(stages, r->count, first))
        for (int urgent = 1; urgent >= 0; urgent--)
            for (size_t i = first; i < r->count && i - first < stages_size(stages, r->count, first); i++)
                if (r->turns[at[i]].host.urgent == urgent)
                    r->line[k++] = at[i];
    free(at);
}

struct rollout *rollout_new(const struct rollout_settings *settings, const struct rollout_owner *owner,
                            const struct rollout_host *hosts, size_t count)
{
    struct rollout *r = xcalloc(1, sizeof(*r));

    r->settings = *settings;
    r->owner = *owner;
    r->count = count;
    r->turns = xcalloc(count + 1, sizeof(*r->turns));
    r->line = xcalloc(count + 1, sizeof(*r->line));
    r->places = xcalloc(count + 1, sizeof(*r->places));
    r->subnets = subnets_new(settings->per_subnet);
    for (size_t i = 0; i < count; i++)
        r->turns[i].host = hosts[i];
    plan_places(r);
    line_up(r);
    return r;
}

void rollout_set_places(struct rollout *r, const uint32_t *places)
{
    for (size_t i = 0; i < r->count; i++)
        r->places[i] = places[i];
    line_up(r);
}

void rollout_free(struct rollout *r)
{
    if (!r)
        return;
    subnets_free(r->subnets);
    free(r->turns);
    free(r->line);
    free(r->places);
    free(r->stop_text);
    free(r);
}

/* --- what hosts do --- */

static void set_ahead(struct rollout *r, struct turn *t, bool ahead)
{
    if (t->ahead == ahead)
        return;
    t->ahead = ahead;
    if (ahead)
        r->ahead++;
    else
        r->ahead--;
}

static void move_to(struct turn *t, struct turn **list)
{
    if (t->listed)
        DL_DELETE(*t->listed, t);
    t->listed = list;
    if (list)
        DL_APPEND(*list, t);
}

static void give_back_place(struct rollout *r, struct turn *t)
{
    if (t->placed)
        r->working--;
    t->placed = false;
}

void rollout_reached(struct rollout *r, size_t host)
{
    struct turn *t = &r->turns[host];

    set_ahead(r, t, true);
    move_to(t, &r->reached);
}

void rollout_yield(struct rollout *r, size_t host)
{
    struct turn *t = &r->turns[host];

    give_back_place(r, t);
    move_to(t, &r->begun);
}

/* Of those that go ahead one that is switched off tells nothing, neither good nor bad: the next one in the
 * line goes ahead in its place, a few times. */
static bool replace(struct rollout *r, enum cause cause)
{
    if (r->replaced == REPLACED_MOST || r->stage_end == r->count || cause != CAUSE_UNREACHABLE)
        return false;
    r->replaced++;
    r->stage_end++;
    return true;
}

static void stop(struct rollout *r, enum cause cause, char *text)
{
    if (r->stop_text) {
        free(text);
        return;
    }
    r->stop_cause = cause;
    r->stop_text = text;
}

static void next_stage(struct rollout *r)
{
    size_t size = stages_size(&r->settings.stages, r->count, r->stage_end);

    r->pausing = false;
    r->stage++;
    r->stage_end = r->count - r->stage_end > size ? r->stage_end + size : r->count;
}

static void count_failure(struct rollout *r, enum cause cause, const char *name)
{
    uint32_t most = r->settings.stages.max_failures;

    if (r->stage == 0)
        next_stage(r);
    r->failures++;
    if (r->settings.stages.canary > 0 && r->stage == 1 && !r->stop_text && !replace(r, cause))
        stop(r, CAUSE_CANCELLED,
             xasprintf("not begun, because %s failed, one of those that went ahead", name));
    if (most > 0 && r->failures >= most)
        stop(r, CAUSE_CANCELLED,
             xasprintf("not begun, because %zu %s had failed", r->failures,
                       text_plural(r->failures, "host", "hosts")));
}

void rollout_over(struct rollout *r, size_t host, bool ok, enum cause cause, const char *name)
{
    struct turn *t = &r->turns[host];

    give_back_place(r, t);
    set_ahead(r, t, false);
    move_to(t, NULL);
    if (t->in_subnet)
        subnets_leave(r->subnets, t->host.address);
    t->in_subnet = false;
    r->ended += !t->over;
    t->over = true;
    if (!ok)
        count_failure(r, cause, name);
}

void rollout_result(struct rollout *r)
{
    if (r->stage == 0)
        next_stage(r);
    r->results++;
}

void rollout_was(struct rollout *r, size_t host, bool ok, enum cause cause, const char *name)
{
    r->ended += !r->turns[host].over;
    r->turns[host].over = true;
    if (!ok)
        count_failure(r, cause, name);
    rollout_result(r);
    while (r->results >= r->stage_end && r->stage_end < r->count)
        next_stage(r);
}

void rollout_resume(struct rollout *r, size_t host)
{
    struct turn *t = &r->turns[host];

    t->resumed = true;
    t->in_subnet = subnets_enter(r->subnets, t->host.address);
    rollout_reached(r, host);
}

/* --- their turns --- */

/* Those that have been connecting for long stop counting. */
static void forgive_slow(struct rollout *r)
{
    struct turn *t;

    DL_FOREACH(r->begun, t)
    {
        if (r->now_ms - t->began_ms < SLOW_AFTER_MS)
            break;
        set_ahead(r, t, false);
    }
}

static void begin(struct rollout *r, struct turn *t)
{
    if (!subnets_enter(r->subnets, t->host.address)) {
        if (t->listed != &r->held_back)
            move_to(t, &r->held_back);
        return;
    }
    t->in_subnet = true;
    t->began_ms = r->now_ms;
    set_ahead(r, t, !t->host.urgent);
    move_to(t, &r->begun);
    r->owner.begin(r->owner.arg, (size_t)(t - r->turns));
}

static void begin_more(struct rollout *r)
{
    size_t most = (size_t)r->settings.parallel * AHEAD_FACTOR;
    struct turn *t, *next;

    if (r->ahead >= most)
        forgive_slow(r);
    DL_FOREACH_SAFE(r->held_back, t, next)
    {
        if (r->ahead >= most)
            return;
        begin(r, t);
    }
    while (r->at < r->stage_end && r->ahead < most) {
        t = &r->turns[r->line[r->at++]];
        if (!t->over && !t->resumed)
            begin(r, t);
    }
}

static void give_places(struct rollout *r)
{
    struct turn *t;

    while ((t = r->reached) && r->working < r->settings.parallel) {
        set_ahead(r, t, false);
        move_to(t, NULL);
        t->placed = true;
        r->working++;
        r->owner.go(r->owner.arg, (size_t)(t - r->turns));
    }
}

static void spare_list(struct rollout *r, struct turn *list)
{
    struct turn *t, *next;

    DL_FOREACH_SAFE(list, t, next)
    r->owner.spare(r->owner.arg, (size_t)(t - r->turns), r->stop_cause, r->stop_text);
}

/* Nothing more begins: what has sent nothing yet ends here. */
static void spare_rest(struct rollout *r)
{
    size_t first = r->at;

    spare_list(r, r->held_back);
    spare_list(r, r->begun);
    spare_list(r, r->reached);
    r->at = r->stage_end = r->count;
    for (size_t i = first; i < r->count; i++)
        if (!r->turns[r->line[i]].over && !r->turns[r->line[i]].resumed)
            r->owner.spare(r->owner.arg, r->line[i], r->stop_cause, r->stop_text);
}

bool rollout_stop(struct rollout *r, enum cause cause, const char *text)
{
    bool first = !r->stop_text;

    stop(r, cause, xstrdup(text));
    return first;
}

void rollout_hold(struct rollout *r, bool on)
{
    r->held = on;
}

/* The next time by which something is due without anybody saying so. */
static int64_t due(const struct rollout *r)
{
    if (r->pausing)
        return r->pause_until;
    return r->at < r->stage_end && r->begun ? r->now_ms + SLOW_AFTER_MS : INT64_MAX;
}

int64_t rollout_advance(struct rollout *r, int64_t now_ms)
{
    r->now_ms = now_ms;
    if (r->stage == 0 || (r->pausing && (r->stop_text || now_ms >= r->pause_until)))
        next_stage(r);
    if (r->pausing)
        return due(r);
    if (r->stop_text)
        spare_rest(r);
    if (!r->held) {
        begin_more(r);
        give_places(r);
    }
    if (r->results < r->stage_end || r->results == r->count)
        return r->held ? INT64_MAX : due(r);
    if (r->settings.pause_ms > 0) {
        r->pausing = true;
        r->pause_until = now_ms + r->settings.pause_ms;
        return due(r);
    }
    next_stage(r);
    return now_ms;
}

/* --- looking --- */

bool rollout_is_done(const struct rollout *r)
{
    return r->results == r->count;
}

bool rollout_wants_results(const struct rollout *r)
{
    return r->ended >= r->stage_end && r->results < r->stage_end;
}

bool rollout_is_stopped(const struct rollout *r)
{
    return r->stop_text != NULL;
}

size_t rollout_begun(const struct rollout *r)
{
    return r->at;
}

size_t rollout_place(const struct rollout *r, size_t host)
{
    return r->places[host];
}

void rollout_stage(const struct rollout *r, size_t *stage, size_t *stages, int64_t *begins_ms)
{
    *stage = r->stage;
    *stages = stages_count(&r->settings.stages, r->count);
    *begins_ms = r->pausing ? r->pause_until : 0;
}
