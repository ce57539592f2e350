#include "amtcli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/text.h"

#define TITLE_MAX 256

/* What signals end us by; each restores the terminal first. */
static const int endings[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGALRM, SIGPIPE, SIGUSR1, SIGUSR2, SIGXCPU,
                              SIGXFSZ, SIGABRT, SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,  SIGSYS,  SIGTRAP};
#define ENDINGS (sizeof(endings) / sizeof(endings[0]))

/* Colours off, cursor shown, keys and mouse as usual, wrapping, the usual characters. */
static const char undo[] = "\033[0m\033[?25h\033[?1l\033>\033[?1000;1002;1003;1006;2004l\033[?7h\033(B\017";
static const char main_screen[] = "\033[?1049l";
static const char push_title[] = "\033[22;0t", pop_title[] = "\033[23;0t";

/* Shared with the guardian. */
struct shared {
    volatile sig_atomic_t raw;
    volatile sig_atomic_t alternate; /* screen */
};

static struct {
    int in, out;
    struct termios kept, raw;
    struct shared *shared; /* NULL: no terminal */
    bool titled, plain;    /* plain: a terminal that knows no sequences */
    int guard;             /* the end of the pipe that the guardian waits at */
    pid_t guardian;
    struct sigaction old[ENDINGS], old_stop, old_continue;
} terminal;

/* --- what may be called in a signal handler --- */

static void put(const char *text, size_t n)
{
    while (n > 0) {
        ssize_t done = write(terminal.out, text, n);

        if (done <= 0)
            return;
        text += done;
        n -= (size_t)done;
    }
}

/* Also from the background, where the terminal would stop us for it. */
static void set_mode(const struct termios *mode)
{
    sigset_t quiet, kept;

    sigemptyset(&quiet);
    sigaddset(&quiet, SIGTTOU);
    sigprocmask(SIG_BLOCK, &quiet, &kept);
    tcsetattr(terminal.in, TCSANOW, mode);
    sigprocmask(SIG_SETMASK, &kept, NULL);
}

static void restore(void)
{
    if (!terminal.shared || !terminal.shared->raw)
        return;
    terminal.shared->raw = 0;
    if (terminal.shared->alternate)
        put(main_screen, sizeof(main_screen) - 1);
    if (!terminal.plain)
        put(undo, sizeof(undo) - 1);
    if (terminal.titled)
        put(pop_title, sizeof(pop_title) - 1);
    set_mode(&terminal.kept);
}

/* Only in the foreground: elsewhere it is another program's terminal. */
static void make_raw(void)
{
    if (!terminal.shared || tcgetpgrp(terminal.in) != getpgrp())
        return;
    terminal.shared->raw = 1;
    set_mode(&terminal.raw);
}

static void on_ending(int number)
{
    restore();
    signal(number, SIG_DFL);
    raise(number); /* comes when this handler returns */
}

/* Stops as the system would have: not at all where nobody could let us go on again. */
static void on_stop(int number)
{
    struct sigaction usual = {.sa_handler = SIG_DFL}, ours;
    int saved = errno;
    sigset_t only;

    restore();
    sigaction(number, &usual, &ours);
    raise(number);
    sigemptyset(&only);
    sigaddset(&only, number);
    sigprocmask(SIG_UNBLOCK, &only, NULL); /* here it stops */
    sigaction(number, &ours, NULL);
    make_raw();
    errno = saved;
}

static void on_continue(int number)
{
    int saved = errno;

    (void)number;
    make_raw();
    errno = saved;
}

/* --- the guardian: for kill -9 --- */

static void guard(int end)
{
    char byte;

    for (size_t i = 0; i < ENDINGS; i++)
        signal(endings[i], SIG_IGN);
    signal(SIGTSTP, SIG_IGN);
    signal(SIGCONT, SIG_DFL);
    prctl(PR_SET_NAME, "amtcli-terminal");
    /* Nothing else is to stay open because of us: not the line to amtd, nor a pipe that somebody reads. */
    for (int fd = 0; fd < 256; fd++)
        if (fd != terminal.in && fd != terminal.out && fd != end)
            close(fd);
    while (read(end, &byte, 1) < 0 && errno == EINTR)
        ;
    restore();
    _exit(0);
}

