/* AMT_TLSSettingData and AMT_TLSCredentialContext: what is put there holds when
 * AMT_SetupAndConfigurationService commits it; then the web server starts anew. (reference wsman.md, 3.12) */
#ifndef AMTSIM_TLS_SETTINGS_H
#define AMTSIM_TLS_SETTINGS_H

#include "tests/amtsim/class.h"

#define TLS_CERTIFICATE_ID "Intel(r) AMT Certificate: Handle: 0"

enum { TLS_REMOTE, TLS_LOCAL, TLS_SIDES }; /* the two instances of AMT_TLSSettingData */

struct tls_settings {
    bool certificate; /* there are a key and a certificate */
    bool root;        /* and a root that clients may come from */
    bool credential;  /* AMT_TLSCredentialContext: the certificate is chosen for TLS */
    struct tls_side {
        bool enabled, mutual, accept_plain;
    } put[TLS_SIDES]; /* as last put, committed or not */
};

/* As they are now. */
struct tls_settings tls_settings(const struct device *device);
void tls_settings_put(struct call *call); /* the instance of AMT_TLSSettingData */
void tls_credential_create(struct call *call, struct epr *epr);
void tls_credential_delete(struct call *call);
/* CommitChanges: ReturnValue. What changes takes effect after TLS_RESTART_MS, when the answer is gone. */
#define TLS_RESTART_MS 300
uint32_t tls_settings_commit(struct device *device);
void tls_settings_free(struct device *device);

#endif
