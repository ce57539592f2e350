#include "wsman/device_certificate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wsman/answer.h"
#include "wsman/device_certificate_internal.h"

#define KEYS         CERTIFICATE_KEYS
#define CERTIFICATE  CERTIFICATE_CLASS
#define CONTEXT      "AMT_TLSCredentialContext"
#define POINTS_CLASS "AMT_TLSProtocolEndpointCollection"
#define POINTS_NAME  "TLSProtocolEndpoint Instances Collection"

#define RET_BUSY         2082 /* a key is being made, or the random numbers are not ready */
#define RET_NO_RANDOM    47
#define RET_RANDOM_EARLY 48
#define RET_DUPLICATE    CERTIFICATE_DUPLICATE
#define RET_UNSUPPORTED  2066
#define RET_MAXIMUM      23
#define KEY_WAIT_MS      5000
#define KEY_TRIES        24
#define UNBIND_TRIES     12
#define TRIES            4
#define AFTER_COMMIT_MS  1000
#define KEY_BITS         2048
#define SIGN_BY_SHA256   1

static struct certificate_seq *of(struct seq *seq)
{
    return (struct certificate_seq *)seq;
}

int certificate_look_again(struct certificate_seq *cs, const struct err *why, struct err *err)
{
    if (++cs->tries > TRIES) {
        if (why && why != err)
            *err = *why;
        return SEQ_FAIL;
    }
    seq_wait(&cs->seq, AFTER_COMMIT_MS);
    return CERTIFICATE_STEP_LIST;
}

/* After a change: its ReturnValue was heard (call), or the exchange failed (err). *value: 0 without one. 0:
 * it was done or refused by value; else where to go. */
static int heard(struct certificate_seq *cs, const struct wsman_call *call, struct err *err)
{
    if (call)
        return 0;
    return cause_is_passing(err->cause) ? certificate_look_again(cs, err, err) : SEQ_FAIL;
}

int certificate_refused(const char *method, uint32_t value, struct err *err)
{
    wsman_return_value_to_err(KEYS, method, value, err);
    if (value == RET_MAXIMUM)
        err_set(err, CAUSE_LIMIT_EXCEEDED, "%s: the device has no room for another key or certificate",
                method);
    return SEQ_FAIL;
}

/* --- keys --- */

static struct wsman_request *ask_generate(struct seq *seq, struct err *err)
{
    struct certificate_seq *cs = of(seq);
    struct wsman_request *rq;

    (void)err;
    if (cs->request.push_key || cs->pushing) {
        cs->pushing = true;
        cs->wants = CERTIFICATE_WANTS_KEY;
        seq_hold(seq);
        seq_go(seq, CERTIFICATE_STEP_ADD_KEY);
        return NULL;
    }
    rq = wsman_request_new(WSMAN_INVOKE, KEYS, "GenerateKeyPair");
    wsman_add_u32(rq, "KeyAlgorithm", 0);
    wsman_add_u32(rq, "KeyLength", KEY_BITS);
    return rq;
}

static int wait_for_key(struct certificate_seq *cs, int where, struct err *err)
{
    if (++cs->key_tries > KEY_TRIES) {
        err_set(err, CAUSE_TIMEOUT, "the device does not come to an end with its key");
        return SEQ_FAIL;
    }
    cs->seq.note = "the device is not ready to make a key";
    seq_wait(&cs->seq, KEY_WAIT_MS);
    return where;
}

static int hear_generate(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct certificate_seq *cs = of(seq);
    const char *id;
    uint32_t value;

    if (!call && cause_is_passing(err->cause)) /* it may be at it still, or have made it */
        return wait_for_key(cs, CERTIFICATE_STEP_NEW_KEY, err);
    if (!call && err->cause != CAUSE_UNSUPPORTED && !wsman_fault_is_absent(err))
        return SEQ_FAIL;
    value = call ? wsman_call_return_value(call) : RET_UNSUPPORTED;
    if (value == RET_BUSY || value == RET_NO_RANDOM || value == RET_RANDOM_EARLY)
        return wait_for_key(cs, CERTIFICATE_STEP_GENERATE, err);
    if (value == RET_UNSUPPORTED) { /* this firmware makes no keys: it gets one */
        cs->pushing = true;
        err_clear(err);
        return CERTIFICATE_STEP_GENERATE;
    }
    if (value != 0)
        return certificate_refused("GenerateKeyPair", value, err);
    id = wsman_epr_selector(wsman_call_obj(call, 0), "KeyPair", "InstanceID");
    snprintf(cs->key_id, sizeof(cs->key_id), "%s", id ? id : "");
    return CERTIFICATE_STEP_NEW_KEY;
}

