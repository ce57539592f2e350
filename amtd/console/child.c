#include "amtd/console/child.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/xalloc.h"

#define KILL_MS 5000 /* between hang-up and kill */

struct child {
    pid_t pid;
    uv_poll_t poll; /* readable when it has ended */
    uv_timer_t timer;
    int pidfd;
    int handles;
    void (*ended)(void *arg, bool good, const char *how);
    void *arg;
};

static void handle_closed(uv_handle_t *handle)
{
    struct child *child = handle->data;

    if (--child->handles > 0)
        return;
    close(child->pidfd);
    free(child);
}

static void on_ended(uv_poll_t *poll, int status, int events)
{
    struct child *child = poll->data;
    int how = 0;
    char text[64];

    (void)status;
    (void)events;
    if (waitpid(child->pid, &how, WNOHANG) != child->pid)
        return;
    if (WIFSIGNALED(how))
        snprintf(text, sizeof(text), "killed by signal %d (%s)", WTERMSIG(how), strsignal(WTERMSIG(how)));
    else
        snprintf(text, sizeof(text), "exit status %d", WEXITSTATUS(how));
    uv_close((uv_handle_t *)&child->poll, handle_closed);
    uv_close((uv_handle_t *)&child->timer, handle_closed);
    if (child->ended)
        child->ended(child->arg, WIFEXITED(how) && WEXITSTATUS(how) == 0, text);
}

static void on_kill(uv_timer_t *timer)
{
    const struct child *child = timer->data;

    kill(-child->pid, SIGKILL);
}

void child_forget(struct child *child)
{
    child->ended = NULL;
    kill(-child->pid, SIGHUP);
    kill(-child->pid, SIGCONT);
    uv_timer_start(&child->timer, on_kill, KILL_MS, KILL_MS);
}

/* The terminal becomes the child's own because a session's leader opens it first. */
static int spawn(const char *terminal, const char *command, pid_t *pid)
{
    char *const argv[] = {(char *)"sh", (char *)"-c", (char *)command, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    int status;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, terminal, O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&files, 0, 1);
    posix_spawn_file_actions_adddup2(&files, 0, 2);
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
    status = posix_spawn(pid, "/bin/sh", &files, &attr, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    return status;
}

/* Both ends of a new terminal; the name of the child's end. */
static int open_terminal(char *name, size_t size, struct err *err)
{
    const struct winsize window = {.ws_row = 24, .ws_col = 80};
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || grantpt(fd) != 0 || unlockpt(fd) != 0 || ptsname_r(fd, name, size) != 0) {
        err_set_errno(err, CAUSE_SYSTEM, errno, "no terminal for a command");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    ioctl(fd, TIOCSWINSZ, &window);
    return fd;
}

struct child *child_start(uv_loop_t *loop, const char *command, int *fd,
                          void (*ended)(void *arg, bool good, const char *how), void *arg, struct err *err)
{
    char terminal[64];
    struct child *child;
    pid_t pid = 0;
    int pidfd, status;

    *fd = open_terminal(terminal, sizeof(terminal), err);
    if (*fd < 0)
        return NULL;
    status = spawn(terminal, command, &pid);
    pidfd = status == 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
    if (pidfd < 0) {
        err_set_errno(err, CAUSE_SYSTEM, status != 0 ? status : errno, "/bin/sh");
        if (status == 0) {
            kill(-pid, SIGKILL);
            waitpid(pid, NULL, 0);
        }
        close(*fd);
        return NULL;
    }
    fcntl(pidfd, F_SETFD, FD_CLOEXEC);
    child = xcalloc(1, sizeof(*child));
    child->pid = pid;
    child->pidfd = pidfd;
    child->handles = 2;
    child->ended = ended;
    child->arg = arg;
    uv_poll_init(loop, &child->poll, pidfd);
    uv_timer_init(loop, &child->timer);
    child->poll.data = child->timer.data = child;
    uv_poll_start(&child->poll, UV_READABLE, on_ended);
    return child;
}
