#include "wsman/clock_sync.h"

#include <stdlib.h>
#include <string.h>

#include "wsman/answer.h"

#define LIMIT_S  10
#define EARLIEST 1072915200 /* 2004-01-01: firmware takes nothing before it */

static struct clock_seq *of(struct seq *seq)
{
    return (struct clock_seq *)seq;
}

static struct wsman_request *ask_read(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_INVOKE, "AMT_TimeSynchronizationService", "GetLowAccuracyTimeSynch");
}

static int hear_read(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct clock_seq *cs = of(seq);
    uint32_t seconds;

    if (wsman_return_value_to_err("AMT_TimeSynchronizationService", "GetLowAccuracyTimeSynch",
                                  wsman_call_return_value(call), err) != 0)
        return SEQ_FAIL;
    if (!wsman_u32(wsman_call_obj(call, 0), "Ta0", &seconds)) {
        err_set(err, CAUSE_BAD_ANSWER, "the device does not tell its time");
        return SEQ_FAIL;
    }
    cs->heard_s = clock_wall(cs->clock) / 1000;
    cs->device_s = seconds;
    cs->off_s = cs->device_s - cs->heard_s;
    return cs->set && llabs(cs->off_s) > cs->limit_s ? SEQ_NEXT : SEQ_DONE;
}

static struct wsman_request *ask_set(struct seq *seq, struct err *err)
{
    const struct clock_seq *cs = of(seq);
    int64_t now = clock_wall(cs->clock) / 1000;
    struct wsman_request *rq;

    if (cs->heard_s < EARLIEST || now > UINT32_MAX) {
        err_set(err, CAUSE_INVALID_VALUE, "our own clock is wrong: the device's is left alone");
        return NULL;
    }
    rq = wsman_request_new(WSMAN_INVOKE, "AMT_TimeSynchronizationService", "SetHighAccuracyTimeSynch");
    wsman_add_u32(rq, "Ta0", (uint32_t)cs->device_s);
    wsman_add_u32(rq, "Tm1", (uint32_t)cs->heard_s);
    wsman_add_u32(rq, "Tm2", (uint32_t)now);
    return rq;
}

static int hear_set(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    if (wsman_return_value_to_err("AMT_TimeSynchronizationService", "SetHighAccuracyTimeSynch",
                                  wsman_call_return_value(call), err) != 0)
        return SEQ_FAIL;
    of(seq)->was_set = true;
    return SEQ_DONE;
}

static const struct seq_step clock_steps[] = {
    {"read clock", SEQ_READ, ask_read, hear_read},
    {"set clock", SEQ_CHANGE, ask_set, hear_set},
};

void clock_seq_init(struct clock_seq *cs, bool set, int64_t limit_s, const struct clock *clock)
{
    memset(cs, 0, sizeof(*cs));
    seq_init(&cs->seq, SEQ_TABLE(clock_steps));
    cs->set = set;
    cs->limit_s = limit_s > 0 ? limit_s : LIMIT_S;
    cs->clock = clock;
}
