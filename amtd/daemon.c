#include "amtd/daemon.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "amtd/alerts/alerts.h"
#include "amtd/api/activity.h"
#include "amtd/api/denials.h"
#include "amtd/api/server.h"
#include "amtd/api/syslog_export.h"
#include "amtd/console/hub.h"
#include "amtd/console/sources.h"
#include "amtd/console/watcher.h"
#include "amtd/console_events.h"
#include "amtd/descriptors.h"
#include "amtd/fleet/certificate_watch.h"
#include "amtd/fleet/filter_watch.h"
#include "amtd/job_rights.h"
#include "amtd/loop_http.h"
#include "amtd/node/nodes.h"
#include "amtd/node/peers.h"
#include "amtd/node/uplinks.h"
#include "amtd/own_deeds.h"
#include "amtd/pushed.h"
#include "amtd/reactions/reaction.h"
#include "amtd/redirect/sol_source.h"
#include "amtd/state_dir.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

#define KEEP_PLAIN  20000 /* connections kept open between operations: a fleet's */
#define KEEP_TLS    512
#define DIALS_OTHER 64 /* connections of consoles and redirection that are being opened at a time */

struct daemon {
    struct config *config; /* parts of it change with a reload */
    uv_loop_t loop;
    int lock;
    struct seal *seal;
    struct store *store;
    struct events *events;
    struct purges *purges;
    struct loop_http *http;
    struct engine *engine;
    struct filter_watch *filters;
    struct certificate_watch *certificates;
    struct alerts *alerts;
    struct discovery *discovery;
    struct job_parts job_parts;
    char *image_dir;
    struct jobs *jobs;
    struct schedules *schedules;
    struct dialer *dialer;
    struct streams *streams;
    struct redirect *redirect;
    struct hub *hub;
    struct courier *courier;
    struct mailer *mailer;
    struct reactions *reactions;
    struct console_events *console_events;
    struct peers *peers;
    struct config own; /* since it was read again: the consoles; state_dir NULL: not yet */
    struct nodes *nodes;
    struct uplinks *uplinks;
    struct server *server;
    struct node_key *key; /* of the activity log */
    struct denials *denials;
    struct syslog_export *syslog; /* its rows for the system's log */
    uv_async_t wake;              /* from the store's thread */
    uv_signal_t term, interrupt, reload, roll;
    uv_timer_t idle;
    int64_t idle_since;
    int64_t started_ms;
    bool stopping;
};

struct engine *daemon_engine(const struct daemon *daemon)
{
    return daemon->engine;
}

struct denials *daemon_denials(const struct daemon *daemon)
{
    return daemon->denials;
}

struct syslog_export *daemon_syslog(const struct daemon *daemon)
{
    return daemon->syslog;
}

struct hub *daemon_hub(const struct daemon *daemon)
{
    return daemon->hub;
}

struct mailer *daemon_mailer(const struct daemon *daemon)
{
    return daemon->mailer;
}

struct streams *daemon_streams(const struct daemon *daemon)
{
    return daemon->streams;
}

struct redirect *daemon_redirect(const struct daemon *daemon)
{
    return daemon->redirect;
}

struct events *daemon_events(const struct daemon *daemon)
{
    return daemon->events;
}

struct purges *daemon_purges(const struct daemon *daemon)
{
    return daemon->purges;
}

struct discovery *daemon_discovery(const struct daemon *daemon)
{
    return daemon->discovery;
}

struct peers *daemon_peers(const struct daemon *daemon)
{
    return daemon->peers;
}

struct nodes *daemon_nodes(const struct daemon *daemon)
{
    return daemon->nodes;
}

struct uplinks *daemon_uplinks(const struct daemon *daemon)
{
    return daemon->uplinks;
}

struct server *daemon_server(const struct daemon *daemon)
{
    return daemon->server;
}

struct jobs *daemon_jobs(const struct daemon *daemon)
{
    return daemon->jobs;
}

