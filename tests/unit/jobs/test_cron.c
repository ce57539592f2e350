/* Times by cron expressions: fields, both kinds of days, leap days, and days on which clocks are put forward
 * or back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "amtd/jobs/cron.h"
#include "base/clock.h"

static int64_t at(const char *text)
{
    struct tm tm = {0};

    assert_non_null(strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm));
    return (int64_t)timegm(&tm) * 1000;
}

static const char *text_of(int64_t ms)
{
    static char text[32];
    time_t s = (time_t)(ms / 1000);
    struct tm tm;

    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&s, &tm));
    return text;
}

static void times(void **state)
{
    static const struct {
        const char *cron, *zone, *after, *next[4];
    } rows[] = {
        {"0 2 * * *", "UTC", "2026-11-21T01:59:59Z", {"2026-11-21T02:00:00Z", "2026-11-22T02:00:00Z"}},
        {"0 2 * * *", "UTC", "2026-11-21T02:00:00Z", {"2026-11-22T02:00:00Z"}},
        {"0 2 * * *", "Europe/Berlin", "2026-07-01T12:00:00Z", {"2026-07-02T00:00:00Z"}},
        {"*/20 8-9 * * mon-fri",
         "UTC",
         "2026-11-20T09:20:00Z",
         {"2026-11-20T09:40:00Z", "2026-11-23T08:00:00Z", "2026-11-23T08:20:00Z"}},
        {"15,45 0 1 jan,jul *",
         "UTC",
         "2026-11-20T00:00:00Z",
         {"2027-01-01T00:15:00Z", "2027-01-01T00:45:00Z", "2027-07-01T00:15:00Z"}},
        /* either of the days is enough */
        {"0 0 13 * fri",
         "UTC",
         "2026-11-12T00:00:00Z",
         {"2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z", "2026-12-04T00:00:00Z"}},
        {"0 0 * * 7", "UTC", "2026-11-20T00:00:00Z", {"2026-11-22T00:00:00Z"}},
        {"0 0 29 2 *", "UTC", "2026-11-20T00:00:00Z", {"2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"}},
        {"@monthly", "UTC", "2026-11-20T00:00:00Z", {"2026-12-01T00:00:00Z"}},
        {"5/20 * * * *",
         "UTC",
         "2026-11-20T00:00:00Z",
         {"2026-11-20T00:05:00Z", "2026-11-20T00:25:00Z", "2026-11-20T00:45:00Z", "2026-11-20T01:05:00Z"}},
        /* 2:30 is left out on the day the clock is put forward: it comes an hour later by the clock */
        {"30 2 * * *",
         "Europe/Berlin",
         "2026-03-28T00:00:00Z",
         {"2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"}},
        /* and comes twice on the day it is put back: the first one counts */
        {"30 2 * * *",
         "Europe/Berlin",
         "2026-10-24T12:00:00Z",
         {"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
        {"0 * * * *",
         "America/New_York",
         "2026-03-08T05:30:00Z",
         {"2026-03-08T06:00:00Z", "2026-03-08T07:00:00Z", "2026-03-08T08:00:00Z"}},
        {"0 0 * * *", "America/Sao_Paulo", "2026-11-20T00:00:00Z", {"2026-11-20T03:00:00Z"}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err = ERR_INIT;
        struct cron *cron = cron_parse(rows[i].cron, rows[i].zone, &err);
        int64_t now = at(rows[i].after);

        if (!cron)
            fail_msg("%s: %s", rows[i].cron, err.text);
        for (size_t k = 0; k < 4 && rows[i].next[k]; k++) {
            now = cron_next(cron, now);
            if (strcmp(text_of(now), rows[i].next[k]) != 0)
                fail_msg("'%s' in %s: %s, not %s", rows[i].cron, rows[i].zone, text_of(now), rows[i].next[k]);
        }
        cron_free(cron);
    }
}

static void mistakes(void **state)
{
    static const struct {
        const char *cron, *zone, *says;
    } rows[] = {
        {"0 2 * *", "UTC", "five fields"},
        {"0 2 * * * *", "UTC", "five fields"},
        {"60 2 * * *", "UTC", "minute"},
        {"0 24 * * *", "UTC", "hour"},
        {"0 0 0 * *", "UTC", "day of the month"},
        {"0 0 * foo *", "UTC", "month"},
        {"0 0 * * 8", "UTC", "day of the week"},
        {"5-1 * * * *", "UTC", "minute"},
        {"*/0 * * * *", "UTC", "minute"},
        {"1,,2 * * * *", "UTC", "minute"},
        {"0 0 31 4 *", "UTC", "never comes"},
        {"0 0 * * *", "Mars/Base", "no time zone"},
        {"", "UTC", "five fields"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct err err = ERR_INIT;

        assert_null(cron_parse(rows[i].cron, rows[i].zone, &err));
        if (!strstr(err.text, rows[i].says))
            fail_msg("'%s': %s", rows[i].cron, err.text);
    }
}

static void windows(void **state)
{
    struct err err = ERR_INIT;
    struct cron *cron = cron_parse("0 */6 * * *", "Europe/Berlin", &err);

    (void)state;
    assert_int_equal(cron_set_window(cron, "22:00-06:00", &err), 0);
    assert_string_equal(text_of(cron_next(cron, at("2026-11-20T00:00:00Z"))), "2026-11-20T23:00:00Z");
    assert_true(cron_is_within(cron, at("2026-11-20T21:00:00Z")));
    assert_true(cron_is_within(cron, at("2026-11-20T04:59:59Z")));
    assert_false(cron_is_within(cron, at("2026-11-20T05:00:00Z")));
    assert_false(cron_is_within(cron, at("2026-11-20T20:59:59Z")));
    assert_int_equal(cron_set_window(cron, "07:00-19:00", &err), 0);
    assert_string_equal(text_of(cron_next(cron, at("2026-11-20T00:00:00Z"))), "2026-11-20T11:00:00Z");
    assert_int_equal(cron_set_window(cron, "7-19", &err), -1);
    assert_int_equal(cron_set_window(cron, "07:00-07:00", &err), -1);
    assert_int_equal(cron_set_window(cron, "07:00-24:00", &err), -1);
    cron_free(cron);
}

static void intervals(void **state)
{
    struct err err = ERR_INIT;
    int64_t from = at("2026-11-20T00:10:00Z");
    struct cron *cron = cron_every(6 * 3600000, from, "UTC", &err);

    (void)state;
    assert_string_equal(text_of(cron_next(cron, from)), "2026-11-20T06:10:00Z");
    assert_string_equal(text_of(cron_next(cron, at("2026-11-21T06:10:00Z"))), "2026-11-21T12:10:00Z");
    /* a clock that was ahead when it was added */
    assert_string_equal(text_of(cron_next(cron, at("2024-02-29T18:10:00Z"))), "2024-03-01T00:10:00Z");
    assert_string_equal(text_of(cron_next(cron, at("2024-02-29T18:09:59Z"))), "2024-02-29T18:10:00Z");
    assert_int_equal(cron_set_window(cron, "11:00-13:00", &err), 0);
    assert_string_equal(text_of(cron_next(cron, from)), "2026-11-20T12:10:00Z");
    assert_int_equal(cron_set_window(cron, "01:00-02:00", &err), 0);
    assert_int_equal(cron_next(cron, from), 0);
    cron_free(cron);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(times), cmocka_unit_test(mistakes),
                                       cmocka_unit_test(windows), cmocka_unit_test(intervals)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
