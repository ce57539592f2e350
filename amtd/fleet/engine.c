#include "amtd/fleet/engine.h"

#include <stdlib.h>
#include <utlist.h>

#include "amtd/fleet/reader.h"
#include "base/xalloc.h"

/* How long and how many idle sessions are kept: about the lifetime of a digest nonce, and a fleet. */
#define LINK_IDLE_MS (4 * 60 * 1000)
#define LINK_MOST    20000

struct entry {
    struct active_run *run;
    struct engine *engine;
    struct entry *prev, *next;
};

struct engine {
    struct run_parts parts;
    struct reader *reader;
    struct entry *entries;
    void (*stopped)(void *arg);
    void *stopped_arg;
    struct {
        void (*over)(void *arg, const struct run_order *order); /* NULL: free */
        void *arg;
    } listeners[ENGINE_LISTENERS];
    struct run_log log; /* over NULL: nobody wants to know */
};

struct engine *engine_new(uv_loop_t *loop, struct store *store, struct http *http, const struct clock *clock,
                          size_t dial_limit, struct err *err)
{
    struct dialer *dialer = dialer_new(loop, dial_limit, err);
    struct reader *reader = dialer ? reader_new(loop, err) : NULL;

    if (!reader) {
        dialer_free(dialer);
        return NULL;
    }
    struct engine *engine = xcalloc(1, sizeof(*engine));
    engine->parts.loop = loop;
    engine->parts.store = store;
    engine->parts.http = http;
    engine->parts.clock = clock;
    engine->parts.dialer = dialer;
    engine->reader = reader;
    engine->parts.reader = reader_for_runners(reader);
    engine->parts.links = links_new(loop, http, clock, LINK_IDLE_MS, LINK_MOST);
    return engine;
}

void engine_set_guard(struct engine *engine, const struct session_guard *guard)
{
    engine->parts.guard = guard;
}

void engine_set_power_watch(struct engine *engine, const struct power_watch *watch)
{
    engine->parts.power_watch = *watch;
}

void engine_set_log(struct engine *engine, const struct run_log *log)
{
    engine->log = *log;
}

void engine_set_management(struct engine *engine, const char *addresses)
{
    engine->parts.management = addresses;
}

static void engine_maybe_end(struct engine *engine)
{
    void (*stopped)(void *arg) = engine->stopped;
    void *arg = engine->stopped_arg;

    if (!stopped || engine->entries)
        return;
    dialer_free(engine->parts.dialer);
    links_free(engine->parts.links);
    reader_free(engine->reader);
    free(engine);
    stopped(arg);
}

static void tell_log(const struct engine *engine, const struct active_run *run)
{
    const struct run_order *order = run_order(run);

    if (engine->log.over && order->by && run_record(run)->id > 0 && order->task->changes(order->args))
        engine->log.over(engine->log.arg, order, run_hosts(run), run_record(run));
}

static void run_went(void *arg, struct active_run *run)
{
    struct entry *entry = arg;
    struct engine *engine = entry->engine;

    tell_log(engine, run);
    engine_tell_over(engine, run_order(run));
    DL_DELETE(engine->entries, entry);
    free(entry);
    engine_maybe_end(engine);
}

void engine_on_over(struct engine *engine, void (*over)(void *arg, const struct run_order *order), void *arg)
{
    for (size_t i = 0; i < ENGINE_LISTENERS; i++) {
        if (engine->listeners[i].over)
            continue;
        engine->listeners[i].over = over;
        engine->listeners[i].arg = arg;
        return;
    }
    abort(); /* a mistake of the program */
}

void engine_off_over(struct engine *engine, void *arg)
{
    for (size_t i = 0; i < ENGINE_LISTENERS; i++)
        if (engine->listeners[i].arg == arg)
            engine->listeners[i].over = NULL;
}

void engine_tell_over(struct engine *engine, const struct run_order *order)
{
    for (size_t i = 0; i < ENGINE_LISTENERS; i++)
        if (engine->listeners[i].over)
            engine->listeners[i].over(engine->listeners[i].arg, order);
}

const struct run_parts *engine_parts(const struct engine *engine)
{
    return &engine->parts;
}

void engine_run(struct engine *engine, struct run_order *order, const struct run_watch *watch)
{
    struct entry *entry = xcalloc(1, sizeof(*entry));

    entry->engine = engine;
    entry->run = run_begin(&engine->parts, order, watch, run_went, entry);
    DL_APPEND(engine->entries, entry);
}

struct active_run *engine_find(const struct engine *engine, int64_t run_id)
{
    const struct entry *entry;

    DL_FOREACH(engine->entries, entry)
    if (run_is_ready(entry->run) && run_record(entry->run)->id == run_id)
        return entry->run;
    return NULL;
}

size_t engine_active(const struct engine *engine)
{
    const struct entry *entry;
    size_t count = 0;

    DL_FOREACH(engine->entries, entry)
    if (!run_is_over(entry->run))
        count++;
    return count;
}

void engine_stop(struct engine *engine, void (*done)(void *arg), void *arg)
{
    struct entry *entry;

    engine->stopped = done;
    engine->stopped_arg = arg;
    DL_FOREACH(engine->entries, entry)
    run_interrupt(entry->run);
    engine_maybe_end(engine);
}
