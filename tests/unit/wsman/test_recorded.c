/* Every recorded answer of a real device parses, and what is in it can be read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ftw.h>

#include "wsman/answer.h"
#include "wsman/value.h"

static int files, with_items, faults;

/* Two recordings begin with an empty line, which XML does not allow; devices do not send it (INDEX.md). */
static bool starts_late(const char *path)
{
    return strstr(path, "/amt/asset/") != NULL;
}

static int one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    size_t length = strlen(path);
    struct wsman_answer answer;
    struct err err = ERR_INIT;
    char *text;
    FILE *file;
    size_t skip = 0, n;

    (void)ftw;
    if (type != FTW_F || length < 4 || strcmp(path + length - 4, ".xml") != 0)
        return 0;
    file = fopen(path, "rb");
    assert_non_null(file);
    text = malloc((size_t)st->st_size + 1);
    n = fread(text, 1, (size_t)st->st_size, file);
    text[n] = '\0';
    fclose(file);
    if (starts_late(path))
        skip = strspn(text, " \r\n");
    if (wsman_answer_parse(&answer, text + skip, n - skip, &err) != 0)
        fail_msg("%s: %s", path, err.text);
    files++;
    with_items += answer.items.node != NULL;
    if (answer.is_fault) {
        faults++;
        assert_int_equal(wsman_fault_to_err(&answer, 400, "Get X", &err), -1);
        assert_string_equal(err.code, "b:DestinationUnreachable");
        assert_true(wsman_fault_is_absent(&err));
    }
    wsman_answer_clear(&answer);
    free(text);
    return 0;
}

static void all_recorded_answers_parse(void **state)
{
    (void)state;
    assert_int_equal(nftw(TEST_DATA "/amt-responses", one, 16, FTW_PHYS), 0);
    assert_true(files > 150);
    assert_true(with_items > 30);
    assert_true(faults >= 1);
}

static struct wsman_answer load(const char *name)
{
    static char text[65536];
    char path[512];
    struct wsman_answer answer;
    struct err err = ERR_INIT;
    FILE *file;
    size_t n;

    snprintf(path, sizeof(path), TEST_DATA "/amt-responses/%s", name);
    file = fopen(path, "rb");
    assert_non_null(file);
    n = fread(text, 1, sizeof(text), file);
    fclose(file);
    assert_int_equal(wsman_answer_parse(&answer, text, n, &err), 0);
    return answer;
}

static void values_are_read_as_sent(void **state)
{
    struct wsman_answer answer = load("cim/associatedpower/managementservice/pull.xml");
    struct wsman_obj obj = {answer.doc, xml_child(answer.items, NULL, NULL)};
    uint32_t number = 0, list[16];

    (void)state;
    assert_string_equal(wsman_obj_class(obj), "CIM_AssociatedPowerManagementService");
    assert_true(wsman_u32(obj, "PowerState", &number));
    assert_int_equal(number, 2);
    assert_true(wsman_u32_array(obj, "AvailableRequestedPowerStates", list, 16) > 3);
    assert_string_equal(wsman_epr_class(obj, "ServiceProvided"), "CIM_PowerManagementService");
    assert_string_equal(wsman_epr_selector(obj, "UserOfService", "Name"), "ManagedSystem");
    assert_false(wsman_u32(obj, "NoSuchProperty", &number));
    assert_null(wsman_str(obj, "NoSuchProperty"));
    wsman_answer_clear(&answer);
}

static void return_values_have_causes(void **state)
{
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(wsman_return_value_to_err("CIM_PowerManagementService", "R", 0, &err), 0);
    assert_int_equal(wsman_return_value_to_err("CIM_PowerManagementService", "R", 4099, &err), -1);
    assert_int_equal(err.cause, CAUSE_BUSY);
    assert_string_equal(err.code, "ReturnValue 4099");
    assert_int_equal(wsman_return_value_to_err("AMT_AuthorizationService", "R", 16, &err), -1);
    assert_int_equal(err.cause, CAUSE_ACCESS_DENIED);
    assert_int_equal(wsman_return_value_to_err("IPS_OptInService", "R", 0x821, &err), -1);
    assert_int_equal(err.cause, CAUSE_CONSENT_REQUIRED);
    assert_int_equal(wsman_return_value_to_err("AMT_X", "R", 99999, &err), -1);
    assert_int_equal(err.cause, CAUSE_FAULT);
    assert_string_equal(err.code, "ReturnValue 99999");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_recorded_answers_parse),
        cmocka_unit_test(values_are_read_as_sent),
        cmocka_unit_test(return_values_have_causes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
