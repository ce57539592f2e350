#include "tests/amtsim/epr.h"

#include <string.h>

bool epr_covers(const struct epr *have, const struct epr *want)
{
    if (strcmp(have->class_name, want->class_name) != 0)
        return false;
    for (size_t i = 0; i < want->count; i++) {
        const char *value = epr_value(have, want->pairs[i].name);
        if (value == NULL || strcmp(value, want->pairs[i].value) != 0)
            return false;
    }
    return true;
}

const char *epr_value(const struct epr *epr, const char *name)
{
    for (size_t i = 0; i < epr->count; i++) {
        if (strcmp(epr->pairs[i].name, name) == 0)
            return epr->pairs[i].value;
    }
    return NULL;
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
