/* The table of kinds keeps its own rules, and says the same as the tasks it stands for. */
#include "amtd/jobs/job_kind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"

static void check_params(const struct job_param *params)
{
    size_t mains = 0;

    for (const struct job_param *p = params; p->name; p++) {
        assert_ptr_equal(job_param_find(params, p->name), p);
        assert_true(p->text && p->text[0]);
        assert_true((p->type == JOB_PARAM_CHOICE) == (p->choices != NULL));
        assert_true((p->type == JOB_PARAM_STEPS) == (p->steps != NULL));
        if (p->type != JOB_PARAM_CHOICE && p->type != JOB_PARAM_BOOL && p->type != JOB_PARAM_FILE)
            assert_true(p->max > p->min);
        mains += p->main;
        if (p->steps)
            check_params(p->steps);
    }
    assert_true(mains <= 1);
}

static void rows_are_whole(void **state)
{
    const struct job_kind *kind;

    (void)state;
    for (size_t i = 0; (kind = job_kind_at(i)); i++) {
        assert_ptr_equal(job_kind_by_name(kind->name), kind);
        assert_true(kind->acts ? kind->task && kind->action : (kind->task == NULL) != (kind->action == NULL));
        if (kind->task)
            assert_non_null(task_by_name(kind->task));
        check_params(kind->params);
    }
    assert_null(job_kind_by_name("nothing"));
}

/* A value that any parameter of its type takes; NULL: needs its owner's. */
static json_t *value_for(const struct job_param *p, size_t choice)
{
    switch (p->type) {
    case JOB_PARAM_CHOICE:
        return json_string(p->choices[choice]);
    case JOB_PARAM_NUMBER:
    case JOB_PARAM_DURATION:
        return json_integer(p->max);
    case JOB_PARAM_BOOL:
        return json_true();
    default:
        return NULL;
    }
}

/* Names, types and ranges: what the row takes, the task takes. What goes only together may be refused, but
 * not for being unknown or out of range. */
static void tasks_know_the_parameters(void **state)
{
    const struct job_kind *kind;

    (void)state;
    for (size_t i = 0; (kind = job_kind_at(i)); i++) {
        const struct task *task = kind->task ? task_by_name(kind->task) : NULL;

        if (!task || kind->shape)
            continue;
        for (const struct job_param *p = kind->params; p->name; p++) {
            for (size_t choice = 0; choice == 0 || (p->choices && p->choices[choice]); choice++) {
                void *args = xcalloc(1, task->args_size + 1);
                json_t *json = json_object(), *value = value_for(p, choice);
                struct err err = ERR_INIT;

                if (value)
                    json_object_set_new(json, p->field ? p->field : p->name, value);
                if (kind->task_args) {
                    json_t *given = json;

                    json = kind->task_args(given);
                    json_decref(given);
                }
                if (task->parse(args, json, &err) != 0) {
                    assert_null(strstr(err.text, "is not an argument"));
                    assert_null(strstr(err.text, "must be a whole number"));
                    if (p->choices)
                        assert_null(strstr(err.text, "must be one of"));
                }
                json_decref(json);
                if (task->forget)
                    task->forget(args);
                free(args);
            }
        }
    }
}

