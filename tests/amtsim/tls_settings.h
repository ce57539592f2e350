/* AMT_TLSSettingData and AMT_TLSCredentialContext: what is put there holds when
 * AMT_SetupAndConfigurationService commits it; then the web server starts anew. (reference wsman.md, 3.12) */
#ifndef AMTSIM_TLS_SETTINGS_H
#define AMTSIM_TLS_SETTINGS_H

#include "tests/amtsim/class.h"

enum { TLS_REMOTE, TLS_LOCAL, TLS_SIDES }; /* the two instances of AMT_TLSSettingData */

#define TLS_NO_CERTIFICATE (-1)

struct tls_settings {
    int64_t credential; /* AMT_TLSCredentialContext: handle of the certificate chosen for TLS, or none */
    int64_t served;     /* the one in force; it is that of the set-up where it is not in the keyring */
    struct tls_side {
        bool enabled, mutual, accept_plain;
    } put[TLS_SIDES]; /* as last put, committed or not */
};

/* As they are now. */
struct tls_settings tls_settings(const struct device *device);
/* The certificate is chosen for TLS, or in force. */
bool tls_settings_names(const struct device *device, uint32_t handle);
void tls_settings_put(struct call *call); /* the instance of AMT_TLSSettingData */
void tls_credential_create(struct call *call, struct epr *epr);
void tls_credential_put(struct call *call);
void tls_credential_delete(struct call *call);
/* CommitChanges: ReturnValue. What changes takes effect after TLS_RESTART_MS, when the answer is gone. */
#define TLS_RESTART_MS 300
uint32_t tls_settings_commit(struct device *device);
/* The device's set-up is taken back: TLS is off from a restart on, but for firmware without plain ports,
 * which shows again the certificate that it had at first. */
void tls_settings_undo(struct device *device);
void tls_settings_restart(struct device *device); /* at once, what was committed; for tests */
void tls_settings_free(struct device *device);

#endif