static int start_guardian(struct err *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "a pipe");
    terminal.guardian = fork();
    if (terminal.guardian == 0) {
        close(ends[1]);
        guard(ends[0]);
    }
    close(ends[0]);
    terminal.guard = ends[1];
    if (terminal.guardian > 0)
        return 0;
    close(ends[1]);
    return err_set_errno(err, CAUSE_SYSTEM, errno, "a second process for the terminal");
}

/* --- life --- */

static void catch_signals(void)
{
    struct sigaction ending = {.sa_handler = on_ending},
                     stop = {.sa_handler = on_stop, .sa_flags = SA_RESTART};
    struct sigaction resume = {.sa_handler = on_continue, .sa_flags = SA_RESTART};

    for (size_t i = 0; i < ENDINGS; i++)
        sigaction(endings[i], &ending, &terminal.old[i]);
    sigaction(SIGTSTP, &stop, &terminal.old_stop);
    sigaction(SIGCONT, &resume, &terminal.old_continue);
}

static void release_signals(void)
{
    for (size_t i = 0; i < ENDINGS; i++)
        sigaction(endings[i], &terminal.old[i], NULL);
    sigaction(SIGTSTP, &terminal.old_stop, NULL);
    sigaction(SIGCONT, &terminal.old_continue, NULL);
}

static bool has_title(void)
{
    static const char *const kinds[] = {"xterm",     "rxvt", "screen", "tmux", "gnome", "konsole",
                                        "alacritty", "foot", "kitty",  "vte",  "st-",   "putty"};
    const char *term = getenv("TERM");

    for (size_t i = 0; term && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strncmp(term, kinds[i], strlen(kinds[i])) == 0)
            return true;
    return false;
}

void terminal_title(const char *title)
{
    struct buf text = buf_init(TITLE_MAX + 16);

    if (!terminal.titled)
        return;
    buf_puts(&text, "\033]0;");
    text_printable(&text, title, strnlen(title, TITLE_MAX / 4));
    buf_puts(&text, "\a");
    put(buf_str(&text), text.len);
    buf_free(&text);
}

void terminal_alternate(bool on)
{
    if (terminal.shared && !terminal.plain)
        terminal.shared->alternate = on;
}

int terminal_begin(int in, int out, const char *title, struct err *err)
{
    const char *term = getenv("TERM");

    if (tcgetattr(in, &terminal.kept) != 0)
        return err_set_errno(err, CAUSE_SYSTEM, errno, "the terminal");
    terminal.in = in;
    terminal.out = out;
    terminal.raw = terminal.kept;
    cfmakeraw(&terminal.raw);
    terminal.plain = !term || strcmp(term, "dumb") == 0;
    terminal.titled = false;
    terminal.shared =
        mmap(NULL, sizeof(*terminal.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (terminal.shared == MAP_FAILED) {
        terminal.shared = NULL;
        return err_set_errno(err, CAUSE_SYSTEM, errno, "memory for the terminal");
    }
    terminal.titled = has_title();
    if (start_guardian(err) != 0) {
        munmap(terminal.shared, sizeof(*terminal.shared));
        terminal.shared = NULL;
        return -1;
    }
    catch_signals();
    if (terminal.titled)
        put(push_title, sizeof(push_title) - 1);
    terminal_title(title);
    make_raw();
    return 0;
}

void terminal_end(void)
{
    if (!terminal.shared)
        return;
    restore();
    release_signals();
    close(terminal.guard);
    while (waitpid(terminal.guardian, NULL, 0) < 0 && errno == EINTR)
        ;
    munmap(terminal.shared, sizeof(*terminal.shared));
    terminal.shared = NULL;
}

void terminal_suspend(void)
{
    raise(SIGTSTP);
    if (terminal.titled)
        put(push_title, sizeof(push_title) - 1);
}
