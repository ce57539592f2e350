/* What an account's realms open. (reference wsman.md, 3.9) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "tests/amtsim/class.h"
#include "tests/amtsim/users.h"
#include "tests/unit/amtsim/stage.h"

/* An account with these realms logs in and asks from now on. */
static void log_in_with(const char *realms)
{
    static unsigned number;
    char body[512], name[16];
    sim.realms = REALMS_ALL;
    snprintf(name, sizeof(name), "user%u", ++number);
    snprintf(
        body, sizeof(body),
        "<r:DigestUsername>%s</r:DigestUsername><r:DigestPassword>AAAAAAAAAAAAAAAAAAAAAA==</r:DigestPassword>"
        "<r:AccessPermission>2</r:AccessPermission>%s",
        name, realms);
    assert_int_equal(sim_invoke(&sim, device, "AMT_AuthorizationService", "AddUserAclEntryEx", body, &text),
                     200);
    assert_non_null(strstr(text, "<g:ReturnValue>0</g:ReturnValue>"));
    sim.realms = users_realms(device, name);
}

static int get(const char *class_name)
{
    int status = sim_ask(&sim, device, sim_request("Get", class_name, "", ""), &text);
    if (status != 200)
        assert_non_null(strstr(text, "e:AccessDenied"));
    return status;
}

static int invoke(const char *class_name, const char *method, const char *body)
{
    int status = sim_invoke(&sim, device, class_name, method, body, &text);
    if (status != 200)
        assert_non_null(strstr(text, "e:AccessDenied"));
    return status;
}

#define POWER_ON "<r:PowerState>2</r:PowerState>"

static void remote_control_switches_power_and_no_more(void **state)
{
    (void)state;
    log_in_with("<r:Realms>5</r:Realms>");
    assert_int_equal(get("CIM_AssociatedPowerManagementService"), 200);
    assert_int_equal(invoke("CIM_PowerManagementService", "RequestPowerStateChange", POWER_ON), 200);
    assert_int_equal(get("AMT_BootSettingData"), 200);
    assert_int_equal(get("CIM_ComputerSystem"), 200); /* everybody's */
    assert_int_equal(get("AMT_GeneralSettings"), 400);
    assert_int_equal(get("AMT_RedirectionService"), 400);
    assert_int_equal(get("AMT_AuthorizationService"), 400);
}

static void general_information_is_for_looking(void **state)
{
    (void)state;
    log_in_with("<r:Realms>13</r:Realms>");
    assert_int_equal(get("AMT_GeneralSettings"), 200);
    assert_int_equal(get("AMT_SetupAndConfigurationService"), 200);
    assert_int_equal(invoke("AMT_SetupAndConfigurationService", "GetUuid", ""), 200);
    assert_int_equal(invoke("AMT_SetupAndConfigurationService", "CommitChanges", ""), 400);
    assert_int_equal(sim_ask(&sim, device,
                             sim_request("Put", "AMT_GeneralSettings", "",
                                         "<g:AMT_GeneralSettings xmlns:g=\"http://intel.com/wbem/wscim/1/"
                                         "amt-schema/1/AMT_GeneralSettings\"><g:HostName>x</g:HostName>"
                                         "</g:AMT_GeneralSettings>"),
                             &text),
                     400);
    assert_int_equal(get("CIM_AssociatedPowerManagementService"), 400);
    assert_int_equal(invoke("AMT_TimeSynchronizationService", "GetLowAccuracyTimeSynch", ""), 400);
}

static void several_realms_add_up(void **state)
{
    (void)state;
    log_in_with("<r:Realms>12</r:Realms><r:Realms>19</r:Realms>");
    assert_int_equal(invoke("AMT_TimeSynchronizationService", "GetLowAccuracyTimeSynch", ""), 200);
    assert_int_equal(invoke("AMT_MessageLog", "PositionToFirstRecord", ""), 200);
    assert_int_equal(invoke("AMT_MessageLog", "ClearLog", ""), 400); /* the event manager's */
    assert_int_equal(get("AMT_SystemDefenseService"), 400);
}

static void administrator_does_all_but_audit(void **state)
{
    (void)state;
    log_in_with("<r:Realms>3</r:Realms>");
    assert_int_equal(get("AMT_GeneralSettings"), 200);
    assert_int_equal(get("AMT_AuthorizationService"), 200);
    assert_int_equal(get("AMT_SystemDefenseService"), 200);
    assert_int_equal(get("AMT_AuditLog"), 400);
    log_in_with("<r:Realms>20</r:Realms>");
    assert_int_equal(get("AMT_AuditLog"), 200);
    sim.realms = users_realms(device, users_admin_name(device));
    assert_int_equal(get("AMT_AuditLog"), 200);
}

static void without_realms_there_is_the_system_alone(void **state)
{
    (void)state;
    log_in_with("");
    for (unsigned i = 0; i < class_count(); i++) {
        const struct class_row *row = class_at(i);
        bool system = strncmp(row->name, "CIM_ComputerSystem", 18) == 0 ||
                      strcmp(row->name, "CIM_SystemPackaging") == 0;
        assert_int_equal(class_open_to(row, device, sim.realms | REALM_BIT(0), false), system);
    }
    assert_int_equal(users_realms(device, "nobody"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(remote_control_switches_power_and_no_more, stage_16, stage_clear),
        cmocka_unit_test_setup_teardown(general_information_is_for_looking, stage_16, stage_clear),
        cmocka_unit_test_setup_teardown(several_realms_add_up, stage_16, stage_clear),
        cmocka_unit_test_setup_teardown(administrator_does_all_but_audit, stage_16, stage_clear),
        cmocka_unit_test_setup_teardown(without_realms_there_is_the_system_alone, stage_16, stage_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