struct schedules *daemon_schedules(const struct daemon *daemon)
{
    return daemon->schedules;
}

struct store *daemon_store(const struct daemon *daemon)
{
    return daemon->store;
}

const struct config *daemon_config(const struct daemon *daemon)
{
    return daemon->config;
}

int64_t daemon_started_ms(const struct daemon *daemon)
{
    return daemon->started_ms;
}

/* --- the state directory --- */

static int open_key(struct daemon *d, struct err *err)
{
    char *own = xasprintf("%s/key", d->config->state_dir);

    d->seal = d->config->key_file ? seal_open(d->config->key_file, 0, err) : seal_open(own, 1, err);
    free(own);
    return d->seal ? 0 : -1;
}

/* --- the store --- */

static void store_wakes(void *arg)
{
    struct daemon *d = arg;

    uv_async_send(&d->wake);
}

static void on_wake(uv_async_t *async)
{
    struct daemon *d = async->data;

    store_reap(d->store);
}

struct recovery {
    const struct node_key *key;
    size_t count, adopted;
    bool over;
    struct err failure;
};

static int recover_work(struct tx *tx, void *data, struct err *err)
{
    struct recovery *r = data;
    int64_t now = clock_wall(clock_system());

    if (tx_activity_begin(tx, r->key, now, &r->adopted, err) != 0)
        return -1;
    return tx_recover(tx, now, &r->count, err);
}

static void recover_done(void *data, const struct err *failure)
{
    struct recovery *r = data;

    r->over = true;
    if (failure)
        r->failure = *failure;
}

static int open_store(struct daemon *d, struct err *err)
{
    char *path = xasprintf("%s/amtd.db", d->config->state_dir);
    struct recovery r = {0};

    d->key = node_key_open(d->config->state_dir, true, err);
    r.key = d->key;
    if (!d->key) {
        free(path);
        return -1;
    }
    d->store = store_open(path, d->seal, store_wakes, d, err);
    free(path);
    if (!d->store)
        return -1;
    store_submit(d->store, recover_work, recover_done, &r);
    while (!r.over)
        uv_run(&d->loop, UV_RUN_ONCE);
    if (r.failure.cause != CAUSE_NONE) {
        *err = r.failure;
        return -1;
    }
    if (r.adopted > 0)
        log_warn(NULL,
                 "%zu rows of the activity log from before it was signed are the beginning of its chain",
                 r.adopted);
    if (r.count > 0)
        log_warn(NULL, "%zu operations of an amtd that ended are reported as interrupted or not started",
                 r.count);
    return 0;
}

/* --- who is known --- */

struct known {
    struct peer *list;
    size_t count;
    bool over;
    struct err failure;
};

static int known_work(struct tx *tx, void *data, struct err *err)
{
    struct known *known = data;

    return tx_peers(tx, &known->list, &known->count, err);
}

static void known_done(void *data, const struct err *failure)
{
    struct known *known = data;

    known->over = true;
    if (failure)
        known->failure = *failure;
}

/* Who this amtd is on TLS, as that configuration says. */
static struct identity *open_identity(const struct daemon *d, const struct config *c, struct err *err)
{
    char *path = xasprintf("%s/node.tls", d->config->state_dir);
    struct identity *identity = c->tls_certificate
                                    ? identity_from_files(c->tls_certificate, c->tls_key, c->tls_ca, err)
                                    : identity_open(path, d->seal, err);

    free(path);
    return identity;
}

static int open_peers(struct daemon *d, struct err *err)
{
    struct identity *identity = open_identity(d, d->config, err);
    struct known known = {0};

    if (!identity)
        return -1;
    store_submit(d->store, known_work, known_done, &known);
    while (!known.over)
        uv_run(&d->loop, UV_RUN_ONCE);
    d->peers = peers_new(identity, known.list, known.count);
    if (known.failure.cause == CAUSE_NONE)
        return 0;
    *err = known.failure;
    return -1;
}

/* --- beginning --- */

