#include "wsman/worm.h"

#include <stdio.h>
#include <string.h>

#include "wsman/answer.h"

#define SETTINGS   "AMT_HeuristicPacketFilterSettings"
#define STATISTICS "AMT_HeuristicPacketFilterStatistics"

#define STATE_OFF 3 /* of the statistics; 0 watches, the others are not told in any source */

static struct worm_seq *of(struct seq *seq)
{
    return (struct worm_seq *)seq;
}

static bool is_fast(const struct worm_settings *s)
{
    return s->within_ms >= WORM_FAST_MS_MIN && s->within_ms <= WORM_FAST_MS_MAX;
}

static bool is_slow(const struct worm_settings *s)
{
    return s->within_ms >= WORM_SLOW_MS_MIN && s->within_ms <= WORM_SLOW_MS_MAX;
}

int worm_settings_check(const struct worm_settings *s, struct err *err)
{
    if (s->packets > 0 && (is_fast(s) || is_slow(s)))
        return 0;
    return err_set(err, CAUSE_INVALID_ARGUMENT,
                   "worm detection counts at least one packet within %d to %d ms, or within %d to %d s",
                   WORM_FAST_MS_MIN, WORM_FAST_MS_MAX, WORM_SLOW_MS_MIN / 1000, WORM_SLOW_MS_MAX / 1000);
}

/* --- settings --- */

static struct wsman_request *ask_settings(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, SETTINGS, NULL);
}

static void read_settings(struct worm_settings *s, struct wsman_obj obj)
{
    uint32_t slow = 0, slow_s = 0;
    bool all = false, port = false;

    memset(s, 0, sizeof(*s));
    wsman_u32(obj, "FastConnectionRateThreshold", &s->packets);
    wsman_u32(obj, "FastConnectionRateClearTime", &s->within_ms);
    wsman_u32(obj, "SlowConnectionRateThreshold", &slow);
    wsman_u32(obj, "SlowConnectionRateClearTime", &slow_s);
    if (s->packets == 0) {
        s->packets = slow;
        s->within_ms = slow_s <= WORM_SLOW_MS_MAX / 1000 ? slow_s * 1000 : 0;
    }
    wsman_bool(obj, "BlockAll", &all);
    wsman_bool(obj, "BlockOffensivePort", &port);
    s->block = all ? WORM_BLOCKS_ALL : port ? WORM_BLOCKS_PORT : WORM_BLOCKS_NOTHING;
    wsman_u32(obj, "EncounterTimeout", &s->lasts_s);
}

static bool same_settings(const struct worm_settings *a, const struct worm_settings *b)
{
    return a->packets == b->packets && a->within_ms == b->within_ms && a->block == b->block &&
           a->lasts_s == b->lasts_s;
}

/* One of the two counts, never both. */
static struct wsman_request *put_of(const struct worm_settings *s, struct wsman_obj obj)
{
    struct wsman_request *put = wsman_request_new(WSMAN_PUT, SETTINGS, NULL);
    bool fast = is_fast(s);

    wsman_add_instance(put, obj.doc, obj.el, NULL);
    wsman_replace_u32(put, "FastConnectionRateThreshold", fast ? s->packets : 0);
    wsman_replace_u32(put, "FastConnectionRateClearTime", fast ? s->within_ms : 0);
    wsman_replace_u32(put, "SlowConnectionRateThreshold", fast ? 0 : s->packets);
    wsman_replace_u32(put, "SlowConnectionRateClearTime", fast ? 0 : s->within_ms / 1000);
    wsman_replace_bool(put, "BlockAll", s->block == WORM_BLOCKS_ALL);
    wsman_replace_bool(put, "BlockOffensivePort", s->block == WORM_BLOCKS_PORT);
    wsman_replace_u32(put, "EncounterTimeout", s->lasts_s);
    return put;
}

static int hear_settings(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct worm_seq *ws = of(seq);
    struct wsman_obj obj;

    ws->there = call != NULL;
    if (!call && ws->request.action == WORM_READ)
        return SEQ_DONE;
    if (!call) {
        err_set(err, CAUSE_UNSUPPORTED,
                "the device has no worm detection: AMT 3 to 11 have, outside of client control mode");
        return SEQ_FAIL;
    }
    obj = wsman_call_obj(call, 0);
    read_settings(&ws->settings, obj);
    wsman_request_free(ws->put);
    ws->put = NULL;
    if (ws->request.action == WORM_SET && !same_settings(&ws->settings, &ws->request.settings))
        ws->put = put_of(&ws->request.settings, obj);
    return SEQ_NEXT;
}

static struct wsman_request *ask_put(struct seq *seq, struct err *err)
{
    struct wsman_request *put = of(seq)->put;

    (void)err;
    of(seq)->put = NULL;
    return put;
}

static int hear_put(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)call;
    (void)err;
    of(seq)->settings = of(seq)->request.settings;
    of(seq)->changed = true;
    return SEQ_NEXT;
}

/* --- what happened --- */

static struct wsman_request *ask_reset(struct seq *seq, struct err *err)
{
    struct wsman_request *rq;

    (void)err;
    if (of(seq)->request.action != WORM_RESET)
        return NULL;
    rq = wsman_request_new(WSMAN_INVOKE, STATISTICS, "ResetSelectedStats");
    wsman_add_str(rq, "SelectedStatistics", "State");
    return rq;
}

static int hear_reset(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    if (wsman_return_value_to_err(STATISTICS, "ResetSelectedStats", wsman_call_return_value(call), err) != 0)
        return SEQ_FAIL;
    of(seq)->changed = true;
    return SEQ_NEXT;
}

static struct wsman_request *ask_statistics(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, STATISTICS, NULL);
}

static int hear_statistics(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct worm_seq *ws = of(seq);
    struct wsman_obj obj;
    const char *since;
    uint32_t state = STATE_OFF;

    (void)err;
    ws->state = WORM_OFF;
    if (!call)
        return SEQ_NEXT;
    obj = wsman_call_obj(call, 0);
    wsman_u32(obj, "State", &state);
    wsman_u32(obj, "TriggerReason", &ws->reason);
    wsman_bool(obj, "BlockedAll", &ws->blocks_all);
    wsman_u32(obj, "BlockedOffensivePort", &ws->port);
    wsman_u32(obj, "BlockedOffensivePortProtocol", &ws->protocol);
    since = wsman_datetime(obj, "TimeStamp");
    if (state == STATE_OFF)
        ws->state = WORM_OFF;
    else
        ws->state = state == 0 && ws->reason == 0 ? WORM_WATCHES : WORM_BREACH;
    if (ws->state == WORM_BREACH)
        snprintf(ws->since, sizeof(ws->since), "%s", since ? since : "");
    return SEQ_NEXT;
}

static const struct seq_step worm_steps[] = {
    {"read settings of worm detection", SEQ_READ | SEQ_ABSENT_OK, ask_settings, hear_settings},
    {"set worm detection", SEQ_CHANGE, ask_put, hear_put},
    {"end what it found", SEQ_CHANGE, ask_reset, hear_reset},
    {"read what it found", SEQ_READ | SEQ_ABSENT_OK, ask_statistics, hear_statistics},
};

void worm_seq_init(struct worm_seq *ws, const struct worm_request *request)
{
    memset(ws, 0, sizeof(*ws));
    seq_init(&ws->seq, SEQ_TABLE(worm_steps));
    ws->request = *request;
}

void worm_seq_clear(struct worm_seq *ws)
{
    wsman_request_free(ws->put);
    ws->put = NULL;
}
