#include "amtd/alerts/alerts.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/tasks.h"
#include "amtd/store/alerts.h"
#include "amtd/store/certificates.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "wsman/alert_sink.h"

#define LOOK_MS          (15 * 60 * 1000)
#define RENEW_MS         (24 * 3600 * 1000)
#define RENEW_MOST       1000 /* hosts in one run; the others come after */
#define TOKEN_LEN        32
#define HTTPS            "https://"
#define DAY_MS           ((int64_t)24 * 3600 * 1000)
#define CERTIFY_MS       (AUTHORITY_OWN_DAYS * DAY_MS)
#define CERTIFICATE_DAYS 365

struct alerts {
    uv_timer_t timer; /* first */
    struct store *store;
    struct engine *engine;
    const struct clock *clock;
    struct alert_desk *desk;
    struct alert_listener *listener;
    struct alert_way way; /* url is of no use here */
    char *name;           /* of this machine in its base, when that is https; else NULL */
    int64_t shown_ms;     /* wall clock: the listener's certificate was made; 0: there is none */
    bool certifying;      /* one is being made */
    bool busy;            /* a look at the store, or a run */
    bool closing;
    int handles;
};

/* --- the end --- */

static void maybe_free(struct alerts *alerts)
{
    if (!alerts->closing || alerts->busy || alerts->certifying || alerts->handles > 0)
        return;
    alert_way_clear(&alerts->way);
    free(alerts->name);
    free(alerts);
}

static void alerts_closed(uv_handle_t *handle)
{
    struct alerts *alerts = handle->data;

    alerts->handles--;
    maybe_free(alerts);
}

void alerts_free(struct alerts *alerts)
{
    if (!alerts)
        return;
    alerts->closing = true;
    alert_listener_free(alerts->listener);
    alerts->listener = NULL;
    alert_desk_free(alerts->desk);
    uv_close((uv_handle_t *)&alerts->timer, alerts_closed);
}

/* --- the certificate of the listener --- */

struct certifying {
    struct alerts *alerts;
    char *name;
    int64_t now_ms;
    struct buf key, der;
};

static int certify_work(struct tx *tx, void *data, struct err *err)
{
    struct certifying *c = data;
    struct buf public_key = buf_init(AUTHORITY_DER_MAX);
    const char *const names[] = {c->name, NULL};
    const struct leaf_order order = {.names = names,
                                     .from_ms = c->now_ms - DAY_MS,
                                     .until_ms = c->now_ms + CERTIFICATE_DAYS * DAY_MS,
                                     .public_key = &public_key};
    int status = -1;

    buf_reset(&c->key);
    buf_reset(&c->der);
    if (tx_authority_need(tx, c->now_ms, err) == 0 && authority_key(&c->key, &public_key, err) == 0)
        status = tx_certificate_own(tx, &order, &c->der, err);
    buf_free(&public_key);
    return status;
}

static void certified(void *data, const struct err *failure)
{
    struct certifying *c = data;
    struct alerts *alerts = c->alerts;
    struct err err = ERR_INIT;

    alerts->certifying = false;
    if (failure)
        err = *failure;
    else if (!alerts->closing && alert_listener_show(alerts->listener, &c->der, &c->key, &err) == 0)
        alerts->shown_ms = c->now_ms;
    if (err.cause != CAUSE_NONE)
        log_err(NULL, "alerts: the listener has no certificate: %s", err.text);
    buf_free(&c->key);
    buf_free(&c->der);
    free(c->name);
    free(c);
    maybe_free(alerts);
}

/* Its key lives in memory only: with a new one at each start, and after some weeks, nothing is to be kept. */
static void certify(struct alerts *alerts)
{
    int64_t now = clock_wall(alerts->clock);
    struct certifying *c;

    if (!alerts->name || alerts->certifying ||
        (alerts->shown_ms > 0 && now - alerts->shown_ms < CERTIFY_MS && now >= alerts->shown_ms))
        return;
    alerts->certifying = true;
    c = xcalloc(1, sizeof(*c));
    c->alerts = alerts;
    c->name = xstrdup(alerts->name);
    c->now_ms = now;
    c->key = buf_init_secret(AUTHORITY_DER_MAX);
    c->der = buf_init(AUTHORITY_DER_MAX);
    store_submit(alerts->store, certify_work, certified, c);
}

