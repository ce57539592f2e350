/* Power and boot as clients see them. (reference wsman.md, 3.2, 3.3) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/amtsim/power.h"
#include "tests/amtsim/record.h"
#include "tests/unit/amtsim/stage.h"

#define SYSTEM                                                                                               \
    "<r:ManagedElement><a:Address>x</a:Address><a:ReferenceParameters><w:ResourceURI>"                       \
    "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ComputerSystem</w:ResourceURI><w:SelectorSet>"    \
    "<w:Selector Name=\"CreationClassName\">CIM_ComputerSystem</w:Selector>"                                 \
    "<w:Selector Name=\"Name\">ManagedSystem</w:Selector></w:SelectorSet></a:ReferenceParameters>"           \
    "</r:ManagedElement>"

static int start(unsigned generation)
{
    sim_start(&sim, 1, generation);
    device = &sim.fleet->devices[0];
    return 0;
}

static int start_6(void **state)
{
    (void)state;
    return start(6);
}

static int start_16(void **state)
{
    (void)state;
    return start(16);
}

/* RequestPowerStateChange by a SOAP request; its ReturnValue. */
static unsigned request(unsigned value)
{
    char body[1024];
    unsigned result = 99;
    snprintf(body, sizeof(body), "<r:PowerState>%u</r:PowerState>" SYSTEM, value);
    assert_int_equal(
        sim_invoke(&sim, device, "CIM_PowerManagementService", "RequestPowerStateChange", body, &text), 200);
    const char *p = strstr(text, "<g:ReturnValue>");
    assert_non_null(p);
    sscanf(p, "<g:ReturnValue>%u<", &result);
    return result;
}

static void available_is(const char *want)
{
    uint16_t values[POWER_VALUES_MAX];
    char got[128] = "";
    size_t n = power_available(device, values);
    for (size_t i = 0; i < n; i++)
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%u", i > 0 ? " " : "", values[i]);
    assert_string_equal(got, want);
}

static void what_is_available(void **state)
{
    (void)state;
    available_is("10 8 5 11 4 7 14 12");
    device->agent = false;
    available_is("10 8 5 11");
    request(8);
    sim_run_until_state(&sim, device, MACHINE_OFF);
    available_is("2");
}

static void old_firmware_offers_less(void **state)
{
    (void)state;
    available_is("10 8 5");
    assert_int_equal(request(12), 1);
    assert_int_equal(request(2), 0); /* on while on: yes, and nothing happens */
    assert_int_equal(device->machine->boot_count, 1);
}

static void off_and_on(void **state)
{
    (void)state;
    assert_int_equal(request(2), 2);
    assert_int_equal(request(8), 0);
    assert_int_equal(device->machine->state, MACHINE_ON); /* takes its time */
    assert_int_equal(request(10), 2);                     /* during a transition */
    sim_run_until_state(&sim, device, MACHINE_OFF);
    assert_int_equal(request(5), 2);
    assert_int_equal(request(2), 0);
    sim_run_until_state(&sim, device, MACHINE_ON);
    assert_int_equal(device->machine->boot_count, 2);
    assert_int_equal(record_newest(device, 0)->kind, RECORD_BOOT);
    assert_int_equal(record_newest(device, 1)->kind, RECORD_STATE);
}

static void bad_values(void **state)
{
    (void)state;
    assert_int_equal(request(99), 5);
    assert_int_equal(request(15), 1);
    sim_invoke(&sim, device, "CIM_PowerManagementService", "RequestPowerStateChange",
               "<r:PowerState>8</r:PowerState>", &text);
    assert_non_null(strstr(text, "<g:ReturnValue>5<"));
    assert_int_equal(device->machine->state, MACHINE_ON);
}

static void sleep_and_wake(void **state)
{
    (void)state;
    assert_int_equal(request(4), 0);
    sim_run_until_state(&sim, device, MACHINE_SLEEP);
    assert_int_equal(request(2), 0);
    sim_run_until_state(&sim, device, MACHINE_ON);
    assert_int_equal(device->machine->boot_count, 1);
}

