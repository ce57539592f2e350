/* calendar.list: what expires or ages next, and when schedules begin. */
#include <stdlib.h>

#include "amtd/api/calls.h"
#include "amtd/daemon.h"
#include "amtd/jobs/schedules.h"
#include "amtd/store/calendar.h"
#include "base/clock.h"
#include "base/xalloc.h"

#define DAY_MS          ((int64_t)24 * 3600 * 1000)
#define WITHIN_MS       (90 * DAY_MS)
#define PASSWORD_AGE_MS (90 * DAY_MS)
#define CLOCK_OFF_S     60
#define LONGEST_MS      (36500 * DAY_MS)

static const char *const kinds[] = {[CALENDAR_CERTIFICATE] = "certificate",
                                    [CALENDAR_PASSWORD] = "password",
                                    [CALENDAR_CLOCK] = "clock",
                                    [CALENDAR_OLD_TLS] = "old-tls",
                                    [CALENDAR_CA] = "ca",
                                    [CALENDAR_OLD_ROOT] = "old-root"};

static json_t *text_of(const struct calendar_row *row)
{
    switch (row->kind) {
    case CALENDAR_CERTIFICATE:
        return row->number ? json_sprintf("the certificate of the device ends: amtcli certificate renew %s",
                                          row->host)
                           : json_string("the certificate of the device ends");
    case CALENDAR_OLD_ROOT:
        return json_sprintf("it keeps %lld root%s of renewed CAs of amtd: amtcli certificate renew %s",
                            (long long)row->number, row->number == 1 ? "" : "s", row->host);
    case CALENDAR_CA:
        return json_string("amtd's CA ends: amtcli certificate ca renew");
    case CALENDAR_PASSWORD:
        return row->number
                   ? json_sprintf("the password of '%s' is to be changed: amtcli password rotate %s",
                                  row->subject, row->host)
                   : json_sprintf("the password of '%s' is to be changed: amtcli user %s rotate -a %s",
                                  row->subject, row->host, row->subject);
    case CALENDAR_CLOCK:
        return json_sprintf("the clock was %lld s off: amtcli clock %s set", (long long)row->number,
                            row->host);
    case CALENDAR_OLD_TLS:
        return json_sprintf("profile '%s' allows old TLS", row->subject);
    }
    return json_null();
}

static json_t *describe(const struct calendar_row *row, int64_t now)
{
    json_t *json = json_pack("{s:s, s:s, s:o, s:o}", "what", kinds[row->kind], "host", row->host, "text",
                             text_of(row), "at", json_time(row->at_ms));

    if (row->at_ms > 0)
        json_object_set_new(json, "days", json_integer((row->at_ms - now) / DAY_MS));
    return json;
}

static int read_ms(const json_t *params, const char *name, int64_t standard, int64_t *out, struct err *err)
{
    const json_t *json = json_object_get(params, name);

    *out = json ? json_integer_value(json) : standard;
    return *out >= 0 && *out <= LONGEST_MS
               ? 0
               : err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' must be from 0 to %lld", name,
                         (long long)LONGEST_MS);
}

/* --- rows --- */

struct due {
    int64_t at_ms;
    size_t place; /* as they came */
    json_t *json;
};

struct calendar {
    struct api_request *rq;
    struct calendar_limits limits;
    int64_t now_ms;
    struct calendar_row *rows;
    size_t row_count;
    struct schedule *schedules;
    size_t schedule_count;
    struct due *dues;
    size_t count;
};

static void add_due(struct calendar *c, int64_t at_ms, json_t *json)
{
    c->dues = xreallocarray(c->dues, c->count + 1, sizeof(*c->dues));
    c->dues[c->count] = (struct due){at_ms, c->count, json};
    c->count++;
}

static json_t *schedule_json(const struct schedule *s, int64_t at_ms, int64_t now_ms)
{
    json_t *text = s->discover ? json_sprintf("schedule %s: a sweep", s->name)
                               : json_sprintf("schedule %s: job %s on %s", s->name, s->job, s->target);

    return json_pack("{s:s, s:n, s:o, s:o, s:I}", "what", "schedule", "host", "text", text, "at",
                     json_time(at_ms), "days", (json_int_t)((at_ms - now_ms) / DAY_MS));
}

/* The next time of each, of those that are enabled. */
static void add_schedules(struct calendar *c)
{
    for (size_t i = 0; i < c->schedule_count; i++) {
        const struct schedule *s = &c->schedules[i];
        struct err err = ERR_INIT;
        struct cron *cron = s->enabled ? schedule_cron(s, &err) : NULL;
        int64_t at_ms = cron ? cron_next(cron, c->now_ms) : 0;

        if (at_ms > 0 && at_ms < c->limits.until_ms)
            add_due(c, at_ms, schedule_json(s, at_ms, c->now_ms));
        cron_free(cron);
    }
}

static int by_time(const void *a, const void *b)
{
    const struct due *x = a, *y = b;

    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return x->place < y->place ? -1 : 1;
}

/* --- the call --- */

static void clear_read(struct calendar *c)
{
    for (size_t i = 0; i < c->row_count; i++)
        calendar_row_clear(&c->rows[i]);
    for (size_t i = 0; i < c->schedule_count; i++)
        schedule_clear(&c->schedules[i]);
    free(c->rows);
    free(c->schedules);
    c->rows = NULL;
    c->schedules = NULL;
    c->row_count = c->schedule_count = 0;
}

static int read_rows(struct tx *tx, void *data, struct err *err)
{
    struct calendar *c = data;
    struct actor actor = api_actor(c->rq);
    const char *target = param_text(api_params(c->rq), "target");
    int status;

    clear_read(c);
    tx_as(tx, &actor);
    status = tx_calendar(tx, target ? target : "all", &c->limits, &c->rows, &c->row_count, err);
    tx_as(tx, NULL);
    /* what is asked of some hosts is not asked of schedules */
    return status == 0 && !target ? tx_schedules(tx, &c->schedules, &c->schedule_count, err) : status;
}

static void rows_read(void *data, const struct err *failure)
{
    struct calendar *c = data;
    json_t *reply = json_array();

    for (size_t i = 0; i < c->row_count; i++)
        add_due(c, c->rows[i].at_ms, describe(&c->rows[i], c->now_ms));
    add_schedules(c);
    if (c->count > 0)
        qsort(c->dues, c->count, sizeof(*c->dues), by_time);
    for (size_t i = 0; i < c->count; i++)
        json_array_append_new(reply, c->dues[i].json);
    if (failure) {
        json_decref(reply);
        api_fail(c->rq, failure);
    } else {
        api_reply(c->rq, reply);
    }
    clear_read(c);
    free(c->dues);
    free(c);
}

void call_calendar_list(struct api_request *rq)
{
    const json_t *params = api_params(rq);
    struct calendar *c = xcalloc(1, sizeof(*c));
    int64_t within;
    struct err err = ERR_INIT;

    c->rq = rq;
    c->now_ms = clock_wall(clock_system());
    c->limits.clock_off_s = CLOCK_OFF_S;
    if (read_ms(params, "within_ms", WITHIN_MS, &within, &err) != 0 ||
        read_ms(params, "password_age_ms", PASSWORD_AGE_MS, &c->limits.password_age_ms, &err) != 0) {
        api_fail(rq, &err);
        free(c);
        return;
    }
    c->limits.until_ms = c->now_ms + within;
    store_submit(daemon_store(api_daemon(rq)), read_rows, rows_read, c);
}
