/* What long lists read, one thing at a time: in the order of names, and nothing of what has gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/store/device_log.h"
#include "amtd/store/inventory.h"
#include "amtd/store/sweeps.h"
#include "base/buf.h"
#include "tests/unit/store/store_scene.h"

static const char *const names[] = {"pc10", "pc9", "pc2"}; /* as they were added */

static int add_hosts(struct tx *tx, void *arg, struct err *err)
{
    struct pair tag = {(char *)"site", (char *)"lab"},
                facts[] = {{(char *)"power", (char *)"on"}, {(char *)"reach", (char *)"ok"}};
    const struct pairs learned = {facts, 2};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct host host = {.name = (char *)names[i], .address = (char *)"10.0.0.1", .tags = {&tag, 1}};
        int64_t *id = (int64_t *)arg + i;

        if (tx_host_add(tx, &host, id, err) != 0 || tx_host_facts(tx, *id, &learned, err) != 0)
            return -1;
    }
    return 0;
}

static void put_host(void *arg, const char *name, const char *address, const char *profile)
{
    buf_printf(arg, "%s %s %s;", name, address, profile ? profile : "-");
}

static void put_pair(void *arg, const char *name, const char *value)
{
    buf_printf(arg, "%s=%s;", name, value);
}

static int tell_hosts(struct tx *tx, void *arg, struct err *err)
{
    struct buf *out = arg;
    struct hosts bare;
    int64_t *ids;
    size_t count;

    WANT(tx_target_bare(tx, "pc2,pc10,pc9", &bare, err) == 0 && bare.count == 3);
    for (size_t i = 0; i < bare.count; i++)
        buf_printf(out, "%s;", bare.items[i].name);
    hosts_clear(&bare);
    WANT(tx_target_ids(tx, "all,!pc9", &ids, &count, err) == 0 && count == 2);
    WANT(tx_host_remove(tx, ids[1], err) == 0); /* meanwhile */
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%d;", tx_host_tell(tx, ids[i], put_host, out, err));
    WANT(tx_tags_tell(tx, ids[0], put_pair, out, err) == 0);
    WANT(tx_facts_tell(tx, ids[0], put_pair, out, err) == 0);
    free(ids);
    return 0;
}

static void hosts_in_the_order_of_names(void **state)
{
    struct buf out = buf_init(4096);
    int64_t ids[3];

    well_in_store(*state, add_hosts, ids);
    well_in_store(*state, tell_hosts, &out);
    assert_string_equal(buf_str(&out), "pc2;pc9;pc10;pc2 10.0.0.1 -;1;0;site=lab;power=on;reach=ok;");
    buf_free(&out);
}

/* --- runs --- */

static void put_operation(void *arg, const struct operation *op)
{
    buf_printf(arg, "%s %d %s;", op->host, (int)op->state, op->cause ? op->cause : "-");
}

static int tell_operations(struct tx *tx, void *arg, struct err *err)
{
    struct operation operations[3] = {{0}};
    struct run run = {.task = (char *)"power",
                      .args = (char *)"{}",
                      .target = (char *)"all",
                      .who = (char *)"me"},
               found;
    int64_t *ids;
    size_t count;

    for (size_t i = 0; i < 3; i++)
        operations[i].host = (char *)names[i];
    WANT(tx_run_add(tx, &run, operations, 3, err) == 0);
    operations[1].state = OPERATION_FAILED;
    operations[1].cause = (char *)"timeout";
    WANT(tx_operation_end(tx, &operations[1], err) == 0);
    WANT(tx_operation_ids(tx, run.id, &ids, &count, err) == 0 && count == 3);
    for (size_t i = 0; i < count; i++)
        WANT(tx_operation_tell(tx, ids[i], put_operation, arg, err) == 0);
    WANT(tx_operation_tell(tx, ids[2] + 100, put_operation, arg, err) == 0); /* nothing */
    free(ids);
    WANT(tx_run_find(tx, run.id, &found, err) == 0 && found.failed == 1);
    run_clear(&found);
    WANT(tx_run_find(tx, run.id + 1, &found, err) != 0 && err->cause == CAUSE_NOT_FOUND);
    err_clear(err);
    return 0;
}

static void operations_in_the_order_of_names(void **state)
{
    struct buf out = buf_init(4096);

    well_in_store(*state, tell_operations, &out);
    assert_string_equal(buf_str(&out), "pc2 0 -;pc9 3 timeout;pc10 0 -;");
    buf_free(&out);
}

/* --- inventories, logs, sweeps --- */

static void put_inventory(void *arg, const struct inventory_row *row)
{
    buf_printf(arg, "%s %d %d %d;", row->host, (int)row->version, (int)row->since_ms, (int)row->seen_ms);
}

static int tell_inventories(struct tx *tx, void *arg, struct err *err)
{
    struct pair pair = {(char *)"inventory.bios", (char *)"2"};
    const struct pairs facts = {&pair, 1};
    int64_t ids[3];
    bool changed;

    WANT(add_hosts(tx, ids, err) == 0);
    WANT(tx_inventory_put(tx, ids[0], 1, "{\"bios\":1}", &facts, &changed, err) == 0);
    WANT(tx_inventory_put(tx, ids[0], 2, "{\"bios\":2}", &facts, &changed, err) == 0);
    WANT(tx_inventory_put(tx, ids[0], 3, "{\"bios\":2}", &facts, &changed, err) == 0 && !changed);
    for (size_t i = 0; i < 2; i++)
        buf_printf(arg, "%d;", tx_inventory_tell(tx, ids[i], put_inventory, arg, err));
    WANT(tx_inventory_fact(tx, ids[0], "inventory.bios", put_pair, arg, err) == 0);
    WANT(tx_inventory_fact(tx, ids[0], "inventory.none", put_pair, arg, err) == 0);
    return 0;
}

static void the_newest_inventory(void **state)
{
    struct buf out = buf_init(4096);

    well_in_store(*state, tell_inventories, &out);
    assert_string_equal(buf_str(&out), "pc10 2 2 3;1;0;inventory.bios=2;");
    buf_free(&out);
}

static void put_found(void *arg, uint32_t address, const char *json)
{
    buf_printf(arg, "%u %s;", address, json);
}

static int tell_sweep(struct tx *tx, void *arg, struct err *err)
{
    struct sweep_record record = {
        .words = (char *)"[]", .order = (char *)"{}", .who = (char *)"me", .addresses = 3};
    struct sweep_found found[] = {{.address = 7, .kind = 1, .detail = (char *)"{\"a\":1}"},
                                  {.address = 5, .kind = 1, .detail = (char *)"{"},
                                  {.address = 9, .kind = 1, .detail = (char *)"{}"}};
    struct sweep_found known = {.address = 7, .host = (char *)"pc7"};

    WANT(tx_sweep_add(tx, &record, err) == 0);
    WANT(tx_sweep_save(tx, &record, &(struct sweep_founds){found, 3, 3}, err) == 0);
    WANT(tx_sweep_outcomes(tx, record.id, &(struct sweep_founds){&known, 1, 1}, err) == 0);
    return tx_sweep_tell(tx, record.id, 5, 8, put_found, arg, err);
}

static void what_a_sweep_found(void **state)
{
    struct buf out = buf_init(4096);

    well_in_store(*state, tell_sweep, &out);
    assert_string_equal(buf_str(&out), "5 {};7 {\"a\":1,\"host\":\"pc7\"};");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hosts_in_the_order_of_names, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(operations_in_the_order_of_names, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(the_newest_inventory, scene_setup, scene_teardown),
        cmocka_unit_test_setup_teardown(what_a_sweep_found, scene_setup, scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
