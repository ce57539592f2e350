#include "amtcli/progress.h"

#include <string.h>

#include "amtcli/wrap.h"

#define LINE_MAX 512

void progress_init(struct progress *p, const struct clock *clock, FILE *out)
{
    memset(p, 0, sizeof(*p));
    p->clock = clock;
    p->out = out;
    p->began = clock_mono(clock);
    p->drawn = p->began - PROGRESS_REDRAW_MS;
}

static void put_time(int64_t ms, struct buf *out)
{
    int64_t s = (ms + 999) / 1000;

    if (s < 120)
        buf_printf(out, "%llds", (long long)s);
    else if (s < 7200)
        buf_printf(out, "%lldm", (long long)((s + 59) / 60));
    else
        buf_printf(out, "%.1fh", (double)s / 3600);
}

void progress_text(const struct progress *p, int64_t now, struct buf *out)
{
    size_t done = p->ok + p->failed, left = p->hosts > done ? p->hosts - done : 0;
    int64_t spent = now > p->began ? now - p->began : 1;

    if (p->note)
        buf_printf(out, "%zu of %zu done, %s, %zu left", done, p->hosts, p->note, left);
    else
        buf_printf(out, "%zu of %zu done, %zu failed, %zu left", done, p->hosts, p->failed, left);
    if (p->steps > 0)
        buf_printf(out, ", %zu tasks done", p->steps);
    if (p->stages > 1)
        buf_printf(out, ", stage %zu of %zu", p->stage, p->stages);
    if (p->stopping) {
        buf_puts(out, ", stopping");
    } else if (p->pause_until > now) {
        buf_puts(out, ", next stage in ");
        put_time(p->pause_until - now, out);
    } else if (done > 0 && left > 0) {
        double rate = (double)done * 1000 / (double)spent;

        buf_printf(out, rate < 10 ? ", %.1f/s, about " : ", %.0f/s, about ", rate);
        put_time((int64_t)((double)left / rate * 1000), out);
    } else {
        buf_puts(out, ", ");
        put_time(spent, out);
    }
}

void progress_draw(struct progress *p)
{
    int64_t now = clock_mono(p->clock);
    struct buf text;

    if (!p->out || p->hosts == 0 || now - p->drawn < PROGRESS_REDRAW_MS)
        return;
    p->drawn = now;
    text = buf_init(LINE_MAX);
    progress_text(p, now, &text);
    fprintf(p->out, "\r\033[K%.*s", (int)(wrap_columns(p->out, WRAP_PAGE) - 1), buf_str(&text));
    fflush(p->out);
    p->on_screen = true;
    buf_free(&text);
}

void progress_erase(struct progress *p)
{
    if (p->on_screen) {
        fputs("\r\033[K", p->out);
        fflush(p->out);
    }
    p->on_screen = false;
}
