/* inventory: what a machine is made of; kept when it differs from what was kept before. */
#include <stdlib.h>
#include <string.h>

#include "amtd/fleet/inventory_json.h"
#include "amtd/fleet/task_args.h"
#include "amtd/fleet/tasks.h"
#include "amtd/store/inventory.h"

#define INVENTORY_BUDGET_MS 120000

static const struct task_arg no_args[] = {{NULL}};

static int inventory_parse(void *args, const json_t *json, struct err *err)
{
    return task_args_read(no_args, json, args, err);
}

static bool inventory_changes(const void *args)
{
    (void)args;
    return false;
}

static int64_t inventory_budget(const void *args)
{
    (void)args;
    return INVENTORY_BUDGET_MS;
}

static void inventory_init(void *work, const void *args, const struct host *host, const struct quirks *quirks)
{
    (void)args;
    (void)host;
    (void)quirks;
    inventory_seq_init(work);
}

static void set(json_t *json, const char *name, const struct inventory *inv, const char *fact)
{
    const char *value = inventory_get(inv, fact);

    if (value)
        json_object_set_new(json, name, json_string(value));
}

/* The result of a run has what one looks for first; all of it is kept with the host. */
static void inventory_find(const void *work, const struct err *failure, struct finding *finding)
{
    const struct inventory *inv = &((const struct inventory_seq *)work)->inventory;
    json_t *all;

    if (failure)
        return;
    all = inventory_json(inv);
    finding->kept = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(all);
    finding->detail = json_object();
    set(finding->detail, "model", inv, "system.model");
    set(finding->detail, "bios", inv, "bios.version");
    set(finding->detail, "processor", inv, "processors.0.name");
    set(finding->detail, "memory_bytes", inv, "memory.bytes");
    set(finding->detail, "amt", inv, "firmware.amt");
    json_object_set_new(finding->detail, "facts", json_integer((json_int_t)inv->count));
    if (inventory_get(inv, "not_read.0"))
        finding->remark = "the device does not show all of it";
}

static void inventory_drop(void *work)
{
    inventory_clear(&((struct inventory_seq *)work)->inventory);
}

static void inventory_would(const void *args, const struct host *host, struct buf *out)
{
    (void)args;
    buf_printf(out, "would log in at %s and read what it is made of",
               host->address ? host->address : host->name);
}

static int settle(struct tx *tx, const void *args, const struct run *run, const struct operation *operation,
                  const char *kept, struct err *err)
{
    json_t *json = kept ? json_loads(kept, 0, NULL) : NULL;
    struct pairs facts = {0};
    bool changed;
    int status = 0;

    (void)args;
    (void)run;
    if (json && operation->state == OPERATION_OK) {
        inventory_flatten(json, "inventory.", &facts);
        status = tx_inventory_put(tx, operation->host_id, operation->ended_ms, kept, &facts, &changed, err);
    }
    pairs_clear(&facts);
    json_decref(json);
    return status;
}

static const struct task_keeping inventory_keeping = {.settle = settle};

const struct task task_inventory = {
    .name = "inventory",
    .args_size = 1,
    .work_size = sizeof(struct inventory_seq),
    .parse = inventory_parse,
    .changes = inventory_changes,
    .budget_ms = inventory_budget,
    .init = inventory_init,
    .find = inventory_find,
    .drop = inventory_drop,
    .would = inventory_would,
    .keeping = &inventory_keeping,
};
