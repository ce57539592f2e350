#include "tests/amtsim/tls_settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "tests/amtsim/conn.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/keyring.h"
#include "tests/amtsim/listener.h"
#include "tests/amtsim/tls.h"

/* Taken at the first change. */
struct tls_changes {
    struct tls_settings settings;
    uv_timer_t *restart; /* NULL: nothing is committed that does not hold yet */
};

static struct tls_settings as_started(const struct device *d)
{
    bool tls = d->fleet->tls != NULL && d->tls != DEVICE_TLS_NONE;
    bool mutual = d->tls == DEVICE_TLS_MUTUAL;
    int64_t certificate = tls ? 0 : TLS_NO_CERTIFICATE; /* handle 0 is that of the set-up (keyring.h) */
    return (struct tls_settings){
        .credential = certificate,
        .served = certificate,
        .put = {[TLS_REMOTE] = {.enabled = tls, .mutual = mutual, .accept_plain = d->plain_too},
                [TLS_LOCAL] = {.enabled = tls}},
    };
}

struct tls_settings tls_settings(const struct device *d)
{
    return d->tls_changes != NULL ? d->tls_changes->settings : as_started(d);
}

bool tls_settings_names(const struct device *d, uint32_t handle)
{
    struct tls_settings s = tls_settings(d);
    return s.credential == handle || (d->tls != DEVICE_TLS_NONE && s.served == handle);
}

static struct tls_settings *changeable(struct device *d)
{
    if (d->tls_changes == NULL) {
        keyring_of(d); /* while it is known how the device was set up */
        d->tls_changes = xcalloc(1, sizeof(*d->tls_changes));
        d->tls_changes->settings = as_started(d);
    }
    return &d->tls_changes->settings;
}

/* --- changes --- */

void tls_settings_put(struct call *c)
{
    struct tls_side side = tls_settings(c->device).put[c->instance];
    if (c->message->selector_count == 0) {
        c->fault = SOAP_INVALID_SELECTORS;
    } else if (call_has(c, "TrustedCN")) {
        c->fault = SOAP_UNSUPPORTED;
    } else {
        call_bool(c, "Enabled", &side.enabled);
        call_bool(c, "MutualAuthentication", &side.mutual);
        call_bool(c, "AcceptNonSecureConnections", &side.accept_plain);
    }
    if (c->fault == SOAP_OK)
        changeable(c->device)->put[c->instance] = side;
}

/* The handle of the certificate that a context is to name: one with its key on the device. */
static bool chosen(struct call *c, uint32_t *handle)
{
    struct epr epr;
    bool factory;
    const struct keyring_certificate *certificate =
        call_epr(c, "ElementInContext", &epr) &&
                keyring_handle(epr_value(&epr, "InstanceID"), KEYRING_CERT_ID, handle)
            ? keyring_certificate(keyring_of(c->device), *handle)
            : NULL;
    if (certificate != NULL && !certificate->root &&
        (keyring_private(c->device, certificate, &factory) != NULL || factory))
        return true;
    c->fault = SOAP_INVALID_VALUES;
    return false;
}

void tls_credential_create(struct call *c, struct epr *epr)
{
    static const struct epr points = {.class_name = "AMT_TLSProtocolEndpointCollection",
                                      .pairs = {{"ElementName", "TLSProtocolEndpoint Instances Collection"}},
                                      .count = 1};
    static char id[KEYRING_ID_MAX]; /* until the answer is written */
    static struct epr certificate;
    uint32_t handle;
    if (tls_settings(c->device).credential != TLS_NO_CERTIFICATE)
        c->fault = SOAP_ALREADY_EXISTS;
    if (c->fault != SOAP_OK || !chosen(c, &handle))
        return;
    changeable(c->device)->credential = handle;
    snprintf(id, sizeof(id), KEYRING_CERT_ID "%u", handle);
    certificate = epr_one("AMT_PublicKeyCertificate", "InstanceID", id);
    *epr = (struct epr){
        .class_name = "AMT_TLSCredentialContext",
        .pairs = {{"ElementInContext", "", &certificate}, {"ElementProvidingContext", "", &points}},
        .count = 2,
    };
}

