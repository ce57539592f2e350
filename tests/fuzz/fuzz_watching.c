/* What devices say of their watchdogs and of worm detection, any bytes: the sequences come to an end, and
 * what they kept is within its bounds. The first byte says which; the answers follow, each with a NUL behind
 * it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wsman/agent_presence.h"
#include "wsman/call.h"
#include "wsman/worm.h"

#define EXCHANGES_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *p;
    size_t n;
};

static enum wsman_progress answer(struct wsman_call *call, struct input *in, struct err *err)
{
    const uint8_t *end = in->n > 0 ? memchr(in->p, 0, in->n) : NULL;
    size_t n = end ? (size_t)(end - in->p) : in->n;
    enum wsman_progress progress;

    if (n == 0) {
        err_set(err, CAUSE_DROPPED, "nothing more is said");
        in->n -= end ? 1 : 0;
        in->p += end ? 1 : 0;
        return WSMAN_FAILED;
    }
    progress = wsman_call_answer(call, 200, in->p, n, err);
    in->p += n + (end ? 1 : 0);
    in->n -= n + (end ? 1 : 0);
    return progress;
}

static void run(struct seq *seq, struct input *in)
{
    struct wsman_call *call;
    struct err err = ERR_INIT;
    int64_t wait_ms;

    for (int i = 0; i < EXCHANGES_MAX; i++) {
        enum seq_want want = seq_next(seq, &call, &wait_ms, &err);
        enum wsman_progress progress;
        struct err failure = ERR_INIT;
        int status;

        if (want == SEQ_WANT_DONE || want == SEQ_WANT_FAILED)
            return;
        if (want != SEQ_WANT_SEND)
            continue;
        do {
            struct buf body = buf_init(WSMAN_ENVELOPE_MAX);

            if (wsman_call_body(call, 7, &body, &failure) != 0)
                abort();
            buf_free(&body);
            progress = answer(call, in, &failure);
        } while (progress == WSMAN_AGAIN);
        status = seq_heard(seq, call, progress == WSMAN_FINISHED ? NULL : &failure, &err);
        wsman_call_free(call);
        if (status != 0)
            return;
    }
    abort();
}

static void watch_over(unsigned what, struct input *in)
{
    static const enum agent_action actions[] = {AGENT_READ, AGENT_ADD, AGENT_REMOVE, AGENT_REMOVE_ALL};
    struct agent_request request = {
        .action = actions[what % 4],
        .watchdog = {.guid = "6a1d6f2e-0b3c-4c1e-9d55-0123456789ab",
                     .name = "antivirus",
                     .startup_s = 300,
                     .timeout_s = 60,
                     .rules = {{AGENT_ANY, AGENT_EXPIRED | AGENT_STOPPED, true, AGENT_ACTIVATES},
                               {AGENT_ANY, AGENT_RUNNING, true, AGENT_DEACTIVATES}},
                     .rule_count = 2}};
    struct agent_seq as;

    agent_seq_init(&as, &request);
    run(&as.seq, in);
    if (as.count > AGENTS_MAX)
        abort();
    for (size_t i = 0; i < as.count; i++)
        if (as.dogs[i].rule_count > AGENT_RULES_MAX || strlen(as.dogs[i].name) > AGENT_NAME_MAX)
            abort();
    agent_seq_clear(&as);
}

static void watch_for_worms(unsigned what, struct input *in)
{
    static const enum worm_action actions[] = {WORM_READ, WORM_SET, WORM_RESET};
    struct worm_request request = {.action = actions[what % 3], .settings = {50, 100, WORM_BLOCKS_PORT, 60}};
    struct worm_seq ws;

    worm_seq_init(&ws, &request);
    run(&ws.seq, in);
    if (ws.settings.block > WORM_BLOCKS_ALL || ws.state > WORM_OFF)
        abort();
    worm_seq_clear(&ws);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data + 1, size > 0 ? size - 1 : 0};

    if (size == 0)
        return 0;
    if (data[0] & 8)
        watch_for_worms(data[0] & 7, &in);
    else
        watch_over(data[0] & 7, &in);
    return 0;
}
