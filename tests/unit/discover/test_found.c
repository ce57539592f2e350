#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "amtd/discover/found.h"
#include "base/xalloc.h"

#define AMT   "Intel(R) Active Management Technology 11.8.93.4323"
#define REALM "Digest:34BF4B5A0561F95248F58509A406E046"

static struct found silent(void)
{
    struct found f = {.address = 0x7F100001};

    for (int i = 0; i < FOUND_PORTS; i++)
        f.port[i] = (struct found_port){.number = (uint16_t)(16992 + i),
                                        .failure = CAUSE_UNREACHABLE,
                                        .unanswered = true,
                                        .text = xstrdup("no answer to connect within 2000 ms")};
    return f;
}

static void open_port(struct found *f, int i, const char *server, const char *realm, const char *title)
{
    f->port[i].open = true;
    f->port[i].failure = CAUSE_NONE;
    xreplace(&f->port[i].server, server);
    xreplace(&f->port[i].realm, realm);
    xreplace(&f->port[i].title, title);
}

static void pong(struct found *f, bool intel, uint16_t port, int state)
{
    f->pong_seen = true;
    f->pong = (struct rmcp_pong){
        .iana = intel ? 343 : 9, .intel = intel, .port = port, .state = state, .major = 9, .minor = 1};
}

static void judge(struct found *f, enum found_kind kind, const char *version)
{
    json_t *json;

    found_judge(f);
    assert_int_equal(f->kind, kind);
    assert_string_equal(f->version, version);
    assert_true(f->why[0]);
    json = found_json(f);
    assert_string_equal(json_string_value(json_object_get(json, "finding")), found_kind_name(kind));
    json_decref(json);
    found_clear(f);
}

static void knows_amt_by_any_of_its_marks(void **state)
{
    struct found f = silent();

    (void)state;
    open_port(&f, FOUND_PLAIN, AMT, NULL, NULL);
    judge(&f, FOUND_AMT, "11.8.93.4323");
    f = silent();
    open_port(&f, FOUND_TLS, "", REALM, NULL);
    judge(&f, FOUND_AMT, "");
    f = silent();
    open_port(&f, FOUND_PLAIN, "AMT", NULL, NULL);
    judge(&f, FOUND_AMT, "");
    f = silent();
    open_port(&f, FOUND_PLAIN, NULL, NULL, "Intel&reg; Active Management Technology");
    judge(&f, FOUND_AMT, "");
    f = silent();
    pong(&f, true, 16993, 2);
    judge(&f, FOUND_AMT, "9.1");
}

static void tells_provisioned_from_not(void **state)
{
    struct found f = silent();

    (void)state;
    pong(&f, true, 0, 0);
    judge(&f, FOUND_NOT_PROVISIONED, "9.1");
    f = silent();
    pong(&f, true, 0, 1);
    open_port(&f, FOUND_PLAIN, AMT, NULL, NULL);
    judge(&f, FOUND_NOT_PROVISIONED, "11.8.93.4323");
    f = silent(); /* old firmware that leaves the state 0 */
    pong(&f, true, 16992, 0);
    open_port(&f, FOUND_PLAIN, AMT, NULL, NULL);
    judge(&f, FOUND_AMT, "11.8.93.4323");
}

static void says_why_it_is_not_amt(void **state)
{
    struct found f = silent();

    (void)state;
    judge(&f, FOUND_DROPPED, "");
    f = silent();
    f.port[FOUND_TLS].failure = CAUSE_REFUSED;
    judge(&f, FOUND_REFUSED, "");
    f = silent();
    f.port[FOUND_PLAIN].unanswered = f.port[FOUND_TLS].unanswered = false;
    judge(&f, FOUND_NO_ROUTE, "");
    f = silent();
    open_port(&f, FOUND_PLAIN, "nginx/1.22.1", "Digest:short", "Welcome");
    judge(&f, FOUND_OTHER, "");
    f = silent();
    open_port(&f, FOUND_PLAIN, NULL, NULL, NULL);
    f.port[FOUND_PLAIN].failure = CAUSE_DROPPED; /* in the middle of an answer */
    judge(&f, FOUND_OTHER, "");
    f.port[FOUND_PLAIN].mute = true; /* before it */
    judge(&f, FOUND_REFUSED, "");
    open_port(&f, FOUND_TLS, "nginx/1.22.1", NULL, NULL); /* and the other port is somebody */
    judge(&f, FOUND_OTHER, "");
    f = silent();
    open_port(&f, FOUND_PLAIN, NULL, NULL, NULL);
    f.port[FOUND_PLAIN].failure = CAUSE_TIMEOUT; /* takes connections, and says nothing */
    judge(&f, FOUND_OTHER, "");
    f = silent();
    open_port(&f, FOUND_PLAIN, NULL, NULL, NULL);
    f.port[FOUND_PLAIN].failure = CAUSE_DROPPED;
    f.port[FOUND_PLAIN].mute = true;
    pong(&f, true, 16992, 2); /* busy with others, but it is there */
    judge(&f, FOUND_AMT, "9.1");
    f = silent();
    pong(&f, false, 0, 0);
    judge(&f, FOUND_OTHER, "");
}

static void finds_the_title_of_a_page(void **state)
{
    static const char page[] = "<html><title>A\x01 b</title>";
    char *title = found_title(page, sizeof(page) - 1);

    (void)state;
    assert_string_equal(title, "A\\x01 b");
    free(title);
    assert_null(found_title(page, 10));
    assert_null(found_title(page, 18));
    assert_null(found_title(NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_amt_by_any_of_its_marks),
        cmocka_unit_test(tells_provisioned_from_not),
        cmocka_unit_test(says_why_it_is_not_amt),
        cmocka_unit_test(finds_the_title_of_a_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
