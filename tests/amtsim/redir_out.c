#include "tests/amtsim/redir_out.h"

#include <string.h>

void redir_out_init(struct redir_out *out)
{
    *out = (struct redir_out){.bytes = buf_init(REDIR_OUT_MAX), .pause_ms = REDIR_PAUSE_MS};
}

void redir_out_clear(struct redir_out *out)
{
    buf_free(&out->bytes);
    redir_out_init(out);
}

void redir_out_pause(struct redir_out *out)
{
    size_t at = out->bytes.len;
    if (out->count < REDIR_PAUSES && (out->count == 0 || out->pauses[out->count - 1] < at))
        out->pauses[out->count++] = at;
}

static bool pausing(const struct redir_out *out)
{
    return out->count > 0 && out->pauses[0] == 0;
}

static void drop_pause(struct redir_out *out)
{
    out->count--;
    memmove(out->pauses, out->pauses + 1, out->count * sizeof(out->pauses[0]));
    out->until_ms = 0;
}

struct view redir_out_ready(struct redir_out *out, int64_t now_ms)
{
    if (pausing(out)) {
        if (now_ms < out->until_ms)
            return (struct view){NULL, 0};
        drop_pause(out);
    }
    size_t n = out->count > 0 ? out->pauses[0] : out->bytes.len;
    return (struct view){out->bytes.p, n};
}

void redir_out_sent(struct redir_out *out, size_t n, int64_t now_ms)
{
    buf_consume(&out->bytes, n);
    for (unsigned i = 0; i < out->count; i++)
        out->pauses[i] -= n;
    if (pausing(out))
        out->until_ms = now_ms + out->pause_ms;
}

int64_t redir_out_deadline(const struct redir_out *out)
{
    return pausing(out) && out->bytes.len > 0 ? out->until_ms : INT64_MAX;
}

bool redir_out_roomy(const struct redir_out *out)
{
    return out->bytes.len < REDIR_OUT_ROOMY;
}