static struct wsman_request *ask_new_key(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_ENUMERATE, "AMT_PublicPrivateKeyPair", NULL);
}

/* The one that was not there before. */
static int hear_new_key(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct certificate_seq *cs = of(seq);
    struct certificate_objects before = cs->keys;
    const struct certificate_object *found = NULL;

    memset(&cs->keys, 0, sizeof(cs->keys));
    certificate_read_keys(cs, call);
    for (size_t i = 0; i < cs->keys.count; i++) {
        const struct certificate_object *key = &cs->keys.items[i];

        if (cs->key_id[0] ? strcmp(key->id, cs->key_id) == 0 : !certificate_find(&before, key->id))
            found = key;
    }
    certificate_objects_clear(&before);
    if (!found)
        return wait_for_key(cs, CERTIFICATE_STEP_GENERATE, err);
    snprintf(cs->key_id, sizeof(cs->key_id), "%s", found->id);
    buf_reset(&cs->public_key);
    buf_add(&cs->public_key, found->der.p, found->der.len);
    cs->have_key = true;
    return CERTIFICATE_STEP_REQUEST;
}

/* What the owner was waited for did not come. */
static bool owner_failed(struct certificate_seq *cs, struct err *err)
{
    cs->wants = CERTIFICATE_WANTS_NOTHING;
    if (cs->failure.cause == CAUSE_NONE)
        return false;
    *err = cs->failure;
    return true;
}

static struct wsman_request *ask_add_key(struct seq *seq, struct err *err)
{
    struct certificate_seq *cs = of(seq);
    struct wsman_request *rq;

    if (owner_failed(cs, err))
        return NULL;
    rq = wsman_request_new(WSMAN_INVOKE, KEYS, "AddKey");
    certificate_add_secret(rq, "KeyBlob", &cs->private_key);
    return rq;
}

static int hear_add_key(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct certificate_seq *cs = of(seq);
    const char *id;
    uint32_t value;

    if (!call && cause_is_passing(err->cause) && ++cs->tries <= TRIES) {
        seq_wait(seq, AFTER_COMMIT_MS);
        return CERTIFICATE_STEP_ADD_KEY; /* the same key again: a second one is refused as a duplicate */
    }
    if (!call)
        return SEQ_FAIL;
    value = wsman_call_return_value(call);
    if (value != 0 && value != RET_DUPLICATE)
        return certificate_refused("AddKey", value, err);
    id = wsman_epr_selector(wsman_call_obj(call, 0), "CreatedKey", "InstanceID");
    snprintf(cs->key_id, sizeof(cs->key_id), "%s", id ? id : "");
    return CERTIFICATE_STEP_NEW_KEY;
}

static struct wsman_request *ask_request(struct seq *seq, struct err *err)
{
    struct certificate_seq *cs = of(seq);
    struct buf bare = buf_init(CERTIFICATE_DER_MAX);
    const struct wsman_selector key[] = {{"InstanceID", cs->key_id}, {NULL, NULL}};
    struct wsman_request *rq = NULL;

    if (cs->pushing || cs->no_request) { /* its key is the owner's own, or it signs nothing */
        cs->wants = CERTIFICATE_WANTS_LEAF;
        seq_hold(seq);
        seq_go(seq, CERTIFICATE_STEP_ADD);
    } else if (cs->request.request(cs->request.arg, cs->public_key.p, cs->public_key.len, &bare, err) == 0) {
        rq = wsman_request_new(WSMAN_INVOKE, KEYS, "GeneratePKCS10RequestEx");
        wsman_add_epr(rq, "KeyPair", "AMT_PublicPrivateKeyPair", key);
        wsman_add_u32(rq, "SigningAlgorithm", SIGN_BY_SHA256);
        wsman_add_base64(rq, "NullSignedCertificateRequest", bare.p, bare.len);
    }
    buf_free(&bare);
    return rq;
}

static int hear_request(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct certificate_seq *cs = of(seq);

    if (!call && cause_is_passing(err->cause))
        return SEQ_FAIL;
    buf_reset(&cs->signed_request);
    cs->no_request = true; /* asked once */
    if (call && wsman_call_return_value(call) == 0)
        wsman_base64(wsman_call_obj(call, 0), "SignedCertificateRequest", &cs->signed_request);
    else
        seq->note = "the device signs no request: its certificate is made for the key it shows";
    err_clear(err);
    return CERTIFICATE_STEP_REQUEST;
}

