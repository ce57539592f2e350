#include "amtd/console/time_index.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

static const char magic[8] = "AMTDIDX1";

void time_index_write_head(struct buf *out, uint64_t first, int64_t created_ms)
{
    wr_bytes(out, magic, sizeof(magic));
    wr_le64(out, first);
    wr_le64(out, (uint64_t)created_ms);
    wr_le64(out, 0);
}

void time_index_write(struct buf *out, uint64_t offset, int64_t at_ms)
{
    wr_le64(out, offset);
    wr_le64(out, (uint64_t)at_ms);
}

static bool time_ok(uint64_t ms)
{
    return ms < (uint64_t)253402300800000; /* before the year 10000 */
}

enum decode time_index_read_head(const void *p, size_t n, uint64_t *first, int64_t *created_ms)
{
    struct rd r = rd_init(p, n);
    struct view m = rd_bytes(&r, sizeof(magic));
    uint64_t at_offset = rd_le64(&r), created = rd_le64(&r), zero = rd_le64(&r);

    if (!rd_ok(&r))
        return DECODE_MORE;
    if (memcmp(m.p, magic, sizeof(magic)) != 0 || zero != 0 || at_offset > INT64_MAX || !time_ok(created))
        return DECODE_BAD;
    *first = at_offset;
    *created_ms = (int64_t)created;
    return DECODE_DONE;
}

void time_index_clear(struct time_index *index)
{
    free(index->points);
    memset(index, 0, sizeof(*index));
}

bool time_index_read(struct time_index *index, const void *p, size_t n, uint64_t end)
{
    struct rd r = rd_init(p, n);
    uint64_t next;

    memset(index, 0, sizeof(*index));
    if (time_index_read_head(p, n, &index->first, &index->created_ms) != DECODE_DONE)
        return false;
    rd_skip(&r, TIME_INDEX_HEAD);
    index->points = xcalloc(r.n / TIME_INDEX_RECORD + 1, sizeof(*index->points));
    next = index->first;
    while (r.n >= TIME_INDEX_RECORD) {
        uint64_t offset = rd_le64(&r), at = rd_le64(&r);

        if (offset < next || offset >= end || !time_ok(at))
            continue;
        index->points[index->count++] = (struct time_point){offset, (int64_t)at};
        next = offset + 1;
    }
    return true;
}

uint64_t time_index_offset(const struct time_index *index, int64_t at_ms, uint64_t end)
{
    /* Not a binary search: the clock may have been put back in between. */
    for (size_t i = 0; i < index->count; i++)
        if (index->points[i].at_ms >= at_ms)
            return index->points[i].offset;
    return end;
}

int64_t time_index_time(const struct time_index *index, uint64_t offset)
{
    size_t low = 0, high = index->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (index->points[middle].offset <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? index->points[low - 1].at_ms : 0;
}