/* --- once a day --- */

static void not_busy(struct alerts *alerts)
{
    alerts->busy = false;
    maybe_free(alerts);
}

static void run_ready(void *arg, struct active_run *run)
{
    (void)arg;
    (void)run;
}

static void run_refused(void *arg, const struct err *err)
{
    log_err(NULL, "alerts: hosts cannot be looked at: %s", err->text);
    not_busy(arg);
}

static void run_news(void *arg, struct active_run *run)
{
    if (!run_is_over(run))
        return;
    run_unwatch(run);
    not_busy(arg);
}

static void renew(struct alerts *alerts, const char *names)
{
    struct run_watch watch = {alerts, run_ready, run_refused, run_news};
    json_t *args = json_pack("{s:s}", "action", "on");
    struct run_order order = {
        .task = &task_alert,
        .args = xcalloc(1, task_alert.args_size),
        .args_text = task_args_text(&task_alert, args),
        .target = xstrdup(names),
        .who = xstrdup("amtd"),
        .by = xstrdup("alerts"),
        .parallel = RUN_PARALLEL_DEFAULT,
        .confirmed = true,
    };
    struct err err = ERR_INIT;

    if (task_alert.parse(order.args, args, &err) == 0) {
        engine_run(alerts->engine, &order, &watch);
    } else {
        run_order_clear(&order);
        run_refused(alerts, &err);
    }
    json_decref(args);
}

struct look {
    struct alerts *alerts;
    int64_t before_ms;
    char *names;
};

static int look_work(struct tx *tx, void *data, struct err *err)
{
    struct look *look = data;

    return tx_alerts_due(tx, look->before_ms, RENEW_MOST, &look->names, err);
}

static void look_done(void *data, const struct err *failure)
{
    struct look *look = data;

    if (failure)
        log_warn(NULL, "alerts: %s", failure->text);
    if (!failure && look->names[0] && !look->alerts->closing)
        renew(look->alerts, look->names);
    else
        not_busy(look->alerts);
    free(look->names);
    free(look);
}

static void on_look(uv_timer_t *timer)
{
    struct alerts *alerts = timer->data;
    struct look *look;

    certify(alerts);
    if (alerts->busy)
        return;
    alerts->busy = true;
    look = xcalloc(1, sizeof(*look));
    look->alerts = alerts;
    look->before_ms = clock_wall(alerts->clock) - RENEW_MS;
    store_submit(alerts->store, look_work, look_done, look);
}

/* --- the beginning --- */

/* Where devices reach the listener: as set, or at its own address. */
static int find_base(const struct alert_settings *settings, char **base, struct err *err)
{
    const char *url = settings->url;
    size_t n;

    *base = NULL;
    if (!settings->listen)
        return url ? err_set(err, CAUSE_INVALID_ARGUMENT, "alerts: 'url' goes with 'listen'") : 0;
    if (!url && (strncmp(settings->listen, "0.0.0.0:", 8) == 0 || strncmp(settings->listen, "[::]:", 5) == 0))
        return err_set(
            err, CAUSE_INVALID_ARGUMENT,
            "alerts: 'listen' is every address: say with 'url' at which one devices reach it, such as "
            "http://10.0.0.5:9971");
    if (url && strncmp(url, "http://", 7) != 0 && strncmp(url, HTTPS, strlen(HTTPS)) != 0)
        return err_set(err, CAUSE_INVALID_ARGUMENT,
                       "alerts: 'url': expected http://ADDRESS:PORT or https://ADDRESS:PORT, got '%s'", url);
    *base = url ? xstrdup(url) : xasprintf("http://%s", settings->listen);
    n = strlen(*base);
    while (n > 0 && (*base)[n - 1] == '/')
        (*base)[--n] = '\0';
    if (n + 1 + TOKEN_LEN <= ALERT_URL_MAX)
        return 0;
    return err_set(err, CAUSE_INVALID_ARGUMENT, "alerts: 'url' is longer than the %d bytes that devices take",
                   ALERT_URL_MAX - 1 - TOKEN_LEN);
}

