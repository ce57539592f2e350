#include "tests/amtsim/redir_fault.h"

#include "base/bytes.h"
#include "tests/amtsim/redir_msg.h"

const struct fault *redir_fault_at(struct device *device, enum fault_point at, const char *on, uint64_t bytes)
{
    static const enum fault_kind kinds[] = {
        FAULT_REDIR_STALL,   FAULT_REDIR_HALF_OPEN,    FAULT_REDIR_DEAF,       FAULT_REDIR_DROP,
        FAULT_REDIR_GARBAGE, FAULT_REDIR_FALSE_LENGTH, FAULT_REDIR_RENEGOTIATE};
    const struct fault *f = NULL;
    for (size_t i = 0; f == NULL && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        f = fault_strike_at(device, kinds[i], at, on, bytes);
    return f;
}

static void zeros(struct buf *b, size_t n)
{
    while (n-- > 0)
        wr_u8(b, 0);
}

/* 0x11 with 255 bytes of OEM data that never come. */
static void false_start(enum redir_kind kind, struct buf *b)
{
    (void)kind;
    redir_put_start_reply(b, 0, 16, 0);
    b->p[b->len - 1] = 255;
}

/* 0x14 with data of nearly 4 GiB: an adder of 9 wraps. */
static void false_login(enum redir_kind kind, struct buf *b)
{
    (void)kind;
    wr_u8(b, REDIR_LOGIN_REPLY);
    wr_u8(b, 1);
    wr_le16(b, 0);
    wr_u8(b, LOGIN_DIGEST);
    wr_le32(b, 0xFFFFFFF8u);
    zeros(b, 16);
}

/* 0x21 with OEM data; 0x41 with buffers of 64 KiB and OEM data. */
static void false_open(enum redir_kind kind, struct buf *b)
{
    if (kind == REDIR_SOL) {
        sol_put_open_reply(b, 0, 0);
    } else {
        ider_put_open_reply(b, 0, 0, 16, 0);
        for (size_t i = 0; i < 4; i++)
            b->p[b->len - 14 + i] = 255; /* [16..19] */
    }
    b->p[b->len - 1] = 255;
}

/* 0x2A that says 65535 and brings 4; 0x53 that nobody asked for and that says the same. */
static void false_data(enum redir_kind kind, struct buf *b)
{
    wr_u8(b, kind == REDIR_SOL ? SOL_FROM_HOST : IDER_DATA_FROM_HOST);
    zeros(b, kind == REDIR_SOL ? 7 : 8);
    wr_le16(b, UINT16_MAX);
    zeros(b, 4);
}

/* Half of a 0x23 or 0x43. */
static void false_end(enum redir_kind kind, struct buf *b)
{
    wr_u8(b, kind == REDIR_SOL ? SOL_CLOSE_REPLY : IDER_CLOSE_REPLY);
    zeros(b, 3);
}

void redir_fault_put(const struct fault *fault, enum fault_point at, enum redir_kind kind, struct buf *out)
{
    static const char garbage[] = "\xEE\x00HTTP/1.1 400\r\n\xFF\x80\x01\x7F";
    static void (*const lies[FAULT_POINT_COUNT])(enum redir_kind kind, struct buf * b) = {
        [FAULT_AT_START] = false_start,  [FAULT_AT_LOGIN] = false_login, [FAULT_AT_OPEN] = false_open,
        [FAULT_AT_SESSION] = false_data, [FAULT_AT_END] = false_end,
    };
    if (fault->kind == FAULT_REDIR_FALSE_LENGTH && lies[at] != NULL)
        lies[at](kind, out);
    else
        buf_add(out, garbage, sizeof(garbage) - 1);
}
