/* The roots of a device: those of the owner that it needs, and those that it had of before. */
#include <string.h>

#include "wsman/answer.h"
#include "wsman/device_certificate_internal.h"

static struct certificate_seq *of(struct seq *seq)
{
    return (struct certificate_seq *)seq;
}

bool certificate_wants_mutual(const struct certificate_seq *cs, const struct certificate_setting *now)
{
    bool was = now->mutual || cs->mutual_was || cs->request.mutual_was;

    return certificate_switched(cs->request.mutual, was);
}

bool certificate_mutual(const struct certificate_seq *cs)
{
    const struct certificate_setting *remote = certificate_remote(cs);

    return remote && certificate_wants_mutual(cs, remote);
}

/* --- which --- */

static bool needs_roots(const struct certificate_seq *cs)
{
    return certificate_remote(cs) && cs->request.action == CERTIFICATE_INSTALL &&
           (cs->request.add_roots || certificate_mutual(cs));
}

static bool has_root(const struct certificate_seq *cs, const struct certificate_root *root)
{
    for (size_t i = 0; i < cs->certificates.count; i++) {
        const struct certificate_object *c = &cs->certificates.items[i];

        if (c->root && c->der.len == root->n && memcmp(c->der.p, root->der, root->n) == 0)
            return true;
    }
    return false;
}

static bool next_root(struct certificate_seq *cs)
{
    if (!needs_roots(cs) || cs->no_root.cause != CAUSE_NONE)
        return false;
    for (cs->at = 0; cs->at < cs->request.root_count; cs->at++)
        if (!has_root(cs, &cs->request.roots[cs->at]))
            return true;
    return false;
}

static bool next_old_root(struct certificate_seq *cs)
{
    if (!cs->may_drop || cs->roots_stay)
        return false;
    for (cs->at = 0; cs->at < cs->certificates.count; cs->at++) {
        const struct certificate_object *c = &cs->certificates.items[cs->at];

        if (c->root && c->root_kind == CERTIFICATE_ROOT_FORMER && !c->read_only && !c->elsewhere)
            return true;
    }
    return false;
}

size_t certificate_old_roots(const struct certificate_seq *cs)
{
    size_t n = 0;

    for (size_t i = 0; i < cs->certificates.count; i++)
        n += cs->certificates.items[i].root && cs->certificates.items[i].root_kind != CERTIFICATE_ROOT_STAYS;
    return n;
}

/* --- how --- */

int certificate_decide_roots(struct certificate_seq *cs)
{
    bool adds = next_root(cs), drops = !adds && next_old_root(cs);
    size_t at = cs->at;

    cs->opened = cs->barred && (adds || drops);
    if (cs->opened && certificate_next_setting(cs))
        return CERTIFICATE_STEP_PUT;
    if (cs->opened && cs->commit_due && !cs->committed)
        return CERTIFICATE_STEP_COMMIT;
    cs->at = at;
    return adds ? CERTIFICATE_STEP_ADD_ROOT : drops ? CERTIFICATE_STEP_DROP_ROOT : SEQ_DONE;
}

/* The device did not do it with mutual TLS on: it is tried once more with that off. */
static bool opens(struct certificate_seq *cs)
{
    const struct certificate_setting *remote = certificate_remote(cs);

    if (cs->barred || !needs_roots(cs) || !(remote->mutual || certificate_mutual(cs)))
        return false;
    cs->barred = true;
    cs->mutual_was |= remote->mutual;
    cs->seq.note = "the device changes no roots while mutual TLS is on: it is off for that time";
    return true;
}

struct wsman_request *certificate_ask_add_root(struct seq *seq, struct err *err)
{
    const struct certificate_seq *cs = of(seq);
    const struct certificate_root *root = &cs->request.roots[cs->at];
    struct wsman_request *rq = wsman_request_new(WSMAN_INVOKE, CERTIFICATE_KEYS, "AddTrustedRootCertificate");

    (void)err;
    wsman_add_base64(rq, "CertificateBlob", root->der, root->n);
    return rq;
}

/* Mutual TLS that was switched off for a root is not left so: what the device refused is told at the end. */
int certificate_hear_add_root(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct certificate_seq *cs = of(seq);
    uint32_t value = call ? wsman_call_return_value(call) : 0;

    if (!call && cause_is_passing(err->cause))
        return certificate_look_again(cs, err, err);
    if (call && (value == 0 || value == CERTIFICATE_DUPLICATE))
        return CERTIFICATE_STEP_LIST;
    if (call)
        certificate_refused("AddTrustedRootCertificate", value, err);
    if (!opens(cs)) {
        if (!cs->opened)
            return SEQ_FAIL;
        cs->no_root = *err;
    }
    err_clear(err);
    return certificate_decide(cs, err);
}

struct wsman_request *certificate_ask_drop_root(struct seq *seq, struct err *err)
{
    (void)err;
    return certificate_drop(&of(seq)->certificates, of(seq)->at, CERTIFICATE_CLASS);
}

/* One that the device keeps is no failure: it is told as one that remains. Firmware says of what is in use
 * that it is busy. */
int certificate_hear_drop_root(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct certificate_seq *cs = of(seq);

    if (!call && cause_is_passing(err->cause) && err->cause != CAUSE_BUSY)
        return certificate_look_again(cs, err, err);
    if (call) {
        certificate_gone(cs, &cs->certificates);
    } else if (!opens(cs)) {
        cs->roots_stay = true;
        cs->seq.note = "the device keeps it";
    }
    err_clear(err);
    return certificate_decide(cs, err);
}
