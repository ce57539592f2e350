#include "amtcli/client_start.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/xalloc.h"

#define SYSTEM_SOCKET "/var/lib/amtd/amtd.sock"

int client_find_place(struct client_place *place, struct err *err)
{
    const char *socket = getenv("AMTD_SOCKET");
    const char *dir = getenv("AMTD_STATE_DIR");
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");

    place->socket = place->state_dir = NULL;
    if (dir && dir[0])
        place->state_dir = xstrdup(dir);
    if (socket && socket[0])
        place->socket = xstrdup(socket);
    else if (place->state_dir)
        place->socket = xasprintf("%s/amtd.sock", place->state_dir);
    else if (geteuid() == 0 || access(SYSTEM_SOCKET, F_OK) == 0)
        place->socket = xstrdup(SYSTEM_SOCKET);
    else if (state && state[0] == '/')
        place->socket = xasprintf("%s/amtd/amtd.sock", state);
    else if (home && home[0] == '/')
        place->socket = xasprintf("%s/.local/state/amtd/amtd.sock", home);
    else
        return err_set(err, CAUSE_NO_DAEMON, "HOME is not set: say where amtd is with AMTD_SOCKET");
    return 0;
}

void client_place_clear(struct client_place *place)
{
    free(place->socket);
    free(place->state_dir);
}

/* The amtd that belongs to this amtcli: beside it, or in the sbin beside its bin; else from PATH. */
static char *find_daemon(void)
{
    static const char *const places[] = {"amtd", "../sbin/amtd"};
    char self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    self[n > 0 ? n : 0] = '\0';
    for (size_t i = 0; n > 0 && i < 2; i++) {
        char *copy = xstrdup(self);
        char *path = xasprintf("%s/%s", dirname(copy), places[i]);

        free(copy);
        if (access(path, X_OK) == 0)
            return path;
        free(path);
    }
    return xstrdup("amtd");
}

static void run_daemon(const char *program, const struct client_place *place, int err_fd)
{
    const char *argv[8] = {program, "--private", "--socket", place->socket};
    int null = open("/dev/null", O_RDWR);

    if (place->state_dir) {
        argv[4] = "--state-dir";
        argv[5] = place->state_dir;
    }
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(err_fd, STDERR_FILENO);
    closefrom(STDERR_FILENO + 1); /* whoever waits for the end of ours waits for amtcli, not for amtd */
    execvp(program, (char *const *)argv);
    dprintf(STDERR_FILENO, "%s: %s", program, strerror(errno));
    _exit(127);
}

int client_start_daemon(const struct client_place *place, struct err *err)
{
    char *program = find_daemon();
    struct buf said = buf_init(4096);
    char bytes[512];
    int ends[2], status = 0;
    ssize_t n;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0 || (pid = fork()) < 0) {
        free(program);
        return err_set_errno(err, CAUSE_SYSTEM, errno, "amtd cannot be started");
    }
    if (pid == 0)
        run_daemon(program, place, ends[1]);
    close(ends[1]);
    while ((n = read(ends[0], bytes, sizeof(bytes))) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            buf_add(&said, bytes, (size_t)n);
    close(ends[0]);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        err_set(err, CAUSE_NO_DAEMON, "amtd did not start: %.*s", (int)strcspn(buf_str(&said), "\n"),
                buf_str(&said));
    else
        err_clear(err);
    buf_free(&said);
    free(program);
    return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? -1 : 0;
}
