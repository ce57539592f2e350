#include "tests/amtsim/nbd.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/xalloc.h"

#define MAGIC_SERVER   0x4e42444d41474943u /* "NBDMAGIC" */
#define MAGIC_OPTION   0x49484156454F5054u /* "IHAVEOPT" */
#define MAGIC_REPLY    0x0003e889045565a9u
#define MAGIC_REQUEST  0x25609513u
#define MAGIC_ANSWER   0x67446698u
#define OPTION_MAX     4096u
#define IN_MAX         (OPTION_MAX + 65536)
#define OUT_MAX        ((size_t)NBD_PENDING * (NBD_READ_MAX + 64))
#define REQUEST_BYTES  28
#define OPTION_BYTES   16
#define EXPORT_PADDING 124

enum { GREETING_FIXED = 1, GREETING_NO_ZEROES = 2 };
enum { OPT_EXPORT_NAME = 1, OPT_ABORT = 2, OPT_INFO = 6, OPT_GO = 7 };
enum { REP_ACK = 1, REP_INFO = 3 };
enum { INFO_EXPORT = 0, INFO_BLOCK_SIZE = 3 };
enum { EXPORT_HAS_FLAGS = 1, EXPORT_READ_ONLY = 2 };
enum { CMD_READ = 0, CMD_WRITE = 1, CMD_DISCONNECT = 2, CMD_FLUSH = 3 };
#define REP_ERR_UNSUPPORTED 0x80000001u
#define REP_ERR_INVALID     0x80000003u

enum phase { PHASE_FLAGS, PHASE_OPTIONS, PHASE_REQUESTS };

struct nbd {
    struct nbd_config config;
    enum phase phase;
    bool no_zeroes;
    uint64_t skip; /* bytes of a write that is refused */
    unsigned pending;
    struct buf in, out;
};

static int broken(struct err *err, const char *what)
{
    return err_set(err, CAUSE_PROTOCOL, "NBD client: %s", what);
}

/* --- negotiation --- */

static void put_reply(struct nbd *nbd, uint32_t option, uint32_t type, uint32_t n)
{
    wr_be64(&nbd->out, MAGIC_REPLY);
    wr_be32(&nbd->out, option);
    wr_be32(&nbd->out, type);
    wr_be32(&nbd->out, n);
}

static void put_info(struct nbd *nbd, uint32_t option)
{
    put_reply(nbd, option, REP_INFO, 12);
    wr_be16(&nbd->out, INFO_EXPORT);
    wr_be64(&nbd->out, nbd->config.size);
    wr_be16(&nbd->out, EXPORT_HAS_FLAGS | EXPORT_READ_ONLY);
    put_reply(nbd, option, REP_INFO, 14);
    wr_be16(&nbd->out, INFO_BLOCK_SIZE);
    wr_be32(&nbd->out, nbd->config.block_size);
    wr_be32(&nbd->out, 65536);
    wr_be32(&nbd->out, NBD_READ_MAX);
    put_reply(nbd, option, REP_ACK, 0);
}

static void take_export_name(struct nbd *nbd)
{
    static const uint8_t padding[EXPORT_PADDING];
    wr_be64(&nbd->out, nbd->config.size);
    wr_be16(&nbd->out, EXPORT_HAS_FLAGS | EXPORT_READ_ONLY);
    if (!nbd->no_zeroes)
        wr_bytes(&nbd->out, padding, sizeof(padding));
    nbd->phase = PHASE_REQUESTS;
}

/* The name (any) and a list of infos wanted, which are given anyway. */
static bool info_request_ok(struct view data)
{
    struct rd r = rd_init(data.p, data.n);
    rd_skip(&r, rd_be32(&r));
    rd_skip(&r, 2 * (size_t)rd_be16(&r));
    return rd_end(&r);
}

static int take_option(struct nbd *nbd, uint32_t option, struct view data, struct err *err)
{
    switch (option) {
    case OPT_EXPORT_NAME:
        take_export_name(nbd);
        return 0;
    case OPT_ABORT:
        put_reply(nbd, option, REP_ACK, 0);
        return err_set(err, CAUSE_DROPPED, "NBD client: has gone");
    case OPT_INFO:
    case OPT_GO:
        if (!info_request_ok(data)) {
            put_reply(nbd, option, REP_ERR_INVALID, 0);
            return 0;
        }
        put_info(nbd, option);
        if (option == OPT_GO)
            nbd->phase = PHASE_REQUESTS;
        return 0;
    default:
        put_reply(nbd, option, REP_ERR_UNSUPPORTED, 0);
        return 0;
    }
}

static enum decode decode_flags(struct nbd *nbd, struct rd *r, struct err *err)
{
    uint32_t flags = rd_be32(r);
    if (!rd_ok(r))
        return DECODE_MORE;
    if ((flags & ~(uint32_t)(GREETING_FIXED | GREETING_NO_ZEROES)) != 0)
        return (enum decode)broken(err, "unknown flags");
    nbd->no_zeroes = (flags & GREETING_NO_ZEROES) != 0;
    nbd->phase = PHASE_OPTIONS;
    return DECODE_DONE;
}