/* "10.0.0.5" of "10.0.0.5:162", "http://10.0.0.5:9971" or "10.0.0.5"; NULL: no IPv4 address that can be sent
 * to. Caller's. */
static char *address_of(const char *text)
{
    const char *at = text ? strstr(text, "://") : NULL;
    struct in_addr number;
    char *host;

    if (!text)
        return NULL;
    at = at ? at + 3 : text;
    host = xstrndup(at, strcspn(at, ":/"));
    if (inet_pton(AF_INET, host, &number) == 1 && number.s_addr != INADDR_ANY)
        return host;
    free(host);
    return NULL;
}

/* Where devices send traps to: as set, or at an address that is known to be ours. */
static int find_traps(const struct alert_settings *settings, char **traps, struct err *err)
{
    const char *const places[] = {settings->traps_at, settings->traps, settings->url, settings->listen};

    *traps = NULL;
    if (settings->traps_at && (!settings->traps || !(*traps = address_of(settings->traps_at))))
        return err_set(
            err, CAUSE_INVALID_ARGUMENT,
            "alerts: 'traps-at': expected an IPv4 address such as 10.0.0.5, and a 'traps' with it");
    for (size_t i = 0; settings->traps && !*traps && i < sizeof(places) / sizeof(places[0]); i++)
        *traps = address_of(places[i]);
    return 0;
}

static int keep_way(struct tx *tx, void *data, struct err *err)
{
    const struct alert_way *way = data;

    return tx_alert_base_set(tx, way->base, way->traps, err);
}

static void way_kept(void *data, const struct err *failure)
{
    if (failure)
        log_err(NULL, "alerts: %s", failure->text);
    alert_way_clear(data);
    free(data);
}

/* The store has a copy of its own: it may still be at it when all this is gone. */
static void submit_way(struct alerts *alerts)
{
    struct alert_way *way = xcalloc(1, sizeof(*way));

    way->base = xstrdup(alerts->way.base);
    way->traps = xstrdup(alerts->way.traps);
    store_submit(alerts->store, keep_way, way_kept, way);
}

/* The name or address in "https://10.0.0.5:9971", as a certificate has it; NULL: it is none of HTTPS. */
static char *name_of(const char *base)
{
    const char *host;

    if (!base || strncmp(base, HTTPS, strlen(HTTPS)) != 0)
        return NULL;
    host = base + strlen(HTTPS);
    return host[0] == '[' ? xstrndup(host + 1, strcspn(host + 1, "]")) : xstrndup(host, strcspn(host, ":/"));
}

struct alerts *alerts_new(const struct alerts_parts *parts, const struct alert_settings *settings,
                          struct err *err)
{
    struct alerts *alerts = xcalloc(1, sizeof(*alerts));
    struct store *store = parts->store;
    struct alert_listener_parts listener = {
        .loop = parts->loop, .streams = parts->streams, .http = settings->listen, .traps = settings->traps};

    alerts->store = store;
    alerts->engine = parts->engine;
    alerts->clock = parts->clock;
    alerts->handles = 1;
    uv_timer_init(parts->loop, &alerts->timer);
    alerts->timer.data = alerts;
    alerts->desk = alert_desk_new(store, parts->events, parts->clock);
    if (find_base(settings, &alerts->way.base, err) == 0 &&
        find_traps(settings, &alerts->way.traps, err) == 0) {
        alerts->name = name_of(alerts->way.base);
        listener.desk = alerts->desk;
        listener.secured = alerts->name != NULL;
        alerts->listener = alert_listener_new(&listener, err);
    }
    if (!alerts->listener) {
        alerts_free(alerts);
        return NULL;
    }
    submit_way(alerts);
    if (alerts->way.base)
        log_info(NULL, "alerts are heard at %s", alerts->way.base);
    if (alerts->way.traps)
        log_info(NULL, "traps are heard at %s; devices send them to port 162 of %s", settings->traps,
                 alerts->way.traps);
    else if (settings->traps)
        log_warn(NULL,
                 "traps are heard at %s; for devices to be told of it, say with 'traps-at' at which address",
                 settings->traps);
    if (alerts->way.base || alerts->way.traps)
        uv_timer_start(&alerts->timer, on_look, LOOK_MS, LOOK_MS);
    certify(alerts);
    return alerts;
}
