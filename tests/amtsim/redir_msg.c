#include "tests/amtsim/redir_msg.h"

#include <string.h>

#define OEM_INTEL 343
#define DRIVE_CD  0x10 /* of the drive select register: device 1 */

/* --- where a message ends --- */

static const struct form {
    uint8_t code;
    uint8_t head;       /* bytes without the payload */
    uint8_t length_at;  /* of the payload's length; 0: there is none */
    uint8_t length_len; /* bytes of that length */
    uint32_t max;       /* of the payload */
} forms[] = {
    {REDIR_START, 8, 0, 0, 0},
    {REDIR_END, 4, 0, 0, 0},
    {REDIR_LOGIN, 9, 5, 4, REDIR_TOKEN_MAX},
    {SOL_OPEN, 24, 0, 0, 0},
    {SOL_CLOSE, 8, 0, 0, 0},
    {SOL_PING, 8, 0, 0, 0},
    {SOL_PONG, 8, 0, 0, 0},
    {SOL_CONTROLS_TO_HOST, 14, 0, 0, 0},
    {SOL_TO_HOST, 10, 8, 2, UINT16_MAX},
    {SOL_HEARTBEAT, 8, 0, 0, 0},
    {IDER_OPEN, 18, 0, 0, 0},
    {IDER_CLOSE, 8, 0, 0, 0},
    {IDER_PING, 8, 0, 0, 0},
    {IDER_PONG, 8, 0, 0, 0},
    {IDER_RESET_REPLY, 8, 0, 0, 0},
    {IDER_FEATURES, 9, 0, 0, 0},
    {IDER_HEARTBEAT, 8, 0, 0, 0},
    {IDER_STATUS, 31, 0, 0, 0},
    {IDER_WANT_DATA, 31, 0, 0, 0},
    {IDER_DATA_TO_HOST, 34, 9, 2, IDER_DATA_MAX},
};

static const struct form *form_of(uint8_t code)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (forms[i].code == code)
            return &forms[i];
    }
    return NULL;
}

/* The bound of a payload when the type of a login narrows it. */
static uint32_t payload_max(const struct form *form, const uint8_t *p)
{
    if (form->code == REDIR_LOGIN && p[4] != LOGIN_KERBEROS)
        return REDIR_LOGIN_DATA_MAX;
    return form->max;
}

/* Sub-code 3 of 0x48 carries a value. (3.1) */
static size_t extra_of(const struct form *form, const uint8_t *p)
{
    return form->code == IDER_FEATURES && p[8] == 3 ? 4 : 0;
}

enum decode redir_msg_decode(struct redir_msg *m, const void *p, size_t n)
{
    const uint8_t *bytes = p;
    *m = (struct redir_msg){0};
    if (n == 0)
        return DECODE_MORE;
    const struct form *form = form_of(bytes[0]);
    if (form == NULL)
        return DECODE_BAD;
    size_t length_end = (size_t)form->length_at + form->length_len;
    if (n < length_end || (form->length_at == 0 && n < form->head))
        return DECODE_MORE;
    struct rd r = rd_init(bytes, length_end);
    uint32_t payload = 0;
    if (form->length_at != 0) {
        rd_skip(&r, form->length_at);
        payload = form->length_len == 4 ? rd_le32(&r) : rd_le16(&r);
        if (payload > payload_max(form, bytes))
            return DECODE_BAD;
    }
    size_t head = form->head + (form->length_at == 0 ? extra_of(form, bytes) : 0);
    if (n < head + payload)
        return DECODE_MORE;
    m->code = bytes[0];
    m->size = head + payload;
    m->whole = (struct view){bytes, m->size};
    m->payload = (struct view){bytes + head, payload};
    return DECODE_DONE;
}

unsigned redir_msg_filler(const struct redir_msg *m)
{
    return m->code == IDER_FEATURES && m->size == 9 ? 4 : 0;
}

/* --- what stands in it --- */

static struct rd body_of(const struct redir_msg *m, size_t at)
{
    struct rd r = rd_init(m->whole.p, m->whole.n);
    rd_skip(&r, at);
    return r;
}

