#include "amtd/fleet/task.h"

#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/tasks.h"

static const struct task *const table[] = {
    &task_power,       &task_boot,        &task_info,        &task_probe,     &task_doctor,   &task_prepare,
    &task_redirection, &task_consent,     &task_clock,       &task_filter,    &task_password, &task_user,
    &task_alert,       &task_agent,       &task_worm,        &task_inventory, &task_eventlog, &task_auditlog,
    &task_config,      &task_unprovision, &task_certificate,
};

const struct task *task_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    return NULL;
}

char *task_args_text(const struct task *task, const json_t *args)
{
    json_t *shown = task && args ? json_copy((json_t *)args) : json_object();
    char *text;

    if (task && task->secret && json_object_get(shown, task->secret))
        json_object_set_new(shown, task->secret, json_string("(hidden)"));
    text = json_dumps(shown, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    json_decref(shown);
    return text;
}

const struct task *task_at(size_t i)
{
    return i < sizeof(table) / sizeof(table[0]) ? table[i] : NULL;
}

void finding_clear(struct finding *finding)
{
    pairs_clear(&finding->facts);
    json_decref(finding->detail);
    free(finding->kept);
    memset(finding, 0, sizeof(*finding));
}