static void on_roll(uv_signal_t *handle, int number)
{
    const struct daemon *d = handle->data;

    (void)number;
    if (!d->stopping)
        hub_roll(d->hub);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct daemon *d = handle->data;

    if (!d->stopping)
        own_deed_stopped(d, number);
    daemon_stop(d);
}

/* Watches for the patterns of a configuration, unless it does so already. */
static int watch_patterns(const struct daemon *d, const struct config *config, struct err *err)
{
    struct watcher *watcher = NULL;

    if (watcher_has(hub_watcher(d->hub), config->patterns, config->pattern_count))
        return 0;
    if (config->pattern_count > 0 &&
        !(watcher = watcher_new(clock_system(), config->patterns, config->pattern_count, err)))
        return -1;
    hub_watch(d->hub, watcher);
    return 0;
}

/* What is said of other amtds: connections that stay allowed stay, with the certificates they were made with.
 */
static void follow_peers(struct daemon *d, struct config *fresh, struct identity *identity)
{
    config_exchange_peers(d->config, fresh);
    peers_set_identity(d->peers, identity);
    nodes_reconfigure(d->nodes, d->config);
    server_check_nodes(d->server);
    if (d->uplinks)
        uplinks_configure(d->uplinks, d->config);
}

static void follow(struct daemon *d, struct config *fresh, struct identity *identity)
{
    const struct purge_settings keep = config_keep(fresh);

    hub_set_marks(d->hub, &fresh->console_activity);
    config_take_consoles(&d->own, fresh);
    pushed_apply(d->hub, d->config->state_dir, &d->own);
    follow_peers(d, fresh, identity);
    mailer_configure(d->mailer, &fresh->mail);
    reactions_configure(d->reactions, fresh->reactions, fresh->reaction_count);
    events_set_limits(d->events, &fresh->events);
    purges_configure(d->purges, &keep);
    log_info(NULL, "configuration read again: %zu consoles", d->own.console_count);
}

int daemon_reload(struct daemon *d, struct buf *mistakes, struct buf *later)
{
    struct identity *identity = NULL;
    struct config fresh;
    struct err err = ERR_INIT;
    int status = -1;

    config_init(&fresh);
    if (d->stopping || !d->config->path) {
        buf_puts(mistakes, "there is no configuration file to read again\n");
    } else if (config_read(&fresh, d->config->path, mistakes) == 0) {
        config_absolute(d->config, &fresh.tls_certificate);
        config_absolute(d->config, &fresh.tls_key);
        config_absolute(d->config, &fresh.tls_ca);
        identity = open_identity(d, &fresh, &err);
        status = identity && watch_patterns(d, &fresh, &err) == 0 ? 0 : -1;
        if (status != 0)
            buf_printf(mistakes, "%s: %s\n", d->config->path, err.text);
    }
    if (status == 0) {
        memcpy(d->config->sum, fresh.sum, sizeof(fresh.sum));
        config_compare_fixed(d->config, &fresh, later);
        follow(d, &fresh, identity);
        if (later->len > 0)
            log_warn(NULL, "changed in the configuration, but only read when amtd starts: %s",
                     buf_str(later));
    } else {
        identity_free(identity);
        log_err(NULL, "the configuration has mistakes, and is not used: %s", buf_str(mistakes));
    }
    config_clear(&fresh);
    return status;
}

static void on_reload(uv_signal_t *handle, int number)
{
    struct buf mistakes = buf_init(1 << 20), later = buf_init(4096);
    struct daemon *d = handle->data;

    (void)number;
    if (!d->stopping) {
        daemon_reload(d, &mistakes, &later);
        own_deed_reloaded(d, &mistakes);
    }
    buf_free(&mistakes);
    buf_free(&later);
}

int daemon_push(struct daemon *d, const void *p, size_t n, struct buf *mistakes)
{
    return pushed_take(d->hub, d->config->state_dir, d->own.state_dir ? &d->own : d->config, p, n, mistakes);
}