void tls_credential_put(struct call *c)
{
    uint32_t handle;
    if (chosen(c, &handle))
        changeable(c->device)->credential = handle;
}

void tls_credential_delete(struct call *c)
{
    if (c->device->tls != DEVICE_TLS_NONE)
        c->fault = SOAP_IN_USE;
    else
        changeable(c->device)->credential = TLS_NO_CERTIFICATE;
}

/* --- committing --- */

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle);
}

static void drop_timer(struct tls_changes *changes)
{
    if (changes->restart != NULL)
        uv_close((uv_handle_t *)changes->restart, on_timer_closed);
    changes->restart = NULL;
}

/* The web server starts anew, with what was committed. */
void tls_settings_restart(struct device *d)
{
    struct err err = ERR_INIT;
    if (d->tls_changes == NULL || d->tls_changes->restart == NULL)
        return;
    const struct tls_side *side = &d->tls_changes->settings.put[TLS_REMOTE];
    drop_timer(d->tls_changes);
    d->tls = !side->enabled ? DEVICE_TLS_NONE : side->mutual ? DEVICE_TLS_MUTUAL : DEVICE_TLS_SERVER;
    d->plain_too = side->enabled && side->accept_plain;
    d->tls_changes->settings.served = d->tls_changes->settings.credential;
    tls_own_drop(d);
    conn_reset_all(d->fleet, d);
    device_acl_changed(d);
    if (d->fleet->listener != NULL && listener_device_changed(d->fleet->listener, d, &err) != 0)
        log_err(NULL, "device %u: %s", d->index + 1, err.text);
}

static void on_restart(uv_timer_t *timer)
{
    tls_settings_restart(timer->data);
}

static void start_restart(struct device *d)
{
    if (d->tls_changes->restart == NULL) {
        d->tls_changes->restart = xcalloc(1, sizeof(*d->tls_changes->restart));
        uv_timer_init(d->fleet->loop, d->tls_changes->restart);
        d->tls_changes->restart->data = d;
    }
    uv_timer_start(d->tls_changes->restart, on_restart, TLS_RESTART_MS, 0);
}

uint32_t tls_settings_commit(struct device *d)
{
    if (d->tls_changes == NULL)
        return RET_OK;
    const struct tls_settings *s = &d->tls_changes->settings;
    const struct tls_side *side = &s->put[TLS_REMOTE];
    struct err err = ERR_INIT;
    if (side->enabled && (s->credential == TLS_NO_CERTIFICATE || (side->mutual && !keyring_has_root(d))))
        return RET_DATA_MISSING;
    if (d->generation->tls_only && d->tls != DEVICE_TLS_NONE && (!side->enabled || side->accept_plain))
        return RET_NOT_PERMITTED;
    if (side->enabled && d->fleet->tls == NULL && (d->fleet->tls = tls_store_new(NULL, &err)) == NULL) {
        log_err(NULL, "device %u: %s", d->index + 1, err.text);
        return RET_INTERNAL;
    }
    start_restart(d);
    return RET_OK;
}

void tls_settings_undo(struct device *d)
{
    bool keeps = d->generation->tls_only && d->tls != DEVICE_TLS_NONE;
    if (d->tls_changes == NULL && d->tls == DEVICE_TLS_NONE)
        return;
    struct tls_settings *s = changeable(d);
    s->credential = keeps ? 0 : TLS_NO_CERTIFICATE;
    for (int i = 0; i < TLS_SIDES; i++)
        s->put[i] = (struct tls_side){.enabled = keeps};
    start_restart(d);
}

void tls_settings_free(struct device *d)
{
    if (d->tls_changes == NULL)
        return;
    drop_timer(d->tls_changes);
    free(d->tls_changes);
    d->tls_changes = NULL;
}
