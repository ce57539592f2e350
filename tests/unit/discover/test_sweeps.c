/* What is kept of a sweep, and what is said of it and of two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/discover/sweep_json.h"
#include "base/xalloc.h"
#include "tests/unit/store/store_scene.h"

static struct addrset *set_of(const char *word)
{
    struct err err = ERR_INIT;
    json_t *words = json_pack("[s]", word);
    struct addrset *set = sweep_ranges(words, &err);

    json_decref(words);
    assert_non_null(set);
    return set;
}

static void add(struct sweep_founds *founds, uint32_t address, int kind, const char *realm,
                const char *detail)
{
    const struct sweep_found f = {
        .address = address, .kind = kind, .realm = xstrdup(realm), .detail = xstrdup(detail)};

    sweep_founds_add(founds, &f);
}

static const char *at(const json_t *array, size_t i, const char *field)
{
    const char *text = json_string_value(json_object_get(json_array_get(array, i), field));

    return text ? text : "";
}

static void joins_neighbours_of_one_kind(void **state)
{
    struct addrset *set = set_of("10.0.0.0-10.0.1.3");
    uint8_t *kinds = xcalloc(1, addrset_slots(set));
    json_t *runs, *counts;

    (void)state;
    for (uint32_t a = 0x0A000000; a <= 0x0A000103; a++)
        kinds[addrset_slot(set, a)] = a == 0x0A000005  ? FOUND_AMT
                                      : a > 0x0A0000F0 ? FOUND_DROPPED
                                                       : FOUND_REFUSED;
    runs = sweep_runs_json(set, kinds);
    assert_int_equal(json_array_size(runs), 3);
    assert_string_equal(at(runs, 0, "from"), "10.0.0.0");
    assert_string_equal(at(runs, 0, "to"), "10.0.0.4");
    assert_string_equal(at(runs, 1, "from"), "10.0.0.6");
    assert_string_equal(at(runs, 2, "finding"), "dropped");
    assert_string_equal(at(runs, 2, "to"), "10.0.1.3");
    counts = sweep_counts_json(kinds, addrset_slots(set));
    assert_int_equal(json_integer_value(json_object_get(counts, "amt")), 1);
    assert_int_equal(json_integer_value(json_object_get(counts, "dropped")), 19);
    json_decref(runs);
    json_decref(counts);
    free(kinds);
    addrset_free(set);
}

static void says_what_is_new_gone_and_changed(void **state)
{
    struct addrset *was_set = set_of("10.0.0.0/24"), *is_set = set_of("10.0.0.0/25");
    struct sweep_founds was = {0}, is = {0};
    json_t *changes;

    (void)state;
    add(&was, 0x0A000001, FOUND_AMT, "a", "{\"version\":\"11.8\"}");
    add(&is, 0x0A000001, FOUND_AMT, "a", "{\"version\":\"11.9\"}");
    add(&was, 0x0A000002, FOUND_AMT, "b", "{}"); /* gone */
    add(&was, 0x0A000003, FOUND_AMT, "c", "{}");
    add(&is, 0x0A000003, FOUND_AMT, "d", "{}"); /* another device */
    add(&was, 0x0A000004, FOUND_AMT, "e", "{}");
    add(&is, 0x0A000004, FOUND_AMT, NULL, "{}"); /* the same, as far as is known */
    add(&is, 0x0A000005, FOUND_NOT_PROVISIONED, NULL, "{}");
    add(&was, 0x0A0000FF, FOUND_AMT, "f", "{}"); /* not looked at again */
    changes = sweep_diff_json(was_set, &was, is_set, &is);
    assert_int_equal(json_array_size(changes), 4);
    assert_string_equal(at(changes, 0, "what"), "version");
    assert_string_equal(at(changes, 1, "change"), "gone");
    assert_string_equal(at(changes, 2, "what"), "device");
    assert_string_equal(at(changes, 3, "change"), "new");
    json_decref(changes);
    sweep_founds_clear(&was);
    sweep_founds_clear(&is);
    addrset_free(was_set);
    addrset_free(is_set);
}

/* --- the store --- */

static char words[] = "[\"10.0.0.0/30\"]", search[] = "{}", anna[] = "anna", host_name[] = "pc1",
            moved[] = "moved";
static uint8_t kinds[] = {1, 4, 5, 0};

static int keep_and_read(struct tx *tx, void *data, struct err *err)
{
    struct sweep_record r = {.words = words, .order = search, .who = anna, .began_ms = 5, .addresses = 4},
                        back;
    struct sweep_founds founds = {0}, read;

    (void)data;
    WANT(tx_sweep_get(tx, 0, &back, err) == -1 && err->cause == CAUSE_NOT_FOUND);
    err_clear(err);
    WANT(tx_sweep_add(tx, &r, err) == 0 && r.id > 0);
    r.cursor = 3;
    r.kinds = kinds;
    r.kinds_size = sizeof(kinds);
    add(&founds, 0x0A000000, FOUND_AMT, "a", "{}");
    WANT(tx_sweep_save(tx, &r, &founds, err) == 0);
    free(founds.items[0].detail);
    founds.items[0].detail = xstrdup("{\"x\":1}"); /* seen again after amtd had ended */
    WANT(tx_sweep_save(tx, &r, &founds, err) == 0);
    founds.items[0].host = xstrdup(host_name);
    founds.items[0].outcome = xstrdup(moved);
    WANT(tx_sweep_outcomes(tx, r.id, &founds, err) == 0);
    WANT(tx_sweep_get(tx, 0, &back, err) == 0);
    WANT(back.id == r.id && back.cursor == 3 && back.kinds_size == 4 && back.kinds[2] == 5);
    sweep_record_clear(&back);
    WANT(tx_sweep_founds(tx, r.id, &read, err) == 0 && read.count == 1);
    WANT(strcmp(read.items[0].detail, "{\"x\":1}") == 0 && strcmp(read.items[0].outcome, moved) == 0);
    sweep_founds_clear(&read);
    sweep_founds_clear(&founds);
    return 0;
}

static void keeps_sweeps(void **state)
{
    well_in_store(*state, keep_and_read, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_neighbours_of_one_kind),
        cmocka_unit_test(says_what_is_new_gone_and_changed),
        cmocka_unit_test_setup_teardown(keeps_sweeps, scene_setup, scene_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
