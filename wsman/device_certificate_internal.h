/* What the files of the certificate sequence share. */
#ifndef WSMAN_DEVICE_CERTIFICATE_INTERNAL_H
#define WSMAN_DEVICE_CERTIFICATE_INTERNAL_H

#include "wsman/device_certificate.h"

#define CERTIFICATE_KEYS      "AMT_PublicKeyManagementService"
#define CERTIFICATE_CLASS     "AMT_PublicKeyCertificate"
#define CERTIFICATE_DUPLICATE 2058 /* ReturnValue */

enum certificate_step {
    CERTIFICATE_STEP_LIST,
    CERTIFICATE_STEP_KEYS,
    CERTIFICATE_STEP_CONTEXTS,
    CERTIFICATE_STEP_SETTINGS,
    CERTIFICATE_STEP_CLOCK,
    CERTIFICATE_STEP_SET_CLOCK,
    CERTIFICATE_STEP_GENERATE,
    CERTIFICATE_STEP_ADD_KEY,
    CERTIFICATE_STEP_NEW_KEY,
    CERTIFICATE_STEP_REQUEST,
    CERTIFICATE_STEP_ADD,
    CERTIFICATE_STEP_ADD_ROOT,
    CERTIFICATE_STEP_BIND,
    CERTIFICATE_STEP_PUT,
    CERTIFICATE_STEP_COMMIT,
    CERTIFICATE_STEP_PROVE,
    CERTIFICATE_STEP_PROVED,
    CERTIFICATE_STEP_UNBIND,
    CERTIFICATE_STEP_DROP_CERTIFICATE,
    CERTIFICATE_STEP_DROP_KEY,
    CERTIFICATE_STEP_DROP_ROOT,
};

void certificate_objects_clear(struct certificate_objects *all);
/* The answer was lost, or may have been: what the device has now says how it goes on. */
int certificate_look_again(struct certificate_seq *cs, const struct err *why, struct err *err);
/* What a ReturnValue of AMT_PublicKeyManagementService says, as err: SEQ_FAIL. */
int certificate_refused(const char *method, uint32_t value, struct err *err);
/* One of these is not there any more. */
void certificate_gone(struct certificate_seq *cs, struct certificate_objects *all);
struct wsman_request *certificate_drop(const struct certificate_objects *all, size_t at,
                                       const char *class_name);

/* --- where to go (device_certificate_plan.c) --- */

/* The next step by what the device has: an index, SEQ_DONE, or SEQ_FAIL and err. */
int certificate_decide(struct certificate_seq *cs, struct err *err);
/* What a setting is to be. */
struct certificate_setting certificate_wanted(const struct certificate_seq *cs,
                                              const struct certificate_setting *now);
/* What is wanted of a switch that is now so. */
bool certificate_switched(enum certificate_switch how, bool now);
/* A setting is to be changed: cs->at. */
bool certificate_next_setting(struct certificate_seq *cs);
/* The object with this id, NULL: there is none. */
struct certificate_object *certificate_find(struct certificate_objects *all, const char *id);
/* The certificate that TLS is to have; the one in use first. NULL: it is not there yet. */
struct certificate_object *certificate_fit(struct certificate_seq *cs);

/* --- roots (device_certificate_roots.c) --- */

/* Clients are to show a certificate in the end. */
bool certificate_wants_mutual(const struct certificate_seq *cs, const struct certificate_setting *now);
/* The next step towards the roots that the device is to have; SEQ_DONE: it has them. */
int certificate_decide_roots(struct certificate_seq *cs);
struct wsman_request *certificate_ask_add_root(struct seq *seq, struct err *err);
int certificate_hear_add_root(struct seq *seq, const struct wsman_call *call, struct err *err);
struct wsman_request *certificate_ask_drop_root(struct seq *seq, struct err *err);
int certificate_hear_drop_root(struct seq *seq, const struct wsman_call *call, struct err *err);

/* --- reading (device_certificate_read.c) --- */

void certificate_read_keys(struct certificate_seq *cs, const struct wsman_call *call);
struct wsman_request *certificate_ask_clock(struct seq *seq, struct err *err);
int certificate_hear_clock(struct seq *seq, const struct wsman_call *call, struct err *err);
struct wsman_request *certificate_ask_set_clock(struct seq *seq, struct err *err);
int certificate_hear_set_clock(struct seq *seq, const struct wsman_call *call, struct err *err);
struct wsman_request *certificate_ask_list(struct seq *seq, struct err *err);
int certificate_hear_list(struct seq *seq, const struct wsman_call *call, struct err *err);
int certificate_hear_keys(struct seq *seq, const struct wsman_call *call, struct err *err);
struct wsman_request *certificate_ask_contexts(struct seq *seq, struct err *err);
int certificate_hear_contexts(struct seq *seq, const struct wsman_call *call, struct err *err);
struct wsman_request *certificate_ask_settings(struct seq *seq, struct err *err);
int certificate_hear_settings(struct seq *seq, const struct wsman_call *call, struct err *err);
/* A parameter that is wiped with the request: bytes as base64. */
void certificate_add_secret(struct wsman_request *rq, const char *name, const struct buf *bytes);

#endif
