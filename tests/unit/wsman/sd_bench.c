#include "tests/unit/wsman/sd_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/amtsim/wsman.h"
#include "wsman/call.h"

#define REQUESTS_MAX 2000

/* One exchange of a call. */
static enum wsman_progress exchange(struct sd_bench *bench, struct wsman_call *call, bool change,
                                    struct err *failure)
{
    struct buf body = buf_init(WSMAN_ENVELOPE_MAX);
    struct wsman_result result = {.status = 200};
    enum wsman_progress progress = WSMAN_FAILED;
    bool lost = change && ++bench->changes == bench->lose_at;
    bool dead = bench->die_at > 0 && ++bench->requests >= bench->die_at;

    assert_int_equal(wsman_call_body(call, 7, &body, failure), 0);
    if (change)
        snprintf(bench->last, sizeof(bench->last), "%s", buf_str(&body));
    buf_reset(&bench->sim->fleet->body);
    if (!dead && !(lost && bench->lose_first))
        result = wsman_answer(bench->device, (struct view){body.p, body.len}, false, bench->sim->realms,
                              &bench->sim->fleet->body);
    if (lost || dead)
        err_set(failure, dead ? CAUSE_UNREACHABLE : CAUSE_DROPPED, "the answer is lost");
    else
        progress = wsman_call_answer(call, result.status, bench->sim->fleet->body.p,
                                     bench->sim->fleet->body.len, failure);
    buf_free(&body);
    if (bench->after)
        bench->after(bench->arg);
    return progress;
}

int sd_bench_run(struct sd_bench *bench, struct seq *seq, struct err *err)
{
    struct wsman_call *call;
    int64_t wait;

    for (int i = 0; i < REQUESTS_MAX; i++) {
        enum seq_want want = seq_next(seq, &call, &wait, err);
        struct err failure = ERR_INIT;
        enum wsman_progress progress;
        int status;

        if (want == SEQ_WANT_DONE || want == SEQ_WANT_FAILED)
            return want == SEQ_WANT_DONE ? 0 : -1;
        if (want == SEQ_WANT_HOLD && bench->hold)
            bench->hold(bench->arg);
        if (want == SEQ_WANT_WAIT || want == SEQ_WANT_HOLD)
            continue;
        do
            progress = exchange(bench, call, !seq_may_repeat(seq), &failure);
        while (progress == WSMAN_AGAIN);
        status = seq_heard(seq, call, progress == WSMAN_FINISHED ? NULL : &failure, err);
        wsman_call_free(call);
        if (status != 0)
            return -1;
    }
    fail_msg("the sequence does not end");
    return -1;
}
