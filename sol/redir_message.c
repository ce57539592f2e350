/* Where a message ends. No sizes in front of messages: each code has its own. (reference redirection.md,
 * section 8.1) */
#include "sol/redir_internal.h"

/* A code may have several rows for different states. The one for this state, else any (with *turn false). */
static const struct redir_message *find(const struct redir_stage *stage, unsigned state, uint8_t code,
                                        bool *turn)
{
    const struct redir_message *other = NULL;

    for (size_t i = 0; i < stage->count; i++) {
        const struct redir_message *m = &stage->messages[i];

        if (m->code != code)
            continue;
        *turn = m->on[state] != NULL;
        if (*turn)
            return m;
        if (!other)
            other = m;
    }
    return other;
}

static uint32_t read_count(const struct redir_message *m, const uint8_t *p)
{
    struct rd r = rd_init(p, m->size);

    rd_skip(&r, m->count_at);
    switch (m->count_width) {
    case 1:
        return rd_u8(&r);
    case 2:
        return rd_le16(&r);
    case 4:
        return rd_le32(&r);
    default:
        return 0;
    }
}

static enum decode bad(struct err *err, const char *name, uint8_t code, const char *what)
{
    err_set(err, CAUSE_BAD_ANSWER, "%s (message 0x%02x) %s", name, code, what);
    return DECODE_BAD;
}

enum decode redir_frame_read(const struct redir_stage *stage, unsigned state, const uint8_t *p, size_t n,
                             struct redir_frame *frame, struct err *err)
{
    const struct redir_message *m;
    bool turn = false;

    frame->need = 1;
    frame->count = 0;
    if (n == 0)
        return DECODE_MORE;
    m = frame->message = find(stage, state, p[0], &turn);
    if (!m) {
        err_set(err, CAUSE_BAD_ANSWER, "0x%02x begins no message of this protocol", p[0]);
        return DECODE_BAD;
    }
    if (!turn)
        return bad(err, m->name, p[0], "is out of turn");
    frame->need = m->refusal > 0 && n < 2 ? 2 : m->size;
    if (m->refusal > 0 && n >= 2 && p[1] != 0) {
        frame->need = m->refusal;
        return n < frame->need ? DECODE_MORE : DECODE_DONE;
    }
    if (n < frame->need)
        return DECODE_MORE;
    frame->count = read_count(m, p);
    if (frame->count > m->count_max) {
        err_set(err, CAUSE_BAD_ANSWER, "%s (message 0x%02x) claims %u bytes, more than the %u it may have",
                m->name, p[0], frame->count, m->count_max);
        return DECODE_BAD;
    }
    if (!m->pieces)
        frame->need = (size_t)m->size + frame->count; /* count_max keeps this small */
    return n < frame->need ? DECODE_MORE : DECODE_DONE;
}
