#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "amtd/discover/adopt_plan.h"
#include "amtd/discover/found.h"
#include "base/xalloc.h"

static struct host host(int64_t id, const char *name, const char *address, const char *uuid,
                        const char *realm)
{
    struct host h = {.id = id, .name = xstrdup(name), .address = xstrdup(address)};

    if (uuid)
        pairs_set(&h.facts, "amt.uuid", uuid);
    if (realm)
        pairs_set(&h.facts, "amt.realm", realm);
    return h;
}

static struct host with(struct host h, const char *fact, const char *value)
{
    pairs_set(&h.facts, fact, value);
    return h;
}

static bool in_slash_24(const void *arg, uint32_t address)
{
    (void)arg;
    return address >> 8 == 0x0A0000;
}

/* A device with UUID u1 at 10.0.0.9 is new; `old` is the one that is known. What is at the old one's address?
 */
static enum adopt_verdict judge_new(struct host old, struct host new, struct sweep_found at_old)
{
    struct host items[] = {old, new};
    const struct hosts hosts = {items, 2};
    struct sweep_found rows[] = {at_old, {.address = 0x0A000009, .kind = FOUND_AMT, .realm = (char *)"new"}};
    const struct sweep_founds founds = {at_old.address != 0 ? rows : rows + 1, at_old.address != 0 ? 2 : 1,
                                        2};
    struct adopt_index *index = adopt_index_new(&hosts);
    const struct host *other;
    enum adopt_verdict verdict = adopt_judge(index, &items[1], &founds, in_slash_24, NULL, &other);

    assert_ptr_equal(other, verdict == ADOPT_NEW ? NULL : &items[0]);
    assert_ptr_equal(adopt_host_at(index, 0x0A000009), &items[1]);
    adopt_index_free(index);
    host_clear(&items[0]);
    host_clear(&items[1]);
    return verdict;
}

#define MAC "02-00-00-00-00-01"

static enum adopt_verdict judge(struct host old, struct sweep_found at_old)
{
    return judge_new(with(old, "amt.mac", MAC),
                     with(host(2, "10.0.0.9", "10.0.0.9", "u1", "new"), "amt.mac", MAC), at_old);
}

static void knows_devices_again(void **state)
{
    const struct sweep_found nothing = {0};
    const struct sweep_found itself = {.address = 0x0A000005, .kind = FOUND_AMT, .realm = (char *)"old"};
    const struct sweep_found another = {.address = 0x0A000005, .kind = FOUND_AMT, .realm = (char *)"third"};
    const struct sweep_found service = {.address = 0x0A000005, .kind = FOUND_OTHER};

    (void)state;
    assert_int_equal(judge(host(1, "pc1", "10.0.0.5", "v", "old"), itself), ADOPT_NEW);
    assert_int_equal(judge(host(1, "pc1", "10.0.0.5", NULL, "old"), nothing), ADOPT_NEW);
    assert_int_equal(judge(host(1, "pc1", "10.0.0.5", "u1", "old"), nothing), ADOPT_MOVED);
    assert_int_equal(judge(host(1, "pc1", "10.0.0.5", "u1", "old"), service), ADOPT_MOVED);
    assert_int_equal(judge(host(1, "pc1", "10.0.0.5", "u1", "old"), another), ADOPT_MOVED);
    assert_int_equal(judge(host(1, "pc1", "10.0.0.5", "u1", "old"), itself), ADOPT_DUPLICATE);
    assert_int_equal(
        judge(host(1, "pc1", "10.0.0.5", "u1", "new"),
              (struct sweep_found){.address = 0x0A000005, .kind = FOUND_AMT, .realm = (char *)"new"}),
        ADOPT_SAME);
    assert_int_equal(judge(host(1, "pc1", "10.0.1.5", "u1", "old"), nothing), ADOPT_ASK);
    assert_int_equal(judge(host(1, "pc1", NULL, "u1", "old"), nothing), ADOPT_ASK); /* a DNS name */
}

