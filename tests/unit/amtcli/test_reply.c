#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtcli/reply.h"

static void on_event(void *arg, const json_t *event)
{
    char *text = json_dumps(event, JSON_COMPACT | JSON_ENCODE_ANY);

    buf_printf(arg, "%s;", text);
    free(text);
}

/* Lines in parts of any size say the same. */
static void lines(void **state)
{
    static const struct {
        const char *said, *events, *value;
        enum cause cause; /* NONE: it succeeded, or is not over */
        bool over;
    } rows[] = {
        {"{\"event\":1}\n{\"event\":{\"a\":2}}\n{\"reply\":{\"b\":3}}\n", "1;{\"a\":2};", "{\"b\":3}",
         CAUSE_NONE, true},
        {"{\"reply\":[]}\n{\"event\":1}\n", "", "[]", CAUSE_NONE, true},
        {"{\"failure\":{\"cause\":\"busy\",\"code\":\"7\",\"message\":\"so it is\",\"details\":[1]}}\n", "",
         "[1]", CAUSE_BUSY, true},
        {"{\"failure\":{\"cause\":\"of-a-newer-amtd\"}}\n", "", NULL, CAUSE_PROTOCOL, true},
        {"{\"row\":{\"a\":1}}\n{\"row\":{}}\n{\"rows\":2}\n", "", "[{\"a\":1},{}]", CAUSE_NONE, true},
        {"{\"rows\":0}\n", "", "[]", CAUSE_NONE, true},
        {"{\"head\":{\"a\":1},\"list\":\"b\"}\n{\"row\":{}}\n{\"rows\":1}\n", "", "{\"a\":1,\"b\":[{}]}",
         CAUSE_NONE, true},
        {"{\"head\":{},\"list\":\"b\"}\n{\"rows\":0}\n", "", "{\"b\":[]}", CAUSE_NONE, true},
        {"{\"row\":{}}\n{\"failure\":{\"cause\":\"busy\",\"message\":\"\"}}\n", "", NULL, CAUSE_BUSY, true},
        {"{\"row\":{}}\n{\"rows\":2}\n", "", "[{}]", CAUSE_PROTOCOL, true},
        {"{\"row\":}\n", "", NULL, CAUSE_PROTOCOL, true},
        {"{\"row\":{}}\n", "", "[{}]", CAUSE_NONE, false},
        {"no json\n", "", NULL, CAUSE_PROTOCOL, true},
        {"{}\n", "", NULL, CAUSE_PROTOCOL, true},
        {"{\"event\":1}\n{\"repl", "1;", NULL, CAUSE_NONE, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t part = 1; part < 1000; part += 998) {
            struct buf events = buf_init(4096);
            const char *said = rows[i].said;
            struct reply reply;
            char *value;

            reply_begin(&reply, on_event, &events);
            for (size_t n = strlen(said), now; n > 0; n -= now, said += now) {
                now = n < part ? n : part;
                reply_feed(&reply, (const uint8_t *)said, now);
            }
            value = reply.value ? json_dumps(reply.value, JSON_COMPACT) : NULL;
            assert_string_equal(buf_str(&events), rows[i].events);
            assert_int_equal(reply.over, rows[i].over);
            assert_int_equal(reply.failed, rows[i].cause != CAUSE_NONE);
            if (reply.failed)
                assert_int_equal(reply.failure.cause, rows[i].cause);
            if (rows[i].value)
                assert_string_equal(value, rows[i].value);
            else
                assert_null(value);
            free(value);
            reply_clear(&reply);
            buf_free(&events);
        }
    }
}

static void put_row(void *arg, const char *json, size_t n)
{
    buf_add(arg, json, n);
    buf_puts(arg, ";");
}

/* Whoever takes rows as they come gets what amtd wrote; one list that came whole is the same to him. */
static void rows_as_they_come(void **state)
{
    static const struct {
        const char *said, *rows, *value;
        bool failed;
    } rows[] = {
        {"{\"head\":{\"a\":1},\"list\":\"b\"}\n{\"row\":{ \"x\" : 1.0 }}\n{\"row\":{}}\n{\"rows\":2}\n",
         "{ \"x\" : 1.0 };{};", "{\"a\":1}", false},
        {"{\"row\":{}}\n{\"rows\":1}\n", "{};", NULL, false},
        {"{\"row\":{}}\n{\"rows\":0}\n", "{};", NULL, true},
        {"{\"reply\":[{\"a\": 1},{}]}\n", "{\"a\":1};{};", "[{\"a\":1},{}]", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf out = buf_init(4096);
        const struct reply_rows to = {&out, put_row};
        struct reply reply;
        char *value;

        reply_begin(&reply, NULL, NULL);
        reply_rows_to(&reply, &to);
        reply_feed(&reply, (const uint8_t *)rows[i].said, strlen(rows[i].said));
        assert_true(reply.over);
        assert_int_equal(reply.failed, rows[i].failed);
        assert_string_equal(buf_str(&out), rows[i].rows);
        value = reply.value ? json_dumps(reply.value, JSON_COMPACT) : NULL;
        if (rows[i].value)
            assert_string_equal(value, rows[i].value);
        else
            assert_null(value);
        free(value);
        reply_clear(&reply);
        buf_free(&out);
    }
}

static void a_broken_channel(void **state)
{
    struct reply reply;

    (void)state;
    reply_begin(&reply, NULL, NULL);
    reply_feed(&reply, (const uint8_t *)"{\"event\":1}\n", 12);
    reply_broken(&reply, "gone");
    assert_true(reply.over && reply.failed);
    assert_string_equal(reply.failure.text, "gone");
    reply_clear(&reply);
    reply_begin(&reply, NULL, NULL);
    reply_feed(&reply, (const uint8_t *)"{\"reply\":{}}\n", 13);
    reply_broken(&reply, "gone");
    assert_false(reply.failed);
    reply_clear(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lines), cmocka_unit_test(rows_as_they_come),
                                       cmocka_unit_test(a_broken_channel)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