/* --- the certificate --- */

static struct wsman_request *ask_add(struct seq *seq, struct err *err)
{
    struct certificate_seq *cs = of(seq);
    struct wsman_request *rq;

    if (owner_failed(cs, err))
        return NULL;
    rq = wsman_request_new(WSMAN_INVOKE, KEYS, "AddCertificate");
    wsman_add_base64(rq, "CertificateBlob", cs->leaf.p, cs->leaf.len);
    return rq;
}

static int hear_add(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct certificate_seq *cs = of(seq);
    int where = heard(cs, call, err);
    uint32_t value = call ? wsman_call_return_value(call) : 0;

    if (where != 0)
        return where;
    if (value != 0 && value != RET_DUPLICATE)
        return certificate_refused("AddCertificate", value, err);
    cs->changed = true;
    return CERTIFICATE_STEP_LIST;
}

/* --- binding --- */

static struct wsman_request *ask_bind(struct seq *seq, struct err *err)
{
    struct certificate_seq *cs = of(seq);
    const struct wsman_selector leaf[] = {{"InstanceID", certificate_fit(cs)->id}, {NULL, NULL}};
    static const struct wsman_selector points[] = {{"ElementName", POINTS_NAME}, {NULL, NULL}};
    struct wsman_request *rq = wsman_request_new(cs->bound[0] ? WSMAN_PUT : WSMAN_CREATE, CONTEXT, NULL);

    (void)err;
    wsman_add_epr(rq, "ElementInContext", CERTIFICATE, leaf);
    wsman_add_epr(rq, "ElementProvidingContext", POINTS_CLASS, points);
    cs->commit_due = true;
    return rq;
}

static int hear_bind(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct certificate_seq *cs = of(seq);
    int where = heard(cs, call, err);

    if (where != 0)
        return where;
    snprintf(cs->bound, sizeof(cs->bound), "%s", certificate_fit(cs)->id);
    return certificate_decide(cs, err);
}

static struct wsman_request *ask_unbind(struct seq *seq, struct err *err)
{
    const struct certificate_seq *cs = of(seq);
    const struct wsman_selector leaf[] = {{"InstanceID", cs->bound}, {NULL, NULL}};
    static const struct wsman_selector points[] = {{"ElementName", POINTS_NAME}, {NULL, NULL}};
    struct wsman_request *rq = wsman_request_new(WSMAN_DELETE, CONTEXT, NULL);

    (void)err;
    wsman_select_epr(rq, "ElementInContext", CERTIFICATE, leaf);
    wsman_select_epr(rq, "ElementProvidingContext", POINTS_CLASS, points);
    return rq;
}

static int hear_unbind(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct certificate_seq *cs = of(seq);

    if (!call && cs->committed && ++cs->list_tries <= UNBIND_TRIES) { /* TLS is not off yet */
        seq_wait(seq, KEY_WAIT_MS);
        return CERTIFICATE_STEP_LIST;
    }
    if (!call)
        return SEQ_FAIL;
    cs->bound[0] = '\0';
    cs->changed = true;
    return certificate_decide(cs, err);
}

/* --- settings --- */

static struct wsman_request *ask_put(struct seq *seq, struct err *err)
{
    struct certificate_seq *cs = of(seq);
    const struct certificate_setting *now = &cs->settings[cs->at];
    struct certificate_setting s = certificate_wanted(cs, now);
    struct wsman_request *rq = wsman_request_new(WSMAN_PUT, "AMT_TLSSettingData", NULL);

    (void)err;
    wsman_select(rq, "InstanceID", now->id);
    wsman_add_bool(rq, "AcceptNonSecureConnections", s.accept_plain);
    wsman_add_str(rq, "ElementName", now->id);
    wsman_add_bool(rq, "Enabled", s.enabled);
    wsman_add_str(rq, "InstanceID", now->id);
    wsman_add_bool(rq, "MutualAuthentication", s.mutual);
    for (size_t i = 0; i < now->name_count; i++)
        wsman_add_str(rq, "TrustedCN", now->names[i]);
    cs->commit_due = true;
    cs->committed = false;
    return rq;
}

