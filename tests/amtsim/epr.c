#include "tests/amtsim/epr.h"

#include <string.h>

static const struct epr_pair *find(const struct epr *epr, const char *name)
{
    for (size_t i = 0; i < epr->count; i++) {
        if (strcmp(epr->pairs[i].name, name) == 0)
            return &epr->pairs[i];
    }
    return NULL;
}

static bool same(const struct epr_pair *have, const struct epr_pair *want)
{
    if (have->epr == NULL || want->epr == NULL)
        return have->epr == want->epr && strcmp(have->value, want->value) == 0;
    return epr_covers(have->epr, want->epr);
}

bool epr_covers(const struct epr *have, const struct epr *want)
{
    if (strcmp(have->class_name, want->class_name) != 0)
        return false;
    for (size_t i = 0; i < want->count; i++) {
        const struct epr_pair *pair = find(have, want->pairs[i].name);
        if (pair == NULL || !same(pair, &want->pairs[i]))
            return false;
    }
    return true;
}

const char *epr_value(const struct epr *epr, const char *name)
{
    const struct epr_pair *pair = find(epr, name);
    return pair != NULL ? pair->value : NULL;
}

const char *epr_namespace(const char *class_name)
{
    static const struct epr_pair table[] = {
        {"AMT_", "http://intel.com/wbem/wscim/1/amt-schema/1/"},
        {"CIM_", "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"},
        {"IPS_", "http://intel.com/wbem/wscim/1/ips-schema/1/"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strncmp(class_name, table[i].name, 4) == 0)
            return table[i].value;
    }
    return NULL;
}

struct epr epr_computer(const char *name)
{
    return (struct epr){
        .class_name = "CIM_ComputerSystem",
        .pairs = {{"CreationClassName", "CIM_ComputerSystem"}, {"Name", name}},
        .count = 2,
    };
}

struct epr epr_service(const char *class_name, const char *name)
{
    return (struct epr){
        .class_name = class_name,
        .pairs = {{"CreationClassName", class_name},
                  {"Name", name},
                  {"SystemCreationClassName", "CIM_ComputerSystem"},
                  {"SystemName", "Intel(r) AMT"}},
        .count = 4,
    };
}

struct epr epr_one(const char *class_name, const char *key, const char *value)
{
    return (struct epr){.class_name = class_name, .pairs = {{key, value}}, .count = 1};
}

struct epr epr_association(const char *class_name, const struct epr *antecedent, const struct epr *dependent)
{
    return (struct epr){
        .class_name = class_name,
        .pairs = {{"Antecedent", "", antecedent}, {"Dependent", "", dependent}},
        .count = 2,
    };
}

struct epr epr_ethernet_port(unsigned number)
{
    return (struct epr){
        .class_name = "CIM_EthernetPort",
        .pairs = {{"CreationClassName", "CIM_EthernetPort"},
                  {"DeviceID", number == 0 ? "Intel(r) AMT Ethernet Port 0" : "Intel(r) AMT Ethernet Port 1"},
                  {"SystemCreationClassName", "CIM_ComputerSystem"},
                  {"SystemName", "Intel(r) AMT"}},
        .count = 4,
    };
}
