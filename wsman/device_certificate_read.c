/* Reading what a device has of keys, certificates and settings of TLS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "wsman/answer.h"
#include "wsman/device_certificate_internal.h"

#define CLOCK        "AMT_TimeSynchronizationService"
#define LIST_WAIT_MS 5000
#define LIST_TRIES   12
#define EARLIEST     1072915200 /* 2004-01-01: firmware takes nothing before it */

static struct certificate_seq *of(struct seq *seq)
{
    return (struct certificate_seq *)seq;
}

void certificate_objects_clear(struct certificate_objects *all)
{
    for (size_t i = 0; i < all->count; i++) {
        buf_free(&all->items[i].der);
        buf_free(&all->items[i].key);
    }
    memset(all, 0, sizeof(*all));
}

/* One more, NULL when its id is not fit for use or there are too many. */
static struct certificate_object *add(struct certificate_objects *all, struct wsman_obj obj,
                                      const char *bytes)
{
    const char *id = wsman_str(obj, "InstanceID");
    struct certificate_object *o = &all->items[all->count];

    if (!id || !id[0] || strlen(id) >= sizeof(o->id) || all->count == CERTIFICATE_OBJECTS_MAX)
        return NULL;
    memset(o, 0, sizeof(*o));
    snprintf(o->id, sizeof(o->id), "%s", id);
    o->der = buf_init(CERTIFICATE_DER_MAX);
    o->key = buf_init(CERTIFICATE_DER_MAX);
    if (!wsman_base64(obj, bytes, &o->der) || !buf_ok(&o->der))
        buf_reset(&o->der);
    all->count++;
    return o;
}

/* --- the clock --- */

struct wsman_request *certificate_ask_clock(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_INVOKE, CLOCK, "GetLowAccuracyTimeSynch");
}

int certificate_hear_clock(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct certificate_seq *cs = of(seq);
    uint32_t seconds;

    if (wsman_return_value_to_err(CLOCK, "GetLowAccuracyTimeSynch", wsman_call_return_value(call), err) != 0)
        return SEQ_FAIL;
    if (!wsman_u32(wsman_call_obj(call, 0), "Ta0", &seconds)) {
        err_set(err, CAUSE_BAD_ANSWER, "the device does not tell its time");
        return SEQ_FAIL;
    }
    cs->clock_off_s = seconds - clock_wall(cs->request.clock) / 1000;
    cs->clock_known = true;
    return llabs(cs->clock_off_s) > CERTIFICATE_CLOCK_S ? SEQ_NEXT : certificate_decide(cs, err);
}

/* A certificate is judged by the clock: one that is years off would find it expired, or not valid yet. */
struct wsman_request *certificate_ask_set_clock(struct seq *seq, struct err *err)
{
    const struct certificate_seq *cs = of(seq);
    int64_t now = clock_wall(cs->request.clock) / 1000;
    struct wsman_request *rq;

    if (now < EARLIEST || now > UINT32_MAX) {
        err_set(err, CAUSE_INVALID_VALUE, "our own clock is wrong: no certificate can be made by it");
        return NULL;
    }
    rq = wsman_request_new(WSMAN_INVOKE, CLOCK, "SetHighAccuracyTimeSynch");
    wsman_add_u32(rq, "Ta0", (uint32_t)(now + cs->clock_off_s));
    wsman_add_u32(rq, "Tm1", (uint32_t)now);
    wsman_add_u32(rq, "Tm2", (uint32_t)now);
    return rq;
}

int certificate_hear_set_clock(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    if (wsman_return_value_to_err(CLOCK, "SetHighAccuracyTimeSynch", wsman_call_return_value(call), err) != 0)
        return SEQ_FAIL;
    of(seq)->clock_was_set = true;
    return certificate_decide(of(seq), err);
}

/* --- objects --- */

struct wsman_request *certificate_ask_list(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, "AMT_PublicKeyCertificate", NULL);
}

