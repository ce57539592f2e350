/* Addresses of host names: looked up beside the loop, once for all who wait, and for nobody who has left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "amtd/fleet/host_names.h"

static uv_loop_t loop;
static struct host_names *names;
static int heard;

static int setup(void **state)
{
    (void)state;
    heard = 0;
    names = host_names_new();
    return uv_loop_init(&loop);
}

static int teardown(void **state)
{
    (void)state;
    host_names_free(names);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

static void hear(void *arg)
{
    (void)arg;
    heard++;
}

/* The last one who waits ends all of it. */
static void hear_and_free(void *arg)
{
    hear(arg);
    host_names_free(names);
    names = NULL;
}

static void all_who_wait_hear_once(void **state)
{
    struct host_names_wait waits[3] = {{.done = hear}, {.done = hear}, {.done = hear}};
    struct err err = ERR_INIT;

    (void)state;
    assert_false(host_names_lack(names));
    assert_null(host_names_get(names, "localhost", &err));
    assert_null(host_names_get(names, "no-such-host.invalid", &err));
    assert_int_equal(err.cause, CAUSE_NAME_UNKNOWN);
    assert_true(host_names_lack(names));
    for (size_t i = 0; i < 3; i++)
        host_names_look(names, &loop, &waits[i]);
    assert_int_equal(heard, 0);
    host_names_leave(names, &waits[1]);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(heard, 2);
    assert_false(host_names_lack(names));
    assert_non_null(strstr(host_names_get(names, "localhost", &err), "127.0.0.1"));
    assert_null(host_names_get(names, "no-such-host.invalid", &err));
    assert_non_null(strstr(err.text, "host name 'no-such-host.invalid': "));
    json_t *json = host_names_json(names);
    assert_int_equal(json_object_size(json), 1);
    json_decref(json);
    host_names_look(names, &loop, &waits[1]); /* nothing is lacking: at once */
    assert_int_equal(heard, 3);
}

static void whoever_hears_may_free_it(void **state)
{
    struct host_names_wait wait = {.done = hear_and_free};

    (void)state;
    host_names_get(names, "localhost", NULL);
    host_names_look(names, &loop, &wait);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(heard, 1);
    assert_null(names);
}

static void it_is_freed_while_it_looks(void **state)
{
    struct host_names_wait wait = {.done = hear};

    (void)state;
    host_names_get(names, "localhost", NULL);
    host_names_look(names, &loop, &wait);
    host_names_free(names);
    names = NULL;
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(heard, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_who_wait_hear_once, setup, teardown),
        cmocka_unit_test_setup_teardown(whoever_hears_may_free_it, setup, teardown),
        cmocka_unit_test_setup_teardown(it_is_freed_while_it_looks, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
