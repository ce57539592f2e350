/* Certificates, keys and TLS settings. (reference wsman.md, 3.12) */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "tests/amtsim/class_tables.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/keyring.h"
#include "tests/amtsim/tls_settings.h"

static unsigned certificates(const struct device *d)
{
    return (unsigned)keyring_of((struct device *)d)->certificate_count;
}

static unsigned keys(const struct device *d)
{
    return (unsigned)keyring_of((struct device *)d)->key_count;
}

static unsigned credentials(const struct device *d)
{
    return tls_settings(d).credential != TLS_NO_CERTIFICATE ? 1 : 0;
}

static void name_text(const X509_NAME *name, char *out, size_t size)
{
    char o[64] = "", cn[128] = "";
    X509_NAME_get_text_by_NID((X509_NAME *)name, NID_organizationName, o, sizeof(o));
    X509_NAME_get_text_by_NID((X509_NAME *)name, NID_commonName, cn, sizeof(cn));
    snprintf(out, size, "C=unknown,O=%s,CN=%s", o, cn);
}

static void certificate(struct device *d, unsigned i, struct out *o)
{
    const struct keyring_certificate *c = &keyring_of(d)->certificates[i];
    unsigned char *der = NULL;
    char issuer[256], subject[256];
    X509 *cert = keyring_x509(d, c);
    int len = cert != NULL ? i2d_X509(cert, &der) : 0;
    if (len <= 0)
        return;
    name_text(X509_get_issuer_name(cert), issuer, sizeof(issuer));
    name_text(X509_get_subject_name(cert), subject, sizeof(subject));
    out_str(o, "ElementName", "Intel(r) AMT Certificate");
    out_fmt(o, "InstanceID", KEYRING_CERT_ID "%u", c->handle);
    out_str(o, "Issuer", issuer);
    if (d->generation->number >= 16)
        out_bool(o, "ReadOnlyCertificate", false);
    out_str(o, "Subject", subject);
    out_bool(o, "TrustedRootCertficate", c->root);
    out_bytes(o, "X509Certificate", der, (size_t)len);
    OPENSSL_free(der);
    X509_free(cert);
}

/* The public half. */
static void key_pair(struct device *d, unsigned i, struct out *o)
{
    const struct keyring_key *key = &keyring_of(d)->keys[i];
    const struct keyring_certificate setup = {.handle = 0};
    unsigned char *der = NULL;
    X509 *cert = key->key == NULL ? keyring_x509(d, &setup) : NULL;
    EVP_PKEY *public = cert != NULL ? X509_get0_pubkey(cert) : key->key;
    int n = public != NULL ? i2d_PublicKey(public, &der) : 0;
    if (n > 0)
        out_bytes(o, "DERKey", der, (size_t)n);
    out_str(o, "ElementName", "Intel(r) AMT Key");
    out_fmt(o, "InstanceID", KEYRING_KEY_ID "%u", key->handle);
    OPENSSL_free(der);
    X509_free(cert);
}

static const char *const setting_ids[] = {"Intel(r) AMT 802.3 TLS Settings", "Intel(r) AMT LMS TLS Settings"};

static unsigned two(const struct device *d)
{
    (void)d;
    return 2;
}

static void setting(struct device *d, unsigned i, struct out *o)
{
    const struct tls_side side = tls_settings(d).put[i];
    out_bool(o, "AcceptNonSecureConnections", side.accept_plain);
    out_str(o, "ElementName", setting_ids[i]);
    out_bool(o, "Enabled", side.enabled);
    out_str(o, "InstanceID", setting_ids[i]);
    out_bool(o, "MutualAuthentication", side.mutual);
    if (d->generation->number >= 16)
        out_bool(o, "NonSecureConnectionsSupported", !d->generation->tls_only);
}

static void credential(struct device *d, unsigned i, struct out *o)
{
    char id[KEYRING_ID_MAX];
    snprintf(id, sizeof(id), KEYRING_CERT_ID "%u", (unsigned)tls_settings(d).credential);
    struct epr cert = epr_one("AMT_PublicKeyCertificate", "InstanceID", id);
    struct epr points = epr_one("AMT_TLSProtocolEndpointCollection", "ElementName",
                                "TLSProtocolEndpoint Instances Collection");
    (void)i;
    out_epr(o, "ElementInContext", &cert);
    out_epr(o, "ElementProvidingContext", &points);
}

static const char *const collection[] = {"ElementName", "TLSProtocolEndpoint Instances Collection", NULL};
static const char *const crypto[] = {"ElementName",
                                     "Intel(r) AMT: Cryptographic Capabilities",
                                     "HardwareAcceleration",
                                     "1",
                                     "InstanceID",
                                     "Intel(r) AMT: Cryptographic Capabilities 0",
                                     NULL};
static const char *const key_service[] = {"CreationClassName",
                                          "AMT_PublicKeyManagementService",
                                          "ElementName",
                                          "Intel(r) AMT Certificate Store Service",
                                          "EnabledDefault",
                                          "5",
                                          "EnabledState",
                                          "5",
                                          "Name",
                                          "Intel(r) AMT Public Key Management Service",
                                          "RequestedState",
                                          "12",
                                          "SystemCreationClassName",
                                          "CIM_ComputerSystem",
                                          "SystemName",
                                          "Intel(r) AMT",
                                          NULL};

static const struct class_method key_methods[] = {
    {"AddCertificate", keyring_add_certificate},     {"AddKey", keyring_add_key},
    {"AddTrustedRootCertificate", keyring_add_root}, {"GenerateKeyPair", keyring_generate},
    {"GeneratePKCS10RequestEx", keyring_request},    {0},
};

const struct class_row class_certificate_rows[] = {
    {.name = "AMT_CryptographicCapabilities", .fixed = crypto},
    {.name = "AMT_PublicKeyCertificate",
     .instance = certificate,
     .count = certificates,
     .remove = keyring_remove_certificate},
    {.name = "AMT_PublicKeyManagementService", .fixed = key_service, .methods = key_methods},
    {.name = "AMT_PublicPrivateKeyPair", .instance = key_pair, .count = keys, .remove = keyring_remove_key},
    {.name = "AMT_TLSCredentialContext",
     .parent = "CIM_CredentialContext",
     .instance = credential,
     .count = credentials,
     .required = "ElementInContext ElementProvidingContext",
     .create = tls_credential_create,
     .put = tls_credential_put,
     .remove = tls_credential_delete},
    {.name = "AMT_TLSProtocolEndpointCollection", .fixed = collection},
    {.name = "AMT_TLSSettingData",
     .instance = setting,
     .count = two,
     .required = "Enabled",
     .put = tls_settings_put},
    {0},
};
