#include "amtd/jobs/cron.h"

#include <libical/ical.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"
#include "base/xalloc.h"

#define YEARS_MOST 10
#define RULES_MOST 2 /* days of the month, and days of the week */
#define RULE_MAX   1000
#define WINDOW_TRIES                                                                                         \
    10000 /* intervals; of a minute each more than a day, after which the window comes again */
#define SHIFT_MOST (3 * 3600) /* that any clock was ever put forward or back, seconds */

struct cron {
    icaltimezone *zone; /* libical's own */
    struct icalrecurrencetype rules[RULES_MOST];
    int rule_count;
    int64_t every_ms, from_ms;  /* when there are no rules */
    int window_from, window_to; /* minutes of the day; equal: all of it */
};

/* --- fields --- */

static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                     "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL};

static const struct field {
    const char *name;
    int min, max;
    const char *const *names; /* of min, min + 1, ...; NULL: none */
} fields[] = {{"minute", 0, 59, NULL},
              {"hour", 0, 23, NULL},
              {"day of the month", 1, 31, NULL},
              {"month", 1, 12, months},
              {"day of the week", 0, 7, days}};
enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELDS };

struct values {
    bool set[60];
    bool all; /* "*": does not restrict */
};

static bool read_value(const struct field *f, const char *text, int *out)
{
    int64_t number;

    for (int i = 0; f->names && f->names[i]; i++) {
        if (strcasecmp(f->names[i], text) == 0) {
            *out = f->min + i;
            return true;
        }
    }
    if (!text_i64(text, f->min, f->max, &number))
        return false;
    *out = (int)number;
    return true;
}

/* "*", "5", "1-5", each maybe with "/n". */
static bool read_item(const struct field *f, char *item, struct values *values)
{
    char *slash = strchr(item, '/'), *dash;
    int first = f->min, last = f->max;
    int64_t step = 1;

    if (slash) {
        *slash = '\0';
        if (!text_i64(slash + 1, 1, f->max, &step))
            return false;
    }
    dash = strchr(item, '-');
    if (strcmp(item, "*") == 0) {
        values->all |= step == 1;
    } else if (dash) {
        *dash = '\0';
        if (!read_value(f, item, &first) || !read_value(f, dash + 1, &last) || first > last)
            return false;
    } else {
        if (!read_value(f, item, &first))
            return false;
        last = slash ? f->max : first;
    }
    for (int i = first; i <= last; i += (int)step)
        values->set[i] = true;
    return true;
}

static int read_field(const struct field *f, const char *text, struct values *values, struct err *err)
{
    char *copy = xstrdup(text), *rest = copy, *item;
    bool good = copy[0] != '\0';

    while (good && (item = strsep(&rest, ",")))
        good = read_item(f, item, values);
    free(copy);
    if (good)
        return 0;
    return err_set(err, CAUSE_INVALID_ARGUMENT,
                   "%s: expected '*', numbers from %d to %d, ranges and steps, not '%s'", f->name, f->min,
                   f->max, text);
}

/* --- rules --- */

static void add_numbers(struct buf *rule, const char *part, const struct values *values, int count)
{
    const char *sep = "";

    buf_printf(rule, ";%s=", part);
    for (int i = 0; i < count; i++) {
        if (values->set[i]) {
            buf_printf(rule, "%s%d", sep, i);
            sep = ",";
        }
    }
}

