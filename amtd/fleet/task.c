#include "amtd/fleet/task.h"

#include <string.h>

#include "amtd/fleet/tasks.h"

static const struct task *const table[] = {
    &task_power, &task_boot, &task_info, &task_probe, &task_doctor, &task_prepare,
};

const struct task *task_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    return NULL;
}

const struct task *task_at(size_t i)
{
    return i < sizeof(table) / sizeof(table[0]) ? table[i] : NULL;
}

void finding_clear(struct finding *finding)
{
    pairs_clear(&finding->facts);
    json_decref(finding->detail);
    memset(finding, 0, sizeof(*finding));
}
