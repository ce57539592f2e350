/* Job files: what they become, and every mistake with its place. */
#include "amtd/jobs/job.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/xalloc.h"

static struct job *read_job(const char *text, struct job_reading *reading)
{
    json_t *files = json_object();
    struct job *job = job_read("fallback", text, strlen(text), files, reading);

    json_decref(files);
    return job;
}

static void whole(void **state)
{
    static const char text[] = "name: nightly\n"
                               "description: all of it\n"
                               "rollout: { canary: 2, batch: 50, pause: 1m, concurrency: 64, per-subnet: 8, "
                               "max-failures: 20 }\n"
                               "timeout: 2h\n"
                               "tasks:\n"
                               "  - name: wake\n"
                               "    power: on\n"
                               "    timeout: 2m\n"
                               "    retry: { count: 2, pause: 5s }\n"
                               "  - info:\n"
                               "    retry: 3\n"
                               "  - filter: { remove: true }\n"
                               "    when: 'result.wake = ok and amt.version >= 9'\n"
                               "    on-failure: continue\n"
                               "  - boot: pxe\n"
                               "  - power: { action: off, graceful: yes, graceful-for: 90 }\n"
                               "    on-failure: undo\n";
    struct job_reading reading;
    struct job *job = read_job(text, &reading);
    char *args;

    (void)state;
    assert_int_equal(json_array_size(reading.mistakes), 0);
    assert_string_equal(job->name, "nightly");
    assert_int_equal(job->count, 5);
    assert_int_equal(job->rollout.canary, 2);
    assert_int_equal(job->rollout.pause_ms, 60000);
    assert_int_equal(job->rollout.parallel, 64);
    assert_int_equal(job->timeout_ms, 7200000);
    assert_string_equal(job->tasks[0].name, "wake");
    assert_int_equal(job->tasks[0].retries, 2);
    assert_int_equal(job->tasks[0].pause_ms, 5000);
    assert_string_equal(job->tasks[1].name, "info");
    assert_int_equal(job->tasks[1].retries, 3);
    assert_int_equal(job->tasks[2].on_failure, JOB_CONTINUE);
    assert_string_equal(job->tasks[4].name, "power");
    args = json_dumps(job->tasks[4].args, JSON_COMPACT | JSON_SORT_KEYS);
    assert_string_equal(args, "{\"action\":\"off\",\"graceful\":true,\"graceful_ms\":90000}");
    assert_int_equal(strlen(job->hash), 64);
    assert_true(job_changes(job));
    assert_int_equal(job_role(job), ROLE_QUARANTINE);
    free(args);
    job_reading_clear(&reading);
    job_free(job);
}

/* A filter must leave open what the tasks behind it need, and only these. */
static void filters_know_what_comes_after(void **state)
{
    static const char text[] = "tasks:\n  - boot: pxe\n  - filter: a.xml\n  - power: on\n  - boot: pxe\n"
                               "  - filter: a.xml\n";
    json_t *files = json_pack("{s:{s:s, s:s}}", "a.xml", "name", "a.xml", "text",
                              "<network-filters xmlns='urn:amt-network-filters:1' name='a'>"
                              "<filter name='arp' ethertype='arp'/></network-filters>");
    struct job_reading reading;
    struct job *job = job_read("x", text, strlen(text), files, &reading);

    (void)state;
    assert_non_null(job);
    assert_int_equal(json_array_size(json_object_get(job->tasks[1].args, "needs")), 2);
    assert_null(json_object_get(job->tasks[3].args, "needs"));
    assert_null(json_object_get(job->tasks[4].args, "needs"));
    job_reading_clear(&reading);
    job_free(job);
    json_decref(files);
}