static int hear_put(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct certificate_seq *cs = of(seq);
    struct certificate_setting *now = &cs->settings[cs->at];

    if (!call && cause_is_passing(err->cause))
        return certificate_look_again(cs, err, err);
    if (!call && now == certificate_remote(cs))
        return SEQ_FAIL;
    if (!call) { /* the side of the machine itself: some firmware keeps it as it is */
        now->spoilt = true;
        seq->note = "the device keeps the setting of its local side";
        err_clear(err);
    } else {
        *now = certificate_wanted(cs, now);
        cs->changed |= !cs->mutual_was; /* off and on again is none */
    }
    return certificate_decide(cs, err);
}

static struct wsman_request *ask_commit(struct seq *seq, struct err *err)
{
    (void)seq;
    (void)err;
    return wsman_request_new(WSMAN_INVOKE, "AMT_SetupAndConfigurationService", "CommitChanges");
}

/* The web server starts anew: the answer may be lost with it, and so may the request have been. It is sent
 * once more; the proof then shows whether the device is there again. */
static int hear_commit(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    struct certificate_seq *cs = of(seq);
    bool again = !call && (cs->opened || !cs->commit_lost); /* no proof follows where roots are changed */

    if (call && wsman_return_value_to_err("AMT_SetupAndConfigurationService", "CommitChanges",
                                          wsman_call_return_value(call), err) != 0)
        return SEQ_FAIL;
    if (!call && ((!cause_is_passing(err->cause) && !cs->commit_lost) || ++cs->tries > TRIES))
        return SEQ_FAIL;
    cs->commit_lost = again;
    err_clear(err);
    seq_wait(seq, again && cs->opened ? KEY_WAIT_MS : AFTER_COMMIT_MS);
    if (again)
        return CERTIFICATE_STEP_COMMIT;
    cs->committed = call != NULL || cs->request.action == CERTIFICATE_INSTALL;
    cs->proved = cs->proved && cs->opened;
    return cs->request.action == CERTIFICATE_INSTALL ? certificate_decide(cs, err) : CERTIFICATE_STEP_LIST;
}

/* --- proof --- */

static struct wsman_request *ask_prove(struct seq *seq, struct err *err)
{
    (void)err;
    of(seq)->wants = CERTIFICATE_WANTS_PROOF;
    seq_hold(seq);
    seq_go(seq, CERTIFICATE_STEP_PROVED);
    return NULL;
}

/* What is as it should be may still wait for its commit. */
static struct wsman_request *ask_proved(struct seq *seq, struct err *err)
{
    struct certificate_seq *cs = of(seq);

    if (!cs->proved && !cs->committed) {
        cs->wants = CERTIFICATE_WANTS_NOTHING;
        err_clear(&cs->failure);
        cs->commit_due = true;
        cs->committed = false;
        seq_go(seq, CERTIFICATE_STEP_COMMIT);
        return NULL;
    }
    if (owner_failed(cs, err))
        return NULL;
    cs->may_drop = true;
    seq_go(seq, CERTIFICATE_STEP_LIST);
    return NULL;
}

/* --- leaving nothing behind --- */

struct wsman_request *certificate_drop(const struct certificate_objects *all, size_t at,
                                       const char *class_name)
{
    struct wsman_request *rq = wsman_request_new(WSMAN_DELETE, class_name, NULL);

    wsman_select(rq, "InstanceID", all->items[at].id);
    return rq;
}

static struct wsman_request *ask_drop_certificate(struct seq *seq, struct err *err)
{
    (void)err;
    return certificate_drop(&of(seq)->certificates, of(seq)->at, CERTIFICATE);
}

static struct wsman_request *ask_drop_key(struct seq *seq, struct err *err)
{
    (void)err;
    return certificate_drop(&of(seq)->keys, of(seq)->at, "AMT_PublicPrivateKeyPair");
}

void certificate_gone(struct certificate_seq *cs, struct certificate_objects *all)
{
    struct certificate_object *object = &all->items[cs->at];

    buf_free(&object->der);
    buf_free(&object->key);
    memmove(object, object + 1, (--all->count - cs->at) * sizeof(*object));
    cs->removed++;
}

/* One that the device keeps is no failure: somebody else uses it. */
static int dropped(struct certificate_seq *cs, struct certificate_objects *all, const struct wsman_call *call,
                   struct err *err)
{
    struct certificate_object *object = &all->items[cs->at];

    if (!call && cause_is_passing(err->cause))
        return certificate_look_again(cs, err, err);
    if (call) {
        certificate_gone(cs, all);
    } else {
        object->leftover = false;
        cs->seq.note = "the device keeps it";
    }
    err_clear(err);
    return certificate_decide(cs, err);
}