static void standby_is_on_and_saving(void **state)
{
    (void)state;
    device->standby = true;
    sim_ask(&sim, device, sim_request("Get", "IPS_PowerManagementService", "", ""), &text);
    assert_non_null(strstr(text, "<g:OSPowerSavingState>3<"));
    available_is("10 8 5 11");
    sim_invoke(&sim, device, "IPS_PowerManagementService", "RequestOSPowerSavingStateChange",
               "<r:OSPowerSavingState>2</r:OSPowerSavingState>" SYSTEM, &text);
    assert_non_null(strstr(text, "<g:ReturnValue>0<"));
    assert_false(device->standby);
}

#define CONFIG                                                                                               \
    "<r:BootConfigSetting><a:Address>x</a:Address><a:ReferenceParameters><w:ResourceURI>"                    \
    "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_BootConfigSetting</w:ResourceURI><w:SelectorSet>" \
    "<w:Selector Name=\"InstanceID\">Intel(r) AMT: Boot Configuration 0</w:Selector></w:SelectorSet>"        \
    "</a:ReferenceParameters></r:BootConfigSetting><r:Role>1</r:Role>"

#define SOURCE                                                                                               \
    "<r:Source><a:Address>x</a:Address><a:ReferenceParameters><w:ResourceURI>"                               \
    "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_BootSourceSetting</w:ResourceURI><w:SelectorSet>" \
    "<w:Selector Name=\"InstanceID\">Intel(r) AMT: Force PXE Boot</w:Selector></w:SelectorSet>"              \
    "</a:ReferenceParameters></r:Source>"

static void boot_settings_last_one_boot(void **state)
{
    (void)state;
    sim_invoke(&sim, device, "CIM_BootService", "SetBootConfigRole", CONFIG, &text);
    assert_non_null(strstr(text, "<g:ReturnValue>0<"));
    sim_invoke(&sim, device, "CIM_BootConfigSetting", "ChangeBootOrder", SOURCE, &text);
    assert_non_null(strstr(text, "<g:ReturnValue>0<"));
    assert_int_equal(request(10), 0);
    sim_run_until_boot(&sim, device, 2);
    const struct record_event *boot = record_newest(device, 0);
    assert_int_equal(boot->kind, RECORD_BOOT);
    assert_int_equal(boot->result, 2); /* PXE, as it was at POST */
    assert_int_equal(device->boot.source, 0);
    assert_true(device->boot.cleared);
}

static void client_mode_wants_consent(void **state)
{
    (void)state;
    device->client_mode = true;
    sim_invoke(&sim, device, "CIM_BootService", "SetBootConfigRole", CONFIG, &text);
    assert_non_null(strstr(text, "<g:ReturnValue>2081<"));
    sim_invoke(&sim, device, "IPS_OptInService", "StartOptIn", "", &text);
    char code[64];
    snprintf(code, sizeof(code), "<r:OptInCode>%06u</r:OptInCode>", device->consent.code);
    sim_invoke(&sim, device, "IPS_OptInService", "SendOptInCode", code, &text);
    assert_non_null(strstr(text, "<g:ReturnValue>0<"));
    sim_invoke(&sim, device, "CIM_BootService", "SetBootConfigRole", CONFIG, &text);
    assert_non_null(strstr(text, "<g:ReturnValue>0<"));
    sim.time.mono += 120000;
    sim_invoke(&sim, device, "CIM_BootService", "SetBootConfigRole", CONFIG, &text);
    assert_non_null(strstr(text, "<g:ReturnValue>2081<"));
    assert_int_equal(request(10), 0); /* plain power actions need none */
}

int main(void)
{
#define WITH_FLEET(test) cmocka_unit_test_setup_teardown(test, start_16, stage_clear)
    const struct CMUnitTest tests[] = {
        WITH_FLEET(what_is_available),
        cmocka_unit_test_setup_teardown(old_firmware_offers_less, start_6, stage_clear),
        WITH_FLEET(off_and_on),
        WITH_FLEET(bad_values),
        WITH_FLEET(sleep_and_wake),
        WITH_FLEET(standby_is_on_and_saving),
        WITH_FLEET(boot_settings_last_one_boot),
        WITH_FLEET(client_mode_wants_consent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
