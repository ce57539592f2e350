/* Programs started with standard descriptors closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/process.h"

static int child_status(void (*child)(void))
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0)
        child();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Ends with 0 when exactly the three standard descriptors are open, on /dev/null. */
static void closed(void)
{
    struct stat null, now;
    int fd;

    for (fd = 0; fd < 256; fd++)
        close(fd);
    process_open_standard_fds();
    if (stat("/dev/null", &null) < 0)
        _exit(1);
    for (fd = 0; fd < 3; fd++)
        if (fstat(fd, &now) < 0 || now.st_rdev != null.st_rdev)
            _exit(2);
    _exit(fstat(3, &now) == 0 ? 3 : 0);
}

static void opens_what_is_closed(void **state)
{
    (void)state;
    assert_int_equal(child_status(closed), 0);
}

static void open_already(void)
{
    int fds[2];
    struct stat before, after;

    if (pipe(fds) < 0 || dup2(fds[0], 0) < 0 || dup2(fds[1], 1) < 0)
        _exit(1);
    close(2);
    fstat(0, &before);
    process_open_standard_fds();
    if (fstat(0, &after) < 0 || after.st_ino != before.st_ino)
        _exit(2);
    _exit(fstat(2, &after) == 0 && S_ISCHR(after.st_mode) ? 0 : 3);
}

static void leaves_what_is_open(void **state)
{
    (void)state;
    assert_int_equal(child_status(open_already), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_what_is_closed),
        cmocka_unit_test(leaves_what_is_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
