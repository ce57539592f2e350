/* What is kept of runs of jobs: that they stay open when amtd ends, results in place of earlier ones, and
 * conditions on them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/store/jobs.h"
#include "tests/unit/store/store_scene.h"

static int64_t host_id, run_id;

/* The structs own their texts; these stay. */
static char pc1[] = "pc1", job[] = "job", night[] = "night", hash[] = "aa", text[] = "tasks:", none[] = "{}",
            order[] = "[1]", all[] = "all", anna[] = "anna", wake[] = "wake", look[] = "look",
            power[] = "power", timeout[] = "timeout", site[] = "site", lab[] = "lab",
            event[] = "{\"kind\":\"pattern\",\"id\":12,\"data\":{\"pattern\":\"panic\",\"a.b\":1}}";

static int add(struct tx *tx, void *data, struct err *err)
{
    struct pair tag = {site, lab};
    struct host host = {.name = pc1, .tags = {&tag, 1}};
    struct job_record record = {
        .run = {.task = job, .args = none, .target = all, .who = anna, .began_ms = 1000, .hosts = 1},
        .name = night,
        .hash = hash,
        .text = text,
        .files = none,
        .settings = none,
        .order = order,
        .reaction = night,
        .event = event,
        .uid = 1000};
    struct operation operation = {.host = pc1};

    (void)data;
    if (tx_host_add(tx, &host, &host_id, err) != 0)
        return -1;
    operation.host_id = host_id;
    if (tx_job_add(tx, &record, &operation, 1, err) != 0)
        return -1;
    run_id = record.run.id;
    return 0;
}

static int put(struct tx *tx, uint32_t task, char *label, enum operation_state state, char *cause,
               struct err *err)
{
    const struct job_result result = {
        .run = run_id,
        .task = task,
        .label = label,
        .kind = power,
        .operation = {.host_id = host_id, .state = state, .cause = cause, .began_ms = 5, .tries = 2}};

    return tx_job_result_put(tx, &result, err);
}

static int stays_open(struct tx *tx, void *data, struct err *err)
{
    struct job_record *open;
    size_t count, closed;

    (void)data;
    if (tx_recover(tx, 2000, &closed, err) != 0 || tx_jobs_open(tx, &open, &count, err) != 0)
        return -1;
    WANT(closed == 0 && count == 1);
    WANT(open[0].run.id == run_id && open[0].uid == 1000 && open[0].run.ended_ms == 0);
    WANT(strcmp(open[0].reaction, night) == 0 && strcmp(open[0].event, event) == 0);
    WANT(strcmp(open[0].text, text) == 0 && strcmp(open[0].order, order) == 0);
    job_record_clear(&open[0]);
    free(open);
    return 0;
}

static int last_result_counts(struct tx *tx, void *data, struct err *err)
{
    struct job_result *results;
    size_t count;

    (void)data;
    if (put(tx, 0, wake, OPERATION_STARTED, NULL, err) != 0 ||
        put(tx, 0, wake, OPERATION_FAILED, timeout, err) != 0 ||
        put(tx, 1, look, OPERATION_OK, NULL, err) != 0 ||
        tx_job_results(tx, run_id, host_id, &results, &count, err) != 0)
        return -1;
    WANT(count == 2);
    WANT(results[0].operation.state == OPERATION_FAILED && strcmp(results[0].operation.cause, timeout) == 0);
    WANT(strcmp(results[1].label, look) == 0 && results[1].operation.tries == 2);
    for (size_t i = 0; i < count; i++)
        job_result_clear(&results[i]);
    free(results);
    return 0;
}

static int conditions(struct tx *tx, void *data, struct err *err)
{
    static const struct {
        const char *query;
        bool holds;
    } rows[] = {
        {"result.wake = failed", true},
        {"result.wake = ok", false},
        {"cause.wake = timeout", true},
        {"result.look = ok and tag.site = lab", true},
        {"has cause.look", false},
        {"result.nothing = ok", false},
        {"event.kind = pattern", true},
        {"event.data.pattern ~ p*", true},
        {"event.id > 9", true},
        {"has event.data.line", false},
        {"event. = x", false},
        {"event.kind.. = pattern", false},
        {"not result.nothing = ok", true},
        {"name = pc1 and not result.look = failed", true},
    };

    (void)data;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct query *query = query_parse(rows[i].query, err);
        bool matches = false;
        int status = query ? tx_host_matches(tx, host_id, run_id, query, &matches, err) : -1;

        query_free(query);
        if (status != 0)
            return -1;
        if (matches != rows[i].holds)
            return err_set(err, CAUSE_FAULT, "'%s' does not do what it says", rows[i].query);
    }
    return 0;
}

static int ends(struct tx *tx, void *data, struct err *err)
{
    struct job_record *list, record;
    struct err why = ERR_INIT;
    size_t count;

    (void)data;
    err_set(&why, CAUSE_INVALID_ARGUMENT, "cannot be read");
    if (tx_job_abandon(tx, run_id, 3000, &why, err) != 0 || tx_jobs_open(tx, &list, &count, err) != 0)
        return -1;
    WANT(count == 0);
    free(list);
    if (tx_job_get(tx, run_id, &record, err) != 0)
        return -1;
    WANT(record.state == JOB_RUN_OVER && record.run.failed == 1 && record.run.ended_ms == 3000);
    job_record_clear(&record);
    if (tx_jobs(tx, "other", NULL, 10, &list, &count, err) != 0)
        return -1;
    WANT(count == 0);
    free(list);
    WANT(tx_job_get(tx, run_id + 1, &record, &why) == -1 && why.cause == CAUSE_NOT_FOUND);
    return 0;
}

static void a_run_of_a_job(void **state)
{
    static int (*const works[])(struct tx * tx, void *data,
                                struct err *err) = {add, stays_open, last_result_counts, conditions, ends};

    for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++)
        well_in_store(*state, works[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_run_of_a_job, scene_setup, scene_teardown)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