static void add_weekdays(struct buf *rule, const struct values *values)
{
    static const char *const names[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA", "SU"};
    const char *sep = "";

    buf_puts(rule, ";BYDAY=");
    for (int i = 0; i < 8; i++) {
        if (values->set[i] && !(i == 7 && values->set[0])) {
            buf_printf(rule, "%s%s", sep, names[i]);
            sep = ",";
        }
    }
}

static void add_rule(struct cron *cron, const struct values v[FIELDS], bool by_month_day, bool by_week_day)
{
    struct buf rule = buf_init(RULE_MAX);

    buf_puts(&rule, "FREQ=DAILY");
    if (!v[MONTH].all)
        add_numbers(&rule, "BYMONTH", &v[MONTH], 13);
    if (by_month_day)
        add_numbers(&rule, "BYMONTHDAY", &v[DAY], 32);
    if (by_week_day)
        add_weekdays(&rule, &v[WEEKDAY]);
    add_numbers(&rule, "BYHOUR", &v[HOUR], 24);
    add_numbers(&rule, "BYMINUTE", &v[MINUTE], 60);
    buf_puts(&rule, ";BYSECOND=0");
    cron->rules[cron->rule_count++] = icalrecurrencetype_from_string(buf_str(&rule));
    buf_free(&rule);
}

static const char *expanded(const char *text)
{
    static const char *const names[][2] = {{"@hourly", "0 * * * *"},
                                           {"@daily", "0 0 * * *"},
                                           {"@weekly", "0 0 * * 0"},
                                           {"@monthly", "0 0 1 * *"},
                                           {"@yearly", "0 0 1 1 *"}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i][0], text) == 0)
            return names[i][1];
    return text;
}

static int read_fields(const char *text, struct values v[FIELDS], struct err *err)
{
    char *copy = xstrdup(expanded(text)), *rest = copy, *word;
    int count = 0, status = 0;

    while (status == 0 && (word = strsep(&rest, " \t"))) {
        if (!word[0])
            continue;
        if (count == FIELDS)
            count++;
        else
            status = read_field(&fields[count], word, &v[count], err), count++;
    }
    free(copy);
    if (status == 0 && count != FIELDS)
        status = err_set(err, CAUSE_INVALID_ARGUMENT,
                         "expected five fields, 'minute hour day month weekday', not '%s'", text);
    return status;
}

static struct cron *cron_new(const char *zone, struct err *err)
{
    icaltimezone *z =
        strcmp(zone, "UTC") == 0 ? icaltimezone_get_utc_timezone() : icaltimezone_get_builtin_timezone(zone);
    struct cron *cron;

    if (!z) {
        err_set(err, CAUSE_INVALID_ARGUMENT, "there is no time zone '%s': expected one such as Europe/Berlin",
                zone);
        return NULL;
    }
    cron = xcalloc(1, sizeof(*cron));
    cron->zone = z;
    return cron;
}

struct cron *cron_parse(const char *text, const char *zone, struct err *err)
{
    struct values v[FIELDS] = {0};
    struct cron *cron;

    if (strlen(text) > CRON_TEXT_MAX) {
        err_set(err, CAUSE_INVALID_ARGUMENT, "a cron expression has at most %d bytes", CRON_TEXT_MAX);
        return NULL;
    }
    if (read_fields(text, v, err) != 0 || !(cron = cron_new(zone, err)))
        return NULL;
    if (!v[DAY].all || v[WEEKDAY].all)
        add_rule(cron, v, !v[DAY].all, false);
    if (!v[WEEKDAY].all)
        add_rule(cron, v, false, true);
    if (cron_next(cron, 0) > 0)
        return cron;
    cron_free(cron);
    err_set(err, CAUSE_INVALID_ARGUMENT, "'%s' never comes", text);
    return NULL;
}

struct cron *cron_every(int64_t every_ms, int64_t from_ms, const char *zone, struct err *err)
{
    struct cron *cron = cron_new(zone, err);

    if (!cron)
        return NULL;
    cron->every_ms = every_ms;
    cron->from_ms = from_ms;
    return cron;
}

static bool read_clock(const char *text, size_t n, int *minutes)
{
    int64_t hour, minute;
    char copy[6];

    if (n != 5 || text[2] != ':')
        return false;
    memcpy(copy, text, n);
    copy[5] = '\0';
    copy[2] = '\0';
    if (!text_i64(copy[0] == '0' ? copy + 1 : copy, 0, 23, &hour) ||
        !text_i64(copy[3] == '0' ? copy + 4 : copy + 3, 0, 59, &minute))
        return false;
    *minutes = (int)(hour * 60 + minute);
    return true;
}

