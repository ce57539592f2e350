#include "amtcli/forms.h"

#include <string.h>
#include <time.h>

#include "amtcli/output.h"
#include "base/text.h"

#define MOMENT_SECONDS (sizeof("2026-11-21T20:31:47") - 1)
#define SECONDS_MOST   (INT64_MAX / 1000)
#define TIME_MAX       64

static void as_it_is(const json_t *value, struct buf *out)
{
    json_t *row = json_pack("{s:O}", "value", value);

    cell_text(row, "value", out);
    json_decref(row);
}

void form_bytes(const json_t *value, struct buf *out)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    int64_t bytes = json_integer_value(value);
    size_t unit = 0;
    double n;

    if (!json_is_integer(value) &&
        !(json_is_string(value) && text_i64(json_string_value(value), 0, INT64_MAX, &bytes)))
        bytes = -1;
    if (bytes < 0) {
        as_it_is(value, out);
        return;
    }
    n = (double)bytes;
    for (; n >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
        n /= 1024;
    buf_printf(out, n < 10 && n * 10 != (double)(int)n * 10 ? "%.1f %s" : "%.0f %s", n, units[unit]);
}

void form_moment(const json_t *value, struct buf *out)
{
    const char *text = json_string_value(value);

    if (text && strlen(text) > MOMENT_SECONDS && text[MOMENT_SECONDS] == '.' &&
        text[strlen(text) - 1] == 'Z') {
        text_printable(out, text, MOMENT_SECONDS);
        buf_putc(out, 'Z');
    } else {
        as_it_is(value, out);
    }
}

void form_ms(const json_t *value, struct buf *out)
{
    if (json_integer_value(value) > 0)
        text_duration(out, json_integer_value(value));
    else if (json_is_integer(value))
        buf_puts(out, "default");
    else
        as_it_is(value, out);
}

static bool moment(const json_t *row, const char *field, time_t *out)
{
    const char *text = json_string_value(json_object_get(row, field));
    struct tm tm = {0};

    if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%S", &tm))
        return false;
    *out = timegm(&tm);
    return true;
}

void form_took(json_t *rows)
{
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        struct buf text = buf_init(TIME_MAX);
        time_t began, ended;

        if (moment(row, "began", &began) && moment(row, "ended", &ended) && ended >= began) {
            text_duration(&text, (int64_t)(ended - began) * 1000);
            json_object_set_new(row, "took", json_string(buf_str(&text)));
        }
        buf_free(&text);
    }
}

void form_seconds(const json_t *value, struct buf *out)
{
    json_int_t s = json_integer_value(value);

    if (!json_is_integer(value) || s > SECONDS_MOST || s < -SECONDS_MOST) {
        as_it_is(value, out);
        return;
    }
    if (s < 0)
        buf_putc(out, '-');
    text_duration(out, (s < 0 ? -s : s) * 1000);
}
