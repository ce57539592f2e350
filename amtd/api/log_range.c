#include "amtd/api/log_range.h"

#include <string.h>

#include "amtd/api/calls.h"

#define LINES_BYTES_MAX (64 * 1024 * 1024) /* how far back lines are counted */

int log_range_read(const json_t *params, struct log_range *range, struct err *err)
{
    int64_t from = 0, to = INT64_MAX;

    memset(range, 0, sizeof(*range));
    range->boot = -1;
    if (param_number(params, "from", &from, err) != 0 || param_number(params, "to", &to, err) != 0 ||
        param_time(params, "since", "since_ms", &range->since_ms, err) != 0 ||
        param_time(params, "until", "until_ms", &range->until_ms, err) != 0 ||
        param_number(params, "lines", &range->lines, err) != 0 ||
        param_number(params, "boot", &range->boot, err) != 0)
        return -1;
    range->from = (uint64_t)from;
    range->to = (uint64_t)to;
    return 0;
}

void log_range_settle(struct log_range *range, struct clog *log)
{
    uint64_t first = 0, end = 0, back;

    clog_settle(log);
    clog_range(log, &first, &end, NULL);
    if (range->lines > 0) {
        back = clog_back(log, (size_t)range->lines, LINES_BYTES_MAX);
        range->from = back > range->from ? back : range->from;
    }
    range->from = range->from < first ? first : range->from;
    range->to = range->to > end ? end : range->to;
}

int log_range_resolve(struct log_range *range, struct log_times *times, struct err *err)
{
    uint64_t offset, next;

    if (range->boot >= 0) {
        if (!log_times_boot(times, (size_t)range->boot, &offset))
            return err_set(err, CAUSE_NOT_FOUND, "the log knows of no such boot");
        range->from = offset > range->from ? offset : range->from;
        if (range->boot > 0 && log_times_boot(times, (size_t)range->boot - 1, &next))
            range->to = next < range->to ? next : range->to;
    }
    if (range->since_ms > 0) {
        offset = log_times_offset(times, range->since_ms, range->to);
        range->from = offset > range->from ? offset : range->from;
    }
    if (range->until_ms > 0) {
        offset = log_times_offset(times, range->until_ms, range->to);
        range->to = offset < range->to ? offset : range->to;
    }
    return 0;
}
