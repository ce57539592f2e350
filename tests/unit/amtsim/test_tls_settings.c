/* TLS settings: put, committed, and then in force. (reference wsman.md, 3.12) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/amtsim/keyring.h"
#include "tests/amtsim/setup.h"
#include "tests/amtsim/tls.h"
#include "tests/amtsim/tls_settings.h"
#include "tests/unit/amtsim/stage.h"

#define REMOTE "Intel(r) AMT 802.3 TLS Settings"
#define LOCAL  "Intel(r) AMT LMS TLS Settings"

static void start(unsigned generation, enum device_tls tls)
{
    sim_start(&sim, 1, generation);
    device = &sim.fleet->devices[0];
    sim.fleet->tls = tls_store_new(NULL, NULL);
    assert_non_null(sim.fleet->tls);
    device->tls = tls;
}

static int put(const char *instance, const char *members)
{
    char header[256], body[1024];
    snprintf(header, sizeof(header),
             "<w:SelectorSet><w:Selector Name=\"InstanceID\">%s</w:Selector></w:SelectorSet>", instance);
    snprintf(body, sizeof(body),
             "<g:AMT_TLSSettingData "
             "xmlns:g=\"http://intel.com/wbem/wscim/1/amt-schema/1/AMT_TLSSettingData\">%s"
             "</g:AMT_TLSSettingData>",
             members);
    return sim_ask(&sim, device, sim_request("Put", "AMT_TLSSettingData", header, body), &text);
}

static void commit(unsigned value)
{
    char want[64];
    assert_int_equal(sim_invoke(&sim, device, "AMT_SetupAndConfigurationService", "CommitChanges", "", &text),
                     200);
    snprintf(want, sizeof(want), "<g:ReturnValue>%u</g:ReturnValue>", value);
    has(want);
}

static void run_until(enum device_tls tls)
{
    while (device->tls != tls)
        uv_run(&sim.loop, UV_RUN_ONCE);
}

static void puts_hold_when_committed(void **state)
{
    (void)state;
    start(16, DEVICE_TLS_MUTUAL);
    assert_int_equal(put(REMOTE, "<g:Enabled>true</g:Enabled>"
                                 "<g:MutualAuthentication>false</g:MutualAuthentication>"
                                 "<g:AcceptNonSecureConnections>true</g:AcceptNonSecureConnections>"),
                     200);
    has("<g:MutualAuthentication>false<");
    uv_run(&sim.loop, UV_RUN_NOWAIT);
    assert_int_equal(device->tls, DEVICE_TLS_MUTUAL);
    assert_false(device_serves(device, false));
    commit(0);
    assert_int_equal(device->tls, DEVICE_TLS_MUTUAL); /* until the answer is gone */
    run_until(DEVICE_TLS_SERVER);
    assert_true(device_serves(device, false));
    assert_true(device_serves(device, true));
}

static void tls_goes_and_comes_back_with_its_credential(void **state)
{
    char body[1024];
    (void)state;
    start(11, DEVICE_TLS_SERVER);
    const char *no_keys = sim_request("Delete", "AMT_TLSCredentialContext", "", "");
    assert_int_equal(sim_ask(&sim, device, no_keys, &text), 400);
    static const char delete[] =
        "<w:SelectorSet><w:Selector Name=\"ElementInContext\"><a:EndpointReference><a:Address>x</a:Address>"
        "<a:ReferenceParameters><w:ResourceURI>http://intel.com/wbem/wscim/1/amt-schema/1/"
        "AMT_PublicKeyCertificate</w:ResourceURI><w:SelectorSet><w:Selector Name=\"InstanceID\">Intel(r) AMT "
        "Certificate: Handle: 0</w:Selector></w:SelectorSet></a:ReferenceParameters></a:EndpointReference>"
        "</w:Selector></w:SelectorSet>";
    assert_int_equal(
        sim_ask(&sim, device, sim_request("Delete", "AMT_TLSCredentialContext", delete, ""), &text), 500);
    has("e:Concurrency");
    assert_int_equal(put(REMOTE, "<g:Enabled>false</g:Enabled>"), 200);
    assert_int_equal(put(LOCAL, "<g:Enabled>false</g:Enabled>"), 200);
    commit(0);
    run_until(DEVICE_TLS_NONE);
    assert_true(device_serves(device, false));
    assert_int_equal(
        sim_ask(&sim, device, sim_request("Delete", "AMT_TLSCredentialContext", delete, ""), &text), 200);
    assert_int_equal(put(REMOTE, "<g:Enabled>true</g:Enabled>"), 200);
    commit(2057);
    snprintf(body, sizeof(body),
             "<g:AMT_TLSCredentialContext "
             "xmlns:g=\"http://intel.com/wbem/wscim/1/amt-schema/1/AMT_TLSCredentialContext\">"
             "<g:ElementInContext><a:Address>x</a:Address><a:ReferenceParameters><w:ResourceURI>"
             "http://intel.com/wbem/wscim/1/amt-schema/1/AMT_PublicKeyCertificate</w:ResourceURI>"
             "<w:SelectorSet><w:Selector Name=\"InstanceID\">Intel(r) AMT Certificate: Handle: 0</w:Selector>"
             "</w:SelectorSet></a:ReferenceParameters></g:ElementInContext><g:ElementProvidingContext/>"
             "</g:AMT_TLSCredentialContext>");
    assert_int_equal(
        sim_ask(&sim, device, sim_request("Create", "AMT_TLSCredentialContext", "", body), &text), 200);
    assert_int_equal(
        sim_ask(&sim, device, sim_request("Create", "AMT_TLSCredentialContext", "", body), &text), 400);
    commit(0);
    run_until(DEVICE_TLS_SERVER);
}

