#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include "amtcli/terminal.h"

/* Ways out. */
static void end(void)
{
    terminal_end();
    _exit(0);
}

static void leave(void)
{
    _exit(0);
}

static void by_signal(int number)
{
    raise(number);
    _exit(99);
}

static void hang_up(void)
{
    by_signal(SIGHUP);
}

static void interrupt(void)
{
    by_signal(SIGINT);
}

static void terminate(void)
{
    by_signal(SIGTERM);
}

static void crash(void)
{
    by_signal(SIGSEGV);
}

static void give_up(void)
{
    abort();
}

static void be_killed(void)
{
    by_signal(SIGKILL);
}

static void suspend(void)
{
    terminal_suspend();
    by_signal(SIGTERM);
}

/* The one with the terminal in raw mode; says so, and goes its way when it is told to. */
static void program(int line, void (*way_out)(void))
{
    char go;

    if (terminal_begin(0, 1, "a title", NULL) != 0)
        _exit(98);
    if (write(line, "r", 1) != 1 || read(line, &go, 1) != 1)
        _exit(97);
    way_out();
}

/* What a shell does: a process group of its own in the foreground. Says "s" when it has stopped and lets it
 * go on when told to; says its status at the end, and stays until told to go. */
static void shell(int slave, int line, void (*way_out)(void))
{
    const struct rlimit none = {0, 0};
    int status;
    char go;
    pid_t pid;

    setrlimit(RLIMIT_CORE, &none);
    signal(SIGTTOU, SIG_IGN);
    if (login_tty(slave) != 0)
        _exit(96);
    pid = fork();
    setpgid(pid, pid);
    tcsetpgrp(0, pid != 0 ? pid : getpid());
    if (pid == 0) {
        signal(SIGTTOU, SIG_DFL);
        program(line, way_out);
    }
    while (waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status)) {
        tcsetpgrp(0, getpgrp());
        if (write(line, "s", 1) != 1 || read(line, &go, 1) != 1)
            _exit(95);
        tcsetpgrp(0, pid);
        kill(pid, SIGCONT);
    }
    go = (char)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) + 100);
    if (write(line, &go, 1) != 1 || read(line, &go, 1) != 1)
        _exit(94);
    _exit(0);
}

static bool is_raw(int master)
{
    struct termios mode;

    assert_int_equal(tcgetattr(master, &mode), 0);
    return !(mode.c_lflag & (ICANON | ECHO));
}

/* Reads what is shown, so that nobody waits for us. */
static void drain(int master)
{
    struct pollfd p = {.fd = master, .events = POLLIN};
    char bytes[512];

    while (poll(&p, 1, 20) > 0 && read(master, bytes, sizeof(bytes)) > 0)
        ;
}

static void wait_until_raw(int master, bool raw)
{
    for (int tries = 0; is_raw(master) != raw && tries < 3000; tries++) /* a guardian comes when it comes */
        drain(master);
    assert_true(is_raw(master) == raw);
}

static char hear(int line, int master)
{
    struct pollfd p = {.fd = line, .events = POLLIN};
    char byte;

    while (poll(&p, 1, 0) == 0)
        drain(master);
    assert_int_equal(read(line, &byte, 1), 1);
    return byte;
}

static void try_way(void (*way_out)(void), int signal_number)
{
    int master, slave, ends[2];
    pid_t pid;
    char byte;

    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        close(master);
        shell(slave, ends[1], way_out);
    }
    close(ends[1]);
    assert_int_equal(hear(ends[0], master), 'r');
    assert_true(is_raw(master));
    assert_int_equal(write(ends[0], "g", 1), 1);
    byte = hear(ends[0], master);
    if (byte == 's') {
        wait_until_raw(master, false);
        assert_int_equal(write(ends[0], "g", 1), 1);
        byte = hear(ends[0], master);
    }
    assert_int_equal(byte, signal_number != 0 ? signal_number : 100);
    wait_until_raw(master, false);
    assert_int_equal(write(ends[0], "g", 1), 1);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(master);
    close(slave);
    close(ends[0]);
}

static void is_restored_on_every_way_out(void **state)
{
    static const struct {
        void (*way_out)(void);
        int signal_number;
    } ways[] = {
        {end, 0},         {leave, 0},         {hang_up, SIGHUP},    {interrupt, SIGINT}, {terminate, SIGTERM},
        {crash, SIGSEGV}, {give_up, SIGABRT}, {be_killed, SIGKILL}, {suspend, SIGTERM}};

    (void)state;
    setenv("TERM", "xterm", 1);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        try_way(ways[i].way_out, ways[i].signal_number);
}

static void no_terminal(void **state)
{
    struct err err = ERR_INIT;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(terminal_begin(ends[0], ends[1], "x", &err), -1);
    assert_int_equal(err.cause, CAUSE_SYSTEM);
    terminal_end();
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_restored_on_every_way_out),
                                       cmocka_unit_test(no_terminal)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
