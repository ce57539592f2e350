#include "amtd/console/hub.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <uthash.h>
#include <utlist.h>

#include "amtd/console/console_internal.h"
#include "base/log.h"
#include "base/xalloc.h"

#define HELD_TOTAL (64 * 1024 * 1024) /* of all paused logs */

struct entry {
    struct console *console;
    bool configured; /* else made on demand */
    bool seen;       /* by hub_configure */
    const char *name;
    UT_hash_handle hh;
};

struct hub {
    uv_loop_t *loop;
    const struct clock *clock;
    struct node_key *key;
    struct clog_store *store;
    struct console_env env;
    struct source_kind kinds[SOURCE_TYPES];
    bool known[SOURCE_TYPES];
    struct entry *table;
    uint64_t generation;
    struct timers timers;
    struct timer store_timer;

    uv_timer_t timer;     /* for `timers` */
    uv_prepare_t prepare; /* both write what is dirty, whichever comes first in a turn */
    uv_check_t check;
    uv_idle_t pump;
    int handles;
    size_t working; /* pieces of work on other threads */

    struct console *dirty, *behind;
    struct console *lines[2]; /* who waits for connecting: for the first time, and again */
    size_t connecting, connects_max;
    int64_t retries_per_s, tokens_ms; /* one retry costs 1000 / retries_per_s of these */
    struct timer line_timer;
    bool line_moves; /* there is room again for who stands in one */
    uint64_t last_id;
    uint64_t random;
    struct hub_listener *listeners;
    struct traffic activity; /* of all together */
    struct traffic_marks marks;
    struct timer marks_timer;
    void (*freed)(void *arg);
    void *freed_arg;
    bool closing;
};

/* --- time --- */

static void on_timer(uv_timer_t *timer);
static void on_store_timer(void *arg);