static void what_is_missing_or_forbidden(void **state)
{
    (void)state;
    start(16, DEVICE_TLS_SERVER);
    assert_int_equal(put(REMOTE, "<g:Enabled>true</g:Enabled>"
                                 "<g:MutualAuthentication>true</g:MutualAuthentication>"),
                     200);
    commit(2057); /* no root that clients could come from */
    assert_int_equal(put(REMOTE, "<g:Enabled>true</g:Enabled><g:TrustedCN>x</g:TrustedCN>"), 400);
    assert_int_equal(put(REMOTE, "<g:MutualAuthentication>true</g:MutualAuthentication>"), 400);
    assert_int_equal(put(REMOTE, "<g:Enabled>perhaps</g:Enabled>"), 400);
    assert_int_equal(put("nothing", "<g:Enabled>true</g:Enabled>"), 400);
    sim_stop(&sim);

    start(16, DEVICE_TLS_NONE); /* without a certificate */
    assert_int_equal(put(REMOTE, "<g:Enabled>true</g:Enabled>"), 200);
    commit(2057);
    sim_stop(&sim);

    start(21, DEVICE_TLS_SERVER); /* nothing but TLS */
    assert_int_equal(put(REMOTE, "<g:Enabled>false</g:Enabled>"), 200);
    commit(16);
}

static void goes_away_while_it_restarts(void **state)
{
    (void)state;
    start(11, DEVICE_TLS_SERVER);
    assert_int_equal(put(REMOTE, "<g:Enabled>false</g:Enabled>"), 200);
    commit(0);
    commit(0);
}

/* What a set-up that is taken back leaves of keys, certificates and TLS: nothing, but where firmware has no
 * plain ports what it had at first. */
static void taking_the_setup_back_clears_all(void **state)
{
    static const struct {
        unsigned generation;
        enum device_tls tls, after;
        bool full;
        size_t certificates, keys;
    } cases[] = {
        {11, DEVICE_TLS_MUTUAL, DEVICE_TLS_NONE, true, 0, 0},
        {11, DEVICE_TLS_NONE, DEVICE_TLS_NONE, false, 0, 0},
        {21, DEVICE_TLS_MUTUAL, DEVICE_TLS_SERVER, false, 1, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (i > 0)
            sim_stop(&sim);
        start(cases[i].generation, cases[i].tls);
        assert_int_equal(keyring_of(device)->certificate_count > 0, cases[i].tls != DEVICE_TLS_NONE);
        assert_int_equal(setup_undo(device, cases[i].full), 0);
        run_until(cases[i].after);
        assert_int_equal(keyring_of(device)->certificate_count, cases[i].certificates);
        assert_int_equal(keyring_of(device)->key_count, cases[i].keys);
        assert_int_equal(tls_settings(device).credential, cases[i].certificates > 0 ? 0 : TLS_NO_CERTIFICATE);
        assert_false(tls_settings(device).put[TLS_REMOTE].mutual);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(puts_hold_when_committed, stage_clear),
        cmocka_unit_test_teardown(tls_goes_and_comes_back_with_its_credential, stage_clear),
        cmocka_unit_test_teardown(what_is_missing_or_forbidden, stage_clear),
        cmocka_unit_test_teardown(goes_away_while_it_restarts, stage_clear),
        cmocka_unit_test_teardown(taking_the_setup_back_clears_all, stage_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