/* A UUID alone makes no two hosts one: not while the old one is silent, either. */
static void never_takes_a_clone_for_a_mover(void **state)
{
    static const char *const nobodys[] = {
        "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "03000200-0400-0500-0006-000700080009",
        "00020003-0004-0005-0006-000700080009", "12345678-1234-5678-90AB-CDDEEFAABBCC"};
    const struct sweep_found nothing = {0};
    struct host new = host(2, "10.0.0.9", "10.0.0.9", "u1", "new");

    (void)state;
    /* another network port; and when none is known, another realm */
    assert_int_equal(judge_new(with(host(1, "pc1", "10.0.0.5", "u1", "old"), "amt.mac", MAC),
                               with(new, "amt.mac", "02-00-00-00-00-02"), nothing),
                     ADOPT_DUPLICATE);
    new = host(2, "10.0.0.9", "10.0.0.9", "u1", "new");
    assert_int_equal(judge_new(host(1, "pc1", "10.0.0.5", "u1", "old"), new, nothing), ADOPT_DUPLICATE);
    /* outside of the sweep: there is nothing to ask either */
    new = host(2, "10.0.0.9", "10.0.0.9", "u1", "new");
    assert_int_equal(judge_new(host(1, "pc1", "10.0.1.5", "u1", "old"), new, nothing), ADOPT_DUPLICATE);
    /* realms that are not known say nothing; that the UUID is shared does, and so does its number */
    new = host(2, "10.0.0.9", "10.0.0.9", "u1", "new");
    assert_int_equal(judge_new(host(1, "pc1", "10.0.0.5", "u1", NULL), new, nothing), ADOPT_MOVED);
    new = host(2, "10.0.0.9", "10.0.0.9", "u1", "new");
    assert_int_equal(
        judge_new(with(host(1, "pc1", "10.0.0.5", "u1", NULL), "amt.uuid.shared", "yes"), new, nothing),
        ADOPT_DUPLICATE);
    for (size_t i = 0; i < sizeof(nobodys) / sizeof(nobodys[0]); i++) {
        new = host(2, "10.0.0.9", "10.0.0.9", nobodys[i], "new");
        assert_int_equal(judge_new(host(1, "pc1", "10.0.0.5", nobodys[i], NULL), new, nothing),
                         ADOPT_DUPLICATE);
        new = host(2, "10.0.0.9", "10.0.0.9", nobodys[i], "new"); /* its realm proves it all the same */
        assert_int_equal(judge_new(host(1, "pc1", "10.0.0.5", nobodys[i], "new"), new, nothing), ADOPT_MOVED);
    }
}

/* pc1 had realm `old` at 10.0.0.5; the sweep finds that realm at 10.0.0.9. */
static void finds_movers_by_their_realm(void **state)
{
    struct host items[] = {host(1, "pc1", "10.0.0.5", "u1", "old"), host(2, "pc2", "10.0.0.6", "v", "twin"),
                           host(3, "pc3", "10.0.0.7", "w", "twin")};
    const struct hosts hosts = {items, 3};
    struct sweep_found rows[] = {{.address = 0x0A000005, .kind = FOUND_AMT, .realm = (char *)"third"},
                                 {.address = 0x0A000009, .kind = FOUND_AMT, .realm = (char *)"old"},
                                 {.address = 0x0A00000A, .kind = FOUND_AMT, .realm = (char *)"twin"},
                                 {.address = 0x0A00000B, .kind = FOUND_AMT}};
    const struct sweep_founds founds = {rows, 4, 4};
    struct adopt_index *index = adopt_index_new(&hosts);

    (void)state;
    assert_ptr_equal(adopt_moved_by_realm(index, &founds, &rows[1]), &items[0]);
    assert_null(adopt_moved_by_realm(index, &founds, &rows[0]));
    assert_null(adopt_moved_by_realm(index, &founds, &rows[2])); /* two have it */
    assert_null(adopt_moved_by_realm(index, &founds, &rows[3]));
    rows[0].realm = (char *)"old"; /* it answers at both addresses */
    assert_null(adopt_moved_by_realm(index, &founds, &rows[1]));
    adopt_index_free(index);
    for (size_t i = 0; i < 3; i++)
        host_clear(&items[i]);
}

static void gives_only_names_that_are_free_and_possible(void **state)
{
    struct host items[] = {host(1, "pc1", "10.0.0.5", NULL, NULL),
                           host(2, "10.0.0.9", "10.0.0.9", NULL, NULL)};
    const struct hosts hosts = {items, 2};

    (void)state;
    assert_null(adopt_free_name(&hosts, &items[1]));
    pairs_set(&items[1].facts, "amt.name", "pc1");
    assert_null(adopt_free_name(&hosts, &items[1]));
    pairs_set(&items[1].facts, "amt.name", "a b\n");
    assert_null(adopt_free_name(&hosts, &items[1]));
    pairs_set(&items[1].facts, "amt.name", "pc2");
    assert_string_equal(adopt_free_name(&hosts, &items[1]), "pc2");
    host_clear(&items[0]);
    host_clear(&items[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_devices_again),
        cmocka_unit_test(never_takes_a_clone_for_a_mover),
        cmocka_unit_test(finds_movers_by_their_realm),
        cmocka_unit_test(gives_only_names_that_are_free_and_possible),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