/* The loop's timer follows the earliest of ours. */
static void arm(void *arg)
{
    struct hub *hub = arg;
    int64_t next = timers_next(&hub->timers), left;

    if (hub->closing)
        return;
    if (next == INT64_MAX) {
        uv_timer_stop(&hub->timer);
        return;
    }
    left = next - clock_mono(hub->clock);
    /* Never 0: libuv would call again before it looks at any socket. */
    uv_timer_start(&hub->timer, on_timer, left > 0 ? (uint64_t)left : 1, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct hub *hub = timer->data;

    timers_run(&hub->timers, clock_mono(hub->clock));
    on_store_timer(hub); /* logs may have been written */
    arm(hub);
}

static void on_store_timer(void *arg)
{
    struct hub *hub = arg;

    timers_set(&hub->timers, &hub->store_timer, clog_store_tick(hub->store, clock_mono(hub->clock)));
}

/* --- at the end of a turn --- */

static void serve_line(void *arg);

static void flush(struct hub *hub)
{
    uv_prepare_stop(&hub->prepare);
    uv_check_stop(&hub->check);
    while (hub->dirty) {
        struct console *c = hub->dirty;

        DL_DELETE2(hub->dirty, c, dirty_prev, dirty_next);
        c->is_dirty = false;
        console_flush(c);
    }
    if (hub->line_moves)
        serve_line(hub);
    clog_store_turn(hub->store);
    on_store_timer(hub);
    arm(hub);
}

static void on_prepare(uv_prepare_t *handle)
{
    flush(handle->data);
}

static void on_check(uv_check_t *handle)
{
    flush(handle->data);
}

static void at_end_of_turn(struct hub *hub)
{
    uv_prepare_start(&hub->prepare, on_prepare);
    uv_check_start(&hub->check, on_check);
}

static void dirty(void *arg, struct console *c)
{
    struct hub *hub = arg;

    if (c->is_dirty)
        return;
    c->is_dirty = true;
    DL_APPEND2(hub->dirty, c, dirty_prev, dirty_next);
    at_end_of_turn(hub);
}

static void noted(void *arg)
{
    at_end_of_turn(arg);
}

static void on_pump(uv_idle_t *handle)
{
    struct hub *hub = handle->data;
    struct console *list = hub->behind;

    hub->behind = NULL;
    while (list) {
        struct console *c = list;

        DL_DELETE2(list, c, behind_prev, behind_next);
        c->is_behind = false;
        if (console_pump(c) && !c->is_behind) {
            c->is_behind = true;
            DL_APPEND2(hub->behind, c, behind_prev, behind_next);
        }
    }
    if (!hub->behind)
        uv_idle_stop(handle);
}

static void behind(void *arg, struct console *c)
{
    struct hub *hub = arg;

    if (c->is_behind)
        return;
    c->is_behind = true;
    DL_APPEND2(hub->behind, c, behind_prev, behind_next);
    uv_idle_start(&hub->pump, on_pump);
}

/* --- connecting, without a stampede --- */

static bool take_token(struct hub *hub)
{
    int64_t now = clock_mono(hub->clock), cost = 1000 / hub->retries_per_s;

    if (hub->tokens_ms < now - 1000) /* what was not used for a second is forfeit */
        hub->tokens_ms = now - 1000;
    if (hub->tokens_ms + cost > now)
        return false;
    hub->tokens_ms += cost;
    return true;
}

static bool may_connect(struct hub *hub, bool retry)
{
    return hub->connecting < hub->connects_max && (!retry || take_token(hub));
}

static void enter_line(struct hub *hub, struct console *c, bool retry)
{
    c->is_in_line = true;
    c->line_retry = retry;
    DL_APPEND2(hub->lines[retry], c, line_prev, line_next);
}

static void leave_line(struct hub *hub, struct console *c)
{
    DL_DELETE2(hub->lines[c->line_retry], c, line_prev, line_next);
    c->is_in_line = false;
}

static void serve_line(void *arg)
{
    struct hub *hub = arg;

    for (int retry = 0; retry < 2; retry++) /* who may go at once waits for nobody who may not */
        while (hub->lines[retry] && !hub->closing && may_connect(hub, retry)) {
            struct console *c = hub->lines[retry];

            leave_line(hub, c);
            hub->connecting++;
            console_granted(c);
        }
    hub->line_moves = false; /* who failed at once was followed by the next one */
    if (hub->lines[true] && hub->connecting < hub->connects_max)
        timers_set(&hub->timers, &hub->line_timer, clock_mono(hub->clock) + 1000 / hub->retries_per_s);
}

static bool connect_console(void *arg, struct console *c, bool retry)
{
    struct hub *hub = arg;

    if (!hub->lines[retry] && may_connect(hub, retry)) {
        hub->connecting++;
        return true;
    }
    enter_line(hub, c, retry);
    timers_set(&hub->timers, &hub->line_timer, clock_mono(hub->clock) + 1);
    return false;
}

/* A timer would let the loop sleep for a millisecond. */
static void move_lines(struct hub *hub)
{
    hub->line_moves = true;
    at_end_of_turn(hub);
}

static void connected(void *arg, struct console *c)
{
    struct hub *hub = arg;

    if (c->is_in_line)
        leave_line(hub, c);
    else
        hub->connecting--;
    if (hub->lines[false] || hub->lines[true])
        move_lines(hub);
}

static void hurry(void *arg, struct console *c)
{
    struct hub *hub = arg;

    if (!c->is_in_line || !c->line_retry)
        return;
    leave_line(hub, c);
    enter_line(hub, c, false);
    move_lines(hub);
}

/* --- what consoles ask of the hub --- */

static const struct source_kind *find_kind(void *arg, enum source_type type)
{
    const struct hub *hub = arg;

    return hub->known[type] ? &hub->kinds[type] : NULL;
}

static void on_event(void *arg, struct console *console, const struct console_event *event)
{
    const struct hub *hub = arg;
    struct hub_listener *listener, *next;

    DL_FOREACH_SAFE(hub->listeners, listener, next)
    listener->event(listener->arg, console, event);
}

/* --- all together --- */

static void judge(void *arg)
{
    struct hub *hub = arg;
    int64_t now = clock_mono(hub->clock);
    struct hub_listener *listener, *next;
    char *text;

    timers_set(&hub->timers, &hub->marks_timer, traffic_next(&hub->marks, now));
    if (!traffic_judge(&hub->activity, &hub->marks, now))
        return;
    text = traffic_text(&hub->activity, &hub->marks, now);
    DL_FOREACH_SAFE(hub->listeners, listener, next)
    {
        if (listener->activity)
            listener->activity(listener->arg, hub->activity.state, text);
    }
    free(text);
}

void hub_set_marks(struct hub *hub, const struct traffic_marks *marks)
{
    hub->marks = *marks;
    timers_set(&hub->timers, &hub->marks_timer, traffic_next(&hub->marks, clock_mono(hub->clock)));
    arm(hub);
}

int64_t hub_rate(const struct hub *hub)
{
    return traffic_rate(&hub->activity, &hub->marks, clock_mono(hub->clock));
}

static uint64_t next_id(void *arg)
{
    return ++((struct hub *)arg)->last_id;
}

/* For scattering retries: nothing depends on its not being guessed (xorshift64*). */
static uint32_t random_below(void *arg, uint32_t below)
{
    struct hub *hub = arg;

    hub->random ^= hub->random >> 12;
    hub->random ^= hub->random << 25;
    hub->random ^= hub->random >> 27;
    return (uint32_t)(((hub->random * 2685821657736338717u) >> 32) * below >> 32);
}

/* --- work on other threads --- */

struct work {
    uv_work_t req;
    struct hub *hub;
    void (*run)(void *job);
    void (*done)(void *job);
    void *job;
};

static void work_run(uv_work_t *req)
{
    const struct work *work = req->data;

    work->run(work->job);
}

static void close_handles(struct hub *hub);

static void work_done(uv_work_t *req, int status)
{
    struct work *work = req->data;
    struct hub *hub = work->hub;

    (void)status; /* never cancelled */
    hub->working--;
    work->done(work->job);
    free(work);
    on_store_timer(hub);
    arm(hub);
    if (hub->closing && hub->working == 0)
        close_handles(hub);
}

static void submit(void *arg, void (*run)(void *job), void (*done)(void *job), void *job)
{
    struct hub *hub = arg;
    struct work *work = xcalloc(1, sizeof(*work));

    work->req.data = work;
    work->hub = hub;
    work->run = run;
    work->done = done;
    work->job = job;
    hub->working++;
    uv_queue_work(hub->loop, &work->req, work_run, work_done);
}

/* --- beginning and end --- */

static int open_store(struct hub *hub, const struct hub_settings *settings, struct err *err)
{
    char *dir = xasprintf("%s/consoles", settings->state_dir);
    const struct clog_store_settings store = {dir, settings->files_max, settings->sync_ms, HELD_TOTAL};
    const struct clog_worker worker = {hub, submit};

    hub->key = node_key_open(settings->state_dir, true, err);
    if (hub->key)
        hub->store = clog_store_new(&store, hub->clock, hub->key, &worker, err);
    free(dir);
    return hub->store ? 0 : -1;
}

struct hub *hub_new(uv_loop_t *loop, const struct clock *clock, const struct hub_settings *settings,
                    struct err *err)
{
    struct hub *hub = xcalloc(1, sizeof(*hub));

    hub->loop = loop;
    hub->clock = clock;
    hub->connects_max = settings->connects_max;
    hub->retries_per_s = (int64_t)settings->retries_per_s;
    if (open_store(hub, settings, err) != 0) {
        node_key_free(hub->key);
        free(hub);
        return NULL;
    }
    if (getrandom(&hub->random, sizeof(hub->random), 0) != sizeof(hub->random) || hub->random == 0)
        hub->random = 88172645463325252u;
    hub->env = (struct console_env){.clock = clock,
                                    .total = &hub->activity,
                                    .total_marks = &hub->marks,
                                    .timers = &hub->timers,
                                    .store = hub->store,
                                    .arg = hub,
                                    .kind = find_kind,
                                    .connect = connect_console,
                                    .connected = connected,
                                    .hurry = hurry,
                                    .noted = noted,
                                    .dirty = dirty,
                                    .behind = behind,
                                    .event = on_event,
                                    .next_id = next_id,
                                    .random = random_below};
    hub->timers.earlier = arm;
    hub->timers.arg = hub;
    hub->store_timer = (struct timer){.fire = on_store_timer, .arg = hub};
    hub->marks_timer = (struct timer){.fire = judge, .arg = hub};
    hub->marks.window_ms = TRAFFIC_WINDOW_MS;
    traffic_begin(&hub->activity, clock_mono(clock));
    hub->line_timer = (struct timer){.fire = serve_line, .arg = hub};
    uv_timer_init(loop, &hub->timer);
    uv_prepare_init(loop, &hub->prepare);
    uv_check_init(loop, &hub->check);
    uv_idle_init(loop, &hub->pump);
    hub->timer.data = hub->prepare.data = hub->check.data = hub->pump.data = hub;
    hub->handles = 4;
    return hub;
}

static void handle_closed(uv_handle_t *handle)
{
    struct hub *hub = handle->data;

    if (--hub->handles > 0)
        return;
    if (hub->freed)
        hub->freed(hub->freed_arg);
    clog_store_free(hub->store);
    node_key_free(hub->key);
    timers_clear(&hub->timers);
    free(hub);
}

static void close_handles(struct hub *hub)
{
    if (uv_is_closing((uv_handle_t *)&hub->timer))
        return;
    uv_close((uv_handle_t *)&hub->timer, handle_closed);
    uv_close((uv_handle_t *)&hub->prepare, handle_closed);
    uv_close((uv_handle_t *)&hub->check, handle_closed);
    uv_close((uv_handle_t *)&hub->pump, handle_closed);
}

static void forget(struct hub *hub, struct entry *entry, const char *reason)
{
    struct console *c = entry->console;

    hub->generation++;
    HASH_DEL(hub->table, entry);
    if (c->is_dirty)
        DL_DELETE2(hub->dirty, c, dirty_prev, dirty_next);
    if (c->is_behind)
        DL_DELETE2(hub->behind, c, behind_prev, behind_next);
    c->is_dirty = c->is_behind = true; /* not put on these lists again */
    console_free(c, reason);
    free(entry);
}

void hub_free(struct hub *hub, void (*freed)(void *arg), void *arg)
{
    struct entry *entry, *next;

    hub->freed = freed;
    hub->freed_arg = arg;
    hub->closing = true;
    HASH_ITER(hh, hub->table, entry, next)
    forget(hub, entry, "amtd ends");
    watcher_free(hub->env.watcher);
    hub->env.watcher = NULL;
    if (hub->working == 0)
        close_handles(hub);
}

void hub_add_kind(struct hub *hub, const struct source_kind *kind)
{
    hub->kinds[kind->type] = *kind;
    hub->known[kind->type] = true;
}

void hub_watch(struct hub *hub, struct watcher *watcher)
{
    struct watcher *was = hub->env.watcher;
    struct entry *entry, *next;

    hub->env.watcher = watcher;
    HASH_ITER(hh, hub->table, entry, next)
    console_watch(entry->console);
    watcher_free(was);
}

const struct watcher *hub_watcher(const struct hub *hub)
{
    return hub->env.watcher;
}

/* --- the table --- */

static struct entry *find(const struct hub *hub, const char *name)
{
    struct entry *entry;

    HASH_FIND_STR(hub->table, name, entry);
    return entry;
}

static int by_name(const struct entry *a, const struct entry *b)
{
    return strcmp(a->name, b->name);
}

static struct entry *add(struct hub *hub, const struct console_settings *settings, bool configured,
                         struct err *err)
{
    struct console *c = console_new(&hub->env, settings, err);
    struct entry *entry;

    if (!c)
        return NULL;
    entry = xcalloc(1, sizeof(*entry));
    entry->console = c;
    entry->configured = configured;
    entry->name = c->settings.name;
    HASH_ADD_KEYPTR(hh, hub->table, entry->name, strlen(entry->name), entry);
    hub->generation++;
    console_start(c);
    return entry;
}

/* The same apart from how its log is kept and its marks: the link need not be touched. */
static bool same_link(const struct console_settings *a, const struct console_settings *b)
{
    struct console_settings other = *b;

    other.log = a->log;
    other.activity = a->activity;
    return console_settings_equal(a, &other);
}

static int configure_one(struct hub *hub, const struct console_settings *settings, struct err *err)
{
    struct entry *entry = find(hub, settings->name);

    if (entry && !same_link(&entry->console->settings, settings)) {
        forget(hub, entry, "the configuration was changed");
        entry = NULL;
    }
    if (entry)
        console_adapt(entry->console, settings);
    else
        entry = add(hub, settings, true, err);
    if (!entry)
        return -1;
    entry->configured = entry->seen = true;
    return 0;
}

int hub_configure(struct hub *hub, const struct console_settings *consoles, size_t count, struct err *err)
{
    struct entry *entry, *next;
    struct err failure = ERR_INIT;
    int status = 0;

    HASH_ITER(hh, hub->table, entry, next)
    entry->seen = false;
    for (size_t i = 0; i < count; i++) {
        if (configure_one(hub, &consoles[i], &failure) == 0)
            continue;
        log_err(consoles[i].name, "%s", failure.text);
        if (status == 0 && err)
            *err = failure;
        status = -1;
    }
    HASH_ITER(hh, hub->table, entry, next)
    if (entry->configured && !entry->seen)
        forget(hub, entry, "taken out of the configuration");
    HASH_SORT(hub->table, by_name);
    return status;
}

struct console *hub_find(struct hub *hub, const char *name)
{
    const struct entry *entry = find(hub, name);

    return entry ? entry->console : NULL;
}

struct console *hub_add(struct hub *hub, const struct console_settings *settings, struct err *err)
{
    struct entry *entry = find(hub, settings->name);

    if (!entry) {
        entry = add(hub, settings, false, err);
        HASH_SORT(hub->table, by_name);
    }
    return entry ? entry->console : NULL;
}

struct console *hub_host_console(struct hub *hub, const char *host, struct err *err)
{
    struct console *console = hub_find(hub, host);
    struct console_settings settings;

    if (console)
        return console;
    console_settings_init(&settings);
    settings.name = xstrdup(host);
    settings.source.type = SOURCE_AMT;
    settings.source.host = xstrdup(host);
    settings.on_demand = true;
    console = hub_add(hub, &settings, err);
    console_settings_clear(&settings);
    return console;
}

void hub_listen(struct hub *hub, struct hub_listener *listener)
{
    DL_APPEND(hub->listeners, listener);
}

void hub_unlisten(struct hub *hub, struct hub_listener *listener)
{
    DL_DELETE(hub->listeners, listener);
}

void hub_each(struct hub *hub, void (*each)(void *arg, struct console *console), void *arg)
{
    struct entry *entry, *next;

    HASH_ITER(hh, hub->table, entry, next)
    each(arg, entry->console);
}

size_t hub_count(const struct hub *hub)
{
    return HASH_COUNT(hub->table);
}

uint64_t hub_generation(const struct hub *hub)
{
    return hub->generation;
}

void hub_changed(struct hub *hub)
{
    hub->generation++;
}

void hub_power(struct hub *hub, const char *host, const char *who, const char *text)
{
    struct entry *entry, *next;

    HASH_ITER(hh, hub->table, entry, next)
    {
        const char *behind = console_settings_host(&entry->console->settings);

        if (behind && strcmp(behind, host) == 0)
            console_power(entry->console, who, text);
    }
}

static void roll(void *arg, struct console *console)
{
    (void)arg;
    console_roll(console);
}

void hub_roll(struct hub *hub)
{
    hub_each(hub, roll, NULL);
}

static void expire(void *arg, struct console *console)
{
    (void)arg;
    console_expire(console);
}

void hub_expire(struct hub *hub)
{
    hub_each(hub, expire, NULL);
}

struct keeper_gone hub_gone(struct hub *hub)
{
    return clog_store_gone(hub->store);
}

const struct node_key *hub_key(const struct hub *hub)
{
    return hub->key;
}

void hub_work(struct hub *hub, void (*run)(void *job), void (*done)(void *job), void *job)
{
    submit(hub, run, done, job);
}
