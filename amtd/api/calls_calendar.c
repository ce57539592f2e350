/* calendar.list: what expires or ages next. */
#include <stdlib.h>

#include "amtd/api/calls.h"
#include "amtd/fleet/store_calendar.h"
#include "base/clock.h"

#define DAY_MS          ((int64_t)24 * 3600 * 1000)
#define WITHIN_MS       (90 * DAY_MS)
#define PASSWORD_AGE_MS (90 * DAY_MS)
#define CLOCK_OFF_S     60
#define LONGEST_MS      (36500 * DAY_MS)

static const char *const kinds[] = {[CALENDAR_CERTIFICATE] = "certificate",
                                    [CALENDAR_PASSWORD] = "password",
                                    [CALENDAR_CLOCK] = "clock",
                                    [CALENDAR_OLD_TLS] = "old-tls"};

static json_t *text_of(const struct calendar_row *row)
{
    switch (row->kind) {
    case CALENDAR_CERTIFICATE:
        return json_string("the certificate of the device ends");
    case CALENDAR_PASSWORD:
        return json_sprintf("the password of '%s' is to be changed: amtcli password rotate %s", row->subject,
                            row->host);
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

int call_calendar_list(struct tx *tx, const json_t *params, json_t **reply, struct err *err)
{
    const char *target = param_text(params, "target") ? param_text(params, "target") : "all";
    int64_t now = clock_wall(clock_system()), within;
    struct calendar_limits limits = {.clock_off_s = CLOCK_OFF_S};
    struct calendar_row *rows;
    size_t count;
    int status;

    if (read_ms(params, "within_ms", WITHIN_MS, &within, err) != 0 ||
        read_ms(params, "password_age_ms", PASSWORD_AGE_MS, &limits.password_age_ms, err) != 0)
        return -1;
    limits.until_ms = now + within;
    status = tx_calendar(tx, target, &limits, &rows, &count, err);
    *reply = json_array();
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(*reply, describe(&rows[i], now));
        calendar_row_clear(&rows[i]);
    }
    free(rows);
    return status;
}