/* A private amtd ends when nobody has needed it for a while. */
static void on_idle(uv_timer_t *timer)
{
    struct daemon *d = timer->data;
    int64_t now = clock_mono(clock_system());

    if (server_clients(d->server) > 0 || engine_active(d->engine) > 0 || jobs_active(d->jobs) > 0 ||
        schedules_pending(d->schedules) || filter_watch_pending(d->filters) ||
        discovery_active(d->discovery) > 0)
        d->idle_since = now;
    if (now - d->idle_since >= d->config->private_idle_ms)
        daemon_stop(d);
}

static void init_loop(struct daemon *d)
{
    uv_loop_init(&d->loop);
    uv_async_init(&d->loop, &d->wake, on_wake);
    uv_signal_init(&d->loop, &d->term);
    uv_signal_init(&d->loop, &d->interrupt);
    uv_signal_init(&d->loop, &d->reload);
    uv_signal_init(&d->loop, &d->roll);
    uv_timer_init(&d->loop, &d->idle);
    d->wake.data = d->term.data = d->interrupt.data = d->idle.data = d;
    d->reload.data = d->roll.data = d;
}

/* A console that cannot be made is said and left out: the others must not wait for it. */
static int start_consoles(struct daemon *d, struct err *err)
{
    const struct hub_settings settings = {.state_dir = d->config->state_dir,
                                          .connects_max = (size_t)d->config->console_connects,
                                          .retries_per_s = (size_t)d->config->console_retries,
                                          .files_max = descriptors_for_logs(),
                                          .sync_ms = d->config->console_sync_ms};
    const struct source_kind kinds[] = {
        source_test_kind(&d->loop),
        source_socket_kind(d->streams, SOURCE_UNIX),
        source_socket_kind(d->streams, SOURCE_TCP),
        source_socket_kind(d->streams, SOURCE_TELNET),
        source_serial_kind(d->streams),
        source_exec_kind(d->streams),
        sol_source_kind(d->redirect),
        nodes_source_kind(d->nodes),
    };

    d->hub = hub_new(&d->loop, clock_system(), &settings, err);
    if (!d->hub)
        return -1;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        hub_add_kind(d->hub, &kinds[i]);
    if (watch_patterns(d, d->config, err) != 0)
        return -1;
    hub_set_marks(d->hub, &d->config->console_activity);
    d->console_events = console_events_new(d->hub, d->events);
    pushed_apply(d->hub, d->config->state_dir, d->config);
    return 0;
}

static int start_reactions(struct daemon *d, struct err *err)
{
    d->courier = courier_new(&d->loop, err);
    if (!d->courier)
        return -1;
    d->mailer = mailer_new(d->courier, d->store, clock_system(), &d->config->mail);
    d->reactions = reactions_new(&(struct reaction_parts){.loop = &d->loop,
                                                          .clock = clock_system(),
                                                          .events = d->events,
                                                          .hub = d->hub,
                                                          .engine = d->engine,
                                                          .jobs = d->jobs,
                                                          .store = d->store,
                                                          .courier = d->courier,
                                                          .mailer = d->mailer},
                                 d->config->reactions, d->config->reaction_count);
    return 0;
}

static void power_begins(void *arg, const char *host, const char *who, const char *text)
{
    const struct daemon *d = arg;

    if (d->hub)
        hub_power(d->hub, host, who, text);
}

static void expire_logs(void *arg)
{
    const struct daemon *d = arg;

    if (d->hub)
        hub_expire(d->hub);
}

static struct purge_gone logs_gone(void *arg)
{
    const struct daemon *d = arg;
    struct keeper_gone gone = d->hub ? hub_gone(d->hub) : (struct keeper_gone){0};

    return (struct purge_gone){.units = (int64_t)gone.segments, .bytes = (int64_t)gone.bytes};
}

static void start_purges(struct daemon *d)
{
    const struct purge_settings keep = config_keep(d->config);

    d->purges = purges_new(&(struct purge_parts){&d->loop, d->store, d->events, clock_system(),
                                                 activity_purged, expire_logs, logs_gone, d},
                           &keep);
}

