/* Certificates, as the device is set up, and TLS settings. (reference wsman.md, 3.12) */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "tests/amtsim/class_tables.h"
#include "tests/amtsim/fleet.h"
#include "tests/amtsim/tls.h"
#include "tests/amtsim/tls_settings.h"

/* The device's certificate, and with mutual TLS the root that clients must come from. */
static unsigned certificates(const struct device *d)
{
    struct tls_settings s = tls_settings(d);
    return (unsigned)s.certificate + (unsigned)s.root;
}

static unsigned keys(const struct device *d)
{
    return tls_settings(d).certificate ? 1 : 0;
}

static unsigned credentials(const struct device *d)
{
    return tls_settings(d).credential ? 1 : 0;
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
    const uint8_t *der;
    size_t len;
    char issuer[256], subject[256];
    if ((i == 0 ? tls_certificate(d, &der, &len) : tls_ca(d, &der, &len)) != 0)
        return;
    const uint8_t *p = der;
    X509 *cert = d2i_X509(NULL, &p, (long)len);
    if (cert == NULL)
        return;
    name_text(X509_get_issuer_name(cert), issuer, sizeof(issuer));
    name_text(X509_get_subject_name(cert), subject, sizeof(subject));
    out_str(o, "ElementName", "Intel(r) AMT Certificate");
    out_fmt(o, "InstanceID", "Intel(r) AMT Certificate: Handle: %u", i);
    out_str(o, "Issuer", issuer);
    if (d->generation->number >= 16)
        out_bool(o, "ReadOnlyCertificate", false);
    out_str(o, "Subject", subject);
    out_bool(o, "TrustedRootCertficate", i == 1);
    out_bytes(o, "X509Certificate", der, len);
    X509_free(cert);
}

static void key_pair(struct device *d, unsigned i, struct out *o)
{
    const uint8_t *der;
    size_t len;
    unsigned char *key = NULL;
    if (tls_certificate(d, &der, &len) != 0)
        return;
    X509 *cert = d2i_X509(NULL, &der, (long)len);
    int n = cert != NULL ? i2d_PublicKey(X509_get0_pubkey(cert), &key) : 0;
    if (n > 0)
        out_bytes(o, "DERKey", key, (size_t)n);
    out_str(o, "ElementName", "Intel(r) AMT Key");
    out_fmt(o, "InstanceID", "Intel(r) AMT Key: Handle: %u", i);
    OPENSSL_free(key);
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
    struct epr cert = epr_one("AMT_PublicKeyCertificate", "InstanceID", TLS_CERTIFICATE_ID);
    struct epr points = epr_one("AMT_TLSProtocolEndpointCollection", "ElementName",
                                "TLSProtocolEndpoint Instances Collection");
    (void)d;
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

const struct class_row class_certificate_rows[] = {
    {.name = "AMT_CryptographicCapabilities", .fixed = crypto},
    {.name = "AMT_PublicKeyCertificate", .instance = certificate, .count = certificates},
    {.name = "AMT_PublicKeyManagementService", .fixed = key_service},
    {.name = "AMT_PublicPrivateKeyPair", .instance = key_pair, .count = keys},
    {.name = "AMT_TLSCredentialContext",
     .parent = "CIM_CredentialContext",
     .instance = credential,
     .count = credentials,
     .required = "ElementInContext ElementProvidingContext",
     .create = tls_credential_create,
     .remove = tls_credential_delete},
    {.name = "AMT_TLSProtocolEndpointCollection", .fixed = collection},
    {.name = "AMT_TLSSettingData",
     .instance = setting,
     .count = two,
     .required = "Enabled",
     .put = tls_settings_put},
    {0},
};
