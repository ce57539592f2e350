/* Every class of every generation: what 6.1 and 6.5 of the reference ask of a simulated device. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/xml.h"
#include "tests/amtsim/class.h"
#include "tests/unit/amtsim/sim.h"

/* Names of the instance's properties must rise in ASCII order. */
static void check_order(struct xml_el instance, const char *class_name)
{
    const char *last = "";
    for (struct xml_el p = xml_child(instance, NULL, NULL); p.node != NULL; p = xml_next(p, NULL, NULL)) {
        if (strcmp(last, xml_name(p)) > 0)
            fail_msg("%s: %s stands behind %s", class_name, xml_name(p), last);
        last = xml_name(p);
    }
    assert_string_not_equal(last, "");
}

static void check_class(struct sim *sim, struct device *d, const struct class_row *row)
{
    const char *text;
    int status = sim_ask(sim, d, sim_request("Get", row->name, "", ""), &text);
    unsigned n = class_instances(row, d);
    if (n == 0) {
        assert_int_equal(status, 400);
        assert_non_null(strstr(text, "b:DestinationUnreachable"));
        return;
    }
    assert_int_equal(status, 200);
    assert_null(strstr(text, "/>"));
    assert_null(strstr(text, "> <"));
    struct xml_doc *doc = xml_parse(text, strlen(text), 1 << 20, "answer", NULL);
    assert_non_null(doc);
    struct xml_el body = xml_child(xml_root(doc), NULL, "Body");
    check_order(xml_child(body, NULL, row->name), row->name);
    xml_free(doc);
}

static void every_class_of_every_generation(void **state)
{
    (void)state;
    const struct generation *g;
    for (unsigned i = 0; (g = generation_at(i)) != NULL; i++) {
        struct sim sim;
        sim_start(&sim, 1, g->number);
        struct device *d = &sim.fleet->devices[0];
        for (unsigned c = 0; c < class_count(); c++) {
            if (class_known(d, class_at(c)))
                check_class(&sim, d, class_at(c));
        }
        sim_stop(&sim);
    }
}

static void table_is_sound(void **state)
{
    (void)state;
    for (unsigned c = 0; c < class_count(); c++) {
        const struct class_row *row = class_at(c);
        assert_non_null(epr_namespace(row->name));
        assert_int_equal(class_index(row), c);
        if (c > 0)
            assert_true(strcmp(class_at(c - 1)->name, row->name) < 0);
        if (!row->abstract_only && row->count == NULL)
            assert_true(row->fixed != NULL || row->instance != NULL);
    }
}

/* What the clients of 6.2 and 6.3 read at connect must be there in every generation that they ask for it. */
static void connect_batches(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned since;
    } asked[] = {
        {"CIM_SoftwareIdentity", 6},
        {"AMT_SetupAndConfigurationService", 6},
        {"CIM_ServiceAvailableToElement", 6},
        {"AMT_GeneralSettings", 6},
        {"AMT_EthernetPortSettings", 6},
        {"AMT_RedirectionService", 6},
        {"CIM_ElementSettingData", 6},
        {"AMT_BootCapabilities", 6},
        {"IPS_IPv6PortSettings", 6},
        {"CIM_KVMRedirectionSAP", 6},
        {"IPS_OptInService", 6},
        {"IPS_KVMRedirectionSettingData", 6},
        {"IPS_ScreenConfigurationService", 10},
        {"IPS_PowerManagementService", 10},
        {"CIM_BootService", 6},
        {"AMT_8021XProfile", 6},
        {"IPS_AlarmClockOccurrence", 8},
        {"AMT_SystemPowerScheme", 6},
        {"CIM_FilterCollection", 6},
        {"CIM_ListenerDestination", 6},
        {"CIM_FilterCollectionSubscription", 6},
        {"AMT_AgentPresenceCapabilities", 6},
        {"AMT_PublicKeyCertificate", 6},
        {"AMT_PublicPrivateKeyPair", 6},
        {"AMT_TLSSettingData", 6},
        {"AMT_TLSCredentialContext", 6},
        {"AMT_MessageLog", 6},
        {"AMT_AuditLog", 6},
        {"IPS_HostBasedSetupService", 6},
        {"CIM_ComputerSystem", 6},
        {"CIM_ComputerSystemPackage", 6},
        {"CIM_SystemPackaging", 6},
        {"CIM_Chassis", 6},
        {"CIM_Chip", 6},
        {"CIM_Card", 6},
        {"CIM_BIOSElement", 6},
        {"CIM_Processor", 6},
        {"CIM_PhysicalMemory", 6},
        {"CIM_MediaAccessDevice", 6},
        {"CIM_PhysicalPackage", 6},
    };
    const struct generation *g;
    for (unsigned i = 0; (g = generation_at(i)) != NULL; i++) {
        struct sim sim;
        if (g->eoi) /* no WS-Management */
            continue;
        sim_start(&sim, 1, g->number);
        for (size_t k = 0; k < sizeof(asked) / sizeof(asked[0]); k++) {
            bool known = class_find(&sim.fleet->devices[0], asked[k].name) != NULL;
            assert_int_equal(known, g->number >= asked[k].since);
        }
        sim_stop(&sim);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_sound),
        cmocka_unit_test(every_class_of_every_generation),
        cmocka_unit_test(connect_batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