static int hear_drop_certificate(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    return dropped(of(seq), &of(seq)->certificates, call, err);
}

static int hear_drop_key(struct seq *seq, const struct wsman_call *call, struct err *err)
{
    return dropped(of(seq), &of(seq)->keys, call, err);
}

/* --- the table --- */

#define MAY_FAIL (SEQ_CHANGE | SEQ_FAILURE_OK)

static const struct seq_step certificate_steps[] = {
    [CERTIFICATE_STEP_CLOCK] = {"read clock", SEQ_READ, certificate_ask_clock, certificate_hear_clock},
    [CERTIFICATE_STEP_SET_CLOCK] = {"set clock", SEQ_CHANGE, certificate_ask_set_clock,
                                    certificate_hear_set_clock},
    [CERTIFICATE_STEP_LIST] = {"list certificates", SEQ_READ | SEQ_FAILURE_OK, certificate_ask_list,
                               certificate_hear_list},
    [CERTIFICATE_STEP_KEYS] = {"list keys", SEQ_READ, ask_new_key, certificate_hear_keys},
    [CERTIFICATE_STEP_CONTEXTS] = {"list uses of certificates", SEQ_READ | SEQ_ABSENT_OK,
                                   certificate_ask_contexts, certificate_hear_contexts},
    [CERTIFICATE_STEP_SETTINGS] = {"read settings of TLS", SEQ_READ | SEQ_ABSENT_OK, certificate_ask_settings,
                                   certificate_hear_settings},
    [CERTIFICATE_STEP_GENERATE] = {"make a key", MAY_FAIL, ask_generate, hear_generate},
    [CERTIFICATE_STEP_ADD_KEY] = {"give it a key", MAY_FAIL, ask_add_key, hear_add_key},
    [CERTIFICATE_STEP_NEW_KEY] = {"read the new key", SEQ_READ, ask_new_key, hear_new_key},
    [CERTIFICATE_STEP_REQUEST] = {"have the request signed", SEQ_READ | SEQ_FAILURE_OK, ask_request,
                                  hear_request},
    [CERTIFICATE_STEP_ADD] = {"give it the certificate", MAY_FAIL, ask_add, hear_add},
    [CERTIFICATE_STEP_ADD_ROOT] = {"give it the root", MAY_FAIL, certificate_ask_add_root,
                                   certificate_hear_add_root},
    [CERTIFICATE_STEP_BIND] = {"choose the certificate", MAY_FAIL, ask_bind, hear_bind},
    [CERTIFICATE_STEP_PUT] = {"change settings of TLS", MAY_FAIL, ask_put, hear_put},
    [CERTIFICATE_STEP_COMMIT] = {"commit", MAY_FAIL, ask_commit, hear_commit},
    [CERTIFICATE_STEP_PROVE] = {"prove", SEQ_READ, ask_prove, NULL},
    [CERTIFICATE_STEP_PROVED] = {"prove", SEQ_READ, ask_proved, NULL},
    [CERTIFICATE_STEP_UNBIND] = {"give the certificate up", MAY_FAIL, ask_unbind, hear_unbind},
    [CERTIFICATE_STEP_DROP_CERTIFICATE] = {"remove a certificate", MAY_FAIL, ask_drop_certificate,
                                           hear_drop_certificate},
    [CERTIFICATE_STEP_DROP_KEY] = {"remove a key", MAY_FAIL, ask_drop_key, hear_drop_key},
    [CERTIFICATE_STEP_DROP_ROOT] = {"remove an old root", MAY_FAIL, certificate_ask_drop_root,
                                    certificate_hear_drop_root},
};

void certificate_seq_init(struct certificate_seq *cs, const struct certificate_request *request)
{
    memset(cs, 0, sizeof(*cs));
    seq_init(&cs->seq, SEQ_TABLE(certificate_steps));
    cs->request = *request;
    cs->commit_due = request->unfinished;
    cs->public_key = buf_init(CERTIFICATE_DER_MAX);
    cs->signed_request = buf_init(CERTIFICATE_DER_MAX);
    cs->private_key = buf_init_secret(CERTIFICATE_DER_MAX);
    cs->leaf = buf_init(CERTIFICATE_DER_MAX);
}

void certificate_seq_clear(struct certificate_seq *cs)
{
    certificate_objects_clear(&cs->certificates);
    certificate_objects_clear(&cs->keys);
    buf_free(&cs->public_key);
    buf_free(&cs->signed_request);
    buf_free(&cs->private_key);
    buf_free(&cs->leaf);
}
