#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "tests/amtsim/qmp.h"

#define GREETING   "{\"QMP\": {\"version\": {\"qemu\": {\"major\": 7}}, \"capabilities\": [\"oob\"]}}\r\n"
#define NEGOTIATED "{\"return\": {}, \"id\": 1}\r\n"

struct talk {
    struct qmp *qmp;
    struct buf sent;
    struct buf heard; /* what the callbacks were told, a word or line each */
};

static void on_send(void *arg, const void *p, size_t n)
{
    struct talk *t = arg;

    buf_add(&t->sent, p, n);
}

static void on_ready(void *arg)
{
    struct talk *t = arg;

    buf_puts(&t->heard, "ready\n");
}

static void on_event(void *arg, const char *name, const json_t *data)
{
    struct talk *t = arg;
    char *text = json_dumps(data, JSON_COMPACT);

    buf_printf(&t->heard, "event %s %s\n", name, text);
    free(text);
}

static void on_reply(void *arg, const json_t *result, const struct err *err)
{
    struct talk *t = arg;

    assert_true((result == NULL) != (err == NULL));
    if (err == NULL)
        buf_puts(&t->heard, "done\n");
    else
        buf_printf(&t->heard, "%s %s: %s\n", cause_name(err->cause), err->code, err->text);
}

static int setup(void **state)
{
    static struct talk t;
    struct qmp_events events = {&t, on_send, on_ready, on_event};

    t = (struct talk){.sent = buf_init(4096), .heard = buf_init(4096)};
    t.qmp = qmp_new(&events);
    *state = &t;
    return 0;
}

static int teardown(void **state)
{
    struct talk *t = *state;

    qmp_free(t->qmp);
    buf_free(&t->sent);
    buf_free(&t->heard);
    return 0;
}

static void feed(struct talk *t, const char *text)
{
    struct err err = ERR_INIT;

    if (qmp_feed(t->qmp, text, strlen(text), &err) != 0)
        fail_msg("%s", err.text);
}

static void feed_bad(struct talk *t, const char *text, enum cause cause, const char *expected)
{
    struct err err = ERR_INIT;

    assert_int_equal(qmp_feed(t->qmp, text, strlen(text), &err), -1);
    assert_int_equal(err.cause, cause);
    assert_non_null(strstr(err.text, expected));
    /* It sticks. */
    assert_int_equal(qmp_feed(t->qmp, GREETING, strlen(GREETING), &err), -1);
    assert_int_equal(qmp_execute(t->qmp, "cont", NULL, NULL, NULL, &err), -1);
}

static void negotiates_then_is_ready(void **state)
{
    struct talk *t = *state;
    struct err err = ERR_INIT;

    assert_int_equal(qmp_execute(t->qmp, "cont", json_object(), NULL, NULL, &err), -1);
    assert_int_equal(err.cause, CAUSE_INVALID_STATE);
    feed(t, GREETING);
    assert_string_equal(buf_str(&t->sent), "{\"execute\":\"qmp_capabilities\",\"id\":1}\r\n");
    assert_string_equal(buf_str(&t->heard), "");
    feed(t, NEGOTIATED);
    assert_string_equal(buf_str(&t->heard), "ready\n");
}

static void answers_and_events_arrive(void **state)
{
    struct talk *t = *state;

    feed(t, GREETING NEGOTIATED);
    buf_reset(&t->sent);
    buf_reset(&t->heard);
    assert_int_equal(qmp_execute(t->qmp, "cont", NULL, on_reply, t, NULL), 0);
    assert_int_equal(qmp_execute(t->qmp, "eject", json_pack("{s:s}", "id", "cd"), on_reply, t, NULL), 0);
    assert_int_equal(qmp_execute(t->qmp, "stop", NULL, NULL, NULL, NULL), 0);
    assert_string_equal(buf_str(&t->sent),
                        "{\"execute\":\"cont\",\"id\":2}\r\n"
                        "{\"execute\":\"eject\",\"arguments\":{\"id\":\"cd\"},\"id\":3}\r\n"
                        "{\"execute\":\"stop\",\"id\":4}\r\n");
    feed(t, "{\"event\": \"RESUME\", \"timestamp\": {\"seconds\": 1, \"microseconds\": 2}}\r\n"
            "\r\n"
            "{\"return\": {}, \"id\": 2}\n"
            "{\"id\": 3, \"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"no 'cd'\"}}\r\n"
            "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": \"guest-reset\"}}\r\n"
            "{\"return\": {}, \"id\": 4}\r\n");
    assert_string_equal(buf_str(&t->heard), "event RESUME {}\n"
                                            "done\n"
                                            "fault DeviceNotFound: QEMU refuses eject: no 'cd'\n"
                                            "event SHUTDOWN {\"guest\":true,\"reason\":\"guest-reset\"}\n");
}

static void one_byte_at_a_time_is_the_same(void **state)
{
    static const char text[] = GREETING NEGOTIATED "{\"event\": \"STOP\"}\r\n";
    struct talk *t = *state;

    for (size_t i = 0; i < sizeof text - 1; i++)
        assert_int_equal(qmp_feed(t->qmp, text + i, 1, NULL), 0);
    assert_string_equal(buf_str(&t->heard), "ready\nevent STOP {}\n");
}

static void what_is_not_qmp_is_refused(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"{\"event\": \"STOP\"}\n", "begin with its greeting"},
        {"{\"return\": {}, \"id\": 1}\n", "begin with its greeting"},
        {"[]\n", "no JSON object"},
        {"{\"QMP\": 1, \"QMP\": 2}\n", "no JSON object"},
        {"{\"hello\": 1}\n", "no known kind"},
        {GREETING GREETING, "a second time"},
        {GREETING "{\"return\": {}}\n", "not given"},
        {GREETING "{\"return\": {}, \"id\": 2}\n", "not given"},
        {GREETING NEGOTIATED NEGOTIATED, "not given"},
        {GREETING NEGOTIATED "{\"event\": 7}\n", "without name"},
        {GREETING NEGOTIATED "{\"event\": \"X\", \"data\": 7}\n", "no object"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        teardown(state);
        setup(state);
        feed_bad(*state, cases[i].text, CAUSE_PROTOCOL, cases[i].error);
    }
}

static void refused_negotiation_breaks_it(void **state)
{
    feed_bad(*state, GREETING "{\"error\": {}, \"id\": 1}\n", CAUSE_FAULT,
             "QEMU refuses qmp_capabilities: no reason given");
}

static void an_endless_line_is_refused(void **state)
{
    static char blanks[4096];
    struct talk *t = *state;
    struct err err = ERR_INIT;
    size_t fed = 0;

    memset(blanks, ' ', sizeof blanks);
    while (qmp_feed(t->qmp, blanks, sizeof blanks, &err) == 0) {
        fed += sizeof blanks;
        assert_true(fed <= QMP_LINE_MAX);
    }
    assert_int_equal(err.cause, CAUSE_TOO_LARGE);
    assert_int_equal(fed, QMP_LINE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(negotiates_then_is_ready, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_and_events_arrive, setup, teardown),
        cmocka_unit_test_setup_teardown(one_byte_at_a_time_is_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_qmp_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_negotiation_breaks_it, setup, teardown),
        cmocka_unit_test_setup_teardown(an_endless_line_is_refused, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