static int start_parts(struct daemon *d, struct err *err)
{
    struct run_log log;

    if (state_dir_make(d->config->state_dir, err) != 0 ||
        (d->lock = state_dir_lock(d->config->state_dir, err)) < 0)
        return -1;
    descriptors_raise(d->config->dial_limit);
    descriptors_reserve(d->config->console_count + descriptors_for_kept(KEEP_PLAIN), d->config->dial_limit);
    if (open_key(d, err) != 0 || open_store(d, err) != 0 || open_peers(d, err) != 0)
        return -1;
    d->denials = denials_new(&d->loop, activity_left_out, d);
    if (d->config->activity_syslog)
        d->syslog = syslog_export_new(&d->loop, d->store, d->config->state_dir, d->config->activity_syslog,
                                      d->config->activity_facility << 3);
    d->events = events_new(&d->loop, d->store, clock_system(), &d->config->events);
    start_purges(d);
    d->http = loop_http_new(
        &d->loop, clock_system(),
        (struct http_keep){descriptors_for_kept(KEEP_PLAIN), descriptors_for_kept(KEEP_TLS)}, err);
    if (!d->http)
        return -1;
    d->engine = engine_new(&d->loop, d->store, loop_http_get(d->http), clock_system(),
                           (size_t)descriptors_for_dials(d->config->dial_limit), err);
    if (!d->engine)
        return -1;
    d->dialer = dialer_new(&d->loop, DIALS_OTHER, err);
    if (!d->dialer)
        return -1;
    d->streams = streams_new(&d->loop, d->dialer);
    d->redirect =
        redirect_new(&(struct redirect_parts){&d->loop, d->store, d->engine, d->streams, clock_system()});
    engine_set_guard(d->engine, redirect_guard(d->redirect));
    engine_set_power_watch(d->engine, &(struct power_watch){d, power_begins});
    engine_set_management(d->engine, d->config->management);
    own_deeds_of_runs(&log, d);
    engine_set_log(d->engine, &log);
    d->discovery = discovery_new(&(struct discovery_parts){&d->loop, d->store, d->engine, d->events,
                                                           loop_http_get(d->http), clock_system()},
                                 err);
    if (!d->discovery)
        return -1;
    d->filters = filter_watch_new(&d->loop, d->store, d->engine);
    d->certificates = certificate_watch_new(&d->loop, d->store, d->engine, d->events, clock_system());
    d->alerts = alerts_new(
        &(struct alerts_parts){&d->loop, d->streams, d->store, d->engine, d->events, clock_system()},
        &d->config->alerts, err);
    d->nodes = nodes_new(d);
    if (!d->alerts || start_consoles(d, err) != 0)
        return -1;
    nodes_start(d->nodes);
    d->image_dir =
        d->config->image_dir ? xstrdup(d->config->image_dir) : xasprintf("%s/images", d->config->state_dir);
    d->job_parts = (struct job_parts){.run = engine_parts(d->engine),
                                      .engine = d->engine,
                                      .events = d->events,
                                      .hub = d->hub,
                                      .redirect = d->redirect,
                                      .image_dir = d->image_dir,
                                      .discovery = d->discovery};
    job_rights_fill(&d->job_parts, d);
    d->jobs = jobs_new(&d->job_parts);
    d->schedules = schedules_new(&d->job_parts, d->jobs);
    if (start_reactions(d, err) != 0)
        return -1;
    d->server = server_new(&d->loop, d, err);
    if (!d->server)
        return -1;
    if (!d->config->only_joins)
        d->uplinks = uplinks_new(d);
    if (d->config->allow_count > 0)
        server_open_to_all(d->server);
    daemon_granted(d);
    return 0;
}

/* --- ending: server, jobs, engine, streams, store, transport; each finishes what the next one needs --- */

