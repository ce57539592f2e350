/* The table of calls as those who must be able to rely on it read it: every call has a role where it can be
 * checked, and what the activity log says of it has who, what and to whom, and no secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/api/call_deed.h"

static const struct api_call *call_named(const char *name)
{
    for (const struct api_call *call = api_calls; call->name; call++)
        if (strcmp(call->name, name) == 0)
            return call;
    fail_msg("there is no call %s", name);
    return NULL;
}

static bool is_among(const char *name, const char *const *names)
{
    for (size_t i = 0; names[i]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Of these the handler says which role it takes: by the task, or by the console's own rules. Whoever adds one
 * here adds what is denied to tests/e2e/rights_routes.sh. */
static const char *const by_handler[] = {
    "run.start",     "job.run",         "job.retry",         "schedule.add",
    "console.lease", "console.message", "console.broadcast", NULL};

static void what_changes_something_is_not_for_watchers(void **state)
{
    (void)state;
    for (const struct api_call *call = api_calls; call->name; call++) {
        assert_true(call->role >= ROLE_WATCH && call->role <= ROLE_ADMINISTER);
        assert_int_equal(!call->work + !call->start + !call->list, 2); /* one of the three */
        assert_non_null(call->params);
        if (call->quiet)
            assert_true(call->role == ROLE_WATCH || strcmp(call->name, "grant.list") == 0);
        else if (is_among(call->name, by_handler))
            assert_int_equal(call->role, ROLE_WATCH);
        else if (call->role < ROLE_OPERATE)
            fail_msg("%s changes something, and a watcher may call it", call->name);
    }
}

/* A scope whose parameter the call does not have would be checked on nothing. */
static void scopes_have_what_they_look_at(void **state)
{
    static const char *const looked_at[] = {
        [API_ALL] = NULL,  [API_ANY] = NULL,       [API_TARGET] = "target", [API_HOST] = "host",
        [API_RUN] = "run", [API_CONSOLE] = "name", [API_CONSOLES] = NULL};

    (void)state;
    for (const struct api_call *call = api_calls; call->name; call++) {
        const char *wanted = looked_at[call->scope];
        bool found = !wanted;

        for (const struct api_param *p = call->params; p->name && !found; p++)
            found = strcmp(p->name, wanted) == 0;
        if (!found)
            fail_msg("%s has no '%s'", call->name, wanted);
    }
}

static void secrets_are_marked(void **state)
{
    static const char *const secret[] = {"password", "token", "secret", "key", "code", NULL};
    static const char *const content[] = {"text", "data", "files", "rows", NULL};

    (void)state;
    for (const struct api_call *call = api_calls; call->name; call++)
        for (const struct api_param *p = call->params; p->name; p++) {
            if (is_among(p->name, secret) && p->told != API_SECRET)
                fail_msg("%s tells its '%s'", call->name, p->name);
            if (is_among(p->name, content) && !call->quiet && p->told != API_CONTENT)
                fail_msg("%s tells its '%s'", call->name, p->name);
        }
}

static void tells(const char *call, const char *params, const char *what, const char *target)
{
    json_t *json = json_loads(params, 0, NULL);
    char *text;

    assert_non_null(json);
    text = call_deed_text(call_named(call), json);
    assert_string_equal(text, what);
    free(text);
    if (target)
        assert_string_equal(call_deed_target(json), target);
    else
        assert_null(call_deed_target(json));
    json_decref(json);
}