static void mistakes_have_places(void **state)
{
    static const struct {
        const char *text;
        int line, column;
        const char *says;
    } cases[] = {
        {"", 0, 0, "the file is empty"},
        {"name: x\n", 1, 1, "'tasks' is missing"},
        {"tasks: []\n", 1, 8, "from 1 to 100"},
        {"tasks:\n  - power: fly\n", 2, 12, "expected one of status, on, off"},
        {"tasks:\n  - powr: on\n", 2, 5, "there is no task 'powr': expected one of power"},
        {"tasks:\n  - power: { action: on, colour: red }\n", 2, 26, "there is no 'colour' in 'power'"},
        {"tasks:\n  - power: { graceful: yes }\n", 2, 12, "'action' is missing"},
        {"tasks:\n  - power: { action: on, graceful: yes }\n", 2, 12, "'graceful' goes with off"},
        {"tasks:\n  - power: on\n    boot: pxe\n", 3, 5, "one thing a task"},
        {"tasks:\n  - power: on\n    power: off\n", 3, 5, "given twice"},
        {"tasks:\n  - power: on\n    retry: 1000\n", 3, 12, "from 0 to 100"},
        {"tasks:\n  - power: on\n    on-failure: cry\n", 3, 17, "stop, continue, undo"},
        {"tasks:\n  - power: on\n    when: 'power ='\n", 3, 11, "column 8: expected a value"},
        {"tasks:\n  - power: on\n    when: result.later = ok\n  - name: later\n    info:\n", 3, 11,
         "no task 'later' before this one"},
        {"tasks:\n  - name: a\n    info:\n  - name: a\n    info:\n", 4, 11, "two tasks 'a'"},
        {"tasks:\n  - filter: x.xml\n", 2, 13, "was not sent along"},
        {"tasks:\n  - filter: { all: true }\n", 2, 13, "either 'apply' or 'remove'"},
        {"tasks:\n  - boot: { to: pxe, media: 0 }\n", 2, 29, "from 1 to 255"},
        {"tasks:\n  - power: on\n    timeout: soon\n", 3, 14, "a duration"},
        {"tasks:\n  - on\n", 2, 5, "expected a task"},
        {"tasks:\n  - power: on\n    timeout: 9d\n", 3, 14, "from 100ms to 7d"},
        {"tasks:\n  - run: []\n", 2, 10, "at least one text, not an empty list"},
        {"tasks:\n  - name: x\n", 2, 5, "a task without what to do"},
        {"rollout: { speed: 9 }\ntasks:\n  - info:\n", 1, 12, "no option 'speed'"},
        {"tasks:\n  - info: [\n", 3, 1, "YAML:"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct job_reading reading;
        const json_t *first;

        assert_null(read_job(cases[i].text, &reading));
        first = json_array_get(reading.mistakes, 0);
        if (!strstr(json_string_value(json_object_get(first, "text")), cases[i].says))
            fail_msg("%s: %s", cases[i].text, json_string_value(json_object_get(first, "text")));
        if (json_integer_value(json_object_get(first, "line")) != cases[i].line ||
            json_integer_value(json_object_get(first, "column")) != cases[i].column)
            fail_msg("%s: at %lld:%lld", cases[i].text,
                     (long long)json_integer_value(json_object_get(first, "line")),
                     (long long)json_integer_value(json_object_get(first, "column")));
        job_reading_clear(&reading);
    }
}

static void all_mistakes_at_once(void **state)
{
    struct job_reading reading;

    (void)state;
    assert_null(read_job("name: 'a b'\ntasks:\n  - power: fly\n  - boot: moon\n    retry: x\n  - dance:\n",
                         &reading));
    assert_int_equal(json_array_size(reading.mistakes), 5);
    for (size_t i = 1; i < 5; i++) /* the name is looked at last, and told first */
        assert_true(json_integer_value(json_object_get(json_array_get(reading.mistakes, i - 1), "line")) <=
                    json_integer_value(json_object_get(json_array_get(reading.mistakes, i), "line")));
    job_reading_clear(&reading);
}

/* Without its files a job can be read to learn which they are. */
static void files_are_named(void **state)
{
    static const char text[] =
        "tasks:\n  - filter: { apply: a.xml, set: { dns: 10.0.0.1 } }\n  - filter: b.xml\n"
        "  - filter: a.xml\n";
    struct job_reading reading;
    struct job *job = job_read("x", text, strlen(text), NULL, &reading);

    (void)state;
    assert_non_null(job);
    assert_int_equal(reading.file_count, 2);
    assert_string_equal(reading.files[0].name, "a.xml");
    assert_string_equal(reading.files[0].kind, "filter");
    assert_string_equal(json_string_value(json_object_get(reading.files[0].set, "dns")), "10.0.0.1");
    assert_string_equal(reading.files[1].name, "b.xml");
    assert_null(reading.files[1].set);
    job_reading_clear(&reading);
    job_free(job);
}

/* Another text, or another file that it names, is another version. */
static void versions_differ(void **state)
{
    static const char *const texts[] = {"tasks: [{power: on}]\n", "tasks: [{power: on }]\n"};
    struct job_reading reading;
    char *hashes[2];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct job *job = read_job(texts[i], &reading);

        hashes[i] = xstrdup(job->hash);
        job_reading_clear(&reading);
        job_free(job);
    }
    assert_string_not_equal(hashes[0], hashes[1]);
    free(hashes[0]);
    free(hashes[1]);
}

/* The published schema is that of the tables: `amtcli job schema > docs/job.schema.json`. */
static void schema_is_published(void **state)
{
    json_t *made = job_schema(), *published = json_load_file(JOB_SCHEMA, 0, NULL);

    (void)state;
    assert_non_null(made);
    assert_true(json_equal(made, published));
    json_decref(made);
    json_decref(published);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(mistakes_have_places),
        cmocka_unit_test(filters_know_what_comes_after),
        cmocka_unit_test(all_mistakes_at_once),
        cmocka_unit_test(files_are_named),
        cmocka_unit_test(versions_differ),
        cmocka_unit_test(schema_is_published),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
