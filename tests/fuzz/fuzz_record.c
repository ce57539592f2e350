/* What comes on the channel of a replica, either way: records, and the heads of their payloads. */
#include <stdlib.h>
#include <string.h>

#include "amtd/node/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_at(const struct record *record)
{
    struct buf again = buf_init(2 * RECORD_MAX);
    struct proof_piece piece;
    struct view bytes;
    uint64_t offset, sum = 0;
    int64_t at_ms;

    if (record_bytes_read(record->payload, &offset, &at_ms, &bytes) == 0)
        for (size_t i = 0; i < bytes.n; i++)
            sum += bytes.p[i];
    if (record_proof_read(record->payload, &piece, &bytes) == 0) {
        struct buf copy = buf_init(PROOF_PIECE_MAX);

        buf_add(&copy, bytes.p, bytes.n);
        record_proof_write(&again, &piece, &copy);
        if (again.len != RECORD_HEAD + record->payload.n ||
            memcmp(again.p + RECORD_HEAD, record->payload.p, record->payload.n) != 0)
            abort();
        buf_free(&copy);
    }
    buf_free(&again);
    if (sum == UINT64_MAX)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd r = rd_init(data, size);
    struct record record;

    while (record_take(&r, &record) == DECODE_DONE)
        look_at(&record);
    return 0;
}
