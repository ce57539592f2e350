/* Lines for the system's log: what it takes, what it takes later, and what it never takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include <cmocka.h>

#include "amtd/api/syslog_sink.h"
#include "base/xalloc.h"

static char directory[] = "/tmp/test_syslog_sink.XXXXXX";
static char path[64];

static int open_log(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    unlink(path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void received(int fd, const char *end)
{
    char line[4096];
    ssize_t n = recv(fd, line, sizeof(line) - 1, 0);

    assert_true(n > 0);
    line[n] = '\0';
    assert_int_equal(strncmp(line, "<133>", 5), 0); /* local0, notice */
    assert_string_equal(line + n - strlen(end), end);
}

static void lines_arrive_and_wait(void **state)
{
    struct syslog_sink *sink = syslog_sink_new(path, LOG_LOCAL0);
    int log;

    (void)state;
    assert_int_equal(syslog_sink_send(sink, LOG_NOTICE, "nobody"), SYSLOG_LATER);
    log = open_log();
    assert_int_equal(syslog_sink_send(sink, LOG_NOTICE, "first"), SYSLOG_SENT);
    received(log, "]: first");
    close(log);
    assert_int_equal(syslog_sink_send(sink, LOG_NOTICE, "gone"), SYSLOG_LATER);
    log = open_log(); /* started anew: another socket */
    assert_int_equal(syslog_sink_send(sink, LOG_NOTICE, "again"), SYSLOG_SENT);
    received(log, "]: again");
    close(log);
    syslog_sink_free(sink);
}

static void what_is_full_takes_more_later(void **state)
{
    struct syslog_sink *sink = syslog_sink_new(path, LOG_LOCAL0);
    int log = open_log(), sent = 0;

    (void)state;
    while (sent < 100000 && syslog_sink_send(sink, LOG_NOTICE, "x") == SYSLOG_SENT)
        sent++;
    assert_in_range(sent, 1, 99999);
    while (sent-- > 0)
        received(log, "]: x");
    assert_int_equal(syslog_sink_send(sink, LOG_NOTICE, "more"), SYSLOG_SENT);
    received(log, "]: more");
    close(log);
    syslog_sink_free(sink);
}

static void what_is_too_long_is_said(void **state)
{
    struct syslog_sink *sink = syslog_sink_new(path, LOG_LOCAL0);
    size_t n = 8 << 20;
    char *text = xmalloc(n + 1);
    int log = open_log();

    (void)state;
    memset(text, 'a', n);
    text[n] = '\0';
    assert_int_equal(syslog_sink_send(sink, LOG_NOTICE, text), SYSLOG_TOO_LONG);
    assert_int_equal(syslog_sink_send(sink, LOG_NOTICE, "short"), SYSLOG_SENT);
    received(log, "]: short");
    free(text);
    close(log);
    syslog_sink_free(sink);
}

static int make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(path, sizeof(path), "%s/log", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_arrive_and_wait),
        cmocka_unit_test(what_is_full_takes_more_later),
        cmocka_unit_test(what_is_too_long_is_said),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
