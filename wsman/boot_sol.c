#include "wsman/boot_sol.h"

#include <string.h>

#include "wsman/answer.h"
#include "wsman/boot.h"

enum step { STEP_CAPABILITIES, STEP_SETTINGS, STEP_PUT, STEP_ROLE, STEP_START };

static struct boot_sol_seq *of(struct seq *seq)
{
    return (struct boot_sol_seq *)seq;
}

/* Without the console, then. */
static int skip(struct err *err)
{
    err_clear(err);
    return STEP_START;
}

static struct wsman_request *ask_capabilities(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "AMT_BootCapabilities", NULL);
}

static int hear_capabilities(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    bool sol = false;

    (void)seq;
    if (call)
        wsman_bool(wsman_call_obj(call, 0), "SOL", &sol);
    return sol ? SEQ_NEXT : skip(err);
}

static struct wsman_request *ask_settings(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_GET, "AMT_BootSettingData", NULL);
}

static int hear_settings(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct boot_sol_seq *bs = of(seq);
    struct wsman_obj obj;
    bool set = false;

    if (!call)
        return skip(err);
    obj = wsman_call_obj(call, 0);
    if (wsman_bool(obj, "UseSOL", &set) && set) {
        bs->set = true;
        return STEP_START;
    }
    wsman_request_free(bs->put);
    bs->put = wsman_request_new(WSMAN_PUT, "AMT_BootSettingData", NULL);
    wsman_add_instance(bs->put, obj.doc, obj.el, boot_settings_not_in_put);
    wsman_replace_bool(bs->put, "UseSOL", true);
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
    (void)seq;
    return call ? SEQ_NEXT : skip(err);
}

static struct wsman_request *ask_role(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return boot_make_next();
}

static int hear_role(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    of(seq)->set = call && wsman_call_return_value(call) == 0;
    return of(seq)->set ? SEQ_NEXT : skip(err);
}

/* The sequence goes over to the table of power actions. */
static struct wsman_request *ask_start(struct seq *seq, struct err *err)
{
    struct boot_sol_seq *bs = of(seq);
    struct seq kept = *seq;

    (void)err;
    power_seq_init(&bs->power, &bs->request, bs->power.quirks);
    seq->now_ms = kept.now_ms;
    seq->budget_ms = kept.budget_ms;
    seq->changed = kept.changed;
    seq_go(seq, 0);
    return NULL;
}

static const struct seq_step steps[] = {
    [STEP_CAPABILITIES] = {"read boot capabilities", SEQ_READ | SEQ_FAILURE_OK, ask_capabilities,
                           hear_capabilities},
    [STEP_SETTINGS] = {"read boot settings", SEQ_READ | SEQ_FAILURE_OK, ask_settings, hear_settings},
    [STEP_PUT] = {"ask for the console", SEQ_CHANGE | SEQ_FAILURE_OK, ask_put, hear_put},
    [STEP_ROLE] = {"make it next, once", SEQ_CHANGE | SEQ_FAILURE_OK, ask_role, hear_role},
    [STEP_START] = {"start", SEQ_READ, ask_start, NULL},
};

void boot_sol_seq_init(struct boot_sol_seq *bs, const struct power_request *request,
                       const struct quirks *quirks)
{
    memset(bs, 0, sizeof(*bs));
    power_seq_init(&bs->power, request, quirks);
    seq_init(&bs->power.seq, SEQ_TABLE(steps));
    bs->request = *request;
}

void boot_sol_seq_clear(struct boot_sol_seq *bs)
{
    wsman_request_free(bs->put);
    bs->put = NULL;
}
