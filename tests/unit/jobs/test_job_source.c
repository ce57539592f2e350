/* Job files of amtd's own machine: with the files that they name, beside them. */
#include "amtd/jobs/job_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/xalloc.h"
#include "base/xml.h"

static char dir[64];
static const char *const names[] = {"night.yaml", "a.xml", "pipe"};

static char *path_of(const char *name)
{
    return xasprintf("%s/%s", dir, name);
}

static void write_file(const char *name, const char *text)
{
    char *path = path_of(name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    free(path);
}

static int read_one(const char *name, struct job_source *source, json_t **mistakes, struct err *err)
{
    char *path = path_of(name);
    int status = job_source_read(path, source, mistakes, err);

    free(path);
    return status;
}

static void with_what_it_names(void **state)
{
    struct job_source source, copy;
    json_t *mistakes;
    struct err err = ERR_INIT;

    (void)state;
    write_file("night.yaml", "tasks: [ filter: a.xml ]\n");
    write_file("a.xml", "<network-filters xmlns='urn:amt-network-filters:1' name='a'>"
                        "<filter name='arp' ethertype='arp'/><filter name='db' remote='db.example.com'/>"
                        "</network-filters>"); /* whose address is looked up when it is applied */
    assert_int_equal(read_one("night.yaml", &source, &mistakes, &err), 0);
    assert_string_equal(source.name, "night");
    assert_non_null(
        strstr(json_string_value(json_object_get(json_object_get(source.files, "a.xml"), "text")), "arp"));
    job_source_copy(&copy, &source);
    job_source_clear(&source);
    assert_string_equal(copy.text, "tasks: [ filter: a.xml ]\n");
    job_source_clear(&copy);
}

static void refused(const char *text, enum cause cause, const char *says, size_t count)
{
    struct job_source source;
    json_t *mistakes;
    struct err err = ERR_INIT;

    write_file("night.yaml", text);
    assert_int_equal(read_one("night.yaml", &source, &mistakes, &err), -1);
    assert_int_equal(err.cause, cause);
    assert_non_null(strstr(err.text, says));
    assert_int_equal(json_array_size(mistakes), count);
    json_decref(mistakes);
}

static void with_mistakes(void **state)
{
    struct job_source source;
    json_t *mistakes;
    struct err err = ERR_INIT;
    char *pipe = path_of("pipe");

    (void)state;
    refused("tasks: [ power: burn, nothing: at all ]\n", CAUSE_INVALID_ARGUMENT, "2 mistakes", 2);
    refused("tasks: [ filter: nosuch.xml ]\n", CAUSE_NOT_FOUND, "nosuch.xml", 0);
    write_file("a.xml", "<network-filters xmlns='urn:amt-network-filters:1' name='a'>"
                        "<filter name='x' remote='10.0.0.300'/></network-filters>");
    refused("tasks: [ filter: a.xml ]\n", CAUSE_INVALID_ARGUMENT, "'10.0.0.300': expected", 0);
    refused("name: \xff\n", CAUSE_SYSTEM, "UTF-8", 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(read_one("pipe", &source, &mistakes, &err), -1);
    assert_non_null(strstr(err.text, "no file"));
    assert_int_equal(read_one("gone", &source, &mistakes, &err), -1);
    assert_int_equal(err.cause, CAUSE_NOT_FOUND);
    free(pipe);
}

static int setup(void **state)
{
    (void)state;
    xml_library_init();
    strcpy(dir, "/tmp/amtd-source.XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path = path_of(names[i]);

        unlink(path);
        free(path);
    }
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(with_what_it_names), cmocka_unit_test(with_mistakes)};

    return cmocka_run_group_tests(tests, setup, teardown);
}