static enum decode decode_option(struct nbd *nbd, struct rd *r, struct err *err)
{
    uint64_t magic = rd_be64(r);
    uint32_t option = rd_be32(r), n = rd_be32(r);
    if (!rd_ok(r))
        return DECODE_MORE;
    if (magic != MAGIC_OPTION || n > OPTION_MAX)
        return (enum decode)broken(err, "no option, or a large one");
    struct view data = rd_bytes(r, n);
    if (!rd_ok(r))
        return DECODE_MORE;
    return take_option(nbd, option, data, err) == 0 ? DECODE_DONE : DECODE_BAD;
}

/* --- requests --- */

void nbd_answer(struct nbd *nbd, uint64_t handle, enum nbd_error error, const void *data, size_t n)
{
    wr_be32(&nbd->out, MAGIC_ANSWER);
    wr_be32(&nbd->out, error);
    wr_be64(&nbd->out, handle);
    if (error == NBD_OK)
        wr_bytes(&nbd->out, data, n);
    if (nbd->pending > 0)
        nbd->pending--;
}

static bool readable(const struct nbd *nbd, uint64_t offset, uint32_t n)
{
    const struct nbd_config *c = &nbd->config;
    return n > 0 && n <= NBD_READ_MAX && offset % c->block_size == 0 && n % c->block_size == 0 &&
           offset < c->size && n <= c->size - offset;
}

static void refuse(struct nbd *nbd, uint64_t handle, enum nbd_error error)
{
    nbd->pending++;
    nbd_answer(nbd, handle, error, NULL, 0);
}

static enum decode decode_request(struct nbd *nbd, struct rd *r, struct err *err)
{
    uint32_t magic = rd_be32(r);
    rd_skip(r, 2);
    uint16_t type = rd_be16(r);
    uint64_t handle = rd_be64(r), offset = rd_be64(r);
    uint32_t n = rd_be32(r);
    if (!rd_ok(r))
        return DECODE_MORE;
    if (magic != MAGIC_REQUEST || nbd->pending >= NBD_PENDING)
        return (enum decode)broken(err, magic != MAGIC_REQUEST ? "no request" : "too many requests");
    if (type == CMD_DISCONNECT) {
        err_set(err, CAUSE_DROPPED, "NBD client: has gone");
        return DECODE_BAD;
    }
    if (type == CMD_READ && readable(nbd, offset, n)) {
        nbd->pending++;
        nbd->config.read(nbd->config.arg, handle, offset, n);
    } else if (type == CMD_FLUSH) {
        refuse(nbd, handle, NBD_OK);
    } else {
        nbd->skip = type == CMD_WRITE ? n : 0;
        refuse(nbd, handle, type == CMD_READ ? NBD_EINVAL : type == CMD_WRITE ? NBD_EPERM : NBD_ENOTSUP);
    }
    return DECODE_DONE;
}

int nbd_feed(struct nbd *nbd, const void *p, size_t n, struct err *err)
{
    static enum decode (*const phases[])(struct nbd * nbd, struct rd * r, struct err * err) = {
        [PHASE_FLAGS] = decode_flags,
        [PHASE_OPTIONS] = decode_option,
        [PHASE_REQUESTS] = decode_request,
    };
    enum decode d = DECODE_DONE;
    buf_add(&nbd->in, p, n);
    if (!buf_ok(&nbd->in))
        return broken(err, "says more than it may");
    size_t at = 0;
    while (d == DECODE_DONE && at < nbd->in.len) {
        size_t left = nbd->in.len - at, part = nbd->skip < left ? (size_t)nbd->skip : left;
        nbd->skip -= part;
        at += part;
        if (part > 0)
            continue;
        struct rd r = rd_init(nbd->in.p + at, left);
        d = phases[nbd->phase](nbd, &r, err);
        if (d == DECODE_DONE)
            at = nbd->in.len - r.n;
    }
    buf_consume(&nbd->in, at);
    return d == DECODE_BAD ? -1 : 0;
}

struct view nbd_output(const struct nbd *nbd)
{
    return (struct view){nbd->out.p, nbd->out.len};
}

void nbd_sent(struct nbd *nbd, size_t n)
{
    buf_consume(&nbd->out, n);
}

struct nbd *nbd_new(const struct nbd_config *config)
{
    struct nbd *nbd = xcalloc(1, sizeof(*nbd));
    nbd->config = *config;
    nbd->in = buf_init(IN_MAX);
    nbd->out = buf_init(OUT_MAX);
    wr_be64(&nbd->out, MAGIC_SERVER);
    wr_be64(&nbd->out, MAGIC_OPTION);
    wr_be16(&nbd->out, GREETING_FIXED | GREETING_NO_ZEROES);
    return nbd;
}

void nbd_free(struct nbd *nbd)
{
    if (nbd == NULL)
        return;
    buf_free(&nbd->in);
    buf_free(&nbd->out);
    free(nbd);
}