static void what_may_be_done_twice(void **state)
{
    static const struct {
        const char *kind, *args;
        enum job_again again;
    } cases[] = {
        {"power", "{\"action\": \"on\"}", JOB_AGAIN_SAFE},
        {"power", "{\"action\": \"off\", \"graceful\": true}", JOB_AGAIN_SAFE},
        {"power", "{\"action\": \"cycle\"}", JOB_AGAIN_ASK},
        {"power", "{\"action\": \"reset\"}", JOB_AGAIN_ASK},
        {"power", "{\"action\": \"nmi\"}", JOB_AGAIN_NEVER},
        {"boot", "{\"to\": \"pxe\"}", JOB_AGAIN_SAFE},
        {"boot", "{\"to\": \"pxe\", \"reset\": true}", JOB_AGAIN_ASK},
        {"filter", "{\"action\": \"apply\"}", JOB_AGAIN_SAFE},
        {"info", "{}", JOB_AGAIN_SAFE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *args = json_loads(cases[i].args, 0, NULL);

        assert_int_equal(job_kind_again(job_kind_by_name(cases[i].kind), args), cases[i].again);
        json_decref(args);
    }
}

static void what_takes_it_back(void **state)
{
    static const struct {
        const char *kind, *args, *from, *to, *task, *undo;
    } cases[] = {
        {"power", "{}", "off", "on", "power", "{\"action\":\"off\",\"graceful\":true}"},
        {"power", "{}", "on", "off", "power", "{\"action\":\"on\"}"},
        {"power", "{}", "on", "hibernate", "power", "{\"action\":\"on\"}"},
        {"power", "{}", "standby", "on", NULL, NULL}, /* somebody's work is open there */
        {"power", "{}", "sleep", "on", NULL, NULL},
        {"power", "{}", "hibernate", "on", NULL, NULL},
        {"power", "{}", "on", "on", NULL, NULL},
        {"power", "{}", "off", "off", NULL, NULL},
        {"power", "{}", NULL, NULL, NULL, NULL},
        {"boot", "{\"to\":\"pxe\"}", NULL, NULL, "boot", "{\"to\":\"normal\"}"},
        {"boot", "{\"to\":\"pxe\",\"reset\":true}", "on", "on", NULL, NULL},
        {"boot", "{\"to\":\"pxe\",\"reset\":true}", "off", "on", "power",
         "{\"action\":\"off\",\"graceful\":true}"},
        {"filter", "{\"file\":{}}", NULL, NULL, "filter", "{\"action\":\"undo\",\"now\":true}"},
        {"filter", "{\"action\":\"remove\"}", NULL, NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct job_kind *kind = job_kind_by_name(cases[i].kind);
        struct operation was = {.from = (char *)cases[i].from, .to = (char *)cases[i].to};
        json_t *args = json_loads(cases[i].args, 0, NULL), *wanted = NULL;
        const char *task = kind->task;
        json_t *undo = kind->undo(args, &was, &task);

        if (cases[i].undo) {
            wanted = json_loads(cases[i].undo, 0, NULL);
            assert_true(json_equal(undo, wanted));
            assert_string_equal(task, cases[i].task);
        } else {
            assert_null(undo);
        }
        json_decref(wanted);
        json_decref(undo);
        json_decref(args);
    }
}

#define ROW(setting, was, is, state)                                                                         \
    "{\"setting\":\"" setting "\",\"was\":\"" was "\",\"is\":\"" is "\",\"state\":\"" state "\"}"
#define SAME(setting, is) "{\"setting\":\"" setting "\",\"is\":\"" is "\",\"state\":\"same\"}"

/* What was changed goes back, addresses as a whole; what nobody can declare stays, and does not keep the
 * rest. */
static void settings_go_back(void **state)
{
    static const struct {
        const char *rows, *file, *expect;
    } cases[] = {
        {ROW("network.ping", "on", "off", "changed") "," SAME("network.domain", "d"),
         "{\"network\":{\"ping\":\"on\"}}", NULL},
        {ROW("network.ping", "on", "off", "refused"), NULL, NULL},
        {ROW("clock.within", "900s", "0s", "changed"), NULL, NULL},
        {ROW("consent.screen-timeout", "10s", "120s",
             "changed") "," ROW("network.vlan", "4097", "12",
                                "changed") "," ROW("network.ipv6-address", "none", "2001:db8::7", "changed"),
         "{\"network\":{\"ipv6-address\":\"none\"}}", NULL},
        {ROW("network.ipv4", "dhcp", "static", "changed") "," ROW(
             "network.address", "10.0.0.7", "10.0.0.9", "changed") "," SAME("network.mask", "255.0.0.0"),
         "{\"network\":{\"ipv4\":\"dhcp\"}}", "10.0.0.7"},
        {SAME("network.ipv4", "static") "," ROW("network.address", "10.0.0.7", "10.0.0.9",
                                                "changed") "," SAME("network.mask", "255.0.0.0"),
         "{\"network\":{\"ipv4\":\"static\",\"address\":\"10.0.0.7\",\"mask\":\"255.0.0.0\"}}", NULL},
        {ROW("wireless.link-policy", "s0-ac,sx-ac", "", "changed"),
         "{\"wireless\":{\"link-policy\":[\"s0-ac\",\"sx-ac\"]}}", NULL},
    };
    const struct job_kind *config = job_kind_by_name("config");

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char detail[1000];
        struct operation was = {.detail = detail};
        const char *task = config->task, *text, *expect;
        json_t *undo, *file, *wanted;

        snprintf(detail, sizeof(detail), "{\"settings\":[%s]}", cases[i].rows);
        undo = config->undo(NULL, &was, &task);
        if (!cases[i].file) {
            assert_null(undo);
            continue;
        }
        text = json_string_value(json_object_get(json_object_get(undo, "file"), "text"));
        file = json_loads(text, 0, NULL);
        wanted = json_loads(cases[i].file, 0, NULL);
        if (!json_equal(file, wanted))
            fail_msg("case %zu: %s, not %s", i, text, cases[i].file);
        expect = json_string_value(json_object_get(undo, "expect"));
        assert_true(expect && cases[i].expect ? strcmp(expect, cases[i].expect) == 0
                                              : expect == cases[i].expect);
        json_decref(wanted);
        json_decref(file);
        json_decref(undo);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_whole),         cmocka_unit_test(tasks_know_the_parameters),
        cmocka_unit_test(what_may_be_done_twice), cmocka_unit_test(what_takes_it_back),
        cmocka_unit_test(settings_go_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