int certificate_hear_list(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct certificate_seq *cs = of(seq);

    (void)err;
    if (!call) { /* after a commit the device is away for some time */
        if (!cs->committed || ++cs->list_tries > LIST_TRIES)
            return SEQ_FAIL;
        seq_wait(seq, LIST_WAIT_MS);
        return CERTIFICATE_STEP_LIST;
    }
    certificate_objects_clear(&cs->certificates);
    cs->cleaned = false;
    for (size_t i = 0; i < wsman_call_count(call); i++) {
        struct wsman_obj obj = wsman_call_obj(call, i);
        struct certificate_object *c = add(&cs->certificates, obj, "X509Certificate");

        if (!c)
            continue;
        wsman_bool(obj, "TrustedRootCertficate", &c->root); /* spelled so */
        wsman_bool(obj, "ReadOnlyCertificate", &c->read_only);
        if (c->der.len > 0)
            c->kind = cs->request.judge(cs->request.arg, c->der.p, c->der.len, &c->key);
        if (c->root && c->der.len > 0)
            c->root_kind = cs->request.judge_root(cs->request.arg, c->der.p, c->der.len);
    }
    return SEQ_NEXT;
}

void certificate_read_keys(struct certificate_seq *cs, const struct wsman_call *call)
{
    certificate_objects_clear(&cs->keys);
    for (size_t i = 0; i < wsman_call_count(call); i++)
        add(&cs->keys, wsman_call_obj(call, i), "DERKey");
}

int certificate_hear_keys(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    (void)err;
    certificate_read_keys(of(seq), call);
    return SEQ_NEXT;
}

struct wsman_request *certificate_ask_contexts(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, "CIM_CredentialContext", NULL);
}

int certificate_hear_contexts(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct certificate_seq *cs = of(seq);

    cs->bound[0] = '\0';
    for (size_t i = 0; call && i < wsman_call_count(call); i++) {
        struct wsman_obj obj = wsman_call_obj(call, i);
        const char *id = wsman_epr_selector(obj, "ElementInContext", "InstanceID");
        bool tls = wsman_obj_is(obj, "AMT_TLSCredentialContext");

        if (!id || strlen(id) >= sizeof(cs->bound))
            continue;
        if (tls)
            snprintf(cs->bound, sizeof(cs->bound), "%s", id);
        for (size_t k = 0; k < cs->certificates.count && !tls; k++)
            if (strcmp(cs->certificates.items[k].id, id) == 0)
                cs->certificates.items[k].elsewhere = true;
    }
    err_clear(err);
    return SEQ_NEXT;
}

struct wsman_request *certificate_ask_settings(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, "AMT_TLSSettingData", NULL);
}

static void read_setting(struct certificate_setting *s, struct wsman_obj obj)
{
    const char *id = wsman_str(obj, "InstanceID"), *name;
    bool plain_supported = true;

    memset(s, 0, sizeof(*s));
    snprintf(s->id, sizeof(s->id), "%s", id ? id : "");
    wsman_bool(obj, "Enabled", &s->enabled);
    wsman_bool(obj, "MutualAuthentication", &s->mutual);
    wsman_bool(obj, "AcceptNonSecureConnections", &s->accept_plain);
    wsman_bool(obj, "NonSecureConnectionsSupported", &plain_supported);
    s->no_plain = !plain_supported;
    while (s->name_count < CERTIFICATE_NAMES_MAX && (name = wsman_str_at(obj, "TrustedCN", s->name_count)))
        snprintf(s->names[s->name_count++], sizeof(s->names[0]), "%s", name);
}

int certificate_hear_settings(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct certificate_seq *cs = of(seq);

    cs->setting_count = 0;
    for (size_t i = 0; call && i < wsman_call_count(call) && i < CERTIFICATE_SETTINGS; i++)
        read_setting(&cs->settings[cs->setting_count++], wsman_call_obj(call, i));
    err_clear(err);
    return certificate_decide(cs, err);
}

void certificate_add_secret(struct wsman_request *rq, const char *name, const struct buf *bytes)
{
    struct buf text = buf_init_secret(2 * CERTIFICATE_DER_MAX);

    text_base64(&text, bytes->p, bytes->len);
    wsman_add_secret(rq, name, buf_str(&text));
    buf_free(&text);
}