int cron_set_window(struct cron *cron, const char *window, struct err *err)
{
    const char *dash = strchr(window, '-');

    if (dash && read_clock(window, (size_t)(dash - window), &cron->window_from) &&
        read_clock(dash + 1, strlen(dash + 1), &cron->window_to) && cron->window_from != cron->window_to)
        return 0;
    return err_set(err, CAUSE_INVALID_ARGUMENT, "expected a window such as 22:00-06:00, not '%s'", window);
}

void cron_free(struct cron *cron)
{
    free(cron);
}

/* --- times --- */

static bool in_window(const struct cron *cron, int64_t at_s)
{
    struct icaltimetype t = icaltime_from_timet_with_zone((time_t)at_s, 0, cron->zone);
    int minute = t.hour * 60 + t.minute, from = cron->window_from, to = cron->window_to;

    if (from == to)
        return true;
    return from < to ? minute >= from && minute < to : minute >= from || minute < to;
}

bool cron_is_within(const struct cron *cron, int64_t at_ms)
{
    return in_window(cron, at_ms / 1000);
}

/* What the clock was put over is as much later as it was put forward. */
static int64_t zoned(const struct cron *cron, struct icaltimetype t)
{
    int64_t at_s = (int64_t)icaltime_as_timet_with_zone(t, cron->zone);
    struct icaltimetype there = icaltime_from_timet_with_zone((time_t)at_s, 0, cron->zone);
    int early = (t.hour * 60 + t.minute) - (there.hour * 60 + there.minute);

    if (early < 0)
        early += 24 * 60;
    return at_s + (early <= SHIFT_MOST / 60 ? (int64_t)early * 60 : 0);
}

/* Rules are followed on the clock's face, without a zone, and each time is then looked up in it: near a
 * change of the clock their order may be another one, so a few more are looked at. */
static int64_t next_by_rule(const struct cron *cron, struct icalrecurrencetype rule, int64_t after_s)
{
    struct icaltimetype from = icaltime_from_timet_with_zone((time_t)after_s, 0, cron->zone);
    icalrecur_iterator *it;
    int64_t best = 0;
    int last_year = from.year + YEARS_MOST;

    from.hour = from.minute = from.second = 0;
    icaltime_adjust(&from, -1, 0, 0, 0);
    from.zone = NULL;
    it = icalrecur_iterator_new(rule, from);
    while (it) {
        struct icaltimetype t = icalrecur_iterator_next(it);
        int64_t at_s;

        if (icaltime_is_null_time(t) || t.year > last_year)
            break;
        at_s = zoned(cron, t);
        if (best > 0 && at_s > best + SHIFT_MOST)
            break;
        if (at_s > after_s && in_window(cron, at_s) && (best == 0 || at_s < best))
            best = at_s;
    }
    icalrecur_iterator_free(it);
    return best;
}

static int64_t next_by_interval(const struct cron *cron, int64_t after_ms)
{
    int64_t since = (after_ms - cron->from_ms) % cron->every_ms; /* since the one before */
    int64_t at_ms = after_ms + cron->every_ms - (since < 0 ? since + cron->every_ms : since);

    for (int i = 0; i < WINDOW_TRIES; i++, at_ms += cron->every_ms)
        if (in_window(cron, at_ms / 1000))
            return at_ms;
    return 0;
}

int64_t cron_next(const struct cron *cron, int64_t after_ms)
{
    int64_t best = 0;

    if (cron->rule_count == 0)
        return next_by_interval(cron, after_ms);
    for (int i = 0; i < cron->rule_count; i++) {
        int64_t at_s = next_by_rule(cron, cron->rules[i], after_ms / 1000);

        if (at_s > 0 && (best == 0 || at_s < best))
            best = at_s;
    }
    return best * 1000;
}

const char *cron_local_zone(char *out, size_t size)
{
    char target[512];
    ssize_t n = readlink("/etc/localtime", target, sizeof(target) - 1);
    const char *zone;

    target[n > 0 ? n : 0] = '\0';
    zone = strstr(target, "zoneinfo/");
    zone = zone ? zone + strlen("zoneinfo/") : "UTC";
    if (strncmp(zone, "Etc/UTC", 7) == 0)
        zone = "UTC";
    if (strlen(zone) >= size)
        zone = "UTC";
    memcpy(out, zone, strlen(zone) + 1);
    return out;
}
