#include "amtd/node/record.h"

#define PROOF_HEAD 17
#define OFFSET_MAX ((uint64_t)1 << 62)

void record_head(struct buf *out, enum record_type type, size_t n)
{
    wr_be24(out, (uint32_t)n);
    wr_u8(out, (uint8_t)type);
}

enum decode record_take(struct rd *r, struct record *record)
{
    struct rd look = *r;
    uint32_t n = rd_be24(&look);

    record->type = rd_u8(&look);
    if (!rd_ok(&look))
        return DECODE_MORE;
    if (n > RECORD_MAX)
        return DECODE_BAD;
    if (look.n < n)
        return DECODE_MORE;
    record->payload = rd_bytes(&look, n);
    *r = look;
    return DECODE_DONE;
}

void record_bytes_write(struct buf *out, uint64_t offset, int64_t at_ms, size_t n)
{
    record_head(out, RECORD_BYTES, RECORD_BYTES_HEAD + n);
    wr_be64(out, offset);
    wr_be64(out, (uint64_t)at_ms);
}

int record_bytes_read(struct view payload, uint64_t *offset, int64_t *at_ms, struct view *bytes)
{
    struct rd r = rd_init(payload.p, payload.n);

    *offset = rd_be64(&r);
    *at_ms = (int64_t)rd_be64(&r);
    *bytes = rd_bytes(&r, r.n);
    return rd_ok(&r) && bytes->n > 0 && *offset <= OFFSET_MAX && *at_ms >= 0 ? 0 : -1;
}

void record_proof_write(struct buf *out, const struct proof_piece *piece, const struct buf *bytes)
{
    record_head(out, RECORD_PROOF, PROOF_HEAD + bytes->len);
    wr_u8(out, (uint8_t)piece->file);
    wr_be64(out, piece->segment);
    wr_be64(out, piece->position);
    wr_bytes(out, bytes->p, bytes->len);
}

int record_proof_read(struct view payload, struct proof_piece *piece, struct view *bytes)
{
    struct rd r = rd_init(payload.p, payload.n);
    uint8_t file = rd_u8(&r);

    piece->file = (enum proof_file)file;
    piece->segment = rd_be64(&r);
    piece->position = rd_be64(&r);
    *bytes = rd_bytes(&r, r.n);
    return rd_ok(&r) && file < PROOF_FILES && bytes->n > 0 && bytes->n <= PROOF_PIECE_MAX &&
                   piece->segment <= OFFSET_MAX && piece->position <= OFFSET_MAX
               ? 0
               : -1;
}
