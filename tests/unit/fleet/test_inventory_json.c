/* Inventories as JSON and back, what differs between two, and what is kept of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/fleet/inventory_json.h"
#include "amtd/store/inventory.h"
#include "tests/unit/store/store_scene.h"

static struct inventory sample(const char *bytes, const char *kvm)
{
    struct inventory inv = {0};

    inventory_set(&inv, "memory.bytes", INVENTORY_NUMBER, bytes);
    inventory_set(&inv, "memory.modules.0.serial", INVENTORY_TEXT, "007");
    inventory_set(&inv, "memory.modules.1.serial", INVENTORY_TEXT, "008");
    inventory_set(&inv, "features.kvm", INVENTORY_TEXT, kvm);
    inventory_set(&inv, "state.tls", INVENTORY_BOOL, "true");
    inventory_set(&inv, "bios.version", INVENTORY_TEXT, ""); /* nothing is no fact */
    return inv;
}

static json_t *json_of(const char *bytes, const char *kvm)
{
    struct inventory inv = sample(bytes, kvm);
    json_t *json = inventory_json(&inv);

    inventory_clear(&inv);
    return json;
}

static void names_become_objects_and_lists(void **state)
{
    json_t *json = json_of("17179869184", "enabled"), *want;
    struct pairs flat = {0};

    (void)state;
    want =
        json_loads("{\"memory\": {\"bytes\": 17179869184, \"modules\": [{\"serial\": \"007\"}, {\"serial\": "
                   "\"008\"}]}, \"features\": {\"kvm\": \"enabled\"}, \"state\": {\"tls\": true}}",
                   0, NULL);
    assert_true(json_equal(json, want));
    inventory_flatten(json, "inventory.", &flat);
    assert_string_equal(pairs_get(&flat, "inventory.memory.bytes"), "17179869184");
    assert_string_equal(pairs_get(&flat, "inventory.memory.modules.1.serial"), "008");
    assert_string_equal(pairs_get(&flat, "inventory.memory.modules.count"), "2");
    assert_string_equal(pairs_get(&flat, "inventory.state.tls"), "true");
    assert_int_equal(flat.count, 6);
    pairs_clear(&flat);
    json_decref(json);
    json_decref(want);
}

static void names_only_what_differs(void **state)
{
    json_t *was = json_of("1", "enabled"), *is = json_of("2", ""), *changes = inventory_diff(was, is), *want;

    (void)state;
    want = json_loads("[{\"name\": \"features.kvm\", \"was\": \"enabled\"},"
                      " {\"name\": \"memory.bytes\", \"was\": \"1\", \"is\": \"2\"}]",
                      0, NULL);
    assert_true(json_equal(changes, want));
    json_decref(was);
    json_decref(is);
    json_decref(changes);
    json_decref(want);
}

/* --- the store --- */

static char pc1[] = "pc1";

static int ask(struct tx *tx, const char *text, size_t *count, struct err *err)
{
    char target[200];
    struct hosts hosts;

    snprintf(target, sizeof(target), "where:%s", text);
    if (tx_target(tx, target, &hosts, err) != 0)
        return -1;
    *count = hosts.count;
    hosts_clear(&hosts);
    return 0;
}

static int keep(struct tx *tx, void *data, struct err *err)
{
    struct host host = {.name = pc1};
    struct inventory_row row;
    struct pairs facts = {0};
    int64_t id;
    size_t n;
    bool changed;

    (void)data;
    WANT(tx_host_add(tx, &host, &id, err) == 0);
    pairs_set(&facts, "inventory.memory.bytes", "17179869184");
    WANT(tx_inventory_put(tx, id, 1000, "{\"a\":1}", &facts, &changed, err) == 0 && changed);
    WANT(tx_inventory_put(tx, id, 2000, "{\"a\":1}", &facts, &changed, err) == 0 && !changed);
    WANT(ask(tx, "inventory.memory.bytes >= 16GiB", &n, err) == 0 && n == 1);
    WANT(ask(tx, "inventory.memory.bytes = 16384MiB", &n, err) == 0 && n == 1);
    WANT(ask(tx, "inventory.memory.bytes > 16GiB", &n, err) == 0 && n == 0);
    pairs_set(&facts, "inventory.memory.bytes", "8589934592");
    WANT(tx_inventory_put(tx, id, 3000, "{\"a\":2}", &facts, &changed, err) == 0 && changed);
    WANT(ask(tx, "inventory.memory.bytes >= 16GiB", &n, err) == 0 && n == 0);
    WANT(tx_inventory_get(tx, id, 0, 0, &row, err) == 0 && row.version == 2 && row.since_ms == 3000);
    inventory_row_clear(&row);
    WANT(tx_inventory_get(tx, id, 2500, 0, &row, err) == 0 && row.version == 1 && row.seen_ms == 2000);
    inventory_row_clear(&row);
    WANT(tx_inventory_get(tx, id, 500, 0, &row, err) != 0 && err->cause == CAUSE_NOT_FOUND);
    err_clear(err);
    /* as it was before: a version of its own */
    WANT(tx_inventory_put(tx, id, 4000, "{\"a\":1}", &facts, &changed, err) == 0 && changed);
    WANT(tx_inventory_put(tx, id + 1, 4000, "{}", &facts, &changed, err) == 0 &&
         !changed); /* removed meanwhile */
    pairs_clear(&facts);
    return tx_host_remove(tx, id, err);
}

static void keeps_what_changed(void **state)
{
    well_in_store(*state, keep, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_objects_and_lists),
        cmocka_unit_test(names_only_what_differs),
        cmocka_unit_test_setup_teardown(keeps_what_changed, scene_setup, scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