void redir_start_read(const struct redir_msg *m, char type[5])
{
    struct rd r = body_of(m, 4);
    rd_copy(&r, type, 4);
    type[4] = '\0';
}

static bool take_field(struct rd *r, char *out)
{
    struct view v = rd_str8(r);
    if (!rd_ok(r) || (v.n > 0 && memchr(v.p, '\0', v.n) != NULL))
        return false;
    if (v.n > 0)
        memcpy(out, v.p, v.n);
    out[v.n] = '\0';
    return true;
}

bool redir_login_read(const struct redir_msg *m, struct redir_login *login)
{
    memset(login, 0, sizeof(*login));
    struct rd r = body_of(m, 4);
    login->type = rd_u8(&r);
    r = rd_init(m->payload.p, m->payload.n);
    char *const basic[] = {login->user, login->password};
    char *const digest[] = {login->user,   login->realm, login->nonce,    login->uri,
                            login->cnonce, login->nc,    login->response, login->qop};
    static const uint8_t counts[] = {0, 2, 0, 7, 8};
    if (login->type >= sizeof(counts) || login->type == LOGIN_KERBEROS)
        return true; /* a token, or a type nobody knows: nothing to take apart */
    for (unsigned i = 0; i < counts[login->type]; i++) {
        if (!take_field(&r, login->type == LOGIN_BASIC ? basic[i] : digest[i]))
            return false;
    }
    return rd_end(&r);
}

void sol_settings_read(const struct redir_msg *m, struct sol_settings *s)
{
    struct rd r = body_of(m, 8);
    s->buffer = rd_le16(&r);
    s->buffer_timeout = rd_le16(&r);
    s->overflow_timeout = rd_le16(&r);
    s->rx_timeout = rd_le16(&r);
    s->flush_timeout = rd_le16(&r);
    s->heartbeat = rd_le16(&r);
}

void ider_settings_read(const struct redir_msg *m, struct ider_settings *s)
{
    struct rd r = body_of(m, 8);
    s->rx_timeout = rd_le16(&r);
    s->tx_timeout = rd_le16(&r);
    s->heartbeat = rd_le16(&r);
    s->version = rd_le32(&r);
}

void ider_features_read(const struct redir_msg *m, uint8_t *sub, uint32_t *value)
{
    struct rd r = body_of(m, 8);
    *sub = rd_u8(&r);
    *value = m->size > 9 ? rd_le32(&r) : 0;
}

/* The block of registers at the end of a command, and the sense bytes behind it. (3.2) */
static void read_end(struct rd *r, struct ider_end *end)
{
    end->mask = rd_u8(r);
    end->error = rd_u8(r);
    end->reason = rd_u8(r);
    rd_skip(r, 3);
    end->cd = (rd_u8(r) & DRIVE_CD) != 0;
    end->status = rd_u8(r);
    end->sense = rd_u8(r);
    end->asc = rd_u8(r);
    end->ascq = rd_u8(r);
}

void ider_status_read(const struct redir_msg *m, struct ider_end *end)
{
    struct rd r = body_of(m, 20);
    read_end(&r, end);
    end->last = true;
}

void ider_data_read(const struct redir_msg *m, struct ider_end *end)
{
    struct rd attributes = body_of(m, 3), drive = body_of(m, 18), r = body_of(m, 20);
    read_end(&r, end);
    end->last = (rd_u8(&attributes) & 2) != 0;
    end->cd = (rd_u8(&drive) & DRIVE_CD) != 0; /* the input block always has it */
}

void ider_want_read(const struct redir_msg *m, uint16_t *want, bool *cd)
{
    struct rd r = body_of(m, 9), drive = body_of(m, 18);
    *want = rd_le16(&r);
    *cd = (rd_u8(&drive) & DRIVE_CD) != 0;
}

/* --- what the device sends --- */

static void put_zeros(struct buf *b, size_t n)
{
    while (n-- > 0)
        wr_u8(b, 0);
}

/* Code, status, two zeros, sequence number. */
static void put_head(struct buf *b, uint8_t code, uint8_t status, uint32_t seq)
{
    wr_u8(b, code);
    wr_u8(b, status);
    wr_le16(b, 0);
    wr_le32(b, seq);
}