static void close_handles(struct daemon *d)
{
    redirect_free(d->redirect);
    nodes_free(d->nodes);
    streams_free(d->streams);
    peers_free(d->peers);
    d->peers = NULL;
    dialer_free(d->dialer);
    events_free(d->events);
    d->events = NULL;
    denials_free(d->denials);
    d->denials = NULL;
    syslog_export_free(d->syslog);
    d->syslog = NULL;
    store_close(d->store);
    d->store = NULL;
    loop_http_free(d->http);
    uv_close((uv_handle_t *)&d->wake, NULL);
    uv_close((uv_handle_t *)&d->term, NULL);
    uv_close((uv_handle_t *)&d->interrupt, NULL);
    uv_close((uv_handle_t *)&d->reload, NULL);
    uv_close((uv_handle_t *)&d->roll, NULL);
    uv_close((uv_handle_t *)&d->idle, NULL);
}

static void hub_stopped(void *arg)
{
    close_handles(arg);
}

static void engine_stopped(void *arg)
{
    struct daemon *d = arg;

    courier_free(d->courier);
    reactions_free(d->reactions);
    mailer_free(d->mailer);
    console_events_free(d->console_events);
    d->console_events = NULL;
    if (d->hub)
        hub_free(d->hub, hub_stopped, d);
    else
        close_handles(d);
    d->hub = NULL;
}

static void jobs_stopped(void *arg)
{
    struct daemon *d = arg;

    d->jobs = NULL;
    if (d->engine)
        engine_stop(d->engine, engine_stopped, d);
    else
        close_handles(d);
}

static void stop_work(struct daemon *d)
{
    schedules_free(d->schedules);
    d->schedules = NULL;
    reactions_end_jobs(d->reactions);
    if (d->jobs)
        jobs_stop(d->jobs, jobs_stopped, d);
    else
        jobs_stopped(d);
}

void daemon_stop(struct daemon *d)
{
    if (d->stopping)
        return;
    d->stopping = true;
    log_info(NULL, "stopping");
    uplinks_free(d->uplinks);
    d->uplinks = NULL;
    server_free(d->server);
    d->server = NULL;
    redirect_stop(d->redirect);
    alerts_free(d->alerts);
    d->alerts = NULL;
    discovery_free(d->discovery);
    d->discovery = NULL;
    filter_watch_free(d->filters);
    d->filters = NULL;
    purges_free(d->purges);
    d->purges = NULL;
    certificate_watch_free(d->certificates);
    d->certificates = NULL;
    stop_work(d);
}

static void daemon_free(struct daemon *d)
{
    uv_run(&d->loop, UV_RUN_DEFAULT);
    uv_loop_close(&d->loop);
    seal_free(d->seal);
    config_clear(&d->own);
    node_key_free(d->key);
    if (d->lock >= 0)
        close(d->lock);
    free(d->image_dir);
    free(d);
}

struct daemon *daemon_start(struct config *config, struct err *err)
{
    struct daemon *d = xcalloc(1, sizeof(*d));

    d->config = config;
    d->lock = -1;
    d->started_ms = clock_wall(clock_system());
    d->idle_since = clock_mono(clock_system());
    init_loop(d);
    if (start_parts(d, err) == 0) {
        own_deed_started(d);
        uv_signal_start(&d->term, on_signal, SIGTERM);
        uv_signal_start(&d->interrupt, on_signal, SIGINT);
        uv_signal_start(&d->roll, on_roll, SIGUSR2);
        uv_signal_start(&d->reload, on_reload, SIGHUP);
        if (config->is_private)
            uv_timer_start(&d->idle, on_idle, 1000, 1000);
        return d;
    }
    alerts_free(d->alerts);
    discovery_free(d->discovery);
    filter_watch_free(d->filters);
    purges_free(d->purges);
    certificate_watch_free(d->certificates);
    stop_work(d);
    daemon_free(d);
    return NULL;
}

int daemon_run(struct daemon *d)
{
    uv_run(&d->loop, UV_RUN_DEFAULT);
    daemon_free(d);
    return 0;
}