static void what_was_asked_for_is_told(void **state)
{
    (void)state;
    tells("grant.add", "{\"user\": \"anna\", \"role\": \"operate\", \"collection\": \"lab\"}",
          "grant.add {\"collection\":\"lab\",\"role\":\"operate\",\"user\":\"anna\"}", NULL);
    tells("host.set", "{\"target\": \"pc7\", \"address\": \"10.0.0.9\", \"tags\": {\"a\": null}}",
          "host.set {\"address\":\"10.0.0.9\",\"tags\":{\"a\":null}}", "pc7");
    tells("profile.put", "{\"name\": \"lab\", \"user\": \"admin\", \"password\": \"Geheim1!\"}",
          "profile.put {\"password\":\"(hidden)\",\"user\":\"admin\"}", "lab");
    tells("console.logging", "{\"name\": \"c\", \"on\": false}", "console.logging {\"on\":false}", "c");
    tells("purge.run", "{\"dry_run\": false}", "purge.run", NULL);
    tells("node.join", "{\"token\": \"amtd1-x\"}", "node.join {\"token\":\"(hidden)\"}", NULL);
    tells("console.send", "{\"names\": [\"a\"], \"text\": \"root\\r\"}", "console.send {\"names\":[\"a\"]}",
          NULL);
    tells("job.run", "{\"name\": \"nightly\", \"text\": \"tasks: []\", \"target\": \"@lab\"}",
          "job.run nightly", "@lab");
    tells("job.run",
          "{\"name\": \"n\", \"text\": \"t\", \"target\": \"@lab\", \"canary\": 2, \"confirmed\": true}",
          "job.run n {\"canary\":2}", "@lab");
    tells("schedule.add",
          "{\"name\": \"s\", \"job\": {\"name\": \"j\", \"text\": \"t\"}, \"target\": \"all\", \"cron\": "
          "\"@daily\"}",
          "schedule.add s {\"cron\":\"@daily\",\"job\":\"j\"}", "all");
    tells("run.start", "{\"task\": \"power\", \"args\": {\"action\": \"cycle\"}, \"target\": \"all\"}",
          "run.start power {\"action\":\"cycle\"}", "all");
    tells("run.start",
          "{\"task\": \"power\", \"args\": {\"action\": \"cycle\"}, \"target\": \"all\", \"dry_run\": true}",
          "run.start power {\"action\":\"cycle\",\"dry_run\":true}", "all");
    tells("run.start",
          "{\"task\": \"consent\", \"args\": {\"action\": \"send\", \"code\": \"123456\"}, \"target\": "
          "\"pc1\"}",
          "run.start consent {\"action\":\"send\",\"code\":\"(hidden)\"}", "pc1");
    tells("run.start",
          "{\"task\": \"config\", \"args\": {\"action\": \"apply\", \"file\": {\"name\": \"f\", \"text\": "
          "\"t\"}}, \"target\": \"pc1\"}",
          "run.start config {\"action\":\"apply\",\"file\":\"f\"}", "pc1");
    tells("run.cancel", "{\"run\": 5}", "run.cancel {\"run\":5}", NULL);
    tells("daemon.stop", "{}", "daemon.stop", NULL);
}

static void what_is_long_is_not_told(void **state)
{
    json_t *params = json_object(), *list = json_array();
    char *text;

    (void)state;
    for (int i = 0; i < 1000; i++)
        json_array_append_new(list, json_string("10.0.0.0/16"));
    json_object_set_new(params, "addresses", list);
    text = call_deed_text(call_named("discover.start"), params);
    assert_string_equal(text, "discover.start {\"addresses\":\"(14001 bytes)\"}");
    free(text);
    json_decref(params);
}

static void came_to(const char *reply, bool begun, const char *wanted)
{
    json_t *json = json_loads(reply, 0, NULL);
    char *text = call_deed_detail(json, begun);

    if (wanted)
        assert_string_equal(text, wanted);
    else
        assert_null(text);
    free(text);
    json_decref(json);
}

static void what_came_of_it_is_told(void **state)
{
    (void)state;
    came_to("{}", false, NULL);
    came_to("{\"added\": 3, \"name\": \"x\"}", false, "added 3");
    came_to("{\"run\": 7, \"hosts\": 3}", true, "run 7: 3 hosts");
    came_to("{\"run\": 7, \"hosts\": 1, \"ok\": 0, \"failed\": 1}", false, "run 7: 1 host, 0 ok, 1 failed");
    came_to("{\"certificate\": \"PEM\", \"key\": \"PEM\"}", false, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_changes_something_is_not_for_watchers),
        cmocka_unit_test(scopes_have_what_they_look_at),
        cmocka_unit_test(secrets_are_marked),
        cmocka_unit_test(what_was_asked_for_is_told),
        cmocka_unit_test(what_is_long_is_not_told),
        cmocka_unit_test(what_came_of_it_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