void redir_put_start_reply(struct buf *b, uint8_t status, uint8_t firmware_major, uint8_t firmware_minor)
{
    wr_u8(b, REDIR_START_REPLY);
    wr_u8(b, status);
    wr_le16(b, 0);
    wr_u8(b, 1); /* protocol 1.0 */
    wr_u8(b, 0);
    wr_u8(b, firmware_major);
    wr_u8(b, firmware_minor);
    wr_le32(b, OEM_INTEL);
    wr_u8(b, 0);
}

void redir_put_login_reply(struct buf *b, uint8_t status, uint8_t type, const void *data, size_t n)
{
    wr_u8(b, REDIR_LOGIN_REPLY);
    wr_u8(b, status);
    wr_le16(b, 0);
    wr_u8(b, type);
    wr_le32(b, (uint32_t)n);
    wr_bytes(b, data, n);
}

void redir_put_short(struct buf *b, uint8_t code, uint32_t seq)
{
    put_head(b, code, 0, seq);
}

/* The order of what stands behind the head is not known; every client takes 23 bytes. (2.2) */
void sol_put_open_reply(struct buf *b, uint8_t status, uint32_t seq)
{
    put_head(b, SOL_OPEN_REPLY, status, seq);
    wr_le16(b, 1);
    wr_le16(b, 1);
    wr_le16(b, 0);
    wr_le16(b, SOL_RECEIVE_BUFFER);
    wr_le16(b, 0);
    wr_le32(b, OEM_INTEL);
    wr_u8(b, 0);
}

void sol_put_controls(struct buf *b, uint32_t seq, uint8_t control, uint8_t status)
{
    put_head(b, SOL_CONTROLS, 0, seq);
    wr_u8(b, control);
    wr_u8(b, status);
}

void sol_put_data(struct buf *b, uint32_t seq, const void *p, uint16_t n)
{
    put_head(b, SOL_FROM_HOST, 0, seq);
    wr_le16(b, n);
    wr_bytes(b, p, n);
}

void ider_put_open_reply(struct buf *b, uint8_t status, uint32_t seq, uint8_t firmware_major,
                         uint8_t firmware_minor)
{
    put_head(b, IDER_OPEN_REPLY, status, seq);
    wr_u8(b, 1); /* protocol 1.0 */
    wr_u8(b, 0);
    wr_u8(b, firmware_major);
    wr_u8(b, firmware_minor);
    wr_le32(b, 0);
    wr_le16(b, IDER_DATA_MAX);
    wr_le16(b, IDER_DATA_MAX);
    put_zeros(b, 5); /* [21] is the protocol type and must be 0 */
    wr_le32(b, OEM_INTEL);
    wr_u8(b, 0);
}

void ider_put_features_reply(struct buf *b, uint32_t seq, uint8_t sub, uint32_t value)
{
    put_head(b, IDER_FEATURES_REPLY, 0, seq);
    wr_u8(b, sub);
    wr_le32(b, value);
}

void ider_put_reset(struct buf *b, uint32_t seq, uint8_t mask)
{
    put_head(b, IDER_RESET, 0, seq);
    wr_u8(b, mask);
}

void ider_put_command(struct buf *b, uint32_t seq, const struct ider_command *c)
{
    put_head(b, IDER_COMMAND, 0, seq);
    wr_u8(b, 0);
    wr_u8(b, c->dma ? 1 : 0);
    wr_le16(b, 0);
    wr_le16(b, c->byte_limit);
    wr_u8(b, c->cd ? 0xB0 : 0xA0);
    wr_u8(b, 0xA0); /* ATA command PACKET */
    wr_bytes(b, c->cdb, sizeof(c->cdb));
}

void ider_put_data(struct buf *b, uint32_t seq, const void *p, uint16_t n)
{
    put_head(b, IDER_DATA_FROM_HOST, 0, seq);
    wr_u8(b, 0);
    wr_le16(b, n);
    put_zeros(b, 3);
    wr_bytes(b, p, n);
}
